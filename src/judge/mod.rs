//! (request, reply) → envelope: the rules of `docs/envelope.md` section 3, once, for every vendor.
//!
//! The order is: what single items say (`entry`), what the vendor says of the whole (`outer`), and only then what a rule
//! about the whole call (`whole`) or silence (`absent`) may claim. Each of them makes claims; `evidence` weighs them against
//! all doubts, and nothing else decides what is good. Good needs proof.

mod absent; // what silence means
mod alike; // entries read by example
mod doubts; // what speaks against believing
mod entry; // one entry → one statement
mod evidence; // claims and doubts → what is proved
mod found; // a string a place led to
mod identity; // which ids an entry states
mod index; // the asked items by more than their ids
mod join; // which asked item an entry is about
mod ledger; // statements → results
mod names; // what names and values say of a failure
mod net; // names of failure that no rule read
mod outer; // the verdict on the whole call
mod scope; // places evaluated
mod trace; // what `explain` shows
mod whole; // one verdict for every item

use http::HeaderMap;

use crate::decode::{DecodeError, Document, Fidelity};
use crate::envelope::{
    Bare, BodyState, Category, Diagnostic, Envelope, Evidence, Fault, Operation, Origin, Outcome, Parts,
    Task, TaskState, Texts, Upstream, Verdict,
};
use crate::request::Request;
use evidence::{Basis, Doubt, Doubts, weigh};
use found::Found;
use ledger::Ledger;
use outer::{Outer, OuterKind};
use scope::Scope;
pub use trace::Trace;

/// A vendor's reply, read as far as it could be.
#[derive(Debug)]
pub struct Reply<'a> {
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: ReplyBody<'a>,
    /// Most results that may be made of it.
    pub items: usize,
}

/// What became of the reply's body.
#[derive(Debug)]
pub enum ReplyBody<'a> {
    Document(&'a Document<'a>, &'a Fidelity),
    /// No bytes at all.
    Empty,
    Unreadable(Diagnostic, BodyState),
    /// A page for people, or a text: something in between answered, and not the vendor.
    Foreign(Diagnostic),
}

impl ReplyBody<'_> {
    /// The body for a decoding error.
    pub fn unreadable(cause: &DecodeError) -> Self {
        let state = if matches!(cause, DecodeError::Truncated { .. }) {
            BodyState::Truncated
        } else {
            BodyState::Unparsed
        };
        let (code, limit) = match cause {
            DecodeError::Truncated { .. } => ("body_truncated", ""),
            DecodeError::TooDeep { .. } => ("body_unreadable", ": limits.json_depth"),
            DecodeError::TooMany { .. } => ("body_over_limit", ": limits.items allows no more"),
            DecodeError::TooLong => ("body_over_limit", ""),
            _ => ("body_unreadable", ""),
        };
        Self::Unreadable(Diagnostic::new(code, format!("{cause}{limit}")), state)
    }
}

/// Turns a reply into an envelope.
///
/// `strict` is the caller's `Prefer: handling=strict`: no inference. `data` asks for each item's own fragment.
///
/// The envelope borrows from the request only: its texts are spans of the document's text, so the tree can be freed before
/// the envelope is written.
pub fn apply<'r, 'd>(
    request: &'r Request,
    reply: &'d Reply<'d>,
    strict: bool,
    data: bool,
    trace: &mut Trace,
) -> Envelope<'r>
where
    'r: 'd,
{
    let (root, text) = match &reply.body {
        ReplyBody::Document(document, _) => (Some(document.root()), document.text()),
        ReplyBody::Empty | ReplyBody::Unreadable(..) | ReplyBody::Foreign(_) => (None, ""),
    };
    let scope = Scope::new(request, reply, root);
    let mut judge = Judge {
        request,
        reply,
        strict,
        scope,
        diagnostics: Vec::new(),
        bare: Bare::Succeeded,
        body: BodyState::Absent,
        task: None,
        doubts: Doubts::default(),
        spoken: false,
        all_good: false,
        read_outer: None,
        net: None,
        unexplained: false,
        others_done: false,
        trace,
    };
    let Some(judgement) = judge.run(text, data) else {
        let id = judge.scope.text(&request.profile.reply.request_id);
        let what = format!("more than limits.items ({}) results", reply.items);
        let why = Diagnostic::new("body_over_limit", what);
        return unread(request, reply.status, id.as_ref().map(|id| id.decode()).as_deref(), why);
    };
    let Judgement { results, fault, outer_failed, dry_run, request_id, made } = judgement;
    let mut operation = operation(request);
    operation.dry_run |= dry_run;
    Envelope::seal(Parts {
        operation,
        results,
        fault,
        unexplained: outer_failed || judge.unexplained,
        others_done: judge.others_done,
        task: judge.task.take(),
        upstream: Upstream { status: Some(reply.status), request_id, body: judge.body },
        diagnostics: std::mem::take(&mut judge.diagnostics),
        bare: judge.bare,
        asked: request.asked.arena(),
        made,
    })
}

