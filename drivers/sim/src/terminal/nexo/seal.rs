//! The terminal's side of the encryption, written from the documentation alone.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit as _};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Options;

/// What is derived from a passphrase.
#[derive(Clone)]
pub(super) struct Keys {
    identifier: String,
    version: u32,
    hmac: [u8; 32],
    cipher: [u8; 32],
    iv: [u8; 16],
}

impl Keys {
    pub(super) fn new(options: &Options, passphrase: &str) -> Self {
        let mut derived = [0; 80];
        let salt = b"AdyenNexoV1Salt";
        pbkdf2::pbkdf2_hmac::<sha1::Sha1>(passphrase.as_bytes(), salt, 4000, &mut derived);
        let part = |from: usize| std::array::from_fn(|at| derived[from + at]);
        let iv = std::array::from_fn(|at| derived[64 + at]);
        let (identifier, version) = (options.key_identifier.clone(), options.key_version);
        Self { identifier, version, hmac: part(0), cipher: part(32), iv }
    }

    /// As they would come from another passphrase: under the same name, of no use.
    pub(super) fn of_another_passphrase(&self) -> Self {
        Self { hmac: self.cipher, cipher: self.hmac, ..self.clone() }
    }

    /// NexoBlob and SecurityTrailer.
    pub(super) fn seal(&self, message: &Value, nonce: [u8; 16]) -> (String, Value) {
        let plain = message.to_string().into_bytes();
        let trailer = json!({
            "AdyenCryptoVersion": 1,
            "KeyIdentifier": self.identifier,
            "KeyVersion": self.version,
            "Nonce": BASE64_STANDARD.encode(nonce),
            "Hmac": BASE64_STANDARD.encode(self.hmac(&plain)),
        });
        let cipher = Aes256::new(&self.cipher.into());
        let padding = 16 - plain.len() % 16;
        let pad = u8::try_from(padding).expect("at most 16");
        let padded: Vec<u8> = plain.into_iter().chain(std::iter::repeat_n(pad, padding)).collect();
        let mut last = self.vector(nonce);
        let mut sealed = Vec::new();
        for chunk in padded.chunks(16) {
            let mixed: [u8; 16] = std::array::from_fn(|at| chunk[at] ^ last[at]);
            let mut block = Block::<Aes256>::from(mixed);
            cipher.encrypt_block(&mut block);
            last = block.into();
            sealed.extend(last);
        }
        (BASE64_STANDARD.encode(sealed), trailer)
    }

    /// The message in a secured one, or what is wrong with it.
    pub(super) fn open(&self, secured: &Value) -> Result<Value, &'static str> {
        let trailer = &secured["SecurityTrailer"];
        let bytes = |value: &Value| {
            let decoded = BASE64_STANDARD.decode(value.as_str().unwrap_or_default());
            decoded.map_err(|_| "Did not receive base64")
        };
        if trailer["KeyIdentifier"] != *self.identifier || trailer["KeyVersion"] != self.version {
            return Err("Unknown key");
        }
        let nonce: [u8; 16] =
            bytes(&trailer["Nonce"])?.try_into().map_err(|_| "Nonce of another length")?;
        let plain = self.decrypt(&bytes(&secured["NexoBlob"])?, nonce).ok_or("Not decrypted")?;
        if bytes(&trailer["Hmac"])? != self.hmac(&plain) {
            return Err("Hmac validation failed");
        }
        serde_json::from_slice(&plain).map_err(|_| "Input is not a JSONObject")
    }

    fn decrypt(&self, sealed: &[u8], nonce: [u8; 16]) -> Option<Vec<u8>> {
        let cipher = Aes256::new(&self.cipher.into());
        let mut last = self.vector(nonce);
        let mut plain = Vec::new();
        for chunk in sealed.chunks(16) {
            let chunk: [u8; 16] = chunk.try_into().ok()?;
            let mut block = Block::<Aes256>::from(chunk);
            cipher.decrypt_block(&mut block);
            plain.extend(block.iter().zip(last).map(|(byte, mix)| byte ^ mix));
            last = chunk;
        }
        let padding = usize::from(*plain.last()?);
        let kept = plain.len().checked_sub(padding).filter(|_| (1..=16).contains(&padding))?;
        plain.truncate(kept);
        Some(plain)
    }

    fn vector(&self, nonce: [u8; 16]) -> [u8; 16] {
        std::array::from_fn(|at| self.iv[at] ^ nonce[at])
    }

    fn hmac(&self, plain: &[u8]) -> Vec<u8> {
        let mut hmac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.hmac)
            .expect("HMAC takes keys of any length");
        hmac.update(plain);
        hmac.finalize().into_bytes().to_vec()
    }
}
