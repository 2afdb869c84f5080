//! One entry of a reply → one statement about one item.

use super::alike::{Examples, Statement, Told};
use super::evidence::{Basis, Doubt, Doubts, weigh};
use super::found::Found;
use super::join::{self, Hit, How};
use super::ledger::Ledger;
use super::names::{is_nothing, names_error};
use super::outer::{delay, trimmed_code};
use super::scope::{Scope, each};
use super::trace::Trace;
use crate::decode::{Kind, Scalar, Value};
use crate::envelope::{Advice, Category, Evidence, Fault, Origin, Outcome, Task, TaskState, Texts, Verdict};
use crate::profile::codes::{Class, http_status};
use crate::profile::place::Place;
use crate::profile::reply::{EntryRule, Join, OutcomeRule, Shape, Word};

/// What the entries of a reply amount to, beside what the ledger holds of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spoken {
    /// How many entries there were.
    pub(super) entries: usize,
    /// Whether a list spoke that names every failure.
    pub(super) exhaustive: bool,
    /// Whether something else stands where failures belong.
    pub(super) misshapen: bool,
}

/// Reads every entry of every rule into the ledger. `doubts` are those of the whole reply.
pub(super) fn collect<'a>(
    scope: &Scope<'a>,
    ledger: &mut Ledger<'a>,
    doubts: Doubts,
    data: bool,
    trace: &mut Trace,
) -> Spoken {
    let mut spoken = Spoken::default();
    let Some(root) = scope.root else { return spoken };
    for rule in &scope.request.profile.reply.entries {
        if !scope.holds(&rule.when) {
            continue;
        }
        ledger.start_rule(rule.fallback);
        let mut own = scope.of_rule(rule);
        let mut examples = Examples::new(rule, scope, trace.is_on());
        let (mut position, mut place) = (0, 0);
        let misshapen = each(rule, root, &mut |here, key| {
            if ledger.is_over() {
                return;
            }
            own.listed_at = place;
            place += 1;
            let told = match examples.of(here, key.is_some()) {
                Some(Told::Left) => return,
                Some(Told::Silent) => true,
                Some(Told::Said(statement)) => say(statement, here, key, ledger, data),
                None => false,
            };
            if !told {
                own.here = Some(here);
                own.key = key;
                own.position = position;
                if !own.holds(&rule.filter) {
                    return examples.learn(&own, Some(Told::Left));
                }
                if let Some(nested) = rule.nested.as_ref().filter(|_| rule.shape != Shape::MapOfLists) {
                    let list =
                        nested.first(here).filter(|list| list.kind() == Kind::Array && !list.is_empty());
                    let inner: Vec<Value<'a>> =
                        list.map_or_else(|| vec![here], |list| list.elements().collect());
                    for (at, entry) in inner.iter().enumerate() {
                        own.here = Some(*entry);
                        own.group = Some((place - 1, at, if list.is_some() { inner.len() } else { 0 }));
                        state(rule, &own, ledger, doubts, data, trace, &examples);
                    }
                } else {
                    let told = state(rule, &own, ledger, doubts, data, trace, &examples);
                    examples.learn(&own, told);
                }
            }
            position += 1;
            spoken.entries += 1;
        });
        spoken.exhaustive |= rule.exhaustive && (position > 0 || misshapen);
        if misshapen {
            trace.doubt(Doubt::Unplaced, || {
                format!("[[reply.entries]] {}: no list stands there", rule.number)
            });
            ledger.unplaced();
            spoken.misshapen |= rule.outcome.can_fail() || rule.shape == Shape::MapOfLists;
        }
    }
    spoken
}

/// States what an example tells; false where the entry must be read in full.
#[inline]
fn say<'a>(
    statement: &Statement<'a>,
    here: Value<'a>,
    key: Option<Scalar<'a>>,
    ledger: &mut Ledger<'a>,
    data: bool,
) -> bool {
    let Some(id) = statement.id(here, key) else { return false };
    let Some((verdict, mut own)) = statement.verdict(here, &mut ledger.texts) else { return false };
    let Some(item) = ledger.find(id) else { return false };
    ledger.name(item);
    if data {
        own.data = Some(ledger.texts.refer(here.raw(), false));
    }
    ledger.state_like(item, verdict, own);
    true
}

