use sha2::{Digest, Sha256};

/// Values made from a seed and what they are for: the same town every time, whatever the order in
/// which it is made. For the demo alone; real PINs and keys come from the system's randomness.
#[derive(Clone, Copy)]
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn bytes(self, purpose: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(b"pauseplus demo town\0");
        hasher.update(self.0.to_be_bytes());
        hasher.update(purpose.as_bytes());
        hasher.finalize().into()
    }

    /// `0..below`.
    pub(crate) fn number(self, purpose: &str, below: u32) -> u32 {
        let [a, b, c, d, ..] = self.bytes(purpose);
        u32::from_be_bytes([a, b, c, d]) % below
    }
}
