//! What of a reply is never shown: the values that its profile declares secret.

use std::borrow::Cow;

/// Stands in for a value that is not shown.
pub(super) const MASK: &str = "***";

/// Spans of a reply's document text, in order, none within another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hidden(Vec<(usize, usize)>);

impl Hidden {
    pub(super) const fn nothing() -> Self {
        Self(Vec::new())
    }

    /// Values as from-to pairs, as they were found.
    pub fn new(mut spans: Vec<(usize, usize)>) -> Self {
        // The longer of two that begin together comes first, and what lies within it is dropped.
        spans.sort_unstable_by_key(|&(start, end)| (start, usize::MAX - end));
        let mut shown_from = 0;
        spans.retain(|&(start, end)| {
            let apart = start >= shown_from;
            shown_from = shown_from.max(end);
            apart
        });
        Self(spans)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what stands from `start` to `end` is part of something hidden.
    pub(super) fn covers(&self, start: usize, end: usize) -> bool {
        let at = self.0.partition_point(|span| span.1 <= start);
        self.0.get(at).is_some_and(|span| span.0 <= start && end <= span.1)
    }

    /// JSON that stands at `start` of the reply's text, with `"***"` for each value in it that is hidden.
    pub fn out_of<'t>(&self, json: &'t str, start: usize) -> Cow<'t, str> {
        let end = start + json.len();
        if self.covers(start, end) {
            return Cow::Borrowed("\"***\"");
        }
        let from = self.0.partition_point(|span| span.0 < start);
        let within = self.0[from..].iter().take_while(|span| span.1 <= end);
        let mut out = String::new();
        let mut shown_from = 0;
        for (hidden, shown) in within {
            out.push_str(&json[shown_from..hidden - start]);
            out.extend(["\"", MASK, "\""]);
            shown_from = shown - start;
        }
        if shown_from == 0 {
            return Cow::Borrowed(json);
        }
        out.push_str(&json[shown_from..]);
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_values_are_masked_wherever_a_fragment_begins() {
        let text = r#"[{"k":"one"},{"k":{"x":"two"}},{"k":3}]"#;
        let span = |part: &str| {
            let start = text.find(part).expect("a part");
            (start, start + part.len())
        };
        let hidden = Hidden::new(vec![span("3"), span("\"two\""), span("{\"x\":\"two\"}"), span("\"one\"")]);
        assert_eq!(hidden.out_of(text, 0), r#"[{"k":"***"},{"k":"***"},{"k":"***"}]"#);
        let (start, end) = span(r#"{"k":3}"#);
        assert_eq!(hidden.out_of(&text[start..end], start), r#"{"k":"***"}"#);
        let (start, end) = span("two");
        assert_eq!(
            (hidden.out_of(&text[start..end], start).as_ref(), hidden.covers(start, end)),
            ("\"***\"", true)
        );
        assert_eq!(hidden.out_of(&text[..5], 0), &text[..5]);
    }
}
