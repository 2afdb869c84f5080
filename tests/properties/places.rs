//! Every place is asked: for each built-in action whose ids may stand in several places, ids in each of them, and in two at
//! once, are all read.

use std::collections::BTreeSet;

use onevelope::decode::{Bounds, Wire};
use onevelope::profile::{Action, Profile, RequestPlace, RequestShape};
use onevelope::request::{Head, Scope, view};
use serde_json::{Map, Value, json};

use crate::judge::PROFILES;

/// A request under construction.
struct Draft {
    method: http::Method,
    path: String,
    host: Option<String>,
    headers: http::HeaderMap,
    query: Value,
    body: Value,
}

impl Draft {
    /// What an action is recognised by, and nothing else.
    fn of(profile: &Profile, action: &Action) -> Self {
        let filled = |template: String, braces: (char, char)| {
            let mut out = String::new();
            let mut inside = false;
            for letter in template.chars() {
                match letter {
                    _ if letter == braces.0 => inside = true,
                    _ if letter == braces.1 => {
                        inside = false;
                        out.push('x');
                    }
                    _ if inside => {}
                    _ => out.push(letter),
                }
            }
            out
        };
        let service = action.services.first().map(String::as_str);
        let host = profile.vendor.hosts.iter().map(|host| host.as_str().to_owned()).next();
        let host = host.map(|host| {
            let stated = action.host.iter().map(|(name, texts)| (name.as_str(), texts[0].as_str()));
            let known = stated.chain(service.map(|service| ("service", service)));
            let host = known.fold(host, |host, (name, text)| host.replace(&format!("{{{name}}}"), text));
            filled(host, ('{', '}'))
        });
        let mut draft = Self {
            method: action.methods.first().cloned().unwrap_or(http::Method::POST),
            path: filled(action.paths.first().map_or("/".to_owned(), ToString::to_string), ('{', '}')),
            host,
            headers: http::HeaderMap::new(),
            query: json!({}),
            body: json!({}),
        };
        let bare = |texts: &[String]| match texts.first().map(|text| text.trim_matches('*')) {
            None | Some("") => "x".to_owned(),
            Some(text) => text.to_owned(),
        };
        if let Some(place) = action.selector.places.first() {
            draft.put(action, place, json!(action.selector.value));
        }
        for (name, texts) in &action.header {
            draft.headers.insert(name.clone(), bare(texts).parse().expect("a value"));
        }
        for (pointer, texts) in &action.query {
            set(&mut draft.query, &steps(&pointer.to_string()), json!(bare(texts)));
        }
        for (pointer, texts) in &action.body {
            let parameters = draft.parameters(action);
            set(parameters, &steps(&pointer.to_string()), json!(bare(texts)));
        }
        draft
    }

    fn put(&mut self, action: &Action, place: &RequestPlace, value: Value) {
        match place {
            RequestPlace::Header(name) => {
                let text = value.as_str().expect("a text").parse().expect("a value");
                self.headers.insert(name.clone(), text);
            }
            RequestPlace::Query(pointer) => set(&mut self.query, &steps(&pointer.to_string()), value),
            RequestPlace::Document(pointer) => {
                set(self.parameters(action), &steps(&pointer.to_string()), value);
            }
            _ => {}
        }
    }

    /// Where a document's parameters stand.
    fn parameters(&mut self, action: &Action) -> &mut Value {
        if action.from_query || self.method == http::Method::GET { &mut self.query } else { &mut self.body }
    }

    /// The ids that are read of it; none where another action, or none, is.
    fn asked(&self, profile: &Profile, action: &Action) -> Result<BTreeSet<String>, String> {
        let mut headers = self.headers.clone();
        let form = action.wire == Some(Wire::Form);
        let media_type = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let body = match &self.body {
            Value::Object(map) if map.is_empty() => String::new(),
            body if form => parameters(body),
            body => body.to_string(),
        };
        if !body.is_empty() {
            headers.insert(http::header::CONTENT_TYPE, media_type.parse().expect("a value"));
        }
        let query = parameters(&self.query);
        let head = Head {
            method: &self.method,
            host: self.host.as_deref(),
            path: &self.path,
            query: &query,
            headers: &headers,
        };
        let scope = Scope { vendor: None, profile: Some(&profile.name) };
        let told = || format!("{} {}?{query} {headers:?} {body}", self.method, self.path);
        let found = view(&PROFILES, &scope, &head, body.as_bytes(), Bounds::default())
            .map_err(|cause| format!("{cause}: {}", told()))?;
        if found.action().name != action.name {
            return Err(format!("read as {}: {}", found.action().name, told()));
        }
        let asked = &found.asked;
        let ids = (0..asked.len()).map(|item| asked.id(item).unwrap_or("(no id)").to_owned()).collect();
        Ok(ids)
    }
}

fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// Sets a value; `*` and numbers are places in a list.
fn set(into: &mut Value, steps: &[String], value: Value) {
    let Some((step, rest)) = steps.split_first() else {
        match (into, value) {
            (Value::Array(list), Value::Array(more)) => list.extend(more),
            (into, value) => *into = value,
        }
        return;
    };
    // An element that says in another member which it is.
    let told = step.strip_prefix('[').and_then(|step| step.strip_suffix(']')?.split_once('='));
    let list = step == "*" || step.parse::<usize>().is_ok() || told.is_some();
    if list {
        if !into.is_array() {
            *into = json!([]);
        }
        let Value::Array(elements) = into else { unreachable!("it was made one") };
        if elements.is_empty() {
            elements.push(told.map_or(Value::Null, |(name, text)| json!({ name: text })));
        }
        return set(elements.last_mut().expect("one"), rest, value);
    }
    if !into.is_object() {
        *into = json!({});
    }
    let Value::Object(members) = into else { unreachable!("it was made one") };
    set(members.entry(step.clone()).or_insert(Value::Null), rest, value);
}

/// As RPC styles write a structure: `A.1.B=c`.
fn parameters(value: &Value) -> String {
    fn pairs(prefix: &str, value: &Value, out: &mut Vec<String>) {
        let under = |step: &str| if prefix.is_empty() { step.to_owned() } else { format!("{prefix}.{step}") };
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, value)| pairs(&under(name), value, out))
            }
            Value::Array(list) => {
                list.iter()
                    .enumerate()
                    .for_each(|(at, value)| pairs(&under(&(at + 1).to_string()), value, out));
            }
            Value::Null => out.push(format!("{prefix}=")),
            scalar => {
                out.push(format!("{prefix}={}", scalar.as_str().map_or(scalar.to_string(), str::to_owned)))
            }
        }
    }
    let mut out = Vec::new();
    pairs("", value, &mut out);
    out.join("&")
}

/// An element with its id at a place.
fn element(place: &RequestPlace, id: &str) -> Option<Value> {
    let RequestPlace::Document(pointer) = place else { return None };
    let mut element = Value::Null;
    set(&mut element, &steps(&pointer.to_string()), json!(id));
    Some(element)
}

/// The places of an action's ids: a list's pointer, and where an element has its id.
fn places(action: &Action) -> Vec<(String, &RequestPlace)> {
    let lists = action.items.lists.iter();
    lists.flat_map(|(list, ids)| ids.iter().map(|id| (list.to_string(), id))).collect()
}

/// Whether a list's elements are no more than an id at its place: the others have cases of their own.
fn is_plain(action: &Action) -> bool {
    let items = &action.items;
    let json = action.wire.is_none_or(|wire| matches!(wire, Wire::Json | Wire::Form));
    let alone = items.id_parts.is_empty() && items.parent.is_empty() && items.version.is_empty();
    let plain = items.shape == RequestShape::List && !items.unwrap && items.nested.is_none();
    json && alone && plain && items.port.is_empty() && items.split.is_none() && !items.id_url
}

#[test]
fn ids_are_read_wherever_they_may_stand() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for (profile, action) in PROFILES.actions() {
        let places = places(action);
        if places.len() < 2 || !is_plain(action) {
            continue;
        }
        for (at, (list, place)) in places.iter().enumerate() {
            for (other_list, other_place) in places.iter().skip(at) {
                let (Some(one), Some(two)) = (element(place, "a-1"), element(other_place, "b-2")) else {
                    continue;
                };
                // One list in another has no place for both.
                let apart = |a: &str, b: &str| a != b && !a.starts_with(&format!("{b}/"));
                let same = list == other_list;
                let nested = !apart(list, other_list) || !apart(other_list, list);
                if !same && nested {
                    continue;
                }
                let mut draft = Draft::of(profile, action);
                let parameters = draft.parameters(action);
                set(parameters, &steps(list), json!([one]));
                set(parameters, &steps(other_list), json!([two]));
                tried += 1;
                let expected = BTreeSet::from(["a-1".to_owned(), "b-2".to_owned()]);
                match draft.asked(profile, action) {
                    Ok(asked) if asked == expected && !same => {
                        // One id in two lists is two resources.
                        let mut draft = Draft::of(profile, action);
                        let parameters = draft.parameters(action);
                        set(parameters, &steps(list), json!([one]));
                        set(parameters, &steps(other_list), json!([element(other_place, "a-1")]));
                        match draft.asked(profile, action) {
                            Ok(asked) if asked.len() == 2 && asked.iter().all(|id| id.ends_with("/a-1")) => {}
                            found => {
                                wrong.push(format!("{} {}: a-1 twice: {found:?}", profile.name, action.name))
                            }
                        }
                    }
                    Ok(asked) if asked == expected => {}
                    found => wrong.push(format!(
                        "{} {}: {list} and {other_list}: {found:?}",
                        profile.name, action.name
                    )),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(tried > 2000, "{tried}");
}

#[test]
fn a_draft_is_spelled_as_vendors_spell() {
    let mut value = Value::Object(Map::new());
    set(&mut value, &steps("/A/*/B"), json!("c"));
    set(&mut value, &steps("/D"), json!(["e", "f"]));
    assert_eq!(parameters(&value), "A.1.B=c&D.1=e&D.2=f");
}
