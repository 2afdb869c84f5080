//! The vendor's verdict on the whole call.

use http::HeaderMap;

use super::found::Found;
use super::names::{is_nothing, names_error, says_something};
use super::scope::Scope;
use super::trace::Trace;
use crate::decode::Kind;
use crate::envelope::{Advice, Category, Fault, Origin, Outcome, Texts};
use crate::profile::codes::Class;
use crate::profile::place::Place;
use crate::profile::reply::OuterRule;

/// What the outer verdict amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OuterKind {
    /// No failure is claimed.
    Fine,
    /// "Somebody failed": a summary, never a verdict by itself.
    Summary,
    /// By definition every item failed.
    AllFailed,
    /// A refusal or crash of the call.
    Failed,
}

#[derive(Debug)]
pub(super) struct Outer {
    pub(super) kind: OuterKind,
    pub(super) fault: Option<Fault>,
    /// The vendor says in so many words that all went well.
    pub(super) says_success: bool,
    /// The outer code is the vendor's "this was a dry run".
    pub(super) dry_run: bool,
    /// The shape that was read; what it read is not unread.
    pub(super) read: Option<usize>,
}

impl Outer {
    const FINE: Self =
        Self { kind: OuterKind::Fine, fault: None, says_success: false, dry_run: false, read: None };

    /// Whether the failure has a code.
    pub(super) fn is_coded(&self) -> bool {
        self.fault.as_ref().is_some_and(|fault| fault.vendor_code.is_some())
    }

    pub(super) fn category(&self) -> Category {
        self.fault.as_ref().map_or(Category::Unknown, |fault| fault.category)
    }
}

/// Every outer shape is read, and the worst counts: a failure before a success, a refusal before a mere summary; among
/// equals the first, which is the more specific.
pub(super) fn find<'a>(scope: &Scope<'a>, texts: &mut Texts<'a>, trace: &mut Trace) -> Outer {
    let mut worst = Outer::FINE;
    let mut told = None;
    let own = scope.request.profile.reply.own_outer;
    for (number, rule) in scope.request.profile.reply.outer.iter().enumerate() {
        if !scope.holds(&rule.when) {
            continue;
        }
        let inner;
        let scope = if rule.unwrap {
            inner = unwrapped(scope);
            let Some(inner) = &inner else { continue };
            inner
        } else {
            scope
        };
        let code = scope.text(&rule.code).map(|code| trimmed_code(code, scope));
        let word = scope.text(&rule.status);
        let claims = word.as_ref().is_some_and(|word| rule.failed.contain(&word.decode()));
        let says_success = code.as_ref().is_some_and(|code| rule.success.contain(&code.decode()));
        let failed_code = code.as_ref().filter(|_| !says_success).map(|code| code.decode().into_owned());
        // The code of a summary or a dry run, read once more by a more general shape.
        if failed_code.is_some() && failed_code == told {
            continue;
        }
        let found = match code {
            Some(code) if !says_success => {
                trace.outer(number + 1, own, || format!("code {:?}", code.decode()));
                failed(rule, scope, Some(code), texts)
            }
            _ if claims => {
                trace.outer(number + 1, own, || "its status claims a failure".to_owned());
                failed(rule, scope, None, texts)
            }
            Some(_) => {
                trace.outer(number + 1, own, || "its code says success".to_owned());
                worst.says_success = true;
                continue;
            }
            // Some vendors only say it in words; a rule with a category takes those for a failure.
            None if rule.category.is_some() && scope.message(&rule.message).is_some() => {
                trace.outer(number + 1, own, || "a message without a code".to_owned());
                failed(rule, scope, None, texts)
            }
            None => continue,
        };
        if found.kind == OuterKind::Summary || found.dry_run {
            told = failed_code;
        }
        if found.dry_run || found.kind > worst.kind {
            let says_success = worst.says_success;
            worst = Outer { says_success: says_success || found.says_success, read: Some(number), ..found };
        }
        // Nothing is worse.
        if worst.kind == OuterKind::Failed {
            break;
        }
    }
    worst
}

/// The scope of the one member of the root, which `unwrap` goes into.
fn unwrapped<'a>(scope: &Scope<'a>) -> Option<Scope<'a>> {
    let mut members = scope.root?.members();
    let (key, value) = members.next()?;
    (members.next().is_none() && value.kind() == Kind::Object).then(|| Scope {
        here: Some(value),
        key: Some(key),
        letters: u64::MAX,
        ..scope.clone()
    })
}

