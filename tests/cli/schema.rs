//! `schema` and the loader: what a file may say, told to editors and at start-up alike.

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use crate::run::{folder, run};

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
    let (mut seen, mut all) = (0, Vec::new());
    for vendor in std::fs::read_dir("config/profiles").expect("profiles").flatten().map(|entry| entry.path())
    {
        for file in std::fs::read_dir(vendor).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let text = std::fs::read_to_string(&file).expect("a file");
            let table: toml::Table = toml::from_str(&text).expect("TOML");
            let mut found = spoken_defaults(&table);
            lists_of_one("", &toml::Value::Table(table), &mut found);
            all.extend(found.into_iter().map(|what| format!("{}: {what}", file.display())));
            seen += 1;
        }
    }
    assert_eq!(all, Vec::<String>::new());
    assert!(seen > 100, "{seen} files");
}

const THINGS: &str = "source = \"made for this test\"\nstatus = \"documented\"\n";
const ACTION: &str = "[[actions]]\nname = \"Stop\"\npath = \"/things/{kind}/stop\"\nasynchronous = false\nids = \"/things/*\"\n";
const ENTRY: &str =
    "[[reply.entries]]\neach = \"/things\"\nexhaustive = true\nid = \"/id\"\noutcome = \"failed\"\n";
const HOSTS: &str = "hosts = \"{service}.acme.example\"\nerrors = \"/error\"\n";

/// Loads one file of a vendor's folder: the problems, one a line.
fn told(file: &str, text: &str) -> String {
    let root = folder();
    std::fs::create_dir_all(root.join("acme")).expect("a folder");
    std::fs::write(root.join("acme/vendor.toml"), HOSTS).expect("written");
    std::fs::write(root.join("acme").join(file), text).expect("written");
    let loaded = onevelope::profile::load_vendors(Some(&root), Some(&["acme"]));
    let problems = loaded.err().map_or(String::new(), |cause| cause.to_string());
    problems.replace(&format!("{}/", root.join("acme").display()), "")
}

