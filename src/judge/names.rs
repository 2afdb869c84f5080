//! What names and values say of a failure, whoever the vendor is: the net's words.

use crate::decode::{Kind, Value};

/// What a name lets expect of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// Something failed, if the value is more than nothing.
    Failure,
    /// A flag of success, which may say no.
    Flag,
    /// An HTTP status inside a body.
    HttpStatus,
    /// A state or a return code.
    State,
}

/// Longer words that hold a part of a failure's name and mean none.
const INNOCENT: [&str; 5] = ["default", "failover", "failback", "faulttoleran", "errorpolicy"];
/// What a name lets expect; nothing for most.
#[inline]
pub(super) fn suspicion(name: &str) -> Option<Suspicion> {
    if names_failure(name) {
        return Some(Suspicion::Failure);
    }
    if name.len() > 16 {
        return None;
    }
    let is = |words: &[&str]| words.iter().any(|word| same_name(word, name));
    // By the first letter: this is asked of every name there is.
    let (flags, statuses, states): (&[&str], &[&str], &[&str]) = match name.as_bytes().first()? | 0x20 {
        b's' => (&["success", "succeeded", "succeed", "successful"], &["statuscode"], &["status", "state"]),
        b'o' => (&["ok"], &[], &[]),
        b'i' => (&["issuccess", "issuccessful"], &[], &[]),
        b'a' => (&["acknowledged"], &[], &[]),
        b'h' => (&[], &["httpstatuscode", "httpstatus"], &[]),
        b'r' => (&[], &[], &["result", "ret", "retcode", "returncode", "resultcode"]),
        _ => return None,
    };
    if is(flags) {
        Some(Suspicion::Flag)
    } else if is(statuses) {
        Some(Suspicion::HttpStatus)
    } else {
        is(states).then_some(Suspicion::State)
    }
}

/// The part of a failure's name that begins at a place of a name: a part counts wherever it stands, since vendors write
/// `errorCode`, `failed_ids`, `RejectedRecords`, `errorcode_message`.
#[inline]
pub(super) fn part_at(bytes: &[u8], at: usize) -> Option<&'static str> {
    // By the first two letters: this is asked of every letter of every name.
    let parts: &[&str] = match (bytes[at] | 0x20, bytes.get(at + 1)? | 0x20) {
        (b'e', b'r') => &["error"],
        (b'e', b'x') => &["exception"],
        (b'f', b'a') => &["fail", "fault"],
        (b'r', b'e') => &["reject"],
        (b'c', b'o') => &["conflict"],
        (b'c', b'a') => &["cancel"],
        (b'd', b'e') => &["denied"],
        (b'i', b'n') => &["invalid"],
        (b'i', b'g') => &["ignored"],
        (b'u', b'n') => &["unprocess", "unsuccess"],
        (b's', b'k') => &["skipped"],
        (b'm', b'i') => &["missing"],
        (b'n', b'o') => &["notfound", "not_found"],
        _ => return None,
    };
    parts.iter().find(|part| starts(&bytes[at..], part)).copied()
}

/// For each first letter of a part (and of `err`) the second letters, as bits: rules out nearly every place of every name.
const PAIRS: [u32; 32] = {
    let pairs = [
        *b"er", *b"ex", *b"fa", *b"re", *b"co", *b"ca", *b"de", *b"in", *b"ig", *b"un", *b"sk", *b"mi",
        *b"no",
    ];
    let mut bits = [0; 32];
    let mut at = 0;
    while at < pairs.len() {
        bits[(pairs[at][0] & 31) as usize] |= 1 << (pairs[at][1] & 31);
        at += 1;
    }
    bits
};

/// Whether a name speaks of a failure, in any case or convention.
#[inline]
pub(super) fn names_failure(name: &str) -> bool {
    let bytes = name.as_bytes();
    let pair = |at: &usize| PAIRS[(bytes[*at] & 31) as usize] >> (bytes[at + 1] & 31) & 1 == 1;
    let mut begins = (0..bytes.len().saturating_sub(1)).filter(pair);
    if begins.clone().any(|at| part_at(bytes, at).is_some()) {
        return !INNOCENT.iter().any(|word| contains(bytes, word));
    }
    // `err` alone is short enough to stand in innocent words (`interrupt`, `override`): only as a word of its own.
    begins.any(|at| starts(&bytes[at..], "err")) && has_err(bytes)
}

/// Whether a name speaks of an error: of a failure of what it names, whatever the action does.
pub(super) fn names_error(name: &str) -> bool {
    names_failure(name) && ["error", "fault", "exception"].iter().any(|part| contains(name.as_bytes(), part))
}

/// Whether the parts of a name that speak of a failure are the action's own words.
pub(super) fn is_of_action(name: &str, action: &str) -> bool {
    let bytes = name.as_bytes();
    !names_error(name)
        && !has_err(bytes)
        && (0..bytes.len()).all(|at| part_at(bytes, at).is_none_or(|part| contains(action.as_bytes(), part)))
}

