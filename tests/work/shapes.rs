//! Each wire format's worst shapes.

use onevelope::decode::{Bounds, Wire, changes, read, read_parameters, response_keys};

use crate::measure::{Named, alone, black_box, linear};

/// A piece repeated up to a size, between two ends.
pub fn many(start: &str, piece: &str, end: &str) -> impl Fn(usize) -> Vec<u8> + use<> {
    let (start, piece, end) = (start.to_owned(), piece.to_owned(), end.to_owned());
    move |size| [start.as_str(), &piece.repeat(size / piece.len()), &end].concat().into_bytes()
}

/// Pieces that count.
pub fn counted(
    start: &'static str,
    piece: impl Fn(usize) -> String,
    end: &'static str,
) -> impl Fn(usize) -> Vec<u8> {
    move |size| {
        let mut text = start.to_owned();
        for n in 0.. {
            if text.len() >= size {
                break;
            }
            text.push_str(&piece(n));
        }
        (text + end).into_bytes()
    }
}

/// Reads each shape; whether it can be read is other tests' matter.
fn check(wire: Wire, media_type: &str, mend: bool, times: usize, shapes: &[Named<'_>]) {
    let _alone = alone();
    for (name, shape) in shapes {
        let name = format!("{wire:?} {name}");
        linear(&name, times, *shape, |body| {
            let read = read(body, wire, media_type, Bounds::default(), mend);
            // What is asked of every request and of some replies.
            let told =
                read.as_ref().is_ok_and(|(document, _)| document.is_i_json() | document.repeats(|_| true));
            drop(black_box((read, told)));
        });
    }
}

#[test]
fn json_is_read_in_linear_work_however_it_is_nested_and_named() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let nest = format!("{}0{}", "{\"a\":".repeat(100), "}".repeat(100));
    check(
        Wire::Json,
        "",
        false,
        16,
        &[
            ("numbers", &many("[0", ",0", "]")),
            ("objects", &many("[{}", ",{}", "]")),
            ("deep lists", &many("[0", &format!(",{deep}"), "]")),
            ("deep objects", &many("[0", &format!(",{nest}"), "]")),
            (
                "deep objects that end otherwise",
                &counted("[0", |n| format!(",{}{n:03}.5e1{}", "{\"a\":".repeat(100), "}".repeat(100)), "]"),
            ),
            ("open lists", &many("", "[", "")),
            ("open objects", &many("", "{\"a\":", "")),
            ("one name", &many("{\"a\":0", ",\"a\":0", "}")),
            ("names", &counted("{\"a\":0", |n| format!(",\"{n}\":0"), "}")),
            ("names alike in objects", &many("[0", ",{\"\":0,\"\":0,\"\\u0061\":0}", "]")),
            ("names of one look", &counted("{\"a\":0", |n| format!(",\"a{n:08}z\":0"), "}")),
            ("an escape", &many("\"", "\\u0001", "\"")),
            ("surrogates", &many("\"", "\\ud83d", "\"")),
            ("digits", &many("1", "0", "")),
            ("digits of a double", &many("[0", &format!(",{}e1", "9".repeat(400)), "]")),
            ("space", &many("[", " ", "]")),
        ],
    );
}

#[test]
fn json_with_slips_is_mended_in_linear_work() {
    check(
        Wire::Json,
        "",
        true,
        20,
        &[
            ("commas", &many("[0", ",", "]")),
            ("commas after each", &many("[", "0,,", "]")),
            ("colons", &many("{\"a\":0", ":", "}")),
            ("missing commas", &many("{", "\"a\":0 ", "}")),
            ("raw control characters", &many("\"", "\u{1}", "\"")),
            ("foreign space", &many("[", "\u{200b}", "]")),
            ("open strings", &many("[,", "\"", "")),
            ("no text", &|size| [b"[".to_vec(), vec![0xff; size]].concat()),
        ],
    );
}

#[test]
fn parameters_are_read_in_linear_work_and_few_bytes_for_each_of_theirs() {
    let levels = "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o";
    let shapes: &[Named<'_>] = &[
        ("pairs", &many("a=%41", "&a=", "")),
        ("names", &counted("a=%41", |n| format!("&{n}="), "")),
        ("bare names", &many("%41", "&a", "")),
        ("plain pairs", &many("a=1", "&a=", "")),
        ("nothing", &many("a=1", "&", "")),
        ("groups", &counted("a=%41", |n| format!("&{n}.b="), "")),
        ("plain groups", &counted("a=1", |n| format!("&g{n}.b="), "")),
        ("one number", &many("a.1=%41", "&a.1=", "")),
        ("numbers backwards", &counted("a.1=%41", |n| format!("&a.{}=", 99_999_999 - n), "")),
        ("levels", &many("a=%41", &format!("&{levels}="), "")),
        ("levels that begin anew", &counted("a=%41", |n| format!("&{n}.{levels}="), "")),
        ("groups in turn", &many("a=%41", "&a.b=&b.c=", "")),
        ("escapes", &many("a=", "%41", "")),
        ("control characters", &many("a=", "%01", "")),
        ("spaces", &many("a=", "+", "")),
        ("json", &many("a=%5B", "1,", "1]")),
        ("open json", &many("a=", "[", "")),
        ("json in each", &many("a=%41", "&a=[{}]", "")),
        ("dots", &many("a=%41&", ".", "=")),
    ];
    check(Wire::Form, "", false, 48, shapes);
    let _alone = alone();
    for (name, shape) in shapes {
        linear(&format!("parameters {name}"), 48, *shape, |body| {
            let read = read_parameters(body, "", Bounds::default());
            let told = read.as_ref().is_ok_and(|document| document.repeats(|name| name == "a"));
            drop(black_box((read, told)));
        });
    }
}

