//! A string of an envelope: eight bytes that point to where it stands already.
//!
//! A batch of a hundred thousand resources must not cost a string each. A [`Text`] is a span of one of three sources: the
//! vendor's reply, the asked ids, or what the gateway made itself. A vendor's JSON string is already a valid JSON string,
//! so it is copied in its escaped form into the envelope.

use std::borrow::Cow;
use std::num::NonZeroU32;

use super::Hidden;
use super::hidden::MASK;
use crate::json_text::unescape;

/// A span of a source. Read it through [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    start: u32,
    /// Length, source, whether it is in JSON's escaped form, and a one that makes `Option<Text>` no larger.
    tail: NonZeroU32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Reply = 0,
    Asked = 1,
    Made = 2,
    /// Asked ids and keys that are their own JSON spelling.
    AskedPlain = 3,
}

/// Longest text that can be pointed to; a longer one is cut.
const LONGEST: usize = (1 << 28) - 1;

impl Text {
    fn new(source: Source, start: usize, len: usize, escaped: bool) -> Self {
        let len = len.min(LONGEST) as u32;
        let tail = (len << 4) | ((source as u32) << 2) | (u32::from(escaped) << 1) | 1;
        Self { start: start as u32, tail: NonZeroU32::new(tail).unwrap_or(NonZeroU32::MIN) }
    }

    /// A span of the asked ids and keys; `plain` where nothing in it needs an escape.
    pub(crate) fn asked(start: u32, len: u32, plain: bool) -> Self {
        let source = if plain { Source::AskedPlain } else { Source::Asked };
        Self::new(source, start as usize, len as usize, false)
    }

    fn span(self) -> (usize, usize) {
        (self.start as usize, (self.tail.get() >> 4) as usize)
    }

    /// Whether it can stand between quotes as it is: in escaped form, or a span of a document's text that has no escapes.
    pub fn is_json(self) -> bool {
        let source = (self.tail.get() >> 2) & 3;
        self.is_escaped() || source == Source::Reply as u32 || source == Source::AskedPlain as u32
    }

    /// Whether it is in the escaped form of a JSON string.
    pub fn is_escaped(self) -> bool {
        self.tail.get() & 2 != 0
    }
}

/// Where an envelope's texts stand.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'s> {
    /// The reply's document text; empty when there is none.
    pub reply: &'s str,
    /// The asked ids and keys.
    pub asked: &'s str,
    /// What the gateway made: header values, joined ids.
    pub made: &'s str,
    /// What of the reply is never shown.
    pub hidden: &'s Hidden,
}

impl<'s> Sources<'s> {
    /// The span as it stands, escaped or not.
    #[inline]
    pub fn raw(&self, text: Text) -> &'s str {
        let (start, len) = text.span();
        let source = match (text.tail.get() >> 2) & 3 {
            0 if !self.hidden.is_empty() && self.hidden.covers(start, start + len) => return MASK,
            0 => self.reply,
            2 => self.made,
            _ => self.asked,
        };
        source.get(start..start + len).unwrap_or("")
    }

    /// A fragment of the reply's JSON, without what is never shown.
    pub fn fragment(&self, data: Text) -> Cow<'s, str> {
        let (start, len) = data.span();
        self.hidden.out_of(self.reply.get(start..start + len).unwrap_or(""), start)
    }

    /// The text itself.
    pub fn decode(&self, text: Text) -> Cow<'s, str> {
        let raw = self.raw(text);
        if text.is_escaped() { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) }
    }
}

/// Turns strings into [`Text`]s while an envelope is made.
#[derive(Debug, Default)]
pub struct Texts<'s> {
    reply: &'s str,
    asked: &'s str,
    made: String,
}

impl<'s> Texts<'s> {
    pub fn new(reply: &'s str, asked: &'s str) -> Self {
        Self { reply, asked, made: String::new() }
    }

    /// Points to a string where it stands, or keeps a copy.
    pub fn refer(&mut self, text: &str, escaped: bool) -> Text {
        if let Some(start) = offset(self.reply, text) {
            return Text::new(Source::Reply, start, text.len(), escaped);
        }
        if let Some(start) = offset(self.asked, text) {
            return Text::new(Source::Asked, start, text.len(), escaped);
        }
        let start = self.made.len();
        self.made.push_str(text);
        Text::new(Source::Made, start, text.len(), escaped)
    }

    /// What was made here.
    pub fn into_made(self) -> String {
        self.made
    }

    /// The sources as they are now.
    pub fn sources(&self) -> Sources<'_> {
        static NOTHING: Hidden = Hidden::nothing();
        Sources { reply: self.reply, asked: self.asked, made: &self.made, hidden: &NOTHING }
    }
}

/// Where `part` lies in `whole`, if it is a slice of it.
fn offset(whole: &str, part: &str) -> Option<usize> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (start + part.len() <= whole.len() && !part.is_empty()).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_point_where_strings_stand() {
        let reply = String::from(r#"{"a":"x\n"}"#);
        let asked = String::from("i-1i-2");
        let mut texts = Texts::new(&reply, &asked);
        let (a, b) = (texts.refer(&reply[6..9], true), texts.refer(&asked[3..6], false));
        let c = texts.refer("made here", false);
        let sources = texts.sources();
        assert_eq!((sources.decode(a).as_ref(), sources.raw(b), sources.raw(c)), ("x\n", "i-2", "made here"));
        assert_eq!(size_of::<Option<Text>>(), 8);
    }
}
