//! A case's request in other spellings: those that mean the same must be read the same; those that mean more, or that two
//! readers could read differently, must not be read as the first for certain.

use std::io::Write as _;

use http::{HeaderValue, Method, header};

use super::Finding;
use super::rules::Class;
use crate::decode::Wire;
use crate::explain::recognise;
use crate::message::Message;
use crate::profile::{ProfileSet, RequestPlace};
use crate::request::{Request, Scope};

/// A request that was spelled otherwise.
struct Spelling {
    what: &'static str,
    request: Message,
    /// Whether it means the same.
    same: bool,
}

/// What was read, for comparison: order says nothing here.
#[derive(PartialEq)]
struct Reading {
    profile: String,
    action: String,
    asked: Vec<String>,
    selects: &'static str,
}

impl Reading {
    fn of(request: &Request) -> Self {
        let asked = &request.asked;
        let name = |item: usize| {
            let key = asked.key(item).unwrap_or_default();
            format!("{} {key}", asked.id(item).unwrap_or_default())
        };
        let mut names: Vec<String> = (0..asked.len()).map(name).collect();
        names.sort();
        Self {
            profile: request.profile.name.clone(),
            action: request.action().name.clone(),
            asked: names,
            selects: request.selects.as_str(),
        }
    }

    fn told(&self) -> String {
        format!("{} {} {} [{}]", self.profile, self.action, self.selects, self.asked.join(", "))
    }
}

/// Spells a request in every way there is. How many there were, and those that were read wrongly.
pub(super) fn attack(set: &ProfileSet, vendor: &str, request: &Message) -> (usize, Vec<Finding>) {
    let scope = Scope { vendor: Some(vendor), profile: None };
    let Ok(known) = recognise(set, &scope, request) else { return (0, Vec::new()) };
    let (reading, certain) = (Reading::of(&known), known.unclear.is_none());
    let mut findings = Vec::new();
    let spellings = spellings(request, &known);
    for Spelling { what, request, same } in &spellings {
        let found = recognise(set, &scope, request);
        let found = found.as_ref().map(|found| (Reading::of(found), found.unclear.as_deref())).ok();
        let wrong = match &found {
            None => *same,
            Some((read, unclear)) if *same => *read != reading || unclear.is_none() != certain,
            Some((read, unclear)) => *read == reading && unclear.is_none(),
        };
        if wrong {
            let class = if *same { Class::Spelling } else { Class::More };
            let verdict = match found {
                None => "not recognised".to_owned(),
                Some((read, unclear)) => format!("{}, {}", read.told(), unclear.unwrap_or("certain")),
            };
            findings.push(Finding { class, what: (*what).to_owned(), verdict });
        }
    }
    (spellings.len(), findings)
}

fn spellings(request: &Message, known: &Request) -> Vec<Spelling> {
    let mut out = Vec::new();
    let mut add = |what, same, changed: Option<Message>| {
        out.extend(changed.map(|request| Spelling { what, request, same }));
    };
    let (path, query) = request.path_and_query();
    let target = |target: String| Some(Message { target, ..request.clone() });
    let behind = |path: &str| if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    // A path that is an id itself keeps its spelling.
    let is_id = |place: &RequestPlace| matches!(place, RequestPlace::Path(None));
    if !known.action().items.single.iter().any(is_id) {
        let escaped = escaped_letter(path).and_then(|path| target(behind(&path)));
        add("an escaped letter in the path", true, escaped);
        add("a slash behind the path", true, target(behind(&format!("{}/", path.trim_end_matches('/')))));
        add("two slashes before the path", true, target(behind(&format!("/{path}"))));
    }
    add("steps up in the path", false, target(behind(&format!("/x/..{path}"))));
    let by = |method: Method| Some(Message { method: Some(method), ..request.clone() });
    let small = request.method.as_ref().and_then(|method| method.as_str().to_ascii_lowercase().parse().ok());
    add("the method in small letters", true, small.and_then(by));
    let headed = |name: &'static str, value: &str| {
        let mut changed = request.clone();
        changed.headers.append(name, HeaderValue::from_str(value).ok()?);
        Some(changed)
    };
    let other = if request.method == Some(Method::GET) { "DELETE" } else { "GET" };
    add("another method in a header", false, headed("x-http-method-override", other));
    if !query.is_empty() {
        let odd = |query: String| target(format!("{path}?{query}"));
        add("escaped letters in the query", true, odd(parameters(query, escaped_parameter)));
        add("an empty pair in the query", true, odd(format!("&{query}&")));
    }
    bodies(request, known, &mut add);
    out
}

