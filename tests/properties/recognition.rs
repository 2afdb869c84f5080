//! Recognition through the index finds what trying every action finds; patterns fit what their segments fit.

use onevelope::decode::{Bounds, Document, Pointer, Wire, read, sniff};
use onevelope::envelope::Selects;
use onevelope::message::Message;
use onevelope::profile::{Action, HostPattern, PathPattern, ProfileSet, RequestPlace};
use onevelope::request::{Head, Scope, Unknown, may_match, view};
use proptest::prelude::*;
use proptest::sample::select;

use crate::conversations::CONVERSATIONS;
use crate::judge::PROFILES;

/// A request as the rules see it.
struct Seen<'r> {
    head: Head<'r>,
    /// Without empty segments.
    path: String,
    /// Whether the query is read together with the body.
    beside: bool,
    query: Option<Document<'r>>,
    body: Option<Document<'r>>,
}

impl<'r> Seen<'r> {
    fn new(head: Head<'r>, body: &'r [u8]) -> Self {
        let media_type = head.header("content-type");
        let document =
            |bytes, wire| read(bytes, wire, media_type, Bounds::default(), false).ok().map(|(d, _)| d);
        let query = Some(head.query).filter(|query| !query.is_empty());
        let steps: Vec<&str> = head.path.split('/').filter(|step| !step.is_empty()).collect();
        let wire = sniff(body, media_type);
        Self {
            path: format!("/{}", steps.join("/")),
            beside: wire.is_none_or(|wire| wire == Wire::Form),
            query: query.and_then(|query| document(query.as_bytes(), Wire::Form)),
            body: wire.and_then(|wire| document(body, wire)),
            head,
        }
    }

    /// Every text that places give.
    fn texts(&self, places: &[RequestPlace]) -> Vec<String> {
        places.iter().filter_map(|place| self.text(place)).collect()
    }

    fn text(&self, place: &RequestPlace) -> Option<String> {
        let at = |document: Option<&Document<'_>>, pointer: &Pointer| {
            let value = pointer.first(document?.root())?;
            let text = value.scalar().map(|text| text.decode().into_owned());
            text.or_else(|| (!value.is_empty()).then(|| value.raw().to_owned()))
        };
        let text = match place {
            RequestPlace::Document(pointer) => {
                let query = self.query.as_ref().filter(|_| self.beside || self.body.is_none());
                at(self.body.as_ref(), pointer).or_else(|| at(query, pointer))
            }
            RequestPlace::Operation(pointer) => {
                let mut mutates = false;
                if let Some(body) = &self.body {
                    pointer.visit(body.root(), &mut |request| {
                        // A form's parts: those that are requests themselves.
                        let part = request.elements().find_map(|part| part.get("body")?.get("query"));
                        mutates |= part.is_some();
                        if request.elements().next().is_some() {
                            return false;
                        }
                        let text = request.get("query").and_then(|text| text.scalar());
                        mutates |= match text {
                            Some(text) => text.decode().contains("mutation"),
                            None => request.get("extensions").is_some(),
                        };
                        false
                    });
                }
                mutates.then(|| "mutation".to_owned())
            }
            RequestPlace::Query(pointer) => at(self.query.as_ref(), pointer),
            RequestPlace::Header(name) => Some(self.head.header(name.as_str()).to_owned()),
            RequestPlace::Path(None) => Some(self.head.path.to_owned()),
            _ => None,
        };
        text.filter(|text| !text.is_empty())
    }
}

/// `*` at an end stands for any text.
fn allowed(texts: &[String], value: &str) -> bool {
    let value = value.to_lowercase();
    texts.is_empty()
        || texts.iter().map(|text| text.to_lowercase()).any(|text| {
            let (front, back) = (text.strip_suffix('*'), text.strip_prefix('*'));
            match (front, back) {
                _ if text.is_empty() => true,
                (Some(front), None) => value.trim_start().starts_with(front),
                (None, Some(back)) => value.trim_end().ends_with(back),
                _ => value == text,
            }
        })
}

