//! File → [`Profile`]. Every check happens here, and every problem of a file is told at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::action::{Action, HostPattern, Items, PathPattern, Selector};
use super::codes::CodeTable;
use super::file::{
    ActionFile, CodesFile, EntryFile, FamilyFile, OutcomeFile, OutcomeTable, OuterFile, ReplyFile, Texts,
    VendorFile, WhenFile, WholeFile,
};
use super::place::{Place, RequestPlace};
use super::reply::{
    Announced, EntryRule, Join, OutcomeRule, OuterRule, Pattern, ReplyRules, Shape, WholeRule, Word, Words,
};
use super::when::{Empty, StatusClass, When};
use super::{Profile, Vendor};
use crate::decode::{Pointer, Wire};
use crate::envelope::{Category, Evidence};

/// Builds what a vendor's families share.
///
/// # Errors
/// Every problem found, each naming its key.
pub(super) fn vendor(name: &str, file: &VendorFile, codes: &CodesFile) -> Result<Arc<Vendor>, Vec<String>> {
    let mut check = Check::default();
    if !file.vendor.is_empty() && file.vendor != name {
        check.problem(format!("vendor is {:?}, but the folder is {name:?}", file.vendor));
    }
    let hosts =
        file.hosts.0.iter().filter_map(|text| check.keep("hosts", HostPattern::parse(text))).collect();
    let region = check.request_places("region", &file.region);
    let dry_run = file
        .dry_run
        .iter()
        .map(|row| (check.request_places("dry_run.at", &row.at), lower(&row.equals)))
        .collect();
    let table = check.keep("codes.toml", CodeTable::compile(codes)).unwrap_or_default();
    let dry_run_codes = lower(&file.dry_run_codes);
    check.done(Arc::new(Vendor {
        name: name.to_owned(),
        hosts,
        region,
        dry_run,
        dry_run_codes,
        codes: table,
    }))
}

