//! `[reply]`: the part of a profile file that says how an answer is read.

use super::*;

/// `[reply]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplyFile {
    /// A shape of `vendor.toml`, already merged in (see `merge`).
    pub like: Option<String>,
    pub wire: ReplyWire,
    pub text: Option<Wire>,
    pub absent: Option<Word>,
    pub absent_category: Option<Category>,
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
    #[serde(deserialize_with = "one_or_many")]
    pub absent_status: Vec<StatusClass>,
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
    pub outcome: Word,
    pub category: Option<Category>,
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
    pub category: Option<Category>,
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
    pub shape: Shape,
    pub unwrap: bool,
    pub id: Texts,
    pub id_parts: Texts,
    pub decode: Option<Decode>,
    #[serde(deserialize_with = "one_or_many")]
    pub join: Vec<Join>,
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
    pub category: Option<Category>,
    pub retry_after: Texts,
    pub retry_after_ms: Texts,
    pub sender_fault: Texts,
    pub parent: Texts,
    pub version: Texts,
    pub port: Texts,
    pub nested: Option<String>,
    pub exhaustive: bool,
    pub mark: Texts,
    pub lone: bool,
}

/// An outcome word, or a table that reads one.
#[derive(Clone, Debug)]
pub enum OutcomeFile {
    Word(Word),
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
    pub http_202: Option<Word>,
    pub task: Option<Word>,
    pub missing: Option<Word>,
    pub otherwise: Option<Word>,
}

impl<'de> Deserialize<'de> for OutcomeFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = OutcomeFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an outcome or a table with `by`")
            }
            fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<OutcomeFile, E> {
                Word::deserialize(v.into_deserializer()).map(OutcomeFile::Word)
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
    pub category: Option<Category>,
    pub evidence: WholeEvidence,
    pub task: Texts,
}

/// On what a verdict on the whole call rests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WholeEvidence {
    #[default]
    Batch,
    Inferred,
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
    #[serde(deserialize_with = "one_or_many")]
    pub status: Vec<StatusClass>,
    pub present: Texts,
    pub missing: Texts,
    pub stated: Texts,
    pub empty: Option<Empty>,
    pub equals: BTreeMap<String, Texts>,
    pub request: BTreeMap<String, Texts>,
    pub count: Texts,
}
