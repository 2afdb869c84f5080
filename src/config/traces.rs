//! `[traces]`.

/// Where spans go. Read at start only.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesConfig {
    /// OTLP over HTTP, in full: `http://collector:4318/v1/traces`. Left out: no spans.
    pub endpoint: Option<String>,
    pub service_name: String,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self { endpoint: None, service_name: "onevelope".to_owned() }
    }
}
