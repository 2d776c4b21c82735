use std::path::Path;

use anyhow::Result;
use kiosk_records::KioskId;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::write_private;

/// A development authority and what it signs: central's certificate, one per kiosk, an operator's,
/// and one that is kiosk and operator in one, for tools. The authority's key is not kept: who needs
/// another certificate makes another town.
pub(crate) fn write(dir: &Path, town: &str, kiosks: &[KioskId]) -> Result<()> {
    let ca_key = KeyPair::generate()?;
    let ca = authority(town)?;
    write_private(&dir.join("ca.pem"), ca.self_signed(&ca_key)?.pem().as_bytes())?;
    let ca = Issuer::new(ca, ca_key);

    let mut server = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    sign(dir, "central", named(server, town, "central", None), &ca)?;

    for kiosk in kiosks {
        sign(dir, kiosk.as_str(), client(town, kiosk.as_str(), "kiosk")?, &ca)?;
    }
    sign(dir, "operator", client(town, "operator", "operator")?, &ca)?;
    sign(dir, "tools", client(town, "TOOLS", "kiosk,operator")?, &ca)
}

fn authority(town: &str) -> Result<CertificateParams> {
    let mut ca = CertificateParams::new([])?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(named(ca, town, "PAUSE+ development authority", None))
}

fn client(town: &str, name: &str, roles: &str) -> Result<CertificateParams> {
    let mut client = CertificateParams::new([])?;
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(named(client, town, name, Some(roles)))
}

fn named(
    mut certificate: CertificateParams,
    town: &str,
    name: &str,
    roles: Option<&str>,
) -> CertificateParams {
    certificate.not_before = date_time_ymd(2020, 1, 1);
    certificate.not_after = date_time_ymd(2046, 1, 1);
    certificate.use_authority_key_identifier_extension = true;
    let subject = &mut certificate.distinguished_name;
    subject.push(DnType::OrganizationName, town);
    subject.push(DnType::CommonName, name);
    if let Some(roles) = roles {
        subject.push(DnType::OrganizationalUnitName, roles);
    }
    certificate
}

fn sign(
    dir: &Path,
    file: &str,
    certificate: CertificateParams,
    ca: &Issuer<'_, KeyPair>,
) -> Result<()> {
    let key = KeyPair::generate()?;
    let pem = certificate.signed_by(&key, ca)?.pem();
    write_private(&dir.join(format!("{file}.pem")), pem.as_bytes())?;
    write_private(&dir.join(format!("{file}.key")), key.serialize_pem().as_bytes())
}