/// Files that both the schema and the loader can judge: what the file is, its text, whether it is good.
fn judged_by_both() -> Vec<(&'static str, String, bool)> {
    let mut rows: Vec<(&str, String, bool)> = Vec::new();
    let root = |line: &str| format!("{line}\n{THINGS}{ACTION}");
    let action = |line: &str| format!("{THINGS}{ACTION}{line}\n");
    let request = |line: &str| format!("{THINGS}[request]\n{line}\n{ACTION}");
    let reply = |line: &str| format!("{THINGS}{ACTION}[reply]\n{line}\n");
    let entry = |line: &str| format!("{THINGS}{ACTION}{ENTRY}{line}\n");
    let verdict = |outcome: &str| {
        format!("{THINGS}{ACTION}[[reply.entries]]\neach = \"/things\"\nid = \"/id\"\noutcome = {outcome}\n")
    };
    let whole = |line: &str| format!("{THINGS}{ACTION}[[reply.whole]]\n{line}\n");
    let when = |when: &str| whole(&format!("outcome = \"failed\"\nwhen = {{ {when} }}"));
    let mut family = |text: String, good: bool| rows.push(("things.toml", text, good));
    for (line, good) in
        [("service = \"things\"", true), ("vendor = \"acme\"", false), ("family = \"things\"", false)]
    {
        family(root(line), good);
    }
    family(THINGS.to_owned(), false);
    family(ACTION.to_owned(), false);
    family(format!("source = \" \"\nstatus = \"guessed\"\n{ACTION}"), false);
    family(format!("source = \"x\"\nstatus = \"heard\"\n{ACTION}"), false);
    for (line, good) in [
        ("as = \"map\"", true),
        ("as = \"map_of_lists\"", true),
        ("as = \"mpa\"", false),
        ("as = \"one\"", false),
        ("optional = true\nparent = \"/p\"\nversion = \"/v\"\nport = \"/n\"\nnested = \"/l\"", true),
        ("wire = \"query\"", true),
        ("wire = \"jsn\"", false),
        ("each = \"/a\"", true),
        ("each = \"a\"", false),
        ("items = \"/a\"", false),
        ("items_as = \"map\"", false),
        ("repeatable = true", false),
        ("unwrap = \"yes\"", false),
        ("split = \",\"", true),
        ("split = \"\"", false),
        ("names = [\"A\", \"B\"]", false),
        ("id = \"@query/x\"", true),
        ("id = \"@cookie/x\"", false),
        ("where = { present = \"/a\" }", true),
        ("where = { there = \"/a\" }", false),
    ] {
        family(action(line), good);
    }
    for (line, good) in [("method = \"POST\"", true), ("name = \"Stop\"", false), ("wire = \"jsn\"", false)] {
        family(request(line), good);
    }
    for (line, good) in [
        ("wire = \"labelled\"", true),
        ("wire = \"query\"", false),
        ("text = \"lines\"", true),
        ("absent = \"not_attempted\"", true),
        ("absent = \"silent\"", false),
        ("absent_category = \"not_found\"", true),
        ("absent_category = \"gone\"", false),
        ("abscent = \"done\"", false),
        ("code_after = \"#\"", true),
        ("code_after = \"\"", false),
        ("code_before = \"\"", false),
        ("absent_when = [{ when = {}, outcome = \"failed\" }]", true),
        ("absent_when = [{ when = {} }]", false),
        ("outer = [{ code = \"/code\" }]", true),
        (
            "errors = \"/e\"\nharmless = \"x\"\nabout = \"/id\"\naliases = true\nvolunteers = true\nroot = \"R\"",
            true,
        ),
        ("errors = \"e\"", false),
        ("absent_status = \"9xx\"", false),
        ("outer = [{ message = \"/message\" }]", false),
    ] {
        family(reply(line), good);
    }
    for (line, good) in [
        ("as = \"one\"", true),
        ("as = \"lst\"", false),
        ("join = \"content_id\"", true),
        ("join = \"group\"\nnested = \"/l\"\nmark = \"/m\"\nlone = true", true),
        ("lone = 1", false),
        ("join = [\"id\", \"suffix\"]", true),
        ("join = \"ids\"", false),
        ("join = [\"id\", \"ids\"]", false),
        ("join = \"key\"", false),
        ("join = \"key\"\nkey = \"/key\"", true),
        ("join = \"index\"", false),
        ("join = \"range\"", false),
        ("join = \"range\"\nuntil = \"/end\"", true),
        ("from = \"/start\"", false),
        ("decode = \"percent\"", true),
        ("decode = \"url\"", false),
        ("index_base = -1", false),
        ("category = \"conflict\"", true),
        ("category = \"clash\"", false),
    ] {
        family(entry(line), good);
    }
    for (outcome, good) in [
        ("\"done\"", true),
        ("\"fine\"", false),
        ("{ by = \"/s\", done = \"ok\", otherwise = \"failed\" }", true),
        ("{ by = \"/s\", http = true }", true),
        ("{ by = \"/s\", done = \"ok\" }", false),
        ("{ done = \"ok\", otherwise = \"failed\" }", false),
        ("{ by = \"/s\", otherwise = \"bad\" }", false),
        ("{ by = \"/s\", otherwise = \"failed\", good = \"ok\" }", false),
    ] {
        family(verdict(outcome), good);
    }
    for (line, good) in [
        ("outcome = \"failed\"\nevidence = \"inferred\"", true),
        ("outcome = \"failed\"\nevidence = \"guessed\"", false),
        ("when = {}", false),
    ] {
        family(whole(line), good);
    }
    for (condition, good) in [
        ("status = [\"2xx\", 404]", true),
        ("status = \"6xx\"", false),
        ("status = 99", false),
        ("status = \"20\"", false),
        ("empty = false", true),
        ("empty = \"bytes\"", true),
        ("empty = \"maybe\"", false),
        ("count = \"/n\"", true),
        ("count = [\"/n\", \"/m\"]", false),
        ("equals = { \"$/a\" = [\"x\", \"\"] }", true),
    ] {
        family(when(condition), good);
    }
    for (text, good) in [
        ("[codes]\n\"1\" = \"not_found\"\n", true),
        ("[codes]\n\"1\" = \"nowhere\"\n", false),
        ("[codes]\n\"1\" = { category = \"conflict\", advice = \"do_not_retry\" }\n", true),
        ("[codes]\n\"1\" = { category = \"conflict\", advice = \"pray\" }\n", false),
        ("vendor = \"acme\"\n[codes]\n", false),
        ("[[patterns]]\nmatch = \"4*\"\ncategory = \"not_found\"\n", true),
        ("[[patterns]]\ncategory = \"not_found\"\n", false),
    ] {
        rows.push(("codes.toml", text.to_owned(), good));
    }
    for (text, good) in [
        ("[replies.plain]\nabsent = \"done\"\n", true),
        ("[replies.plain]\nabsent = \"gone\"\n", false),
        ("[replies.plain]\nlike = \"other\"\n", false),
        ("code_before = \"\"\n", false),
        ("vendor = \"acme\"\n", false),
        ("[[outer]]\nmessage = \"/m\"\n", false),
    ] {
        rows.push(("vendor.toml", text.to_owned(), good));
    }
    rows
}

