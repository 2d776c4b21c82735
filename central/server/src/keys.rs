use std::path::{Path, PathBuf};
use std::{fs, io};

use domain::CardRefKey;
use driver_mifare::{CardKeys, CardMasterKey};
use ed25519_dalek::SigningKey;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The files of the network's keys, each of hex digits. No kiosk has any of them but `card_ref` and
/// `card_keys`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFiles {
    /// 32 bytes: makes pseudonyms of cards. Kiosks have it too.
    pub card_ref: PathBuf,
    /// 32 bytes: mixed into every PIN's hash. Never beside a copy of the database.
    pub pepper: PathBuf,
    /// JSON: the public keys of the cards' signatures. Kiosks have it too.
    pub card_keys: PathBuf,
    /// 32 bytes: Ed25519, signs cards. Needed to make cards, not to serve.
    pub card_signing: PathBuf,
    /// 16 bytes: the master of the cards' write keys. Needed to make cards, not to serve.
    pub card_master: PathBuf,
}

/// What serving needs.
pub(crate) struct ServingKeys {
    pub(crate) card_ref: CardRefKey,
    pub(crate) pepper: Zeroizing<[u8; 32]>,
    pub(crate) card_keys: CardKeys,
}

/// What making cards needs.
pub(crate) struct IssuingKeys {
    pub(crate) signing: SigningKey,
    pub(crate) master: CardMasterKey,
}

/// A key file is not what it should be. Says nothing of what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("{file} must hold {what}")]
    Content {
        /// Which.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
}

impl KeyFiles {
    /// As seen from the configuration's directory.
    pub(crate) fn below(self, dir: &Path) -> Self {
        Self {
            card_ref: dir.join(self.card_ref),
            pepper: dir.join(self.pepper),
            card_keys: dir.join(self.card_keys),
            card_signing: dir.join(self.card_signing),
            card_master: dir.join(self.card_master),
        }
    }

    pub(crate) fn serving(&self) -> Result<ServingKeys, KeyError> {
        Ok(ServingKeys {
            card_ref: CardRefKey(*hex_file(&self.card_ref, "64 hex digits")?),
            pepper: hex_file(&self.pepper, "64 hex digits")?,
            card_keys: card_keys(&self.card_keys)?,
        })
    }

    pub(crate) fn issuing(&self) -> Result<IssuingKeys, KeyError> {
        let signing = hex_file(&self.card_signing, "64 hex digits")?;
        Ok(IssuingKeys {
            signing: SigningKey::from_bytes(&signing),
            master: CardMasterKey(*hex_file(&self.card_master, "32 hex digits")?),
        })
    }
}

fn hex_file<const N: usize>(
    file: &Path,
    what: &'static str,
) -> Result<Zeroizing<[u8; N]>, KeyError> {
    let text = Zeroizing::new(read(file)?);
    let mut key = Zeroizing::new([0; N]);
    hex::decode_to_slice(text.trim(), key.as_mut())
        .map_err(|_| KeyError::Content { file: file.to_owned(), what })?;
    Ok(key)
}

fn card_keys(file: &Path) -> Result<CardKeys, KeyError> {
    serde_json::from_str(&read(file)?).map_err(|_| KeyError::Content {
        file: file.to_owned(),
        what: "the public card keys as JSON",
    })
}

fn read(file: &Path) -> Result<String, KeyError> {
    fs::read_to_string(file).map_err(|source| KeyError::Read { file: file.to_owned(), source })
}
