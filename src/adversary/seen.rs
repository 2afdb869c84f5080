//! What an envelope says, as far as the adversary looks: the batch outcome, and each verdict that counts.

use serde_json::Value;

use crate::envelope::Outcome;
use crate::request::Request;

/// An envelope's verdicts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    /// The batch outcome's word.
    pub(super) outcome: String,
    pub(super) items: Vec<Item>,
}

/// One verdict that counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) index: Option<u64>,
    /// The request gave its id or key; else its name is the reply's own, and cannot be held against the reply.
    pub(super) is_asked: bool,
    pub(super) id: Option<String>,
    pub(super) key: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) evidence: String,
}

impl Seen {
    /// Reads an envelope; further statements about the same resource are left out.
    pub(super) fn of(json: &[u8], request: &Request) -> Option<Self> {
        let envelope: Value = serde_json::from_slice(json).ok()?;
        let asked = &request.asked;
        // A vendor's other name for what was asked, or a name made by the vendor, is not the request's.
        let is_asked = |result: &Value| {
            let at =
                (0..asked.len()).find(|item| Some(u64::from(asked.index(*item))) == result["index"].as_u64());
            let ends = |member: &str, name: Option<&str>| {
                name.is_some_and(|name| result[member].as_str().is_some_and(|own| own.ends_with(name)))
            };
            at.is_some_and(|item| ends("id", asked.id(item)) || ends("key", asked.key(item)))
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let has_key = |result: &Value| {
            let index = result["index"].as_u64();
            (0..asked.len())
                .any(|item| Some(u64::from(asked.index(item))) == index && asked.key(item).is_some())
        };
        let results = envelope["results"].as_array().into_iter().flatten();
        let items = results.filter(|result| result["occurrence"].is_null()).map(|result| {
            Some(Item {
                index: result["index"].as_u64(),
                is_asked: is_asked(result),
                id: text(&result["id"]),
                // A key that only the reply has is made by the vendor, as an id is.
                key: text(&result["key"]).filter(|_| has_key(result) || result["index"].is_null()),
                outcome: Outcome::parse(result["outcome"].as_str()?)?,
                evidence: text(&result["evidence"])?,
            })
        });
        Some(Self { outcome: text(&envelope["outcome"])?, items: items.collect::<Option<_>>()? })
    }

    pub(super) fn is_good(&self) -> bool {
        matches!(self.outcome.as_str(), "succeeded" | "accepted")
    }

    /// The same item's verdict in another envelope. Items without index and id cannot be told apart: nothing.
    pub(super) fn find(&self, item: &Item) -> Option<&Item> {
        match (item.index, &item.id) {
            (Some(_), _) => self.items.iter().find(|other| other.index == item.index),
            (None, Some(_)) => self.items.iter().find(|other| other.index.is_none() && other.id == item.id),
            (None, None) => None,
        }
    }
}

impl Item {
    pub(super) fn is_good(&self) -> bool {
        self.outcome.is_good()
    }

    /// Good by what an entry of the reply says of this very item.
    pub(super) fn is_reported(&self) -> bool {
        self.evidence == "reported"
    }

    /// Whether a text names it.
    pub(super) fn is_named(&self, text: &str) -> bool {
        !text.is_empty() && [&self.id, &self.key].into_iter().flatten().any(|name| name == text)
    }

    /// Its name and verdict for people.
    pub(super) fn line(&self) -> String {
        let name = self.id.as_ref().or(self.key.as_ref()).cloned();
        let name =
            name.unwrap_or_else(|| self.index.map_or("(no id)".to_owned(), |index| format!("#{index}")));
        format!("{name} {}/{}", self.outcome.as_str(), self.evidence)
    }
}