fn failed<'a>(rule: &OuterRule, scope: &Scope<'a>, code: Option<Found<'a>>, texts: &mut Texts<'a>) -> Outer {
    let vendor = &scope.request.profile.vendor;
    let text = code.as_ref().map(|code| code.decode().into_owned()).unwrap_or_default();
    if !text.is_empty() && vendor.dry_run_codes.iter().any(|dry| dry.eq_ignore_ascii_case(&text)) {
        return Outer { dry_run: true, ..Outer::FINE };
    }
    let kind = if rule.summary.contain(&text) {
        OuterKind::Summary
    } else if rule.all_failed.contain(&text) {
        OuterKind::AllFailed
    } else {
        OuterKind::Failed
    };
    let known = code.as_ref().filter(|_| kind != OuterKind::Summary).and_then(|_| vendor.codes.find(&text));
    let class = known.unwrap_or_else(|| {
        Class::of(match (rule.category, scope.reply.status) {
            (Some(category), _) => category,
            (None, status @ 400..) if code.is_none() => Category::of_status(status),
            _ => Category::Unknown,
        })
    });
    let retry_after_ms = delay(scope, &rule.retry_after).or_else(|| retry_after_header(scope.reply.headers));
    Outer {
        kind,
        fault: Some(Fault {
            category: class.category,
            origin: Origin::Vendor,
            // A delay is the vendor's own invitation to come back.
            advice: if retry_after_ms.is_some() && class.category == Category::RateLimited {
                Advice::Retry
            } else {
                class.advice
            },
            vendor_code: code.map(|code| code.store(texts)),
            message: scope.message(&rule.message).map(|message| message.store(texts)),
            retry_after_ms,
        }),
        says_success: false,
        dry_run: false,
        read: None,
    }
}

/// A verdict on the whole call: refused before work, or possibly after it?
pub(super) fn weigh(status: u16, category: Category) -> Outcome {
    match (status, category) {
        // Flow control refuses before work, whatever its status.
        (_, Category::RateLimited) => Outcome::Failed,
        (_, Category::Timeout) => Outcome::Unknown,
        (500.., _) => Outcome::Unknown,
        (400..500, _) => Outcome::Failed,
        // Vendors that always answer 200: only the code can tell.
        (_, Category::Internal | Category::Unavailable | Category::BadResponse) => Outcome::Unknown,
        _ => Outcome::Failed,
    }
}

/// `code_after` and `code_before` applied.
pub(super) fn trimmed_code<'a>(code: Found<'a>, scope: &Scope<'a>) -> Found<'a> {
    let rules = &scope.request.profile.reply;
    if rules.code_after.is_none() && rules.code_before.is_none() {
        return code;
    }
    let text = code.decode();
    let mut part = text.as_ref();
    if let Some(after) = &rules.code_after {
        part = part.rsplit(after.as_str()).next().unwrap_or(part);
    }
    if let Some(before) = &rules.code_before {
        part = part.split(before.as_str()).next().unwrap_or(part);
    }
    if part.len() == text.len() {
        drop(text);
        return code;
    }
    Found::Made(part.trim().to_owned())
}

/// The first delay found, in milliseconds.
pub(super) fn delay(scope: &Scope<'_>, places: &[(Place, u64)]) -> Option<u32> {
    places.iter().find_map(|(place, unit)| {
        let text = scope.text_at(place)?;
        let text = text.decode();
        let number: f64 = text.trim().trim_end_matches('s').parse().ok()?;
        (number.is_finite() && (0.0..4e6).contains(&number)).then_some((number * *unit as f64) as u32)
    })
}

/// `Retry-After` in seconds; its date form says nothing without a clock.
pub(super) fn retry_after_header(headers: &HeaderMap) -> Option<u32> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: u32 = value.trim().parse().ok()?;
    Some(seconds.saturating_mul(1000))
}

/// Where the reply states an error about the whole call, in whatever shape: at the places that vendor and family name, in
/// a header with the name of an error, or by the root element of an XML reply.
pub(super) fn stated_error(scope: &Scope<'_>, root_name: Option<&str>, summed_up: bool) -> Option<String> {
    let said = |place: &&Place| match place {
        Place::Here(pointer) | Place::Root(pointer) => {
            scope.may_lead(pointer) && scope.root.is_some_and(|root| pointer.visit(root, &mut says_something))
        }
        other => scope.text_at(other).is_some_and(|text| !is_nothing(&text.decode())),
    };
    // A summary is such an error, and read as what it is.
    let places = &scope.request.profile.reply.errors;
    if let Some(place) = places.iter().filter(|_| !summed_up).find(said) {
        return Some(place.to_string());
    }
    if let Some(name) = root_name.filter(|name| names_error(name)) {
        return Some(format!("<{name}>"));
    }
    let header = scope.reply.headers.iter().find(|(name, value)| {
        let named =
            memchr::memmem::find(name.as_str().as_bytes(), b"error").is_some() || *name == "grpc-status";
        named && value.to_str().is_ok_and(|value| !is_nothing(value))
    });
    header.map(|(name, _)| format!("@header/{name}"))
}
