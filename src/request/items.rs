//! The asked items of a recognised request.

use std::borrow::Cow;

use super::asked::{Asked, Relative, whole_id};
use super::filter;
use super::operation::fields;
use super::reader::{Match, Reader};
use super::spelling::Reason;
use crate::decode::{Document, Kind, Pointer, Value, path_of};
use crate::envelope::Selects;
use crate::profile::{Action, Items, Profile, RequestPlace, RequestShape};

/// Ids are declared, and stand at none of their places.
const NOBODY: Reason = "it names nobody";

/// A reason in full: of a request that names nobody, where its action looked, and what stands there instead.
pub(super) fn told(reason: Reason, action: &Action, reader: &Reader<'_>) -> Cow<'static, str> {
    if reason != NOBODY {
        return Cow::Borrowed(reason);
    }
    let lists = action.items.lists.iter().map(|(list, _)| list.to_string());
    let looked: Vec<String> = lists.chain(action.items.single.iter().map(ToString::to_string)).collect();
    let names = reader.documents().flat_map(|document| document.root().members());
    let short = |name: Cow<'_, str>| name.chars().take(40).collect::<String>();
    let there: Vec<String> = names.take(8).map(|(name, _)| short(name.decode())).collect();
    let there = if there.is_empty() { "nothing".to_owned() } else { there.join(", ") };
    Cow::Owned(format!("{reason} at {}; there is: {there}", looked.join(", ")))
}

/// Whom a request is about.
pub(super) struct Whom {
    pub(super) asked: Asked,
    pub(super) selects: Selects,
    /// Why that is not certain.
    pub(super) unclear: Option<Reason>,
}

/// Most items that a stated number may become: a mistyped count must not become a million verdicts.
const MOST_UNITS: usize = 10_000;

/// Everything a request asks for, in its order: every place is asked.
pub(super) fn asked(profile: &Profile, action: &Action, found: &Match<'_>, reader: &Reader<'_>) -> Whom {
    let rules = &action.items;
    let mut asked = Asked::new(rules.distinct);
    let mut stated = rules.lists.is_empty() && rules.single.is_empty();
    let mut unclear = None;
    let mut relative = Vec::new();
    let mut no_list = false;
    for document in reader.documents() {
        let before = asked.len() + relative.len();
        for (list, id) in &rules.lists {
            let mut adder = Adder::new(rules, id, &mut asked, reader, found);
            adder.keep_raw = profile.reply.echoes;
            stated |= adder.lists(list, document);
            relative.append(&mut adder.relative);
            no_list |= adder.no_list;
        }
        if before > 0 && asked.len() + relative.len() > before {
            unclear = Some("its query and its body both name resources");
        }
    }
    asked.push_relative(&relative);
    if rules.lists.len() > 1 && !relative.is_empty() && asked.listed() > asked.len() {
        unclear = unclear.or(Some("one id stands in it twice"));
    }
    if rules.lists.len() > 1 && asked.listed() > asked.len() && relative.is_empty() {
        asked = told_apart(asked, rules, reader, found, profile.reply.echoes);
    }
    if asked.is_empty() {
        singles(action, found, reader, &mut asked);
    }
    let mut selects = selects(action, found, reader, &asked);
    if asked.is_empty() && !action.count.is_empty() {
        let text = reader.first(&action.count, found);
        let count = text.as_deref().map_or(Some(1), |text| text.trim().parse::<usize>().ok());
        if count.is_none_or(|count| count > MOST_UNITS) {
            unclear = Some("it states a number that is no count");
        }
        asked.push_units(count.unwrap_or(1).min(MOST_UNITS));
        (stated, selects) = (true, Selects::Count);
    }
    // Most ids have no such letter.
    let starred = || (0..asked.len()).any(|item| asked.id(item) == Some("*"));
    let is_all = |item: usize| asked.id(item).is_some_and(|id| rules.patterns.iter().any(|mark| mark == id));
    if !rules.patterns.is_empty() && (0..asked.len()).any(is_all) {
        // Beside it, other ids say nothing.
        (asked, selects, stated) = (Asked::new(rules.distinct), Selects::All, true);
    } else if memchr::memchr(b'*', asked.arena().as_bytes()).is_some() && starred() {
        unclear = unclear.or(Some("an id is `*`, which may be a name or everything"));
    }
    if asked.is_empty() {
        asked.relate(reader.first(&rules.parent, found).as_deref());
    }
    unclear = unclear.or(asked.clashes.then_some("two of its requests have one key"));
    unclear = unclear.or(no_list.then_some("an object stands where a list is due"));
    let nowhere = asked.is_empty() && !stated && !rules.optional && !action.lookup;
    unclear = unclear.or(nowhere.then_some(NOBODY));
    Whom { asked, selects, unclear }
}

/// The same, with the list before an id that stands in two lists: they are two resources (`volumes/1`, `snapshots/1`).
fn told_apart(all: Asked, rules: &Items, reader: &Reader<'_>, found: &Match<'_>, keep_raw: bool) -> Asked {
    let mut lists: Vec<(String, Asked)> = Vec::new();
    let mut names: Vec<&str> = rules.lists.iter().filter_map(|(list, _)| list.last_name()).collect();
    let listed = names.len();
    names.sort_unstable();
    names.dedup();
    // Lists of one name are told apart by their whole way.
    let all_differ = names.len() == listed && listed == rules.lists.len();
    for (list, id) in &rules.lists {
        let mut asked = Asked::new(rules.distinct);
        for document in reader.documents() {
            let mut adder = Adder::new(rules, id, &mut asked, reader, found);
            adder.keep_raw = keep_raw;
            adder.lists(list, document);
        }
        if !asked.is_empty() {
            let name = list.last_name().filter(|_| all_differ).map(str::to_owned);
            let name = name.unwrap_or_else(|| list.to_string().trim_start_matches('/').to_owned());
            lists.push((name, asked));
        }
    }
    let twice = |id: &str| lists.iter().filter(|(_, asked)| asked.by_id(id).is_some()).nth(1).is_some();
    let items = || lists.iter().flat_map(|(name, asked)| (0..asked.len()).map(move |at| (name, asked, at)));
    if !items().any(|(_, asked, at)| asked.id(at).is_some_and(twice)) {
        return all;
    }
    let mut apart = Asked::new(rules.distinct);
    for (name, asked, at) in items() {
        let id =
            asked.id(at).map(|id| if twice(id) { whole_id(Some(name), id, None, None) } else { id.into() });
        apart.push(id.as_deref(), asked.key(at), asked.raw(at));
    }
    apart
}

/// Ids that stand alone: in the path, a header, a parameter, or as a GraphQL document's fields.
fn singles(action: &Action, found: &Match<'_>, reader: &Reader<'_>, asked: &mut Asked) {
    let rules = &action.items;
    for place in &rules.single {
        if let RequestPlace::Fields(pointer) = place {
            for id in reader.body.and_then(|body| fields(pointer, body)).unwrap_or_default() {
                asked.push(Some(&id), None, None);
            }
        } else if let Some(text) = reader.text(place, Some(found)) {
            let key = reader.first(&rules.key, found);
            push_text(asked, rules, &text, key.as_deref().map(|key| clean(rules, key)));
        }
        if !asked.is_empty() {
            break;
        }
    }
}

/// How a request says whom it is about.
fn selects(action: &Action, found: &Match<'_>, reader: &Reader<'_>, asked: &Asked) -> Selects {
    let rules = &action.items;
    let says = |places: &[RequestPlace]| {
        reader.first(places, found).is_some_and(|text| !matches!(&*text, "false" | "0"))
    };
    let names_nobody = asked.is_empty() && action.count.is_empty() && rules.optional;
    match () {
        () if action.lookup => Selects::Lookup,
        () if says(&rules.all) => Selects::All,
        () if says(&rules.filters) || by_pattern(rules, asked, reader) => Selects::Filter,
        // Nothing narrows it.
        () if names_nobody => Selects::All,
        () => Selects::Ids,
    }
}

/// Whether an id, or what stands beside it, selects whatever fits it.
fn by_pattern(rules: &Items, asked: &Asked, reader: &Reader<'_>) -> bool {
    let selects = |id: &str| rules.patterns.iter().any(|mark| id.contains(mark.as_str()));
    let beside = |document: &Document<'_>| {
        let text = &mut |value: Value<'_>| value.scalar().is_some_and(|text| selects(&text.decode()));
        rules.patterns_at.iter().any(|place| place.visit(document.root(), text))
    };
    !rules.patterns.is_empty()
        && ((0..asked.len()).filter_map(|item| asked.id(item)).any(selects) || reader.documents().any(beside))
}

