//! A reply's body as a tree, and a changed tree as a body of the same wire format.
//!
//! What cannot be written back faithfully is no ground for a verdict: `attack` first writes the unchanged tree, and leaves
//! the tree alone if that alone changes the envelope.

use std::fmt::Write;

use super::tree::Node;
use crate::decode::{Bounds, Wire, decode_content, read, sniff};
use crate::message::Message;
use crate::profile::Profile;

/// A body as a tree, and how to write it.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) tree: Node,
    pub(super) wire: Wire,
    /// XML: the root's start tag; multipart: the media type.
    frame: String,
}

/// The body without its content coding.
pub(super) fn plain(reply: &Message) -> Option<Message> {
    let mut plain = reply.clone();
    if let Some(coding) = reply.headers.get(http::header::CONTENT_ENCODING) {
        plain.body = decode_content(&reply.body, coding.to_str().ok()?, 64 << 20, 1000).ok()?.into_owned();
        plain.headers.remove(http::header::CONTENT_ENCODING);
    }
    plain.headers.remove(http::header::CONTENT_LENGTH);
    Some(plain)
}

impl Body {
    /// Reads a reply without content coding; nothing where no wire format fits.
    pub(super) fn of(reply: &Message, profile: &Profile) -> Option<Self> {
        let media_type = media_type(reply);
        let sniffed = sniff(&reply.body, media_type);
        let wires = [profile.wire(), sniffed, profile.text_wire()];
        wires.into_iter().flatten().find_map(|wire| {
            let (document, _) = read(&reply.body, wire, media_type, Bounds::default(), true).ok()?;
            let frame = match wire {
                Wire::Xml => start_tag(std::str::from_utf8(&reply.body).ok()?)?.to_owned(),
                _ => media_type.to_owned(),
            };
            Some(Self { tree: Node::of(document.root()), wire, frame })
        })
    }

    /// The body of a changed tree; nothing where this wire format cannot say it.
    pub(super) fn write(&self, tree: &Node) -> Option<Vec<u8>> {
        let mut out = String::new();
        match (self.wire, tree) {
            (Wire::Json, _) => json(&mut out, tree),
            (Wire::Xml, _) => {
                let name = self.frame.split([' ', '\t', '\n', '\r']).next().unwrap_or("r");
                let _ = write!(out, "<{}>", self.frame);
                xml_inside(&mut out, tree);
                let _ = write!(out, "</{name}>");
            }
            (Wire::Multipart, _) => multipart(&mut out, tree, &self.frame)?,
            (Wire::Ndjson, Node::List(lines)) => {
                for line in lines {
                    json(&mut out, line);
                    out.push('\n');
                }
            }
            (Wire::Lines, Node::List(lines)) => {
                for line in lines {
                    let _ = writeln!(out, "{}", line.scalar()?);
                }
            }
            _ => return None,
        }
        Some(out.into_bytes())
    }
}

/// Headers in the order of their names: whose, of a part or of the message in it, is forgotten.
pub(super) fn settled(mut tree: Node) -> Node {
    fn settle(node: &mut Node) {
        match node {
            Node::List(elements) => elements.iter_mut().for_each(settle),
            Node::Map(members) => {
                for (key, value) in members {
                    if let ("headers", Node::Map(headers)) = (key.as_str(), &mut *value) {
                        headers.sort_by(|a, b| a.0.cmp(&b.0));
                    }
                    settle(value);
                }
            }
            _ => {}
        }
    }
    settle(&mut tree);
    tree
}

pub(super) fn media_type(reply: &Message) -> &str {
    reply.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("")
}

fn json(out: &mut String, node: &Node) {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bare(text) => out.push_str(text),
        Node::Text(text) => json_text(out, text),
        Node::List(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                json(out, element);
            }
            out.push(']');
        }
        Node::Map(members) => {
            out.push('{');
            for (at, (key, value)) in members.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                json_text(out, key);
                out.push(':');
                json(out, value);
            }
            out.push('}');
        }
    }
}

