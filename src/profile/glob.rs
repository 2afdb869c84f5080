//! `*` patterns over short texts, without regard to case.

/// A text with `*` for any text.
#[derive(Clone, Debug)]
pub(super) struct Glob {
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
