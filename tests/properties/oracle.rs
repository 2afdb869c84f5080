//! `docs/envelope.md` sections 3 to 6 and 9 once more, written from the page and not from the code.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::judge::Judged;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../docs/envelope.schema.json")).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
});

/// Section 6.
const STATUS: [(&str, u16); 19] = [
    ("invalid_argument", 400),
    ("unauthenticated", 401),
    ("payment_required", 402),
    ("permission_denied", 403),
    ("quota_exceeded", 403),
    ("not_found", 404),
    ("already_exists", 409),
    ("conflict", 409),
    ("failed_precondition", 409),
    ("aborted", 424),
    ("rate_limited", 429),
    ("unsupported", 501),
    ("internal", 502),
    ("bad_response", 502),
    ("unreachable", 502),
    ("unavailable", 503),
    ("out_of_capacity", 503),
    ("timeout", 504),
    ("unknown", 502),
];

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Everything that holds for any envelope of a batch with these ids or keys, each asked once.
pub fn assert_sound(judged: &Judged, asked: &[String], member: &str) {
    let told = &judged.text;
    let problems: Vec<String> =
        SCHEMA.iter_errors(&judged.envelope).map(|problem| problem.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}: {told}");
    let outcomes = ["succeeded", "accepted", "failed", "not_attempted", "unknown"];
    let verdicts: Vec<&Value> = judged.verdicts().collect();
    let of = |outcome: &str| verdicts.iter().filter(|verdict| verdict["outcome"] == outcome).count() as u64;
    for outcome in outcomes {
        assert_eq!(judged.count(outcome), of(outcome), "{outcome}: {told}");
    }
    assert_eq!(judged.count("total"), verdicts.len() as u64, "{told}");
    let inferred = verdicts.iter().filter(|verdict| verdict["evidence"] == "inferred").count() as u64;
    assert_eq!(judged.count("inferred"), inferred, "{told}");
    let retryable =
        verdicts.iter().filter(|verdict| text(verdict, "/error/advice") == "retry").count() as u64;
    assert_eq!(judged.count("retryable"), retryable, "{told}");
    for result in judged.results() {
        let (outcome, advice) = (text(result, "/outcome"), text(result, "/error/advice"));
        assert_eq!(matches!(outcome, "succeeded" | "accepted"), result.get("error").is_none(), "{told}");
        assert!(outcome != "unknown" || advice == "reconcile", "{told}");
        assert!(result["evidence"] != "none" || outcome == "unknown", "{told}");
    }
    assert_each_once(judged, asked, member);
    assert_eq!(text(&judged.envelope, "/outcome"), outcome(judged), "{told}");
    assert_eq!(judged.status, (status(judged), may_repeat(judged)), "{told}");
}

/// Every asked id has one verdict, in the request's order; what the vendor volunteered comes after.
fn assert_each_once(judged: &Judged, asked: &[String], member: &str) {
    let indices: Vec<u64> = judged.verdicts().map_while(|verdict| verdict["index"].as_u64()).collect();
    assert_eq!(indices, (0..asked.len() as u64).collect::<Vec<_>>(), "{}", judged.text);
    assert!(
        judged.verdicts().skip(asked.len()).all(|verdict| verdict.get("index").is_none()),
        "{}",
        judged.text
    );
    if member.is_empty() || text_codes(judged).contains(&"id_alias") {
        return;
    }
    for (at, id) in asked.iter().enumerate() {
        assert_eq!(judged.of(at)[member], id.as_str(), "{}", judged.text);
    }
}

/// Codes of the diagnostics.
pub fn text_codes(judged: &Judged) -> Vec<&str> {
    judged.envelope["diagnostics"].as_array().expect("diagnostics").iter().map(|d| text(d, "/code")).collect()
}

/// Section 4, for batches with items.
fn outcome(judged: &Judged) -> &'static str {
    let [total, succeeded, accepted, failed, not_attempted, unknown] =
        ["total", "succeeded", "accepted", "failed", "not_attempted", "unknown"]
            .map(|name| judged.count(name));
    assert!(total > 0);
    if succeeded + accepted == total {
        // An outer verdict is shown whenever it is not success; here no item explains it. Nor what nobody read.
        let unread = text_codes(judged).contains(&"unread_failure");
        return match judged.envelope.get("error") {
            Some(_) => "partial",
            None if unread => "partial",
            None if accepted > 0 => "accepted",
            None => "succeeded",
        };
    }
    match total {
        _ if failed + not_attempted == total => "failed",
        _ if unknown == total => "unknown",
        _ => "partial",
    }
}

fn categories(judged: &Judged) -> Vec<&str> {
    judged.verdicts().map(|verdict| text(verdict, "/error/category")).collect()
}

/// Section 5, `strict`.
fn status(judged: &Judged) -> u16 {
    let categories = categories(judged);
    let of = |category: &str| {
        STATUS.iter().find(|(own, _)| *own == category).expect("a category of the closed set").1
    };
    match outcome(judged) {
        "succeeded" => 200,
        "accepted" => 202,
        "partial" => 207,
        "unknown" if categories.iter().all(|category| *category == "timeout") => 504,
        "unknown" => 502,
        _ => {
            let mut statuses: Vec<u16> = categories.iter().map(|category| of(category)).collect();
            statuses.dedup();
            match statuses[..] {
                [one] => one,
                _ if statuses.iter().all(|status| *status >= 500) => 502,
                _ => 422,
            }
        }
    }
}

/// Only what failed as a whole for the moment may be repeated as a whole.
fn may_repeat(judged: &Judged) -> bool {
    outcome(judged) == "failed" && matches!(status(judged), 429 | 503)
}
