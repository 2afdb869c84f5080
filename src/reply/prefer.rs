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
}

impl Prefer {
    /// Reads our preferences and leaves the others in the headers.
    pub fn take(headers: &mut HeaderMap) -> Self {
        let mut prefer = Self::default();
        if !headers.contains_key(PREFER) {
            return prefer;
        }
        let mut others: Vec<String> = Vec::new();
        for value in headers.get_all(PREFER) {
            let Ok(text) = value.to_str() else { continue };
            for preference in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
                if !prefer.read(preference) {
                    others.push(preference.to_owned());
                }
            }
        }
        headers.remove(PREFER);
        if let Ok(value) = HeaderValue::from_str(&others.join(", "))
            && !others.is_empty()
        {
            headers.insert(PREFER, value);
        }
        prefer
    }

    /// The same without touching the headers.
    pub fn peek(headers: &HeaderMap) -> Self {
        Self::take(&mut headers.clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_taken_and_the_vendors_stay() {
        let mut headers = HeaderMap::new();
        headers.append(PREFER, HeaderValue::from_static("handling=strict, odata.continue-on-error"));
        headers.append(PREFER, HeaderValue::from_static("return=minimal"));
        let prefer = Prefer::take(&mut headers);
        assert_eq!(prefer, Prefer { strict: true, minimal: true });
        assert_eq!(headers[PREFER], "odata.continue-on-error");
    }
}