/// Builds one family.
///
/// # Errors
/// Every problem found, each naming its key.
pub(super) fn family(
    vendor: &Arc<Vendor>,
    shared: &VendorFile,
    file: &FamilyFile,
) -> Result<Profile, Vec<String>> {
    let mut check = Check::default();
    if file.vendor != vendor.name {
        check.problem(format!("vendor = {:?} must be the folder's name {:?}", file.vendor, vendor.name));
    }
    if file.family.is_empty() {
        check.problem("family is missing".to_owned());
    }
    if file.source.0.iter().all(|s| s.trim().is_empty()) {
        check.problem("source is missing: page title and date, or what was captured".to_owned());
    }
    if file.status.is_none() {
        check.problem("status is missing: documented, captured or guessed".to_owned());
    }
    if file.actions.is_empty() {
        check.problem("no [[actions]]: nothing would ever be recognised".to_owned());
    }
    let mut actions = Vec::new();
    for (at, action) in file.actions.iter().enumerate() {
        check.within(format!("[[actions]] {}", at + 1), |check| {
            build_actions(check, file, &action.over(&file.request), &mut actions);
        });
    }
    let mut reply = None;
    check.within("[reply]".to_owned(), |check| reply = Some(reply_rules(check, shared, &file.reply)));
    let reply = reply.unwrap_or_default();
    actions.shrink_to_fit();
    let kept = std::mem::take(&mut check.kept);
    check.done(Profile {
        name: format!("{}/{}", vendor.name, file.family),
        vendor: Arc::clone(vendor),
        family: file.family.clone(),
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

    fn word(&mut self, key: &str, text: Option<&String>) -> Option<Word> {
        let text = text?;
        self.keep(key, Word::parse(text).ok_or_else(|| format!("{text:?} is no outcome")))
    }

    fn category(&mut self, text: Option<&String>) -> Option<Category> {
        let text = text?;
        self.keep("category", Category::parse(text).ok_or_else(|| format!("{text:?} is no category")))
    }
}

fn lower(texts: &Texts) -> Vec<String> {
    texts.0.iter().map(|text| text.to_lowercase()).collect()
}

fn words(texts: &Texts) -> Words {
    Words(texts.0.clone())
}

fn build_actions(check: &mut Check, file: &FamilyFile, action: &ActionFile, all: &mut Vec<Action>) {
    let names: Vec<String> = match (&action.name, &action.names) {
        (Some(name), None) => vec![name.clone()],
        (None, Some(names)) => names.0.clone(),
        (Some(_), Some(_)) => return check.problem("name and names exclude each other".to_owned()),
        (None, None) => return check.problem("name is missing".to_owned()),
    };
    if action.asynchronous.is_none() && action.lookup != Some(true) {
        check.problem(format!("{}: asynchronous must be said: true or false", names.join(", ")));
    }
    for name in names {
        let built = check.within(name.clone(), |check| build_action(check, file, action, name));
        all.push(built);
    }
}

fn build_action(check: &mut Check, file: &FamilyFile, action: &ActionFile, name: String) -> Action {
    let places =
        action.action.as_ref().map(|texts| check.request_places("action", texts)).unwrap_or_default();
    let value = action.value.clone().unwrap_or_else(|| name.clone());
    if places.is_empty() && action.path.is_none() && action.header.is_none() && action.query.is_none() {
        check.problem("nothing to recognise it by: action, path, header or query".to_owned());
    }
    let methods = texts(action.method.as_ref());
    let methods = methods
        .iter()
        .filter_map(|m| check.keep("method", m.parse().map_err(|_| format!("{m:?} is no method"))))
        .collect();
    let paths = texts(action.path.as_ref());
    let paths = paths.iter().filter_map(|path| check.keep("path", PathPattern::parse(path))).collect();
    let (wire, from_query) = match action.wire.as_deref() {
        None | Some("auto") => (None, false),
        Some("query") => (None, true),
        Some(word) => (check.keep("wire", wire_of(word)), false),
    };
    let header = conditions(action.header.as_ref());
    let header = header
        .into_iter()
        .filter_map(|(name, texts)| {
            let parsed = name.to_ascii_lowercase().parse().map_err(|_| format!("{name:?} is no header name"));
            check.keep("header", parsed).map(|name| (name, texts))
        })
        .collect();
    let query = pointer_conditions(check, "query", action.query.as_ref(), "/");
    let body = pointer_conditions(check, "body", action.body.as_ref(), "");
    let place = |check: &mut Check, key: &str, t: &Option<Texts>| match t {
        Some(found) => check.request_places(key, found),
        None => Vec::new(),
    };
    let services = texts(action.service.as_ref()).to_vec();
    Action {
        services: if services.is_empty() { file.service.0.clone() } else { services },
        resource_type: action.resource_type.clone().or_else(|| file.resource_type.clone()),
        selector: Selector { places, value },
        methods,
        host: conditions(action.host.as_ref()),
        paths,
        query,
        header,
        first_key: texts(action.first_key.as_ref()).to_vec(),
        body,
        wire,
        from_query,
        items: build_items(check, action),
        count: place(check, "count", &action.count),
        lookup: action.lookup.unwrap_or(false),
        asynchronous: action.asynchronous.unwrap_or(false),
        repeatable: action.repeatable.unwrap_or(false),
        atomic: action.atomic.unwrap_or(false),
        task: place(check, "task", &action.task),
        monitor: action.monitor.clone(),
        name,
    }
}

fn texts(texts: Option<&Texts>) -> &[String] {
    texts.map_or(&[], |t| &t.0)
}

fn conditions(map: Option<&BTreeMap<String, Texts>>) -> Vec<(String, Vec<String>)> {
    map.into_iter().flatten().map(|(name, texts)| (name.clone(), texts.0.clone())).collect()
}

fn pointer_conditions(
    check: &mut Check,
    key: &str,
    map: Option<&BTreeMap<String, Texts>>,
    prefix: &str,
) -> Vec<(Pointer, Vec<String>)> {
    let rows = conditions(map).into_iter().filter_map(|(name, texts)| {
        let pointer = Pointer::parse(&format!("{prefix}{name}")).map_err(|e| e.to_string());
        check.keep(key, pointer).map(|pointer| (pointer, texts))
    });
    rows.collect()
}

fn wire_of(word: &str) -> Result<Wire, String> {
    match word {
        "json" => Ok(Wire::Json),
        "xml" => Ok(Wire::Xml),
        "form" => Ok(Wire::Form),
        "multipart" => Ok(Wire::Multipart),
        "ndjson" => Ok(Wire::Ndjson),
        "lines" => Ok(Wire::Lines),
        "labelled" => Ok(Wire::Labelled),
        _ => Err(format!("{word:?} is no wire format")),
    }
}

fn build_items(check: &mut Check, action: &ActionFile) -> Items {
    let own_id = match &action.id {
        Some(id) => check.request_places("id", id),
        None => Vec::new(),
    };
    let mut items = Items {
        as_map: action.items_as.as_deref() == Some("map"),
        unwrap: action.unwrap.unwrap_or(false),
        lines_after: action.lines_after.clone().unwrap_or_default(),
        id_url: action.id_url.unwrap_or(false),
        distinct: action.distinct.unwrap_or(false),
        split: action.split.clone(),
        ..Items::default()
    };
    if let Some(filter) = &action.filter {
        items.filter = check.within("where".to_owned(), |check| when(check, filter));
    }
    if let Some(parts) = &action.id_parts {
        items.id_parts = check.pointers("id_parts", parts);
    }
    if let Some(key) = &action.key {
        items.key = check.request_places("key", key);
    }
    for text in texts(action.items.as_ref()) {
        let list = check.keep("items", Pointer::parse(text).map_err(|e| e.to_string()));
        items.lists.extend(list.map(|list| (list, own_id.clone())));
    }
    for text in texts(action.ids.as_ref()) {
        match check.keep("ids", RequestPlace::parse(text)) {
            // `/servers/*/id` is the list `/servers` whose elements have `/id`.
            Some(RequestPlace::Document(pointer)) => match pointer.split_every() {
                Some((list, rest)) => items.lists.push((list, vec![RequestPlace::Document(rest)])),
                None => items.lists.push((pointer, vec![RequestPlace::Document(Pointer::default())])),
            },
            Some(place) => items.single.push(place),
            None => {}
        }
    }
    items
}

fn reply_rules(check: &mut Check, shared: &VendorFile, file: &ReplyFile) -> ReplyRules {
    let absent_when = file
        .absent_when
        .iter()
        .filter_map(|row| {
            check.within("[[reply.absent_when]]".to_owned(), |check| {
                let condition = when(check, &row.when);
                let category = check.category(row.category.as_ref());
                check.word("outcome", Some(&row.outcome)).map(|word| (condition, word, category))
            })
        })
        .collect();
    let entries: Vec<EntryRule> = file
        .entries
        .iter()
        .enumerate()
        .map(|(at, entry)| {
            check.within(format!("[[reply.entries]] {}", at + 1), |check| entry_rule(check, entry, at + 1))
        })
        .collect();
    let whole = file
        .whole
        .iter()
        .enumerate()
        .map(|(at, row)| {
            check.within(format!("[[reply.whole]] {}", at + 1), |check| whole_rule(check, row, at + 1))
        })
        .collect();
    let outer = file.outer.iter().map(|row| ("[[reply.outer]]", row));
    let outer = outer.chain(shared.outer.iter().map(|row| ("vendor.toml [[outer]]", row)));
    let outer =
        outer.map(|(place, row)| check.within(place.to_owned(), |check| outer_rule(check, row))).collect();
    let counts = file.counts.clone().unwrap_or_default();
    let announced = file.announced.as_ref().map(|row| Announced {
        count: check.places("announced.count", &row.count),
        running_by: check.places("announced.running.by", &row.running.by),
        running: words(&row.running.texts),
    });
    let text_wire = |check: &mut Check, word: &String| {
        if word == "auto" { None } else { check.keep("wire", wire_of(word)) }
    };
    ReplyRules {
        wire: file.wire.as_ref().and_then(|word| text_wire(check, word)),
        text: file.text,
        absent: check
            .word("absent", file.absent.as_ref())
            .unwrap_or(Word::Is(crate::envelope::Outcome::Unknown)),
        absent_category: check.category(file.absent_category.as_ref()),
        absent_when,
        task: check.places("task", &file.task),
        request_id: check.places("request_id", &shared.request_id),
        secrets: check.pointers("secrets", &file.secrets),
        code_after: file.code_after.clone().or_else(|| shared.code_after.clone()),
        code_before: file.code_before.clone().or_else(|| shared.code_before.clone()),
        outer,
        echoes: entries.iter().any(|entry| entry.join.contains(&Join::Echo)),
        entries,
        whole,
        counted_good: check.places("counts.succeeded", &counts.succeeded),
        counted_failed: check.places("counts.failed", &counts.failed),
        announced,
    }
}

fn outer_rule(check: &mut Check, file: &OuterFile) -> OuterRule {
    if file.code.0.is_empty() && file.status.0.is_empty() {
        check.problem("neither code nor status".to_owned());
    }
    OuterRule {
        when: when(check, &file.when),
        unwrap: file.unwrap,
        code: check.places("code", &file.code),
        message: check.places("message", &file.message),
        success: words(&file.success),
        summary: words(&file.summary),
        all_failed: words(&file.all_failed),
        status: check.places("status", &file.status),
        failed: words(&file.failed),
        category: check.category(file.category.as_ref()),
        retry_after: retry_after(check, &file.retry_after, &file.retry_after_ms),
    }
}

/// Places of a delay, with the milliseconds of their unit.
fn retry_after(check: &mut Check, seconds: &Texts, millis: &Texts) -> Vec<(Place, u64)> {
    let seconds = check.places("retry_after", seconds).into_iter().map(|place| (place, 1000));
    let millis = check.places("retry_after_ms", millis).into_iter().map(|place| (place, 1));
    seconds.chain(millis).collect()
}

fn entry_rule(check: &mut Check, file: &EntryFile, number: usize) -> EntryRule {
    let Some(each) = &file.each else {
        check.problem("each is missing".to_owned());
        return entry_rule(check, &EntryFile { each: Some(Texts::default()), ..file.clone() }, number);
    };
    let id = check.places("id", &file.id);
    let id_parts = check.places("id_parts", &file.id_parts);
    let join = joins(check, file, !id.is_empty() || !id_parts.is_empty());
    let outcome = match &file.outcome {
        Some(outcome) => outcome_rule(check, outcome),
        None => {
            check.problem("outcome is missing".to_owned());
            OutcomeRule::Always(Word::Unsaid)
        }
    };
    let code = check.places("code", &file.code);
    let code_is_status =
        matches!(&outcome, OutcomeRule::By { places, .. } if code.iter().any(|c| places.contains(c)));
    EntryRule {
        number,
        when: check.within("when".to_owned(), |check| when(check, &file.when)),
        filter: check.within("where".to_owned(), |check| when(check, &file.filter)),
        fallback: file.fallback,
        only_asked: file.only_asked,
        each: check.pointers("each", each),
        shape: match file.shape.as_deref() {
            None | Some("list") => Shape::List,
            Some("map") => Shape::Map,
            Some("one") => Shape::One,
            Some(other) => {
                check.problem(format!("as = {other:?}: list, map or one"));
                Shape::List
            }
        },
        unwrap: file.unwrap,
        percent: match file.decode.as_deref() {
            None => false,
            Some("percent") => true,
            Some(other) => {
                check.problem(format!("decode = {other:?}: only \"percent\""));
                false
            }
        },
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
        category: check.category(file.category.as_ref()),
        retry_after: retry_after(check, &file.retry_after, &file.retry_after_ms),
        sender_fault: check.places("sender_fault", &file.sender_fault),
        id,
        id_parts,
    }
}

/// Whether any place can lead to several nodes.
fn fans_out(places: &[Place]) -> bool {
    places.iter().any(|place| matches!(place, Place::Here(p) | Place::Root(p) if p.has_every()))
}

fn joins(check: &mut Check, file: &EntryFile, has_id: bool) -> Vec<Join> {
    if file.join.0.is_empty() {
        return vec![if has_id { Join::Id } else { Join::Position }];
    }
    let mut joins = Vec::new();
    for word in &file.join.0 {
        joins.push(match word.as_str() {
            "id" => Join::Id,
            "key" => Join::Key,
            "position" => Join::Position,
            "index" => Join::Index,
            "range" => Join::Range,
            "suffix" => Join::Suffix,
            "echo" => Join::Echo,
            "content_id" => Join::ContentId,
            other => {
                check.problem(format!("join = {other:?} is not known"));
                continue;
            }
        });
    }
    if joins.contains(&Join::Id) && !has_id {
        check.problem("join = \"id\" without id".to_owned());
    }
    if joins.contains(&Join::Key) && file.key.0.is_empty() {
        check.problem("join = \"key\" without key".to_owned());
    }
    if joins.contains(&Join::Index) && file.index.0.is_empty() {
        check.problem("join = \"index\" without index".to_owned());
    }
    joins
}

fn outcome_rule(check: &mut Check, file: &OutcomeFile) -> OutcomeRule {
    let table = match file {
        OutcomeFile::Word(word) => {
            return OutcomeRule::Always(check.word("outcome", Some(word)).unwrap_or_default());
        }
        OutcomeFile::Table(table) => table,
    };
    check.within("outcome".to_owned(), |check| outcome_table(check, table))
}

fn outcome_table(check: &mut Check, table: &OutcomeTable) -> OutcomeRule {
    use crate::envelope::Outcome;
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
        http_202: check.word("http_202", table.http_202.as_ref()).unwrap_or(Word::Is(Outcome::Accepted)),
        with_task: check.word("task", table.task.as_ref()),
        missing: check.word("missing", table.missing.as_ref()).unwrap_or(Word::Is(Outcome::Unknown)),
        otherwise: check.word("otherwise", table.otherwise.as_ref()).unwrap_or(Word::Is(Outcome::Unknown)),
    }
}

fn whole_rule(check: &mut Check, file: &WholeFile, number: usize) -> WholeRule {
    let outcome = match &file.outcome {
        Some(outcome) => outcome_rule(check, outcome),
        None => {
            check.problem("outcome is missing".to_owned());
            OutcomeRule::Always(Word::Unsaid)
        }
    };
    let evidence = match file.evidence.as_deref() {
        None | Some("batch") => Evidence::Batch,
        Some("inferred") => Evidence::Inferred,
        Some(other) => {
            check.problem(format!("evidence = {other:?}: batch or inferred"));
            Evidence::Batch
        }
    };
    let when = check.within("when".to_owned(), |check| when(check, &file.when));
    let category = check.category(file.category.as_ref());
    WholeRule { number, when, outcome, category, evidence, task: check.places("task", &file.task) }
}

fn when(check: &mut Check, file: &WhenFile) -> When {
    let status = file
        .status
        .0
        .iter()
        .filter_map(|text| {
            check.keep("status", StatusClass::parse(text).ok_or_else(|| format!("{text:?} is no status")))
        })
        .collect();
    let empty = file.empty.as_ref().and_then(|word| {
        let found = match word.0.as_str() {
            "true" => Ok(Empty::Either),
            "false" => Ok(Empty::Neither),
            "bytes" => Ok(Empty::Bytes),
            "document" => Ok(Empty::Document),
            other => Err(format!("{other:?}: true, \"bytes\" or \"document\"")),
        };
        check.keep("empty", found)
    });
    let mut equals = Vec::new();
    let request = file.request.iter().map(|(place, texts)| (format!("@request{}", slashed(place)), texts));
    for (place, texts) in file.equals.iter().map(|(p, t)| (p.clone(), t)).chain(request) {
        let patterns: Vec<Pattern> = texts.0.iter().map(|text| Pattern::new(text)).collect();
        for place in check.places("equals", &Texts(vec![place])) {
            equals.push((place, patterns.clone()));
        }
    }
    When {
        status,
        present: check.places("present", &file.present),
        missing: check.places("missing", &file.missing),
        stated: check.places("stated", &file.stated),
        empty,
        equals,
        count: check.places("count", &file.count).into_iter().next(),
    }
}

/// `/Quiet` and `@query/x` as the tail of an `@request` place.
fn slashed(place: &str) -> String {
    if place.starts_with('@') { format!("/{place}") } else { place.to_owned() }
}
