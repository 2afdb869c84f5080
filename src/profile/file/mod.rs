//! The serde mirror of profile files; `config/profiles/README.md` is its prose.
//!
//! Only shapes and spelling here. What the words mean is checked in `compile`.

mod reply; // [reply]

pub use reply::*;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::reply::{Join, Shape, Word};
use super::when::{Empty, StatusClass};
use crate::decode::Wire;
use crate::envelope::{Advice, Category};

/// One text or a list of texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts(pub Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not an untagged enum: its errors would only say that no variant matched.
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Texts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E>(self, v: &str) -> Result<Texts, E> {
                Ok(Texts(vec![v.to_owned()]))
            }
            fn visit_bool<E>(self, v: bool) -> Result<Texts, E> {
                Ok(Texts(vec![v.to_string()]))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Texts, E> {
                Ok(Texts(vec![v.to_string()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
                let mut all = Vec::new();
                while let Some(Texts(mut texts)) = seq.next_element()? {
                    all.append(&mut texts);
                }
                Ok(Texts(all))
            }
        }
        deserializer.deserialize_any(One)
    }
}

/// One word of a closed set, or a list of them.
fn one_or_many<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Any<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a word or a list of words")
        }
        fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Vec<T>, E> {
            T::deserialize(v.into_deserializer()).map(|word| vec![word])
        }
        fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Vec<T>, E> {
            T::deserialize(v.into_deserializer()).map(|word| vec![word])
        }
        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vec<T>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seq))
        }
    }
    deserializer.deserialize_any(Any(std::marker::PhantomData))
}

/// Why a profile counts as knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Documented,
    Captured,
    Guessed,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Captured => "captured",
            Self::Guessed => "guessed",
        }
    }
}

/// `vendor.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VendorFile {
    pub source: String,
    pub hosts: Texts,
    pub region: Texts,
    pub request_id: Texts,
    pub dry_run: Vec<DryRunFile>,
    pub dry_run_codes: Texts,
    /// The statuses under which those codes come; left out: 2xx.
    #[serde(deserialize_with = "one_or_many")]
    pub dry_run_status: Vec<StatusClass>,
    /// Where a vendor writes the real code into the message: what stands around it, as `(*)`.
    pub code_in_message: Option<String>,
    /// The vendor takes paths and the names of members and parameters in any case.
    pub any_case: bool,
    /// A parameter that stands several times is a list; else readers take one of them.
    pub repeats: bool,
    /// Lists of parameters begin with 1: what stands at 0 is not read, by the page. Left out: with 0 or 1.
    pub from_one: bool,
    /// A protocol that many vendors speak: among equals it wins where the host is nobody's.
    pub generic: bool,
    pub code_after: Option<String>,
    pub code_before: Option<String>,
    pub outer: Vec<OuterFile>,
    pub errors: Texts,
    pub harmless: Texts,
    /// Shapes that families take by name: `[reply] like = "…"`.
    pub replies: BTreeMap<String, ReplyFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DryRunFile {
    pub at: Texts,
    pub equals: Texts,
    /// Services and actions that know it; both left out: all of the vendor's.
    #[serde(default)]
    pub services: Texts,
    #[serde(default)]
    pub actions: Texts,
}

/// `codes.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodesFile {
    pub source: Texts,
    pub codes: BTreeMap<String, ClassFile>,
    pub patterns: Vec<PatternFile>,
}

/// A category, or a category with an advice.
#[derive(Clone, Debug)]
pub struct ClassFile {
    pub category: Category,
    pub advice: Option<Advice>,
}

impl<'de> Deserialize<'de> for ClassFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            category: Category,
            advice: Option<Advice>,
        }
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = ClassFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a category or { category, advice }")
            }
            fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<ClassFile, E> {
                Ok(ClassFile { category: Category::deserialize(v.into_deserializer())?, advice: None })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<ClassFile, A::Error> {
                let table = Table::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(ClassFile { category: table.category, advice: table.advice })
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternFile {
    #[serde(rename = "match")]
    pub pattern: Texts,
    pub category: Category,
    pub advice: Option<Advice>,
}

/// `<family>.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FamilyFile {
    pub service: Texts,
    pub resource_type: Option<String>,
    pub source: Texts,
    pub status: Option<Status>,
    pub request: ActionFile,
    pub actions: Vec<ActionFile>,
    pub reply: ReplyFile,
}

/// One `[[actions]]` with what it leaves out taken from `[request]` (see `merge`), or `[request]` by itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActionFile {
    pub name: Option<String>,
    pub names: Texts,
    pub value: Option<String>,
    pub action: Texts,
    pub service: Texts,
    pub resource_type: Option<String>,
    pub method: Texts,
    pub host: BTreeMap<String, Texts>,
    pub path: Texts,
    pub query: BTreeMap<String, Texts>,
    pub header: BTreeMap<String, Texts>,
    pub first_key: Texts,
    pub body: BTreeMap<String, Texts>,
    pub wire: RequestWire,
    pub each: Texts,
    #[serde(rename = "as")]
    pub shape: RequestShape,
    #[serde(rename = "where")]
    pub filter: WhenFile,
    pub lines_after: BTreeMap<String, u32>,
    pub unwrap: bool,
    pub id: Texts,
    pub key: Texts,
    pub ids: Texts,
    pub patterns: Texts,
    pub patterns_at: Texts,
    pub except: Texts,
    pub subrequest: Option<SubrequestFile>,
    pub id_parts: Texts,
    pub id_url: bool,
    pub parent: Texts,
    pub version: Texts,
    pub port: Texts,
    pub nested: Option<String>,
    pub distinct: bool,
    pub optional: bool,
    pub filters: Texts,
    pub all: Texts,
    pub split: Option<String>,
    pub count: Texts,
    pub lookup: bool,
    /// Must be said, but by look-ups.
    pub asynchronous: Option<bool>,
    pub atomic: bool,
    pub task: Texts,
    pub monitor: Option<String>,
}

/// `subrequest`: each element is a request of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubrequestFile {
    pub target: Texts,
    pub method: Texts,
    #[serde(default)]
    pub body: Texts,
    #[serde(default)]
    pub refers: Texts,
}

/// How a request is written; `auto`: the body if there is one, else the query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestWire {
    #[default]
    Auto,
    Query,
    Json,
    Xml,
    Form,
    Multipart,
    Ndjson,
    Lines,
    Labelled,
    /// Not read: known by its head, and never rewritten.
    Grpc,
}

/// How a reply is written; `auto`: by media type, then first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyWire {
    #[default]
    Auto,
    Json,
    Xml,
    Form,
    Multipart,
    Ndjson,
    Lines,
    Labelled,
}

/// How a request holds what was asked; a reply's list may also be `one`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestShape {
    #[default]
    List,
    Map,
    MapOfLists,
}

/// What may be undone in an id before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decode {
    Percent,
}
