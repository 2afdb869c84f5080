//! Any reply to a known request (`docs/envelope.md` sections 3a and 9): no panic, one verdict for each asked item, an envelope
//! that is JSON and the same when no entry is read by example (a trace that records sees each). And a reply that proves less
//! is believed less: with an error at its root or in a header, with another status, cut short, under strict handling.
//!
//! The first two bytes choose the conversation of `tests/profiles`, the third the status, the rest is the reply's body; no
//! body means the conversation's own.
#![no_main]

mod edits; // bodies changed member by member

use std::path::Path;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use onevelope::cli::find_cases;
use onevelope::decode::{Bounds, decode_content};
use onevelope::envelope::{BatchOutcome, Envelope, Evidence, Outcome, Writer};
use onevelope::judge::Trace;
use onevelope::message::Message;
use onevelope::profile::{ProfileSet, load};
use onevelope::reply::{Incoming, Limits, RawPolicy, Wishes, translate};
use onevelope::request::{Head, Request, Scope, view};

const BOUNDS: Bounds = Bounds { depth: 64, nodes: 1 << 18, decoded: 1 << 20 };
const LIMITS: Limits =
    Limits { decoded_body: 1 << 20, ratio: 100, bounds: BOUNDS, items: 1 << 18, envelope: 1 << 30 };
const STATUSES: [u16; 12] = [200, 201, 202, 204, 207, 302, 400, 403, 404, 409, 429, 503];
/// Bytes before the body.
const CHOICE: usize = 3;

static SET: LazyLock<ProfileSet> = LazyLock::new(|| load(None).expect("the built-in profiles"));
static CASES: LazyLock<Vec<Case>> = LazyLock::new(cases);

/// A conversation: what was asked, and how the reply came.
struct Case {
    name: String,
    request: Request,
    status: u16,
    headers: HeaderMap,
    /// Without content coding.
    body: Vec<u8>,
    /// Ids that were asked for.
    ids: Vec<String>,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/profiles");
    let found = find_cases(&root).expect("cases").into_iter().filter_map(|case| {
        let message = |file: &str| Message::parse(&std::fs::read(case.dir.join(file)).ok()?).ok();
        let (asked, mut reply) = (message("request.http")?, message("reply.http")?);
        let (host, (path, query)) = (asked.host(), asked.path_and_query());
        let method = asked.method.clone()?;
        let head = Head { method: &method, host: host.as_deref(), path, query, headers: &asked.headers };
        let profile = case.profile();
        let scope = Scope { vendor: None, profile: Some(&profile) };
        let request = view(&SET, &scope, &head, &asked.body, Bounds::default()).ok()?;
        let ids =
            (0..request.asked.len()).filter_map(|item| request.asked.id(item)).map(str::to_owned).collect();
        if let Some(coding) = reply.headers.remove(http::header::CONTENT_ENCODING) {
            reply.body = decode_content(&reply.body, coding.to_str().ok()?, 1 << 20, 100).ok()?.into_owned();
        }
        let Message { status, headers, body, .. } = reply;
        (body.len() < 1 << 12).then(|| Case { name: case.name(), request, status, headers, body, ids })
    });
    found.collect()
}

fn case(data: &[u8]) -> &'static Case {
    &CASES[usize::from(u16::from_le_bytes([data[0], data[1]])) % CASES.len()]
}

/// What an envelope calls whom.
struct Seen {
    batch: BatchOutcome,
    /// The asked items, in their order, then what the vendor volunteered.
    verdicts: Vec<(Option<u32>, Outcome, Evidence)>,
}

impl Seen {
    fn of(envelope: &Envelope<'_>) -> Self {
        let counted = envelope.results.iter().filter(|verdict| verdict.occurrence == 0);
        let verdicts = counted.map(|verdict| (verdict.index, verdict.outcome, verdict.evidence));
        Self { batch: envelope.outcome, verdicts: verdicts.collect() }
    }

    fn is_good(&self) -> bool {
        matches!(self.batch, BatchOutcome::Succeeded | BatchOutcome::Accepted)
    }

    /// No asked item is good that was worse before.
    fn no_item_rise(&self, before: &Self) -> Result<(), String> {
        for (index, outcome, evidence) in &self.verdicts {
            let own = |other: &&(Option<u32>, Outcome, Evidence)| index.is_some() && other.0 == *index;
            let Some((_, was, _)) = before.verdicts.iter().find(own) else { continue };
            if outcome.is_good() && outcome.badness() < was.badness() {
                return Err(format!("item {index:?} rose from {was:?} to {outcome:?}/{evidence:?}"));
            }
        }
        Ok(())
    }

    /// Nor is the batch.
    fn no_rise(&self, before: &Self) -> Result<(), String> {
        self.no_item_rise(before)?;
        if self.is_good() && !before.is_good() {
            return Err(format!("the batch rose from {:?} to {:?}", before.batch, self.batch));
        }
        Ok(())
    }

    /// What is good is good by an entry of its own.
    fn reported(&self) -> Result<(), String> {
        match self.verdicts.iter().find(|(_, outcome, how)| outcome.is_good() && *how != Evidence::Reported) {
            Some((index, outcome, how)) => Err(format!("item {index:?} is still {outcome:?}/{how:?}")),
            None => Ok(()),
        }
    }
}

/// A reply to a case.
#[derive(Clone, Copy)]
struct Sent<'a> {
    case: &'a Case,
    status: u16,
    headers: &'a HeaderMap,
    body: &'a [u8],
    cut: bool,
    strict: bool,
}

