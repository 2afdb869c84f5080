//! What else a path may say to others: servers undo escapes (once or several times), take steps up, drop empty segments and
//! parameters of segments, and read `\` as `/`, each in its own way.
//!
//! Paths are forwarded byte for byte, since signatures cover them. So this decides only whether one can be let through.

use std::borrow::Cow;

/// Rounds of escapes that are undone. Nobody who means well escapes an escape more than once or twice.
const ROUNDS: usize = 4;

/// Whether all read a path alike: no escapes, no empty segments, no dots at the head of one, no parameters.
pub(super) fn is_plain(path: &str) -> bool {
    let mut last = b'a';
    path.bytes().all(|byte| {
        let odd = matches!(byte, b'%' | b';' | b'\\') || (last == b'/' && matches!(byte, b'/' | b'.'));
        last = byte;
        !odd
    })
}

/// Whether a path leads above where it begins, to anybody.
///
/// Counted so that no order in which servers undo and resolve can do worse: a segment that holds a step up in any reading only
/// goes up, one that is empty in any counts for nothing, any other is one step down, also where it holds an escaped slash.
pub(super) fn climbs(path: &str) -> bool {
    let mut depth = 0_usize;
    for segment in path.split('/') {
        let Some((ups, downs)) = steps(segment) else { return true };
        match depth.checked_sub(ups) {
            Some(rest) => depth = rest + downs,
            None => return true,
        }
    }
    false
}

/// Steps up and steps down that a segment may be worth at worst. None: nobody knows.
fn steps(segment: &str) -> Option<(usize, usize)> {
    let (mut ups, mut downs) = (0, 1);
    for read in Rounds::of(segment.as_bytes()) {
        let read = read?;
        let up = |piece: &&[u8]| piece.len() >= 2 && piece.iter().all(|byte| *byte == b'.');
        ups = ups.max(pieces(&read).map(|piece| trimmed(cut(piece))).filter(up).count());
        // What stands behind the first cut is gone before its own escapes are undone, where a server cuts first.
        let stays = |piece: &[u8]| !matches!(piece, b"" | b".");
        downs = downs.min(usize::from(pieces(cut(&read)).any(stays)));
    }
    Some((ups, if ups > 0 { 0 } else { downs }))
}

fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'/' | b'\\')).map(trimmed)
}

/// A text without what some servers cut off: parameters, and what stands behind an escaped NUL, `?` or `#`.
fn cut(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| matches!(byte, b';' | 0 | b'?' | b'#'));
    &text[..end.unwrap_or(text.len())]
}

fn trimmed(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| *byte <= b' ' && *byte != 0;
    let Some(from) = text.iter().position(|byte| !is_space(byte)) else { return &[] };
    let to = text.iter().rposition(|byte| !is_space(byte)).map_or(from, |last| last + 1);
    &text[from..to]
}

/// The paths that servers may read for one, all steps taken. None: nobody knows.
pub(super) fn readings(path: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for read in Rounds::of(path.as_bytes()) {
        let read = read?;
        let text = String::from_utf8_lossy(&read);
        found.push(resolved(text.split('/')));
        let loose = text
            .split(['/', '\\'])
            .map(|step| step.split([';', '\0']).next().unwrap_or("").trim_matches(|byte: char| byte <= ' '));
        found.push(resolved(loose.filter(|step| !step.is_empty())));
    }
    Some(found)
}

/// Steps taken, as section 5.2.4 of RFC 3986 has it.
fn resolved<'s>(steps: impl Iterator<Item = &'s str>) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for (at, step) in steps.enumerate() {
        match step {
            // What stands before the first slash.
            "" if at == 0 => {}
            "." => {}
            ".." => {
                kept.pop();
            }
            step => kept.push(step),
        }
    }
    format!("/{}", kept.join("/"))
}

/// A text as it stands, then with its escapes undone once, twice and so on until there are none; `None` when there are still
/// some after [`ROUNDS`].
struct Rounds<'b> {
    next: Option<Cow<'b, [u8]>>,
    left: usize,
}

impl<'b> Rounds<'b> {
    fn of(bytes: &'b [u8]) -> Self {
        Self { next: Some(Cow::Borrowed(bytes)), left: ROUNDS }
    }
}

impl<'b> Iterator for Rounds<'b> {
    type Item = Option<Cow<'b, [u8]>>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.next.take()?;
        if let Some(undone) = undone(&read) {
            if self.left == 0 {
                return Some(None);
            }
            self.left -= 1;
            self.next = Some(Cow::Owned(undone));
        }
        Some(Some(read))
    }
}

