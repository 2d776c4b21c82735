//! The encryption of messages in the network of the terminal: NexoBlob and SecurityTrailer.
//!
//! TLS lies around it. This proves that terminal and till share a key, which no certificate does.

use std::fmt;

use aes::Aes256;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The key that a terminal and its tills share, as it was set in the acquirer's back office.
#[derive(Clone)]
pub struct Key {
    identifier: String,
    version: u32,
    derived: Zeroizing<[u8; HMAC_KEY + CIPHER_KEY + IV]>,
}

const HMAC_KEY: usize = 32;
const CIPHER_KEY: usize = 32;
pub(crate) const IV: usize = 16;

/// The only one there is.
const CRYPTO_VERSION: u32 = 1;

impl Key {
    /// Takes some milliseconds: passphrases are stretched.
    pub fn new(identifier: impl Into<String>, version: u32, passphrase: &str) -> Self {
        let mut derived = Zeroizing::new([0; HMAC_KEY + CIPHER_KEY + IV]);
        pbkdf2::pbkdf2_hmac::<Sha1>(passphrase.as_bytes(), SALT, ROUNDS, &mut *derived);
        Self { identifier: identifier.into(), version, derived }
    }

    /// Encrypts a message. No nonce may be used twice.
    pub(crate) fn seal(&self, message: &[u8], nonce: [u8; IV]) -> (String, Trailer) {
        let (cipher, iv) = self.cipher_and_iv(&nonce);
        let blob = cbc::Encryptor::<Aes256>::new_from_slices(cipher, &iv)
            .expect("both are as long as they have to be")
            .encrypt_padded_vec::<Pkcs7>(message);
        let trailer = Trailer {
            crypto_version: CRYPTO_VERSION,
            key_identifier: self.identifier.clone(),
            key_version: self.version,
            nonce: BASE64_STANDARD.encode(nonce),
            hmac: BASE64_STANDARD.encode(self.hmac(message).finalize().into_bytes()),
        };
        (BASE64_STANDARD.encode(blob), trailer)
    }

    /// Decrypts a message, if it is genuine.
    pub(crate) fn open(&self, blob: &str, trailer: &Trailer) -> Result<Vec<u8>, OpenError> {
        if trailer.key_identifier != self.identifier || trailer.key_version != self.version {
            let (identifier, version) = (trailer.key_identifier.clone(), trailer.key_version);
            return Err(OpenError::OtherKey { identifier, version });
        }
        let bytes = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| OpenError::Garbled);
        let nonce: [u8; IV] = bytes(&trailer.nonce)?.try_into().map_err(|_| OpenError::Garbled)?;
        let (blob, hmac) = (bytes(blob)?, bytes(&trailer.hmac)?);
        let (cipher, iv) = self.cipher_and_iv(&nonce);
        let message = cbc::Decryptor::<Aes256>::new_from_slices(cipher, &iv)
            .expect("both are as long as they have to be")
            .decrypt_padded_vec::<Pkcs7>(&blob)
            .map_err(|_| OpenError::NotGenuine)?;
        self.hmac(&message).verify_slice(&hmac).map_err(|_| OpenError::NotGenuine)?;
        Ok(message)
    }

    /// The nonce lies over the derived vector.
    fn cipher_and_iv(&self, nonce: &[u8; IV]) -> (&[u8], [u8; IV]) {
        let (_, rest) = self.derived.split_at(HMAC_KEY);
        let (cipher, derived) = rest.split_at(CIPHER_KEY);
        let mut iv = *nonce;
        iv.iter_mut().zip(derived).for_each(|(byte, key)| *byte ^= key);
        (cipher, iv)
    }

    fn hmac(&self, message: &[u8]) -> Hmac<Sha256> {
        let (key, _) = self.derived.split_at(HMAC_KEY);
        hmac_sha256(key, message)
    }
}

/// 16 bytes that never come twice: no randomness is at hand here but the seed.
pub(crate) fn nonce(seed: &[u8; 32], count: u64) -> [u8; IV] {
    let digest = hmac_sha256(seed, &count.to_be_bytes()).finalize().into_bytes();
    let mut nonce = [0; IV];
    nonce.iter_mut().zip(digest).for_each(|(byte, random)| *byte = random);
    nonce
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    hmac.update(message);
    hmac
}

const SALT: &[u8] = b"AdyenNexoV1Salt";
const ROUNDS: u32 = 4000;

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} version {})", self.identifier, self.version)
    }
}

/// SecurityTrailer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trailer {
    #[serde(rename = "AdyenCryptoVersion")]
    crypto_version: u32,
    #[serde(rename = "KeyIdentifier")]
    key_identifier: String,
    #[serde(rename = "KeyVersion")]
    key_version: u32,
    #[serde(rename = "Nonce")]
    nonce: String,
    #[serde(rename = "Hmac")]
    hmac: String,
}

/// Why what came is no message of our terminal. It says nothing of an order then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("not a message of this protocol")]
    Garbled,
    #[error("the terminal could not read our message")]
    Rejected,
    #[error("encrypted with key {identifier} version {version}, which is not ours")]
    OtherKey { identifier: String, version: u32 },
    #[error("changed on its way, or of another passphrase")]
    NotGenuine,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new("CryptoKeyIdentifier12345", 1, "p@ssw0rd123456")
    }

    #[test]
    fn a_sealed_message_is_opened_with_its_key_alone() {
        let (blob, trailer) = key().seal(b"{}", [7; IV]);
        assert_eq!(key().open(&blob, &trailer), Ok(b"{}".to_vec()));
        let other = Key::new("CryptoKeyIdentifier12345", 1, "p@ssw0rd123457");
        assert_eq!(other.open(&blob, &trailer), Err(OpenError::NotGenuine));
        let newer = Key::new("CryptoKeyIdentifier12345", 2, "p@ssw0rd123456");
        assert!(matches!(newer.open(&blob, &trailer), Err(OpenError::OtherKey { .. })));
    }

    #[test]
    fn a_message_changed_anywhere_is_refused() {
        let (blob, trailer) = key().seal(br#"{"SaleToPOIResponse":{}}"#, [7; IV]);
        let blob = BASE64_STANDARD.decode(blob).unwrap();
        for at in 0..blob.len() {
            let mut blob = blob.clone();
            blob[at] ^= 1;
            let opened = key().open(&BASE64_STANDARD.encode(blob), &trailer);
            assert_eq!(opened, Err(OpenError::NotGenuine), "byte {at}");
        }
        let hmac = BASE64_STANDARD.encode([0; 16]);
        let cut = Trailer { hmac, ..trailer.clone() };
        let blob = BASE64_STANDARD.encode(blob);
        assert_eq!(key().open(&blob, &cut), Err(OpenError::NotGenuine));
        let nonce = Trailer { nonce: "AAAA".to_owned(), ..trailer };
        assert_eq!(key().open(&blob, &nonce), Err(OpenError::Garbled));
    }

    #[test]
    fn nonces_do_not_repeat_and_need_the_seed() {
        assert_ne!(nonce(&[1; 32], 0), nonce(&[1; 32], 1));
        assert_ne!(nonce(&[1; 32], 0), nonce(&[2; 32], 0));
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", key()), "Key(CryptoKeyIdentifier12345 version 1)");
    }
}
