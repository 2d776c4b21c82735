//! Samples and what may be said of them: medians and percentiles, never means.

use std::fmt;
use std::time::Duration;

/// Durations of one thing, measured many times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest sample that `percent` of all do not pass; nothing measured, nothing passed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(rank).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }
}

impl Extend<Duration> for Samples {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, samples: T) {
        self.0.extend(samples);
    }
}

/// A duration with three digits and its unit: `12.3 ms`.
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_secs_f64() * 1e6;
        match micros {
            m if m < 1e3 => write!(f, "{m:.0} µs"),
            m if m < 1e4 => write!(f, "{:.2} ms", m / 1e3),
            m if m < 1e5 => write!(f, "{:.1} ms", m / 1e3),
            m if m < 1e6 => write!(f, "{:.0} ms", m / 1e3),
            m => write!(f, "{:.2} s", m / 1e6),
        }
    }
}

/// `part` / `whole`, as `1.07 ×`.
pub(crate) struct Ratio(pub(crate) Duration, pub(crate) Duration);

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ×", self.0.as_secs_f64() / self.1.as_secs_f64())
    }
}
