//! `profiles` and `schema`: what is known, whether it holds, and what editors are told.

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use crate::run::{folder, run};

#[test]
fn list_names_every_profile_and_show_prints_its_file() {
    let ran = run(&["profiles"]);
    assert_eq!((ran.code, &ran.out), (0, &run(&["profiles", "list"]).out));
    for name in ["huawei/ecs-batch", "tencent/async-task", "aws/sqs"] {
        assert!(ran.out.lines().any(|line| line.starts_with(name)), "{name}");
    }
    let ran = run(&["profiles", "show", "huawei/ecs-batch"]);
    let file = std::fs::read_to_string("config/profiles/huawei/ecs-batch.toml").expect("a profile");
    assert_eq!((ran.code, ran.out.trim_end()), (0, file.trim_end()));
    let ran = run(&["profiles", "show", "huawei/no-such"]);
    assert_eq!((ran.code, ran.out.as_str()), (64, ""));
    assert!(ran.err.contains("huawei/no-such"), "{}", ran.err);
}

/// A folder with one case of ours, whose envelope can be changed.
fn one_case() -> std::path::PathBuf {
    let from = Path::new("tests/profiles/huawei/ecs-batch/rename-all-ok");
    let root = folder();
    let to = root.join("huawei/ecs-batch/rename-all-ok");
    std::fs::create_dir_all(&to).expect("a folder");
    for file in ["request.http", "reply.http", "envelope.json", "source.md"] {
        std::fs::copy(from.join(file), to.join(file)).expect("copied");
    }
    root
}

#[test]
fn the_shipped_cases_pass() {
    let ran = run(&["profiles", "test"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.ends_with(" passed, 0 failed\n"), "{}", ran.out);
}

#[test]
fn a_case_that_differs_exits_1_and_shows_the_lines() {
    let root = one_case();
    let test = || run(&["profiles", "test", root.to_str().expect("UTF-8")]);
    assert_eq!(test().code, 0);
    let golden = root.join("huawei/ecs-batch/rename-all-ok/envelope.json");
    let text = std::fs::read_to_string(&golden).expect("an envelope");
    std::fs::write(&golden, text.replacen("succeeded", "accepted", 1)).expect("written");
    let ran = test();
    assert_eq!(ran.code, 1);
    for word in [
        "FAIL huawei/ecs-batch/rename-all-ok",
        "-   \"outcome\": \"accepted\"",
        "+   \"outcome\": \"succeeded\"",
        "0 passed, 1 failed",
    ] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
}

#[test]
fn a_missing_envelope_is_written_and_fails_that_once() {
    let root = one_case();
    let golden = root.join("huawei/ecs-batch/rename-all-ok/envelope.json");
    let before = std::fs::read_to_string(&golden).expect("an envelope");
    std::fs::remove_file(&golden).expect("removed");
    let test = || run(&["profiles", "test", root.to_str().expect("UTF-8")]);
    let ran = test();
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("read it, then commit it"), "{}", ran.out);
    assert_eq!(std::fs::read_to_string(&golden).expect("written"), before);
    assert_eq!(test().code, 0);
}

#[test]
fn a_folder_without_cases_is_wrong_usage() {
    assert_eq!(run(&["profiles", "test", folder().to_str().expect("UTF-8")]).code, 64);
    assert_eq!(run(&["profiles", "test", "/no/such/folder"]).code, 64);
}

fn schema(name: &str) -> Validator {
    let ran = run(&["schema", name]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let schema = ran.json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    jsonschema::draft202012::meta::validate(&schema).expect("a schema");
    jsonschema::validator_for(&schema).expect("a usable schema")
}

fn toml_value(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).expect("a file");
    let table: toml::Table =
        toml::from_str(&text).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()));
    serde_json::to_value(table).expect("JSON")
}

/// What a schema has against a value.
fn against(schema: &Validator, value: &Value) -> Vec<String> {
    schema.iter_errors(value).map(|problem| format!("{}: {problem}", problem.instance_path())).collect()
}

#[test]
fn the_envelopes_schema_is_the_page_beside_the_contract() {
    let schema: Value = run(&["schema"]).json();
    let page = std::fs::read_to_string("docs/envelope.schema.json").expect("a schema");
    assert_eq!(schema, serde_json::from_str::<Value>(&page).expect("JSON"));
    assert_eq!(run(&["schema", "envelope"]).json(), schema);
    assert_eq!(run(&["schema", "no-such"]).code, 64);
}

#[test]
fn the_configurations_schema_takes_what_is_shipped_and_no_typo() {
    let schema = schema("config");
    let examples =
        std::fs::read_dir("config/examples").expect("examples").flatten().map(|entry| entry.path());
    for file in examples.chain([Path::new("config/onevelope.toml").to_owned()]) {
        assert_eq!(against(&schema, &toml_value(&file)), Vec::<String>::new(), "{}", file.display());
    }
    let typo: Value = serde_json::json!({ "routes": { "a": { "upstreem": "u" } } });
    assert!(!schema.is_valid(&typo));
}

