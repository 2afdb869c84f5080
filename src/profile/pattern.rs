//! Paths and hosts as templates: literal text and captures.

use std::borrow::Cow;

/// A path template: literal segments, `{x}` for one segment or a part of one, `{x...}` for none or more at the
/// start or the end.
#[derive(Clone, Debug)]
pub struct PathPattern {
    segments: Vec<Segment>,
    /// Captures the segments before the first.
    head: Option<String>,
    /// Captures the segments after the last.
    tail: Option<String>,
    /// Whether the vendor takes letters of any case.
    any_case: bool,
    text: String,
}

#[derive(Clone, Debug)]
struct Segment {
    prefix: String,
    capture: Option<String>,
    suffix: String,
}

/// What a host's labels captured, by name; in lower case.
pub type Captures = Vec<(String, String)>;

impl PathPattern {
    /// # Errors
    /// What is wrong with the template.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pattern =
            Self { segments: Vec::new(), head: None, tail: None, any_case: false, text: text.to_owned() };
        // What ends in `/` is the same place to most servers.
        let steps: Vec<&str> = text.split('/').filter(|step| !step.is_empty()).collect();
        for (at, step) in steps.iter().enumerate() {
            if let Some(name) = step.strip_prefix('{').and_then(|s| s.strip_suffix("...}")) {
                match at {
                    0 if steps.len() > 1 => pattern.head = Some(name.to_owned()),
                    _ if at + 1 == steps.len() => pattern.tail = Some(name.to_owned()),
                    _ => return Err(format!("{text:?}: {{{name}...}} may stand first or last only")),
                }
                continue;
            }
            pattern
                .segments
                .push(Segment::parse(step).ok_or_else(|| format!("{text:?}: bad segment {step:?}"))?);
        }
        Ok(pattern)
    }

    /// The same, whatever the case of a path's letters.
    pub(super) fn in_any_case(self) -> Self {
        Self { any_case: true, ..self }
    }

    /// What it captures, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let inner = self.segments.iter().filter_map(|segment| segment.capture.as_deref());
        self.head.as_deref().into_iter().chain(inner).chain(self.tail.as_deref())
    }

    /// How many literal bytes it holds: the more, the more specific.
    pub fn weight(&self) -> usize {
        self.segments.iter().map(|s| s.prefix.len() + s.suffix.len() + 1).sum()
    }

    /// Segments a path must have, when it must have an exact number.
    pub fn exact_len(&self) -> Option<usize> {
        (self.head.is_none() && self.tail.is_none()).then_some(self.segments.len())
    }

    /// The last segment that holds no capture, and its position.
    pub fn last_literal(&self) -> Option<(usize, &str)> {
        if self.segments.is_empty() {
            return Some((0, ""));
        }
        let at = self.segments.iter().rposition(|segment| segment.capture.is_none())?;
        Some((at, &self.segments[at].prefix))
    }

    /// Whether a path fits.
    pub fn fits(&self, path: &str) -> bool {
        self.walk(path, &mut |_, _| {}).is_some()
    }

    /// The captures, when the path fits.
    pub fn find<'m>(&'m self, path: &'m str) -> Option<Vec<(&'m str, &'m str)>> {
        if !self.fits(path) {
            return None;
        }
        let mut captures = Vec::new();
        if self.names().next().is_some() {
            self.walk(path, &mut |name, text| captures.push((name, text)))?;
        }
        Some(captures)
    }

    fn walk<'m>(&'m self, path: &'m str, captured: &mut impl FnMut(&'m str, &'m str)) -> Option<()> {
        let path = path.trim_start_matches('/');
        let mut rest = Some(path).filter(|path| !path.is_empty());
        if let Some(name) = &self.head {
            let spare = segments(path).checked_sub(self.segments.len())?;
            (0..spare).for_each(|_| {
                take(&mut rest, b'/');
            });
            let length = rest.map_or(path.len(), |rest| (path.len() - rest.len()).saturating_sub(1));
            captured(name, &path[..length]);
        }
        for segment in &self.segments {
            segment.find(take(&mut rest, b'/')?, self.any_case, captured)?;
        }
        match &self.tail {
            Some(name) => captured(name, rest.unwrap_or("")),
            None if rest.is_some() => return None,
            None => {}
        }
        Some(())
    }
}

/// How many segments a path has, which does not begin with `/`.
pub(super) fn segments(path: &str) -> usize {
    if path.is_empty() { 0 } else { path.bytes().filter(|byte| *byte == b'/').count() + 1 }
}

