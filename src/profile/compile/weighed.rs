//! Which members of a reply its rules weigh. What no rule weighs is looked through by the judge's net.

use crate::decode::Pointer;
use crate::profile::place::Place;
use crate::profile::reply::{Each, EntryRule, ReplyRules, Shape, Weighed};

/// Fills in `weighed` of the reply and of each of its entry rules.
pub(super) fn weigh(rules: &mut ReplyRules) {
    let mut root = Weighed::default();
    for rule in &rules.entries {
        // `/a/*` beside `/a/b` is another reading of the same list: what holds that one is looked at.
        let beyond = |each: &&Each| {
            let others = rules.entries.iter().flat_map(|rule| &rule.each);
            each.every && others.into_iter().any(|other| other.way.goes_beyond(&each.way))
        };
        let own = rule.each.iter().filter(|each| !each.way.is_self() && !beyond(each));
        let ways = own.map(|each| each.way.clone());
        let is_list = rule.shape == Shape::List && !rule.lone;
        if is_list {
            root.lists.extend(ways)
        } else {
            root.maps.extend(ways)
        }
        add_roots(&mut root, rule);
        words(&mut root, rule.when.by_words());
    }
    for places in [&rules.counted_good, &rules.counted_failed, &rules.counted_all] {
        lists(&mut root, places);
    }
    if let Some(announced) = &rules.announced {
        lists(&mut root, &announced.count);
    }
    for rule in &rules.outer {
        // A shape of refusals reads nothing under a good status.
        if !rule.unwrap && !rule.when.names_status() {
            words(&mut root, rule.code.iter().chain(&rule.status));
            words(&mut root, rule.when.by_words());
        }
    }
    for rule in &rules.whole {
        words(&mut root, rule.outcome.places().iter().chain(&rule.task));
        words(&mut root, rule.when.by_words());
    }
    words(&mut root, rules.task.iter().chain(&rules.request_id).chain(&rules.about));
    // Rules that read the same lists weigh for each other: one says what failed, the other what did not.
    let own: Vec<(Vec<Each>, Weighed)> =
        rules.entries.iter().map(|rule| (rule.each.clone(), entry(rule))).collect();
    for rule in &mut rules.entries {
        let kin = own.iter().filter(|(each, _)| each.iter().any(|each| rule.each.contains(each)));
        for (_, weighed) in kin {
            merge(&mut rule.weighed, weighed);
        }
        // The document is the entry.
        if rule.each.iter().any(is_document) {
            merge(&mut rule.weighed, &root);
        }
    }
    for (each, weighed) in &own {
        if each.iter().any(is_document) {
            merge(&mut root, weighed);
        }
    }
    rules.weighed = root;
}

fn is_document(each: &Each) -> bool {
    each.way.is_self() && !each.every
}

fn entry(rule: &EntryRule) -> Weighed {
    let mut weighed = Weighed::default();
    for places in [&rule.id, &rule.id_parts, &rule.index, &rule.task, &rule.from, &rule.until] {
        lists(&mut weighed, places);
    }
    words(
        &mut weighed,
        rule.outcome.places().iter().chain(&rule.key).chain(&rule.mark).chain(&rule.sender_fault),
    );
    words(&mut weighed, rule.filter.by_words());
    weighed
}

fn here(places: &[Place]) -> impl Iterator<Item = Pointer> {
    places.iter().filter_map(|place| match place {
        Place::Here(pointer) if !pointer.is_self() => Some(pointer.clone()),
        _ => None,
    })
}

fn lists(weighed: &mut Weighed, places: &[Place]) {
    weighed.lists.extend(here(places));
}

fn words<'p>(weighed: &mut Weighed, places: impl Iterator<Item = &'p Place>) {
    let pointers = places.filter_map(|place| match place {
        Place::Here(pointer) | Place::Root(pointer) if !pointer.is_self() => Some(pointer.clone()),
        _ => None,
    });
    weighed.words.extend(pointers);
}

/// What a rule's entries read outside of themselves.
fn add_roots(root: &mut Weighed, rule: &EntryRule) {
    let places = rule.id.iter().chain(&rule.code).chain(&rule.message).chain(&rule.task);
    let places = places.chain(rule.outcome.places());
    let outside = places.filter_map(|place| match place {
        Place::Root(pointer) | Place::Parallel(pointer) => Some(pointer.clone()),
        _ => None,
    });
    root.lists.extend(outside);
}

fn merge(into: &mut Weighed, from: &Weighed) {
    let kinds =
        [(&mut into.lists, &from.lists), (&mut into.maps, &from.maps), (&mut into.words, &from.words)];
    for (into, from) in kinds {
        for way in from {
            if !into.contains(way) {
                into.push(way.clone());
            }
        }
    }
}
