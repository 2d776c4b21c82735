use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant of the monotonic clock, in ms since the process (or the simulation) began. It is an
/// argument everywhere: pure code never reads a clock.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Mono(pub u64);

impl Add<Duration> for Mono {
    type Output = Self;

    /// Saturates: a deadline beyond the end of time never comes.
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Mono {
    type Output = Duration;

    /// Zero when `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The wall clock as the shell read it: for records and receipts, never for deadlines.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Wall {
    /// Milliseconds since 1970-01-01 UTC.
    pub utc_ms: i64,
    /// Minutes east of UTC at that instant, `-1080..=1080`.
    pub offset_min: i16,
}

impl Wall {
    /// Local civil year, month 1..=12, day 1..=31.
    pub fn date(self) -> (i32, u8, u8) {
        civil_from_days(self.local_ms().div_euclid(DAY_MS))
    }

    /// Local hour 0..=23 and minute 0..=59.
    pub fn hour_minute(self) -> (u8, u8) {
        let minutes = self.local_ms().rem_euclid(DAY_MS) / 60_000;
        let hour = u8::try_from(minutes / 60).expect("a day has 24 hours");
        let minute = u8::try_from(minutes % 60).expect("an hour has 60 minutes");
        (hour, minute)
    }

    /// The local date as days since 1970-01-01.
    pub fn date_day(self) -> i64 {
        self.local_ms().div_euclid(DAY_MS)
    }

    /// The local date.
    pub fn business_date(self) -> BusinessDate {
        let (year, month, day) = self.date();
        BusinessDate { year, month, day }
    }

    fn local_ms(self) -> i64 {
        self.utc_ms.saturating_add(i64::from(self.offset_min) * 60_000)
    }
}

const DAY_MS: i64 = 86_400_000;

/// Proleptic Gregorian date of a day number; day 0 is 1970-01-01.
fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (
        i32::try_from(year).unwrap_or(i32::MAX),
        u8::try_from(month).expect("a month is 1..=12"),
        u8::try_from(day).expect("a day is 1..=31"),
    )
}

/// The day to which the treasurer's books count something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BusinessDate {
    /// Gregorian year.
    pub year: i32,
    /// `1..=12`.
    pub month: u8,
    /// `1..=31`.
    pub day: u8,
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates() {
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(civil_from_days(-1), (1969, 12, 31));
        assert_eq!(civil_from_days(11_016), (2000, 2, 29));
        assert_eq!(civil_from_days(20_778), (2026, 11, 21));
    }

    #[test]
    fn the_local_day_begins_at_local_midnight() {
        let wall = Wall { utc_ms: 1_795_240_920_000 - 5 * 3_600_000, offset_min: 0 };
        let madrid = Wall { offset_min: 120, ..wall };
        assert!(wall.business_date() < madrid.business_date() || wall.date() == madrid.date());
        assert_eq!(Wall { utc_ms: -1, offset_min: 0 }.hour_minute(), (23, 59));
    }
}