/// Judges one entry, and tells what the next that is like it can be told by.
fn state<'a>(
    rule: &EntryRule,
    scope: &Scope<'a>,
    ledger: &mut Ledger<'a>,
    doubts: Doubts,
    data: bool,
    trace: &mut Trace,
    examples: &Examples<'a>,
) -> Option<Told<'a>> {
    let task = scope.task(&rule.task);
    let read = read_outcome(&rule.outcome, scope, task.is_some());
    let Some(claim) = read.word.outcome(scope.request.action().asynchronous) else {
        return examples.silence(scope);
    };
    // An entry that is the only one of its list, and says more about failures than the rule reads.
    let only = rule.exhaustive && rule.shape == Shape::One && !claim.is_good();
    if only && scope.here.is_some_and(|here| scope.net(&rule.weighed).first(here, false).is_some()) {
        ledger.unplaced();
    }
    let (outcome, caught) = prove(rule, scope, &read, task.is_some(), claim, doubts, trace);
    let texts = &mut ledger.texts;
    let mut verdict = Verdict::new(outcome, Evidence::Reported);
    if !outcome.is_good() {
        let mut fault = fault(rule, scope, &read, outcome, texts);
        if let (None, Some(text)) = (fault.message, caught.and_then(Value::scalar)) {
            fault.message = Some(Found::from(text).store(texts));
        }
        verdict.fault = Some(fault);
    }
    if let Some(id) = &task {
        verdict.task = Some(item_task(id, outcome, &read, scope, texts));
    }
    if data {
        verdict.data = scope.here.map(|here| texts.refer(here.raw(), false));
    }
    let mut about = None;
    join::resolve(rule, scope, ledger, &mut |ledger, hit, how| {
        let mut verdict = verdict;
        let (item, id) = match hit {
            Hit::Asked(item, id) => (Some(item), id),
            Hit::Unasked(id) => (None, id),
        };
        about = item;
        if item.is_none() && rule.only_asked {
            // One without an id, or in another spelling, may be one that was asked.
            let near = |id: &Found<'_>| ledger.has_in_any_case(&id.decode());
            if outcome == Outcome::Failed && id.as_ref().is_none_or(near) {
                ledger.unplaced();
            }
            return;
        }
        if how == How::Group {
            // One word for several: a refusal stands for all of them, a success for none.
            verdict.evidence = Evidence::Batch;
            if outcome.is_good() {
                verdict = Verdict { fault: Some(Fault::of(Category::Unknown, Origin::Vendor)), ..verdict };
                (verdict.outcome, verdict.evidence) = (Outcome::Unknown, Evidence::None);
            }
        }
        let at = || scope.here.map(|here| scope.way_to(here)).unwrap_or_default();
        let named = || name_of(item, id.as_ref(), scope);
        let words = if scope.request.asked.is_empty() { LISTED } else { how.words() };
        trace.item(rule.number, outcome, named, at, words);
        if matches!(outcome, Outcome::Failed | Outcome::NotAttempted) {
            let taken = how.is_place() && item.is_some_and(|item| ledger.spoke(item));
            // Where nobody was asked for by name, nobody is a stranger.
            let stranger = item.is_none() && !scope.request.asked.is_empty();
            if (stranger && !scope.request.profile.reply.volunteers) || taken {
                ledger.unplaced();
            }
        }
        match item {
            Some(item) if !how.is_place() => ledger.name(item),
            Some(item) if outcome == Outcome::Failed && !rule.id.is_empty() => ledger.guess(item),
            _ => {}
        }
        verdict.id = id.map(|id| id.store(&mut ledger.texts));
        let unkeyed = item.is_none_or(|item| scope.request.asked.key(item as usize).is_none());
        if unkeyed && !rule.key.is_empty() {
            verdict.key = scope.text(&rule.key).map(|key| key.store(&mut ledger.texts));
        }
        ledger.state(item, verdict);
    });
    if !examples.wants_more() {
        return None;
    }
    // Only what its own first id led to can be found again that way.
    let by_first = about.is_some()
        && about == scope.text(&rule.id).and_then(|id| scope.request.asked.by_id(&id.decode()));
    if by_first { examples.statement(verdict, scope) } else { None }
}