/// What a judge found, beside what it keeps itself.
struct Judgement {
    results: Vec<Verdict>,
    fault: Option<Fault>,
    outer_failed: bool,
    dry_run: bool,
    request_id: Option<crate::envelope::Text>,
    made: String,
}

/// What is known first-hand of a call that got no reply.
#[derive(Clone, Debug)]
pub struct Unanswered {
    /// `failed` where it was tried and nothing was delivered, `not_attempted` where it was not tried, `unknown` where the vendor may have
    /// acted.
    pub outcome: Outcome,
    pub category: Category,
    /// Whose fault it is: the network's or ours.
    pub origin: Origin,
    pub diagnostic: Option<Diagnostic>,
}

/// The envelope for a call that got no reply.
pub fn unanswered<'a>(request: &'a Request, known: Unanswered) -> Envelope<'a> {
    let Unanswered { outcome, category, origin, diagnostic } = known;
    let fault = Fault::of(category, origin);
    let verdict = Verdict { fault: Some(fault), ..Verdict::new(outcome, Evidence::Gateway) };
    let bare = if outcome == Outcome::Unknown { Bare::Unknown } else { Bare::Failed };
    alike(request, verdict, bare, (None, None, BodyState::Absent), diagnostic.into_iter().collect())
}

/// The envelope for a reply that was not read, whatever it says: nothing is claimed of any asked item, and `why` tells the cause.
pub fn unread<'a>(
    request: &'a Request,
    status: u16,
    request_id: Option<&str>,
    why: Diagnostic,
) -> Envelope<'a> {
    let fault = Fault::of(Category::BadResponse, Origin::Gateway);
    let verdict = Verdict { fault: Some(fault), ..Verdict::new(Outcome::Unknown, Evidence::None) };
    let diagnostics = doubts::asked_unclear(request).into_iter().chain([why]).collect();
    alike(request, verdict, Bare::Unknown, (Some(status), request_id, BodyState::Unparsed), diagnostics)
}

/// An envelope that says the same of every asked item; `reply` is the status, request id and body of what came.
fn alike<'a>(
    request: &'a Request,
    verdict: Verdict,
    bare: Bare,
    reply: (Option<u16>, Option<&str>, BodyState),
    diagnostics: Vec<Diagnostic>,
) -> Envelope<'a> {
    let (status, request_id, body) = reply;
    let mut ledger = Ledger::new(&request.asked, "");
    let fault = verdict.fault;
    ledger.fill(verdict);
    let request_id = request_id.map(|id| ledger.texts.refer(id, false));
    let (results, texts) = ledger.into_results();
    Envelope::seal(Parts {
        operation: operation(request),
        results,
        fault,
        unexplained: true,
        others_done: false,
        task: None,
        upstream: Upstream { status, request_id, body },
        diagnostics,
        bare,
        asked: request.asked.arena(),
        made: texts.into_made(),
    })
}

fn operation(request: &Request) -> Operation<'_> {
    let action = request.action();
    Operation {
        vendor: &request.profile.vendor.name,
        service: request.service.as_deref(),
        action: &action.name,
        region: request.region.as_deref(),
        resource_type: action.resource_type.as_deref(),
        selects: request.selects,
        scope: request.asked.scope(),
        profile: &request.profile.name,
        dry_run: request.dry_run,
    }
}

