//! Metric families made by hand, for tables that are no `prometheus` vectors.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use super::metrics::MetricSpec;

impl MetricSpec {
    /// A family of this metric.
    pub(super) fn family(&self, metrics: Vec<Metric>) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(self.name.to_owned());
        family.set_help(self.help.to_owned());
        family.set_field_type(if self.kind == "counter" { MetricType::COUNTER } else { MetricType::GAUGE });
        family.set_metric(metrics);
        family
    }
}

pub(super) fn counter(spec: &MetricSpec, values: &[&str], value: f64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(value);
    let mut metric = labelled(spec, values);
    metric.set_counter(counter);
    metric
}

pub(super) fn gauge(spec: &MetricSpec, values: &[&str], value: f64) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    let mut metric = labelled(spec, values);
    metric.set_gauge(gauge);
    metric
}

fn labelled(spec: &MetricSpec, values: &[&str]) -> Metric {
    let labels = spec.labels.iter().zip(values).map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    Metric::from_label(labels.collect())
}