/// What an entry's claim is worth: good needs a mark of its own, and nothing in the entry that speaks of a failure. The
/// second is the member that does.
fn prove<'a>(
    rule: &EntryRule,
    scope: &Scope<'a>,
    read: &Read<'a>,
    has_task: bool,
    claim: Outcome,
    doubts: Doubts,
    trace: &mut Trace,
) -> (Outcome, Option<Value<'a>>) {
    if !claim.is_good() {
        return (claim, None);
    }
    // A word of success beside an error code: the worst counts.
    // A place that decides is not asked again.
    let by = rule.outcome.places();
    // Beside a code that is the status, only what is called an error is one: the rest may tell what was done.
    let asks =
        |place: &&Place| !by.contains(place) && (!rule.code_is_status || names_error(&place.to_string()));
    let code = rule.code.iter().filter(asks).find_map(|place| scope.text_at(place));
    if code.is_some_and(|code| !says_success(&code.decode())) {
        trace.doubt(Doubt::Error, || format!("[[reply.entries]] {}: its code says otherwise", rule.number));
        return (Outcome::Failed, None);
    }
    let net = scope.net(&rule.weighed);
    if let Some(caught) = scope.here.and_then(|here| net.first(here, false)) {
        trace.doubt(Doubt::Unread, || {
            format!("[[reply.entries]] {}: {}", rule.number, scope.way_to(caught.value))
        });
        let outcome = if caught.certain { Outcome::Failed } else { Outcome::Unknown };
        return (outcome, Some(caught.value));
    }
    // Being there at all is a mark by the page, but states nothing of its own.
    let there = |place: &Place| matches!(place, Place::Here(way) if way.is_self());
    // A name is one whatever it says: many number the entries of a batch from 0.
    let names = |place: &Place| rule.id.contains(place) || rule.key.contains(place);
    let solid = |place: &Place| scope.is_solid(place) || (names(place) && scope.text_at(place).is_some());
    let marked = rule.mark.iter().any(solid);
    let states = read.says_itself() || rule.mark.iter().any(|place| !there(place) && solid(place));
    let basis = if states { Basis::Entry } else { Basis::Listed };
    let named = || {
        has_task
            || [&rule.id, &rule.id_parts, &rule.key, &rule.index].into_iter().any(|p| scope.text(p).is_some())
            || rule.fans_out
            || rule.join.contains(&Join::Echo)
            || scope.content_id().is_some()
    };
    let unmarked = basis == Basis::Listed && !marked && (!rule.mark.is_empty() || !named());
    let doubts = doubts.with_if(Doubt::Unmarked, unmarked);
    match weigh(claim, basis, doubts) {
        Ok(outcome) => (outcome, None),
        Err(doubt) => {
            trace.doubt(doubt, || format!("[[reply.entries]] {}", rule.number));
            (Outcome::Unknown, None)
        }
    }
}

/// Whether a code beside a good status is no error's.
fn says_success(code: &str) -> bool {
    is_nothing(code) || code.trim().parse::<u16>().is_ok_and(|status| (200..300).contains(&status))
}

/// For people: how an entry is tied where a look-up asks for no resource by name.
const LISTED: &str = "listed by the vendor";

/// For people: the item's id, else its position.
fn name_of(item: Option<u32>, id: Option<&Found<'_>>, scope: &Scope<'_>) -> String {
    let asked = item.and_then(|item| scope.request.asked.id(item as usize).map(str::to_owned));
    let own = || id.map(|id| id.decode().into_owned());
    asked.or_else(own).unwrap_or_else(|| format!("entry {}", scope.position + 1))
}

fn item_task<'a>(
    id: &Found<'a>,
    outcome: Outcome,
    read: &Read<'a>,
    scope: &Scope<'a>,
    texts: &mut Texts<'a>,
) -> Task {
    let running = read.text.as_ref().is_some_and(|t| t.decode().eq_ignore_ascii_case("running"));
    let state = if running && outcome == Outcome::Accepted { TaskState::Running } else { outcome.into() };
    let monitor = scope.request.monitor_of(&id.decode()).map(|url| texts.refer(&url, false));
    let vendor_state =
        read.text.as_ref().filter(|_| scope.request.action().lookup).map(|text| text.store(texts));
    Task { id: id.store(texts), state, vendor_state, monitor }
}

fn fault<'a>(
    rule: &EntryRule,
    scope: &Scope<'a>,
    read: &Read<'a>,
    outcome: Outcome,
    texts: &mut Texts<'a>,
) -> Fault {
    let mut code = scope.text(&rule.code).map(|code| trimmed_code(code, scope));
    if rule.code_is_status {
        code = code.filter(|code| !is_bare_failure(&code.decode()));
    }
    let http = read.http.filter(|status| *status >= 400);
    code = code.or_else(|| http.map(|status| Found::Made(status.to_string())));
    let known = code.as_ref().and_then(|code| class_of(&code.decode(), scope));
    let by_status = || http.map(|status| Class::of(Category::of_status(status)));
    let fallback = match (rule.category, outcome) {
        (Some(category), _) => category,
        (None, Outcome::NotAttempted) => Category::Aborted,
        (None, _) => Category::Unknown,
    };
    // A stated 429 is throttling, whatever a table says of its code; a code that no table knows has its status.
    // A code that only says that something failed leaves the word to the one in the message.
    let known = match known {
        Some(class) if class.category != Category::Unknown => Some(class),
        vague => class_in_message(rule, scope).or(vague),
    };
    let class = if http == Some(429) {
        Class::of(Category::RateLimited)
    } else {
        known.or_else(by_status).unwrap_or(Class::of(fallback))
    };
    let mut advice = class.advice;
    if let Some(sender) = scope.text(&rule.sender_fault) {
        let sender = sender.decode().eq_ignore_ascii_case("true");
        advice = if sender { Advice::FixThenRetry } else { Advice::Retry };
    }
    let message = scope.message(&rule.message).or_else(|| read.reason.clone());
    let retry_after_ms = delay(scope, &rule.retry_after);
    let vendor_code = code.map(|code| code.store(texts));
    let message = message.map(|message| message.store(texts));
    Fault { category: class.category, origin: Origin::Vendor, advice, vendor_code, message, retry_after_ms }
}

