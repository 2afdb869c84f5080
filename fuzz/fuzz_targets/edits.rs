//! JSON bodies changed member by member, so that what comes out is still a reply.

use onevelope::decode::{Bounds, Kind, Value, Wire, read};

/// Members that state an error, in the shapes vendors give it.
pub const ERRORS: [(&str, &str); 5] = [
    ("error", r#"{"code":"Zz.Boom","message":"boom"}"#),
    ("errors", r#"[{"message":"boom"}]"#),
    ("Error", r#""boom""#),
    ("exception", "true"),
    ("failed_count", "999"),
];

/// Odd values: blank, of other kinds, words and numbers of both moods.
const ODD: [&str; 26] = [
    r#""""#,
    r#"" ""#,
    "0",
    r#""0""#,
    "1",
    "-1",
    "2.0",
    "1e3",
    "200",
    "404",
    r#""500""#,
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "[null]",
    r#"[""]"#,
    r#"{"a":{}}"#,
    r#""failed""#,
    r#""success""#,
    r#""ok""#,
    r#""é""#,
    r#""\u0061""#,
    "9007199254740993",
    r#"{"code":"X","message":"no"}"#,
];
/// Names a member may get.
const NAMES: [&str; 18] = [
    "id",
    "code",
    "message",
    "error",
    "errors",
    "errorCode",
    "failed",
    "failedIds",
    "success",
    "status",
    "state",
    "result",
    "data",
    "items",
    "job_id",
    "task_id",
    "count",
    "failed_count",
];

/// Numbers that look random, the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u32) -> Self {
        Self(u64::from(seed) ^ 0x9E37_79B9_7F4A_7C15)
    }

    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % most.max(1)
    }

    pub fn one_in(&mut self, most: usize) -> bool {
        self.below(most) == 0
    }

    fn of<'l>(&mut self, list: &[&'l str]) -> &'l str {
        list[self.below(list.len())]
    }
}

/// The object with one more member at its root; nothing where it has one of that name, or is no object.
pub fn injected(body: &[u8], name: &str, value: &str) -> Option<String> {
    let (document, _) = read(body, Wire::Json, "", Bounds { depth: 60, nodes: 1 << 18, ..Bounds::default() }, false).ok()?;
    let (root, text) = (document.root(), document.text());
    let taken = root.members().any(|(key, _)| key.decode().eq_ignore_ascii_case(name));
    if root.kind() != Kind::Object || taken {
        return None;
    }
    let comma = if root.members().next().is_some() { "," } else { "" };
    Some(format!("{}{comma}\"{name}\":{value}}}", text.trim_end().strip_suffix('}')?))
}

/// One change at one place; nothing where the body is no JSON.
pub fn edited(body: &[u8], ids: &[String], dice: &mut Dice) -> Option<String> {
    let (document, _) = read(body, Wire::Json, "", Bounds { depth: 60, nodes: 1 << 18, ..Bounds::default() }, false).ok()?;
    let mut values = Vec::new();
    collect(document.root(), &mut values);
    let at = dice.below(values.len());
    let other = values[dice.below(values.len())].to_owned();
    let id = ids.get(dice.below(ids.len())).map(|id| serde_json::Value::from(id.as_str()).to_string());
    let name = match id.as_ref().filter(|_| dice.one_in(4)) {
        Some(id) => id.clone(),
        None => format!("\"{}\"", dice.of(&NAMES)),
    };
    let change = match dice.below(10) {
        0 => Change::Drop,
        1 => Change::Twice,
        2 => Change::Rename(name),
        3 => Change::Insert(name, dice.of(&ODD).to_owned()),
        4 => Change::Insert(name, other),
        5 => {
            let (name, value) = ERRORS[dice.below(ERRORS.len())];
            Change::Insert(format!("\"{name}\""), value.to_owned())
        }
        6 => Change::Replace(other),
        7 => Change::Replace(id.unwrap_or(other)),
        _ => Change::Replace(dice.of(&ODD).to_owned()),
    };
    let mut copy = Copy { out: String::with_capacity(body.len() + 64), left: at, change };
    copy.put(None, document.root());
    Some(copy.out)
}

fn collect<'d>(value: Value<'d>, values: &mut Vec<&'d str>) {
    values.push(value.raw());
    value.members().for_each(|(_, inner)| collect(inner, values));
    value.elements().for_each(|inner| collect(inner, values));
}

enum Change {
    Drop,
    Twice,
    Rename(String),
    /// A member put into an object, an element into a list.
    Insert(String, String),
    Replace(String),
}

/// The document written again, with a change at one value.
struct Copy {
    out: String,
    /// How many values come before the one that changes.
    left: usize,
    change: Change,
}

impl Copy {
    fn put(&mut self, key: Option<&str>, value: Value<'_>) {
        let here = self.left == 0;
        self.left = self.left.wrapping_sub(1);
        let quoted = key.map(|key| format!("\"{key}\""));
        match (&self.change, here) {
            (Change::Drop, true) if key.is_some() => {}
            (Change::Twice, true) if !self.out.is_empty() => {
                for _ in 0..2 {
                    self.name(quoted.as_deref());
                    self.out.push_str(value.raw());
                }
            }
            (Change::Rename(name), true) if key.is_some() => {
                let name = name.clone();
                self.name(Some(&name));
                self.out.push_str(value.raw());
            }
            (Change::Replace(with), true) => {
                let with = with.clone();
                self.name(quoted.as_deref());
                self.out.push_str(&with);
            }
            _ => {
                self.name(quoted.as_deref());
                self.inside(value, here);
            }
        }
    }

    fn inside(&mut self, value: Value<'_>, here: bool) {
        let insert = match &self.change {
            Change::Insert(name, value) if here => Some((name.clone(), value.clone())),
            _ => None,
        };
        match value.kind() {
            Kind::Object => {
                self.out.push('{');
                value.members().for_each(|(key, inner)| self.put(Some(key.raw), inner));
                if let Some((name, value)) = insert {
                    self.name(Some(&name));
                    self.out.push_str(&value);
                }
                self.out.push('}');
            }
            Kind::Array => {
                self.out.push('[');
                value.elements().for_each(|inner| self.put(None, inner));
                if let Some((_, value)) = insert {
                    self.name(None);
                    self.out.push_str(&value);
                }
                self.out.push(']');
            }
            _ => self.out.push_str(value.raw()),
        }
    }

    /// What stands before a value: a comma where another came first, and its name.
    fn name(&mut self, quoted: Option<&str>) {
        if !(self.out.is_empty() || self.out.ends_with(['{', '['])) {
            self.out.push(',');
        }
        if let Some(quoted) = quoted {
            self.out.push_str(quoted);
            self.out.push(':');
        }
    }
}
