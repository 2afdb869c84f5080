//! One entry of a reply → one statement about one item.

use super::alike::{Examples, Statement, Told};
use super::found::Found;
use super::join::{self, Hit};
use super::ledger::Ledger;
use super::outer::{delay, trimmed_code};
use super::scope::{Scope, each};
use super::trace::Trace;
use crate::decode::{Scalar, Value};
use crate::envelope::{Advice, Category, Evidence, Fault, Origin, Outcome, Task, TaskState, Texts, Verdict};
use crate::profile::codes::{Class, http_status};
use crate::profile::reply::{EntryRule, OutcomeRule, Word};

/// Reads every entry of every rule into the ledger. Returns how many there were.
pub(super) fn collect<'a>(
    scope: &Scope<'a>,
    ledger: &mut Ledger<'a>,
    data: bool,
    trace: &mut Trace,
) -> usize {
    let Some(root) = scope.root else { return 0 };
    let mut total = 0;
    for rule in &scope.request.profile.reply.entries {
        if !scope.holds(&rule.when) {
            continue;
        }
        ledger.start_rule(rule.fallback);
        let mut own = scope.of_rule(rule);
        let mut examples = Examples::new(rule, scope, trace.is_on());
        let (mut position, mut place) = (0, 0);
        each(rule, root, &mut |here, key| {
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
                let told = state(rule, &own, ledger, data, trace, &examples);
                examples.learn(&own, told);
            }
            position += 1;
            total += 1;
        });
    }
    total
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
    data: bool,
    trace: &mut Trace,
    examples: &Examples<'a>,
) -> Option<Told<'a>> {
    let task = scope.task(&rule.task);
    let read = read_outcome(&rule.outcome, scope, task.is_some());
    let Some(outcome) = read.word.outcome(scope.request.action().asynchronous) else {
        return examples.silence(scope);
    };
    let texts = &mut ledger.texts;
    let mut verdict = Verdict::new(outcome, Evidence::Reported);
    if !outcome.is_good() {
        verdict.fault = Some(fault(rule, scope, &read, outcome, texts));
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
            return;
        }
        trace.item(rule.number, outcome, || name_of(item, id.as_ref(), scope), how);
        verdict.id = id.map(|id| id.store(&mut ledger.texts));
        if item.is_none() {
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

/// For people: the item's id, else its position.
fn name_of(item: Option<u32>, id: Option<&Found<'_>>, scope: &Scope<'_>) -> String {
    let asked = item.and_then(|item| scope.request.asked.id(item as usize).map(str::to_owned));
    let own = || id.map(|id| id.decode().into_owned());
    asked.or_else(own).unwrap_or_else(|| format!("#{}", scope.position))
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
    let class = known.or_else(by_status).unwrap_or(Class::of(fallback));
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

/// Words that say that something failed, and nothing about why.
fn is_bare_failure(word: &str) -> bool {
    const BARE: [&str; 9] =
        ["failed", "fail", "failure", "error", "false", "unsuccessful", "no", "faild", "0"];
    BARE.iter().any(|bare| bare.eq_ignore_ascii_case(word))
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
        if !http {
            read.http = None;
        }
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
