//! `multipart/mixed` of HTTP messages as a tree (Azure, Google, OData batches), nested as deep as it comes.
//!
//! Format: `{"parts":[{"headers":{…},"method","target","path","status","reason","body":…}]}`. Lenient where real
//! servers are: the blank line between MIME headers and the embedded start line may be missing, line ends may be
//! bare LF, boundaries may be quoted and hold `=`, a request line may lack its version, a reason phrase may be a
//! sentence, the closing delimiter may be missing a dash or be absent only if a part was closed by a delimiter.
//! Both MIME headers and embedded HTTP headers land in `headers`, lower case, the MIME one first.

use super::charset::parameter;
use super::tape::Room;
use super::{Bounds, DecodeError, Wire, json, sniff, xml};
use crate::json_text::{number, string};

/// Most parts read; more is a bomb.
const MOST_PARTS: usize = 100_000;
const MOST_NESTING: usize = 4;
/// Most headers of a part, those of the message in it included; servers take about a hundred of a whole request.
const MOST_HEADERS: usize = 200;

/// The body as JSON.
///
/// # Errors
/// `TooMany` and `TooDeep`; `Syntax` without a boundary, when the closing delimiter is missing, and for a part that is none.
pub(super) fn to_json(body: &[u8], media_type: &str, bounds: Bounds) -> Result<String, DecodeError> {
    let mut reader = Reader { out: Vec::with_capacity(body.len()), bounds, room: Room::of(bounds) };
    reader.multipart(body, media_type, 0)?;
    String::from_utf8(reader.out).map_err(|_| broken("no text"))
}

fn broken(what: &'static str) -> DecodeError {
    DecodeError::Syntax { wire: Wire::Multipart, offset: 0, what }
}

/// The first line, when it looks like a delimiter.
fn guess_boundary(body: &[u8]) -> Option<String> {
    let line = body.split(|&b| b == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    let boundary = line.trim_ascii().strip_prefix(b"--")?;
    std::str::from_utf8(boundary).ok().map(str::to_owned)
}

/// What is written, and how much more may be.
struct Reader {
    out: Vec<u8>,
    bounds: Bounds,
    room: Room,
}

impl Reader {
    fn multipart(&mut self, body: &[u8], media_type: &str, depth: usize) -> Result<(), DecodeError> {
        if depth > MOST_NESTING {
            return Err(DecodeError::TooDeep { depth: MOST_NESTING });
        }
        let told = parameter(media_type, "boundary").map(str::to_owned);
        let boundary = told.or_else(|| guess_boundary(body)).filter(|boundary| !boundary.is_empty());
        let parts = split(body, &boundary.ok_or(broken("no boundary"))?)?;
        self.room.take(2)?;
        self.out.extend_from_slice(b"{\"parts\":[");
        for (n, part) in parts.into_iter().enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            self.part(part, depth)?;
        }
        self.out.extend_from_slice(b"]}");
        Ok(())
    }
}

/// The parts between delimiters. An error when the closing delimiter is missing: the body was cut.
fn split<'b>(body: &'b [u8], boundary: &str) -> Result<Vec<&'b [u8]>, DecodeError> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut start: Option<usize> = None;
    let mut at = 0;
    for line in body.split_inclusive(|&b| b == b'\n') {
        let text = line.trim_ascii_end();
        if let Some(rest) = text.strip_prefix(delimiter.as_bytes()).filter(|r| r.is_empty() || *r == b"--") {
            if let Some(from) = start {
                parts.push(without_line_end(&body[from..at]));
            }
            if rest == b"--" {
                return Ok(parts);
            }
            if parts.len() > MOST_PARTS {
                return Err(DecodeError::TooMany { nodes: MOST_PARTS });
            }
            start = Some(at + line.len());
        }
        at += line.len();
    }
    Err(broken("no boundary"))
}

fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

impl Reader {
    fn part(&mut self, part: &[u8], depth: usize) -> Result<(), DecodeError> {
        let Head { start_line, headers, rest } = Head::of(part)?;
        self.room.take(7 + 2 * headers.len())?;
        self.out.extend_from_slice(b"{\"headers\":{");
        for (n, (name, value)) in headers.iter().enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            string(&mut self.out, name);
            self.out.push(b':');
            string(&mut self.out, value);
        }
        self.out.push(b'}');
        if let Some(line) = start_line {
            write_start_line(&mut self.out, line);
        }
        self.out.extend_from_slice(b",\"body\":");
        // The embedded message's own media type comes last and is the body's.
        let media_type =
            headers.iter().rev().find(|(name, _)| name == "content-type").map_or("", |(_, v)| *v);
        self.body(rest.trim_ascii(), media_type, depth)?;
        self.out.push(b'}');
        Ok(())
    }

    fn body(&mut self, body: &[u8], media_type: &str, depth: usize) -> Result<(), DecodeError> {
        let wire = sniff(body, media_type);
        if wire == Some(Wire::Multipart) {
            return self.multipart(body, media_type, depth + 1);
        }
        let text = String::from_utf8_lossy(body);
        match wire {
            Some(Wire::Json) if json::parse(&text, self.bounds).is_ok() => {
                self.out.extend_from_slice(text.as_bytes());
            }
            Some(Wire::Xml) => match xml::to_json(&text, self.bounds).map(|(content, _)| content) {
                Ok(inner) => self.out.extend_from_slice(inner.as_bytes()),
                Err(cause @ (DecodeError::TooDeep { .. } | DecodeError::TooMany { .. })) => {
                    return Err(cause);
                }
                Err(_) => string(&mut self.out, &text),
            },
            _ => string(&mut self.out, &text),
        }
        Ok(())
    }
}