/// Escapes undone once; none where there are none. The longer forms of UTF-8 that its own rules forbid are read, too: `%c0%ae`
/// has been a dot to more than one server.
fn undone(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.contains(&b'%') {
        return None;
    }
    let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| Some(hex(at + 1)? * 16 + hex(at + 2)?)).flatten();
        match escape.and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
        if let [.., 0xc0, last @ (0xae | 0xaf)] = out[..] {
            out.truncate(out.len() - 2);
            out.push(last - 0x80);
        }
    }
    (out != bytes).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_paths_are_read_alike_by_all() {
        for path in ["/", "/v2/index.php", "/a.b/c..d/e.", "/v1/x/"] {
            assert!(is_plain(path) && !climbs(path), "{path}");
        }
        for path in ["//a", "/a//b", "/%61", "/a/../b", "/./a", "/a;b", "/.a", "/a\\b"] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_up_to_anybody_climbs() {
        for path in [
            "/..",
            "/../a",
            "/a/../../b",
            "/a/..//../b",
            "//..",
            "/./..",
            "/%2e%2e/a",
            "/%2E./a",
            "/.%2e",
            "/..;/a",
            "/..;x=1/a",
            "/%2e%2e%3b/a",
            "/%252e%252e/a",
            "/%25252e./a",
            "/..%2fa",
            "/%2f../a",
            "/a%2f../../b",
            "/a%252fb/../%252e%252e/",
            "/..%5ca",
            "/..\\a",
            "/a/..\\..\\b",
            "/..%00/a",
            "/%20../a",
            "/..%09/a",
            "/.../..",
            "/%c0%ae%c0%ae/a",
            "/..%c0%af",
            "/;x/..",
            "/%3bx/..",
            "/a/%2e%2e%2f%2e%2e",
            "/%2525252525252e",
            "/..%3fx/a",
            "/..%23/a",
        ] {
            assert!(climbs(path), "{path}");
        }
        for path in [
            "/a/..",
            "/a/b/../../c",
            "/a/./b",
            "/a%2fb/c",
            "/a..b",
            "/a/..b/b..",
            "/%41",
            "/100%",
            "/%zz",
            "/%2525",
            "/a;b/..",
            "/a//b/../..",
            "/%e4%b8%ad",
        ] {
            assert!(!climbs(path), "{path}");
        }
    }

    #[test]
    fn a_path_has_the_readings_that_servers_have() {
        let read = |path: &str| {
            readings(path).map(|mut all| {
                all.dedup();
                all
            })
        };
        let some = |all: &[&str]| Some(all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(read("/a/../b"), some(&["/b"]));
        assert_eq!(read("/a//b"), some(&["/a//b", "/a/b"]));
        assert_eq!(read("/%61/b;c"), some(&["/%61/b;c", "/%61/b", "/a/b;c", "/a/b"]));
        assert_eq!(read("/%25252525252561"), None);
    }

    /// What one server does with a path before it, or the next one, resolves it.
    fn step(path: &[u8], what: u8) -> Option<Vec<u8>> {
        let segments = || path.split(|byte| *byte == b'/');
        let joined = |segments: Vec<&[u8]>| segments.join(&b'/');
        Some(match what {
            0 | 1 => undone(path).unwrap_or_else(|| path.to_vec()),
            2 => path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect(),
            3 => joined(
                segments()
                    .map(|one| one.split(|byte| matches!(byte, b';' | 0)).next().unwrap_or(one))
                    .collect(),
            ),
            4 => joined(
                segments()
                    .enumerate()
                    .filter(|(at, one)| *at == 0 || !one.is_empty())
                    .map(|(_, one)| one)
                    .collect(),
            ),
            // Takes the steps; none: above where it began.
            _ => {
                let mut kept: Vec<&[u8]> = vec![b""];
                for one in segments().skip(1) {
                    match one {
                        b"." => {}
                        b".." if kept.len() == 1 => return None,
                        b".." => {
                            kept.pop();
                        }
                        one => kept.push(one),
                    }
                }
                joined(kept)
            }
        })
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 5_000, failure_persistence: None, ..Default::default() })]

        /// Whatever chain of servers reads it, in whatever order each undoes and resolves.
        #[test]
        fn what_does_not_climb_leads_up_to_nobody(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "a", "b", ".", "..", "/", "/", "//", "%2e", "%2f", "%252e", "%252f", "%25", "%5c", "\\", ";", "%3b", "%00",
                    "2e", "2f", "%c0%ae",
                ]),
                1..12,
            ),
            servers in proptest::collection::vec(0_u8..7, 1..9),
        ) {
            let path = format!("/{}", pieces.concat());
            if !climbs(&path) {
                let mut read = path.clone().into_bytes();
                for what in servers.iter().chain(&[5]) {
                    match step(&read, *what) {
                        Some(next) => read = next,
                        None => panic!("{path} leads up by {servers:?}"),
                    }
                }
            }
        }
    }
}