#[test]
fn xml_is_read_in_linear_work_whatever_its_elements_hold() {
    let deep = format!("{}{}", "<b>".repeat(90), "</b>".repeat(90));
    check(
        Wire::Xml,
        "",
        false,
        24,
        &[
            ("elements", &many("<a>", "<b/>", "</a>")),
            ("pairs of tags", &many("<a>", "<b></b>", "</a>")),
            ("attributes", &counted("<a", |n| format!(" a{n}=''"), "/>")),
            ("one attribute", &many("<a", " a=''", "/>")),
            ("name spaces", &counted("<a", |n| format!(" xmlns:a{n}=''"), "/>")),
            ("elements with attributes", &many("<a>", "<b c='' d=''/>", "</a>")),
            ("entities", &many("<a>", "&amp;", "</a>")),
            ("entities in an attribute", &many("<a b='", "&lt;", "'/>")),
            ("character references", &many("<a>", "&#1;", "</a>")),
            ("ampersands", &many("<a>", "&", "</a>")),
            ("nesting", &many("<a>", &deep, "</a>")),
            ("open elements", &many("", "<a>", "")),
            ("open tags", &many("<a>", "<a ", "")),
            ("comments", &many("<a>", "<!---->", "</a>")),
            ("open comments", &many("<a>", "<!--", "")),
            ("character data", &many("<a>", "<![CDATA[x]]>", "</a>")),
            ("instructions", &many("<a>", "<?a?>", "</a>")),
            ("text", &many("<a>", "\n", "</a>")),
        ],
    );
}

#[test]
fn multipart_is_read_in_linear_work_whatever_stands_in_its_parts() {
    let part = "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n";
    let inside = "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n";
    check(
        Wire::Multipart,
        "multipart/mixed; boundary=b",
        false,
        40,
        &[
            // Two such posts of 580 KB held both threads for half a minute.
            ("headers and blank lines", &|size| {
                let headers = "Content-Type: application/http\n".to_owned() + &"a:\n".repeat(size / 6);
                format!("--b\n{headers}{}--b--", "\n".repeat(size / 2)).into_bytes()
            }),
            ("headers", &many("--b\n", "a:\n", "\n--b--")),
            ("blank lines", &many("--b\ncontent-type: application/http\n", "\n", "--b--")),
            ("empty parts", &many("", "--b\n", "--b--")),
            ("parts", &many("", part, "--b--")),
            ("parts in parts", &many("", &format!("--b\r\n{inside}"), "--b--")),
            ("almost delimiters", &many("--b\n\n", "--b-\n", "--b--")),
            ("start lines", &many("--b\n", "GET /\n", "--b--")),
            ("json in a part", &many("--b\n\n[0", ",0", "]\n--b--")),
            ("xml in a part", &many("--b\n\n<a>", "<b/>", "</a>\n--b--")),
            ("no end", &many("", part, "")),
            ("no text", &|size| [b"--b\n\n".to_vec(), vec![0xff; size], b"\n--b--".to_vec()].concat()),
        ],
    );
    check(Wire::Multipart, "", false, 40, &[("a boundary as long as the body", &many("--", "b", "\n\n--"))]);
}

#[test]
fn lines_are_read_in_linear_work() {
    let shapes: &[Named<'_>] = &[
        ("objects", &many("", "{}\n", "")),
        ("numbers", &many("", "0\n", "")),
        ("blank lines", &many("", "\n", "")),
        ("one line", &many("[0", ",0", "]")),
        ("names", &many("", "a:\n", "")),
        ("pairs", &many("a:\n", "b, c\n", "")),
        ("colons", &many("", ":", "")),
        ("control characters", &many("", "\u{1}", "")),
    ];
    for wire in [Wire::Ndjson, Wire::Lines, Wire::Labelled] {
        check(wire, "", false, 24, shapes);
    }
}

#[test]
fn charsets_are_read_in_linear_work() {
    let letters = |size: usize| "\u{4e00}".repeat(size / 3).into_bytes();
    for charset in ["gbk", "utf-16le", "iso-8859-1", "shift_jis"] {
        check(Wire::Lines, &format!("text/plain; charset={charset}"), false, 24, &[(charset, &letters)]);
    }
}

#[test]
fn graphql_is_read_in_linear_work_however_its_fragments_spread() {
    let _alone = alone();
    let shapes: &[Named<'_>] = &[
        ("fields", &many("mutation {", "a ", "}")),
        ("aliases", &counted("mutation {", |n| format!("a{n}:b "), "}")),
        ("spreads", &many("mutation {", "...f ", "} fragment f on M { a }")),
        (
            "fragments",
            &counted("mutation { a } ", |n| format!("fragment f{n} on M {{ ...f{} }} ", n + 1), ""),
        ),
        ("comments", &many("mutation { a }", "#\n", "")),
        ("arguments", &many("mutation { a(", "b:1 ", ") }")),
        ("lists", &many("mutation { a(b:", "[1]", ") }")),
        ("operations", &counted("", |n| format!("mutation m{n} {{ a }} "), "")),
        ("a string", &many("mutation { a(b:\"", "\\u0061", "\") }")),
    ];
    for (name, shape) in shapes {
        linear(&format!("GraphQL {name}"), 400, *shape, |body| {
            let text = std::str::from_utf8(body).expect("text");
            drop(black_box((response_keys(text, None), changes(text, Some("m7")))));
        });
    }
}
