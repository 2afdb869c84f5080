//! An object read by its elder sibling: the entries of a batch have the same keys in the same order, and what stands there is
//! compared instead of read. Names that were told apart once are told apart here.

use super::compare::same_bytes;
use super::json::Reader;
use super::tape::{Kind, Node};
use crate::json_text::plain_run;

impl Reader<'_> {
    /// Reads the object whose node is `own` and whose first byte behind the brace is next, as long as it is built like `elder`.
    /// True when it is whole; else the members that were read are whole, and the next one's key, or the brace, is due.
    pub(super) fn twin(&mut self, elder: usize, own: usize) -> bool {
        let Some(end) = self.nodes.get(elder).map(|elder| elder.next() as usize) else { return false };
        if self.nodes.len() + (end - elder) > self.bounds.nodes {
            return false;
        }
        let whole = self.members(elder + 1, end);
        if whole {
            let next = self.nodes.len();
            self.nodes[own].close(self.at, next);
        }
        whole
    }

    /// The members from the elder's node `from` on.
    fn members(&mut self, mut from: usize, end: usize) -> bool {
        let bytes = self.bytes;
        while from < end {
            let (key, value) = (self.nodes[from], self.nodes[from + 1]);
            let (start, stop) = (key.start as usize, key.end as usize);
            let (own, behind) = (self.at + 1, self.at + (stop - start) + 3);
            // With both quotes and the colon.
            let (here, there) = (bytes.get(self.at..behind), bytes.get(start - 1..stop + 2));
            if !here.zip(there).is_some_and(|(here, there)| same_bytes(here, there)) {
                return false;
            }
            let (before, member) = (self.nodes.len(), self.at);
            self.nodes.push(Node::key(key.escaped(), own, behind - 2, before + 1));
            let at = self.value_like(value.kind(), from + 1, behind);
            match at.and_then(|at| Some((at, bytes.get(at)?))) {
                Some((at, b',')) => self.at = at + 1,
                Some((at, b'}')) => {
                    self.at = at + 1;
                    return true;
                }
                // Otherwise built, or otherwise spelled: to be read like any other.
                _ => {
                    self.nodes.truncate(before);
                    self.at = member;
                    return false;
                }
            }
            from = value.next() as usize;
        }
        false
    }

    /// A value at `at` like the elder's, which has the node `elder`: the place behind it.
    #[inline]
    fn value_like(&mut self, kind: Kind, elder: usize, at: usize) -> Option<usize> {
        let node = self.nodes.len();
        let (start, end, behind) = match kind {
            Kind::String if self.bytes.get(at) == Some(&b'"') => {
                let end = plain_run(self.bytes, at + 1);
                if self.bytes.get(end) != Some(&b'"') {
                    return None;
                }
                (at + 1, end, end + 1)
            }
            Kind::Number => {
                let rest = self.bytes.get(at..)?;
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                // No number begins with a nought but nought itself, and the others are read elsewhere.
                if !(1..300).contains(&digits) || (digits > 1 && rest[0] == b'0') {
                    return None;
                }
                (at, at + digits, at + digits)
            }
            Kind::Bool | Kind::Null => {
                let rest = self.bytes.get(at..)?;
                let word = [&b"true"[..], b"false"].into_iter().find(|word| rest.starts_with(word));
                let word = if kind == Kind::Null { &b"null"[..] } else { word? };
                rest.starts_with(word).then_some((at, at + word.len(), at + word.len()))?
            }
            Kind::Object if self.bytes.get(at) == Some(&b'{') => {
                self.nodes.push(Node::new(Kind::Object, false, at, at, node + 1));
                self.at = at + 1;
                return self.twin(elder, node).then_some(self.at);
            }
            _ => return None,
        };
        self.nodes.push(Node::new(kind, false, start, end, node + 1));
        Some(behind)
    }
}
