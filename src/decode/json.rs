//! Strict JSON (RFC 8259) → tape. One pass, no recursion, no copy.
//!
//! Format: a node for every value and every key, containers before their content; see [`Node`]. The text is
//! already known to be UTF-8, so only structure, escapes and number spelling are left to check.

use super::document::{Kind, LONGEST_TEXT, MOST_NODES, Node};
use super::{Bounds, DecodeError, Wire};
use crate::json_text::plain_run;

/// Reads one JSON text.
///
/// # Errors
/// `Syntax` with the byte offset, `Truncated` when the text ends inside a value, `TooDeep`, `TooMany`, `TooLong`.
pub(super) fn parse(text: &str, bounds: Bounds) -> Result<Vec<Node>, DecodeError> {
    if text.len() > LONGEST_TEXT {
        return Err(DecodeError::TooLong);
    }
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
        nodes: Vec::with_capacity(expected_nodes(text).clamp(8, bounds.nodes.max(8))),
        open: Vec::with_capacity(16),
        bounds: Bounds { nodes: bounds.nodes.min(MOST_NODES), ..bounds },
    };
    reader.document()?;
    Ok(reader.nodes)
}

/// How much of a text tells how dense the rest is.
const SAMPLE: usize = 4 << 10;

/// About how many nodes a text has. Growing the tape would copy, and for a while hold, as much again; entries of one batch
/// are alike, so its beginning tells.
fn expected_nodes(text: &str) -> usize {
    let bytes = text.as_bytes();
    if bytes.len() < 32 * SAMPLE {
        return bytes.len() / 12;
    }
    // A value after each comma and at the head of each container, a key before each colon.
    let marks = bytes[..SAMPLE].iter().filter(|b| matches!(b, b',' | b':' | b'{' | b'[')).count();
    let per_sample = marks + marks / 16;
    (bytes.len() / SAMPLE + 1).saturating_mul(per_sample).min(bytes.len() / 2)
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    /// Containers not yet closed, as node indexes.
    open: Vec<u32>,
    bounds: Bounds,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), DecodeError> {
        self.space();
        loop {
            // A value is due here; containers leave us in front of their first value, or closed.
            let complete = self.value()?;
            if complete && !self.after_value()? {
                break;
            }
        }
        self.space();
        if self.at < self.bytes.len() { Err(self.syntax("text after the value")) } else { Ok(()) }
    }

    /// Reads a scalar or opens a container. True when the value is complete.
    #[inline]
    fn value(&mut self) -> Result<bool, DecodeError> {
        let Some(&first) = self.bytes.get(self.at) else { return Err(self.truncated()) };
        match first {
            b'"' => self.string(false)?,
            b'{' => return self.open(Kind::Object),
            b'[' => return self.open(Kind::Array),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word(b"true", Kind::Bool)?,
            b'f' => self.word(b"false", Kind::Bool)?,
            b'n' => self.word(b"null", Kind::Null)?,
            _ => return Err(self.syntax("a value is due")),
        }
        Ok(true)
    }

    /// Opens a container and reads up to its first value. True when it is empty and therefore complete.
    fn open(&mut self, kind: Kind) -> Result<bool, DecodeError> {
        if self.open.len() >= self.bounds.depth {
            return Err(DecodeError::TooDeep { depth: self.bounds.depth });
        }
        let index = self.nodes.len() as u32;
        self.push(kind, false, self.at, self.at)?;
        self.open.push(index);
        self.at += 1;
        self.space();
        let close = if kind == Kind::Object { b'}' } else { b']' };
        match self.bytes.get(self.at) {
            None => Err(self.truncated()),
            Some(&b) if b == close => {
                self.close();
                Ok(true)
            }
            Some(_) if kind == Kind::Object => self.key().map(|()| false),
            Some(_) => Ok(false),
        }
    }

    /// Goes on after a complete value: closes containers, steps over a comma and key. False at the end.
    #[inline]
    fn after_value(&mut self) -> Result<bool, DecodeError> {
        while let Some(&container) = self.open.last() {
            let in_object = self.nodes[container as usize].kind() == Kind::Object;
            self.space();
            match self.bytes.get(self.at) {
                None => return Err(self.truncated()),
                Some(b',') => {
                    self.at += 1;
                    self.space();
                    if in_object {
                        self.key()?;
                    }
                    return Ok(true);
                }
                Some(b'}') if in_object => self.close(),
                Some(b']') if !in_object => self.close(),
                Some(_) => return Err(self.syntax("`,` or the end of the container is due")),
            }
        }
        Ok(false)
    }

    fn close(&mut self) {
        self.at += 1;
        let next = self.nodes.len();
        if let Some(container) = self.open.pop() {
            self.nodes[container as usize].close(self.at, next);
        }
    }

    #[inline]
    fn key(&mut self) -> Result<(), DecodeError> {
        match self.bytes.get(self.at) {
            Some(b'"') => self.string(true)?,
            None => return Err(self.truncated()),
            Some(_) => return Err(self.syntax("a member's name is due")),
        }
        self.space();
        match self.bytes.get(self.at) {
            Some(b':') => self.at += 1,
            None => return Err(self.truncated()),
            Some(_) => return Err(self.syntax("`:` is due")),
        }
        self.space();
        Ok(())
    }

    #[inline(always)]
    fn string(&mut self, key: bool) -> Result<(), DecodeError> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = plain_run(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                None => {
                    self.at = at;
                    return Err(self.truncated());
                }
                Some(_) => {
                    self.at = at;
                    return Err(self.syntax("a raw control character in a string"));
                }
            }
        }
        self.at = at + 1;
        let next = self.room()?;
        let node = if key {
            Node::key(escaped, start, at, next)
        } else {
            Node::new(Kind::String, escaped, start, at, next)
        };
        self.nodes.push(node);
        Ok(())
    }

    /// The position after the escape at `at`.
    fn escape(&mut self, at: usize) -> Result<usize, DecodeError> {
        self.at = at;
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match self.bytes.get(at + 2..at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
                Some(_) => Err(self.syntax("`\\u` without four hex digits")),
                None => Err(self.truncated()),
            },
            Some(_) => Err(self.syntax("an unknown escape")),
            None => Err(self.truncated()),
        }
    }

    #[inline]
    fn number(&mut self) -> Result<(), DecodeError> {
        let start = self.at;
        let mut at = self.at + usize::from(self.bytes[self.at] == b'-');
        match self.bytes.get(at) {
            Some(b'0') => at += 1,
            Some(b'1'..=b'9') => at = self.digits(at),
            None => return Err(self.truncated()),
            Some(_) => return Err(self.syntax("a digit is due")),
        }
        if self.bytes.get(at) == Some(&b'.') {
            at = self.some_digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(at) {
            at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(at) {
                at += 1;
            }
            at = self.some_digits(at)?;
        }
        self.at = at;
        self.push(Kind::Number, false, start, at)
    }

    fn digits(&self, mut at: usize) -> usize {
        while self.bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    }

    fn some_digits(&mut self, from: usize) -> Result<usize, DecodeError> {
        let at = self.digits(from);
        if at > from {
            return Ok(at);
        }
        self.at = from;
        if from >= self.bytes.len() { Err(self.truncated()) } else { Err(self.syntax("a digit is due")) }
    }

    fn word(&mut self, word: &'static [u8], kind: Kind) -> Result<(), DecodeError> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            return self.push(kind, false, self.at - word.len(), self.at);
        }
        if word.starts_with(rest) { Err(self.truncated()) } else { Err(self.syntax("a value is due")) }
    }

    #[inline]
    fn push(&mut self, kind: Kind, escaped: bool, start: usize, end: usize) -> Result<(), DecodeError> {
        let next = self.room()?;
        self.nodes.push(Node::new(kind, escaped, start, end, next));
        Ok(())
    }

    /// The number of the node after the next.
    #[inline]
    fn room(&self) -> Result<usize, DecodeError> {
        if self.nodes.len() >= self.bounds.nodes {
            return Err(DecodeError::TooMany { nodes: self.bounds.nodes });
        }
        Ok(self.nodes.len() + 1)
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    #[cold]
    fn syntax(&self, what: &'static str) -> DecodeError {
        DecodeError::Syntax { wire: Wire::Json, offset: self.at, what }
    }

    #[cold]
    fn truncated(&self) -> DecodeError {
        DecodeError::Truncated { offset: self.bytes.len() }
    }
}
