//! Places, lists and conditions evaluated: what a rule sees while it is applied.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::Reply;
use super::found::Found;
use super::net::Net;
use crate::decode::{Kind, Pointer, Scalar, Value, first_letters};
use crate::profile::codes::Class;
use crate::profile::place::Place;
use crate::profile::reply::{EntryRule, Shape, Weighed};
use crate::profile::when::{Empty, StatusClass, When};
use crate::request::Request;

/// Remembered by the address of the rule's pointer, which lives as long as the profile.
#[derive(Debug, Default)]
pub(super) struct Outside<'a> {
    roots: Vec<(*const Pointer, Option<Found<'a>>)>,
    lists: Vec<(*const Pointer, Vec<Value<'a>>)>,
    /// The code that was looked up last: a batch's failures mostly share one.
    pub(super) last_code: Option<(String, Option<Class>)>,
}

/// The document, the entry at hand, and the request behind them.
#[derive(Clone, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) request: &'a Request,
    pub(crate) reply: &'a Reply<'a>,
    pub(crate) root: Option<Value<'a>>,
    /// The first letters of the root's keys.
    pub(super) letters: u64,
    /// The entry; the root where there is none.
    pub(super) here: Option<Value<'a>>,
    pub(super) key: Option<Scalar<'a>>,
    /// The rule whose entry it is.
    pub(super) rule: Option<&'a EntryRule>,
    /// The entry's position among those that the rule's `where` leaves, and in the whole list.
    pub(super) position: usize,
    pub(super) listed_at: usize,
    /// The place of the entry's group, the entry's place in it, and how many there are in it; 0 where it is the group.
    pub(super) group: Option<(usize, usize, usize)>,
    /// How many there are of both, once somebody asked.
    pub(super) counts: Cell<Option<(usize, usize)>>,
    /// What places outside the entry gave: the same for every entry, and a walk through the whole document each time.
    pub(super) outside: Rc<RefCell<Outside<'a>>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(request: &'a Request, reply: &'a Reply<'a>, root: Option<Value<'a>>) -> Self {
        Self {
            request,
            reply,
            root,
            letters: root.map_or(0, first_letters),
            here: root,
            key: None,
            rule: None,
            position: 0,
            listed_at: 0,
            group: None,
            counts: Cell::new(None),
            outside: Rc::default(),
        }
    }

    /// The same, before a rule's first entry.
    pub(super) fn of_rule(&self, rule: &'a EntryRule) -> Self {
        Self { rule: Some(rule), counts: Cell::new(None), ..self.clone() }
    }

    /// How many entries the rule at hand has: those that its `where` leaves, and all.
    pub(super) fn counts(&self) -> (usize, usize) {
        self.counts.get().unwrap_or_else(|| {
            let counts = self.rule.zip(self.root).map_or((0, 0), |(rule, root)| count(rule, self, root));
            self.counts.set(Some(counts));
            counts
        })
    }

    /// The first place that gives a non-empty scalar.
    pub(crate) fn text(&self, places: &[Place]) -> Option<Found<'a>> {
        places.iter().find_map(|place| self.text_at(place))
    }

    /// Like [`Self::text`], with blank text left out: a message of spaces says nothing.
    pub(super) fn message(&self, places: &[Place]) -> Option<Found<'a>> {
        self.text(places).filter(|text| !text.is_blank())
    }

    pub(crate) fn text_at(&self, place: &Place) -> Option<Found<'a>> {
        match place {
            Place::Here(pointer) => {
                let leads = self.rule.is_some() || pointer.may_begin(self.letters);
                if leads { first_scalar(pointer, self.here?) } else { None }
            }
            Place::Root(pointer) => {
                let root = self.root?;
                let roots = &mut self.outside.borrow_mut().roots;
                remembered(roots, pointer, || first_scalar(pointer, root)).clone()
            }
            Place::Parallel(pointer) => self.parallel(pointer),
            Place::Key => self.key.map(Found::from),
            Place::Header(name) => {
                let value = self.reply.headers.get(name)?.to_str().ok()?;
                (!value.is_empty()).then_some(Found::Plain(value))
            }
            Place::Status => Some(Found::Made(self.reply.status.to_string())),
            Place::Kept(at) => {
                self.request.kept.get(*at)?.as_deref().filter(|s| !s.is_empty()).map(Found::Plain)
            }
        }
    }

    /// A task's id: whatever can be polled. `0` is what vendors write when there is none.
    pub(super) fn task(&self, places: &[Place]) -> Option<Found<'a>> {
        self.text(places).filter(|text| !matches!(text, Found::Plain("0")) && !text.is_blank())
    }

    pub(super) fn number(&self, places: &[Place]) -> Option<u64> {
        places.iter().find_map(|place| self.number_at(place))
    }

    pub(crate) fn number_at(&self, place: &Place) -> Option<u64> {
        whole_number(&self.text_at(place)?.decode())
    }

    /// The sum of all places that state a count; an error where one states something that is no count.
    pub(super) fn sum(&self, places: &[Place]) -> Result<Option<u64>, ()> {
        let mut total = None;
        let mut add = |text: &str| {
            let number = whole_number(text).ok_or(())?;
            total = Some(total.unwrap_or(0) + number);
            Ok(())
        };
        for place in places {
            let Some((pointer, from)) = self.way(place) else {
                self.text_at(place).map_or(Ok(()), |text| add(&text.decode()))?;
                continue;
            };
            let mut read = Ok(());
            let mut one = |value: Value<'a>| {
                read = match value.scalar() {
                    _ if value.is_empty() => Ok(()),
                    Some(text) => add(&text.decode()),
                    None => Err(()),
                };
                read.is_err()
            };
            if let Some(from) = from {
                pointer.visit(from, &mut one);
            }
            read?;
        }
        Ok(total)
    }

    /// Whether something is there; `null_counts` tells whether null is something.
    pub(crate) fn exists(&self, place: &Place, null_counts: bool) -> bool {
        let Some((pointer, from)) = self.way(place) else { return self.text_at(place).is_some() };
        let Some(from) = from else { return false };
        if self.rule.is_none() && !pointer.may_begin(self.letters) {
            return false;
        }
        pointer.visit(from, &mut |value| null_counts || value.kind() != Kind::Null)
    }

    /// Whether all conditions of a `when` or `where` hold.
    pub(super) fn holds(&self, when: &When) -> bool {
        let status = self.reply.status;
        (when.status.is_empty() || when.status.iter().any(|class| is_of(*class, status)))
            && when.empty.is_none_or(|empty| self.is_empty(empty))
            && when.present.iter().all(|place| self.exists(place, false))
            && when.stated.iter().all(|place| self.exists(place, true))
            && !when.missing.iter().any(|place| self.exists(place, false))
            && when.equals.iter().all(|(place, texts)| {
                let text = self.text_at(place);
                let text = text.as_ref().map(|t| t.decode());
                texts.iter().any(|pattern| pattern.fits(text.as_deref()))
            })
            && when.count.as_ref().is_none_or(|place| {
                self.number_at(place).is_some_and(|n| n == self.request.asked.listed() as u64)
            })
    }

    fn is_empty(&self, empty: Empty) -> bool {
        let bytes = self.root.is_none();
        // `null`, a list or a text is no documented empty body; an XML root element without content is one.
        let document = self
            .root
            .is_some_and(|root| root.is_empty() && (root.kind() == Kind::Object || root.is_of_xml()));
        match empty {
            Empty::Bytes => bytes,
            Empty::Document => document,
            Empty::List => self.root.is_some_and(|root| root.kind() == Kind::Array && root.is_empty()),
            Empty::Either => bytes || document,
            Empty::Neither => !bytes && !document,
        }
    }

    /// Whether something is there that can be a mark: more than null, an empty text, `0` or `false`.
    pub(super) fn is_solid(&self, place: &Place) -> bool {
        match self.text_at(place) {
            Some(text) => !matches!(&*text.decode(), "0" | "false") && !text.is_blank(),
            None => self
                .value_at(place)
                .is_some_and(|value| value.scalar().is_none() && value.kind() != Kind::Null),
        }
    }

    /// Whether a place leads to an object or a list as well.
    pub(super) fn holds_more_than_texts(&self, place: &Place) -> bool {
        let Some((way, Some(from))) = self.way(place) else { return false };
        way.visit(from, &mut |value| value.scalar().is_none() && !value.is_empty())
    }

    /// Whether something else stands where entries of a rule belong: a flag, a number, a text.
    pub(super) fn is_flag_for_list(&self, place: &Place) -> bool {
        let (Place::Here(way) | Place::Root(way)) = place else { return false };
        let lists = self.request.profile.reply.entries.iter().flat_map(|rule| &rule.each);
        lists.into_iter().any(|each| each.way == *way)
            && self.value_at(place).is_some_and(|value| !value.is_of_xml() && value.scalar().is_some())
    }

    fn value_at(&self, place: &Place) -> Option<Value<'a>> {
        let (way, from) = self.way(place)?;
        way.first(from?)
    }

    /// The way of a place in the document, and where it starts: nowhere, if there is no document.
    fn way<'p>(&self, place: &'p Place) -> Option<(&'p Pointer, Option<Value<'a>>)> {
        match place {
            Place::Here(way) => Some((way, self.here)),
            Place::Root(way) => Some((way, self.root)),
            _ => None,
        }
    }

    /// Whether a way from the root can lead anywhere.
    pub(super) fn may_lead(&self, pointer: &Pointer) -> bool {
        pointer.may_begin(self.letters)
    }

    /// The net over what rules did not weigh.
    pub(super) fn net<'r>(&self, weighed: &'r Weighed) -> Net<'r>
    where
        'a: 'r,
    {
        let request = self.request;
        Net {
            weighed,
            harmless: &request.profile.reply.harmless,
            spared: &[],
            silent: &[],
            whole: false,
            all_good: false,
            entries_read: true,
            action: &request.action().name,
        }
    }

    /// The correlation key of a multipart part.
    pub(super) fn content_id(&self) -> Option<Scalar<'a>> {
        self.here?.get("headers")?.get("content-id")?.scalar()
    }

    /// The pointer to a value of the document, for people.
    pub(super) fn way_to(&self, value: Value<'a>) -> String {
        self.root.and_then(|root| root.way_to(value)).unwrap_or_default()
    }

    fn parallel(&self, pointer: &Pointer) -> Option<Found<'a>> {
        let root = self.root?;
        let (element, len) = {
            let lists = &mut self.outside.borrow_mut().lists;
            let elements = || pointer.first(root).map(|list| list.elements().collect()).unwrap_or_default();
            let list = remembered(lists, pointer, elements);
            (list.get(self.position).copied(), list.len())
        };
        // Counting looks outside the entry, too.
        let element = element.filter(|_| len == self.counts().0)?;
        element.scalar().filter(|s| !s.raw.is_empty()).map(Found::from)
    }
}