/// A code's class, remembered: a batch's failures mostly share one.
fn class_of(code: &str, scope: &Scope<'_>) -> Option<Class> {
    let last = &mut scope.outside.borrow_mut().last_code;
    match last {
        Some((known, class)) if known == code => *class,
        _ => {
            let class = scope.request.profile.vendor.codes.find(code);
            *last = Some((code.to_owned(), class));
            class
        }
    }
}

/// The class of the code that opens the message, where a vendor writes the real one there.
fn class_in_message(rule: &EntryRule, scope: &Scope<'_>) -> Option<Class> {
    let vendor = &scope.request.profile.vendor;
    let (before, behind) = vendor.code_in_message.as_ref()?;
    let message = scope.text(&rule.message)?;
    let message = message.decode();
    let (code, _) = message.trim_start().strip_prefix(before.as_str())?.split_once(behind.as_str())?;
    vendor.codes.find(code)
}

/// Words that say that something failed, and nothing about why.
fn is_bare_failure(word: &str) -> bool {
    const BARE: [&str; 9] =
        ["failed", "fail", "failure", "error", "false", "unsuccessful", "no", "faild", "0"];
    BARE.iter().any(|bare| bare.eq_ignore_ascii_case(word))
}

impl Read<'_> {
    /// Whether a status was there to be read.
    fn says_itself(&self) -> bool {
        self.text.is_some()
    }
}

/// A verdict as read, with what it was read from.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) word: Word,
    /// The status text.
    text: Option<Found<'a>>,
    /// The HTTP status, where the text was one.
    http: Option<u16>,
    /// The reason phrase of a status line.
    reason: Option<Found<'a>>,
}

pub(super) fn read_outcome<'a>(rule: &OutcomeRule, scope: &Scope<'a>, has_task: bool) -> Read<'a> {
    let (places, words, http, http_202, with_task, missing, otherwise) = match rule {
        OutcomeRule::Always(word) => return Read { word: *word, text: None, http: None, reason: None },
        OutcomeRule::By { places, words, http, http_202, with_task, missing, otherwise } => {
            (places, words, *http, *http_202, *with_task, *missing, *otherwise)
        }
    };
    let text = scope.text(places);
    let mut read = Read { word: missing, text: None, http: None, reason: None };
    if let Some(found) = text {
        let plain = found.decode();
        read.word = match words.iter().find(|(list, _)| list.contain(&plain)) {
            Some((_, word)) => *word,
            None if http => {
                let (status, reason) = status_line(&plain);
                read.http = status;
                read.reason = reason.map(|r| Found::Made(r.to_owned()));
                match status {
                    Some(202) => http_202,
                    Some(200..=299) => Word::Done,
                    // Redirects and informational answers promise nothing.
                    Some(400..) => Word::Is(Outcome::Failed),
                    _ => Word::Is(Outcome::Unknown),
                }
            }
            None => otherwise,
        };
        drop(plain);
        read.text = Some(found);
    }
    if let (Word::Done, true, Some(word)) = (read.word, has_task, with_task) {
        read.word = word;
    }
    read
}

/// `404`, `404 Not Found` or `HTTP/1.1 404 Not Found` taken apart.
fn status_line(text: &str) -> (Option<u16>, Option<&str>) {
    let rest = match text.strip_prefix("HTTP/") {
        Some(versioned) => versioned.split_once(' ').map_or("", |(_, rest)| rest),
        None => text,
    };
    let (number, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = number.parse().ok().filter(|n| (100..600).contains(n)).or_else(|| http_status(number));
    (status, Some(reason.trim()).filter(|r| !r.is_empty()))
}