impl Sent<'_> {
    fn judged(self) -> Seen {
        self.written(Trace::default()).1
    }

    fn written(self, mut trace: Trace) -> (Vec<u8>, Seen) {
        let Self { case: Case { request, .. }, status, headers, body, cut, strict } = self;
        let incoming = Incoming { status, headers, body, cut };
        let wishes = Wishes { strict, data: true, raw: RawPolicy::Never };
        translate(request, &incoming, &LIMITS, wishes, &mut trace, |envelope, text, _| {
            let own = envelope.results.iter().filter(|verdict| verdict.occurrence == 0);
            let indices: Vec<_> = own.clone().map_while(|verdict| verdict.index).collect();
            let asked: Vec<_> = (0..request.asked.len()).map(|item| request.asked.index(item)).collect();
            assert!(indices.starts_with(&asked), "each asked item once, in its order");
            let all = &envelope.summary;
            let parts = all.succeeded + all.accepted + all.failed + all.not_attempted + all.unknown;
            assert_eq!(
                (all.total, own.count()),
                (parts, parts as usize),
                "the total is the sum of its parts"
            );
            let json = Writer { id: "x", attempts: 1, ..Writer::default() }.write(envelope, text).concat();
            let value: serde_json::Value = serde_json::from_slice(&json).expect("the envelope is JSON");
            assert_eq!(value["summary"]["total"].as_u64(), Some(u64::from(all.total)));
            (json, Seen::of(envelope))
        })
    }

    fn check(self) -> Result<(), String> {
        let (json, before) = self.written(Trace::default());
        assert!(json == self.written(Trace::on()).0, "an entry read by example says something else");
        let told = |what: &str, held: Result<(), String>| held.map_err(|cause| format!("{what}: {cause}"));
        let strict = Sent { strict: true, ..self }.judged();
        told("strict handling", strict.no_rise(&before))?;
        if strict.verdicts.iter().any(|(_, outcome, how)| outcome.is_good() && *how == Evidence::Inferred) {
            return Err("strict handling infers".to_owned());
        }
        for at in [self.body.len() / 3, self.body.len().saturating_sub(1)] {
            told("cut", Sent { body: &self.body[..at], cut: true, ..self }.judged().no_rise(&before))?;
        }
        let after = Sent { status: 500, ..self }.judged();
        // The batch follows from its items: what is an error under a good status may be none under this one.
        told("status 500", after.no_item_rise(&before).and_then(|()| after.reported()))?;
        let mut headers = self.headers.clone();
        headers.insert("x-fuzz-error", HeaderValue::from_static("boom"));
        told("an error header", Sent { headers: &headers, ..self }.vetoed())?;
        let harmless = self.case.request.profile.harmless();
        let harmless = |name: &str| harmless.iter().any(|own| own.eq_ignore_ascii_case(name));
        for (name, value) in edits::ERRORS.iter().filter(|(name, _)| !harmless(name)) {
            if let Some(body) = edits::injected(self.body, name, value) {
                let what = format!("{name}: {value} at the root");
                told(&what, Sent { body: body.as_bytes(), ..self }.vetoed())?;
            }
        }
        Ok(())
    }

    /// A failure is stated of the call: only entries are believed.
    fn vetoed(self) -> Result<(), String> {
        let after = self.judged();
        after.reported()?;
        if after.is_good() { Err(format!("the batch is {:?}", after.batch)) } else { Ok(()) }
    }
}

fuzz_target!(|data: &[u8]| {
    let [_, _, status, body @ ..] = data else { return };
    let case = case(data);
    let status = STATUSES.get(usize::from(*status)).copied().unwrap_or(case.status);
    let body = if body.is_empty() { &case.body } else { body };
    let sent = Sent { case, status, headers: &case.headers, body, cut: false, strict: false };
    // Bytes do not show whose conversation it was.
    if let Err(what) = sent.check() {
        panic!("{} under {status}: {what}: {}", case.name, String::from_utf8_lossy(body));
    }
});

// Mostly members moved about in a conversation's own reply; bytes now and then.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = edits::Dice::new(seed);
    let fresh = size < CHOICE || dice.one_in(50);
    if fresh {
        if max_size < CHOICE {
            return size;
        }
        let choice = dice.below(CASES.len()) as u16;
        data[..2].copy_from_slice(&choice.to_le_bytes());
    }
    if fresh || dice.one_in(6) {
        data[2] = if dice.one_in(3) { dice.below(STATUSES.len()) as u8 } else { u8::MAX };
    }
    let case = case(data);
    let body = if fresh || size == CHOICE { &case.body[..] } else { &data[CHOICE..size] };
    let mut edited = None;
    for _ in 0..=dice.below(3) {
        let current: &[u8] = edited.as_ref().map_or(body, String::as_bytes);
        edited = edits::edited(current, &case.ids, &mut dice).or(edited);
    }
    match edited.filter(|text| !dice.one_in(10) && text.len() <= max_size - CHOICE) {
        Some(text) => {
            data[CHOICE..CHOICE + text.len()].copy_from_slice(text.as_bytes());
            CHOICE + text.len()
        }
        None => {
            let length = body.len().min(max_size - CHOICE);
            if fresh || size == CHOICE {
                data[CHOICE..CHOICE + length].copy_from_slice(&case.body[..length]);
            }
            CHOICE + fuzzer_mutate(&mut data[CHOICE..], length, max_size - CHOICE)
        }
    }
});