/// What stands in front of a part's body.
struct Head<'p> {
    start_line: Option<&'p str>,
    headers: Vec<(String, &'p str)>,
    rest: &'p [u8],
}

impl<'p> Head<'p> {
    /// MIME headers, then (after blank lines or not) a start line and its own headers.
    fn of(part: &'p [u8]) -> Result<Self, DecodeError> {
        let mut head = Self { start_line: None, headers: Vec::new(), rest: part };
        // Told by the first media type, once: it is asked at each blank line.
        let mut is_http = None;
        while let Some((line, after)) = next_line(head.rest) {
            if line.is_empty() {
                head.rest = after;
                if head.start_line.is_some() || is_http != Some(true) {
                    break;
                }
                continue;
            }
            if head.start_line.is_none() && is_start_line(line) {
                head.start_line = Some(line);
            } else if let Some((name, value)) = line.split_once(':') {
                if head.headers.len() >= MOST_HEADERS {
                    return Err(DecodeError::TooMany { nodes: MOST_HEADERS });
                }
                let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
                if name == "content-type" && is_http.is_none() {
                    let kind = value.get(.."application/http".len());
                    is_http = Some(kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/http")));
                }
                head.headers.push((name, value));
            } else {
                break;
            }
            head.rest = after;
        }
        Ok(head)
    }
}

/// One header or start line, and what follows; nothing when it is not UTF-8 or the part is over.
fn next_line(rest: &[u8]) -> Option<(&str, &[u8])> {
    if rest.is_empty() {
        return None;
    }
    let end = rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |at| at + 1);
    let line = std::str::from_utf8(&rest[..end]).ok()?;
    Some((line.trim_end_matches(['\r', '\n']), &rest[end..]))
}

/// `HTTP/1.1 404 Not Found`, `DELETE /x HTTP/1.1`, or `DELETE /x`.
fn is_start_line(line: &str) -> bool {
    if line.starts_with("HTTP/") {
        return true;
    }
    let Some((method, target)) = line.split_once(' ') else { return false };
    !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()) && !target.trim().is_empty()
}

fn write_start_line(out: &mut Vec<u8>, line: &str) {
    if line.starts_with("HTTP/") {
        let mut words = line.splitn(3, ' ').skip(1);
        let status: u64 = words.next().and_then(|w| w.parse().ok()).unwrap_or(0);
        out.extend_from_slice(b",\"status\":");
        number(out, status);
        out.extend_from_slice(b",\"reason\":");
        string(out, words.next().unwrap_or("").trim());
        return;
    }
    let (method, target) = line.split_once(' ').unwrap_or((line, ""));
    let target = target.trim();
    let target = target
        .rsplit_once(' ')
        .filter(|(_, version)| version.starts_with("HTTP/"))
        .map_or(target, |(t, _)| t);
    out.extend_from_slice(b",\"method\":");
    string(out, method);
    out.extend_from_slice(b",\"target\":");
    string(out, target);
    out.extend_from_slice(b",\"path\":");
    string(out, path_of(target));
}

/// A URL or request target without scheme, host, query and fragment, undecoded.
pub fn path_of(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    path.split(['?', '#']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, json: &str) {
        let body = body.replace('\n', "\r\n");
        assert_eq!(
            to_json(body.as_bytes(), "multipart/mixed; boundary=\"b=1\"", Bounds::default()).as_deref(),
            Ok(json)
        );
    }

    #[test]
    fn parts_with_and_without_the_blank_line_read_alike() {
        let json = r#"{"parts":[{"headers":{"content-type":"application/http","content-type":"application/json"},"status":404,"reason":"Not here. Really.","body":{"a":1}}]}"#;
        check(
            "--b=1\nContent-Type: application/http\n\nHTTP/1.1 404 Not here. Really.\nContent-Type: application/json\n\n{\"a\":1}\n--b=1--\n",
            json,
        );
        check(
            "--b=1\nContent-Type: application/http\nHTTP/1.1 404 Not here. Really.\nContent-Type: application/json\n\n{\"a\":1}\n\n--b=1--\n",
            json,
        );
    }

    #[test]
    fn request_lines_lose_host_and_query() {
        check(
            "--b=1\nContent-Type: application/http\nContent-ID: 0\n\nDELETE http://h:1/a/b%20c?x=1 HTTP/1.1\n\n\n--b=1--",
            r#"{"parts":[{"headers":{"content-type":"application/http","content-id":"0"},"method":"DELETE","target":"http://h:1/a/b%20c?x=1","path":"/a/b%20c","body":""}]}"#,
        );
    }

    #[test]
    fn a_cut_body_is_not_read() {
        let cut = to_json(b"--b\r\nA: b\r\n\r\nx", "multipart/mixed; boundary=b", Bounds::default());
        assert_eq!(cut, Err(broken("no boundary")));
    }
}
