//! XML as a tree: the root is dropped, children are members under their local names, repeats kept.
//!
//! Format: an element that holds only text is that text; attributes are `@name` members; text beside children is
//! dropped, since no vendor says anything there. DOCTYPE is refused, not skipped: entities and external subsets are
//! the two attacks XML has, and no vendor reply needs either.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::tape::Room;
use super::{Bounds, DecodeError, Wire};
use crate::json_text::string;

/// The root element's content as JSON, and its local name.
pub(super) fn to_json(text: &str, bounds: Bounds) -> Result<(String, String), DecodeError> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    reader.config_mut().check_end_names = true;
    let mut writer = Writer { out: Vec::with_capacity(text.len()), ..Writer::default() };
    let mut room = Room::of(bounds);
    loop {
        let event = reader.read_event();
        let offset = reader.buffer_position() as usize;
        let syntax = |what| DecodeError::Syntax { wire: Wire::Xml, offset, what };
        match event.map_err(|_| syntax("malformed"))? {
            Event::Start(element) => {
                if writer.open.len() >= bounds.depth {
                    return Err(DecodeError::TooDeep { depth: bounds.depth });
                }
                writer.start(&element, &mut room)?.ok_or(syntax("malformed element"))?;
            }
            Event::Empty(element) => {
                writer.start(&element, &mut room)?.ok_or(syntax("malformed element"))?;
                writer.end();
            }
            Event::End(_) => writer.end(),
            Event::Text(data) => {
                writer.text(&data);
            }
            Event::CData(data) => {
                writer.text(&data);
            }
            Event::GeneralRef(reference) => {
                let resolved = resolve(&reference).ok_or(syntax("an entity XML does not define"))?;
                writer.text(&resolved);
            }
            Event::DocType(_) => return Err(syntax("DOCTYPE is refused")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    if !writer.open.is_empty() || !writer.done {
        return Err(DecodeError::Truncated { offset: text.len() });
    }
    let syntax = |_| DecodeError::Syntax { wire: Wire::Xml, offset: 0, what: "not UTF-8" };
    Ok((String::from_utf8(writer.out).map_err(syntax)?, writer.root))
}

/// A predefined entity or character reference.
fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Some(ch) = reference.resolve_char_ref().ok()? {
        return Some(ch.to_string());
    }
    quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned)
}

/// An element whose end is not reached.
#[derive(Default)]
struct Open {
    /// Whether `{` is out: it has members.
    object: bool,
    text: String,
}

#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    open: Vec<Open>,
    done: bool,
    root: String,
}

impl Writer {
    /// Nothing where the element is none.
    fn start(&mut self, element: &BytesStart<'_>, room: &mut Room) -> Result<Option<()>, DecodeError> {
        room.take(2)?;
        let name = element.local_name();
        if let Some(parent) = self.open.last_mut() {
            self.out.push(if parent.object { b',' } else { b'{' });
            parent.object = true;
            string(&mut self.out, name.as_ref());
            self.out.push(b':');
        } else if self.done || name.as_ref().eq_ignore_ascii_case("html") {
            return Ok(None); // a second root, or a load balancer's page that happens to be well-formed
        } else {
            self.root = name.as_ref().to_owned();
        }
        let mut open = Open::default();
        for attribute in element.attributes() {
            let Ok(attribute) = attribute else { return Ok(None) };
            if attribute.key.as_ref().starts_with("xmlns") {
                continue;
            }
            room.take(2)?;
            let Ok(value) = quick_xml::escape::unescape(&attribute.value) else { return Ok(None) };
            self.out.push(if open.object { b',' } else { b'{' });
            open.object = true;
            let local = attribute.key.local_name();
            string(&mut self.out, &format!("@{}", local.as_ref()));
            self.out.push(b':');
            string(&mut self.out, &value);
        }
        self.open.push(open);
        Ok(Some(()))
    }

    fn text(&mut self, text: &str) {
        if let Some(open) = self.open.last_mut() {
            open.text.push_str(text);
        }
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let root = self.open.is_empty();
        if open.object {
            self.out.push(b'}');
        } else if root && open.text.trim().is_empty() {
            self.out.extend_from_slice(b"{}");
        } else if open.text.contains('\n') && open.text.trim().is_empty() {
            self.out.extend_from_slice(b"\"\"");
        } else {
            string(&mut self.out, &open.text);
        }
        self.done |= root;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(xml: &str, json: &str) {
        assert_eq!(to_json(xml, Bounds::default()).expect("readable").0, json);
    }

    #[test]
    fn elements_become_members_and_repeats_stay() {
        check(
            "<?xml version='1.0'?><a xmlns='u:x'><b>1</b><b>2 &amp; &#51;</b><c/></a>",
            r#"{"b":"1","b":"2 & 3","c":""}"#,
        );
        check("<n:a xmlns:n='u'><n:b x='7'><![CDATA[<]]></n:b></n:a>", r#"{"b":{"@x":"7"}}"#);
        check("<DeleteResult/>", "{}");
    }

    #[test]
    fn attacks_and_broken_ends_are_errors() {
        for xml in
            ["<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a>&x;</a>", "<a><b></a>", "<a><b>", "", "<a/><b/>"]
        {
            assert!(to_json(xml, Bounds::default()).is_err(), "{xml}");
        }
    }
}
