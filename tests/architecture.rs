//! What ARCHITECTURE.md and the pages in `docs/` promise, held against the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use onevelope::cli::find_cases;
use onevelope::config::{Config, RouteConfig, UpstreamConfig, load_text};
use onevelope::envelope::DIAGNOSTIC_CODES;
use onevelope::observe::{METRICS, MetricSpec, RESOURCE_METRICS};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|cause| panic!("{file}: {cause}"))
}

/// Every Rust file below a folder, with its path from the root.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).expect("below the root").display().to_string();
                found.push((name.clone(), text(&name)));
            }
        }
    }
    found.sort();
    found
}

/// A file's lines of code, numbered from 1, without comments and without what only tests see.
fn code(source: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    // The indent of a `#[cfg(test)]` whose item has not ended.
    let mut skipped: Option<usize> = None;
    for (at, line) in source.lines().enumerate() {
        let line = without_comment(line);
        let indent = line.len() - line.trim_start().len();
        if line.trim() == "#[cfg(test)]" {
            skipped = Some(indent);
        } else if let Some(of_item) = skipped {
            // As rustfmt has it: an item ends on its first line, or with a bracket that stands where it began.
            let last = line.trim_end().ends_with(['}', ';', ',']);
            if indent == of_item && last {
                skipped = None;
            }
        } else if !line.trim().is_empty() {
            lines.push((at + 1, line));
        }
    }
    assert!(skipped.is_none(), "an item under #[cfg(test)] has no end:\n{source}");
    lines
}

/// The bytes of a line that stand outside of strings and character literals, with their positions.
fn bare(line: &str) -> Vec<(usize, u8)> {
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            // `'"'`, `'{'`, `'\''`; a lifetime has no second quote that near.
            b'\'' if bytes.get(at + 1) == Some(&b'\\') => {
                at += 3;
                while at < bytes.len() && bytes[at] != b'\'' {
                    at += 1;
                }
            }
            b'\'' if bytes.get(at + 2) == Some(&b'\'') => at += 2,
            byte => found.push((at, byte)),
        }
        at += 1;
    }
    found
}

fn without_comment(line: &str) -> &str {
    let bare = bare(line);
    let comment = bare.windows(2).find(|pair| pair[0].1 == b'/' && pair[1] == (pair[0].0 + 1, b'/'));
    comment.map_or(line, |pair| &line[..pair[0].0])
}

#[test]
fn only_comments_and_tests_are_no_code() {
    let source = "a(\"http://x\"); // b\n#[cfg(test)]\nfn c() {\n    d('{');\n}\ne('\"', \"//\");\n#[cfg(test)]\nuse f;\ng\n";
    let expected = [(1, "a(\"http://x\"); "), (6, "e('\"', \"//\");"), (9, "g")];
    assert_eq!(code(source), expected);
}

/// `src/decode/json.rs` → `decode`.
fn module(file: &str) -> &str {
    let inner = file.strip_prefix("src/").expect("below src");
    inner.split('/').next().expect("a name").trim_end_matches(".rs")
}