/// One text: an id, or many where `split` says so.
fn push_text(asked: &mut Asked, rules: &Items, text: &str, key: Option<&str>) {
    match &rules.split {
        Some(separator) => {
            for id in text.split(separator.as_str()).map(str::trim).filter(|id| !id.is_empty()) {
                asked.push(Some(id), None, None);
            }
        }
        None if !text.is_empty() => asked.push(Some(clean(rules, text)), key, None),
        None => {}
    }
}

fn clean<'t>(rules: &Items, text: &'t str) -> &'t str {
    if rules.id_url { path_of(text) } else { text }
}

fn owned<'t>(text: Cow<'_, str>) -> Cow<'t, str> {
    Cow::Owned(text.into_owned())
}

struct Adder<'a, 'r, 's> {
    rules: &'a Items,
    id: &'a [RequestPlace],
    asked: &'s mut Asked,
    reader: &'a Reader<'r>,
    found: &'a Match<'a>,
    /// Echo joins compare whole elements.
    keep_raw: bool,
    /// Lines that belong to the action line before them.
    skip: u32,
    /// The key the element at hand stands under.
    key: Option<Cow<'a, str>>,
    /// Where the list at hand stands.
    place: Option<&'a Pointer>,
    /// An object stands where a list of ids is due: which of its members is one, nobody knows.
    no_list: bool,
    /// Elements whose ids are relative to a parent: how they are shown depends on all of them.
    relative: Vec<Relative<'a>>,
}

