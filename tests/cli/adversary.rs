//! `profiles test` against changed replies: what a careless profile calls good, and the word that mends it.

use std::path::PathBuf;

use crate::run::{Ran, folder, run};

const REQUEST: &str = "POST /v1/things:stop HTTP/1.1\nHost: api.mine.example\nContent-Type: application/json\n\n{\"ids\":[\"thing-a\",\"thing-b\"]}";
const REPLY: &str = "HTTP/1.1 200 OK\nContent-Type: application/json\n\n{\"request_id\":\"r-1\",\"message\":\"stopped\",\"stopped\":true}";

/// A vendor of one's own with one case that went well; how its success is told is the test's.
fn user_profile(whole: &str) -> (PathBuf, PathBuf) {
    let (profiles, cases) = (folder(), folder());
    let case = cases.join("mine/thing/all-good");
    std::fs::create_dir_all(profiles.join("mine")).expect("a folder");
    std::fs::create_dir_all(&case).expect("a folder");
    let vendor = "source = \"ours\"\nhosts = \"api.mine.example\"\n";
    std::fs::write(profiles.join("mine/vendor.toml"), vendor).expect("written");
    let family = format!(
        r#"service = "thing"
source = "ours"
status = "documented"

[[actions]]
name = "StopThings"
method = "POST"
path = "/v1/things:stop"
ids = "/ids/*"
asynchronous = false

[[reply.outer]]
code = "/error/code"
message = "/error/message"

[[reply.whole]]
{whole}
outcome = "succeeded"
"#
    );
    std::fs::write(profiles.join("mine/thing.toml"), family).expect("written");
    std::fs::write(case.join("request.http"), REQUEST).expect("written");
    std::fs::write(case.join("reply.http"), REPLY).expect("written");
    (profiles, cases)
}

/// The second run: the first writes the envelope and fails.
fn test(whole: &str, more: &[&str]) -> Ran {
    let (profiles, cases) = user_profile(whole);
    let (profiles, cases) = (profiles.to_str().expect("UTF-8"), cases.to_str().expect("UTF-8"));
    let words = [&["profiles", "--profiles", profiles, "test", cases], more].concat();
    run(&words);
    run(&words)
}

/// The commonest slip after the first refusal: the id itself as the mark.
#[test]
fn an_entry_is_not_good_for_saying_again_who_was_asked() {
    for (mark, refused) in [("/id", true), ("/serial", false)] {
        let entries = format!(
            "when = {{ present = \"/stopped\" }}\noutcome = \"accepted\"\n\n[[reply.entries]]\neach = \"/results\"\nid = \"/id\"\n\
             mark = \"{mark}\"\noutcome = {{ by = \"/error\", missing = \"done\", otherwise = \"failed\" }}\n\n[[reply.whole]]\n\
             when = {{ present = \"/request_id\" }}"
        );
        let ran = test(&entries, &[]);
        let told = ran.err.lines().any(|line| {
            line.contains("[[reply.entries]] 1") && line.contains("mark: it only says again who was asked")
        });
        assert_eq!(told, refused, "{}", ran.err);
        assert_eq!(ran.code == 78, refused, "{}", ran.err);
    }
}

#[test]
fn a_profile_that_takes_no_error_for_success_is_refused_with_the_mend() {
    let ran = test("when = { status = \"2xx\" }", &[]);
    assert_eq!(ran.code, 78, "{}", ran.err);
    let line = ran.err.lines().find(|line| line.contains("nothing positive in it"));
    let line = line.unwrap_or_else(|| panic!("no such problem: {}", ran.err));
    assert!(line.contains("mine/thing.toml:16:") && line.contains("[[reply.whole]] 1: when"), "{line}");
    assert!(line.contains("present, equals, count, a task"), "{line}");
}

#[test]
fn a_mark_that_anything_bears_is_caught_with_the_word_that_mends_it() {
    let careless = "when = { equals = { \"/message\" = \"*\" } }";
    let ran = test(careless, &[]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let line = ran.out.lines().find(|line| line.contains("body {\"message\":\"Internal error\"}"));
    let line = line.unwrap_or_else(|| panic!("no such finding: {}", ran.out));
    assert!(line.starts_with("mine/thing: all-good: root: "), "{line}");
    assert!(line.contains("thing-a succeeded/batch; mend: `when = { present = … }`"), "{line}");
    assert!(ran.out.ends_with(" unproven\n1 passed, 0 failed\n"), "{}", ran.out);
    let ran = test(careless, &["--no-adversary"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "1 passed, 0 failed\n"));
}

#[test]
fn a_mended_profile_has_nothing_unproven() {
    let ran = test("when = { equals = { \"/stopped\" = \"true\" } }", &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[test]
fn no_truncation_raises_anything_in_a_handful_of_profiles() {
    for profile in
        ["tencent/async-task", "huawei/ecs-batch", "aws/sqs", "azure/table-transaction", "gcp/http-batch"]
    {
        let ran = run(&["profiles", "test", "--only", profile]);
        assert!(ran.out.contains("adversary: "), "{}", ran.out);
        assert!(!ran.out.contains(": cut: "), "{}", ran.out);
    }
}

#[test]
fn nothing_unproven_in_any_shipped_profile() {
    let ran = run(&["profiles", "test"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}
