//! `[reply]`: how an answer is read.

use super::request::nested;
use super::weighed::weigh;
use super::words::{reply_wire, when, words};
use super::{Check, row, table};
use crate::decode::Pointer;
use crate::envelope::{Evidence, Outcome};
use crate::profile::file::{
    Decode, EntryFile, OutcomeFile, OutcomeTable, OuterFile, ReplyFile, Texts, VendorFile, WholeEvidence,
    WholeFile,
};
use crate::profile::place::Place;
use crate::profile::reply::{
    Announced, Each, EntryRule, Join, OutcomeRule, OuterRule, ReplyRules, Weighed, WholeRule, Word,
};

pub(super) fn reply_rules(check: &mut Check, shared: &VendorFile, file: &ReplyFile) -> ReplyRules {
    let absent_when = file
        .absent_when
        .iter()
        .enumerate()
        .map(|(at, file)| {
            check.within("[[reply.absent_when]]".to_owned(), row("absent_when", at), |check| {
                (when(check, &file.when), file.outcome, file.category)
            })
        })
        .collect();
    let entries: Vec<EntryRule> = file
        .entries
        .iter()
        .enumerate()
        .map(|(at, entry)| {
            let place = format!("[[reply.entries]] {}", at + 1);
            check.within(place, row("entries", at), |check| entry_rule(check, entry, at + 1))
        })
        .collect();
    let whole = file
        .whole
        .iter()
        .enumerate()
        .map(|(at, file)| {
            let place = format!("[[reply.whole]] {}", at + 1);
            check.within(place, row("whole", at), |check| whole_rule(check, file, at + 1))
        })
        .collect();
    let own = file.outer.iter().map(|file| ("[[reply.outer]]", file)).enumerate();
    let shared_rows = shared.outer.iter().map(|file| ("vendor.toml [[outer]]", file)).enumerate();
    let outer = own.chain(shared_rows).map(|(at, (place, file))| {
        check.within(place.to_owned(), row("outer", at), |check| outer_rule(check, file))
    });
    let outer = outer.collect();
    code_cuts(check, file.code_after.as_ref(), file.code_before.as_ref());
    let counts = file.counts.clone().unwrap_or_default();
    let announced = file.announced.as_ref().map(|row| Announced {
        count: check.places("announced.count", &row.count),
        running_by: check.places("announced.running.by", &row.running.by),
        running: words(&row.running.texts),
    });
    let mut rules = ReplyRules {
        wire: reply_wire(file.wire),
        text: file.text,
        absent: file.absent.unwrap_or(Word::Is(Outcome::Unknown)),
        absent_category: file.absent_category,
        absent_when,
        task: check.places("task", &file.task),
        request_id: check.places("request_id", &shared.request_id),
        secrets: check.pointers("secrets", &file.secrets),
        code_after: file.code_after.clone().or_else(|| shared.code_after.clone()),
        code_before: file.code_before.clone().or_else(|| shared.code_before.clone()),
        outer,
        own_outer: file.outer.len(),
        echoes: entries.iter().any(|entry| entry.join.contains(&Join::Echo)),
        entries,
        whole,
        counted_good: check.places("counts.succeeded", &counts.succeeded),
        counted_failed: check.places("counts.failed", &counts.failed),
        counted_all: check.places("counts.total", &counts.total),
        announced,
        absent_status: file.absent_status.clone(),
        errors: check.places("errors", &Texts([&file.errors.0[..], &shared.errors.0].concat())),
        harmless: [&file.harmless.0[..], &shared.harmless.0].concat(),
        about: check.places("about", &file.about),
        aliases: file.aliases,
        volunteers: file.volunteers,
        root: file.root.0.clone(),
        weighed: Weighed::default(),
    };
    weigh(&mut rules);
    rules
}

/// `code_after` and `code_before`: an empty text would cut every code to nothing.
pub(super) fn code_cuts(check: &mut Check, after: Option<&String>, before: Option<&String>) {
    check.said("code_after", after, "is behind every code");
    check.said("code_before", before, "is before every code");
}

