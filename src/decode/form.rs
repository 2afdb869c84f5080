//! Query strings and form bodies as a tree: `X.N.Y=v` becomes `{"X":[{"Y":"v"}]}`.
//!
//! Indexed parameters count from 0 or 1, may leave gaps, and are put in numeric order; AWS writes `X.member.N`
//! for the same thing. A value that is a JSON list or object is read as such (Alibaba squeezes ids into one
//! parameter). Keys keep their order of first appearance, repeats are kept.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

use crate::json_text::string;

/// A parameter tree while it is built.
enum Part {
    Text(String),
    Members(Group),
}

/// Members in order of appearance; those that hold members of their own can be found again.
#[derive(Default)]
struct Group {
    list: Vec<(String, Part)>,
    groups: HashMap<String, usize>,
}

/// The text's pairs as JSON. Never fails: what is no pair is a name without a value.
pub fn form_to_json(text: &str) -> String {
    let mut root = Group::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (plain(name), plain(value));
        let path: Vec<&str> = name.split('.').filter(|step| *step != "member").collect();
        // A deep path is a caller's mischief, not a vendor's parameter.
        if path.len() > 16 || path.iter().any(|step| step.is_empty()) {
            root.list.push((name, Part::Text(value)));
        } else {
            root.insert(&path, value);
        }
    }
    let mut out = Vec::with_capacity(text.len() + 16);
    write(&mut out, &Part::Members(root));
    String::from_utf8(out).unwrap_or_default()
}

impl Group {
    fn insert(&mut self, path: &[&str], value: String) {
        let Some((step, rest)) = path.split_first() else { return };
        if rest.is_empty() {
            return self.list.push(((*step).to_owned(), Part::Text(value)));
        }
        let at = self.groups.get(*step).copied().unwrap_or_else(|| {
            self.list.push(((*step).to_owned(), Part::Members(Group::default())));
            self.groups.insert((*step).to_owned(), self.list.len() - 1);
            self.list.len() - 1
        });
        if let Part::Members(inner) = &mut self.list[at].1 {
            inner.insert(rest, value);
        }
    }
}

fn write(out: &mut Vec<u8>, part: &Part) {
    match part {
        Part::Text(text) => {
            let looks_json = text.starts_with('[') || text.starts_with('{');
            if looks_json && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
                out.extend_from_slice(text.as_bytes());
            } else {
                string(out, text);
            }
        }
        Part::Members(Group { list: members, .. }) => match numbered(members) {
            Some(elements) => {
                out.push(b'[');
                for (n, element) in elements.into_iter().enumerate() {
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
fn numbered(members: &[(String, Part)]) -> Option<Vec<&Part>> {
    if members.is_empty() {
        return None;
    }
    let mut elements = Vec::with_capacity(members.len());
    for (name, part) in members {
        elements.push((name.parse::<u64>().ok()?, part));
    }
    elements.sort_by_key(|(number, _)| *number);
    Some(elements.into_iter().map(|(_, part)| part).collect())
}

fn plain(text: &str) -> String {
    if !text.contains(['+', '%']) {
        return text.to_owned();
    }
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
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
