//! Rules that no shipped profile has: a small profile of our own, and what it makes of a reply.

use std::path::Path;

use http::{HeaderMap, Method};
use onevelope::decode::{Bounds, Wire, read};
use onevelope::judge::{Reply, ReplyBody, Trace, apply};
use onevelope::profile::{ProfileSet, load_vendors};
use onevelope::request::{Head, Scope, view};

const HEAD: &str = "service = \"own\"\nsource = \"ours\"\nstatus = \"documented\"\n\
    [[actions]]\nname = \"Own\"\npath = \"/own\"\nasynchronous = false\n";

/// The built-in profiles of a vendor and one of our own.
pub fn with(name: &str, rules: &str) -> ProfileSet {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(folder.join("jsonrpc")).expect("a folder");
    std::fs::write(folder.join("jsonrpc/own.toml"), format!("{HEAD}{rules}")).expect("written");
    load_vendors(Some(&folder), Some(&["jsonrpc"])).expect("profiles")
}

/// id and outcome of every result, in both ways of reading.
fn check(name: &str, rules: &str, query: &str, reply: &str, expected: &[&str]) {
    let set = with(name, rules);
    let headers = HeaderMap::new();
    let head = Head { method: &Method::POST, host: None, path: "/own", query, headers: &headers };
    let scope = Scope { vendor: None, profile: Some("jsonrpc/own") };
    let request = view(&set, &scope, &head, b"", Bounds::default()).expect("recognised");
    for mut trace in [Trace::default(), Trace::on()] {
        let (document, fidelity) =
            read(reply.as_bytes(), Wire::Json, "", Bounds::default(), false).expect("JSON");
        let body = ReplyBody::Document(&document, &fidelity);
        let reply = Reply { status: 200, headers: &headers, body, items: usize::MAX };
        let envelope = apply(&request, &reply, false, false, &mut trace);
        let sources = envelope.sources(document.text());
        let results = envelope.results.iter().map(|verdict| {
            let id = verdict.id.map(|id| sources.decode(id)).unwrap_or_default();
            format!("{id} {}", verdict.outcome.as_str())
        });
        assert_eq!(results.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn an_entry_without_a_key_is_no_example_for_one_with() {
    let rules = r#"
        ids = ["/ids/*"]
        [[reply.entries]]
        each = "/detail"
        as = "map"
        id = ["@key", "/id"]
        outcome = { by = ["/code"], done = ["0"], otherwise = "failed" }
    "#;
    let reply = r#"{"detail":[{"id":"a","code":0}],"detail":{"b":{"id":"a","code":0}}}"#;
    check("keyed", rules, "ids.1=a&ids.2=b", reply, &["a succeeded", "b succeeded"]);
}

#[test]
fn a_where_may_look_outside_the_entries_that_it_counts() {
    let rules = |equals: &str| {
        format!(
            "ids = [\"/ids/*\"]\n[[reply.entries]]\neach = \"/list\"\nid = [\"\"]\noutcome = \"failed\"\n\
             message = [\"$/texts/#\"]\nwhere = {{ equals = {equals} }}\n"
        )
    };
    let reply = r#"{"list":["a","b"],"texts":["x","y"],"kind":"bad"}"#;
    let form = "ids.1=a&ids.2=b";
    check("outside", &rules(r#"{ "$/kind" = "bad" }"#), form, reply, &["a failed", "b failed"]);
    // A list whose length is compared with the number of entries cannot decide how many there are.
    check("circle", &rules(r#"{ "$/texts/#" = "x" }"#), form, reply, &["a unknown", "b unknown"]);
}

#[test]
fn elements_of_parameters_are_found_in_an_echo() {
    let rules = r#"
        each = "/items"
        [[reply.entries]]
        each = "/done"
        join = ["echo"]
        outcome = "done"
    "#;
    let reply = r#"{"done":[{"Name":"n","Tags":["t","u"],"extra":1}]}"#;
    let form = "items.1.Name=m&items.2.Name=n&items.2.Tags.1=t&items.2.Tags.2=u";
    check("echo", rules, form, reply, &[" unknown", " succeeded"]);
}

#[test]
fn of_two_actions_that_fit_alike_the_first_in_the_file_counts() {
    let rules = r#"
        [[actions]]
        name = "First"
        path = "/t/{a}/two"
        asynchronous = false
        [[actions]]
        name = "Second"
        path = "/t/one/{b}"
        asynchronous = false
        [[reply.entries]]
        each = "/list"
        id = [""]
        outcome = "done"
    "#;
    let set = with("tie", rules);
    let headers = HeaderMap::new();
    let head = Head { method: &Method::POST, host: None, path: "/t/one/two", query: "", headers: &headers };
    let found =
        view(&set, &Scope { vendor: None, profile: Some("jsonrpc/own") }, &head, b"", Bounds::default());
    assert_eq!(found.expect("recognised").action().name, "First");
}

#[test]
fn a_name_is_a_mark_be_it_0() {
    let rules = r#"
        ids = ["/ids/*"]
        [[reply.entries]]
        each = "/done"
        id = "/id"
        mark = ["/id", "/seq"]
        outcome = "done"
    "#;
    let reply = r#"{"done":[{"id":"0"},{"id":1,"seq":0},{"id":"","seq":"0"}]}"#;
    check("zero", rules, "ids.1=0&ids.2=1&ids.3=2", reply, &["0 succeeded", "1 succeeded", "2 unknown"]);
}
