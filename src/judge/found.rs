//! A string a place led to: borrowed where it can be, in whatever spelling it stands in.

use std::borrow::Cow;

use crate::decode::Scalar;
use crate::envelope::{Text, Texts};

/// Found text.
#[derive(Clone, Debug)]
pub(crate) enum Found<'a> {
    Plain(&'a str),
    /// The inside of a JSON string, escapes and all.
    Escaped(Scalar<'a>),
    Made(String),
}

impl<'a> Found<'a> {
    /// The text itself.
    pub(crate) fn decode(&self) -> Cow<'_, str> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Escaped(scalar) => scalar.decode(),
            Self::Made(text) => Cow::Borrowed(text),
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.decode().trim().is_empty()
    }

    /// As a text of the envelope.
    pub(super) fn store(&self, texts: &mut Texts<'a>) -> Text {
        match self {
            Self::Plain(text) => texts.refer(text, false),
            Self::Escaped(scalar) => texts.refer(scalar.raw, true),
            Self::Made(text) => texts.refer(text, false),
        }
    }
}

impl<'a> From<Scalar<'a>> for Found<'a> {
    fn from(scalar: Scalar<'a>) -> Self {
        if scalar.escaped { Self::Escaped(scalar) } else { Self::Plain(scalar.raw) }
    }
}
