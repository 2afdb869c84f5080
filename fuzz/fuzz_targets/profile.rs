//! Profiles as anybody may write them: refused in words, or usable; no panic, no hang. The text is `vendor.toml` up to a line
//! `---`, then the family; without one it is the family alone.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use http::{HeaderMap, Method};
use libfuzzer_sys::fuzz_target;
use onevelope::decode::Bounds;
use onevelope::profile::load_vendors;
use onevelope::request::{Head, Scope, view};

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("onevelope-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("fuzzed")).expect("a folder");
    folder
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (vendor, family) = text.split_once("\n---\n").unwrap_or(("", text));
    for (name, text) in [("vendor.toml", vendor), ("family.toml", family)] {
        std::fs::write(FOLDER.join("fuzzed").join(name), text).expect("written");
    }
    let set = match load_vendors(Some(&FOLDER), Some(&["fuzzed"])) {
        Ok(set) => set,
        Err(cause) => return assert!(!cause.to_string().is_empty(), "refused without a word"),
    };
    let headers = HeaderMap::new();
    for (path, query, body) in [("/", "Action=a&id.1=x", "{}"), ("/v1/x/y", "", r#"{"ids":["a",{"id":"b"}]}"#)] {
        let head = Head { method: &Method::POST, host: Some("h.example"), path, query, headers: &headers };
        let scope = Scope { vendor: Some("fuzzed"), profile: None };
        let _ = view(&set, &scope, &head, body.as_bytes(), Bounds::default());
    }
});