/// How well an action fits: whether the host says its service, conditions met, literal bytes of its path.
fn score(
    vendor_hosts: &[HostPattern],
    action: &Action,
    seen: &Seen<'_>,
    wide: bool,
    // Nothing could read its body: its path must be its own.
    blind: bool,
) -> Option<(bool, usize, usize)> {
    let head = &seen.head;
    let selector = &action.selector;
    if !selector.places.is_empty() && !seen.texts(&selector.places).contains(&selector.value) {
        return None;
    }
    let bare = seen.path.strip_suffix(".json").unwrap_or(&seen.path);
    let on = |path: &&PathPattern| path.fits(&seen.path) || path.fits(bare);
    let weight = action.paths.iter().filter(on).map(PathPattern::weight).max();
    let rows = |document: Option<&Document<'_>>, rows: &[(Pointer, Vec<String>)]| {
        rows.iter().all(|(pointer, texts)| {
            document.is_some_and(|document| {
                pointer.visit(document.root(), &mut |value| {
                    allowed(texts, &value.scalar().map(|text| text.decode()).unwrap_or_default())
                })
            })
        })
    };
    let member = |name: &String| seen.body.as_ref().is_some_and(|body| body.root().get(name).is_some());
    let host = head.host.and_then(|host| vendor_hosts.iter().find_map(|pattern| pattern.find(host)));
    let capture = |name: &str| host.iter().flatten().find(|(own, _)| own == name).map(|(_, value)| value);
    let listed = |texts: &[String], value: &str| texts.iter().any(|text| text.eq_ignore_ascii_case(value));
    let fits = (action.methods.is_empty() || action.methods.contains(head.method))
        && (action.paths.is_empty() || weight.is_some())
        && !action.except.iter().any(|path| path.fits(&seen.path))
        && action.header.iter().all(|(name, texts)| {
            head.headers.contains_key(name) && allowed(texts, head.header(name.as_str()))
        })
        && rows(seen.query.as_ref(), &action.query)
        && (blind || rows(seen.body.as_ref(), &action.body))
        && (blind || action.first_key.is_empty() || action.first_key.iter().any(member))
        && (!blind || (action.needs_body() && weight.is_some_and(|weight| weight >= 7)))
        && action.host.iter().all(|(name, texts)| capture(name).is_none_or(|value| listed(texts, value)));
    let conditions = action.query.len()
        + action.header.len()
        + action.body.len()
        + action.host.len()
        + usize::from(!action.first_key.is_empty())
        + usize::from(!action.selector.places.is_empty())
        + usize::from(host.is_some());
    let weight = weight.unwrap_or(0);
    let says_little = wide && conditions == 0 && weight <= 1;
    let service = capture("service").is_some_and(|service| action.services.contains(service));
    (fits && !says_little).then_some((service, conditions, weight))
}

/// The best action of all, the first among equals.
fn by_trying_all<'s>(
    set: &'s ProfileSet,
    vendor: Option<&str>,
    seen: &Seen<'_>,
    blind: bool,
) -> Option<(&'s str, usize)> {
    let mut best: Option<(_, &str, usize)> = None;
    for profile in
        set.profiles().iter().filter(|profile| vendor.is_none_or(|name| profile.vendor.name == name))
    {
        for (at, action) in profile.actions.iter().enumerate() {
            if let Some(score) = score(&profile.vendor.hosts, action, seen, vendor.is_none(), blind)
                && best.is_none_or(|(known, ..)| score > known)
            {
                best = Some((score, profile.name.as_str(), at));
            }
        }
    }
    best.map(|(_, profile, at)| (profile, at))
}

/// The same request with something about it changed.
fn changed(request: &Message, how: usize) -> Message {
    let mut other = request.clone();
    match how {
        0 => {}
        1 => drop(other.headers.remove("host")),
        2 => other.body.clear(),
        3 => other.target = other.target.split('?').next().unwrap_or_default().to_owned(),
        4 => other.target.insert(0, '/'),
        5 => {
            other.target = other.target.replacen('?', "/more?", 1)
                + if request.target.contains('?') { "" } else { "/more" }
        }
        6 => other.target = other.target.to_uppercase(),
        7 => drop(other.headers.remove("content-type")),
        _ => other.method = Some(http::Method::PUT),
    }
    other
}

fn check(request: &Message, vendor: Option<&str>, name: &str) -> bool {
    let host = request.host();
    let (path, query) = request.path_and_query();
    let method = request.method.clone().expect("a method");
    let head = Head { method: &method, host: host.as_deref(), path, query, headers: &request.headers };
    let scope = Scope { vendor, profile: None };
    let found = view(&PROFILES, &scope, &head, &request.body, Bounds::default());
    // Two vendors' call is nobody's, whichever fits better.
    if let Err(Unknown::Either(..)) = found {
        return false;
    }
    let found = found.as_ref().ok().map(|found| (found.profile.name.as_str(), found.action));
    let seen = Seen::new(head, &request.body);
    let unread = seen.body.is_none() && !request.body.trim_ascii().is_empty();
    let expected = by_trying_all(&PROFILES, vendor, &seen, false);
    let expected = expected.or_else(|| unread.then(|| by_trying_all(&PROFILES, vendor, &seen, true))?);
    assert_eq!(found, expected, "{name}: {method} {path}?{query}");
    if found.is_some() {
        assert!(may_match(&PROFILES, &scope, &head, !request.body.is_empty()), "{name}: passed unseen");
    }
    found.is_some()
}

