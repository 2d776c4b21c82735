use std::sync::Arc;

use domain::Wall;
use jiff::tz::TimeZone;

/// The wall clock, in the town's time zone. An argument of the service, so that tests have their
/// own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Wall + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system(zone: TimeZone) -> Self {
        Self::new(move || wall(jiff::Timestamp::now(), &zone))
    }

    /// Any other.
    pub fn new(read: impl Fn() -> Wall + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(crate) fn now(&self) -> Wall {
        (self.0)()
    }
}

/// An instant as the town's clocks show it.
pub(crate) fn wall(at: jiff::Timestamp, zone: &TimeZone) -> Wall {
    let offset_s = zone.to_offset(at).seconds();
    Wall { utc_ms: at.as_millisecond(), offset_min: i16::try_from(offset_s / 60).unwrap_or(0) }
}
