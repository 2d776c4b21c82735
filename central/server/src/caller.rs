use std::str::FromStr;

use kiosk_records::KioskId;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Who is at the other end, as the subject of the certificate says: `CN` the name, `OU` the roles
/// (`kiosk`, `operator`, or both with a comma), `O` the municipality. The handshake has proved
/// that our authority signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// For logs and limits.
    pub name: String,
    /// The kiosk it is, if it is one.
    pub kiosk: Option<KioskId>,
    /// May it do what operators may?
    pub operator: bool,
}

/// The certificate names nobody we know, though our authority signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallerError {
    /// It cannot be read, or a part of the subject is missing.
    #[error("the certificate's subject cannot be read")]
    Unreadable,
    /// It is another town's.
    #[error("the certificate is for another municipality")]
    OtherTenant,
    /// It has no role, or a kiosk's name is none.
    #[error("the certificate has no role here")]
    NoRole,
}

impl Caller {
    /// Reads a client's certificate (DER).
    pub(crate) fn from_certificate(der: &[u8], tenant: &str) -> Result<Self, CallerError> {
        let (_, certificate) =
            X509Certificate::from_der(der).map_err(|_| CallerError::Unreadable)?;
        Self::from_subject(certificate.subject(), tenant)
    }

    fn from_subject(subject: &X509Name<'_>, tenant: &str) -> Result<Self, CallerError> {
        let name = only(subject.iter_common_name())?;
        if only(subject.iter_organization())? != tenant {
            return Err(CallerError::OtherTenant);
        }
        let (mut is_kiosk, mut operator) = (false, false);
        for role in only(subject.iter_organizational_unit())?.split(',') {
            match role {
                "kiosk" => is_kiosk = true,
                "operator" => operator = true,
                _ => return Err(CallerError::NoRole),
            }
        }
        let kiosk = match is_kiosk {
            true => Some(KioskId::from_str(name).map_err(|_| CallerError::NoRole)?),
            false => None,
        };
        if kiosk.is_none() && !operator {
            return Err(CallerError::NoRole);
        }
        let name = name.to_owned();
        Ok(Self { name, kiosk, operator })
    }
}

fn only<'a>(
    mut values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
) -> Result<&'a str, CallerError> {
    match (values.next(), values.next()) {
        (Some(value), None) => value.as_str().map_err(|_| CallerError::Unreadable),
        _ => Err(CallerError::Unreadable),
    }
}