impl<'a, 'r, 's> Adder<'a, 'r, 's> {
    fn new(
        rules: &'a Items,
        id: &'a [RequestPlace],
        asked: &'s mut Asked,
        reader: &'a Reader<'r>,
        found: &'a Match<'a>,
    ) -> Self {
        Self {
            rules,
            id,
            asked,
            reader,
            found,
            keep_raw: false,
            skip: 0,
            key: None,
            place: None,
            no_list: false,
            relative: Vec::new(),
        }
    }

    /// Adds what every list at a place holds. Whether there is any.
    fn lists(&mut self, place: &'a Pointer, document: &'a Document<'a>) -> bool {
        let mut any = false;
        self.place = Some(place);
        place.visit(document.root(), &mut |node| {
            any = true;
            self.list(node);
            false
        });
        any
    }

    fn list(&mut self, node: Value<'a>) {
        match node.kind() {
            Kind::Array => {
                self.asked.expect(node.elements().count());
                // An element that was read, and how far into it its id stands: most are built alike.
                let (by_id_alone, mut known) = (self.by_id_alone(), None);
                for element in node.elements() {
                    if let Some(nested) = &self.rules.nested {
                        self.group(nested, element);
                        continue;
                    }
                    match known {
                        Some((like, at)) if element.is_like(like) => {
                            let id = element.within(at).scalar().map(|id| id.decode());
                            self.asked.push(id.as_deref().map(|id| clean(self.rules, id)), None, None);
                        }
                        _ => {
                            self.element(element);
                            known =
                                known.or_else(|| by_id_alone.then(|| self.place_of_id(element)).flatten());
                        }
                    }
                }
            }
            Kind::Object if self.rules.shape == RequestShape::Map => {
                for (key, value) in node.members() {
                    self.key = Some(key.decode());
                    self.element(value);
                }
            }
            Kind::Object if self.rules.shape == RequestShape::MapOfLists => {
                for (key, member) in node.members() {
                    self.key = Some(key.decode());
                    let inner = self.rules.nested.as_ref().and_then(|way| way.first(member));
                    inner.unwrap_or(member).elements().for_each(|element| self.element(element));
                }
            }
            Kind::Null => {}
            // A single object or text where a list is expected is one item.
            _ => {
                if let (Some(_), Some(text)) = (&self.rules.split, node.scalar()) {
                    return push_text(self.asked, self.rules, &text.decode(), None);
                }
                // Of several lists, an object without an id holds another list.
                let is_element = node.kind() != Kind::Object || self.id_of(node).is_some();
                if self.rules.lists.len() == 1 || is_element {
                    self.element(node);
                }
                let holds =
                    |place: &Pointer| self.rules.lists.iter().any(|(other, _)| other.goes_beyond(place));
                let names = self.rules.key.is_empty() && !self.id.is_empty();
                self.no_list |= !is_element && names && !self.place.is_some_and(holds);
            }
        }
    }