/// The next segment of a path or label of a host. They are short: a search that starts slowly costs more than it saves.
#[inline]
fn take<'p>(rest: &mut Option<&'p str>, between: u8) -> Option<&'p str> {
    let all = rest.take()?;
    let Some(end) = all.bytes().position(|byte| byte == between) else { return Some(all) };
    *rest = all.get(end + 1..);
    all.get(..end)
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Segment {
    fn parse(step: &str) -> Option<Self> {
        let Some((prefix, rest)) = step.split_once('{') else {
            return Some(Self { prefix: step.to_owned(), capture: None, suffix: String::new() });
        };
        let (name, suffix) = rest.split_once('}')?;
        (!suffix.contains('{') && !name.is_empty()).then(|| Self {
            prefix: prefix.to_owned(),
            capture: Some(name.to_owned()),
            suffix: suffix.to_owned(),
        })
    }

    fn find<'m>(
        &'m self,
        step: &'m str,
        any_case: bool,
        captured: &mut impl FnMut(&'m str, &'m str),
    ) -> Option<()> {
        let same = |own: &str, part: &str| own == part || (any_case && own.eq_ignore_ascii_case(part));
        let Some(name) = &self.capture else { return same(&self.prefix, step).then_some(()) };
        let (head, rest) = step.split_at_checked(self.prefix.len())?;
        let (inner, tail) = rest.split_at_checked(rest.len().checked_sub(self.suffix.len())?)?;
        if inner.is_empty() || !same(&self.prefix, head) || !same(&self.suffix, tail) {
            return None;
        }
        captured(name, inner);
        Some(())
    }
}

/// What a host may hold. A capture becomes part of a name that is dialled: nothing in it may begin a port or a user.
fn is_name(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// A host: literal labels and `{name}` for one label, or a part of one, of letters, digits, `-` and `_`.
#[derive(Clone, Debug)]
pub struct HostPattern {
    labels: Vec<Segment>,
    /// What every host ends with that fits: one look refuses most.
    tail: String,
    text: String,
}

impl HostPattern {
    pub fn parse(text: &str) -> Result<Self, String> {
        let labels: Option<Vec<Segment>> = text.to_ascii_lowercase().split('.').map(Segment::parse).collect();
        let labels = labels.ok_or_else(|| format!("{text:?} is no host pattern"))?;
        let literal = labels.iter().rposition(|label| label.capture.is_some()).map_or(0, |last| last + 1);
        let tail: Vec<&str> = labels[literal..].iter().map(|label| label.prefix.as_str()).collect();
        let tail = tail.join(".");
        Ok(Self { labels, tail, text: text.to_owned() })
    }

    /// Whether a host (without port) fits.
    pub fn fits(&self, host: &str) -> bool {
        self.walk(&lower(host), &mut |_, _| {}).is_some() && is_name(host)
    }

    /// The captures, when the host (without port) fits.
    pub fn find(&self, host: &str) -> Option<Captures> {
        self.find_lower(&lower(host))
    }

    /// The same for a host in lower case.
    pub(super) fn find_lower(&self, host: &str) -> Option<Captures> {
        self.walk(host, &mut |_, _| {}).filter(|()| is_name(host))?;
        let mut captures = Captures::new();
        if self.names().next().is_some() {
            self.walk(host, &mut |name, text| captures.push((name.to_owned(), text.to_owned())))?;
        }
        Some(captures)
    }

    fn walk<'m>(&'m self, host: &'m str, captured: &mut impl FnMut(&'m str, &'m str)) -> Option<()> {
        if !host.ends_with(self.tail.as_str()) {
            return None;
        }
        let mut rest = Some(host);
        for label in &self.labels {
            label.find(take(&mut rest, b'.')?, false, captured)?;
        }
        rest.is_none().then_some(())
    }

    /// How many labels are literal: the more, the more specific.
    pub fn weight(&self) -> usize {
        self.labels.iter().filter(|label| label.capture.is_none()).count()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern's captures, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().filter_map(|label| label.capture.as_deref())
    }
}

pub(super) fn lower(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captures(pattern: &str, path: &str) -> Option<String> {
        let pattern = PathPattern::parse(pattern).expect("pattern");
        let found = pattern.find(path)?;
        Some(found.into_iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn path_templates_capture_whole_and_part_segments() {
        assert_eq!(captures("/v1/{p}/jobs/{id}", "/v1/a/jobs/b").as_deref(), Some("p=a id=b"));
        assert_eq!(captures("/v1/{p}/jobs/{id}", "/v1/a/jobs/b/c"), None);
        assert_eq!(captures("/t/{x}:publish", "/t/a:publish").as_deref(), Some("x=a"));
        assert_eq!(captures("{root...}/$batch", "/a/b/$batch").as_deref(), Some("root=a/b"));
        assert_eq!(captures("{root...}/$batch", "/$batch").as_deref(), Some("root="));
        assert_eq!(captures("/a/{rest...}", "/a/b/c").as_deref(), Some("rest=b/c"));
        assert_eq!(captures("/", "/").as_deref(), Some(""));
    }

    #[test]
    fn host_patterns_match_label_by_label() {
        let pattern = HostPattern::parse("{service}.{region}.myhuaweicloud.com").expect("pattern");
        assert!(pattern.find("ECS.cn-north-4.myhuaweicloud.com").is_some_and(|c| c[0].1 == "ecs"));
        assert!(pattern.find("ecs.myhuaweicloud.com").is_none());
        for bad in ["localhost:1", "u@x", "a%2e", "", "{region}", "a b", "[::1]"] {
            assert!(pattern.find(&format!("{bad}.cn-north-4.myhuaweicloud.com")).is_none(), "{bad}");
        }
    }
}
