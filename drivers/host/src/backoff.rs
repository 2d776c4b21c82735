use std::time::Duration;

use tokio::time::Instant;

/// The pause before the next attempt to open a line: doubles with each failure, up to a cap.
pub(crate) struct Backoff {
    pause: Duration,
    next: Instant,
}

impl Backoff {
    /// The first attempt may be made at once.
    pub(crate) fn new(now: Instant) -> Self {
        Self { pause: PAUSE_FIRST, next: now }
    }

    /// When the next attempt may be made.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// The line could not be opened, or it went away.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.next = now + self.pause;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    /// Bytes came. An open alone proves nothing: a port whose device is gone may open and end at
    /// once, for ever.
    pub(crate) fn succeeded(&mut self) {
        self.pause = PAUSE_FIRST;
    }
}

const PAUSE_FIRST: Duration = Duration::from_millis(100);

/// Short enough that a cable put back is noticed before whoever put it back walks away.
const PAUSE_MAX: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_start_anew_after_bytes() {
        let now = Instant::now();
        let mut backoff = Backoff::new(now);
        assert_eq!(backoff.next(), now);
        let pauses: Vec<u128> = (0..7)
            .map(|_| {
                backoff.failed(now);
                (backoff.next() - now).as_millis()
            })
            .collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3000, 3000]);
        backoff.succeeded();
        backoff.failed(now);
        assert_eq!((backoff.next() - now).as_millis(), 100);
    }
}
