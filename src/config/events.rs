//! `[events]`: verdicts as records that leave the process. Read at start only.

use std::path::PathBuf;

use super::{ByteSize, Span};
use crate::envelope::Outcome;

/// Which verdicts leave, and where to. Without a table below it: nowhere.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventsConfig {
    pub include: Include,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<StdoutSinkConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileSinkConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats: Option<NatsSinkConfig>,
}

/// Which verdicts become events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    /// `failed`, `not_attempted` and `unknown`.
    #[default]
    Failures,
    All,
}

impl Include {
    pub(crate) fn holds(self, outcome: Outcome) -> bool {
        self == Self::All || !outcome.is_good()
    }
}

/// `[events.stdout]`: one JSON object a line on standard output.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StdoutSinkConfig {}

/// `[events.file]`: the same lines in files that take turns, the spool.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileSinkConfig {
    /// Folder of its own, made when missing. One process writes to it.
    pub directory: PathBuf,
    /// Most bytes of all files together; the oldest goes first.
    pub max_size: ByteSize,
    /// How long an event is kept at least, where `max_size` allows.
    pub max_age: Span,
    /// Bytes after which the next file is begun.
    pub rotate: ByteSize,
}

impl Default for FileSinkConfig {
    fn default() -> Self {
        Self {
            directory: PathBuf::new(),
            max_size: ByteSize::mebibytes(64),
            max_age: Span::seconds(7 * 24 * 3600),
            rotate: ByteSize::mebibytes(8),
        }
    }
}

/// `[events.nats]`: from the spool to a NATS JetStream, acknowledged.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatsSinkConfig {
    /// `nats://[user:password@]host[:port]`, or `tls://…`; several with commas between.
    pub url: String,
    /// Made when missing.
    pub stream: String,
    pub subject: String,
    /// Within this time the stream takes an event once, however often it is sent. Of a stream that is made.
    pub duplicate_window: Span,
    /// PEM file of certificate authorities to trust besides the system's.
    pub ca: Option<PathBuf>,
    /// Folder of the spool, where there is no `[events.file]`; with its default bounds.
    pub spool: Option<PathBuf>,
}

impl Default for NatsSinkConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            stream: "ONEVELOPE".to_owned(),
            subject: "onevelope.events".to_owned(),
            duplicate_window: Span::seconds(120),
            ca: None,
            spool: None,
        }
    }
}

impl NatsSinkConfig {
    /// The servers without credentials, fit for logs.
    pub fn servers(&self) -> Vec<String> {
        self.split().map(|(_, server)| server).collect()
    }

    /// User and password, or a token alone: of the first server that has them, for all.
    pub fn credentials(&self) -> Option<(String, Option<String>)> {
        let decoded =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        self.split().find_map(|(user, _)| user).map(|user| match user.split_once(':') {
            Some((user, password)) => (decoded(user), Some(decoded(password))),
            None => (decoded(user), None),
        })
    }

    /// Each server's credentials as written, and the rest.
    fn split(&self) -> impl Iterator<Item = (Option<&str>, String)> {
        self.url.split(',').map(str::trim).map(|url| {
            let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
            let (user, host) = rest.rsplit_once('@').map_or((None, rest), |(user, host)| (Some(user), host));
            (user, format!("{scheme}://{host}"))
        })
    }
}

impl EventsConfig {
    /// The spool's folder and bounds, where there is one.
    pub fn spool(&self) -> Option<FileSinkConfig> {
        let own = || {
            let directory = self.nats.as_ref()?.spool.clone()?;
            Some(FileSinkConfig { directory, ..FileSinkConfig::default() })
        };
        self.file.clone().or_else(own)
    }

    /// What the types cannot tell: where, and what is wrong.
    pub(super) fn problems(&self) -> Vec<(&'static [&'static str], String)> {
        let mut problems = Vec::new();
        self.file.iter().for_each(|file| file.problems(&mut problems));
        if let Some(nats) = &self.nats {
            nats.problems(&mut problems);
            match (&self.file, &nats.spool) {
                (None, None) => problems.push((
                    &["events", "nats"] as &[_],
                    "events wait on disk while NATS is away: add [events.file] with `directory`, or `spool` here"
                        .to_owned(),
                )),
                (Some(_), Some(_)) => problems.push((
                    &["events", "nats", "spool"],
                    "[events.file] is the spool already: remove `spool`".to_owned(),
                )),
                _ => {}
            }
        }
        problems
    }
}

type Found = Vec<(&'static [&'static str], String)>;

/// Smaller files would be turned over all the time.
const LEAST_ROTATE: ByteSize = ByteSize(64 << 10);

impl FileSinkConfig {
    fn problems(&self, problems: &mut Found) {
        if self.directory.as_os_str().is_empty() {
            problems.push((
                &["events", "file", "directory"],
                "directory is missing: name a folder for nothing else".to_owned(),
            ));
        }
        if self.rotate < LEAST_ROTATE {
            problems.push((&["events", "file", "rotate"], "must be at least \"64 KiB\"".to_owned()));
        }
        // With less than two files, making room would mean throwing away what was just written.
        if self.max_size.0 < self.rotate.0.saturating_mul(2) {
            let what = "must be at least twice `rotate`".to_owned();
            problems.push((&["events", "file", "max_size"], what));
        }
        if self.max_age.0.as_secs() < 60 {
            problems.push((&["events", "file", "max_age"], "must be at least \"1m\"".to_owned()));
        }
    }
}

impl NatsSinkConfig {
    fn problems(&self, problems: &mut Found) {
        let server = |url: &str| {
            url.trim().parse::<http::Uri>().is_ok_and(|uri| {
                matches!(uri.scheme_str(), Some("nats" | "tls")) && uri.authority().is_some()
            })
        };
        if !self.url.split(',').all(server) {
            let what = "url is missing or not valid; write it as \"nats://host:4222\" or \"tls://host:4222\"";
            problems.push((&["events", "nats", "url"], what.to_owned()));
        } else if self
            .split()
            .any(|(user, _)| user.is_some() && user != self.split().next().and_then(|(user, _)| user))
        {
            let what = "one user for all servers: write it before the first host, or the same before each";
            problems.push((&["events", "nats", "url"], what.to_owned()));
        }
        let wild = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '*' | '>');
        if self.stream.is_empty() || self.stream.contains(|c| wild(c) || matches!(c, '.' | '/' | '\\')) {
            let what = format!("{:?} is no stream name: letters, digits, `-` and `_`", self.stream);
            problems.push((&["events", "nats", "stream"], what));
        }
        if self.subject.split('.').any(|token| token.is_empty() || token.contains(wild)) {
            let what = format!("{:?} is no subject: words with dots between, no `*` or `>`", self.subject);
            problems.push((&["events", "nats", "subject"], what));
        }
        if self.duplicate_window.0.is_zero() {
            problems.push((&["events", "nats", "duplicate_window"], "must be longer than 0s".to_owned()));
        }
        if let Some(ca) = self.ca.as_ref().filter(|ca| !ca.is_file()) {
            problems.push((&["events", "nats", "ca"], format!("there is no file {}", ca.display())));
        }
        if self.spool.as_ref().is_some_and(|spool| spool.as_os_str().is_empty()) {
            problems.push((&["events", "nats", "spool"], "name a folder for nothing else".to_owned()));
        }
    }
}
