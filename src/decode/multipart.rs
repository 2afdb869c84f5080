//! `multipart/mixed` of HTTP messages as a tree (Azure, Google, OData batches), nested as deep as it comes.
//!
//! Format: `{"parts":[{"headers":{…},"method","target","path","status","reason","body":…}]}`. Lenient where real
//! servers are: the blank line between MIME headers and the embedded start line may be missing, line ends may be
//! bare LF, boundaries may be quoted and hold `=`, a request line may lack its version, a reason phrase may be a
//! sentence, the closing delimiter may be missing a dash or be absent only if a part was closed by a delimiter.
//! Both MIME headers and embedded HTTP headers land in `headers`, lower case, the MIME one first.

use super::charset::parameter;
use super::{Bounds, DecodeError, Wire, json, sniff, xml};
use crate::json_text::{number, string};

/// Most parts read; more is a bomb.
const MOST_PARTS: usize = 100_000;
const MOST_NESTING: usize = 4;

/// The body as JSON; nothing without a boundary or when the closing delimiter is missing.
pub(super) fn to_json(body: &[u8], media_type: &str, bounds: Bounds) -> Option<String> {
    let mut out = Vec::with_capacity(body.len());
    let boundary = parameter(media_type, "boundary").map(str::to_owned).or_else(|| guess_boundary(body))?;
    multipart(&mut out, body, &boundary, bounds, 0)?;
    String::from_utf8(out).ok()
}

/// The first line, when it looks like a delimiter.
fn guess_boundary(body: &[u8]) -> Option<String> {
    let line = body.split(|&b| b == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    let boundary = line.trim_ascii().strip_prefix(b"--")?;
    std::str::from_utf8(boundary).ok().map(str::to_owned)
}

fn multipart(out: &mut Vec<u8>, body: &[u8], boundary: &str, bounds: Bounds, depth: usize) -> Option<()> {
    if depth > MOST_NESTING || boundary.is_empty() {
        return None;
    }
    out.extend_from_slice(b"{\"parts\":[");
    for (n, part) in split(body, boundary)?.into_iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write_part(out, part, bounds, depth)?;
    }
    out.extend_from_slice(b"]}");
    Some(())
}

/// The parts between delimiters. Nothing when the closing delimiter is missing: the body was cut.
fn split<'b>(body: &'b [u8], boundary: &str) -> Option<Vec<&'b [u8]>> {
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
                return Some(parts);
            }
            if parts.len() > MOST_PARTS {
                return None;
            }
            start = Some(at + line.len());
        }
        at += line.len();
    }
    None
}

fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

fn write_part(out: &mut Vec<u8>, part: &[u8], bounds: Bounds, depth: usize) -> Option<()> {
    let mut rest = part;
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut start_line = None;
    // MIME headers, then (after a blank line or not) a start line and its own headers.
    while let Some((line, after)) = next_line(rest) {
        if line.is_empty() {
            rest = after;
            let is_http = media_type(&headers).is_some_and(|m| m.starts_with("application/http"));
            if start_line.is_some() || !is_http {
                break;
            }
            continue;
        }
        if start_line.is_none() && is_start_line(line) {
            start_line = Some(line.to_owned());
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        } else {
            break;
        }
        rest = after;
    }
    out.extend_from_slice(b"{\"headers\":{");
    for (n, (name, value)) in headers.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        string(out, value);
    }
    out.push(b'}');
    if let Some(line) = &start_line {
        write_start_line(out, line);
    }
    out.extend_from_slice(b",\"body\":");
    // The embedded message's own media type comes last and is the body's.
    let media_type =
        headers.iter().rev().find(|(name, _)| name == "content-type").map_or("", |(_, v)| v.as_str());
    write_body(out, rest.trim_ascii(), media_type, bounds, depth)?;
    out.push(b'}');
    Some(())
}

fn media_type(headers: &[(String, String)]) -> Option<&str> {
    headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str())
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

fn write_body(out: &mut Vec<u8>, body: &[u8], media_type: &str, bounds: Bounds, depth: usize) -> Option<()> {
    let text = String::from_utf8_lossy(body);
    match sniff(body, media_type) {
        Some(Wire::Multipart) => {
            let boundary =
                parameter(media_type, "boundary").map(str::to_owned).or_else(|| guess_boundary(body))?;
            return multipart(out, body, &boundary, bounds, depth + 1);
        }
        Some(Wire::Json) if json::parse(&text, bounds).is_ok() => out.extend_from_slice(text.as_bytes()),
        Some(Wire::Xml) => match xml::to_json(&text, bounds).map(|(content, _)| content) {
            Ok(inner) => out.extend_from_slice(inner.as_bytes()),
            Err(DecodeError::TooDeep { .. }) => return None,
            Err(_) => string(out, &text),
        },
        _ => string(out, &text),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, json: &str) {
        let body = body.replace('\n', "\r\n");
        assert_eq!(
            to_json(body.as_bytes(), "multipart/mixed; boundary=\"b=1\"", Bounds::default()).as_deref(),
            Some(json)
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
        assert_eq!(to_json(b"--b\r\nA: b\r\n\r\nx", "multipart/mixed; boundary=b", Bounds::default()), None);
    }
}
