//! Raw HTTP/1.1 messages in files: what `normalize`, `explain` and the profiles' own cases read.
//!
//! Format: start line, headers, a blank line, then the body to the end of the file. Lines end with CRLF or LF.
//! Framing headers are ignored: the file's end is the body's end, to the last byte; an editor's final newline is one of them.

mod host; // whom a message is for

pub use host::{HostPort, Named, NoHost, host_of};

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// A request or reply read from a file.
#[derive(Clone, Debug)]
pub struct Message {
    /// `METHOD`, or the empty method of a reply.
    pub method: Option<Method>,
    /// Request target as sent.
    pub target: String,
    /// Status of a reply.
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why a file is no HTTP message.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct MessageError {
    pub line: usize,
    pub what: String,
}

impl Message {
    /// Parses a request or a reply, as its start line says.
    ///
    /// # Errors
    /// [`MessageError`] with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let mut rest = bytes;
        let start = take_line(&mut rest);
        let mut message = start_line(&start)?;
        let mut number = 1;
        loop {
            number += 1;
            if rest.is_empty() {
                break;
            }
            let line = take_line(&mut rest);
            if line.is_empty() {
                break;
            }
            let bad = |what: &str| MessageError { line: number, what: what.to_owned() };
            let (name, value) = line.split_once(':').ok_or_else(|| bad("a header is `Name: value`"))?;
            let name: HeaderName = name.trim().parse().map_err(|_| bad("not a header name"))?;
            let value =
                HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| bad("not a header value"))?;
            message.headers.append(name, value);
        }
        message.body = rest.to_vec();
        Ok(message)
    }

    /// Host without port: of the target in absolute form, else the `Host` header's.
    pub fn host(&self) -> Option<String> {
        let authority = self.target.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
        let authority = authority.or_else(|| self.headers.get("host").and_then(|v| v.to_str().ok()))?;
        HostPort::parse(authority).ok().map(|named| named.host.to_owned())
    }

    /// Path and query of the target.
    pub fn path_and_query(&self) -> (&str, &str) {
        let target = match self.target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => &self.target,
        };
        target.split_once('?').unwrap_or((target, ""))
    }
}

/// Removes the headers whose names say so. Few messages have any: one look at the names that are there, instead of a search
/// for each that might be.
pub fn remove_headers(headers: &mut HeaderMap, gone: impl Fn(&HeaderName) -> bool) {
    let gone: Vec<HeaderName> = headers.keys().filter(|name| gone(name)).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

fn take_line(rest: &mut &[u8]) -> String {
    let end = rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |at| at + 1);
    let (line, after) = rest.split_at(end);
    *rest = after;
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}

fn start_line(line: &str) -> Result<Message, MessageError> {
    let bad = |what: &str| MessageError { line: 1, what: what.to_owned() };
    let empty = Message {
        method: None,
        target: String::new(),
        status: 0,
        headers: HeaderMap::new(),
        body: Vec::new(),
    };
    if line.starts_with("HTTP/") {
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).filter(|s| (100..600).contains(s));
        return Ok(Message {
            status: status.ok_or_else(|| bad("a reply starts with `HTTP/1.1 200 OK`"))?,
            ..empty
        });
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let method: Method = method.parse().map_err(|_| bad("a request starts with `POST /path HTTP/1.1`"))?;
    if target.is_empty() {
        return Err(bad("a request starts with `POST /path HTTP/1.1`"));
    }
    Ok(Message { method: Some(method), target: target.to_owned(), ..empty })
}

/// A field's values in one list; lines that are no text are left out. None: there is no such field.
pub fn joined<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Cow<'h, str>> {
    let mut lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let first = lines.next()?;
    Some(lines.fold(Cow::Borrowed(first), |list, line| Cow::Owned(format!("{list}, {line}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_what_stands_in_the_file_to_its_last_byte() {
        for head in ["", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n"] {
            for body in ["", "\n", "{}", "{}\n", "{}\r\n\r\n", "\n\na\n"] {
                let file = format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}");
                assert_eq!(
                    Message::parse(file.as_bytes()).expect("a reply").body,
                    body.as_bytes(),
                    "{file:?}"
                );
            }
        }
    }
}
