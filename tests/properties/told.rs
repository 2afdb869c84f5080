//! Small profiles of our own, one for each way to answer, and their replies: told, then a failure more or a proof less.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use onevelope::profile::ProfileSet;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::rules::with;

/// One way to answer.
pub struct Shape {
    pub name: &'static str,
    pub rules: &'static str,
    /// The reply without entries.
    pub empty: &'static str,
    /// Pointers to the places of good and of failing entries; none where there are no entries.
    pub good: Option<&'static str>,
    pub bad: Option<&'static str>,
    /// What a good and a failing entry hold beside their id.
    pub says: [(&'static str, &'static str); 2],
    /// Entries name their items.
    pub named: bool,
}

pub const SHAPES: [Shape; 6] = [
    Shape {
        name: "a-list-with-a-status",
        rules: "[[reply.entries]]\neach = \"/items\"\nid = \"/id\"\ncode = \"/code\"\n\
            outcome = { by = \"/state\", done = \"ok\", failed = \"bad\", otherwise = \"unknown\" }\n",
        empty: r#"{"items":[]}"#,
        good: Some("/items"),
        bad: Some("/items"),
        says: [("state", "ok"), ("state", "bad")],
        named: true,
    },
    Shape {
        name: "two-lists",
        rules: "[[reply.entries]]\neach = \"/done\"\nid = \"/id\"\noutcome = \"done\"\n\
            [[reply.entries]]\neach = \"/failed\"\nid = \"/id\"\noutcome = \"failed\"\ncode = \"/code\"\n",
        empty: r#"{"done":[],"failed":[]}"#,
        good: Some("/done"),
        bad: Some("/failed"),
        says: [("text", "x"), ("code", "X")],
        named: true,
    },
    Shape {
        name: "failures-only",
        rules: "[reply]\nabsent = \"done\"\n\
            [[reply.entries]]\neach = \"/failed\"\nid = \"/id\"\noutcome = \"failed\"\ncode = \"/code\"\n\
            exhaustive = true\n\
            [[reply.whole]]\nwhen = { stated = \"/failed\" }\noutcome = \"done\"\nevidence = \"inferred\"\n",
        empty: r#"{"failed":[]}"#,
        good: None,
        bad: Some("/failed"),
        says: [("", ""), ("code", "X")],
        named: true,
    },
    Shape {
        name: "a-map-by-id",
        rules: "[[reply.entries]]\neach = \"/detail\"\nas = \"map\"\nid = \"@key\"\n\
            outcome = { by = \"/code\", done = \"0\", otherwise = \"failed\" }\ncode = \"/code\"\n",
        empty: r#"{"detail":{}}"#,
        good: Some("/detail"),
        bad: Some("/detail"),
        says: [("code", "0"), ("code", "X")],
        named: true,
    },
    Shape {
        name: "positions",
        rules: "[[reply.entries]]\neach = \"/records\"\nmark = \"/seq\"\ncode = \"/code\"\n\
            outcome = { by = \"/code\", missing = \"done\", otherwise = \"failed\" }\n",
        empty: r#"{"records":[]}"#,
        good: Some("/records"),
        bad: Some("/records"),
        says: [("seq", "1"), ("code", "X")],
        named: false,
    },
    Shape {
        name: "one-handle",
        rules: "[[reply.whole]]\nwhen = { present = \"/job\" }\noutcome = \"accepted\"\ntask = \"/job\"\n",
        empty: r#"{"job":"j-1"}"#,
        good: None,
        bad: None,
        says: [("", ""), ("", "")],
        named: true,
    },
];

pub static SETS: LazyLock<Vec<ProfileSet>> = LazyLock::new(|| {
    let rules = |shape: &Shape| {
        let counts = "[reply.counts]\nfailed = \"/failedCount\"\nsucceeded = \"/doneCount\"\n";
        with(shape.name, &format!("ids = \"/ids/*\"\n{}{counts}", shape.rules))
    };
    SHAPES.iter().map(rules).collect()
});

/// Errors of the whole call, in the shapes vendors give them.
pub const ERRORS: [(&str, &str); 7] = [
    ("error", r#"{"code":"X","message":"no"}"#),
    ("error", r#""boom""#),
    ("errors", r#"[{"message":"no"}]"#),
    ("Exception", "true"),
    ("success", "false"),
    ("rejectedIds", r#"["zz"]"#),
    ("failedCount", r#""many""#),
];

/// A reply, before it is written.
#[derive(Clone)]
pub struct Told {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Shape {
    /// The reply to items that were done, failed, or are not spoken of.
    pub fn tell(&self, fates: &[Option<bool>]) -> Told {
        let mut body: Value = serde_json::from_str(self.empty).expect("JSON");
        for (at, fate) in fates.iter().enumerate() {
            // Positions leave nobody out.
            if let Some(done) = fate.or((!self.named).then_some(true)) {
                self.state(&mut body, done, Some(&id(at)));
            }
        }
        Told { status: 200, headers: HeaderMap::new(), body }
    }

    /// One entry more, where the shape has such.
    fn state(&self, body: &mut Value, done: bool, id: Option<&str>) {
        let ((key, value), place) = if done { (self.says[0], self.good) } else { (self.says[1], self.bad) };
        let Some(entries) = place.and_then(|place| body.pointer_mut(place)) else { return };
        let mut entry = json!({ key: value });
        match (entries, id) {
            (Value::Object(map), id) => drop(map.insert(id.unwrap_or_default().to_owned(), entry)),
            (Value::Array(list), id) => {
                if let Some(id) = id.filter(|_| self.named) {
                    entry["id"] = id.into();
                }
                list.push(entry);
            }
            _ => {}
        }
    }

    /// A failure more: an entry about somebody or nobody, an error of the call, a count, a header, a status.
    pub fn fail(&self, told: &mut Told, asked: usize, kind: Index) {
        match kind.index(7 + ERRORS.len()) {
            // A map holds an id once; a second statement would take the first one's place.
            0 => self.state(&mut told.body, false, Some(&id(kind.index(asked)))),
            1 => self.state(&mut told.body, false, Some("stranger")),
            2 => self.state(&mut told.body, false, None),
            3 => told.body["failedCount"] = (asked + 1).into(),
            4 => told.body["doneCount"] = 0.into(),
            5 => drop(told.headers.insert("x-error-code", HeaderValue::from_static("X"))),
            6 => told.status = 500,
            other => {
                let (name, value) = ERRORS[other - 7];
                told.body[name] = serde_json::from_str(value).expect("JSON");
            }
        }
    }

    /// A proof less: a member of a good entry, a member of the root.
    pub fn unmark(&self, body: &mut Value, at: Index) {
        let good = |entry: &&mut Value| self.says[0].0.is_empty() || entry[self.says[0].0] == self.says[0].1;
        let entries = self.good.and_then(|place| body.pointer_mut(place));
        let mut entries: Vec<&mut Value> = match entries {
            Some(Value::Array(list)) => list.iter_mut().filter(good).collect(),
            Some(Value::Object(map)) => map.values_mut().filter(good).collect(),
            _ => Vec::new(),
        };
        // Without entries, what the root holds is the proof.
        let count = entries.len();
        let from = if count == 0 { body } else { entries.swap_remove(at.index(count)) };
        if let Value::Object(map) = from
            && !map.is_empty()
        {
            let key = map.keys().nth(at.index(map.len())).cloned().unwrap_or_default();
            map.shift_remove(&key);
        }
    }
}

pub fn id(at: usize) -> String {
    format!("i-{at}")
}
