//! `[request]` and `[[actions]]`: how a request is recognised and what it asks.

use std::collections::BTreeMap;

use super::words::{request_wire, when};
use super::{Check, braced, path_names, table};
use crate::decode::Pointer;
use crate::profile::action::{Action, Items, Selector, Subrequest};
use crate::profile::file::{ActionFile, FamilyFile, RequestWire, SubrequestFile, Texts};
use crate::profile::pattern::PathPattern;
use crate::profile::place::RequestPlace;

pub(super) fn build_actions(
    check: &mut Check,
    file: &FamilyFile,
    action: &ActionFile,
    all: &mut Vec<Action>,
) {
    let names: Vec<String> = match (&action.name, action.names.0.as_slice()) {
        (Some(name), []) => vec![name.clone()],
        (None, [_, ..]) => action.names.0.clone(),
        (Some(_), _) => return check.problem("name and names exclude each other".to_owned()),
        (None, []) => return check.problem("name is missing".to_owned()),
    };
    if action.asynchronous.is_none() && !action.lookup {
        check.problem(format!("{}: asynchronous must be said: true or false", names.join(", ")));
    }
    for name in names {
        let built = check.within(name.clone(), [], |check| build_action(check, file, action, name));
        all.push(built);
    }
}

pub(super) fn build_action(
    check: &mut Check,
    file: &FamilyFile,
    action: &ActionFile,
    name: String,
) -> Action {
    let paths = action.path.0.iter();
    let paths: Vec<PathPattern> =
        paths.filter_map(|path| check.keep("path", PathPattern::parse(path))).collect();
    check.paths = Some(path_names(&paths));
    let except = action.except.0.iter();
    let except = except.filter_map(|path| check.keep("except", PathPattern::parse(path))).collect();
    let places = check.request_places("action", &action.action);
    let value = action.value.clone().unwrap_or_else(|| name.clone());
    if places.is_empty() && action.path.0.is_empty() && action.header.is_empty() && action.query.is_empty() {
        check.problem("nothing to recognise it by: action, path, header or query".to_owned());
    }
    let methods = action.method.0.iter();
    let methods = methods
        .filter_map(|m| check.keep("method", m.parse().map_err(|_| format!("{m:?} is no method"))))
        .collect();
    let header = conditions(&action.header);
    let header = header
        .into_iter()
        .filter_map(|(name, texts)| {
            let parsed = name.to_ascii_lowercase().parse().map_err(|_| format!("{name:?} is no header name"));
            check.keep("header", parsed).map(|name| (name, texts))
        })
        .collect();
    let query = pointer_conditions(check, "query", &action.query, "/");
    let body = pointer_conditions(check, "body", &action.body, "");
    for name in action.host.keys().filter(|name| !check.hosts.contains(name)).cloned().collect::<Vec<_>>() {
        let what = format!("no host of vendor.toml has {{{name}}}; {}", braced(&check.hosts));
        check.key("host", &what);
    }
    check.said("split", action.split.as_ref(), "separates nothing");
    monitor(check, action.monitor.as_deref().unwrap_or_default());
    let own = !action.service.0.is_empty();
    Action {
        services: if own { action.service.0.clone() } else { file.service.0.clone() },
        resource_type: action.resource_type.clone().or_else(|| file.resource_type.clone()),
        selector: Selector { places, value },
        methods,
        host: conditions(&action.host),
        paths,
        except,
        query,
        header,
        first_key: action.first_key.0.clone(),
        body,
        wire: request_wire(action.wire),
        from_query: action.wire == RequestWire::Query,
        opaque: action.wire == RequestWire::Grpc,
        items: build_items(check, action),
        count: check.request_places("count", &action.count),
        lookup: action.lookup,
        asynchronous: action.asynchronous.unwrap_or(false),
        atomic: action.atomic,
        task: check.request_places("task", &action.task),
        monitor: action.monitor.clone(),
        name,
    }
}

/// Refuses a placeholder that nothing fills: the path's captures and `{task}` do.
fn monitor(check: &mut Check, template: &str) {
    let mut known = check.paths.clone().unwrap_or_default();
    known.push("task".to_owned());
    for name in template.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or(rest)) {
        if !known.iter().any(|known| known == name) {
            check.key("monitor", &format!("nothing fills {{{name}}}; {}", braced(&known)));
        }
    }
}

pub(super) fn conditions(map: &BTreeMap<String, Texts>) -> Vec<(String, Vec<String>)> {
    map.iter().map(|(name, texts)| (name.clone(), texts.0.clone())).collect()
}

pub(super) fn pointer_conditions(
    check: &mut Check,
    key: &str,
    map: &BTreeMap<String, Texts>,
    prefix: &str,
) -> Vec<(Pointer, Vec<String>)> {
    let rows = conditions(map).into_iter().filter_map(|(name, texts)| {
        let pointer = Pointer::parse(&format!("{prefix}{name}")).map_err(|e| e.to_string());
        check.keep(key, pointer).map(|pointer| (pointer, texts))
    });
    rows.collect()
}

pub(super) fn build_items(check: &mut Check, action: &ActionFile) -> Items {
    let own_id = check.request_places("id", &action.id);
    let mut items = Items {
        shape: action.shape,
        unwrap: action.unwrap,
        filter: check.within("where".to_owned(), table("where"), |check| when(check, &action.filter)),
        lines_after: action.lines_after.clone(),
        id_parts: check.pointers("id_parts", &action.id_parts),
        parent: check.request_places("parent", &action.parent),
        version: check.request_places("version", &action.version),
        port: check.request_places("port", &action.port),
        nested: nested(check, action.nested.as_ref()),
        key: check.request_places("key", &action.key),
        id_url: action.id_url,
        distinct: action.distinct,
        optional: action.optional || !action.filters.0.is_empty() || !action.all.0.is_empty(),
        filters: check.request_places("filters", &action.filters),
        all: check.request_places("all", &action.all),
        split: action.split.clone(),
        patterns: action.patterns.0.clone(),
        patterns_at: check.pointers("patterns_at", &action.patterns_at),
        subrequest: action.subrequest.as_ref().map(|file| subrequest(check, file)),
        ..Items::default()
    };
    for text in &action.each.0 {
        let list = check.keep("each", Pointer::parse(text).map_err(|e| e.to_string()));
        items.lists.extend(list.map(|list| (list, own_id.clone())));
    }
    for text in &action.ids.0 {
        match check.keep("ids", RequestPlace::parse(text)) {
            // `/servers/*/id` is the list `/servers` whose elements have `/id`.
            Some(RequestPlace::Document(pointer)) => {
                let (list, rest) = pointer.split_every().unwrap_or((pointer, Pointer::default()));
                let id = RequestPlace::Document(rest);
                // One list whose elements have their id at one of several places.
                match items.lists.iter_mut().find(|(known, _)| *known == list) {
                    Some((_, places)) => places.push(id),
                    None => items.lists.push((list, vec![id])),
                }
            }
            Some(place) => items.single.push(place),
            None => {}
        }
    }
    items
}

fn subrequest(check: &mut Check, file: &SubrequestFile) -> Subrequest {
    check.within("subrequest".to_owned(), table("subrequest"), |check| Subrequest {
        target: check.pointers("target", &file.target),
        method: check.pointers("method", &file.method),
        body: check.pointers("body", &file.body),
        refers: file.refers.0.clone(),
    })
}

pub(super) fn nested(check: &mut Check, text: Option<&String>) -> Option<Pointer> {
    check.keep("nested", Pointer::parse(text?).map_err(|e| e.to_string()))
}