pub(super) fn outer_rule(check: &mut Check, file: &OuterFile) -> OuterRule {
    if file.code.0.is_empty() && file.status.0.is_empty() {
        check.problem("neither code nor status".to_owned());
    }
    let (code, message) = (check.places("code", &file.code), check.places("message", &file.message));
    OuterRule {
        when: check.within("when".to_owned(), table("when"), |check| when(check, &file.when)),
        unwrap: file.unwrap,
        spared: spared(&code, &message),
        code,
        message,
        success: words(&file.success),
        summary: words(&file.summary),
        all_failed: words(&file.all_failed),
        status: check.places("status", &file.status),
        failed: words(&file.failed),
        category: file.category,
        retry_after: retry_after(check, &file.retry_after, &file.retry_after_ms),
    }
}

/// Places of a delay, with the milliseconds of their unit.
pub(super) fn retry_after(check: &mut Check, seconds: &Texts, millis: &Texts) -> Vec<(Place, u64)> {
    let seconds = check.places("retry_after", seconds).into_iter().map(|place| (place, 1000));
    let millis = check.places("retry_after_ms", millis).into_iter().map(|place| (place, 1));
    seconds.chain(millis).collect()
}

pub(super) fn entry_rule(check: &mut Check, file: &EntryFile, number: usize) -> EntryRule {
    let Some(each) = &file.each else {
        check.problem("each is missing".to_owned());
        return entry_rule(check, &EntryFile { each: Some(Texts::default()), ..file.clone() }, number);
    };
    let id = check.places("id", &file.id);
    let id_parts = check.places("id_parts", &file.id_parts);
    let join = joins(check, file, !id.is_empty() || !id_parts.is_empty());
    let outcome = outcome_rule(check, file.outcome.as_ref());
    let code = check.places("code", &file.code);
    let code_is_status =
        matches!(&outcome, OutcomeRule::By { places, .. } if code.iter().any(|c| places.contains(c)));
    EntryRule {
        number,
        when: check.within("when".to_owned(), table("when"), |check| when(check, &file.when)),
        filter: check.within("where".to_owned(), table("where"), |check| when(check, &file.filter)),
        fallback: file.fallback,
        only_asked: file.only_asked,
        each: check.pointers("each", each).into_iter().map(each_of).collect(),
        shape: file.shape,
        unwrap: file.unwrap,
        percent: file.decode == Some(Decode::Percent),
        join,
        key: check.places("key", &file.key),
        index: check.places("index", &file.index),
        index_base: file.index_base,
        index_default: file.index_default,
        from: check.places("from", &file.from),
        until: check.places("until", &file.until),
        code_is_status,
        fans_out: id_parts.is_empty() && fans_out(&id),
        outcome,
        code,
        message: check.places("message", &file.message),
        task: check.places("task", &file.task),
        category: file.category,
        retry_after: retry_after(check, &file.retry_after, &file.retry_after_ms),
        sender_fault: check.places("sender_fault", &file.sender_fault),
        id,
        id_parts,
        parent: check.places("parent", &file.parent),
        version: check.places("version", &file.version),
        port: check.places("port", &file.port),
        nested: nested(check, file.nested.as_ref()),
        exhaustive: file.exhaustive,
        mark: check.places("mark", &file.mark),
        lone: file.lone,
        weighed: Weighed::default(),
    }
}

/// Ways to what an outer shape reads when it reads its code: whatever holds it, and the message.
fn spared(code: &[Place], message: &[Place]) -> Vec<Pointer> {
    let here = |place: &Place| match place {
        Place::Here(way) | Place::Root(way) if !way.is_self() => Some(way.clone()),
        _ => None,
    };
    let holders = code.iter().filter_map(here);
    let holders = holders.map(|way| way.parent().filter(|up| !up.is_self()).unwrap_or(way));
    holders.chain(message.iter().filter_map(here)).collect()
}

