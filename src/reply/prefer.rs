//! What the caller prefers (RFC 7240): our preferences are honoured and consumed, a vendor's own go on.

use http::{HeaderMap, HeaderValue, header::HeaderName};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Our preferences in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    /// `handling=strict`: no inference, no repair.
    pub strict: bool,
    /// `return=minimal`: results hold only what did not succeed.
    pub minimal: bool,
    /// One of ours stands there, be it the default.
    said: bool,
}

impl Prefer {
    /// Reads our preferences and takes them out; a header without any is not touched.
    pub fn take(headers: &mut HeaderMap) -> Self {
        let prefer = Self::peek(headers);
        if prefer.said {
            let others = |value: &HeaderValue| {
                let Ok(text) = value.to_str() else { return Some(value.clone()) };
                let kept: Vec<&str> = preferences(text).filter(|text| !Self::default().read(text)).collect();
                HeaderValue::from_str(&kept.join(", ")).ok().filter(|value| !value.is_empty())
            };
            let kept: Vec<HeaderValue> = headers.get_all(PREFER).iter().filter_map(others).collect();
            headers.remove(PREFER);
            for value in kept {
                headers.append(PREFER, value);
            }
        }
        prefer
    }

    /// Reads our preferences.
    pub fn peek(headers: &HeaderMap) -> Self {
        let mut prefer = Self::default();
        for text in headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok()) {
            for preference in preferences(text) {
                prefer.said |= prefer.read(preference);
            }
        }
        prefer
    }

    fn read(&mut self, preference: &str) -> bool {
        let token: String =
            preference.split(';').next().unwrap_or("").replace([' ', '"'], "").to_ascii_lowercase();
        match token.as_str() {
            "handling=strict" => self.strict = true,
            "return=minimal" => self.minimal = true,
            // The defaults, said aloud.
            "handling=lenient" | "return=representation" => {}
            _ => return false,
        }
        true
    }

    /// `Preference-Applied`, if anything was honoured.
    pub fn applied(self) -> Option<HeaderValue> {
        match (self.strict, self.minimal) {
            (true, true) => Some(HeaderValue::from_static("handling=strict, return=minimal")),
            (true, false) => Some(HeaderValue::from_static("handling=strict")),
            (false, true) => Some(HeaderValue::from_static("return=minimal")),
            (false, false) => None,
        }
    }
}

/// The preferences of a line. A comma within quotes separates nothing.
fn preferences(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let between = move |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    line.split(between).map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_taken_and_the_vendors_stay() {
        let left = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            lines.iter().for_each(|line| {
                headers.append(PREFER, HeaderValue::from_static(line));
            });
            let prefer = Prefer::take(&mut headers);
            let left: Vec<_> =
                headers.get_all(PREFER).iter().map(|v| v.to_str().expect("text").to_owned()).collect();
            (prefer.strict, prefer.minimal, left)
        };
        let annotations = "odata.include-annotations=\"display.*,-foo\"";
        assert_eq!(
            left(&["handling=strict, odata.continue-on-error", "return=minimal"]),
            (true, true, vec!["odata.continue-on-error".to_owned()])
        );
        assert_eq!(
            left(&[annotations, "a,b"]),
            (false, false, vec![annotations.to_owned(), "a,b".to_owned()])
        );
        assert_eq!(left(&["return=minimal", annotations]), (false, true, vec![annotations.to_owned()]));
        assert_eq!(left(&["handling=lenient"]), (false, false, vec![]), "the default is ours, too");
    }
}
