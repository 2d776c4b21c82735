use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::db::incidents::Incident;

/// What central counts. Nothing in it leads to a person or a card.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    top_ups: Family<TopUpLabels, Counter>,
    incidents: Family<KindLabels, Counter>,
    pin_seconds: Histogram,
    request_seconds: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    /// The route, not the path: it holds no number.
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TopUpLabels {
    outcome: &'static str,
    tender: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("central"),
            requests: Family::default(),
            top_ups: Family::default(),
            incidents: Family::default(),
            pin_seconds: Histogram::new([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0]),
            request_seconds: Histogram::new([0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0]),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register("top_ups", "Top-ups answered, repeats included", metrics.top_ups.clone());
        registry.register("incidents", "For a person to look at", metrics.incidents.clone());
        registry.register("pin_check_seconds", "argon2 time", metrics.pin_seconds.clone());
        registry.register("request_seconds", "Answer time", metrics.request_seconds.clone());
        // An alert needs the zero too.
        for incident in Incident::ALL {
            let kind = incident.as_str();
            drop(metrics.incidents.get_or_create(&KindLabels { kind }));
        }
        metrics
    }

    pub(crate) fn request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let route = route.to_owned();
        let labels = RequestLabels { route, method, status };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn top_up(&self, outcome: &'static str, tender: &'static str) {
        self.top_ups.get_or_create(&TopUpLabels { outcome, tender }).inc();
    }

    pub(crate) fn incident(&self, incident: Incident) {
        let kind = incident.as_str();
        self.incidents.get_or_create(&KindLabels { kind }).inc();
    }

    pub(crate) fn pin_check(&self, took: Duration) {
        self.pin_seconds.observe(took.as_secs_f64());
    }

    /// In the text format Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a String does not fail.
        let written = text::encode(&mut out, &self.registry);
        debug_assert!(written.is_ok());
        out
    }
}
