//! Bytes → UTF-8. JSON and XML are UTF-8 nearly always; what is not says so in its media type, or is broken.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

/// The body as text, and whether bytes had to be replaced by U+FFFD.
///
/// Valid UTF-8 is taken as it is whatever the media type claims: other charsets are practically never valid
/// UTF-8 by chance. Otherwise a byte order mark or the media type's `charset` decides.
pub fn to_utf8<'a>(body: &'a [u8], media_type: &str) -> (Cow<'a, str>, bool) {
    if let Ok(text) = std::str::from_utf8(body) {
        return (Cow::Borrowed(text), false);
    }
    let encoding =
        Encoding::for_bom(body).map(|(found, _)| found).or_else(|| named(media_type)).unwrap_or(UTF_8);
    let (text, _, replaced) = encoding.decode(body);
    (text, replaced)
}

fn named(media_type: &str) -> Option<&'static Encoding> {
    let label = parameter(media_type, "charset")?;
    Encoding::for_label(label.as_bytes())
}

/// A parameter of a media type, unquoted.
pub(super) fn parameter<'m>(media_type: &'m str, name: &str) -> Option<&'m str> {
    let mut rest = media_type;
    while let Some(at) = rest.find(';') {
        rest = rest[at + 1..].trim_start();
        let (key, value) = rest.split_once('=')?;
        let quoted = value.strip_prefix('"').and_then(|v| v.split_once('"')).map(|(inner, _)| inner);
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(quoted.unwrap_or_else(|| value.split(';').next().unwrap_or(value).trim()));
        }
        if let Some(inner) = quoted {
            rest = &value[inner.len() + 2..];
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_labelled_charset_is_read_and_an_unknown_byte_replaced() {
        let gbk = [0x7b, 0x22, 0xd6, 0xd0, 0x22, 0x7d]; // {"中"}
        assert_eq!(to_utf8(&gbk, "application/json; charset=GBK"), ("{\"中\"}".into(), false));
        assert_eq!(to_utf8(b"a\xff", "application/json"), ("a\u{fffd}".into(), true));
    }

    #[test]
    fn parameters_are_found_quoted_or_not() {
        let media_type = "multipart/mixed; x=\"a;b\"; boundary=\"==7==\"; charset=utf-8";
        assert_eq!(parameter(media_type, "boundary"), Some("==7=="));
        assert_eq!(parameter(media_type, "charset"), Some("utf-8"));
        assert_eq!(parameter(media_type, "x"), Some("a;b"));
    }
}