/// The words of a text that could be names.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// The table of ARCHITECTURE.md: module → modules it may import. None: anything.
fn allowed() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let page = text("ARCHITECTURE.md");
    let table = page
        .split("## Who may import whom")
        .nth(1)
        .and_then(|rest| rest.split("```").nth(1))
        .expect("the table");
    let mut rows = BTreeMap::new();
    for line in table.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let (names, rest) = line.split_once("  ").expect("names, two spaces, what they may import");
        let rest = rest.trim().split("  ").next().unwrap_or("");
        let may: Option<BTreeSet<String>> = if rest.starts_with("what it needs") {
            None
        } else if let Some(but) = rest.strip_prefix("all of the above but ") {
            Some(rows.keys().filter(|name: &&String| *name != but).cloned().collect())
        } else if rest == "nothing of ours" {
            Some(BTreeSet::new())
        } else {
            Some(words(rest).map(str::to_owned).collect())
        };
        for name in words(names) {
            rows.insert(name.to_owned(), may.clone());
        }
    }
    rows
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let allowed = allowed();
    let mut offences = Vec::new();
    for (file, source) in sources("src") {
        let own = module(&file);
        if matches!(own, "main" | "lib") {
            continue;
        }
        let may = allowed.get(own).unwrap_or_else(|| panic!("{own} is not in the table of ARCHITECTURE.md"));
        let Some(may) = may else { continue };
        for (at, line) in code(&source) {
            for used in line.split("crate::").skip(1).filter_map(|rest| words(rest).next()) {
                if used != own && allowed.contains_key(used) && !may.contains(used) {
                    offences.push(format!("{file}:{at}: {own} may not import {used}: {}", line.trim()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// Whom each thing imports → the first way back to where it began.
fn circle(arrows: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut done = BTreeSet::new();
    fn walk(
        at: &str,
        arrows: &BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<String> {
        if let Some(from) = way.iter().position(|name| name == at) {
            return Some(format!("{} → {at}", way[from..].join(" → ")));
        }
        if done.contains(at) {
            return None;
        }
        way.push(at.to_owned());
        let found = arrows.get(at).into_iter().flatten().find_map(|next| walk(next, arrows, way, done));
        way.pop();
        done.insert(at.to_owned());
        found
    }
    arrows.keys().find_map(|name| walk(name, arrows, &mut Vec::new(), &mut done))
}

#[test]
fn no_circle_between_modules() {
    let names: BTreeSet<String> = sources("src").iter().map(|(file, _)| module(file).to_owned()).collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, source) in sources("src") {
        for (_, line) in code(&source) {
            let used = line.split("crate::").skip(1).filter_map(|rest| words(rest).next());
            let used = used.filter(|used| *used != module(&file) && names.contains(*used));
            arrows.entry(module(&file).to_owned()).or_default().extend(used.map(str::to_owned));
        }
    }
    assert_eq!(circle(&arrows), None);
}

#[test]
fn no_circle_between_the_files_of_a_module() {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, source) in sources("src") {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = file.strip_suffix(".rs").unwrap_or(&file);
        // A folder's own page names its files; they may use what it defines.
        if name.ends_with("/mod") {
            continue;
        }
        for (_, line) in code(&source) {
            let used = line.split("super::").skip(1).filter_map(|rest| words(rest).next());
            let siblings = used.map(|used| format!("{folder}/{used}"));
            let siblings =
                siblings.filter(|path| path != name && root().join(format!("{path}.rs")).is_file());
            arrows.entry(name.to_owned()).or_default().extend(siblings);
        }
    }
    assert_eq!(circle(&arrows), None);
}

#[test]
fn dry_modules_do_no_io_and_have_no_clock() {
    const DRY: [&str; 10] = [
        "decode",
        "envelope",
        "profile",
        "request",
        "judge",
        "reply",
        "explain",
        "adversary",
        "json_text",
        "message",
    ];
    const WET: [&str; 8] =
        ["tokio", "hyper", "hyper_util", "tower", "tracing", "prometheus", "rustls", "config"];
    const STD: [&str; 6] = ["fs", "net", "env", "time", "process", "thread"];
    let mut offences = Vec::new();
    for (file, source) in sources("src") {
        if !DRY.contains(&module(&file)) || file == "src/profile/load.rs" {
            continue;
        }
        for (at, line) in code(&source) {
            let used = line.trim_start().strip_prefix("use ").and_then(|rest| words(rest).next());
            let wet = WET.iter().any(|name| used == Some(*name) || line.contains(&format!(" {name}::")));
            let from_std = line.split("std::").skip(1).any(|rest| {
                let first = rest.trim_start_matches('{');
                STD.iter().any(|name| {
                    words(first).next() == Some(*name)
                        || (rest.starts_with('{') && words(rest).any(|word| word == *name))
                })
            });
            if wet || from_std {
                offences.push(format!("{file}:{at}: {}", line.trim()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn no_vendor_is_named_in_code() {
    let folders = std::fs::read_dir(root().join("config/profiles")).expect("profiles").flatten();
    let mut vendors: Vec<String> =
        folders.filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    vendors.extend(
        ["amazon", "aliyun", "google", "myhuaweicloud", "tencentcloudapi", "qcloud"].map(str::to_owned),
    );
    let mut offences = Vec::new();
    for (file, source) in sources("src") {
        // The demo plays the vendors.
        if file.starts_with("src/cli/demo") {
            continue;
        }
        // A format before it is anybody's protocol.
        let format = |vendor: &str| file.starts_with("src/decode") && vendor == "graphql";
        for (at, line) in code(&source) {
            let named = |word: &str| {
                vendors.iter().any(|vendor| vendor.eq_ignore_ascii_case(word) && !format(vendor))
            };
            if words(line).any(named) {
                offences.push(format!("{file}:{at}: {}", line.trim()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_profile_has_two_cases_and_one_that_is_not_all_good() {
    let mut cases: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for case in find_cases(&root().join("tests/profiles")).expect("cases") {
        let golden = std::fs::read(case.dir.join("envelope.json"))
            .unwrap_or_else(|_| panic!("{}: no envelope.json", case.name()));
        let envelope: Value = serde_json::from_slice(&golden).expect("JSON");
        let good = envelope["outcome"] == "succeeded" || envelope["outcome"] == "accepted";
        let counts = cases.entry(case.profile()).or_default();
        *counts = (counts.0 + 1, counts.1 + usize::from(!good));
        for file in ["request.http", "reply.http", "source.md"] {
            assert!(case.dir.join(file).is_file(), "{}: no {file}", case.name());
        }
    }
    let set = onevelope::profile::load(None).expect("profiles");
    let mut thin: Vec<String> = Vec::new();
    for profile in set.profiles() {
        let (all, bad) = cases.remove(&profile.name).unwrap_or_default();
        if all < 2 || bad < 1 {
            thin.push(format!("{}: {all} cases, {bad} of them not all good", profile.name));
        }
    }
    assert!(thin.is_empty(), "{}", thin.join("\n"));
    assert!(cases.is_empty(), "cases of profiles that do not exist: {:?}", cases.keys());
}

/// The rows of docs/metrics.md that tell a metric: name → (type, labels).
fn documented() -> BTreeMap<String, (String, Vec<String>)> {
    let page = text("docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `onevelope_")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let labels = words(cells[2]).map(str::to_owned).collect();
        (cells[0].trim_matches('`').to_owned(), (cells[1].to_owned(), labels))
    });
    rows.collect()
}

#[test]
fn the_metrics_page_is_the_metrics_table() {
    let mut documented = documented();
    let specs: Vec<&MetricSpec> = METRICS.iter().chain(RESOURCE_METRICS).collect();
    for spec in &specs {
        let row =
            documented.remove(spec.name).unwrap_or_else(|| panic!("docs/metrics.md lacks {}", spec.name));
        assert_eq!(
            row,
            (spec.kind.to_owned(), spec.labels.iter().map(|label| (*label).to_owned()).collect()),
            "{}",
            spec.name
        );
        assert!(!spec.help.is_empty(), "{}", spec.name);
    }
    assert!(documented.is_empty(), "no such metrics: {:?}", documented.keys());
    let page = text("docs/metrics.md");
    for code in DIAGNOSTIC_CODES {
        assert!(page.contains(&format!("`{code}`")), "docs/metrics.md lacks the diagnostic {code}");
    }
}

#[test]
fn only_the_table_names_metrics() {
    let names: Vec<&str> = METRICS.iter().chain(RESOURCE_METRICS).map(|spec| spec.name).collect();
    for (file, source) in sources("src") {
        // What reads metrics must name them.
        if file == "src/observe/metrics.rs" || module(&file) == "cli" {
            continue;
        }
        for (at, line) in code(&source) {
            assert!(!names.iter().any(|name| line.contains(name)), "{file}:{at}: {}", line.trim());
        }
    }
}

#[test]
fn the_configuration_with_every_key_is_the_defaults() {
    let page = text("config/onevelope.toml");
    let (config, _) =
        load_text("config/onevelope.toml", &page).unwrap_or_else(|problems| panic!("{problems}"));
    let (mut bare, route) = (config.clone(), config.routes.values().next().expect("a route").clone());
    let upstream = config.upstreams.values().next().expect("an upstream").clone();
    bare.routes.clear();
    bare.upstreams.clear();
    assert_eq!(bare, Config::default());
    let RouteConfig { host, vendor, upstream: name, .. } = route.clone();
    assert_eq!(route, RouteConfig { host, vendor, upstream: name, ..RouteConfig::default() });
    assert_eq!(upstream, UpstreamConfig { url: upstream.url.clone(), ..UpstreamConfig::default() });
    let keys = keys(&serde_json::to_value(&config).expect("JSON"));
    let stated = |key: &str| {
        page.lines().any(|line| line.trim_start_matches(['#', ' ']).starts_with(&format!("{key} ")))
    };
    let missing: Vec<&String> = keys.iter().filter(|key| !stated(key)).collect();
    assert!(missing.is_empty(), "config/onevelope.toml does not state {missing:?}");
}

/// Names of the members that are no tables.
fn keys(value: &Value) -> BTreeSet<String> {
    let members = value.as_object().into_iter().flatten();
    members
        .flat_map(|(key, value)| if value.is_object() { keys(value) } else { BTreeSet::from([key.clone()]) })
        .collect()
}

#[test]
fn pages_link_to_files_that_exist() {
    let mut broken = Vec::new();
    let pages =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "config/profiles/README.md", "deploy/README.md"];
    let docs = std::fs::read_dir(root().join("docs")).expect("docs").flatten().map(|entry| entry.path());
    let docs = docs.filter(|path| path.extension().is_some_and(|e| e == "md"));
    for page in pages.map(|page| root().join(page)).into_iter().chain(docs) {
        let text = std::fs::read_to_string(&page).expect("a page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or("");
            let elsewhere = file.is_empty() || file.contains("://") || file.contains(' ');
            if !elsewhere && !page.parent().unwrap_or(Path::new("")).join(file).exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A rule without its test is a wish.
#[test]
fn the_reliability_page_names_tests_that_exist() {
    let tests: Vec<_> = ["tests/gateway", "tests/cli", "src"].into_iter().flat_map(sources).collect();
    let page = text("docs/reliability.md");
    let named = page.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::"));
    let missing: Vec<_> = named
        .filter(|(file, name)| {
            let file = format!("/{file}.rs");
            *name != "…"
                && !tests
                    .iter()
                    .any(|(path, source)| path.ends_with(&file) && source.contains(&format!("fn {name}(")))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
