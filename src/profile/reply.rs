//! How a reply is read: the compiled form of `[reply]`.

use serde::{Deserialize, Deserializer};

use super::place::Place;
use super::when::{StatusClass, When};
use crate::decode::{Pointer, Wire};
use crate::envelope::{Category, Evidence, Outcome};

/// Texts compared without regard to case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(pub(crate) Vec<String>);

impl Words {
    pub(crate) fn contain(&self, text: &str) -> bool {
        self.0.iter().any(|word| {
            // Lower-casing allocates, once for each entry of a batch: only for words that need it.
            word.eq_ignore_ascii_case(text)
                || (!word.is_ascii() && word.to_lowercase() == text.to_lowercase())
        })
    }
}

/// `[reply]` and the vendor's shared outer shapes.
#[derive(Debug, Default)]
pub(crate) struct ReplyRules {
    /// None: by media type and first byte.
    pub(crate) wire: Option<Wire>,
    /// What plain text is read as when nothing else is recognised.
    pub(crate) text: Option<Wire>,
    pub(crate) absent: Word,
    pub(crate) absent_category: Option<Category>,
    pub(crate) absent_when: Vec<(When, Word, Option<Category>)>,
    pub(crate) task: Vec<Place>,
    pub(crate) request_id: Vec<Place>,
    pub(crate) secrets: Vec<Pointer>,
    pub(crate) code_after: Option<String>,
    pub(crate) code_before: Option<String>,
    pub(crate) outer: Vec<OuterRule>,
    /// How many of them are the family's own.
    pub(crate) own_outer: usize,
    pub(crate) entries: Vec<EntryRule>,
    pub(crate) whole: Vec<WholeRule>,
    pub(crate) counted_good: Vec<Place>,
    pub(crate) counted_failed: Vec<Place>,
    pub(crate) counted_all: Vec<Place>,
    pub(crate) announced: Option<Announced>,
    /// Whether any entry rule joins by echo, so that asked elements must be kept.
    pub(crate) echoes: bool,
    /// The statuses under which silence may mean success; none: 2xx.
    pub(crate) absent_status: Vec<StatusClass>,
    /// Where an error of the whole call may stand, in whatever shape: family's, then vendor's.
    pub(crate) errors: Vec<Place>,
    /// Member names that look like failures and are none.
    pub(crate) harmless: Vec<String>,
    /// The task that a look-up's reply is about.
    pub(crate) about: Vec<Place>,
    /// The vendor answers under other names than were asked.
    pub(crate) aliases: bool,
    /// The vendor reports on resources that nobody asked for as well.
    pub(crate) volunteers: bool,
    /// Names of an XML reply's root element; none: any.
    pub(crate) root: Vec<String>,
    /// What the rules weigh outside of entries.
    pub(crate) weighed: Weighed,
}

/// Ways to the members that rules weigh: what they do not is looked through by the net.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weighed {
    /// Lists, ids and counts: what holds them is judged by them.
    pub(crate) lists: Vec<Pointer>,
    /// Lists whose place an object may take: entries under keys, or one alone.
    pub(crate) maps: Vec<Pointer>,
    /// Words that decide; what holds them may say more than they do.
    pub(crate) words: Vec<Pointer>,
}

/// An outcome as a profile names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Word {
    /// `accepted` when the action is asynchronous, else `succeeded`.
    Done,
    Is(Outcome),
    /// The entry says nothing about its item.
    Silent,
    #[default]
    Unsaid,
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The words a file may say.
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Said {
            Done,
            Succeeded,
            Accepted,
            Failed,
            NotAttempted,
            Unknown,
        }
        Ok(match Said::deserialize(deserializer)? {
            Said::Done => Self::Done,
            Said::Succeeded => Self::Is(Outcome::Succeeded),
            Said::Accepted => Self::Is(Outcome::Accepted),
            Said::Failed => Self::Is(Outcome::Failed),
            Said::NotAttempted => Self::Is(Outcome::NotAttempted),
            Said::Unknown => Self::Is(Outcome::Unknown),
        })
    }
}

impl Word {
    pub(crate) fn outcome(self, asynchronous: bool) -> Option<Outcome> {
        match self {
            Self::Done if asynchronous => Some(Outcome::Accepted),
            Self::Done => Some(Outcome::Succeeded),
            Self::Is(outcome) => Some(outcome),
            Self::Silent | Self::Unsaid => None,
        }
    }
}

/// Where a verdict on the whole call may stand.
#[derive(Debug)]
pub(crate) struct OuterRule {
    pub(crate) when: When,
    pub(crate) unwrap: bool,
    pub(crate) code: Vec<Place>,
    pub(crate) message: Vec<Place>,
    pub(crate) success: Words,
    pub(crate) summary: Words,
    pub(crate) all_failed: Words,
    pub(crate) status: Vec<Place>,
    pub(crate) failed: Words,
    /// Ways to what holds its code, and to its message: read with it.
    pub(crate) spared: Vec<Pointer>,
    pub(crate) category: Option<Category>,
    pub(crate) retry_after: Vec<(Place, u64)>,
}

