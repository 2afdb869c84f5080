//! How JSON spells text: escapes undone and made. Shared by what reads bodies and what writes envelopes.

/// Undoes JSON string escapes. The input must be the inside of a valid JSON string.
pub fn unescape(escaped: &str) -> String {
    let mut out = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (ch, used) = escape(&rest[at..]);
        out.push(ch);
        rest = &rest[at + used..];
    }
    out.push_str(rest);
    out
}

/// One escape at the head of `s`: its character and its length in bytes.
fn escape(s: &str) -> (char, usize) {
    let bytes = s.as_bytes();
    match bytes.get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => unicode(bytes),
        Some(&c) if c.is_ascii() => (char::from(c), 2),
        _ => ('\u{fffd}', 1),
    }
}

/// `\uXXXX`, or a surrogate pair of two.
fn unicode(bytes: &[u8]) -> (char, usize) {
    let Some(high) = hex4(bytes) else { return ('\u{fffd}', 2) };
    if let Some(ch) = char::from_u32(high) {
        return (ch, 6);
    }
    let low = bytes.get(6..).filter(|b| b.starts_with(b"\\u")).and_then(hex4);
    match low {
        Some(low) if (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low) => {
            let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            (char::from_u32(code).unwrap_or('\u{fffd}'), 12)
        }
        _ => ('\u{fffd}', 6),
    }
}

fn hex4(bytes: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(2..6)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

/// The inside of a JSON string, copied as it is spelled; a lone surrogate, which no strict reader takes, becomes U+FFFD.
pub fn escaped(out: &mut Vec<u8>, inside: &str) {
    let mut rest = inside;
    while let Some(at) = lone_surrogate(rest) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        out.extend_from_slice(b"\\ufffd");
        rest = &rest[at + 6..];
    }
    out.extend_from_slice(rest.as_bytes());
}

/// Where the first surrogate stands that is no half of a pair, in the inside of a JSON string.
pub fn lone_surrogate(inside: &str) -> Option<usize> {
    let bytes = inside.as_bytes();
    let mut at = 0;
    loop {
        at += inside.get(at..)?.find('\\')?;
        let half = if bytes.get(at + 1) == Some(&b'u') { hex4(&bytes[at..]) } else { None };
        at += match half {
            Some(0xD800..0xE000) if unicode(&bytes[at..]).1 == 12 => 12,
            Some(0xD800..0xE000) => return Some(at),
            Some(_) => 6,
            None => 2,
        };
    }
}

/// Deepest nesting of I-JSON that is spliced in. Common readers stop at 64 levels, and the envelope has three of its own.
pub const DEEPEST: usize = 60;

/// Whether a number's magnitude is a double's. Its precision is the reader's affair: 64-bit ids are everywhere.
#[inline]
pub fn is_double(number: &str) -> bool {
    let plain = number.len() < 300 && !number.bytes().any(|b| b | 0x20 == b'e');
    plain || number.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A plain string as a JSON string. Most hold nothing to escape and are copied whole.
pub fn string(out: &mut Vec<u8>, s: &str) {
    out.push(b'"');
    let bytes = s.as_bytes();
    let mut from = 0;
    loop {
        let at = plain_run(bytes, from);
        out.extend_from_slice(&bytes[from..at]);
        let Some(&b) = bytes.get(at) else { break };
        from = at + 1;
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(b >> 4)]);
                out.push(HEX[usize::from(b & 15)]);
            }
        }
    }
    out.push(b'"');
}

/// From `at`, the first byte that ends a plain run of string content: a quote, a backslash, a control
/// character, or the end of the text. Eight bytes at a time.
#[inline]
pub(crate) fn plain_run(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|c| <[u8; 8]>::try_from(c).ok()) {
        let word = u64::from_le_bytes(chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        // A byte is zero, or below 0x20, where the subtraction borrows into its high bit. Bytes after the first
        // hit may be marked falsely; only the first is used.
        let hits = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let hits = hits & HIGH;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&b| b >= 0x20 && b != b'"' && b != b'\\') {
        at += 1;
    }
    at
}

/// A number in decimal. Most are positions of a few digits.
pub fn number(out: &mut Vec<u8>, mut n: u64) {
    let digit = |n: u64| b'0' + (n % 10) as u8;
    match n {
        0..10 => return out.push(digit(n)),
        10..100 => return out.extend_from_slice(&[digit(n / 10), digit(n)]),
        100..1000 => return out.extend_from_slice(&[digit(n / 100), digit(n / 10), digit(n)]),
        _ => {}
    }
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_lone_surrogates_replaced() {
        assert_eq!(unescape(r"a\n\u4e2d\ud83d\ude00\ud83dz\/\"), "a\n中😀\u{fffd}z/\u{fffd}");
    }

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_stay() {
        for (inside, copied) in [
            (r"a\ud83d\ude00b\n", r"a\ud83d\ude00b\n"),
            (r"\ud83d", r"\ufffd"),
            (r"\ude00\ud83d", r"\ufffd\ufffd"),
            (r"\uD83Dx\uDE00", r"\ufffdx\ufffd"),
            (r"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
            (r"\\ud83d", r"\\ud83d"),
            (r"\\\ud83dé", r"\\\ufffdé"),
        ] {
            let mut out = Vec::new();
            escaped(&mut out, inside);
            assert_eq!(String::from_utf8(out).expect("text"), copied, "{inside}");
        }
    }

    #[test]
    fn a_string_written_is_the_string_read() {
        let hostile = "a\"b\\c\n\u{1}\u{7f}中";
        let mut out = Vec::new();
        string(&mut out, hostile);
        let back: String = serde_json::from_slice(&out).expect("valid JSON");
        assert_eq!(back, hostile);
    }
}
