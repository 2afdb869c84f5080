//! What a request asks: which action of which profile, and of which resources.
//!
//! Pure. Recognition looks at the head first, so that bodies of calls nobody knows are never held back.

mod asked; // the asked items
mod filter; // which elements of a list are asked
mod head; // the parts of a request that recognition reads
mod inner; // requests that are elements of a request
mod items; // document → asked items
mod operation; // what a query document changes
mod reader; // places of a request
mod recognise; // head and body → action
mod spelling; // a head as routers and parsers read it
mod view; // bytes → Request

pub use asked::Asked;
pub(crate) use asked::{hash_id, same_id, whole_id};
pub use head::Head;
pub use recognise::{Scope, may_match};
pub use view::{MOST_RATIO, Unknown, view};

use std::borrow::Cow;
use std::sync::Arc;

use crate::envelope::Selects;
use crate::profile::{Action, Profile};

/// A recognised request: which action of which profile, and what it asked.
#[derive(Debug)]
pub struct Request {
    pub profile: Arc<Profile>,
    /// Index into the profile's actions.
    pub action: usize,
    pub asked: Asked,
    /// The request's values that the profile's reply rules refer to, in the profile's order.
    pub kept: Vec<Option<String>>,
    pub service: Option<String>,
    pub region: Option<String>,
    /// The caller says that nothing is to be executed.
    pub dry_run: bool,
    /// The task that a look-up asks about.
    pub task: Option<String>,
    /// Where a task can be polled; `{task}` still stands in it.
    pub monitor: Option<String>,
    /// The request's document could not be read, so what it asked is not known.
    pub unreadable: bool,
    /// How it says whom it is about.
    pub selects: Selects,
    /// Why it is not certain whom it asks for, or for what.
    pub unclear: Option<Cow<'static, str>>,
}

impl Request {
    pub fn action(&self) -> &Action {
        &self.profile.actions[self.action]
    }

    /// Whether all who read it read the same.
    ///
    /// # Errors
    /// Why they may not: for those who must refuse what is not certain.
    pub fn canonical(&self) -> Result<(), &str> {
        self.unclear.as_deref().map_or(Ok(()), Err)
    }

    /// The request came in behind a path prefix: what the caller is to poll must go through it again.
    pub fn behind(&mut self, prefix: &str) {
        if let Some(monitor) = &mut self.monitor
            && monitor.starts_with('/')
        {
            monitor.insert_str(0, prefix);
        }
    }

    /// Where a task can be polled.
    pub(crate) fn monitor_of(&self, task: &str) -> Option<String> {
        self.monitor.as_ref().map(|template| template.replace("{task}", task))
    }
}
