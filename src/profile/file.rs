//! The serde mirror of profile files; `config/profiles/README.md` is its prose.
//!
//! Only shapes and spelling here. What the words mean is checked in `compile`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::decode::Wire;

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

/// `true`/`false` or one of a few words.
#[derive(Clone, Debug, PartialEq)]
pub struct Emptiness(pub String);

impl<'de> Deserialize<'de> for Emptiness {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Texts::deserialize(deserializer).map(|t| Self(t.0.join(",")))
    }
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
    pub vendor: String,
    pub source: String,
    pub hosts: Texts,
    pub region: Texts,
    pub request_id: Texts,
    pub dry_run: Vec<DryRunFile>,
    pub dry_run_codes: Texts,
    pub code_after: Option<String>,
    pub code_before: Option<String>,
    pub outer: Vec<OuterFile>,
    pub errors: Texts,
    pub harmless: Texts,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DryRunFile {
    pub at: Texts,
    pub equals: Texts,
}

/// `codes.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodesFile {
    pub vendor: String,
    pub source: Texts,
    pub codes: BTreeMap<String, ClassFile>,
    pub patterns: Vec<PatternFile>,
}

/// A category, or a category with an advice.
#[derive(Clone, Debug)]
pub struct ClassFile {
    pub category: String,
    pub advice: Option<String>,
}

impl<'de> Deserialize<'de> for ClassFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            category: String,
            advice: Option<String>,
        }
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = ClassFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a category or { category, advice }")
            }
            fn visit_str<E>(self, v: &str) -> Result<ClassFile, E> {
                Ok(ClassFile { category: v.to_owned(), advice: None })
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
    pub category: String,
    pub advice: Option<String>,
}

/// `<family>.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FamilyFile {
    pub vendor: String,
    pub family: String,
    pub service: Texts,
    pub resource_type: Option<String>,
    pub source: Texts,
    pub status: Option<Status>,
    pub request: ActionFile,
    pub actions: Vec<ActionFile>,
    pub reply: ReplyFile,
}

/// One `[[actions]]`, or `[request]`, whose keys are the defaults of all actions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActionFile {
    pub name: Option<String>,
    pub names: Option<Texts>,
    pub value: Option<String>,
    pub action: Option<Texts>,
    pub service: Option<Texts>,
    pub resource_type: Option<String>,
    pub method: Option<Texts>,
    pub host: Option<BTreeMap<String, Texts>>,
    pub path: Option<Texts>,
    pub query: Option<BTreeMap<String, Texts>>,
    pub header: Option<BTreeMap<String, Texts>>,
    pub first_key: Option<Texts>,
    pub body: Option<BTreeMap<String, Texts>>,
    pub wire: Option<String>,
    pub items: Option<Texts>,
    pub items_as: Option<String>,
    #[serde(rename = "where")]
    pub filter: Option<WhenFile>,
    pub lines_after: Option<BTreeMap<String, u32>>,
    pub unwrap: Option<bool>,
    pub id: Option<Texts>,
    pub key: Option<Texts>,
    pub ids: Option<Texts>,
    pub id_parts: Option<Texts>,
    pub id_url: Option<bool>,
    pub distinct: Option<bool>,
    pub split: Option<String>,
    pub count: Option<Texts>,
    pub lookup: Option<bool>,
    pub asynchronous: Option<bool>,
    pub repeatable: Option<bool>,
    pub atomic: Option<bool>,
    pub task: Option<Texts>,
    pub monitor: Option<String>,
}

macro_rules! or {
    ($own:expr, $default:expr, $($field:ident),+ $(,)?) => {
        ActionFile { $($field: $own.$field.clone().or_else(|| $default.$field.clone())),+ }
    };
}

impl ActionFile {
    /// This action, with what it leaves out taken from `[request]`.
    pub fn over(&self, default: &ActionFile) -> ActionFile {
        or!(
            self,
            default,
            name,
            names,
            value,
            action,
            service,
            resource_type,
            method,
            host,
            path,
            query,
            header,
            first_key,
            body,
            wire,
            items,
            items_as,
            filter,
            lines_after,
            unwrap,
            id,
            key,
            ids,
            id_parts,
            id_url,
            distinct,
            split,
            count,
            lookup,
            asynchronous,
            repeatable,
            atomic,
            task,
            monitor,
        )
    }
}