fn each_of(way: Pointer) -> Each {
    match way.before_every() {
        Some(way) => Each { way, every: true },
        None => Each { way, every: false },
    }
}

/// Whether any place can lead to several nodes.
pub(super) fn fans_out(places: &[Place]) -> bool {
    places.iter().any(|place| matches!(place, Place::Here(p) | Place::Root(p) if p.has_every()))
}

pub(super) fn joins(check: &mut Check, file: &EntryFile, has_id: bool) -> Vec<Join> {
    let ranges = !file.from.0.is_empty() || !file.until.0.is_empty();
    if ranges != file.join.contains(&Join::Range) {
        match ranges {
            true => check.problem("from and until say nothing without join = \"range\"".to_owned()),
            false => check.key("join", "\"range\" without from or until"),
        }
    }
    if file.join.is_empty() {
        return vec![if has_id { Join::Id } else { Join::Position }];
    }
    let joins = file.join.clone();
    if joins.contains(&Join::Id) && !has_id {
        check.key("join", "\"id\" without id");
    }
    if joins.contains(&Join::Key) && file.key.0.is_empty() {
        check.key("join", "\"key\" without key");
    }
    if joins.contains(&Join::Index) && file.index.0.is_empty() {
        check.key("join", "\"index\" without index");
    }
    joins
}

fn outcome_rule(check: &mut Check, file: Option<&OutcomeFile>) -> OutcomeRule {
    match file {
        Some(OutcomeFile::Word(word)) => OutcomeRule::Always(*word),
        Some(OutcomeFile::Table(own)) => {
            check.within("outcome".to_owned(), table("outcome"), |check| outcome_table(check, own))
        }
        None => {
            check.problem("outcome is missing".to_owned());
            OutcomeRule::Always(Word::Unsaid)
        }
    }
}

pub(super) fn outcome_table(check: &mut Check, table: &OutcomeTable) -> OutcomeRule {
    if table.by.0.is_empty() {
        check.problem("by is missing".to_owned());
    }
    if table.otherwise.is_none() && !table.http {
        check.problem("otherwise is missing: what does a text in no list mean?".to_owned());
    }
    let lists = [
        (&table.silent, Word::Silent),
        (&table.failed, Word::Is(Outcome::Failed)),
        (&table.not_attempted, Word::Is(Outcome::NotAttempted)),
        (&table.unknown, Word::Is(Outcome::Unknown)),
        (&table.accepted, Word::Is(Outcome::Accepted)),
        (&table.succeeded, Word::Is(Outcome::Succeeded)),
        (&table.done, Word::Done),
    ];
    let mut seen: Vec<String> = Vec::new();
    for text in lists.iter().flat_map(|(texts, _)| &texts.0) {
        if seen.contains(&text.to_lowercase()) {
            check.problem(format!("{text:?} stands in two lists"));
        }
        seen.push(text.to_lowercase());
    }
    OutcomeRule::By {
        places: check.places("by", &table.by),
        words: lists.into_iter().filter(|(t, _)| !t.0.is_empty()).map(|(t, word)| (words(t), word)).collect(),
        http: table.http,
        http_202: table.http_202.unwrap_or(Word::Is(Outcome::Accepted)),
        with_task: table.task,
        missing: table.missing.unwrap_or(Word::Is(Outcome::Unknown)),
        otherwise: table.otherwise.unwrap_or(Word::Is(Outcome::Unknown)),
    }
}

pub(super) fn whole_rule(check: &mut Check, file: &WholeFile, number: usize) -> WholeRule {
    let outcome = outcome_rule(check, file.outcome.as_ref());
    let evidence = match file.evidence {
        WholeEvidence::Batch => Evidence::Batch,
        WholeEvidence::Inferred => Evidence::Inferred,
    };
    let when = check.within("when".to_owned(), table("when"), |check| when(check, &file.when));
    let category = file.category;
    WholeRule { number, when, outcome, category, evidence, task: check.places("task", &file.task) }
}