pub(super) fn has_err(bytes: &[u8]) -> bool {
    let after = |at: usize| bytes.get(at + 3);
    (0..bytes.len().saturating_sub(2)).any(|at| {
        starts(&bytes[at..], "err")
            && (at == 0 || !bytes[at - 1].is_ascii_alphabetic() || bytes[at].is_ascii_uppercase())
            && after(at).is_none_or(|next| {
                !next.is_ascii_lowercase()
                    || ["msg", "code", "no", "info", "s", "desc"]
                        .iter()
                        .any(|tail| starts(&bytes[at + 3..], tail))
            })
    })
}

#[inline]
pub(super) fn starts(bytes: &[u8], part: &str) -> bool {
    // The second letter rules out nearly all.
    let second = |text: &[u8]| text.get(1).map(|letter| letter | 0x20);
    (part.len() == 1 || second(bytes) == second(part.as_bytes()))
        && bytes.get(..part.len()).is_some_and(|head| head.eq_ignore_ascii_case(part.as_bytes()))
}

pub(super) fn contains(bytes: &[u8], part: &str) -> bool {
    (0..bytes.len()).any(|at| starts(&bytes[at..], part))
}

/// Whether two names are the same but for case, `_` and `-`.
pub(super) fn same_name(plain: &str, name: &str) -> bool {
    if name.len() < plain.len() || name.len() > plain.len() + 2 {
        return false;
    }
    let mut left = name.bytes().filter(|b| !matches!(b, b'_' | b'-')).map(|b| b.to_ascii_lowercase());
    plain.bytes().all(|b| left.next() == Some(b)) && left.next().is_none()
}

/// Whether a value says more than nothing: not null, empty, zero, false, or a word of success.
pub(super) fn says_something(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Null => false,
        Kind::Object => value.members().any(|(_, inner)| says_something(inner)),
        Kind::Array => value.elements().any(|inner| inner.kind() != Kind::Null),
        _ => value.scalar().is_some_and(|text| !is_nothing(text.raw)),
    }
}

/// Words for "no failure".
pub(super) fn is_nothing(text: &str) -> bool {
    const WORDS: [&str; 22] = [
        "",
        "false",
        "ok",
        "success",
        "succeeded",
        "succeed",
        "successful",
        "successfully",
        "none",
        "null",
        "nil",
        "no",
        "n/a",
        "-",
        "done",
        "completed",
        "complete",
        "finished",
        "accepted",
        "no error",
        "noerror",
        "200",
    ];
    let text = text.trim();
    let text = text.strip_suffix('.').unwrap_or(text);
    let zero = || text.parse::<f64>().is_ok_and(|number| number == 0.0);
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) || zero()
}

pub(super) fn says_no(value: Value<'_>) -> bool {
    value.scalar().is_some_and(|text| {
        ["false", "no", "0", "failed", "fail", "failure", "error"]
            .iter()
            .any(|no| no.eq_ignore_ascii_case(text.raw))
    })
}

pub(super) fn says_failed(value: Value<'_>) -> bool {
    const WORDS: [&str; 6] = ["failed", "fail", "failure", "error", "rejected", "aborted"];
    value.scalar().is_some_and(|text| {
        WORDS.iter().any(|word| word.eq_ignore_ascii_case(text.raw))
            || text.raw.parse::<i64>().is_ok_and(|n| n < 0)
    })
}

pub(super) fn is_bad_status(value: Value<'_>) -> bool {
    value.scalar().and_then(|text| text.raw.parse::<u16>().ok()).is_some_and(|status| status >= 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_known_by_name_in_any_convention() {
        for name in [
            "error",
            "Errors",
            "errorCode",
            "error_msg",
            "errMsg",
            "ErrCode",
            "err",
            "failed_ids",
            "failureCount",
            "FailedRecordCount",
            "failedToCreateVmCount",
            "version_conflicts",
            "UnprocessedItems",
            "unsuccessful_keys",
            "errorcode_message",
            "notFound",
            "not_found",
            "rejectedRecords",
            "InvalidParameters",
            "isFault",
            "lastErr",
        ] {
            assert!(names_failure(name), "{name}");
        }
        for name in [
            "isDefault",
            "failoverPriority",
            "interrupt",
            "override",
            "requestId",
            "serrano",
            "terraform",
            "id",
            "code",
            "overridden",
        ] {
            assert!(!names_failure(name), "{name}");
        }
    }

    #[test]
    fn nothing_and_words_of_success_say_nothing() {
        for text in ["", "0", "0.0", "false", "OK", "Success", "none", "200"] {
            assert!(is_nothing(text), "{text}");
        }
        for text in ["1", "true", "boom", "500", "not found"] {
            assert!(!is_nothing(text), "{text}");
        }
    }
}
