//! (request, reply) → envelope: the rules of `docs/envelope.md` section 3, once, for every vendor.
//!
//! The order is: what single items say (`entries`), what the vendor says of the whole (`outer`), and only then what
//! silence means (`absent`). Entries decide; outer codes summarise; nothing is ever claimed beyond the evidence.

mod absent; // what silence means
mod alike; // entries read by example
mod entry; // one entry → one statement
mod found; // a string a place led to
mod join; // which asked item an entry is about
mod ledger; // statements → results
mod outer; // the verdict on the whole call
mod scope; // places evaluated
mod trace; // what `explain` shows

use http::HeaderMap;

use super::Request;
use super::reply::{OutcomeRule, Word};
use crate::decode::{DecodeError, Document, Fidelity};
use crate::envelope::{
    Bare, BodyState, Category, Diagnostic, Envelope, Evidence, Fault, Operation, Origin, Outcome, Parts,
    Task, TaskState, Texts, Upstream, Verdict,
};
use found::Found;
use ledger::Ledger;
use outer::{Outer, OuterKind};
pub(crate) use scope::Scope;
pub use trace::Trace;

/// A vendor's reply, read as far as it could be.
#[derive(Debug)]
pub struct Reply<'a> {
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: ReplyBody<'a>,
}

/// What became of the reply's body.
#[derive(Debug)]
pub enum ReplyBody<'a> {
    Document(&'a Document<'a>, &'a Fidelity),
    /// No bytes at all.
    Empty,
    Unreadable(Diagnostic, BodyState),
}