fn bodies(request: &Message, known: &Request, add: &mut impl FnMut(&'static str, bool, Option<Message>)) {
    if request.body.is_empty() {
        return;
    }
    let with = |body: Vec<u8>| Message { body, ..request.clone() };
    let coded = |coding: &'static str, body: Vec<u8>| {
        let mut changed = with(body);
        changed.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        Some(changed)
    };
    let plain = request.headers.get(header::CONTENT_ENCODING).is_none();
    let asks = !known.action().items.lists.is_empty() && known.unclear.is_none();
    if plain {
        add("the body coded", true, zipped(&request.body).and_then(|body| coded("gzip", body)));
    }
    if plain && asks {
        add("a coding that the body does not have", false, coded("gzip", request.body.clone()));
        add("a coding that nobody knows", false, coded("aes128gcm", request.body.clone()));
    }
    let mut twice = request.clone();
    twice.headers.append(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if request.headers.contains_key(header::CONTENT_TYPE) {
        add("a second media type", false, Some(twice));
    }
    let Ok(text) = std::str::from_utf8(&request.body) else { return };
    let media_type = request.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or("").to_ascii_lowercase();
    if media_type.contains("x-www-form-urlencoded") && !text.trim_start().starts_with(['{', '[', '<']) {
        add(
            "escaped letters in the form",
            true,
            Some(with(parameters(text, escaped_parameter).into_bytes())),
        );
        let backwards = text.trim_end().split('&').rev().collect::<Vec<_>>().join("&");
        add("the form's pairs backwards", true, Some(with(backwards.into_bytes())));
        let numbered = text.trim_end().split('&').find(|pair| {
            let name = pair.split('=').next().unwrap_or("");
            let ends_in_number = name.rsplit('.').next().is_some_and(|end| end.parse::<u64>().is_ok());
            ends_in_number && name.contains('.')
        });
        if let Some((name, _)) = numbered.and_then(|pair| pair.split_once('=')) {
            let more = format!("{}&{name}=other", text.trim_end());
            add("a number of the list twice", false, Some(with(more.into_bytes())));
            let far = format!(
                "{}&{}.1000=other",
                text.trim_end(),
                name.rsplit_once('.').map_or(name, |(list, _)| list)
            );
            add("numbers of the list left out", false, Some(with(far.into_bytes())));
        }
    }
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        && text.trim_start().starts_with(['{', '[']);
    if is_json && known.action().wire.is_none_or(|wire| wire == Wire::Json) {
        add("JSON with white space", true, Some(with(spread(text, Spread::Space).into_bytes())));
        add("JSON with escapes", true, Some(with(spread(text, Spread::Escapes).into_bytes())));
        add("JSON behind a byte order mark", true, Some(with([b"\xef\xbb\xbf", text.as_bytes()].concat())));
        let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        add("JSON in UTF-16", true, Some(with([b"\xff\xfe".to_vec(), wide].concat())));
        if asks {
            let cut = text.trim_end().len() - 1;
            add("JSON cut off", false, text.get(..cut).map(|text| with(text.into())));
        }
        if let Some(twice) = first_member_twice(text) {
            add("a member twice", false, Some(with(twice.into_bytes())));
        }
    }
}

fn zipped(body: &[u8]) -> Option<Vec<u8>> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    coder.write_all(body).ok()?;
    coder.finish().ok()
}

/// The first plain letter of the last segment that has one, as `%xx`.
fn escaped_letter(path: &str) -> Option<String> {
    let at = path.rfind('/')? + 1;
    let letter = path.as_bytes().get(at).filter(|byte| byte.is_ascii_alphanumeric())?;
    Some(format!("{}%{letter:02X}{}", &path[..at], &path[at + 1..]))
}

/// Every name and value changed.
fn parameters(text: &str, change: fn(&str) -> String) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => format!("{}={}", change(name), change(value)),
        None => pair.to_owned(),
    };
    text.trim_end().split('&').map(pair).collect::<Vec<_>>().join("&")
}

/// The first letter as `%xx`.
fn escaped_parameter(text: &str) -> String {
    match text.as_bytes().first() {
        Some(letter) if letter.is_ascii_alphabetic() => format!("%{letter:02x}{}", &text[1..]),
        _ => text.to_owned(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Spread {
    /// White space around everything.
    Space,
    /// The first letter of every string as `\u00xx`.
    Escapes,
}

/// JSON that says the same.
fn spread(text: &str, how: Spread) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut inside, mut first, mut escaped) = (false, false, false);
    for letter in text.chars() {
        if inside {
            match letter {
                _ if first && how == Spread::Escapes && letter.is_ascii_alphanumeric() => {
                    out.push_str(&format!("\\u{:04x}", u32::from(letter)));
                }
                _ => out.push(letter),
            }
            inside = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            first = false;
            continue;
        }
        if letter == '"' {
            (inside, first, escaped) = (true, true, false);
        }
        let around = how == Spread::Space && matches!(letter, ',' | ':' | '{' | '}' | '[' | ']');
        if around {
            out.push_str(" \n");
        }
        out.push(letter);
        if around {
            out.push('\t');
        }
    }
    out
}

/// An object with its first member once more at its end, saying something else.
fn first_member_twice(text: &str) -> Option<String> {
    let map: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let name = serde_json::to_string(map.keys().next()?).ok()?;
    let open = text.trim_end().strip_suffix('}')?;
    Some(format!("{open},{name}:[\"other\"]}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spread_says_the_same() {
        let text = r#"{"a":["x\"y",1,{"b":""}],"c":"\\"}"#;
        let plain: serde_json::Value = serde_json::from_str(text).expect("JSON");
        for how in [Spread::Space, Spread::Escapes] {
            let spread = spread(text, how);
            assert_ne!(spread, text);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&spread).expect("JSON"), plain, "{spread}");
        }
        assert_eq!(escaped_letter("/a/bc"), Some("/a/%62c".to_owned()));
        assert_eq!(parameters("Ab=c&d", escaped_parameter), "%41b=%63&d");
        assert_eq!(first_member_twice(r#"{"a":1}"#).as_deref(), Some(r#"{"a":1,"a":["other"]}"#));
    }
}
