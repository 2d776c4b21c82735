//! Whom to trust in the network of a cabinet, where no public authority knows anybody.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

/// What a device has to prove.
#[derive(Clone, Debug)]
pub enum Trust {
    /// A certificate for this name, signed by one of these authorities.
    Signed {
        /// The maker's root certificates.
        roots_pem: Vec<u8>,
        /// DNS name in the certificate, or its common name where it has no DNS names at all:
        /// `V400m-123456789.live.terminal.adyen.com`.
        name: String,
    },
    /// This very certificate.
    Pinned {
        /// Of the device itself.
        certificate_pem: Vec<u8>,
    },
}

/// A [`Trust`] on which no connection can be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Empty, or no PEM.
    #[error("no certificate in PEM")]
    NoCertificate,
    /// It cannot be an authority.
    #[error("a root certificate is of no use")]
    Root(#[source] rustls::Error),
    /// TLS cannot be set up at all.
    #[error("TLS")]
    Tls(#[source] rustls::Error),
    /// HTTP cannot.
    #[error("HTTP")]
    Client(#[source] reqwest::Error),
}

impl Trust {
    /// The name to ask for.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Signed { name, .. } => name,
            Self::Pinned { .. } => "terminal",
        }
    }

    pub(crate) fn tls(&self) -> Result<ClientConfig, TrustError> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier { provider: Arc::clone(&provider), proof: self.proof()? };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Tls)?;
        Ok(config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }

    fn proof(&self) -> Result<Proof, TrustError> {
        match self {
            Self::Signed { roots_pem, .. } => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(roots_pem)? {
                    roots.add(certificate).map_err(TrustError::Root)?;
                }
                Ok(Proof::Signed(roots))
            }
            Self::Pinned { certificate_pem } => {
                Ok(Proof::Pinned(certificates(certificate_pem)?.swap_remove(0)))
            }
        }
    }
}

/// At least one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or(TrustError::NoCertificate)
}

#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    proof: Proof,
}

#[derive(Debug)]
enum Proof {
    Signed(RootCertStore),
    Pinned(CertificateDer<'static>),
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.proof {
            Proof::Signed(roots) => {
                let certificate = ParsedCertificate::try_from(end_entity)?;
                let algorithms = self.provider.signature_verification_algorithms.all;
                verify_server_cert_signed_by_trust_anchor(
                    &certificate,
                    roots,
                    intermediates,
                    now,
                    algorithms,
                )?;
                verify_server_name(&certificate, name)
                    .or_else(|error| by_common_name(end_entity, name).ok_or(error))?;
            }
            Proof::Pinned(pinned) if pinned == end_entity => {}
            Proof::Pinned(_) => {
                let error = CertificateError::ApplicationVerificationFailure;
                return Err(rustls::Error::InvalidCertificate(error));
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Terminals bear their name as the common name, which TLS libraries no longer look at.
fn by_common_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Option<()> {
    let has_dns_names =
        certificate.windows(SUBJECT_ALT_NAME.len()).any(|it| it == SUBJECT_ALT_NAME);
    let common_name = common_name(certificate).filter(|_| !has_dns_names)?;
    name.to_str().eq_ignore_ascii_case(common_name).then_some(())
}

/// The last CN of the subject [RFC 5280 §4.1]: what lies before it in a certificate is skipped.
fn common_name(certificate: &[u8]) -> Option<&str> {
    let (certificate, _) = element(certificate)?;
    let (mut rest, _) = element(certificate.content)?;
    let mut content = rest.content;
    if content.first() == Some(&VERSION) {
        content = element(content)?.1;
    }
    // Serial number, algorithm, issuer, validity.
    for _ in 0..4 {
        content = element(content)?.1;
    }
    rest = element(content)?.0;
    let mut found = None;
    let mut names = rest.content;
    while let Some((set, after)) = element(names) {
        names = after;
        let (attribute, _) = element(set.content)?;
        let (kind, value) = element(attribute.content)?;
        if kind.content == COMMON_NAME {
            found = Some(std::str::from_utf8(element(value)?.0.content).ok()?);
        }
    }
    found
}

struct Element<'a> {
    content: &'a [u8],
}

/// One element of DER, and what comes after it.
fn element(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (_, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((Element { content }, rest))
}

/// `[0]`, where a version is given.
const VERSION: u8 = 0xA0;
/// 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1D, 0x11];

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CertifiedIssuer, DnType, KeyPair};

    use super::*;

    const NAME: &str = "v400m-123456789.test.terminal.example";

    struct Ca(CertifiedIssuer<'static, KeyPair>);

    impl Ca {
        fn new() -> Self {
            let mut params = CertificateParams::default();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            Self(CertifiedIssuer::self_signed(params, key).unwrap())
        }

        fn sign(&self, common_name: &str, dns_names: &[&str]) -> CertificateDer<'static> {
            let names: Vec<String> = dns_names.iter().map(|name| (*name).to_owned()).collect();
            let mut params = CertificateParams::new(names).unwrap();
            params.distinguished_name.push(DnType::CommonName, common_name);
            let key = KeyPair::generate().unwrap();
            params.signed_by(&key, &self.0).unwrap().der().clone()
        }

        fn trusts(&self, certificate: &CertificateDer<'_>) -> bool {
            let roots_pem = self.0.pem().into_bytes();
            check(&Trust::Signed { roots_pem, name: NAME.to_owned() }, certificate)
        }
    }

    fn check(trust: &Trust, certificate: &CertificateDer<'_>) -> bool {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier { provider, proof: trust.proof().unwrap() };
        let name = ServerName::try_from(NAME).unwrap();
        verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::now()).is_ok()
    }

    #[test]
    fn a_terminal_proves_its_name_by_either_field_of_a_certificate_of_its_maker() {
        let maker = Ca::new();
        assert!(maker.trusts(&maker.sign("terminal", &[NAME])));
        assert!(maker.trusts(&maker.sign(NAME, &[])));
        assert!(maker.trusts(&maker.sign(&NAME.to_uppercase(), &[])));
        assert!(!maker.trusts(&maker.sign("another.example", &[])));
        assert!(!maker.trusts(&maker.sign(NAME, &["another.example"])), "DNS names count alone");
        assert!(!maker.trusts(&Ca::new().sign(NAME, &[NAME])), "another maker");
    }

    #[test]
    fn a_pinned_certificate_is_the_only_one_that_does() {
        let pinned = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap().cert;
        let trust = Trust::Pinned { certificate_pem: pinned.pem().into_bytes() };
        assert!(check(&trust, pinned.der()));
        let other = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap().cert;
        assert!(!check(&trust, other.der()));
    }

    #[test]
    fn any_bytes_have_a_common_name_or_none() {
        let certificate = Ca::new().sign(NAME, &[]);
        assert_eq!(common_name(&certificate), Some(NAME));
        for length in 0..certificate.len() {
            assert_eq!(common_name(&certificate[..length]), None);
        }
        for at in 0..certificate.len() {
            let mut changed = certificate.to_vec();
            changed[at] ^= 0xFF;
            common_name(&changed);
        }
    }

    #[test]
    fn trust_in_nothing_is_an_error() {
        let trust = Trust::Pinned { certificate_pem: Vec::new() };
        assert!(matches!(trust.tls(), Err(TrustError::NoCertificate)));
    }
}