#[test]
fn the_profiles_schema_takes_every_built_in_file_and_no_typo() {
    let schema = schema("profile");
    let vendors = std::fs::read_dir("config/profiles").expect("profiles").flatten().map(|entry| entry.path());
    let mut seen = 0;
    for vendor in vendors.filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(vendor).expect("a vendor").flatten().map(|entry| entry.path()) {
            assert_eq!(against(&schema, &toml_value(&file)), Vec::<String>::new(), "{}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} files");
    let mut typo = toml_value(Path::new("config/profiles/huawei/ecs-batch.toml"));
    typo["reply"]["abscent"] = "done".into();
    assert!(!schema.is_valid(&typo));
}

/// Keys of a table that say what is so without them, as `table: key`.
fn spoken_defaults(file: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    let mut look = |place: &str, table: &toml::Table, defaults: &[(&str, toml::Value)]| {
        let said = defaults.iter().filter(|(key, default)| table.get(*key) == Some(default));
        found.extend(said.map(|(key, _)| format!("{place}: {key}")));
    };
    let rows = |table: &toml::Table, key: &str| -> Vec<toml::Table> {
        let rows = table.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        rows.filter_map(|row| row.as_table().cloned()).collect()
    };
    let table = |file: &toml::Table, key: &str| {
        file.get(key).and_then(toml::Value::as_table).cloned().unwrap_or_default()
    };
    let no = |key: &'static str| (key, toml::Value::Boolean(false));
    let word = |key: &'static str, word: &str| (key, toml::Value::from(word));
    let asked = [
        word("wire", "auto"),
        word("as", "list"),
        no("unwrap"),
        no("id_url"),
        no("distinct"),
        no("lookup"),
        no("atomic"),
    ];
    let (request, actions) = (table(file, "request"), rows(file, "actions"));
    look("[request]", &request, &asked);
    for action in &actions {
        let overridden = |key: &str| request.contains_key(key);
        let own: Vec<_> = asked.iter().filter(|(key, _)| !overridden(key)).cloned().collect();
        look("[[actions]]", action, &own);
        let shared = ["service", "resource_type"].into_iter().filter(|key| !overridden(key));
        let shared: Vec<_> = shared.filter_map(|key| Some((key, file.get(key)?.clone()))).collect();
        look("[[actions]] as the file", action, &shared);
        let shared: Vec<_> = request.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        look("[[actions]] as [request]", action, &shared);
        let name = action.get("name").map(|name| ("value", name.clone()));
        look("[[actions]] as its name", action, name.as_slice());
    }
    let waits: Vec<_> = actions.iter().map(|action| action.get("asynchronous")).collect();
    if waits.len() > 1 && waits[0].is_some() && waits.iter().all(|wait| *wait == waits[0]) {
        look("every action", &actions[0], &[("asynchronous", waits[0].cloned().expect("said"))]);
    }
    let shapes = table(file, "replies");
    let replies = shapes.values().filter_map(|shape| shape.as_table().cloned()).chain([table(file, "reply")]);
    for reply in replies {
        look("[reply]", &reply, &[word("wire", "auto"), word("absent", "unknown")]);
        rows(&reply, "outer").iter().for_each(|row| look("[[reply.outer]]", row, &[no("unwrap")]));
        let (entries, whole) = (rows(&reply, "entries"), rows(&reply, "whole"));
        for entry in &entries {
            let join =
                if entry.contains_key("id") || entry.contains_key("id_parts") { "id" } else { "position" };
            let plain =
                [no("fallback"), no("only_asked"), no("unwrap"), word("as", "list"), word("join", join)];
            look("[[reply.entries]]", entry, &plain);
            look("[[reply.entries]]", entry, &[("index_base", toml::Value::Integer(0))]);
        }
        whole.iter().for_each(|row| look("[[reply.whole]]", row, &[word("evidence", "batch")]));
        for row in entries.iter().chain(&whole) {
            let plain = [no("http"), word("http_202", "accepted"), word("missing", "unknown")];
            look("outcome", &table(row, "outcome"), &plain);
        }
    }
    rows(file, "outer").iter().for_each(|row| look("[[outer]]", row, &[no("unwrap")]));
    found
}

/// Lists of one text, which is written as the text.
fn lists_of_one(key: &str, value: &toml::Value, found: &mut Vec<String>) {
    match value {
        toml::Value::Array(rows) if rows.len() == 1 && rows[0].is_str() => {
            found.push(format!("list of one: {key}"))
        }
        toml::Value::Array(rows) => rows.iter().for_each(|row| lists_of_one(key, row, found)),
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| lists_of_one(key, value, found)),
        _ => {}
    }
}

#[test]
fn no_built_in_file_states_a_default_or_a_list_of_one() {
    let mut seen = 0;
    for vendor in std::fs::read_dir("config/profiles").expect("profiles").flatten().map(|entry| entry.path())
    {
        for file in std::fs::read_dir(vendor).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let text = std::fs::read_to_string(&file).expect("a file");
            let table: toml::Table = toml::from_str(&text).expect("TOML");
            let mut found = spoken_defaults(&table);
            lists_of_one("", &toml::Value::Table(table), &mut found);
            assert_eq!(found, Vec::<String>::new(), "{}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} files");
}
