//! The strict JSON reader against the public JSONTestSuite (see `tests/json/NOTICE`).

use onevelope::decode::{Bounds, DecodeError, Kind, Value, Wire, decode_content, read};
use serde_json::Value as Theirs;

/// (name, bytes) of every `.json` file of the archive.
fn files() -> Vec<(String, Vec<u8>)> {
    let packed: &[u8] = include_bytes!("../json/jsontestsuite.tar.gz");
    let tar = decode_content(packed, "gzip", 1 << 24, 1000).expect("gzip");
    // A tar is blocks of 512 bytes: a header with name and octal length, then the file.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_matches(['\0', ' ']).to_owned();
    let (mut files, mut at) = (Vec::new(), 0);
    while tar.get(at).is_some_and(|first| *first != 0) {
        let name = text(&tar[at..at + 100]);
        let len = usize::from_str_radix(&text(&tar[at + 124..at + 135]), 8).expect("a length");
        at += 512;
        if name.ends_with(".json") {
            files.push((name, tar[at..at + len].to_vec()));
        }
        at += len.next_multiple_of(512);
    }
    files
}

/// What a tree says, in `serde_json`'s terms: of a repeated member the last.
fn said(value: Value<'_>) -> Theirs {
    match value.kind() {
        Kind::Array => value.elements().map(said).collect(),
        Kind::Object => {
            value.members().map(|(key, value)| (key.decode().into_owned(), said(value))).collect()
        }
        Kind::String => value.scalar().map(|text| text.decode().into()).unwrap_or_default(),
        _ => serde_json::from_str(value.raw()).expect("a number or a word"),
    }
}

#[test]
fn what_is_json_is_read_and_what_is_not_is_refused() {
    let (mut seen, mut wrong) = ([0; 3], Vec::new());
    for (name, bytes) in files() {
        let read = read(&bytes, Wire::Json, "", Bounds::default(), false);
        let theirs: Result<Theirs, _> = serde_json::from_slice(&bytes);
        if let (Ok((document, _)), Ok(theirs)) = (&read, &theirs)
            && said(document.root()) != *theirs
        {
            wrong.push(format!("{name}: another value than serde_json's"));
        }
        let file = name.rsplit('/').next().unwrap_or_default();
        match (&file[..2], read) {
            ("y_", Err(cause)) => wrong.push(format!("{name}: {cause}")),
            ("n_", Ok(_)) => wrong.push(format!("{name}: read")),
            _ => {}
        }
        let kind = ["y_", "n_"].iter().position(|kind| file.starts_with(kind)).unwrap_or(2);
        seen[kind] += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The third are the implementation's choice, and values to be carried through.
    assert_eq!(seen, [95, 188, 57]);
}

#[test]
fn brackets_without_end_are_too_deep_and_not_a_crash() {
    let deep = "[".repeat(100_000);
    let read = read(deep.as_bytes(), Wire::Json, "", Bounds::default(), false);
    assert_eq!(read.err(), Some(DecodeError::TooDeep { depth: 128 }));
}
