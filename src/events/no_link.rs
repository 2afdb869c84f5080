//! The stand-in for `link` in builds without the `nats` feature: no connection is ever made.

use std::time::Duration;

use super::parcel::Parcel;
use crate::config::NatsSinkConfig;

/// Never made.
#[derive(Debug)]
pub enum Link {}

impl Link {
    /// # Errors
    /// Always: this build cannot publish.
    pub async fn open(_: &NatsSinkConfig, _: Duration) -> Result<Self, String> {
        Err("events.nats: this build has no `nats` feature".to_owned())
    }

    pub fn is_up(&self) -> bool {
        match *self {}
    }

    pub async fn until(&self, _: bool) {
        match *self {}
    }

    /// # Errors
    /// Never asked.
    pub async fn offer(&mut self, _: &mut [Parcel]) -> Result<(), String> {
        match *self {}
    }
}
