//! Two files of a conversation → recognised request, reply, envelope. Shared by `normalize` and `explain`.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::envelope::{BatchOutcome, Selects};
use crate::explain::{Judged, Manner, Unrecognised, judge_messages, recognise, reply_message};
use crate::judge::Trace;
use crate::message::Message;
use crate::profile::ProfileSet;
use crate::reply::RawPolicy;
use crate::request::{Asked, Request, Scope};

/// Where the conversation is and how it is to be read.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Raw HTTP request; `-` is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "ids")]
    pub(super) request: Option<PathBuf>,
    /// Raw HTTP reply; `-` is standard input. A file without a status line is read as the body of a 200
    #[arg(long, value_name = "FILE")]
    pub(super) reply: PathBuf,
    /// The asked ids, in place of a request; needs --profile
    #[arg(long, value_name = "A,B", value_delimiter = ',', conflicts_with = "request", requires = "profile")]
    pub(super) ids: Option<Vec<String>>,
    /// Only profiles of this vendor may match
    #[arg(long)]
    pub(super) vendor: Option<String>,
    /// Only this profile may match, as `vendor/family`
    #[arg(long)]
    pub(super) profile: Option<String>,
    /// The action, where --ids leaves it open
    #[arg(long, requires = "ids")]
    pub(super) action: Option<String>,
    /// Folder of your own profiles
    #[arg(long, value_name = "DIR")]
    pub(super) profiles: Option<PathBuf>,
    /// As `Prefer: handling=strict`: no inference, no repair
    #[arg(long)]
    pub(super) strict: bool,
    /// As `data = true` of a route: each result with its own fragment of the vendor's body
    #[arg(long)]
    pub(super) data: bool,
    /// When the vendor's body is shown: never, on_failure or always
    #[arg(long, default_value = "on_failure", value_parser = raw_policy)]
    pub(super) raw: RawPolicy,
}

fn raw_policy(word: &str) -> Result<RawPolicy, String> {
    match word {
        "never" => Ok(RawPolicy::Never),
        "on_failure" => Ok(RawPolicy::OnFailure),
        "always" => Ok(RawPolicy::Always),
        _ => Err("never, on_failure or always".to_owned()),
    }
}

/// Why there is no envelope.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    #[error("{file}: {what}")]
    File { file: String, what: String },
    #[error(transparent)]
    NotRecognised(#[from] Unrecognised),
}

pub(super) fn judge(args: &Args, set: &ProfileSet, trace: &mut Trace) -> Result<Judged, ConversationError> {
    let reply = reply_message(&read_file(&args.reply)?);
    let request = match (&args.request, &args.ids) {
        (Some(file), _) => {
            let message = Message::parse(&read_file(file)?).map_err(|cause| file_error(file, &cause))?;
            if message.method.is_none() {
                return Err(file_error(
                    file,
                    &"this is a reply; a request starts with `POST /path HTTP/1.1`",
                ));
            }
            let scope = Scope { vendor: args.vendor.as_deref(), profile: args.profile.as_deref() };
            recognise(set, &scope, &message)?
        }
        (None, ids) => by_ids(set, args, ids.as_deref().unwrap_or_default())?,
    };
    let manner = Manner { strict: args.strict, data: args.data, raw: args.raw, ..Manner::default() };
    Ok(judge_messages(request, &reply, manner, trace))
}

fn by_ids(set: &ProfileSet, args: &Args, ids: &[String]) -> Result<Request, ConversationError> {
    let name = args.profile.as_deref().unwrap_or_default();
    let unknown = |what: String| Unrecognised(what);
    let profile = set
        .find(name)
        .ok_or_else(|| unknown(format!("there is no profile {name:?}; see `onevelope profiles`")))?;
    let action = match &args.action {
        None => 0,
        Some(action) => profile
            .actions
            .iter()
            .position(|own| own.name == *action)
            .ok_or_else(|| unknown(format!("{name} has no action {action:?}")))?,
    };
    let mut asked = Asked::new(profile.actions[action].items.distinct);
    for id in ids {
        asked.push(Some(id), None, None);
    }
    Ok(Request {
        kept: vec![None; profile.kept_len()],
        service: profile.actions[action].services.first().cloned(),
        profile: std::sync::Arc::clone(profile),
        action,
        asked,
        region: None,
        dry_run: false,
        task: None,
        monitor: None,
        unreadable: false,
        unclear: None,
        selects: if profile.actions[action].lookup { Selects::Lookup } else { Selects::Ids },
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, ConversationError> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|cause| file_error(path, &cause))?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(|cause| file_error(path, &cause))
}

fn file_error(path: &Path, cause: &dyn std::fmt::Display) -> ConversationError {
    ConversationError::File { file: path.display().to_string(), what: cause.to_string() }
}

/// 0 for a batch that went well, else 1.
pub(super) fn exit_code(outcome: BatchOutcome) -> u8 {
    u8::from(!matches!(outcome, BatchOutcome::Succeeded | BatchOutcome::Accepted))
}

/// Says why there is no envelope: 2 not recognised, 64 a file that cannot be read.
pub(super) fn refuse(cause: &ConversationError) -> u8 {
    super::say(&format!("onevelope: {cause}"));
    match cause {
        ConversationError::NotRecognised(_) => 2,
        ConversationError::File { .. } => super::USAGE,
    }
}