/// `[reply]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplyFile {
    pub wire: Option<String>,
    pub text: Option<Wire>,
    pub absent: Option<String>,
    pub absent_category: Option<String>,
    pub absent_when: Vec<AbsentFile>,
    pub task: Texts,
    pub secrets: Texts,
    pub code_after: Option<String>,
    pub code_before: Option<String>,
    pub outer: Vec<OuterFile>,
    pub entries: Vec<EntryFile>,
    pub whole: Vec<WholeFile>,
    pub counts: Option<CountsFile>,
    pub announced: Option<AnnouncedFile>,
    pub absent_status: Texts,
    pub errors: Texts,
    pub harmless: Texts,
    pub about: Texts,
    pub aliases: bool,
    pub volunteers: bool,
    pub root: Texts,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsentFile {
    pub when: WhenFile,
    pub outcome: String,
    pub category: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OuterFile {
    pub when: WhenFile,
    pub unwrap: bool,
    pub code: Texts,
    pub message: Texts,
    pub success: Texts,
    pub summary: Texts,
    pub all_failed: Texts,
    pub status: Texts,
    pub failed: Texts,
    pub category: Option<String>,
    pub retry_after: Texts,
    pub retry_after_ms: Texts,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EntryFile {
    pub when: WhenFile,
    #[serde(rename = "where")]
    pub filter: WhenFile,
    pub fallback: bool,
    pub only_asked: bool,
    pub each: Option<Texts>,
    #[serde(rename = "as")]
    pub shape: Option<String>,
    pub unwrap: bool,
    pub id: Texts,
    pub id_parts: Texts,
    pub decode: Option<String>,
    pub join: Texts,
    pub key: Texts,
    pub index: Texts,
    pub index_base: u32,
    pub index_default: Option<u32>,
    pub from: Texts,
    pub until: Texts,
    pub outcome: Option<OutcomeFile>,
    pub code: Texts,
    pub message: Texts,
    pub task: Texts,
    pub category: Option<String>,
    pub retry_after: Texts,
    pub retry_after_ms: Texts,
    pub sender_fault: Texts,
    pub exhaustive: bool,
    pub mark: Texts,
    pub lone: bool,
}

/// An outcome word, or a table that reads one.
#[derive(Clone, Debug)]
pub enum OutcomeFile {
    Word(String),
    Table(Box<OutcomeTable>),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutcomeTable {
    pub by: Texts,
    pub done: Texts,
    pub succeeded: Texts,
    pub accepted: Texts,
    pub failed: Texts,
    pub not_attempted: Texts,
    pub unknown: Texts,
    pub silent: Texts,
    pub http: bool,
    pub http_202: Option<String>,
    pub task: Option<String>,
    pub missing: Option<String>,
    pub otherwise: Option<String>,
}

impl<'de> Deserialize<'de> for OutcomeFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = OutcomeFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an outcome or a table with `by`")
            }
            fn visit_str<E>(self, v: &str) -> Result<OutcomeFile, E> {
                Ok(OutcomeFile::Word(v.to_owned()))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<OutcomeFile, A::Error> {
                let table = OutcomeTable::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(OutcomeFile::Table(Box::new(table)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WholeFile {
    pub when: WhenFile,
    pub outcome: Option<OutcomeFile>,
    pub category: Option<String>,
    pub evidence: Option<String>,
    pub task: Texts,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CountsFile {
    pub succeeded: Texts,
    pub failed: Texts,
    pub total: Texts,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedFile {
    pub count: Texts,
    pub running: RunningFile,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningFile {
    pub by: Texts,
    pub texts: Texts,
}

/// A `when` or `where` table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WhenFile {
    pub status: Texts,
    pub present: Texts,
    pub missing: Texts,
    pub stated: Texts,
    pub empty: Option<Emptiness>,
    pub equals: BTreeMap<String, Texts>,
    pub request: BTreeMap<String, Texts>,
    pub count: Texts,
}