impl ReplyBody<'_> {
    /// The body for a decoding error.
    pub fn unreadable(cause: &DecodeError) -> Self {
        let state = if matches!(cause, DecodeError::Truncated { .. }) {
            BodyState::Truncated
        } else {
            BodyState::Unparsed
        };
        let code = if state == BodyState::Truncated { "body_truncated" } else { "body_unreadable" };
        Self::Unreadable(Diagnostic::new(code, cause.to_string()), state)
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
        ReplyBody::Empty | ReplyBody::Unreadable(..) => (None, ""),
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
        trace,
    };
    let Judgement { results, fault, outer_failed, dry_run, request_id, made } = judge.run(text, data);
    let mut operation = operation(request);
    operation.dry_run |= dry_run;
    Envelope::seal(Parts {
        operation,
        results,
        fault,
        outer_failed,
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

/// The envelope for a call that got no reply: `delivered` tells whether the vendor may have acted.
pub fn unanswered<'a>(request: &'a Request, category: Category, delivered: bool, what: &str) -> Envelope<'a> {
    let mut ledger = Ledger::new(&request.asked, "");
    let outcome = if delivered { Outcome::Unknown } else { Outcome::Failed };
    let evidence = Evidence::Gateway;
    let fault = Fault::of(category, Origin::Network);
    ledger.fill(|_| {
        let mut verdict = Verdict::new(outcome, evidence);
        verdict.fault = Some(fault);
        verdict
    });
    let mut diagnostics = Vec::new();
    if delivered {
        diagnostics.push(Diagnostic::new("upstream_lost", what));
    }
    Envelope::seal(Parts {
        operation: operation(request),
        results: ledger.into_results().0,
        fault: Some(fault),
        outer_failed: true,
        task: None,
        upstream: Upstream { status: None, request_id: None, body: BodyState::Absent },
        diagnostics,
        bare: if delivered { Bare::Unknown } else { Bare::Failed },
        asked: request.asked.arena(),
        made: String::new(),
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
    trace: &'t mut Trace,
}

impl<'a> Judge<'a, '_> {
    fn run(&mut self, text: &'a str, data: bool) -> Judgement {
        if self.request.unreadable {
            self.note("request_unreadable", "the request could not be read: what it asked is not known");
        }
        let mut ledger = Ledger::new(&self.request.asked, text);
        let fault = match &self.reply.body {
            ReplyBody::Unreadable(diagnostic, state) => {
                self.body = *state;
                self.diagnostics.push(diagnostic.clone());
                self.unreadable(&mut ledger);
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
        self.finish(ledger, fault)
    }

    /// The readable case: entries, then the outer verdict, then what silence means.
    fn judge(&mut self, ledger: &mut Ledger<'a>, data: bool) -> Option<Outer> {
        let entries = entry::collect(&self.scope, ledger, data, self.trace);
        let outer = outer::find(&self.scope, &mut ledger.texts, self.trace);
        if outer.dry_run {
            self.bare = Bare::Succeeded;
        }
        self.batch_task(ledger);
        self.announce(ledger);
        if entries > 0 || ledger.volunteered() > 0 {
            if self.aliases() && ledger.alias() {
                self.note("id_alias", "the vendor names the resources otherwise; matched by position");
            }
            self.settle_absent(ledger);
            self.compare(ledger, &outer);
        } else {
            self.whole_call(ledger, &outer);
        }
        Some(outer)
    }

    /// Whether unknown ids may be other names of the asked resources. Where silence means failure, the vendor names
    /// other things than were asked (members of a collection).
    fn aliases(&self) -> bool {
        !matches!(self.request.profile.reply.absent, Word::Is(Outcome::Failed | Outcome::NotAttempted))
    }

    fn whole_call(&mut self, ledger: &mut Ledger<'a>, outer: &Outer) {
        match outer.kind {
            OuterKind::Failed | OuterKind::AllFailed | OuterKind::Summary => self.refused(ledger, outer),
            OuterKind::Fine if self.dry_run_passed(ledger, outer) => {}
            OuterKind::Fine => {
                if !self.whole_rule(ledger) {
                    self.nothing_said(ledger);
                }
            }
        }
    }

    /// A dry run that "failed" with the vendor's dry-run code would have worked: predicted, not executed.
    fn dry_run_passed(&mut self, ledger: &mut Ledger<'a>, outer: &Outer) -> bool {
        if !outer.dry_run {
            return false;
        }
        let outcome = if self.request.action().asynchronous { Outcome::Accepted } else { Outcome::Succeeded };
        ledger.fill(|_| Verdict::new(outcome, Evidence::Batch));
        true
    }

    /// One verdict on the whole call: refused before work, or possibly after it.
    fn refused(&mut self, ledger: &mut Ledger<'a>, outer: &Outer) {
        let (outcome, evidence) = match outer.kind {
            OuterKind::Summary => (Outcome::Unknown, Evidence::None),
            OuterKind::AllFailed => (Outcome::Failed, Evidence::Batch),
            _ => (outer::weigh(self.reply.status, outer.category()), Evidence::Batch),
        };
        self.bare = if outcome == Outcome::Unknown { Bare::Unknown } else { Bare::Failed };
        self.trace.whole(outcome, evidence, "the vendor's outer verdict applies to every item");
        // Somebody failed, nobody says who: the summary's code is no item's code.
        let fault = match outer.kind {
            OuterKind::Summary => Fault::of(Category::Unknown, Origin::Vendor),
            _ => outer.fault.unwrap_or_else(|| Fault::of(Category::Unknown, Origin::Vendor)),
        };
        ledger.fill(|_| {
            let mut verdict = Verdict::new(outcome, evidence);
            verdict.fault = Some(fault);
            verdict
        });
    }

    /// The first `[[reply.whole]]` rule that holds.
    fn whole_rule(&mut self, ledger: &mut Ledger<'a>) -> bool {
        let asynchronous = self.request.action().asynchronous;
        for rule in &self.request.profile.reply.whole {
            if self.scope.root.is_none() && !rule.when.wants_empty() && !rule.when.names_status() {
                continue;
            }
            if !rule.when.holds(&self.scope) {
                continue;
            }
            let task = self.scope.task(&rule.task);
            let good_status = (200..300).contains(&self.reply.status);
            if !good_status && task.is_none() && !rule.when.names_status() {
                continue;
            }
            let read = entry::read_outcome(&rule.outcome, &self.scope, task.is_some());
            let Some(mut outcome) = read.word.outcome(asynchronous) else { continue };
            // A bare 202 says that the effect is pending, whatever the action.
            if outcome == Outcome::Succeeded && self.reply.status == 202 && self.scope.root.is_none() {
                outcome = Outcome::Accepted;
            }
            let mut evidence = rule.evidence;
            if evidence == Evidence::Inferred && outcome.is_good() {
                if self.strict {
                    (outcome, evidence) = (Outcome::Unknown, Evidence::None);
                } else if !self.counts_leave_room(ledger) {
                    self.note(
                        "batch_item_mismatch",
                        "the vendor's counts leave no room for the items it does not name",
                    );
                    (outcome, evidence) = (Outcome::Unknown, Evidence::None);
                }
            }
            let explains = matches!(rule.outcome, OutcomeRule::Always(_));
            self.trace.rule(format!("[[reply.whole]] {}", rule.number), outcome, evidence, explains);
            if let Some(id) = task {
                self.task = Some(self.task_of(&id, outcome.into(), ledger));
            }
            self.bare = match outcome {
                Outcome::Succeeded => Bare::Succeeded,
                Outcome::Accepted => Bare::Accepted,
                Outcome::Failed | Outcome::NotAttempted => Bare::Failed,
                Outcome::Unknown => Bare::Unknown,
            };
            let fault = rule.category.filter(|_| !outcome.is_good()).map(|c| Fault::of(c, Origin::Vendor));
            ledger.fill(|_| Verdict { fault, ..Verdict::new(outcome, evidence) });
            return true;
        }
        false
    }

    /// Readable, but nothing in it is a verdict we know.
    fn nothing_said(&mut self, ledger: &mut Ledger<'a>) {
        let status = self.reply.status;
        if (400..500).contains(&status) && status != 408 {
            return self.by_status(ledger, Outcome::Failed);
        }
        if status >= 400 {
            return self.by_status(ledger, Outcome::Unknown);
        }
        // A bare 202 without a body is a promise, not a result.
        if status == 202 && self.scope.root.is_none() {
            self.trace.whole(Outcome::Accepted, Evidence::Batch, "a bare 202");
            self.bare = Bare::Accepted;
            ledger.fill(|_| Verdict::new(Outcome::Accepted, Evidence::Batch));
            return;
        }
        if self.request.action().lookup
            && self.request.asked.is_empty()
            && self.task.is_some()
            && self.scope.root.is_some()
        {
            self.bare = Bare::Unknown;
        }
        if self.scope.root.is_some() {
            self.body = BodyState::Unparsed;
        }
        self.note("reply_unrecognised", "the reply fits no shape the profile knows");
        self.unreadable(ledger);
    }

    fn by_status(&mut self, ledger: &mut Ledger<'a>, outcome: Outcome) {
        let category = Category::of_status(self.reply.status);
        let mut fault = Fault::of(category, Origin::Vendor);
        fault.retry_after_ms = outer::retry_after_header(self.reply.headers);
        self.bare = if outcome == Outcome::Failed { Bare::Failed } else { Bare::Unknown };
        self.trace.whole(outcome, Evidence::Batch, "the HTTP status, since the body says nothing known");
        ledger.fill(|_| {
            let mut verdict = Verdict::new(outcome, Evidence::Batch);
            verdict.fault = Some(fault);
            verdict
        });
    }

    /// Nothing was stated: every item may or may not have been done.
    fn unreadable(&mut self, ledger: &mut Ledger<'a>) {
        self.bare = Bare::Unknown;
        let status = self.reply.status;
        let category = if status >= 400 { Category::of_status(status) } else { Category::BadResponse };
        self.trace.whole(Outcome::Unknown, Evidence::None, "nothing usable was stated");
        ledger.fill(|_| {
            let mut verdict = Verdict::new(Outcome::Unknown, Evidence::None);
            verdict.fault = Some(Fault::of(category, Origin::Vendor));
            verdict
        });
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
        refused.then(|| {
            let status = self.reply.status;
            let category = if status >= 400 { Category::of_status(status) } else { Category::BadResponse };
            Fault::of(category, Origin::Vendor)
        })
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
