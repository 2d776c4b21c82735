//! The one place where clocks are read.

use std::path::Path;

use domain::{Mono, Wall};
use jiff::{Timestamp, tz::TimeZone};
use kiosk_core::Now;
use kiosk_records::ClockTrust;
use tokio::time::Instant;

/// Monotonic since the process began, and the wall clock beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        let elapsed = self.start.elapsed().as_millis();
        let mono = Mono(u64::try_from(elapsed).unwrap_or(u64::MAX));
        Now { mono, wall: wall() }
    }

    pub(crate) fn instant(self, at: Mono) -> Instant {
        self.start + std::time::Duration::from_millis(at.0)
    }
}

pub(crate) fn wall() -> Wall {
    let now = Timestamp::now();
    let offset_s = TimeZone::system().to_offset(now).seconds();
    Wall {
        utc_ms: now.as_millisecond(),
        offset_min: i16::try_from(offset_s / 60).unwrap_or_default(),
    }
}

/// systemd-timesyncd and chrony's `chrony-wait` both leave this mark once the time is right.
pub(crate) fn trust() -> ClockTrust {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        ClockTrust::Synchronised
    } else {
        ClockTrust::Free
    }
}