    /// A group of items, or an item that is a group of its own.
    fn group(&mut self, nested: &Pointer, element: Value<'a>) {
        self.asked.start_group();
        match nested.first(element).filter(|list| list.kind() == Kind::Array && !list.is_empty()) {
            Some(list) => list.elements().for_each(|inner| self.element(inner)),
            None => self.element(element),
        }
    }

    /// Whether an element is no more than its id, found by its structure.
    fn by_id_alone(&self) -> bool {
        let rules = self.rules;
        let by_structure =
            |place: &RequestPlace| matches!(place, RequestPlace::Document(way) if way.goes_by_structure());
        let plain =
            !rules.unwrap && rules.filter.is_trivial() && rules.id_parts.is_empty() && rules.key.is_empty();
        let whole = rules.parent.is_empty() && rules.version.is_empty() && rules.port.is_empty();
        plain && whole && !self.keep_raw && self.id.iter().all(by_structure)
    }

    /// An element, and how far into it its id stands.
    fn place_of_id(&self, element: Value<'a>) -> Option<(Value<'a>, u32)> {
        let id = self.id.iter().find_map(|place| match place {
            RequestPlace::Document(pointer) => pointer.first_text(element),
            _ => None,
        })?;
        element.is_small().then(|| (element, element.distance(id)))
    }

    fn element(&mut self, element: Value<'a>) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        let mut element = element;
        if self.rules.unwrap {
            let Some((key, inner)) = element.members().next() else { return };
            let key = key.decode();
            self.skip = self.rules.lines_after.get(&*key).copied().unwrap_or(0);
            self.key = Some(key);
            element = inner;
        }
        if !filter::holds(&self.rules.filter, element) {
            return;
        }
        let id = self.id_of(element);
        let key = self.rules.key.iter().find_map(|place| self.text(place, element));
        let raw = self.keep_raw.then(|| element.json());
        if !self.rules.parent.is_empty() || !self.rules.version.is_empty() {
            let parent = self.rules.parent.iter().find_map(|place| self.text(place, element));
            let version = self.rules.version.iter().find_map(|place| self.text(place, element)).map(owned);
            let (id, key) = (id.map(|id| Cow::Owned(clean(self.rules, &id).to_owned())), key.map(owned));
            let relative = Relative { parent: parent.map(owned), id, version, key, raw };
            return self.relative.push(relative);
        }
        self.asked.push(id.as_deref().map(|id| clean(self.rules, id)), key.as_deref(), raw.as_deref());
    }

    fn id_of(&self, element: Value<'a>) -> Option<Cow<'a, str>> {
        if !self.rules.id_parts.is_empty() {
            let mut parts: Vec<String> = Vec::new();
            for part in &self.rules.id_parts {
                part.visit(element, &mut |value| {
                    parts.extend(
                        value.scalar().filter(|s| !s.raw.is_empty()).map(|s| s.decode().into_owned()),
                    );
                    false
                });
            }
            if !parts.is_empty() {
                return Some(Cow::Owned(parts.join("/")));
            }
        }
        let text = |places: &[RequestPlace]| places.iter().find_map(|place| self.text(place, element));
        let id = text(self.id)?;
        Some(match text(&self.rules.port) {
            Some(port) => owned(whole_id(None, &id, Some(&port), None)),
            None => id,
        })
    }

    fn text(&self, place: &RequestPlace, element: Value<'a>) -> Option<Cow<'a, str>> {
        match place {
            RequestPlace::Document(pointer) => {
                pointer.first_text(element)?.scalar().map(|text| text.decode())
            }
            RequestPlace::Key => self.key.clone(),
            // `Root` among them.
            other => self.reader.text(other, Some(self.found)),
        }
    }
}
