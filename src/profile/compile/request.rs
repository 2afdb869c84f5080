//! `[request]` and `[[actions]]`: how a request is recognised and what it asks.

use std::collections::BTreeMap;

use super::Check;
use super::words::{when, wire_of};
use crate::decode::Pointer;
use crate::profile::action::{Action, Items, PathPattern, Selector};
use crate::profile::file::{ActionFile, FamilyFile, Texts};
use crate::profile::place::RequestPlace;

pub(super) fn build_actions(
    check: &mut Check,
    file: &FamilyFile,
    action: &ActionFile,
    all: &mut Vec<Action>,
) {
    let names: Vec<String> = match (&action.name, &action.names) {
        (Some(name), None) => vec![name.clone()],
        (None, Some(names)) => names.0.clone(),
        (Some(_), Some(_)) => return check.problem("name and names exclude each other".to_owned()),
        (None, None) => return check.problem("name is missing".to_owned()),
    };
    if action.asynchronous.is_none() && action.lookup != Some(true) {
        check.problem(format!("{}: asynchronous must be said: true or false", names.join(", ")));
    }
    for name in names {
        let built = check.within(name.clone(), |check| build_action(check, file, action, name));
        all.push(built);
    }
}

pub(super) fn build_action(
    check: &mut Check,
    file: &FamilyFile,
    action: &ActionFile,
    name: String,
) -> Action {
    let places =
        action.action.as_ref().map(|texts| check.request_places("action", texts)).unwrap_or_default();
    let value = action.value.clone().unwrap_or_else(|| name.clone());
    if places.is_empty() && action.path.is_none() && action.header.is_none() && action.query.is_none() {
        check.problem("nothing to recognise it by: action, path, header or query".to_owned());
    }
    let methods = texts(action.method.as_ref());
    let methods = methods
        .iter()
        .filter_map(|m| check.keep("method", m.parse().map_err(|_| format!("{m:?} is no method"))))
        .collect();
    let paths = texts(action.path.as_ref());
    let paths = paths.iter().filter_map(|path| check.keep("path", PathPattern::parse(path))).collect();
    let (wire, from_query) = match action.wire.as_deref() {
        None | Some("auto") => (None, false),
        Some("query") => (None, true),
        Some(word) => (check.keep("wire", wire_of(word)), false),
    };
    let header = conditions(action.header.as_ref());
    let header = header
        .into_iter()
        .filter_map(|(name, texts)| {
            let parsed = name.to_ascii_lowercase().parse().map_err(|_| format!("{name:?} is no header name"));
            check.keep("header", parsed).map(|name| (name, texts))
        })
        .collect();
    let query = pointer_conditions(check, "query", action.query.as_ref(), "/");
    let body = pointer_conditions(check, "body", action.body.as_ref(), "");
    let place = |check: &mut Check, key: &str, t: &Option<Texts>| match t {
        Some(found) => check.request_places(key, found),
        None => Vec::new(),
    };
    let services = texts(action.service.as_ref()).to_vec();
    Action {
        services: if services.is_empty() { file.service.0.clone() } else { services },
        resource_type: action.resource_type.clone().or_else(|| file.resource_type.clone()),
        selector: Selector { places, value },
        methods,
        host: conditions(action.host.as_ref()),
        paths,
        query,
        header,
        first_key: texts(action.first_key.as_ref()).to_vec(),
        body,
        wire,
        from_query,
        items: build_items(check, action),
        count: place(check, "count", &action.count),
        lookup: action.lookup.unwrap_or(false),
        asynchronous: action.asynchronous.unwrap_or(false),
        repeatable: action.repeatable.unwrap_or(false),
        atomic: action.atomic.unwrap_or(false),
        task: place(check, "task", &action.task),
        monitor: action.monitor.clone(),
        name,
    }
}

pub(super) fn texts(texts: Option<&Texts>) -> &[String] {
    texts.map_or(&[], |t| &t.0)
}

pub(super) fn conditions(map: Option<&BTreeMap<String, Texts>>) -> Vec<(String, Vec<String>)> {
    map.into_iter().flatten().map(|(name, texts)| (name.clone(), texts.0.clone())).collect()
}

pub(super) fn pointer_conditions(
    check: &mut Check,
    key: &str,
    map: Option<&BTreeMap<String, Texts>>,
    prefix: &str,
) -> Vec<(Pointer, Vec<String>)> {
    let rows = conditions(map).into_iter().filter_map(|(name, texts)| {
        let pointer = Pointer::parse(&format!("{prefix}{name}")).map_err(|e| e.to_string());
        check.keep(key, pointer).map(|pointer| (pointer, texts))
    });
    rows.collect()
}

pub(super) fn build_items(check: &mut Check, action: &ActionFile) -> Items {
    let own_id = match &action.id {
        Some(id) => check.request_places("id", id),
        None => Vec::new(),
    };
    let mut items = Items {
        as_map: action.items_as.as_deref() == Some("map"),
        unwrap: action.unwrap.unwrap_or(false),
        lines_after: action.lines_after.clone().unwrap_or_default(),
        id_url: action.id_url.unwrap_or(false),
        distinct: action.distinct.unwrap_or(false),
        split: action.split.clone(),
        ..Items::default()
    };
    if let Some(filter) = &action.filter {
        items.filter = check.within("where".to_owned(), |check| when(check, filter));
    }
    if let Some(parts) = &action.id_parts {
        items.id_parts = check.pointers("id_parts", parts);
    }
    if let Some(key) = &action.key {
        items.key = check.request_places("key", key);
    }
    for text in texts(action.items.as_ref()) {
        let list = check.keep("items", Pointer::parse(text).map_err(|e| e.to_string()));
        items.lists.extend(list.map(|list| (list, own_id.clone())));
    }
    for text in texts(action.ids.as_ref()) {
        match check.keep("ids", RequestPlace::parse(text)) {
            // `/servers/*/id` is the list `/servers` whose elements have `/id`.
            Some(RequestPlace::Document(pointer)) => match pointer.split_every() {
                Some((list, rest)) => items.lists.push((list, vec![RequestPlace::Document(rest)])),
                None => items.lists.push((pointer, vec![RequestPlace::Document(Pointer::default())])),
            },
            Some(place) => items.single.push(place),
            None => {}
        }
    }
    items
}