/// What was found for a pointer before, or is found now. A profile has few of them.
fn remembered<'l, T>(
    list: &'l mut Vec<(*const Pointer, T)>,
    pointer: &Pointer,
    find: impl FnOnce() -> T,
) -> &'l mut T {
    let at = list.iter().position(|(known, _)| std::ptr::eq(*known, pointer)).unwrap_or_else(|| {
        list.push((pointer, find()));
        list.len() - 1
    });
    &mut list[at].1
}

fn first_scalar<'a>(pointer: &Pointer, from: Value<'a>) -> Option<Found<'a>> {
    pointer.first_text(from)?.scalar().map(Found::from)
}

/// A count as vendors write it: `2`, `"2"`, `2.0`.
fn whole_number(text: &str) -> Option<u64> {
    let text = text.trim();
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..9e15).contains(number);
    text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(whole).map(|number| number as u64))
}

/// Whether a status is of a class.
pub(super) fn is_of(class: StatusClass, status: u16) -> bool {
    match class {
        StatusClass::Exactly(exact) => status == exact,
        StatusClass::Hundreds(hundreds) => status / 100 == hundreds,
    }
}

/// How many entries a rule has: those that its `where` leaves, and all.
fn count<'a>(rule: &EntryRule, scope: &Scope<'a>, root: Value<'a>) -> (usize, usize) {
    let mut own = scope.clone();
    // A `where` cannot ask for the count that it decides.
    own.counts.set(Some((0, 0)));
    let (mut left, mut all) = (0, 0);
    each(rule, root, &mut |here, key| {
        all += 1;
        if rule.filter.is_trivial() {
            left += 1;
            return;
        }
        own.here = Some(here);
        own.key = key;
        left += usize::from(own.holds(&rule.filter));
    });
    (left, all)
}

