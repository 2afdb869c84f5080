//! Query strings and form bodies as a tree: `X.N.Y=v` becomes `{"X":[{"Y":"v"}]}`.
//!
//! Indexed parameters count from 0 or 1, may leave gaps, and are put in numeric order; AWS writes `X.member.N`
//! for the same thing. A value that is a JSON list or object is read as such (Alibaba squeezes ids into one
//! parameter). Keys keep their order of first appearance, repeats are kept.

use std::borrow::Cow;

use hashbrown::HashMap;
use percent_encoding::percent_decode_str;

use crate::json_text::string;

/// A parameter tree while it is built.
enum Part<'t> {
    Text(Cow<'t, str>),
    Members(Group<'t>),
}

/// Members in order of appearance; those that hold members of their own can be found again.
#[derive(Default)]
struct Group<'t> {
    list: Vec<(Cow<'t, str>, Part<'t>)>,
    groups: HashMap<Cow<'t, str>, usize, foldhash::fast::RandomState>,
}

/// Deepest path; a deeper one is a caller's mischief, not a vendor's parameter.
const DEEPEST: usize = 16;

/// The text's pairs as JSON. Never fails: what is no pair is a name without a value.
pub fn form_to_json(text: &str) -> String {
    let mut root = Group::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (plain(name), plain(value));
        let steps = || name.split('.').filter(|step| *step != "member");
        if steps().count() > DEEPEST || steps().any(str::is_empty) {
            root.list.push((name, Part::Text(value)));
            continue;
        }
        match name {
            Cow::Borrowed(name) => {
                root.insert(name.split('.').filter(|step| *step != "member").map(Cow::Borrowed), value);
            }
            Cow::Owned(name) => root.insert(
                name.split('.').filter(|step| *step != "member").map(|step| Cow::Owned(step.to_owned())),
                value,
            ),
        }
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / 4 + 16);
    write(&mut out, &Part::Members(root));
    String::from_utf8(out).unwrap_or_default()
}

impl<'t> Group<'t> {
    fn insert(&mut self, mut steps: impl Iterator<Item = Cow<'t, str>>, value: Cow<'t, str>) {
        let Some(mut step) = steps.next() else { return };
        let mut group = self;
        for next in steps {
            group = group.inner(step);
            step = next;
        }
        group.list.push((step, Part::Text(value)));
    }

    /// The members below a name.
    fn inner(&mut self, name: Cow<'t, str>) -> &mut Group<'t> {
        // Mostly the one before: parameters of one list stand together.
        let last =
            self.list.last().is_some_and(|(last, part)| *last == name && matches!(part, Part::Members(_)));
        let known = if last { Some(self.list.len() - 1) } else { self.groups.get(&name).copied() };
        let at = known.unwrap_or_else(|| {
            self.groups.insert(name.clone(), self.list.len());
            self.list.push((name, Part::Members(Group::default())));
            self.list.len() - 1
        });
        match &mut self.list[at].1 {
            Part::Members(inner) => inner,
            Part::Text(_) => unreachable!("only groups are remembered"),
        }
    }
}

fn write(out: &mut Vec<u8>, part: &Part<'_>) {
    match part {
        Part::Text(text) => {
            let looks_json = text.starts_with(['[', '{']);
            if looks_json && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
                out.extend_from_slice(text.as_bytes());
            } else {
                string(out, text);
            }
        }
        Part::Members(Group { list: members, .. }) => match numbered(members) {
            Some(elements) => {
                out.push(b'[');
                for (n, (_, element)) in elements.into_iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    write(out, element);
                }
                out.push(b']');
            }
            None => {
                out.push(b'{');
                for (n, (name, value)) in members.iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    string(out, name);
                    out.push(b':');
                    write(out, value);
                }
                out.push(b'}');
            }
        },
    }
}

/// The members in numeric order, when all their names are numbers.
fn numbered<'m, 't>(members: &'m [(Cow<'t, str>, Part<'t>)]) -> Option<Vec<(u64, &'m Part<'t>)>> {
    let mut elements = Vec::with_capacity(members.len());
    for (name, part) in members {
        elements.push((name.parse::<u64>().ok()?, part));
    }
    elements.sort_by_key(|(number, _)| *number);
    (!elements.is_empty()).then_some(elements)
}

fn plain(text: &str) -> Cow<'_, str> {
    match memchr::memchr2(b'+', b'%', text.as_bytes()) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: &str, json: &str) {
        assert_eq!(form_to_json(form), json);
    }

    #[test]
    fn indexed_parameters_become_lists_in_numeric_order() {
        check("Ids.10=c&Ids.2=b&Ids.1=a", r#"{"Ids":["a","b","c"]}"#);
        check("E.1.Id=a&E.1.R=x&E.2.Id=b", r#"{"E":[{"Id":"a","R":"x"},{"Id":"b"}]}"#);
        check("E.member.1.Id=a", r#"{"E":[{"Id":"a"}]}"#);
        check("Id.99999999=a", r#"{"Id":["a"]}"#);
    }

    #[test]
    fn json_in_one_parameter_is_read_and_the_rest_is_text() {
        check("Ids=%5B%22a%22%5D&n=7&s=%5Bx", r#"{"Ids":["a"],"n":"7","s":"[x"}"#);
        check("delete", r#"{"delete":""}"#);
        check("a=1&a=2+3", r#"{"a":"1","a":"2 3"}"#);
    }
}
