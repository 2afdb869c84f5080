//! File → [`Profile`]. Every check happens here, and every problem of a file is told at once.

use std::sync::Arc;

mod proof; // no good without proof
mod reply; // [reply]
mod request; // [request], [[actions]]
mod weighed; // which members the rules weigh
mod words; // texts, words, wires, conditions

use super::action::Action;
use super::codes::CodeTable;
use super::file::{CodesFile, FamilyFile, Texts, VendorFile};
use super::pattern::{HostPattern, PathPattern};
use super::place::{Place, RequestPlace};
use super::spot::{self, Step};
use super::{DryRun, Profile, Vendor};
use crate::decode::Pointer;
use reply::{code_cuts, outer_rule, reply_rules};
use request::build_actions;
use words::lower;

/// Builds what a vendor's families share.
///
/// # Errors
/// Every problem found, each naming its key.
pub(super) fn vendor(name: &str, file: &VendorFile, codes: &CodesFile) -> Result<Arc<Vendor>, Vec<Problem>> {
    let mut check = Check::default();
    for (shape, reply) in &file.replies {
        if reply.like.is_some() {
            let steps = table("replies").into_iter().chain(table(shape));
            let place = format!("[replies.{shape}]");
            check
                .within(place, steps, |check| check.key("like", "a shape is not like another: write it out"));
        }
    }
    let hosts =
        file.hosts.0.iter().filter_map(|text| check.keep("hosts", HostPattern::parse(text))).collect();
    let hosts: Vec<HostPattern> = hosts;
    check.hosts = host_names(&hosts);
    let region = check.request_places("region", &file.region);
    for (at, outer) in file.outer.iter().enumerate() {
        check.within("[[outer]]".to_owned(), row("outer", at), |check| outer_rule(check, outer));
    }
    check.places("request_id", &file.request_id);
    code_cuts(&mut check, file.code_after.as_ref(), file.code_before.as_ref());
    let dry_run = file
        .dry_run
        .iter()
        .enumerate()
        .map(|(at, mark)| {
            let places = |check: &mut Check| check.request_places("at", &mark.at);
            let at = check.within("dry_run".to_owned(), row("dry_run", at), places);
            let (services, actions) = (mark.services.0.clone(), mark.actions.0.clone());
            DryRun { at, equals: lower(&mark.equals), services, actions }
        })
        .collect();
    let dry_run_codes = lower(&file.dry_run_codes);
    let around = |text: &String| text.split_once('*').map(|(a, b)| (a.to_owned(), b.to_owned()));
    let code_in_message = file.code_in_message.as_ref().and_then(|text| {
        check.keep(
            "code_in_message",
            around(text).ok_or_else(|| "what stands around the code, as \"(*)\"".to_owned()),
        )
    });
    check.done(Arc::new(Vendor {
        name: name.to_owned(),
        hosts,
        region,
        dry_run,
        dry_run_codes,
        dry_run_status: file.dry_run_status.clone(),
        code_in_message,
        generic: file.generic,
        any_case: file.any_case,
        repeats: file.repeats,
        from_one: file.from_one,
        codes: CodeTable::compile(codes),
    }))
}

/// Builds one family.
///
/// # Errors
/// Every problem found, each naming its key.
pub(super) fn family(
    vendor: &Arc<Vendor>,
    shared: &VendorFile,
    name: &str,
    file: &FamilyFile,
) -> Result<Profile, Vec<Problem>> {
    let mut check = Check { hosts: host_names(&vendor.hosts), ..Check::default() };
    if file.source.0.iter().all(|s| s.trim().is_empty()) {
        check.problem("source is missing: page title and date, or what was captured".to_owned());
    }
    if file.status.is_none() {
        check.problem("status is missing: documented, captured or guessed".to_owned());
    }
    if file.request.name.is_some() || !file.request.names.0.is_empty() {
        let name = if file.request.name.is_some() { "name" } else { "names" };
        let what = "an action's name stands in its [[actions]]";
        check.within("[request]".to_owned(), table("request"), |check| check.key(name, what));
    }
    if file.actions.is_empty() {
        check.problem("no [[actions]]: nothing would ever be recognised".to_owned());
    }
    let mut actions = Vec::new();
    for (at, action) in file.actions.iter().enumerate() {
        check.paths = Some(Vec::new());
        check.within(format!("[[actions]] {}", at + 1), row("actions", at), |check| {
            build_actions(check, file, action, &mut actions);
        });
    }
    let patterns = actions.iter().flat_map(|action: &Action| &action.paths);
    check.paths = Some(path_names(patterns));
    let reply =
        check.within("[reply]".to_owned(), table("reply"), |check| reply_rules(check, shared, &file.reply));
    check.within("[reply]".to_owned(), table("reply"), |check| {
        proof::proof(check, &reply, &file.reply, file.status.unwrap_or(super::Status::Guessed));
    });
    let mut kept = std::mem::take(&mut check.kept);
    if vendor.any_case {
        actions = actions.into_iter().map(Action::in_any_case).collect();
        kept = kept.into_iter().map(RequestPlace::loose).collect();
    }
    actions.shrink_to_fit();
    check.done(Profile {
        name: format!("{}/{name}", vendor.name),
        vendor: Arc::clone(vendor),
        family: name.to_owned(),
        services: file.service.0.clone(),
        source: file.source.0.join("; "),
        status: file.status.unwrap_or(super::Status::Guessed),
        actions,
        reply,
        kept,
    })
}

