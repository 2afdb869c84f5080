//! A string on its way into an envelope, kept in whatever spelling it arrived in.
//!
//! A vendor's JSON string is already a valid JSON string: copying its escaped form is cheaper than
//! unescaping and escaping again, and keeps the vendor's spelling. Nothing is allocated per resource.

use std::borrow::Cow;

use crate::json_text::unescape;

/// Text that is plain, or still in the escaped form of a JSON string (without its quotes).
#[derive(Clone, Debug)]
pub enum Text<'a> {
    Plain(&'a str),
    Escaped(&'a str),
    Owned(Box<str>),
}

impl<'a> Text<'a> {
    /// The text itself, unescaped. A lone surrogate becomes U+FFFD.
    pub fn decode(&self) -> Cow<'_, str> {
        match self {
            Text::Plain(s) => Cow::Borrowed(s),
            Text::Escaped(s) => Cow::Owned(unescape(s)),
            Text::Owned(s) => Cow::Borrowed(s),
        }
    }

    /// Whether there is nothing to read: empty or blank.
    pub fn is_blank(&self) -> bool {
        match self {
            Text::Plain(s) => s.trim().is_empty(),
            Text::Owned(s) => s.trim().is_empty(),
            Text::Escaped(s) => unescape(s).trim().is_empty(),
        }
    }

    /// The same text with nothing borrowed.
    pub fn into_owned<'b>(self) -> Text<'b> {
        Text::Owned(self.decode().into())
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.decode() == other.decode()
    }
}

impl From<String> for Text<'_> {
    fn from(s: String) -> Self {
        Text::Owned(s.into())
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(s: &'a str) -> Self {
        Text::Plain(s)
    }
}
