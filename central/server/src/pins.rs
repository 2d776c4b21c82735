use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::Pin;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// What one PIN check costs. A short PIN falls in minutes to whoever holds the hash, whatever the
/// parameters; the pepper, kept outside the database, is what protects it. The cost here slows down
/// who has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

/// Checks PINs: argon2id with a salt per card and the network's pepper, on threads of its own and
/// never more at once than the machine has cores.
#[derive(Clone)]
pub(crate) struct Pins {
    hasher: Arc<Hasher>,
    waiting: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

struct Hasher {
    pepper: Zeroizing<[u8; 32]>,
    params: Params,
    /// Of no card: what an unknown one is checked against, so that it takes as long.
    dummy: String,
}

/// Citizens waiting for their check; beyond it central is too busy.
const WAITING_MAX: usize = 64;

/// The cost or the pepper cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("argon2: {0}")]
pub struct PinsError(String);

impl Pins {
    pub(crate) fn new(pepper: Zeroizing<[u8; 32]>, cost: HashCost) -> Result<Self, PinsError> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(wrong)?;
        let mut hasher = Hasher { pepper, params, dummy: String::new() };
        hasher.dummy = hasher.hash("no citizen has this one")?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            hasher: Arc::new(hasher),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            running: Arc::new(Semaphore::new(cores)),
        })
    }

    /// For the register.
    pub(crate) fn hash(&self, pin: &Pin) -> Result<String, PinsError> {
        self.hasher.hash(pin.reveal())
    }

    /// A place in the queue, before anything is counted; `None` = too busy.
    pub(crate) async fn slot(&self) -> Option<Slot> {
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        let running = Arc::clone(&self.running).acquire_owned().await.ok()?;
        Some(Slot { hasher: Arc::clone(&self.hasher), _places: [waiting, running] })
    }
}

/// The right to check one PIN.
pub(crate) struct Slot {
    hasher: Arc<Hasher>,
    _places: [OwnedSemaphorePermit; 2],
}

impl Slot {
    /// Is it this card's PIN? With no card (`None`) it never is, and takes as long to find out.
    /// Also returns how long it took.
    pub(crate) async fn verify(self, pin: Pin, hash: Option<String>) -> (bool, Duration) {
        let begun = Instant::now();
        let checked = tokio::task::spawn_blocking(move || {
            let stored = hash.as_deref().unwrap_or(&self.hasher.dummy);
            let right = self.hasher.is_right(pin.reveal(), stored);
            right & hash.is_some()
        });
        // The closure does not panic; a runtime that is going down has no answer.
        (checked.await.unwrap_or(false), begun.elapsed())
    }
}

impl Hasher {
    fn hash(&self, pin: &str) -> Result<String, PinsError> {
        let hash = self.argon2()?.hash_password(pin.as_bytes()).map_err(wrong)?;
        Ok(hash.to_string())
    }

    fn is_right(&self, pin: &str, stored: &str) -> bool {
        let (Ok(argon2), Ok(stored)) = (self.argon2(), PasswordHash::new(stored)) else {
            tracing::error!("a stored PIN hash cannot be read");
            return false;
        };
        argon2.verify_password(pin.as_bytes(), &stored).is_ok()
    }

    fn argon2(&self) -> Result<Argon2<'_>, PinsError> {
        let params = self.params.clone();
        let pepper = self.pepper.as_slice();
        Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params).map_err(wrong)
    }
}

fn wrong(error: impl std::fmt::Display) -> PinsError {
    PinsError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: HashCost = HashCost { memory_kib: 64, passes: 1 };

    fn pin(digits: &str) -> Pin {
        Pin::try_from(digits.to_owned()).unwrap()
    }

    async fn check(pins: &Pins, digits: &str, hash: Option<&str>) -> bool {
        let slot = pins.slot().await.unwrap();
        slot.verify(pin(digits), hash.map(str::to_owned)).await.0
    }

    #[tokio::test]
    async fn only_the_right_pin_with_the_right_pepper_is_right() {
        let pins = Pins::new(Zeroizing::new([1; 32]), COST).unwrap();
        let hash = pins.hash(&pin("271828")).unwrap();
        assert!(check(&pins, "271828", Some(&hash)).await);
        assert!(!check(&pins, "271829", Some(&hash)).await);
        assert!(!check(&pins, "271828", None).await);
        let thief = Pins::new(Zeroizing::new([2; 32]), COST).unwrap();
        assert!(!check(&thief, "271828", Some(&hash)).await);
    }

    #[tokio::test]
    async fn a_queue_too_long_is_refused_at_its_end() {
        let pins = Pins::new(Zeroizing::new([1; 32]), COST).unwrap();
        let held = Arc::clone(&pins.waiting).acquire_many_owned(64).await.unwrap();
        assert!(pins.slot().await.is_none());
        drop(held);
        assert!(pins.slot().await.is_some());
    }
}