#[test]
fn the_index_finds_what_trying_every_action_finds() {
    let mut recognised = 0;
    for (at, case) in CONVERSATIONS.iter().enumerate() {
        recognised += usize::from(check(&case.request, Some(&case.vendor), &case.name));
        check(&changed(&case.request, at % 9), Some(&case.vendor), &case.name);
        // Without a vendor every action there is must be tried: a sample will do.
        if at % 8 == 0 {
            check(&changed(&case.request, at / 8 % 9), None, &case.name);
        }
    }
    assert_eq!(recognised, CONVERSATIONS.len());
}

/// What a step of a template fits and captures.
fn step(pattern: &str, text: &str) -> Option<Option<(String, String)>> {
    let Some((front, rest)) = pattern.split_once('{') else { return (pattern == text).then_some(None) };
    let (name, back) = rest.split_once('}')?;
    let inner = text.strip_prefix(front)?.strip_suffix(back)?;
    (!inner.is_empty()).then(|| Some((name.to_owned(), inner.to_owned())))
}

type Captured = Option<Vec<(String, String)>>;

fn path_by_splitting(pattern: &str, path: &str) -> Captured {
    let mut steps: Vec<&str> = pattern.split('/').filter(|step| !step.is_empty()).collect();
    let mut parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    // `/` has no segment.
    if parts == [""] {
        parts.clear();
    }
    let open = |step: &str| step.strip_prefix('{')?.strip_suffix("...}").map(str::to_owned);
    let head = if steps.len() > 1 { open(steps[0]) } else { None };
    steps.drain(..usize::from(head.is_some()));
    let tail = steps.last().and_then(|step| open(step));
    steps.truncate(steps.len() - usize::from(tail.is_some()));
    let spare = parts.len().checked_sub(steps.len())?;
    if spare > 0 && head.is_none() && tail.is_none() {
        return None;
    }
    let skip = if head.is_some() { spare } else { 0 };
    let mut captured: Vec<_> = head.map(|name| (name, parts[..skip].join("/"))).into_iter().collect();
    for (pattern, text) in steps.iter().zip(&parts[skip..]) {
        captured.extend(step(pattern, text)?);
    }
    captured.extend(tail.map(|name| (name, parts[skip + steps.len()..].join("/"))));
    Some(captured)
}

fn host_by_splitting(pattern: &str, host: &str) -> Captured {
    let (pattern, host) = (pattern.to_lowercase(), host.to_lowercase());
    let (steps, labels): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), host.split('.').collect());
    let mut captured = Vec::new();
    for (pattern, text) in steps.iter().zip(&labels) {
        captured.extend(step(pattern, text)?);
    }
    (steps.len() == labels.len()).then_some(captured)
}

fn joined(steps: Vec<&'static str>, between: &'static str, most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(select(steps), 0..=most).prop_map(move |steps| steps.join(between))
}

fn owned<K: ToString, V: ToString>(captures: Vec<(K, V)>) -> Vec<(String, String)> {
    captures.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_path_fits_as_its_segments_fit(
        pattern in joined(vec!["a", "b", "", "{x}", "{y}:go", "v{z}", "v{z}:go", "{r...}"], "/", 4),
        path in joined(vec!["a", "b", "", "v1", "v", "x:go", ":go", "v1:go", "vé:go"], "/", 6),
        slash in "/{0,2}",
    ) {
        if let Ok(parsed) = PathPattern::parse(&pattern) {
            let path = slash + &path;
            let model = path_by_splitting(&pattern, &path);
            prop_assert_eq!(parsed.find(&path).map(owned), model.clone(), "{} on {}", pattern, path);
            prop_assert_eq!(parsed.fits(&path), model.is_some());
        }
    }

    #[test]
    fn a_host_fits_as_its_labels_fit(
        pattern in joined(vec!["a", "Com", "", "{x}", "s3-{y}", "{z}-dev"], ".", 4),
        host in joined(vec!["a", "com", "COM", "xcom", "", "s3-eu", "s3-", "b-dev"], ".", 4),
    ) {
        let parsed = HostPattern::parse(&pattern).expect("a pattern");
        let model = host_by_splitting(&pattern, &host);
        prop_assert_eq!(parsed.find(&host), model.clone(), "{} on {}", pattern, host);
        prop_assert_eq!(parsed.fits(&host), model.is_some());
    }
}

