//! `[listen]`, `[listen.<name>]` and `[admin]`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The listeners: one unnamed, or several by name.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(transparent)]
pub struct ListenConfig {
    /// The unnamed listener has the empty name.
    pub listeners: BTreeMap<String, ListenerConfig>,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self { listeners: BTreeMap::from([(String::new(), ListenerConfig::default())]) }
    }
}

impl<'de> Deserialize<'de> for ListenConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By hand: `flatten` would lose the place of an error.
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = ListenConfig;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a listener with `address`, or listeners by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ListenConfig, A::Error> {
                let mut listeners = BTreeMap::new();
                let mut unnamed: Option<ListenerConfig> = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "address" => unnamed.get_or_insert_default().address = map.next_value()?,
                        "tls" => unnamed.get_or_insert_default().tls = map.next_value()?,
                        _ => {
                            listeners.insert(key, map.next_value()?);
                        }
                    }
                }
                if let Some(unnamed) = unnamed {
                    listeners.insert(String::new(), unnamed);
                }
                if listeners.is_empty() {
                    return Ok(ListenConfig::default());
                }
                Ok(ListenConfig { listeners })
            }
        }
        deserializer.deserialize_map(Table)
    }
}

/// One listener.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenerConfig {
    pub address: SocketAddr,
    pub tls: Option<TlsConfig>,
}

impl Default for ListenerConfig {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 8080)), tls: None }
    }
}

/// TLS of a listener; PEM files.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    pub cert: PathBuf,
    pub key: PathBuf,
    /// Callers must show a certificate signed by one of these.
    pub client_ca: Option<PathBuf>,
}

/// `[admin]`.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    pub address: SocketAddr,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 9464)) }
    }
}
