//! Whom a message is for: the one reading of `Host`, of `:authority` and of a target's authority.
//!
//! Stricter than the grammar of RFC 3986: what some read as a host and others as user, path or port is no host.

use http::header::HOST;
use http::request::Parts;

/// A host and its port, as they stand in a request.
///
/// # Format
/// `host`, `host:port`, `[v6]` or `[v6]:port`. A name has letters, digits, `-`, `_` and single dots, one of which may stand at
/// its end; 255 bytes at most. A port is a number from 1 to 65535. No user, no list, no escapes, no port without digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort<'t> {
    /// As it stands.
    pub text: &'t str,
    /// Without port and without a dot at the end, which only says that the name is complete; in brackets where it is IPv6.
    pub host: &'t str,
    pub port: Option<u16>,
}

/// Why a text is no host, in words that follow "its Host" and quote nothing.
pub type NoHost = &'static str;

/// Longest host with its port: a name of DNS has 253 bytes.
const LONGEST: usize = 262;

impl<'t> HostPort<'t> {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &'t str) -> Result<Self, NoHost> {
        if text.len() > LONGEST {
            return Err("is longer than a name can be");
        }
        // Past the brackets of an IPv6 address: a colon before that is no port's.
        let from = if text.starts_with('[') { text.find(']').unwrap_or(0) } else { 0 };
        let (host, port) = match text[from..].find(':') {
            Some(at) => (&text[..from + at], Some(number(&text[from + at + 1..])?)),
            None => (text, None),
        };
        let bare = host.strip_suffix('.').unwrap_or(host);
        if !is_name(bare) && !is_address(bare) {
            return Err("is no name and no address");
        }
        Ok(Self { text, host: bare, port })
    }

    /// Whether both name one place, where a port that is left out is the scheme's own.
    fn is(&self, other: &Self, scheme: Option<&str>) -> bool {
        let own = match scheme {
            Some("https") => 443,
            _ => 80,
        };
        self.host.eq_ignore_ascii_case(other.host) && self.port.unwrap_or(own) == other.port.unwrap_or(own)
    }
}

/// Whom a request names, where it does.
#[derive(Clone, Copy, Debug)]
pub struct Named<'t> {
    /// In its `Host` field.
    pub field: Option<HostPort<'t>>,
    /// In its target or `:authority`.
    pub target: Option<HostPort<'t>>,
}

impl<'t> Named<'t> {
    /// The one host: as it stands in the field where both name it, for that is what a signature covers.
    pub fn host(&self) -> Option<HostPort<'t>> {
        self.field.or(self.target)
    }
}

/// The host that a request names: in its target or `:authority`, in its `Host` field, or in both alike.
///
/// # Errors
/// It names several, or what it names is no host. RFC 9112 section 3.2 asks for that. Where target and field disagree, section
/// 3.2.2 has the target win and RFC 9113 section 8.3.1 has the request refused: it is refused in both, since whoever stands
/// before or behind may have read the other.
pub fn host_of(parts: &Parts) -> Result<Named<'_>, NoHost> {
    let mut fields = parts.headers.get_all(HOST).iter();
    let field = match fields.next() {
        Some(_) if fields.next().is_some() => return Err("stands in it more than once"),
        // An empty one says that the target has no authority, which no target of http may say.
        Some(field) if field.is_empty() => None,
        Some(field) => Some(HostPort::parse(field.to_str().map_err(|_| "is no name and no address")?)?),
        None => None,
    };
    let target = parts.uri.authority().map(|authority| HostPort::parse(authority.as_str())).transpose()?;
    match (field, target) {
        (Some(field), Some(target)) if !field.is(&target, parts.uri.scheme_str()) => {
            Err("is another than its target names")
        }
        _ => Ok(Named { field, target }),
    }
}

fn number(port: &str) -> Result<u16, NoHost> {
    let digits = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|number| digits && *number > 0);
    number.ok_or("has a port that is no number from 1 to 65535")
}

fn is_name(text: &str) -> bool {
    let mut last = b'.';
    text.bytes().all(|byte| {
        let fits =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && last != b'.');
        last = byte;
        fits
    }) && last != b'.'
}

/// An IPv6 address in brackets, without a zone, which means something on one machine only.
fn is_address(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| {
        let fits = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        (2..=45).contains(&inner.len())
            && inner.bytes().all(fits)
            && inner.bytes().filter(|byte| *byte == b':').count() >= 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_in_one_way() {
        let read = |text| HostPort::parse(text).map(|read| (read.host, read.port));
        for (text, host, port) in [
            ("ecs.cn-north-4.myhuaweicloud.com", "ecs.cn-north-4.myhuaweicloud.com", None),
            ("ECS.Example:443", "ECS.Example", Some(443)),
            ("a_b.example.", "a_b.example", None),
            ("a.example.:8080", "a.example", Some(8080)),
            ("127.0.0.1:8080", "127.0.0.1", Some(8080)),
            ("[::1]", "[::1]", None),
            ("[fe80::1:2]:65535", "[fe80::1:2]", Some(65535)),
        ] {
            assert_eq!(read(text), Ok((host, port)), "{text}");
        }
    }

    #[test]
    fn what_others_may_read_as_something_else_is_no_host() {
        for text in [
            "",
            ".",
            "a..b",
            ".a",
            "a.:",
            "a:",
            "a:0",
            "a:abc",
            "a:99999",
            "a:+80",
            "a:80:80",
            "a:8 0",
            "a b",
            "u@a",
            "u:p@a",
            "a/b",
            "a,b",
            "a%2eb",
            "a\\b",
            "a;b",
            "a?b",
            "a#b",
            "::1",
            "[::1",
            "[]",
            "[::1]x",
            "[fe80::1%25eth0]",
            "[::1]:",
            "[::1]:x",
            "ä.example",
        ] {
            assert!(HostPort::parse(text).is_err(), "{text}");
        }
        assert!(HostPort::parse(&"a".repeat(300)).is_err());
    }

    #[test]
    fn target_and_field_name_one_host() {
        let read = |target: &str, host: Option<&str>| {
            let mut request = http::Request::builder().uri(target);
            if let Some(host) = host {
                request = request.header(HOST, host);
            }
            let parts = request.body(()).expect("a request").into_parts().0;
            host_of(&parts).map(|read| read.host().map(|host| host.text.to_owned()))
        };
        let named = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(read("/x", Some("a.example")), named("a.example"));
        assert_eq!(read("http://a.example/x", None), named("a.example"));
        assert_eq!(read("/x", None), Ok(None));
        assert_eq!(read("/x", Some("")), Ok(None));
        assert_eq!(read("http://A.example:80/x", Some("a.example")), named("a.example"));
        assert_eq!(read("https://a.example/x", Some("a.example:443")), named("a.example:443"));
        assert!(read("http://a.example/x", Some("b.example")).is_err());
        assert!(read("http://a.example/x", Some("a.example:443")).is_err());
        assert!(read("http://u@a.example/x", None).is_err());
    }
}
