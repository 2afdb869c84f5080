//! The flat form of a tree: a node for every value and every key, in the order of the text, containers before their content.

use super::{Bounds, DecodeError};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null = 0,
    Bool = 1,
    Number = 2,
    String = 3,
    Array = 4,
    Object = 5,
}

/// One value or key on the tape, 12 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Span in the text: the inside of a string, else the whole value.
    pub(super) start: u32,
    pub(super) end: u32,
    /// Index of the node after this one's last descendant, above four bits of kind and "holds escapes".
    packed: u32,
}

/// The kind of an object's keys on the tape: strings, told apart from values.
const KEY: u32 = 6;

/// Most nodes a tape can hold.
pub(super) const MOST_NODES: usize = (1 << 28) - 1;

/// Longest text under a tape: positions in it have 32 bits, and a string of an envelope has 28 for its length.
pub(super) const LONGEST_TEXT: usize = (1 << 28) - 1;

impl Node {
    #[inline]
    pub(super) fn new(kind: Kind, escaped: bool, start: usize, end: usize, next: usize) -> Self {
        let packed = ((next as u32) << 4) | ((kind as u32) << 1) | u32::from(escaped);
        Self { start: start as u32, end: end as u32, packed }
    }

    /// An object's key.
    #[inline]
    pub(super) fn key(escaped: bool, start: usize, end: usize, next: usize) -> Self {
        let packed = ((next as u32) << 4) | (KEY << 1) | u32::from(escaped);
        Self { start: start as u32, end: end as u32, packed }
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        match (self.packed >> 1) & 7 {
            0 => Kind::Null,
            1 => Kind::Bool,
            2 => Kind::Number,
            4 => Kind::Array,
            5 => Kind::Object,
            _ => Kind::String,
        }
    }

    #[inline]
    pub(super) fn is_key(self) -> bool {
        (self.packed >> 1) & 7 == KEY
    }

    #[inline]
    pub(super) fn escaped(self) -> bool {
        self.packed & 1 != 0
    }

    #[inline]
    pub(super) fn next(self) -> u32 {
        self.packed >> 4
    }

    /// Whether it is of the same kind, escapes included, and as large, as one that stands so many nodes before it.
    #[inline]
    pub(super) fn is_like(self, other: Node, apart: u32) -> bool {
        self.packed == other.packed.wrapping_add(apart << 4)
    }

    /// Ends a container.
    #[inline]
    pub(super) fn close(&mut self, end: usize, next: usize) {
        *self = Self::new(self.kind(), false, self.start as usize, end, next);
    }
}

/// How many more nodes a document may have: asked by readers that write JSON text, before they write.
#[derive(Debug)]
pub(super) struct Room {
    left: usize,
    most: usize,
}

impl Room {
    pub(super) fn of(bounds: Bounds) -> Self {
        // The root is one.
        Self { left: bounds.nodes.saturating_sub(1), most: bounds.nodes }
    }

    /// # Errors
    /// [`DecodeError::TooMany`] where there is no room for so many more.
    pub(super) fn take(&mut self, nodes: usize) -> Result<(), DecodeError> {
        self.left = self.left.checked_sub(nodes).ok_or(DecodeError::TooMany { nodes: self.most })?;
        Ok(())
    }
}

/// A text's nodes, and what a strict reader might not take of it.
#[derive(Debug, Default)]
pub(super) struct Tape {
    pub(super) nodes: Vec<Node>,
    pub(super) suspects: Suspects,
}

/// What a strict reader might not take of a document.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// Half of a surrogate pair, a number beyond a double, or nesting deeper than readers go: that it does not take.
    pub(super) certain: bool,
    /// Objects that perhaps have a name twice.
    pub(super) objects: Vec<u32>,
}
