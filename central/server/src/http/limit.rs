use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::Limits;

/// How fast each certificate may ask.
pub(crate) struct Limiter {
    requests: DefaultKeyedRateLimiter<String>,
    pins: DefaultKeyedRateLimiter<String>,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        let requests = Quota::per_second(limits.requests_per_s).allow_burst(limits.burst);
        let pins_per_min: NonZeroU32 = limits.pins_per_min;
        Self {
            requests: RateLimiter::keyed(requests),
            pins: RateLimiter::keyed(Quota::per_minute(pins_per_min)),
        }
    }

    pub(crate) fn may_ask(&self, caller: &str) -> bool {
        self.requests.check_key(&caller.to_owned()).is_ok()
    }

    /// One kiosk that tries many cards is slowed down, whatever each card's own lock says.
    pub(crate) fn may_check_pin(&self, kiosk: &str) -> bool {
        self.pins.check_key(&kiosk.to_owned()).is_ok()
    }
}
