//! File → [`Profile`]. Every check happens here, and every problem of a file is told at once.

use std::sync::Arc;

mod proof; // no good without proof
mod reply; // [reply]
mod request; // [request], [[actions]]
mod weighed; // which members the rules weigh
mod words; // texts, words, wires, conditions

use super::action::HostPattern;
use super::codes::CodeTable;
use super::file::{CodesFile, FamilyFile, Texts, VendorFile};
use super::place::{Place, RequestPlace};
use super::{Profile, Vendor};
use crate::decode::Pointer;
use reply::reply_rules;
use request::build_actions;
use words::lower;

/// Builds what a vendor's families share.
///
/// # Errors
/// Every problem found, each naming its key.
pub(super) fn vendor(name: &str, file: &VendorFile, codes: &CodesFile) -> Result<Arc<Vendor>, Vec<String>> {
    let mut check = Check::default();
    for (shape, reply) in &file.replies {
        if reply.like.is_some() {
            check.problem(format!("[replies.{shape}] like: a shape is not like another: write it out"));
        }
    }
    let hosts =
        file.hosts.0.iter().filter_map(|text| check.keep("hosts", HostPattern::parse(text))).collect();
    let region = check.request_places("region", &file.region);
    let dry_run = file
        .dry_run
        .iter()
        .map(|row| (check.request_places("dry_run.at", &row.at), lower(&row.equals)))
        .collect();
    let dry_run_codes = lower(&file.dry_run_codes);
    check.done(Arc::new(Vendor {
        name: name.to_owned(),
        hosts,
        region,
        dry_run,
        dry_run_codes,
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
) -> Result<Profile, Vec<String>> {
    let mut check = Check::default();
    if file.source.0.iter().all(|s| s.trim().is_empty()) {
        check.problem("source is missing: page title and date, or what was captured".to_owned());
    }
    if file.status.is_none() {
        check.problem("status is missing: documented, captured or guessed".to_owned());
    }
    if file.request.name.is_some() || !file.request.names.0.is_empty() {
        check.problem("[request] name: an action's name stands in its [[actions]]".to_owned());
    }
    if file.actions.is_empty() {
        check.problem("no [[actions]]: nothing would ever be recognised".to_owned());
    }
    let mut actions = Vec::new();
    for (at, action) in file.actions.iter().enumerate() {
        check.within(format!("[[actions]] {}", at + 1), |check| {
            build_actions(check, file, action, &mut actions);
        });
    }
    let mut reply = None;
    check.within("[reply]".to_owned(), |check| reply = Some(reply_rules(check, shared, &file.reply)));
    let reply = reply.unwrap_or_default();
    if super::load::PROOF.load(std::sync::atomic::Ordering::Relaxed) {
        proof::proof(&mut check, &reply, &file.reply, file.status.unwrap_or(super::Status::Guessed));
    }
    actions.shrink_to_fit();
    let kept = std::mem::take(&mut check.kept);
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

/// Collects problems; `within` says where they are.
#[derive(Default)]
struct Check {
    problems: Vec<String>,
    place: Vec<String>,
    kept: Vec<RequestPlace>,
}

impl Check {
    fn done<T>(self, value: T) -> Result<T, Vec<String>> {
        if self.problems.is_empty() { Ok(value) } else { Err(self.problems) }
    }

    fn problem(&mut self, what: String) {
        let place = self.place.join(" ");
        self.problems.push(if place.is_empty() { what } else { format!("{place}: {what}") });
    }

    fn within<T>(&mut self, place: String, run: impl FnOnce(&mut Self) -> T) -> T {
        self.place.push(place);
        let value = run(self);
        self.place.pop();
        value
    }

    fn keep<T>(&mut self, key: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|what| self.problem(format!("{key}: {what}"))).ok()
    }

    fn request_places(&mut self, key: &str, texts: &Texts) -> Vec<RequestPlace> {
        texts.0.iter().filter_map(|text| self.keep(key, RequestPlace::parse(text))).collect()
    }

    fn places(&mut self, key: &str, texts: &Texts) -> Vec<Place> {
        let mut found = Vec::new();
        for text in &texts.0 {
            let mut kept = std::mem::take(&mut self.kept);
            let place = Place::parse(text, &mut kept);
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
}
