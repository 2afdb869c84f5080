//! Strict JSON (RFC 8259) → tape. One pass, no recursion, no copy.
//!
//! Format: a node for every value and every key, containers before their content; see [`Node`]. The text is
//! already known to be UTF-8, so only structure, escapes and number spelling are left to check.
//!
//! The objects of a batch are mostly built alike: `twin` reads one by its elder sibling, as far as it goes.

use super::strict::Looks;
use super::tape::{Kind, LONGEST_TEXT, MOST_NODES, Node, Suspects, Tape};
use super::{Bounds, DecodeError, Wire};
use crate::json_text::{DEEPEST, is_double, lone_surrogate, plain_run};

/// Reads one JSON text.
///
/// # Errors
/// `Syntax` with the byte offset, `Truncated` when the text ends inside a value, `TooDeep`, `TooMany`, `TooLong`.
pub(super) fn parse(text: &str, bounds: Bounds) -> Result<Tape, DecodeError> {
    if text.len() > LONGEST_TEXT {
        return Err(DecodeError::TooLong);
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        nodes: Vec::with_capacity(expected_nodes(text).clamp(8, bounds.nodes.max(8))),
        open: Vec::with_capacity(16),
        suspects: Suspects::default(),
        bounds: Bounds { nodes: bounds.nodes.min(MOST_NODES), ..bounds },
    };
    reader.document()?;
    Ok(Tape { nodes: reader.nodes, suspects: reader.suspects })
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

pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    pub(super) nodes: Vec<Node>,
    /// Containers not yet closed.
    open: Vec<Open>,
    suspects: Suspects,
    pub(super) bounds: Bounds,
}

/// A container that is not yet closed.
#[derive(Clone, Copy)]
struct Open {
    node: u32,
    object: bool,
    /// The object in it that was read last without an elder's help; 0: none.
    elder: u32,
    looks: Looks,
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
        self.suspects.certain |= self.open.len() >= DEEPEST;
        let node = self.nodes.len() as u32;
        self.push(kind, false, self.at, self.at)?;
        self.at += 1;
        let object = kind == Kind::Object;
        let elder = self.open.last().map_or(0, |around| around.elder);
        if object && elder != 0 && self.twin(elder as usize, node as usize) {
            return Ok(true);
        }
        let mut own = Open { node, object, elder: 0, looks: Looks::default() };
        let read = self.nodes.len();
        if read > node as usize + 1 {
            self.suspect(&mut own, read);
        }
        self.open.push(own);
        self.space();
        match self.bytes.get(self.at) {
            None => Err(self.truncated()),
            Some(b'}') if object && read == node as usize + 1 => {
                self.close();
                Ok(true)
            }
            Some(b']') if !object => {
                self.close();
                Ok(true)
            }
            Some(_) if object => self.key().map(|()| false),
            Some(_) => Ok(false),
        }
    }

    /// Takes note of the keys that were read by an elder's.
    fn suspect(&mut self, own: &mut Open, read: usize) {
        let mut at = own.node as usize + 1;
        while at < read {
            if own.looks.add(self.nodes[at], self.bytes) {
                self.suspects.objects.push(own.node);
            }
            at = self.nodes[at + 1].next() as usize;
        }
    }

    /// Goes on after a complete value: closes containers, steps over a comma and key. False at the end.
    #[inline]
    fn after_value(&mut self) -> Result<bool, DecodeError> {
        while let Some(container) = self.open.last() {
            let in_object = container.object;
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
        let Some(closed) = self.open.pop() else { return };
        self.nodes[closed.node as usize].close(self.at, next);
        if let Some(around) = self.open.last_mut().filter(|_| closed.object) {
            around.elder = closed.node;
        }
    }

    #[inline]
    fn key(&mut self) -> Result<(), DecodeError> {
        match self.bytes.get(self.at) {
            Some(b'"') => self.string(true)?,
            None => return Err(self.truncated()),
            Some(_) => return Err(self.syntax("a member's name is due")),
        }
        if let (Some(own), Some(key)) = (self.open.last_mut(), self.nodes.last())
            && own.looks.add(*key, self.bytes)
        {
            self.suspects.objects.push(own.node);
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
        if escaped {
            self.suspects.certain |=
                self.text.get(start..at).is_some_and(|inside| lone_surrogate(inside).is_some());
        }
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
        let mut long = at - start > 300;
        if let Some(b'e' | b'E') = self.bytes.get(at) {
            long = true;
            at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(at) {
                at += 1;
            }
            at = self.some_digits(at)?;
        }
        self.at = at;
        if long {
            self.suspects.certain |= self.text.get(start..at).is_some_and(|number| !is_double(number));
        }
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
