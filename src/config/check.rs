//! What types cannot tell: names that must exist, URLs that must parse, things that exclude each other.

use std::time::Duration;

use super::problem::locate;
use super::{BreakerConfig, ByteSize, Config, Problem, RouteConfig, UpstreamConfig};
use crate::profile::{HostPattern, ProfileSet};

/// Every problem of a typed configuration.
pub(super) fn check(config: &Config, profiles: &ProfileSet, file: &str, text: &str) -> Vec<Problem> {
    let mut check = Check { file, text, problems: Vec::new() };
    if config.routes.is_empty() {
        check.problem(&["routes"], "there are no routes: add [routes.<name>] with `upstream`".to_owned());
    }
    for (name, route) in &config.routes {
        check.route(name, route, config, profiles);
    }
    for (name, upstream) in &config.upstreams {
        check.upstream(name, upstream, config);
    }
    check.listeners(config);
    for (path, what) in config.events.problems() {
        check.problem(path, what);
    }
    check.limits(config);
    if let Some(breaker) = &config.breaker {
        check.breaker(breaker);
    }
    check.waits(config);
    check.problems
}

/// Longest body that is read: a string of an envelope has 28 bits for its length.
const LONGEST: usize = (256 << 20) - 1;

/// Bounds of time limits. Tests have short ones.
const SHORTEST: Duration = Duration::from_millis(10);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A bound for people.
fn in_words(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        LONGEST => "256 MiB less one byte".to_owned(),
        _ if bytes >= 1 << 30 => format!("{} GiB", bytes >> 30),
        _ => format!("{} KiB", bytes >> 10),
    }
}

