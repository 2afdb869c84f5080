//! Objects read by their elder siblings: the tree is what was written, whatever the siblings share.

use std::collections::HashSet;

use onevelope::decode::{Bounds, Wire, read};
use proptest::prelude::*;

use crate::tree::Tree;

/// Values that objects built alike could confuse: other kinds, other lengths, numbers with noughts, escapes.
const SCALARS: [&str; 14] = [
    r#""""#,
    r#""a""#,
    r#""longer than eight bytes""#,
    r#""quoted \" and \\""#,
    r#""\ud83d""#,
    "0",
    "7",
    "1234567890123",
    "-1",
    "0.5",
    "1e3",
    "1e400",
    "true",
    "null",
];
const KEYS: [&str; 8] = ["a", "b", "ab", "code", "message", "requestId", r"\u0061", "a key of many bytes"];

fn trees() -> impl Strategy<Value = Tree> {
    let scalar = proptest::sample::select(&SCALARS[..]).prop_map(|text| Tree::Scalar(text.to_owned()));
    let key = || proptest::sample::select(&KEYS[..]).prop_map(str::to_owned);
    scalar.prop_recursive(4, 64, 6, move |inner| {
        let map = proptest::collection::vec((key(), inner.clone()), 0..5).prop_map(Tree::Map);
        // A few objects, over and over.
        let few = proptest::collection::vec(map.clone(), 1..3);
        let again = (few, proptest::collection::vec(0_usize..3, 1..6));
        let again = again.prop_map(|(few, picks)| {
            picks.iter().map(|pick| few[pick % few.len()].clone()).collect::<Vec<_>>()
        });
        prop_oneof![
            2 => map,
            1 => proptest::collection::vec(inner, 0..4).prop_map(Tree::List),
            2 => again.clone().prop_map(Tree::List),
            2 => (again, proptest::collection::vec(key(), 6))
                .prop_map(|(values, keys)| Tree::Map(keys.into_iter().zip(values).collect())),
        ]
    })
}

/// The same text, with a space where `wide` says so.
fn spelled(tree: &Tree, wide: &mut impl FnMut() -> bool) -> String {
    let mut parts = Vec::new();
    let (open, close) = match tree {
        Tree::Scalar(text) => return text.clone(),
        Tree::List(list) => {
            parts.extend(list.iter().map(|value| spelled(value, wide)));
            ('[', ']')
        }
        Tree::Map(map) => {
            for (key, value) in map {
                let (before, behind) = (space(wide), space(wide));
                parts.push(format!("\"{key}\"{before}:{behind}{}", spelled(value, wide)));
            }
            ('{', '}')
        }
    };
    let parts: Vec<String> =
        parts.into_iter().map(|part| format!("{}{part}{}", space(wide), space(wide))).collect();
    format!("{open}{}{close}", parts.join(","))
}

fn space(wide: &mut impl FnMut() -> bool) -> &'static str {
    if wide() { " " } else { "" }
}

/// Whether every strict reader takes it, said plainly.
fn is_i_json(tree: &Tree) -> bool {
    match tree {
        Tree::Scalar(text) => text != "1e400" && text != r#""\ud83d""#,
        Tree::List(list) => list.iter().all(is_i_json),
        Tree::Map(map) => {
            let mut names = HashSet::new();
            map.iter().all(|(key, value)| names.insert(key.replace(r"\u0061", "a")) && is_i_json(value))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_is_what_was_written(tree in trees(), wide in proptest::collection::vec(0_u8..40, 16)) {
        let mut turn = 0;
        let mut wide = || {
            turn += 1;
            wide[turn % wide.len()] == 0
        };
        let text = spelled(&tree, &mut wide);
        let (document, _) = read(text.as_bytes(), Wire::Json, "", Bounds::default(), false)
            .map_err(|cause| TestCaseError::fail(format!("{cause}: {text}")))?;
        prop_assert_eq!(Tree::of(document.root()).json(), tree.json());
        prop_assert_eq!(document.is_i_json(), is_i_json(&tree), "{}", text);
    }

    #[test]
    fn what_is_cut_off_is_no_json(tree in trees(), at in any::<proptest::sample::Index>()) {
        let text = tree.json();
        let cut = &text.as_bytes()[..at.index(text.len())];
        let read = read(cut, Wire::Json, "", Bounds::default(), false);
        let theirs = serde_json::from_slice::<serde::de::IgnoredAny>(cut);
        prop_assert_eq!(read.is_ok(), theirs.is_ok(), "{}", String::from_utf8_lossy(cut));
    }
}