/// Where single items speak.
#[derive(Debug)]
pub(crate) struct EntryRule {
    /// As profile files count: `[[reply.entries]]` number, from 1.
    pub(crate) number: usize,
    pub(crate) when: When,
    pub(crate) filter: When,
    pub(crate) fallback: bool,
    /// The list holds more than what was asked; the rest is no verdict on this call.
    pub(crate) only_asked: bool,
    pub(crate) each: Vec<Each>,
    pub(crate) shape: Shape,
    pub(crate) unwrap: bool,
    pub(crate) id: Vec<Place>,
    pub(crate) id_parts: Vec<Place>,
    /// What belongs to an identity beside the id, as in the request.
    pub(crate) parent: Vec<Place>,
    pub(crate) version: Vec<Place>,
    pub(crate) port: Vec<Place>,
    /// An element that has this list answers a group: its elements are the entries.
    pub(crate) nested: Option<Pointer>,
    pub(crate) percent: bool,
    /// Whether one entry may hold many ids.
    pub(crate) fans_out: bool,
    pub(crate) join: Vec<Join>,
    pub(crate) key: Vec<Place>,
    pub(crate) index: Vec<Place>,
    pub(crate) index_base: u32,
    pub(crate) index_default: Option<u32>,
    pub(crate) from: Vec<Place>,
    pub(crate) until: Vec<Place>,
    pub(crate) outcome: OutcomeRule,
    pub(crate) code: Vec<Place>,
    pub(crate) message: Vec<Place>,
    pub(crate) task: Vec<Place>,
    pub(crate) category: Option<Category>,
    pub(crate) retry_after: Vec<(Place, u64)>,
    pub(crate) sender_fault: Vec<Place>,
    /// Whether `code` may hold the bare status word, which is no code.
    pub(crate) code_is_status: bool,
    /// The list names every item that failed.
    pub(crate) exhaustive: bool,
    /// What is there only for an item that is good.
    pub(crate) mark: Vec<Place>,
    /// A single object may stand where the list belongs.
    pub(crate) lone: bool,
    /// What this rule weighs in an entry.
    pub(crate) weighed: Weighed,
}

impl EntryRule {
    /// Whether an entry is tied to its item by one id and nothing else.
    pub(crate) fn joins_by_one_id(&self) -> bool {
        self.join == [Join::Id] && !self.fans_out && self.id_parts.is_empty() && self.is_simple()
    }

    /// Whether the id is the whole identity, and entries are no groups.
    pub(crate) fn is_simple(&self) -> bool {
        self.parent.is_empty() && self.version.is_empty() && self.port.is_empty() && self.nested.is_none()
    }
}

/// Where entries stand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Each {
    /// The way to the list; for `/a/*`, to what holds the entries (or lists of them).
    pub(crate) way: Pointer,
    /// Whether it was written with a `*` at its end.
    pub(crate) every: bool,
}

/// How the nodes at `each` hold entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    #[default]
    List,
    Map,
    MapOfLists,
    One,
}

/// How an entry is tied to an asked item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Join {
    Id,
    Key,
    Position,
    Index,
    Range,
    Suffix,
    Echo,
    ContentId,
    /// By the place of its group, and within it.
    Group,
}

/// How a verdict is read.
#[derive(Debug)]
pub(crate) enum OutcomeRule {
    Always(Word),
    By {
        places: Vec<Place>,
        words: Vec<(Words, Word)>,
        http: bool,
        http_202: Word,
        /// Instead of `done`, for an entry with a task.
        with_task: Option<Word>,
        missing: Word,
        otherwise: Word,
    },
}

impl OutcomeRule {
    /// The places that decide.
    pub(crate) fn places(&self) -> &[Place] {
        match self {
            Self::Always(_) => &[],
            Self::By { places, .. } => places,
        }
    }

    /// Whether it can say that something failed.
    pub(crate) fn can_fail(&self) -> bool {
        let fails = |word: &Word| matches!(word, Word::Is(Outcome::Failed | Outcome::NotAttempted));
        match self {
            Self::Always(word) => fails(word),
            Self::By { words, http, missing, otherwise, .. } => {
                *http || fails(missing) || fails(otherwise) || words.iter().any(|(_, word)| fails(word))
            }
        }
    }
}

/// One verdict for every asked item.
#[derive(Debug)]
pub(crate) struct WholeRule {
    pub(crate) number: usize,
    pub(crate) when: When,
    pub(crate) outcome: OutcomeRule,
    pub(crate) category: Option<Category>,
    pub(crate) evidence: Evidence,
    pub(crate) task: Vec<Place>,
}

/// Sub-jobs that are counted but not listed.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) count: Vec<Place>,
    pub(crate) running_by: Vec<Place>,
    pub(crate) running: Words,
}
