//! Bytes → UTF-8. JSON and XML are UTF-8 nearly always; what is not says so in its media type, or is broken.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The body as text, and whether bytes had to be replaced by U+FFFD.
///
/// Valid UTF-8 is taken as it is whatever the media type claims: other charsets are practically never valid
/// UTF-8 by chance. Otherwise a byte order mark, the media type's `charset` or an XML declaration decides. UTF-16 of plain
/// letters is valid UTF-8 with a nought beside each, which no JSON, XML or form holds.
pub fn to_utf8<'a>(body: &'a [u8], media_type: &str) -> (Cow<'a, str>, bool) {
    let wide = body.get(..2).is_some_and(|start| start.contains(&0));
    if let Some(text) = std::str::from_utf8(body).ok().filter(|_| !wide) {
        return (Cow::Borrowed(text), false);
    }
    let by_noughts = || match body {
        [0, _, ..] => Some(UTF_16BE),
        [_, 0, ..] => Some(UTF_16LE),
        _ => None,
    };
    let encoding = Encoding::for_bom(body)
        .map(|(found, _)| found)
        .or_else(|| named(media_type))
        .or_else(by_noughts)
        .or_else(|| declared(body))
        .unwrap_or(UTF_8);
    let (text, _, replaced) = encoding.decode(body);
    (text, replaced)
}

/// The encoding that an XML declaration names (XML 1.0, 4.3.3).
fn declared(body: &[u8]) -> Option<&'static Encoding> {
    let declaration = body.strip_prefix(b"<?xml")?.split(|byte| *byte == b'>').next()?;
    let declaration = std::str::from_utf8(declaration).ok()?;
    let (_, rest) = declaration.split_once("encoding")?;
    let quoted = rest.trim_start().strip_prefix('=')?.trim_start();
    let label = quoted.split(['"', '\'']).nth(1)?;
    Encoding::for_label(label.as_bytes())
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
        for wide in [&b"{\0}\0"[..], b"\0{\0}", b"\xff\xfe{\0}\0"] {
            assert_eq!(to_utf8(wide, "application/json"), ("{}".into(), false));
        }
        let xml = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>";
        assert!(to_utf8(xml, "").0.ends_with("<a>\u{e9}</a>"));
    }

    #[test]
    fn parameters_are_found_quoted_or_not() {
        let media_type = "multipart/mixed; x=\"a;b\"; boundary=\"==7==\"; charset=utf-8";
        assert_eq!(parameter(media_type, "boundary"), Some("==7=="));
        assert_eq!(parameter(media_type, "charset"), Some("utf-8"));
        assert_eq!(parameter(media_type, "x"), Some("a;b"));
    }
}