/// Method, target, media type, body, and the ids, a pattern (`*`), caution (`?`) or nothing (`-`) that it is read as.
type Read = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const READ: [Read; 22] = [
    ("opensearch", "DELETE", "/_all/_alias/x", "", "", "*"),
    ("opensearch", "DELETE", "/%3Clogs-%7Bnow%2Fd%7D%3E", "", "", "*"),
    ("opensearch", "POST", "/_aliases", "", r#"{"actions":[{"remove":{"index":"a*","alias":"x"}}]}"#, "*"),
    ("opensearch", "POST", "/_aliases", "", r#"{"actions":[{"add":{"indices":["l-*"],"alias":"x"}}]}"#, "*"),
    (
        "opensearch",
        "POST",
        "/i/_bulk",
        "",
        "{\"index\":{\"_id\":\"1\"}}\n\n{\"delete\":{\"_id\":\"2\"}}\n",
        "?",
    ),
    ("digitalocean", "DELETE", "/v2/cdn/endpoints/e/cache", "", r#"{"files":["css/*"]}"#, "*"),
    (
        "digitalocean",
        "POST",
        "/v2/tags/t/resources",
        "",
        r#"{"resources":[{"resource_id":"1","resource_type":"droplet"},{"resource_id":"1","resource_type":"image"}]}"#,
        "droplet/1 image/1",
    ),
    (
        "digitalocean",
        "DELETE",
        "/v2/droplets/9/destroy_with_associated_resources/selective",
        "",
        r#"{"snapshots":["1"],"volumes":["1"]}"#,
        "?",
    ),
    ("odata", "POST", "/s/$batch", "", r#"{"requests":[{"id":"1","method":"DELETE","url":"P/$each"}]}"#, "*"),
    (
        "odata",
        "POST",
        "/s/$batch",
        "multipart/mixed; boundary=b; boundary=c",
        "--b\n\nDELETE P(1) HTTP/1.1\n\n--b--",
        "?",
    ),
    (
        "odata",
        "POST",
        "/s/$batch",
        "multipart/mixed; boundary=b",
        "--b\nContent-Type: Application/HTTP\n\nDELETE P(1) HTTP/1.1\n\n--b--",
        "P(1)",
    ),
    ("fhir", "POST", "/r4/Bundle", "", r#"{"resourceType":"Bundle","type":"batch","entry":[]}"#, "-"),
    (
        "fhir",
        "POST",
        "/r4/Bundle/$validate",
        "",
        r#"{"resourceType":"Bundle","type":"batch","entry":[]}"#,
        "-",
    ),
    (
        "s3",
        "POST",
        "/b?delete",
        "application/xml",
        "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        "?",
    ),
    ("openstack", "DELETE", "/v2/queues/q/messages?pop=2", "", "", "*"),
    (
        "graphql",
        "POST",
        "/graphql?operationName=M",
        "",
        r#"{"query":"query Q{x} mutation M{b}","operationName":"Q"}"#,
        "?",
    ),
    ("graphql", "POST", "/graphql?query=mutation%7Bb%7D", "", "", "?"),
    ("graphql", "POST", "/graphql?query=mutation%7Bb%7D", "", r#"{"query":"{x}"}"#, "?"),
    ("graphql", "POST", "/graphql", "", r#"{"Query":"mutation{a}"}"#, "?"),
    ("graphql", "POST", "/graphql", "", r#"{"query":"mutation{a}","variables":[{},{}]}"#, "?"),
    (
        "graphql",
        "POST",
        "/graphql",
        "multipart/form-data; boundary=b",
        "--b\nContent-Disposition: form-data; name=\"query\"\n\nmutation{a}\n--b--",
        "?",
    ),
    (
        "graphql",
        "POST",
        "/graphql",
        "multipart/form-data; boundary=b",
        "--b\nContent-Disposition: form-data; name=\"operations\"\n\n[{\"query\":\"mutation{a}\"}]\n--b--",
        "?",
    ),
];

#[test]
fn requests_are_read_as_servers_act_on_them() {
    for (vendor, method, target, media_type, body, read_as) in READ {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = http::HeaderMap::new();
        if !media_type.is_empty() {
            headers.insert("content-type", media_type.parse().expect("a media type"));
        }
        let method = method.parse().expect("a method");
        let head = Head { method: &method, host: None, path, query, headers: &headers };
        let scope = Scope { vendor: Some(vendor), profile: None };
        let found = view(&PROFILES, &scope, &head, body.as_bytes(), Bounds::default());
        let Ok(found) = found else {
            assert_eq!(read_as, "-", "{target} {body}");
            continue;
        };
        let ids: Vec<_> = (0..found.asked.len()).filter_map(|item| found.asked.id(item)).collect();
        let told = match () {
            () if found.unclear.is_some() => "?".to_owned(),
            () if matches!(found.selects, Selects::Filter | Selects::All) => "*".to_owned(),
            () => ids.join(" "),
        };
        assert_eq!(told, read_as, "{target} {body} {:?}", found.unclear);
    }
}