/// Each name that patterns capture, once.
fn path_names<'p>(patterns: impl IntoIterator<Item = &'p PathPattern>) -> Vec<String> {
    once(patterns.into_iter().flat_map(PathPattern::names))
}

fn host_names(patterns: &[HostPattern]) -> Vec<String> {
    once(patterns.iter().flat_map(HostPattern::names))
}

fn once<'p>(names: impl Iterator<Item = &'p str>) -> Vec<String> {
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// What is wrong, and the way to it.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) steps: Vec<Step>,
    pub(super) what: String,
}

/// Collects problems; `within` says where they are.
#[derive(Default)]
struct Check {
    problems: Vec<Problem>,
    place: Vec<String>,
    steps: Vec<Step>,
    kept: Vec<RequestPlace>,
    /// Names that a path captures here; none: nobody knows them here.
    paths: Option<Vec<String>>,
    /// Names that the vendor's hosts capture.
    hosts: Vec<String>,
}

impl Check {
    fn done<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.problems.is_empty() { Ok(value) } else { Err(self.problems) }
    }

    fn problem(&mut self, what: String) {
        let place = self.place.join(" ");
        let what = if place.is_empty() { what } else { format!("{place}: {what}") };
        self.problems.push(Problem { steps: self.steps.clone(), what });
    }

    /// A problem of one key of the table at hand.
    fn key(&mut self, key: &str, what: &str) {
        let before = self.steps.len();
        self.steps.extend(spot::keys(key));
        self.problem(format!("{key}: {what}"));
        self.steps.truncate(before);
    }

    fn within<T>(
        &mut self,
        place: String,
        steps: impl IntoIterator<Item = Step>,
        run: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.steps.len();
        self.place.push(place);
        self.steps.extend(steps);
        let value = run(self);
        self.steps.truncate(before);
        self.place.pop();
        value
    }

    fn keep<T>(&mut self, key: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|what| self.key(key, &what)).ok()
    }

    /// Refuses a place whose capture nothing here has.
    fn captured(&self, text: &str, place: &RequestPlace) -> Result<(), String> {
        let (what, name, known) = match place {
            RequestPlace::Path(Some(name)) => match &self.paths {
                Some(known) => ("path", name, known),
                None => return Ok(()),
            },
            RequestPlace::Host(name) => ("host", name, &self.hosts),
            _ => return Ok(()),
        };
        if known.iter().any(|known| **known == **name) {
            return Ok(());
        }
        Err(format!("{text:?}: no {what} has {{{name}}}; {}", braced(known)))
    }

    fn request_places(&mut self, key: &str, texts: &Texts) -> Vec<RequestPlace> {
        let place = |check: &mut Self, text: &String| {
            let place =
                RequestPlace::parse(text).and_then(|place| check.captured(text, &place).map(|()| place));
            check.keep(key, place)
        };
        texts.0.iter().filter_map(|text| place(self, text)).collect()
    }

    fn places(&mut self, key: &str, texts: &Texts) -> Vec<Place> {
        let mut found = Vec::new();
        for text in &texts.0 {
            let mut kept = std::mem::take(&mut self.kept);
            let place = Place::parse(text, &mut kept).and_then(|place| match &place {
                Place::Kept(at) => self.captured(text, &kept[*at]).map(|()| place),
                _ => Ok(place),
            });
            self.kept = kept;
            found.extend(self.keep(key, place));
        }
        found
    }

    fn pointers(&mut self, key: &str, texts: &Texts) -> Vec<Pointer> {
        let parse =
            |text: &String| Pointer::parse(text.strip_prefix('$').unwrap_or(text)).map_err(|e| e.to_string());
        texts.0.iter().filter_map(|text| self.keep(key, parse(text))).collect()
    }

    /// Refuses an empty text where one is given.
    fn said(&mut self, key: &str, text: Option<&String>, otherwise: &str) {
        if text.is_some_and(String::is_empty) {
            self.key(key, &format!("an empty text {otherwise}: leave the key out"));
        }
    }
}

/// The steps to a row of a list of tables.
fn row(list: &str, at: usize) -> [Step; 2] {
    [Step::Key(list.to_owned()), Step::Row(at)]
}

/// The step to a table.
fn table(key: &str) -> [Step; 1] {
    [Step::Key(key.to_owned())]
}

/// Names that may stand in braces.
fn braced(names: &[String]) -> String {
    if names.is_empty() {
        return "there is no {name} at all".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
    format!("there is {}", names.join(", "))
}