fn json_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// The root's start tag, without its brackets.
fn start_tag(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let at = rest.find('<')?;
        rest = &rest[at + 1..];
        if !rest.starts_with(['?', '!']) {
            return rest.find('>').map(|end| rest[..end].trim_end_matches('/'));
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn xml_inside(out: &mut String, node: &Node) {
    match node {
        Node::Null => {}
        Node::Bare(text) | Node::Text(text) => out.push_str(&escaped(text)),
        // There is no list in XML but repeated members; of a bare one nobody would know the name.
        Node::List(elements) => {
            for element in elements {
                xml_member(out, "member", element);
            }
        }
        Node::Map(members) => {
            for (key, value) in members.iter().filter(|(key, _)| !key.starts_with('@')) {
                xml_member(out, key, value);
            }
        }
    }
}

fn xml_member(out: &mut String, key: &str, value: &Node) {
    let _ = write!(out, "<{key}");
    for (name, text) in
        value.members().iter().filter_map(|(key, value)| Some((key.strip_prefix('@')?, value)))
    {
        let _ = write!(out, " {name}=\"{}\"", escaped(text.scalar().unwrap_or("")).replace('"', "&quot;"));
    }
    out.push('>');
    xml_inside(out, value);
    let _ = write!(out, "</{key}>");
}

fn multipart(out: &mut String, tree: &Node, media_type: &str) -> Option<()> {
    let boundary = media_type.split("boundary=").nth(1)?.split(';').next()?.trim().trim_matches('"');
    let (_, parts) = tree.members().iter().find(|(key, _)| key == "parts")?;
    for part in parts.children() {
        let _ = write!(out, "--{boundary}\r\n");
        write_part(out, part)?;
        out.push_str("\r\n");
    }
    let _ = write!(out, "--{boundary}--\r\n");
    Some(())
}

/// MIME and HTTP headers were read into one map, so all of them go before the start line.
fn write_part(out: &mut String, part: &Node) -> Option<()> {
    let member = |name: &str| part.members().iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let text = |name: &str| member(name).and_then(Node::scalar);
    let headers = member("headers").map(Node::members).unwrap_or_default();
    let is_type = |key: &str| key == "content-type";
    let last_type = headers.iter().rev().find(|(key, _)| is_type(key)).and_then(|(_, value)| value.scalar());
    for (key, value) in headers.iter().filter(|(key, _)| !is_type(key) && key != "content-length") {
        let _ = write!(out, "{key}: {}\r\n", value.scalar()?);
    }
    if let Some(status) = text("status") {
        let reason = text("reason").unwrap_or("");
        let _ = write!(out, "content-type: application/http\r\n\r\nHTTP/1.1 {status} {reason}\r\n");
    }
    let last_type = last_type.filter(|media_type| !media_type.starts_with("application/http"));
    if let Some(media_type) = last_type {
        let _ = write!(out, "content-type: {media_type}\r\n");
    }
    out.push_str("\r\n");
    match (member("body"), last_type) {
        (Some(body), Some(media_type)) if media_type.starts_with("multipart/") => {
            multipart(out, body, media_type)?
        }
        (Some(Node::Text(text)), _) => out.push_str(text),
        (Some(Node::Null) | None, _) => {}
        (Some(body), _) => json(out, body),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a body, writes its tree, and reads that.
    fn comes_back(wire: Wire, media_type: &str, body: &str) {
        let read = |body: &[u8]| {
            let (document, _) = read(body, wire, media_type, Bounds::default(), false).expect("a body");
            Node::of(document.root())
        };
        let tree = read(body.as_bytes());
        let frame = if wire == Wire::Xml { start_tag(body).expect("a root") } else { media_type };
        let written =
            Body { tree: tree.clone(), wire, frame: frame.to_owned() }.write(&tree).expect("a body");
        assert_eq!(settled(read(&written)), settled(tree), "{}", String::from_utf8_lossy(&written));
    }

    #[test]
    fn a_tree_that_is_written_reads_the_same() {
        comes_back(
            Wire::Json,
            "",
            r#"{"a":[1,2.50,"\u00e9\"",null,true,{}],"a":18446744073709551616,"b":[]}"#,
        );
        comes_back(
            Wire::Xml,
            "",
            "<?xml version=\"1.0\"?>\n<r xmlns=\"u\"><a x=\"1\">b&amp;c</a><a/><l><m>1</m><m>2</m></l></r>",
        );
        comes_back(Wire::Ndjson, "", "{\"a\":1}\n{\"b\":2}\n");
        comes_back(Wire::Lines, "", "one\ntwo\n");
        let parts = "--x\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\nHTTP/1.1 404 Not Found\r\n\
            Content-Type: application/json\r\n\r\n{\"error\":{\"code\":404}}\r\n--x--\r\n";
        comes_back(Wire::Multipart, "multipart/mixed; boundary=x", parts);
    }
}
