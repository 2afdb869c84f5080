//! `*` patterns over short texts, without regard to case, and what a condition compares a text with.

/// A text with `*` for any text.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    /// Lower-case literals between the stars.
    parts: Vec<String>,
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        Self { parts: pattern.to_lowercase().split('*').map(str::to_owned).collect() }
    }

    /// Whether a text, already in lower case, fits.
    pub(super) fn matches(&self, lower: &str) -> bool {
        let Some((first, rest)) = self.parts.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return lower == first };
        let Some(mut left) = lower.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            let Some(at) = left.find(part.as_str()) else { return false };
            left = &left[at + part.len()..];
        }
        left.ends_with(last.as_str())
    }
}

/// A condition's text: exact, or a `*` pattern.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Nothing,
    Glob(Glob),
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        if text.is_empty() { Self::Nothing } else { Self::Glob(Glob::new(text)) }
    }

    /// Whether it wants nothing to be there.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    pub(crate) fn fits(&self, text: Option<&str>) -> bool {
        match (self, text) {
            (Self::Nothing, found) => found.is_none_or(str::is_empty),
            (Self::Glob(glob), Some(found)) => glob.matches(&found.to_lowercase()),
            (Self::Glob(_), None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn stars_match_any_text_and_nothing_else_does() {
        let fits = |pattern: &str, text: &str| Glob::new(pattern).matches(&text.to_lowercase());
        assert!(fits("InvalidParameter*NotFound*", "InvalidParameterValue.DiskNotFound"));
        assert!(fits("*", "") && fits("a*a", "aXa") && fits("a", "A"));
        assert!(!fits("a*a", "a") && !fits("a", "ab") && !fits("*b*", "acd"));
    }
}