/// Calls `found` for each entry with the key it stands under. A list is a list: tells whether something else that says
/// something stands where entries belong.
pub(super) fn each<'a>(
    rule: &EntryRule,
    root: Value<'a>,
    found: &mut impl FnMut(Value<'a>, Option<Scalar<'a>>),
) -> bool {
    let mut give = |value: Value<'a>, key: Option<Scalar<'a>>| {
        if !rule.unwrap {
            return found(value, key);
        }
        // An object of more than the one member is not what there is to be unwrapped, and says what it says.
        let mut members = value.members();
        match (members.next(), members.next()) {
            (Some((key, value)), None) => found(value, Some(key)),
            (Some(_), Some(_)) => found(value, None),
            _ => {}
        }
    };
    let mut misshapen = false;
    let mut one = |node: Value<'a>, in_list: bool| match (rule.shape, node.kind()) {
        _ if node.is_empty() && !in_list => {}
        (Shape::One, _) => give(node, None),
        (Shape::Map, Kind::Object) => node.members().for_each(|(key, value)| give(value, Some(key))),
        (Shape::MapOfLists, Kind::Object) => {
            for (key, member) in node.members() {
                // The list itself, or where `nested` leads from the member.
                let inner = rule.nested.as_ref().and_then(|way| way.first(member));
                let list = inner.unwrap_or(member);
                misshapen |= !matches!(list.kind(), Kind::Array | Kind::Null);
                list.elements().for_each(|value| give(value, Some(key)));
            }
        }
        (_, Kind::Array) => node.elements().for_each(|value| give(value, None)),
        // XML has no lists of one; some vendors' JSON is made from it.
        (Shape::List, Kind::Object) if in_list || rule.lone => give(node, None),
        (Shape::List, _) if in_list || node.is_of_xml() => give(node, None),
        // Even `false`: a flag in the place of a list tells that this reply is built otherwise.
        _ => misshapen = true,
    };
    let mut cut_short = false;
    for each in &rule.each {
        cut_short |= each.way.is_cut_short(root);
        each.way.visit(root, &mut |node| {
            match (each.every, node.kind()) {
                (false, _) => one(node, false),
                (true, Kind::Array) => node.elements().for_each(|element| one(element, true)),
                (true, Kind::Object) => node.members().for_each(|(_, value)| one(value, node.is_of_xml())),
                (true, _) => one(node, false),
            }
            false
        });
    }
    misshapen || cut_short
}

/// Every id an entry's places give: one, or many through `*`.
pub(super) fn texts<'a>(places: &[Place], scope: &Scope<'a>, found: &mut impl FnMut(Found<'a>)) {
    for place in places {
        let Some((pointer, from)) = scope.way(place) else {
            if let Some(text) = scope.text_at(place) {
                found(text);
            }
            continue;
        };
        let Some(from) = from else { continue };
        pointer.visit(from, &mut |value| {
            if let Some(scalar) = value.scalar().filter(|scalar| !scalar.raw.is_empty()) {
                found(Found::from(scalar));
            }
            false
        });
    }
}