struct Check<'c> {
    file: &'c str,
    text: &'c str,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, path: &[&str], what: String) {
        let at = locate(self.text, path);
        self.problems.push(Problem { file: self.file.to_owned(), at, what });
    }

    fn route(&mut self, name: &str, route: &RouteConfig, config: &Config, profiles: &ProfileSet) {
        let at = |key| ["routes", name, key];
        if route.upstream.is_empty() {
            self.problem(
                &at("upstream"),
                format!("routes.{name}: upstream is missing: name one of [upstreams.<name>]"),
            );
        } else if !config.upstreams.contains_key(&route.upstream) {
            let known: Vec<&str> = config.upstreams.keys().map(String::as_str).collect();
            let what = format!("there is no [upstreams.{}]; there are: {}", route.upstream, known.join(", "));
            self.problem(&at("upstream"), what);
        }
        if let Some(vendor) = &route.vendor
            && !profiles.known_vendors().contains(vendor)
        {
            let known = profiles.known_vendors().join(", ");
            self.problem(&at("vendor"), format!("no profiles for vendor {vendor:?}; known: {known}"));
        }
        if let Some(listener) = &route.listener
            && !config.listen.listeners.contains_key(listener)
        {
            self.problem(&at("listener"), format!("there is no [listen.{listener}]"));
        }
        if let Some(prefix) = &route.prefix
            && !is_prefix(prefix)
        {
            let what = "must begin with `/`, and its segments hold letters, digits, `-`, `_`, `~` and dots not in front";
            self.problem(&at("prefix"), format!("{prefix:?} {what}"));
        }
        let pattern = match &route.host {
            None => None,
            Some(host) => match HostPattern::parse(host) {
                Ok(pattern) if !host.contains(':') && !host.contains('/') => Some(pattern),
                _ => {
                    self.problem(
                        &at("host"),
                        format!("{host:?} is no host: labels and {{name}}, without scheme, port and path"),
                    );
                    None
                }
            },
        };
        let captures: Vec<&str> = pattern.iter().flat_map(HostPattern::names).collect();
        let url = config.upstreams.get(&route.upstream).map_or("", |u| u.url.as_str());
        for name in names_in(url).into_iter().filter(|name| !captures.contains(name)) {
            let what =
                format!("the upstream's url uses {{{name}}}, which this route's host does not capture");
            self.problem(&at("host"), what);
        }
        for (other, their) in config.routes.range(..name.to_owned()) {
            let same = |r: &RouteConfig| (r.host.clone(), r.prefix.clone(), r.listener.clone());
            if same(their) == same(route) {
                self.problem(
                    &["routes", name],
                    format!(
                        "the same host, prefix and listener as [routes.{other}]: it would never be reached"
                    ),
                );
            }
        }
    }

    fn upstream(&mut self, name: &str, upstream: &UpstreamConfig, config: &Config) {
        let at = |key| ["upstreams", name, key];
        if let Err(what) = check_url(&upstream.url) {
            self.problem(
                &at("url"),
                format!("upstreams.{name}: {what}; write it as \"https://host[:port][/base]\""),
            );
        }
        if upstream.credentials.is_some() {
            let what = "the gateway does not sign requests yet; remove `credentials` and let the client sign"
                .to_owned();
            self.problem(&at("credentials"), what);
        }
        if !(1..=1_000_000).contains(&upstream.max_concurrent) {
            let what = format!("upstreams.{name}: max_concurrent must be from 1 to 1000000");
            self.problem(&at("max_concurrent"), what);
        }
        if upstream.max_queued > 1_000_000 {
            let what = format!("upstreams.{name}: max_queued must be at most 1000000; 0: no call waits");
            self.problem(&at("max_queued"), what);
        }
        let waits = [
            ("connect_timeout", upstream.connect_timeout, "5s"),
            ("queue_timeout", upstream.queue_timeout, "5s"),
            ("head_timeout", upstream.head_timeout, "60s"),
            ("body_timeout", upstream.body_timeout, "60s"),
        ];
        for (key, wait, mend) in waits.into_iter().filter(|(_, wait, _)| wait.0.is_zero()) {
            let wait = humantime::format_duration(wait.0);
            let what = format!(
                "upstreams.{name}: {key} = \"{wait}\" ends every call at once; write it as {mend:?}, say"
            );
            self.problem(&at(key), what);
        }
        if let Some(ca) = &upstream.ca
            && !ca.is_file()
        {
            self.problem(&at("ca"), format!("there is no file {}", ca.display()));
        }
        if !config.routes.values().any(|route| route.upstream == *name) {
            self.problem(
                &["upstreams", name],
                format!("no route uses upstreams.{name}: remove it, or name it in a route"),
            );
        }
    }

    /// Both ends of each limit: below the one nothing is served or read, above the other positions, counters or the stack end.
    fn limits(&mut self, config: &Config) {
        let limits = &config.limits;
        let sizes = [
            ("request_body", limits.request_body, 1, LONGEST, "8 MiB"),
            ("reply_body", limits.reply_body, 1, LONGEST, "16 MiB"),
            ("decoded_body", limits.decoded_body, 1, LONGEST, "64 MiB"),
            ("envelope", limits.envelope, 64 << 10, 4 << 30, "64 MiB"),
            ("memory", limits.memory, 64 << 10, 1 << 40, "512 MiB"),
        ];
        for (key, ByteSize(size), least, most, mend) in sizes {
            if !(least..=most).contains(&size) {
                let (least, most) = (in_words(least), in_words(most));
                let what =
                    format!("limits.{key} must be from {least} to {most}; write it as {key} = {mend:?}, say");
                self.problem(&["limits", key], what);
            }
        }
        let counts = [
            ("decompression_ratio", limits.decompression_ratio, 1_000_000, "200"),
            ("json_depth", limits.json_depth, 512, "128"),
            ("items", limits.items, 8_000_000, "250_000"),
            ("in_flight", limits.in_flight, 1_000_000, "20_000"),
            ("connections", limits.connections, 1_000_000, "10_000"),
        ];
        for (key, count, most, mend) in counts {
            if !(1..=most).contains(&count) {
                let what = format!("limits.{key} must be from 1 to {most}; write it as {key} = {mend}, say");
                self.problem(&["limits", key], what);
            }
        }
    }

    fn breaker(&mut self, breaker: &BreakerConfig) {
        if !(breaker.failures > 0.0 && breaker.failures <= 1.0) {
            let what = "breaker.failures is a share: above 0 and up to 1; write it as failures = 0.5, say";
            self.problem(&["breaker", "failures"], what.to_owned());
        }
        if !(1..=1_000_000).contains(&breaker.calls) {
            let what = "breaker.calls must be from 1 to 1000000; write it as calls = 20, say";
            self.problem(&["breaker", "calls"], what.to_owned());
        }
        for (key, span, mend) in [("window", breaker.window, "10s"), ("open", breaker.open, "5s")] {
            if span.0.is_zero() || span.0 > DAY {
                let what =
                    format!("breaker.{key} must be above 0 and at most a day; write it as {mend:?}, say");
                self.problem(&["breaker", key], what);
            }
        }
    }

    /// Both ends of a client's times: too short cuts everybody, too long is no limit.
    fn waits(&mut self, config: &Config) {
        let limits = &config.limits;
        let waits = [
            ("header_timeout", limits.header_timeout, "30s"),
            ("body_idle_timeout", limits.body_idle_timeout, "60s"),
            ("write_timeout", limits.write_timeout, "60s"),
            ("idle_timeout", limits.idle_timeout, "75s"),
        ];
        for (key, wait, mend) in waits {
            if !(SHORTEST..=DAY).contains(&wait.0) {
                let what =
                    format!("limits.{key} must be from 10ms to 24h; write it as {key} = {mend:?}, say");
                self.problem(&["limits", key], what);
            }
        }
    }

    fn listeners(&mut self, config: &Config) {
        let mut seen = vec![("admin".to_owned(), config.admin.address)];
        for (name, listener) in &config.listen.listeners {
            let mut path = vec!["listen"];
            if !name.is_empty() {
                path.push(name);
            }
            path.push("address");
            if let Some((other, _)) = seen.iter().find(|(_, a)| *a == listener.address && a.port() != 0) {
                let what = format!("{} is taken by {other} already", listener.address);
                self.problem(&path, what);
            }
            seen.push((format!("listen.{name}"), listener.address));
            let files =
                listener.tls.iter().flat_map(|tls| [Some(&tls.cert), Some(&tls.key), tls.client_ca.as_ref()]);
            for missing in files.flatten().filter(|file| !file.is_file()) {
                path.pop();
                path.push("tls");
                self.problem(&path, format!("there is no file {}", missing.display()));
            }
        }
    }
}

/// A prefix that all servers read alike: what is compared with it may be spelled in other ways.
fn is_prefix(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.');
    let segment = |step: &str| !step.is_empty() && !step.starts_with('.') && step.bytes().all(plain);
    let steps = text.strip_prefix('/').map(|rest| rest.trim_end_matches('/'));
    steps.is_some_and(|steps| steps.is_empty() || steps.split('/').all(segment))
}

/// The `{name}`s of a template.
pub(super) fn names_in(template: &str) -> Vec<&str> {
    template.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}

fn check_url(url: &str) -> Result<(), String> {
    if url.is_empty() {
        return Err("url is missing".to_owned());
    }
    // A capture stands for one label.
    // First, so that no later word shows it.
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest.split('/').next().unwrap_or(rest));
    if authority.contains('@') {
        return Err("url holds a user or a password, which would not be sent".to_owned());
    }
    let plain = url.replace(['{', '}'], "");
    let parsed: http::Uri = plain.parse().map_err(|_| format!("{url:?} is no URL"))?;
    match parsed.scheme_str() {
        Some("http" | "https") if parsed.authority().is_some() && parsed.query().is_none() => Ok(()),
        _ => Err(format!("{url:?} is no http or https URL without query")),
    }
}
