//! Metric families as text: the classic format, or OpenMetrics with exemplars, as the scraper asks.
//!
//! The `prometheus` crate writes the classic format only and knows no exemplars, hence this small writer.

use std::fmt::Write;

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Classic,
    OpenMetrics,
}

/// An example of what a counter counted: the resource and the request it was in.
#[derive(Clone, Debug)]
pub struct Exemplar {
    pub resource: String,
    pub request_id: String,
    /// Seconds since the epoch.
    pub time: f64,
}

/// Longest exemplar, names and values together, in characters (OpenMetrics 1.0).
const EXEMPLAR_ROOM: usize = 128;

impl Format {
    /// The format that `Accept` asks for.
    pub fn negotiate(accept: Option<&str>) -> Self {
        let wants = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
        if wants { Self::OpenMetrics } else { Self::Classic }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Families as text. `exemplar` gives a counter's exemplar by family name and labels.
pub fn expose(
    families: &[MetricFamily],
    format: Format,
    exemplar: impl Fn(&str, &[LabelPair]) -> Option<Exemplar>,
) -> String {
    let mut out = String::with_capacity(families.iter().map(|f| f.get_metric().len() * 160 + 200).sum());
    for family in families {
        let name = family.name();
        let kind = family.get_field_type();
        // OpenMetrics names a counter's family without its suffix.
        let base = match (format, kind) {
            (Format::OpenMetrics, MetricType::COUNTER) => name.strip_suffix("_total").unwrap_or(name),
            _ => name,
        };
        let _ = writeln!(out, "# HELP {base} {}", escaped(family.help(), false));
        let _ = writeln!(out, "# TYPE {base} {}", kind_word(kind));
        for metric in family.get_metric() {
            match kind {
                MetricType::COUNTER => {
                    sample(&mut out, name, metric.get_label(), None, metric.get_counter().get_value());
                    if format == Format::OpenMetrics
                        && let Some(example) = exemplar(name, metric.get_label())
                    {
                        append(&mut out, &example);
                    }
                    out.push('\n');
                }
                MetricType::HISTOGRAM => histogram(&mut out, name, metric),
                _ => {
                    sample(&mut out, name, metric.get_label(), None, metric.get_gauge().get_value());
                    out.push('\n');
                }
            }
        }
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn kind_word(kind: MetricType) -> &'static str {
    match kind {
        MetricType::COUNTER => "counter",
        MetricType::HISTOGRAM => "histogram",
        _ => "gauge",
    }
}

fn histogram(out: &mut String, name: &str, metric: &Metric) {
    let histogram = metric.get_histogram();
    let (labels, bucket_name) = (metric.get_label(), format!("{name}_bucket"));
    let mut infinite = false;
    for bucket in histogram.get_bucket() {
        let bound = bucket.upper_bound();
        infinite |= bound.is_infinite();
        sample(out, &bucket_name, labels, Some(bound), bucket.cumulative_count() as f64);
        out.push('\n');
    }
    if !infinite {
        sample(out, &bucket_name, labels, Some(f64::INFINITY), histogram.get_sample_count() as f64);
        out.push('\n');
    }
    sample(out, &format!("{name}_sum"), labels, None, histogram.get_sample_sum());
    out.push('\n');
    sample(out, &format!("{name}_count"), labels, None, histogram.get_sample_count() as f64);
    out.push('\n');
}

fn sample(out: &mut String, name: &str, labels: &[LabelPair], bound: Option<f64>, value: f64) {
    out.push_str(name);
    let mut first = true;
    for pair in labels {
        let _ = write!(
            out,
            "{}{}=\"{}\"",
            if first { '{' } else { ',' },
            pair.name(),
            escaped(pair.value(), true)
        );
        first = false;
    }
    if let Some(bound) = bound {
        let _ = write!(out, "{}le=\"", if first { '{' } else { ',' });
        number(out, bound);
        out.push('"');
        first = false;
    }
    if !first {
        out.push('}');
    }
    out.push(' ');
    number(out, value);
}

fn number(out: &mut String, value: f64) {
    if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        let _ = write!(out, "{value}");
    }
}

fn append(out: &mut String, example: &Exemplar) {
    let used = "resource".len() + "request_id".len() + example.request_id.chars().count();
    let room = EXEMPLAR_ROOM.saturating_sub(used);
    let resource: String = example.resource.chars().take(room).collect();
    let _ = write!(
        out,
        " # {{resource=\"{}\",request_id=\"{}\"}} 1 {:.3}",
        escaped(&resource, true),
        escaped(&example.request_id, true),
        example.time
    );
}

/// Backslashes and line ends escaped, in values quotes, too.
fn escaped(text: &str, value: bool) -> std::borrow::Cow<'_, str> {
    if !text.contains(['\\', '\n', '"']) {
        return text.into();
    }
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if value { text.replace('"', "\\\"").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::families::counter;
    use crate::observe::metrics::RESOURCE_METRICS;

    #[test]
    fn both_formats_escape_and_only_open_metrics_shows_exemplars() {
        let spec = &RESOURCE_METRICS[0];
        let family = spec.family(vec![counter(spec, &["v", "s", "t", "a\"b\\c\nd", "conflict"], 3.0)]);
        let example = || Exemplar { resource: "r".repeat(500), request_id: "q".into(), time: 1.5 };
        let families = [family];
        let classic = expose(&families, Format::Classic, |_, _| Some(example()));
        assert!(classic.contains(r#"resource="a\"b\\c\nd",category="conflict"} 3"#), "{classic}");
        assert!(!classic.contains(" # ") && !classic.contains("# EOF"));
        let open = expose(&families, Format::OpenMetrics, |_, _| Some(example()));
        assert!(open.contains("# TYPE onevelope_resource_failures counter\n"), "{open}");
        assert!(open.contains("request_id=\"q\"} 1 1.500\n") && open.ends_with("# EOF\n"), "{open}");
        assert!(!open.contains(&"r".repeat(120)));
    }
}
