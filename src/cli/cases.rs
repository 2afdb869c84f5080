//! A profile's own conversations: `<vendor>/<family>/<case>/{request.http,reply.http,envelope.json,source.md}`.
//! A `route.toml` beside them says how the conversation is judged and shown, where that is not as on a plain route: `data`,
//! `strict`, `minimal`, `raw`, `status`.
//!
//! A missing `envelope.json` is written for a person to read and commit, and the case fails that once.

use std::io;
use std::path::{Path, PathBuf};

use crate::adversary::Conversation;
use crate::explain::{Manner, judge_messages, recognise, reply_message};
use crate::judge::Trace;
use crate::message::Message;
use crate::profile::ProfileSet;
use crate::request::Scope;

/// One conversation and the envelope it deserves.
#[derive(Clone, Debug)]
pub struct Case {
    pub dir: PathBuf,
    vendor: String,
    family: String,
}

/// How a case went.
#[derive(Debug)]
pub struct CaseResult {
    /// None: as expected.
    pub problem: Option<String>,
}

/// All cases below a folder, in order.
///
/// # Errors
/// When a folder cannot be read.
pub fn find_cases(dir: &Path) -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for vendor in folders(dir)? {
        for family in folders(&vendor)? {
            for case in folders(&family)? {
                cases.push(Case { vendor: name_of(&vendor), family: name_of(&family), dir: case });
            }
        }
    }
    Ok(cases)
}

fn folders(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir)
        .map_err(|cause| io::Error::new(cause.kind(), format!("{}: {cause}", dir.display())))?;
    let mut folders: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Case {
    pub fn name(&self) -> String {
        format!("{}/{}/{}", self.vendor, self.family, name_of(&self.dir))
    }

    /// The profile the case belongs to.
    pub fn profile(&self) -> String {
        format!("{}/{}", self.vendor, self.family)
    }

    /// How it is judged and shown: `route.toml`, where there is one.
    ///
    /// # Errors
    /// When the file says what no route can.
    pub fn manner(&self) -> Result<Manner, String> {
        match std::fs::read_to_string(self.dir.join("route.toml")) {
            Ok(text) => toml::from_str(&text).map_err(|cause| format!("  route.toml: {cause}")),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Manner::default()),
            Err(cause) => Err(format!("  route.toml: {cause}")),
        }
    }

    /// Runs the conversation against the profiles.
    pub fn run(&self, set: &ProfileSet) -> CaseResult {
        CaseResult { problem: self.check(set).err() }
    }

    /// The two messages.
    ///
    /// # Errors
    /// When a file is missing or no message.
    pub fn conversation(&self) -> Result<Conversation, String> {
        let read =
            |file: &str| std::fs::read(self.dir.join(file)).map_err(|cause| format!("  {file}: {cause}"));
        let request =
            Message::parse(&read("request.http")?).map_err(|cause| format!("  request.http: {cause}"))?;
        Ok(Conversation {
            vendor: self.vendor.clone(),
            profile: self.profile(),
            name: name_of(&self.dir),
            request,
            reply: reply_message(&read("reply.http")?),
        })
    }

    /// The envelope the conversation gives now, pretty JSON.
    ///
    /// # Errors
    /// When a file is missing or wrong, or another profile (or none) recognises the request.
    pub fn envelope(&self, set: &ProfileSet) -> Result<String, String> {
        let Conversation { request, reply, .. } = self.conversation()?;
        let scope = Scope { vendor: Some(&self.vendor), profile: None };
        let request = recognise(set, &scope, &request).map_err(|cause| format!("  {cause}"))?;
        if request.profile.name != self.profile() {
            return Err(format!("  recognised by {} instead of {}", request.profile.name, self.profile()));
        }
        let judged = judge_messages(request, &reply, self.manner()?, &mut Trace::default());
        let value: serde_json::Value = serde_json::from_slice(&judged.json)
            .map_err(|cause| format!("  the envelope is no JSON: {cause}"))?;
        serde_json::to_string_pretty(&value).map(|text| text + "\n").map_err(|cause| format!("  {cause}"))
    }

    fn check(&self, set: &ProfileSet) -> Result<(), String> {
        let now = self.envelope(set)?;
        let golden = self.dir.join("envelope.json");
        match std::fs::read_to_string(&golden) {
            Ok(expected) if expected == now => Ok(()),
            Ok(expected) => Err(difference(&expected, &now) + &self.source()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                std::fs::write(&golden, now).map_err(|cause| format!("  envelope.json: {cause}"))?;
                Err("  envelope.json was missing and has been written: read it, then commit it".to_owned())
            }
            Err(cause) => Err(format!("  envelope.json: {cause}")),
        }
    }

    /// What the case shows, for whoever reads its failure.
    fn source(&self) -> String {
        std::fs::read_to_string(self.dir.join("source.md"))
            .map(|text| format!("  ({})\n", text.trim()))
            .unwrap_or_default()
    }
}

/// The lines that differ.
fn difference(expected: &str, now: &str) -> String {
    let mut out = String::new();
    let (a, b): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), now.lines().collect());
    for at in 0..a.len().max(b.len()) {
        let (a, b) = (a.get(at), b.get(at));
        if a != b {
            out.extend(a.map(|line| format!("  - {line}\n")));
            out.extend(b.map(|line| format!("  + {line}\n")));
        }
        if out.len() > 4000 {
            out.push_str("  …\n");
            break;
        }
    }
    out
}
