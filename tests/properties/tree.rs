//! A reply's tree that can be damaged: JSON spelled as it was, edited where a number points to.

use onevelope::decode::{Kind, Value};
use proptest::sample::Index;

/// JSON; scalars and keys as they are spelled.
#[derive(Clone, Debug)]
pub enum Tree {
    Scalar(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

/// One change.
#[derive(Clone, Copy, Debug)]
pub enum Edit {
    /// Copies a member or element, each copy with the ids of another resource.
    Repeat {
        at: Index,
        times: usize,
    },
    /// The same with copies that are all the same.
    Twice(Index),
    /// Another value from a list of odd ones.
    Replace {
        at: Index,
        with: Index,
    },
    /// The value of another scalar.
    Copy {
        at: Index,
        from: Index,
    },
    /// The same text, one character of it escaped.
    Escape(Index),
    /// Another key.
    Rename {
        at: Index,
        with: Index,
    },
    Drop(Index),
    /// Changes place with the one behind it.
    Swap(Index),
}

/// Odd values: blank, "no task", of other kinds, and names of resources spelled otherwise.
const ODD: [&str; 22] = [
    r#""""#,
    r#"" ""#,
    r#""\u0020""#,
    r#""\t""#,
    r#"" x""#,
    r#""0""#,
    "0",
    "0.0",
    r#""\u0030""#,
    "-1",
    "200",
    r#""404""#,
    "true",
    "null",
    "[]",
    "{}",
    r#""é""#,
    r#""x""#,
    r#""arn:x:i-0001""#,
    r#""\u0069-0001""#,
    r#""I-0001""#,
    r#"["i-0001"]"#,
];

impl Edit {
    pub fn of(kind: u8, at: Index, with: Index) -> Self {
        match kind {
            0 => Self::Repeat { at, times: with.index(12) },
            1 => Self::Twice(at),
            2 | 3 => Self::Replace { at, with },
            4 => Self::Copy { at, from: with },
            5 => Self::Escape(at),
            6 => Self::Rename { at, with },
            7 => Self::Drop(at),
            _ => Self::Swap(at),
        }
    }
}

impl Tree {
    pub fn of(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Array => Self::List(value.elements().map(Self::of).collect()),
            Kind::Object => {
                Self::Map(value.members().map(|(key, value)| (key.raw.to_owned(), Self::of(value))).collect())
            }
            _ => Self::Scalar(value.raw().to_owned()),
        }
    }

    pub fn json(&self) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::List(list) => format!("[{}]", list.iter().map(Self::json).collect::<Vec<_>>().join(",")),
            Self::Map(map) => {
                let members = map.iter().map(|(key, value)| format!("\"{key}\":{}", value.json()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }

    pub fn edit(&mut self, edit: &Edit, names: &[String]) {
        match *edit {
            Edit::Repeat { at, times } => self.within(at, |tree, place| {
                for n in 0..times {
                    tree.copy(place, place + 1 + n, |copy| copy.become_another(names, n));
                }
            }),
            Edit::Twice(at) => self.within(at, |tree, place| tree.copy(place, place, |_| {})),
            Edit::Replace { at, with } => self.scalar(at, |text| *text = with.get(&ODD).to_string()),
            Edit::Copy { at, from } => {
                let mut other = None;
                self.scalar(from, |text| other = Some(text.clone()));
                self.scalar(at, |text| *text = other.unwrap_or_default());
            }
            Edit::Escape(at) => self.scalar(at, |text| {
                let first = text.strip_prefix('"').and_then(|inner| inner.chars().next());
                if let Some(first) = first.filter(|c| c.is_ascii_alphanumeric()) {
                    text.replace_range(1..2, &format!("\\u{:04x}", u32::from(first)));
                }
            }),
            Edit::Rename { at, with } => self.within(at, |tree, place| {
                if let Self::Map(map) = tree {
                    map[place].0 = spelled(with.get::<String>(names));
                }
            }),
            Edit::Drop(at) => self.within(at, |tree, place| match tree {
                Self::List(list) => drop(list.remove(place)),
                Self::Map(map) => drop(map.remove(place)),
                Self::Scalar(_) => {}
            }),
            Edit::Swap(at) => self.within(at, |tree, place| match tree {
                Self::List(list) if place + 1 < list.len() => list.swap(place, place + 1),
                Self::Map(map) if place + 1 < map.len() => map.swap(place, place + 1),
                _ => {}
            }),
        }
    }

    /// Changes a scalar, if there is one.
    fn scalar(&mut self, at: Index, change: impl FnOnce(&mut String)) {
        let mut scalars = Vec::new();
        self.scalars(&mut scalars);
        if !scalars.is_empty() {
            let at = at.index(scalars.len());
            change(scalars.swap_remove(at));
        }
    }

    fn scalars<'t>(&'t mut self, found: &mut Vec<&'t mut String>) {
        match self {
            Self::Scalar(text) => found.push(text),
            Self::List(list) => list.iter_mut().for_each(|tree| tree.scalars(found)),
            Self::Map(map) => map.iter_mut().for_each(|(_, tree)| tree.scalars(found)),
        }
    }

    /// Changes a container at one of its places, if there is any.
    fn within(&mut self, at: Index, change: impl FnOnce(&mut Self, usize)) {
        let total = self.places();
        if total > 0 {
            self.at_place(&mut at.index(total), &mut Some(change));
        }
    }

    fn children(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Scalar(_) => Vec::new(),
            Self::List(list) => list.iter_mut().collect(),
            Self::Map(map) => map.iter_mut().map(|(_, tree)| tree).collect(),
        }
    }

    fn places(&mut self) -> usize {
        self.children().into_iter().map(|child| 1 + child.places()).sum()
    }

    fn at_place(&mut self, left: &mut usize, change: &mut Option<impl FnOnce(&mut Self, usize)>) {
        let count = self.children().len();
        if *left < count {
            if let Some(change) = change.take() {
                change(self, *left);
            }
            return;
        }
        *left -= count;
        for child in self.children() {
            if change.is_some() {
                child.at_place(left, change);
            }
        }
    }

    fn copy(&mut self, from: usize, to: usize, change: impl FnOnce(&mut (String, Self))) {
        match self {
            Self::Scalar(_) => {}
            Self::List(list) => {
                let mut copy = (String::new(), list[from].clone());
                change(&mut copy);
                list.insert(to, copy.1);
            }
            Self::Map(map) => {
                let mut copy = map[from].clone();
                change(&mut copy);
                map.insert(to, copy);
            }
        }
    }
}

trait Another {
    /// Every id in it names another resource; now and then another value differs, too.
    fn become_another(&mut self, names: &[String], n: usize);
}

impl Another for (String, Tree) {
    fn become_another(&mut self, names: &[String], n: usize) {
        let known = |text: &str| names.iter().any(|name| spelled(name) == text);
        let other = spelled(&names[n % names.len()]);
        if known(&self.0) {
            self.0.clone_from(&other);
        }
        let mut scalars = Vec::new();
        self.1.scalars(&mut scalars);
        for text in &mut scalars {
            if text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).is_some_and(known) {
                **text = format!("\"{other}\"");
            }
        }
        if n % 5 == 4 && !scalars.is_empty() {
            let (at, odd) = (n / 5 % scalars.len(), ODD[n / 3 % ODD.len()]);
            *scalars[at] = odd.to_owned();
        } else if !scalars.is_empty() {
            // Messages and tasks that are each entry's own.
            let at = n % scalars.len();
            if n % 2 == 1 && scalars[at].len() > 2 && scalars[at].starts_with('"') {
                scalars[at].insert(1, 'y');
            }
        }
    }
}

/// A text as it stands between quotes.
fn spelled(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a string");
    quoted[1..quoted.len() - 1].to_owned()
}
