//! The repairing JSON reader: a closed list of slips that keep the structure unambiguous.
//!
//! Never called before the strict reader has failed. Rewrites the text so that the strict reader takes it, or
//! gives up. It does not invent ends: a truncated body stays unreadable, because no prefix of a reply may raise
//! `succeeded`. The list is `docs/envelope.md` section 3's and is not to grow with vendors' fancies: single
//! quotes, comments, bare words and the like stay errors.

/// Which slips were mended, by name, in the order first met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slips(Vec<&'static str>);

impl Slips {
    pub(super) fn add(&mut self, slip: &'static str) {
        if !self.0.contains(&slip) {
            self.0.push(slip);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Slips {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// The text with its slips mended, or nothing when something else is wrong with it.
pub(super) fn repair(text: &str, slips: &mut Slips) -> Option<String> {
    let mut mender = Mender { rest: text, out: String::with_capacity(text.len()), slips };
    mender.document()?;
    Some(mender.out)
}

struct Mender<'t, 's> {
    rest: &'t str,
    out: String,
    slips: &'s mut Slips,
}

impl Mender<'_, '_> {
    fn document(&mut self) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix('\u{feff}') {
            self.slips.add("byte order mark");
            self.rest = rest;
        }
        let mut open: Vec<char> = Vec::new();
        loop {
            self.space();
            // In front of a value (after its key, in an object).
            let opened = self.value(&mut open)?;
            if opened && !self.at_end_of(*open.last()?) {
                if open.last() == Some(&'}') {
                    self.key()?;
                }
                continue;
            }
            if opened {
                self.close(&mut open)?;
            }
            if !self.after_value(&mut open)? {
                return self.rest.is_empty().then_some(());
            }
        }
    }

    /// Copies a scalar, or opens a container (true).
    fn value(&mut self, open: &mut Vec<char>) -> Option<bool> {
        match self.rest.chars().next()? {
            '{' => open.push('}'),
            '[' => open.push(']'),
            '"' => return self.string().map(|()| false),
            _ => return self.word().map(|()| false),
        }
        if open.len() > 512 {
            return None;
        }
        self.copy(1);
        self.space();
        Some(true)
    }

    /// After a complete value: stray `:` and `,`, the comma, the ends. False when the text is over.
    fn after_value(&mut self, open: &mut Vec<char>) -> Option<bool> {
        loop {
            self.space();
            let mut commas = 0;
            while let Some(stray @ (':' | ',')) = self.rest.chars().next() {
                if stray == ':' {
                    self.slips.add("stray `:`");
                } else {
                    commas += 1;
                }
                self.rest = &self.rest[1..];
                self.space();
            }
            let Some(&end) = open.last() else {
                if commas > 0 {
                    self.slips.add("stray `,`");
                }
                return Some(false);
            };
            if commas > 1 {
                self.slips.add("stray `,`");
            }
            if self.at_end_of(end) {
                if commas > 0 {
                    self.slips.add("trailing comma");
                }
                self.close(open)?;
                continue;
            }
            if commas == 0 {
                // Only between members: a name can be nothing else, while two elements might be one.
                if end != '}' || !self.rest.starts_with('"') {
                    return None;
                }
                self.slips.add("missing comma");
            }
            self.out.push(',');
            if end == '}' {
                self.key()?;
            }
            return Some(true);
        }
    }

    fn at_end_of(&self, end: char) -> bool {
        self.rest.starts_with(end)
    }

    fn close(&mut self, open: &mut Vec<char>) -> Option<()> {
        open.pop()?;
        self.copy(1);
        Some(())
    }

    fn key(&mut self) -> Option<()> {
        self.space();
        self.string()?;
        self.space();
        self.rest.starts_with(':').then(|| self.copy(1))?;
        self.space();
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        let inner = self.rest.strip_prefix('"')?;
        self.out.push('"');
        let mut chars = inner.char_indices();
        while let Some((at, ch)) = chars.next() {
            match ch {
                '"' => {
                    self.out.push('"');
                    self.rest = &inner[at + 1..];
                    return Some(());
                }
                '\\' => {
                    self.out.push(ch);
                    self.out.push(chars.next()?.1);
                }
                '\0'..='\u{1f}' => {
                    self.slips.add("raw control character");
                    self.out.push_str(&format!("\\u{:04x}", u32::from(ch)));
                }
                _ => self.out.push(ch),
            }
        }
        None
    }

    /// A number or literal; the strict reader judges it.
    fn word(&mut self) -> Option<()> {
        let len = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(self.rest.len());
        (len > 0).then(|| self.copy(len))
    }

    fn copy(&mut self, len: usize) {
        let (head, tail) = self.rest.split_at(len);
        self.out.push_str(head);
        self.rest = tail;
    }

    fn space(&mut self) {
        let trimmed =
            self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{200b}' || c == '\u{feff}');
        let skipped = &self.rest[..self.rest.len() - trimmed.len()];
        if skipped.contains(|c| !matches!(c, ' ' | '\n' | '\r' | '\t')) {
            self.slips.add("white space that JSON does not allow");
        }
        self.rest = trimmed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, mended: Option<&str>, named: &str) {
        let mut slips = Slips::default();
        assert_eq!(repair(text, &mut slips).as_deref(), mended, "{text}");
        if mended.is_some() {
            assert_eq!(slips.to_string(), named, "{text}");
        }
    }

    #[test]
    fn slips_of_the_closed_list_are_mended_and_named() {
        check(r#"{"a":"1":,}"#, Some(r#"{"a":"1"}"#), "stray `:`, trailing comma");
        check(r#"{"a":{} "b":1}"#, Some(r#"{"a":{},"b":1}"#), "missing comma");
        check(
            "\u{feff}[1,\u{a0}2,]",
            Some("[1,2]"),
            "byte order mark, white space that JSON does not allow, trailing comma",
        );
        check("{\"a\":\"x\ny\"}", Some("{\"a\":\"x\\u000ay\"}"), "raw control character");
        check(r#"[1,,2]"#, Some("[1,2]"), "stray `,`");
    }

    #[test]
    fn anything_else_stays_an_error() {
        for text in [
            r#"{"a":1"#,
            r#"{"a":"x"#,
            r#"[1 2]"#,
            r#"{"a" 1}"#,
            "{a:1}",
            r#"{,"a":1}"#,
            "{'a':1}",
            "[1]]",
            r#"{"a":1}{"#,
            "",
        ] {
            check(text, None, "");
        }
    }
}
