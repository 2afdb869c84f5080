//! A new configuration, all or nothing: SIGHUP, or a change of the file or of a file it names. A bad one is refused, the last
//! good one serves on.

use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Draft, Service};
use crate::config::{self, Config};
use crate::observe::Observer;

/// What else a configuration renews, by whoever holds it: looked at first, put into force when all is good.
pub type Renew = Box<dyn Fn(&Config) -> Result<Box<dyn FnOnce() + Send>, String> + Send + Sync>;

/// Where the configuration comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The embedded default.
    Embedded,
    File(PathBuf),
}

/// Reads configurations and puts good ones into force.
pub struct Reloader {
    source: Source,
    service: Service,
    observer: Arc<Observer>,
    renew: Renew,
    state: Mutex<State>,
    /// What was read last, whether it took force or not.
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// Files besides the configuration.
    files: Vec<PathBuf>,
    print: u64,
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

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloader")
            .field("source", &self.source)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Reloader {
    /// `config` is what `service` runs.
    pub fn new(
        source: Source,
        config: &Config,
        service: Service,
        observer: Arc<Observer>,
        renew: Renew,
    ) -> Self {
        let text = match &source {
            Source::File(path) => std::fs::read(path).unwrap_or_default(),
            Source::Embedded => Vec::new(),
        };
        let files: Vec<PathBuf> = config.files().map(Path::to_owned).collect();
        let print = print(&text, &files);
        let hash = hash_of(&source, print);
        let state = Mutex::new(State { in_force: hash.clone(), last_read: hash, refused: None });
        Self { source, service, observer, renew, state, seen: Mutex::new(Seen { files, print }) }
    }

    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a file says something else than when it was read last. Reads them all: names and times miss what a swapped link
    /// changes.
    pub fn is_changed(&self) -> bool {
        let Source::File(path) = &self.source else { return false };
        let Ok(text) = std::fs::read(path) else { return false };
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        print(&text, &seen.files) != seen.print
    }

    /// Reads everything again and puts it into force, or says why not.
    pub fn reload(&self) {
        let Source::File(path) = &self.source else { return };
        let file = path.display().to_string();
        let text = std::fs::read(path).map_err(|cause| format!("{file}: cannot be read: {cause}"));
        // Before it is used: what changes from here on is seen as a change.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.print = print(text.as_deref().unwrap_or_default(), &seen.files);
        let hash = hash_of(&self.source, seen.print);
        let read = text.as_deref().map_err(Clone::clone);
        let read = read.and_then(|text| str::from_utf8(text).map_err(|cause| format!("{file}: {cause}")));
        let loaded =
            read.and_then(|text| config::load_text(&file, text).map_err(|problems| problems.to_string()));
        // Also of one that is refused: mending a file must be noticed.
        let files = loaded.as_ref().ok();
        let files = files.map(|(config, _)| config.files().map(Path::to_owned).collect::<Vec<PathBuf>>());
        let built = loaded.and_then(|(config, profiles)| {
            let renewed = (self.renew)(&config)?;
            Ok((Draft::of(config, Arc::new(profiles))?, renewed))
        });
        if let Some(files) = files.filter(|files| *files != seen.files) {
            seen.print = print(text.as_deref().unwrap_or_default(), &files);
            seen.files = files;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last_read.clone_from(&hash);
        match built {
            Ok((draft, renewed)) => {
                self.service.replace(draft);
                renewed();
                state.in_force = hash;
                state.refused = None;
                self.observer.reloaded(true);
                tracing::info!(file, "configuration reloaded; listeners keep their addresses");
            }
            Err(what) => {
                self.observer.reloaded(false);
                tracing::error!(file, problems = what, "configuration refused; the last good one serves on");
                state.refused = Some(what);
            }
        }
    }
}

/// A short fingerprint for people.
fn hash_of(source: &Source, print: u64) -> String {
    match source {
        Source::Embedded => "embedded".to_owned(),
        Source::File(_) => format!("{print:016x}"),
    }
}

/// What a configuration and the files it names say. Of a folder, all files below it, through links.
fn print(text: &[u8], files: &[PathBuf]) -> u64 {
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(text);
    for file in files {
        add(&mut hasher, file, DEEPEST);
    }
    hasher.finish()
}

/// Folders within folders that are followed: a link may lead up.
const DEEPEST: usize = 8;

fn add(hasher: &mut impl Hasher, path: &Path, depth: usize) {
    let Ok(entries) = std::fs::read_dir(path) else {
        hasher.write(path.as_os_str().as_encoded_bytes());
        return hasher.write(&std::fs::read(path).unwrap_or_default());
    };
    let mut inner: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    inner.sort();
    for path in inner.iter().filter(|_| depth > 0) {
        add(hasher, path, depth - 1);
    }
}
