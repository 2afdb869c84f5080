//! A new configuration, all or nothing: SIGHUP or a changed file. A bad one is refused, the last good one serves on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::{Draft, Gateway, Service};
use crate::config;
use crate::observe::Observer;

/// Where the configuration comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The embedded default.
    Embedded,
    File(PathBuf),
}

/// Reads configurations and puts good ones into force.
#[derive(Debug)]
pub struct Reloader {
    source: Source,
    service: Service,
    observer: Arc<Observer>,
    state: Mutex<State>,
}

/// What `/api/config` tells of files.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct State {
    /// Hash of the configuration in force.
    pub in_force: String,
    /// Hash of what was read last; differs when that was refused.
    pub last_read: String,
    /// Why the last one was refused.
    pub refused: Option<String>,
}

impl Reloader {
    pub fn new(source: Source, service: Service, observer: Arc<Observer>) -> Self {
        let hash = hash_of(&source);
        let state = State { in_force: hash.clone(), last_read: hash, refused: None };
        Self { source, service, observer, state: Mutex::new(state) }
    }

    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file again and puts it into force, or says why not.
    pub fn reload(&self) {
        let Source::File(path) = &self.source else { return };
        let hash = hash_of(&self.source);
        let built = config::load(path)
            .map_err(|problems| problems.to_string())
            .and_then(|(config, profiles)| Draft::of(config, Arc::new(profiles)));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last_read.clone_from(&hash);
        match built {
            Ok(draft) => {
                self.service.replace(Gateway::new(draft, Arc::clone(&self.observer)));
                state.in_force = hash;
                state.refused = None;
                self.observer.reloaded(true);
                tracing::info!(file = %path.display(), "configuration reloaded; listeners keep their addresses");
            }
            Err(what) => {
                self.observer.reloaded(false);
                tracing::error!(file = %path.display(), problems = what, "configuration refused; the last good one serves on");
                state.refused = Some(what);
            }
        }
    }

    /// When the file was last changed.
    pub fn changed(&self) -> Option<SystemTime> {
        let Source::File(path) = &self.source else { return None };
        std::fs::metadata(path).and_then(|meta| meta.modified()).ok()
    }
}

/// A short fingerprint of the file's bytes.
fn hash_of(source: &Source) -> String {
    use std::hash::BuildHasher;
    let Source::File(path) = source else { return "embedded".to_owned() };
    let bytes = std::fs::read(path).unwrap_or_default();
    format!("{:016x}", foldhash::fast::FixedState::default().hash_one(bytes))
}
