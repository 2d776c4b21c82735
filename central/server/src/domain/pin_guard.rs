use serde::Deserialize;

/// How often a PIN may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinPolicy {
    /// Wrong tries in a row until a lock by time, and from lock to lock.
    pub tries: u32,
    /// How long that lock lasts, in minutes.
    pub lock_min: u32,
    /// Wrong tries in a row after which only the office unlocks.
    pub office_after: u32,
}

/// Wrong tries in a row of one claimed card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct PinGuard {
    pub(crate) failures: u32,
    /// 0 = not locked by time.
    pub(crate) locked_until_ms: i64,
}

/// The PIN is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    /// For so many minutes, at least 1.
    Minutes(u32),
    /// Until someone of the office unlocks it.
    Office,
}

impl PinGuard {
    /// Counts a try as wrong before the PIN is looked at, so that tries at the same time, or a
    /// power cut in between, cannot win one. Store what comes back, then check the PIN.
    pub(crate) fn count_try(self, now_ms: i64, policy: &PinPolicy) -> Result<Self, Lock> {
        if let Some(lock) = self.lock(now_ms, policy) {
            return Err(lock);
        }
        let failures = self.failures.saturating_add(1);
        let lock_ms = i64::from(policy.lock_min) * 60_000;
        let locked_until_ms = match failures.checked_rem(policy.tries) {
            Some(0) => now_ms.saturating_add(lock_ms),
            Some(_) | None => 0,
        };
        Ok(Self { failures, locked_until_ms })
    }

    /// After a counted try was wrong: tries left before the next lock, or that lock.
    pub(crate) fn after_wrong(self, now_ms: i64, policy: &PinPolicy) -> Result<u32, Lock> {
        match self.lock(now_ms, policy) {
            Some(lock) => Err(lock),
            None => {
                let in_round = self.failures.checked_rem(policy.tries).unwrap_or(0);
                let until_office = policy.office_after.saturating_sub(self.failures);
                Ok((policy.tries - in_round).min(until_office))
            }
        }
    }

    fn lock(self, now_ms: i64, policy: &PinPolicy) -> Option<Lock> {
        if self.failures >= policy.office_after {
            return Some(Lock::Office);
        }
        let left_ms = self.locked_until_ms.saturating_sub(now_ms);
        // Rounded up: a lock never ends sooner than the screen said.
        let minutes = left_ms.saturating_add(59_999) / 60_000;
        (left_ms > 0).then(|| Lock::Minutes(u32::try_from(minutes).unwrap_or(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: PinPolicy = PinPolicy { tries: 5, lock_min: 15, office_after: 10 };
    const MINUTE: i64 = 60_000;

    /// Types a wrong PIN.
    fn wrong(guard: &mut PinGuard, now_ms: i64) -> Result<u32, Lock> {
        *guard = guard.count_try(now_ms, &POLICY)?;
        guard.after_wrong(now_ms, &POLICY)
    }

    #[test]
    fn five_wrong_tries_lock_for_a_while_ten_until_the_office_unlocks() {
        let mut guard = PinGuard::default();
        let first: Vec<_> = (0..5).map(|_| wrong(&mut guard, 0)).collect();
        assert_eq!(first[..4], [Ok(4), Ok(3), Ok(2), Ok(1)]);
        assert_eq!(first[4], Err(Lock::Minutes(15)));
        assert_eq!(wrong(&mut guard, 14 * MINUTE + 1), Err(Lock::Minutes(1)));
        let second: Vec<_> = (0..5).map(|_| wrong(&mut guard, 15 * MINUTE)).collect();
        assert_eq!(second[..4], [Ok(4), Ok(3), Ok(2), Ok(1)]);
        assert_eq!(second[4], Err(Lock::Office));
        assert_eq!(wrong(&mut guard, i64::MAX), Err(Lock::Office));
    }

    proptest! {
        #[test]
        fn nobody_gets_more_tries_than_the_policy_says(
            tries in 1u32..8,
            office_after in 1u32..20,
            waits in prop::collection::vec(0i64..40, 60),
        ) {
            let policy = PinPolicy { tries, lock_min: 15, office_after };
            let (mut guard, mut now, mut looked_at) = (PinGuard::default(), 0, 0u32);
            for wait in waits {
                now += wait * MINUTE;
                if let Ok(counted) = guard.count_try(now, &policy) {
                    looked_at += 1;
                    guard = counted;
                    if let Ok(left) = guard.after_wrong(now, &policy) {
                        prop_assert!((1..=tries).contains(&left));
                    }
                }
            }
            prop_assert!(looked_at <= office_after);
        }
    }
}