struct Judge<'a, 't> {
    request: &'a Request,
    reply: &'a Reply<'a>,
    strict: bool,
    scope: Scope<'a>,
    diagnostics: Vec<Diagnostic>,
    bare: Bare,
    body: BodyState,
    task: Option<Task>,
    /// What speaks against claims on the whole call and on silent items.
    doubts: Doubts,
    /// Whether any entry spoke, and none said anything bad.
    spoken: bool,
    all_good: bool,
    /// The outer shape that was read.
    read_outer: Option<usize>,
    /// Whether the net caught something, once it was cast.
    net: Option<bool>,
    /// Whether something states a failure that no item explains.
    unexplained: bool,
    /// Whether counts say that others than the named were done.
    others_done: bool,
    trace: &'t mut Trace,
}

impl<'a> Judge<'a, '_> {
    /// None when there are more results than may be.
    fn run(&mut self, text: &'a str, data: bool) -> Option<Judgement> {
        self.diagnostics.extend(doubts::asked_unclear(self.request));
        if self.request.unreadable {
            self.note("request_unreadable", "the request could not be read: what it asked is not known");
        }
        let mut ledger = Ledger::new(&self.request.asked, text);
        ledger.bound(self.reply.items);
        let fault = match &self.reply.body {
            ReplyBody::Unreadable(diagnostic, state) => {
                self.body = *state;
                self.diagnostics.push(diagnostic.clone());
                self.unreadable(&mut ledger);
                None
            }
            ReplyBody::Foreign(diagnostic) => {
                self.body = BodyState::Unparsed;
                self.diagnostics.push(diagnostic.clone());
                self.foreign(&mut ledger);
                None
            }
            ReplyBody::Document(_, fidelity) => {
                self.body = BodyState::Strict;
                if !fidelity.slips.is_empty() {
                    self.body = BodyState::Repaired;
                    let slips = fidelity.slips.to_string();
                    self.note("json_repaired", format!("the vendor's JSON had slips: {slips}"));
                }
                if fidelity.replaced {
                    self.note("charset_replaced", "bytes that are no text were replaced by U+FFFD");
                }
                self.judge(&mut ledger, data)
            }
            ReplyBody::Empty => self.judge(&mut ledger, data),
        };
        if ledger.is_over() { None } else { Some(self.finish(ledger, fault)) }
    }

    /// The readable case: entries, then the outer verdict, then what silence means.
    fn judge(&mut self, ledger: &mut Ledger<'a>, data: bool) -> Option<Outer> {
        self.doubts = self.first_doubts();
        let spoken = entry::collect(&self.scope, ledger, self.doubts, data, self.trace);
        self.unexplained |= spoken.misshapen;
        let outer = outer::find(&self.scope, &mut ledger.texts, self.trace);
        if outer.dry_run {
            self.bare = Bare::Succeeded;
        }
        self.batch_task(ledger);
        self.spoken = spoken.entries > 0;
        self.all_good = !ledger.any_bad();
        self.read_outer = outer.read;
        self.further_doubts(ledger, &outer);
        self.announce(ledger);
        if self.spoken || ledger.volunteered() > 0 {
            let aliases = self.request.profile.reply.aliases && !self.strict;
            // It is an inference as silence is.
            let doubts = self.doubts.with_if(Doubt::Unread, aliases && self.is_unread_failure());
            if aliases && weigh(Outcome::Succeeded, Basis::Silence, doubts).is_ok() && ledger.alias() {
                self.note("id_alias", "the vendor names the resources otherwise; matched by position");
            }
            self.settle_absent(ledger, spoken.exhaustive);
            self.compare(ledger, &outer);
        } else {
            self.whole_call(ledger, &outer);
        }
        self.last_look(ledger, &outer);
        if self.trace.is_on() {
            let net = self.scope.net(&self.request.profile.reply.weighed);
            self.trace.unread = self.scope.root.map(|root| net.unread(root)).unwrap_or_default();
        }
        Some(outer)
    }

    /// The task of the whole call: the reply's own, else the one a look-up asked about.
    fn batch_task(&mut self, ledger: &mut Ledger<'a>) {
        let own = self.scope.task(&self.request.profile.reply.task);
        let id = own.or_else(|| self.request.task.as_deref().map(Found::Plain));
        self.task = id.map(|id| self.task_of(&id, TaskState::Pending, ledger));
    }

    fn task_of(&self, id: &Found<'a>, state: TaskState, ledger: &mut Ledger<'a>) -> Task {
        let monitor = self.request.monitor_of(&id.decode()).map(|url| ledger.texts.refer(&url, false));
        Task { id: id.store(&mut ledger.texts), state, vendor_state: None, monitor }
    }

    fn note(&mut self, code: &'static str, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new(code, message));
    }

    fn finish(&mut self, mut ledger: Ledger<'a>, outer: Option<Outer>) -> Judgement {
        let repeated = ledger.repeated();
        if repeated > 0 {
            self.note(
                "duplicate_item",
                format!("{repeated} further statements about resources named before"),
            );
        }
        let request = self.request;
        let request_id =
            self.scope.text(&request.profile.reply.request_id).map(|id| id.store(&mut ledger.texts));
        let bad = ledger.any_bad();
        let (results, texts) = ledger.into_results();
        let (fault, outer_failed, dry_run) = match outer {
            Some(outer) => (outer.fault, !matches!(outer.kind, OuterKind::Fine), outer.dry_run),
            None => (None, false, false),
        };
        let fault = fault.or_else(|| self.status_fault(&results));
        if let Some(task) = &mut self.task {
            task.state = task_state(&results, task.state, request.action().lookup);
        }
        if outer_failed && results.is_empty() && self.bare != Bare::Unknown {
            self.bare = Bare::Failed;
        }
        if results.is_empty()
            && self.bare == Bare::Succeeded
            && (self.task.is_some() && !request.action().lookup || self.reply.status == 202)
        {
            self.bare = Bare::Accepted;
        }
        self.count_unmapped(if bad { &results } else { &[] }, fault.as_ref(), &texts);
        // A refused call handed out no task.
        self.task = self.task.filter(|_| !outer_failed || request.action().lookup);
        Judgement { results, fault, outer_failed, dry_run, request_id, made: texts.into_made() }
    }

    /// An empty batch still needs a fault when the HTTP status alone refused it.
    fn status_fault(&self, results: &[Verdict]) -> Option<Fault> {
        let refused = results.is_empty() && matches!(self.bare, Bare::Failed | Bare::Unknown);
        refused.then(|| self.fault_of_status())
    }

    /// The fault that the HTTP status alone tells.
    fn fault_of_status(&self) -> Fault {
        let status = self.reply.status;
        let category = if status >= 400 { Category::of_status(status) } else { Category::BadResponse };
        Fault::of(category, Origin::Vendor)
    }

    fn count_unmapped(&mut self, results: &[Verdict], batch: Option<&Fault>, texts: &Texts<'a>) {
        let unmapped = |fault: &&Fault| fault.category == Category::Unknown && fault.vendor_code.is_some();
        let items = results.iter().filter_map(|v| v.fault.as_ref());
        if let Some(fault) = items.chain(batch).find(unmapped) {
            let code =
                fault.vendor_code.map(|code| texts.sources().decode(code).into_owned()).unwrap_or_default();
            let known = self.request.profile.vendor.codes.find(&code).is_some();
            if !known && !self.is_summary(&code) {
                self.note("unmapped_code", format!("the code table does not know {code:?}"));
            }
        }
    }

    fn is_summary(&self, code: &str) -> bool {
        self.request.profile.reply.outer.iter().any(|rule| rule.summary.contain(code))
    }
}

/// How far the batch's task is, judged by its items.
fn task_state(results: &[Verdict], stated: TaskState, lookup: bool) -> TaskState {
    if !lookup || results.is_empty() {
        return stated;
    }
    let any = |outcome| results.iter().any(|v| v.occurrence == 0 && v.outcome == outcome);
    if any(Outcome::Accepted) {
        TaskState::Running
    } else if any(Outcome::Failed) || any(Outcome::NotAttempted) {
        TaskState::Failed
    } else if any(Outcome::Unknown) {
        TaskState::Unknown
    } else {
        TaskState::Succeeded
    }
}