#[test]
fn the_schema_and_the_loader_judge_alike() {
    let schema = schema("profile");
    for (file, text, good) in judged_by_both() {
        let table: toml::Table = toml::from_str(&text).expect("TOML");
        let value = serde_json::to_value(table).expect("JSON");
        let (schema, loader) = (against(&schema, &value), told(file, &text));
        assert_eq!(schema.is_empty(), good, "the schema, of {file}:\n{text}{schema:?}");
        assert_eq!(loader.is_empty(), good, "the loader, of {file}:\n{text}{loader}");
        assert!(good || loader.starts_with(&format!("{file}:")), "{loader}");
    }
}

#[test]
fn problems_say_where_and_how_to_mend_them() {
    let family = |rest: &str| format!("{THINGS}{ACTION}{rest}");
    let told_of = |text: &str| told("things.toml", text);
    let possible = "as: unknown variant `mpa`, expected one of `list`, `map`, `map_of_lists`";
    assert_eq!(told_of(&family("as = \"mpa\"\n")), format!("things.toml:8:6: {possible}"));
    assert_eq!(
        told_of(&format!("{THINGS}[request]\nas = \"mpa\"\n{ACTION}")),
        format!("things.toml:4:6: {possible}")
    );
    for (rest, place, words) in [
        ("key = \"@path/nosuch\"\n", "8:7", &["Stop: key", "no path has {nosuch}", "{kind}"][..]),
        ("key = \"@host/nosuch\"\n", "8:7", &["no host has {nosuch}", "{service}"]),
        ("host = { region = \"x\" }\n", "8:8", &["{region}", "{service}"]),
        ("monitor = \"/{nosuch}/{task}\"\n", "8:11", &["nothing fills {nosuch}", "{kind}, {task}"]),
        ("repeatable = true\n", "8:1", &["`repeatable`", "take the key out"]),
        ("items = \"/a\"\n", "8:1", &["`items`", "`each`"]),
        ("[reply]\ntask = \"@path/nosuch\"\n", "9:8", &["[reply]: task", "{nosuch}"]),
        ("[reply]\ntask = \"@request/@path/nosuch\"\n", "9:8", &["[reply]: task", "{nosuch}"]),
        ("[reply]\ncode_after = \"\"\n", "9:14", &["code_after", "leave the key out"]),
        ("[reply]\nlike = \"nosuch\"\n", "9:8", &["[replies.nosuch]", "none"]),
        (
            "[[reply.entries]]\neach = \"/a\"\noutcome = \"done\"\nfrom = \"/b\"\n",
            "8:1",
            &["join = \"range\""],
        ),
        (
            "[[reply.whole]]\noutcome = \"done\"\nwhen.count = [\"/a\", \"/b\"]\n",
            "10:14",
            &["one place", "second rule"],
        ),
    ] {
        let told = told_of(&family(rest));
        assert!(told.starts_with(&format!("things.toml:{place}: ")), "{rest}{told}");
        for word in words {
            assert!(told.contains(word), "{word}: {told}");
        }
    }
    let told = told_of(&format!("vendor = \"acme\"\nfamily = \"things\"\n{THINGS}{ACTION}"));
    let expected = ["things.toml:1:1: unknown key `vendor`", "things.toml:2:1: unknown key `family`"];
    assert!(told.lines().zip(expected).all(|(line, start)| line.starts_with(start)), "{told}");
}

#[test]
fn a_reply_like_a_shape_takes_what_it_does_not_state_itself() {
    let root = folder();
    std::fs::create_dir_all(root.join("acme")).expect("a folder");
    let shape = "errors = \"/error\"\n[replies.plain]\nabsent = \"done\"\n[[replies.plain.entries]]\neach = \"/bad\"\nexhaustive = true\nid = \"\"\noutcome = \"failed\"\n";
    std::fs::write(root.join("acme/vendor.toml"), shape).expect("written");
    let request = root.join("request.http");
    std::fs::write(&request, "POST /things/x/stop HTTP/1.1\nHost: a\n\n{\"things\":[\"a\",\"b\"]}")
        .expect("written");
    let reply = root.join("reply.http");
    std::fs::write(&reply, "HTTP/1.1 200 OK\nContent-Type: application/json\n\n{\"bad\":[\"a\"]}")
        .expect("written");
    for (own, outcomes) in [("", ["failed", "succeeded"]), ("absent = \"unknown\"\n", ["failed", "unknown"])]
    {
        let text = format!("{THINGS}{ACTION}[reply]\nlike = \"plain\"\n{own}");
        std::fs::write(root.join("acme/things.toml"), text).expect("written");
        let paths = [&root, &request, &reply].map(|path| path.to_str().expect("UTF-8"));
        let ran = run(&["normalize", "--profiles", paths[0], "--request", paths[1], "--reply", paths[2]]);
        let envelope = ran.json();
        let results = envelope["results"].as_array().expect("results").iter();
        assert_eq!(results.map(|result| result["outcome"].as_str()).collect::<Vec<_>>(), outcomes.map(Some));
    }
}
