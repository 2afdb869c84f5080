//! What is known of vendors, checked and ready to be applied.
//!
//! Knowledge only: data from `config/profiles` becomes [`Profile`]s once, at load; every check happens there. Who asked what is
//! `request`'s, and what a reply amounts to is `judge`'s. No vendor is named in code.

mod action; // how a request is recognised and what it asks
mod builtin; // config/profiles, embedded
pub(crate) mod codes; // vendor code → category and advice
mod compile; // file → Profile; every check happens here
mod file; // serde mirror of the files
pub(crate) mod glob; // `*` patterns
mod load; // a folder on disk; the one module here that does I/O
mod merge; // what a table takes from another before it is read
mod pattern; // paths and hosts as templates
pub(crate) mod place; // where values are found
pub(crate) mod reply; // how a reply is read, compiled
mod set; // all profiles, findable
mod spot; // where in a text something stands
pub(crate) mod when; // conditions

pub use action::{Action, Items, Selector, Subrequest};
pub use codes::{Class, CodeTable};
pub use file::{RequestShape, Status};
pub use load::{LoadError, load, load_vendors, source};
pub use pattern::{Captures, HostPattern, PathPattern};
pub use place::RequestPlace;
pub use set::{ActionRef, ProfileSet, VendorIndex};

use std::sync::Arc;

/// What all families of a vendor share.
#[derive(Debug)]
pub struct Vendor {
    pub name: String,
    /// Public hosts, with captures.
    pub hosts: Vec<HostPattern>,
    pub(crate) region: Vec<RequestPlace>,
    pub(crate) dry_run: Vec<DryRun>,
    pub(crate) dry_run_codes: Vec<String>,
    pub(crate) dry_run_status: Vec<when::StatusClass>,
    /// What stands before and behind a code that opens a message.
    pub(crate) code_in_message: Option<(String, String)>,
    pub(crate) generic: bool,
    /// Paths and names are taken in any case.
    pub(crate) any_case: bool,
    /// A parameter that stands several times is a list.
    pub(crate) repeats: bool,
    /// Lists of parameters begin with 1.
    pub(crate) from_one: bool,
    pub codes: CodeTable,
}

/// Where a request says that nothing is to be executed.
#[derive(Debug)]
pub(crate) struct DryRun {
    pub(crate) at: Vec<RequestPlace>,
    /// In lower case.
    pub(crate) equals: Vec<String>,
    services: Vec<String>,
    actions: Vec<String>,
}

impl DryRun {
    /// Whether a parameter of that name says it.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.at.iter().any(|place| match place {
            RequestPlace::Document(pointer) | RequestPlace::Query(pointer) => pointer.name() == Some(name),
            _ => false,
        })
    }

    /// Whether an action knows the word: to any other it says nothing, and the call is executed.
    pub(crate) fn is_known_to(&self, service: Option<&str>, action: &str) -> bool {
        let everybody = self.services.is_empty() && self.actions.is_empty();
        let lists = |names: &[String], name: &str| names.iter().any(|own| own == name);
        everybody || lists(&self.actions, action) || service.is_some_and(|own| lists(&self.services, own))
    }
}

impl Vendor {
    /// What the first pattern captures that a host (without port) fits; none where it is no host of the vendor.
    pub fn host(&self, host: &str) -> Option<Captures> {
        let host = pattern::lower(host);
        self.hosts.iter().find_map(|pattern| pattern.find_lower(&host))
    }
}

/// Checked knowledge of one family of a vendor's actions.
#[derive(Debug)]
pub struct Profile {
    /// `<vendor>/<family>`.
    pub name: String,
    pub vendor: Arc<Vendor>,
    pub family: String,
    /// Services it serves; the first is the label where the host does not tell.
    pub services: Vec<String>,
    /// Title and date of the page, or the capture, it rests on.
    pub source: String,
    pub status: Status,
    pub actions: Vec<Action>,
    pub(crate) reply: reply::ReplyRules,
    /// The request's places that the reply rules refer to.
    pub(crate) kept: Vec<RequestPlace>,
}

impl Profile {
    /// How many of the request's values its reply rules refer to.
    pub fn kept_len(&self) -> usize {
        self.kept.len()
    }

    /// The reply's wire, where the profile names it.
    pub fn wire(&self) -> Option<crate::decode::Wire> {
        self.reply.wire
    }

    /// What plain text is read as.
    pub fn text_wire(&self) -> Option<crate::decode::Wire> {
        self.reply.text
    }

    /// Values of a reply that are never shown.
    pub fn secrets(&self) -> &[crate::decode::Pointer] {
        &self.reply.secrets
    }

    /// Member names of replies that look like failures and are none.
    pub fn harmless(&self) -> &[String] {
        &self.reply.harmless
    }

    /// Whether its replies report on resources that nobody asked for as well.
    pub fn volunteers(&self) -> bool {
        self.reply.volunteers || self.reply.entries.iter().any(|rule| rule.only_asked)
    }

    /// Whether an entry without an index is about the first item.
    pub fn first_by_default(&self) -> bool {
        self.reply.entries.iter().any(|rule| rule.index_default.is_some())
    }
}
