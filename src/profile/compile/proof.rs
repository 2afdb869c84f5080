//! No profile can say good without proof: what `docs/envelope.md` 3a asks of a file, refused here with the mend.
//!
//! The judge would call such claims `unknown` anyway where it can; a file that makes them does not load, so that its
//! author learns it by day.

use super::{Check, row};
use crate::envelope::{Evidence, Outcome};
use crate::profile::Status;
use crate::profile::file::ReplyFile;
use crate::profile::place::Place;
use crate::profile::reply::{EntryRule, Join, OutcomeRule, ReplyRules, WholeRule, Word};

/// Refuses every claim of good that nothing proves.
pub(super) fn proof(check: &mut Check, rules: &ReplyRules, file: &ReplyFile, status: Status) {
    for rule in &rules.entries {
        check.within(
            format!("[[reply.entries]] {}", rule.number),
            row("entries", rule.number - 1),
            |check| entry(check, rule),
        );
    }
    for rule in &rules.whole {
        check.within(format!("[[reply.whole]] {}", rule.number), row("whole", rule.number - 1), |check| {
            whole(check, rule, rules, status)
        });
    }
    let silence = is_good(rules.absent) || rules.absent_when.iter().any(|(_, word, _)| is_good(*word));
    if silence && !rules.entries.iter().any(|rule| rule.exhaustive) {
        check.problem(
            "absent: silence is good only beside a list that names every failure; say `exhaustive = true` in the \
             [[reply.entries]] whose page says so, or leave `absent` out"
                .to_owned(),
        );
    }
    if silence && status == Status::Guessed {
        check.problem("absent: a guessed profile proves nothing by silence; leave `absent` out".to_owned());
    }
    if !file.absent_status.is_empty() && !silence {
        check.problem("absent_status: `absent` infers nothing good that it could allow".to_owned());
    }
    let claims = silence
        || rules.whole.iter().any(|rule| can_be_good(&rule.outcome))
        || rules.entries.iter().any(|rule| can_be_good(&rule.outcome));
    if claims && rules.outer.is_empty() && rules.errors.is_empty() {
        check.problem(
            "no declared place for errors: a family that can say good needs [[reply.outer]] or `errors`, here or in \
             vendor.toml"
                .to_owned(),
        );
    }
}

fn entry(check: &mut Check, rule: &EntryRule) {
    let named = !rule.id.is_empty()
        || !rule.id_parts.is_empty()
        || !rule.key.is_empty()
        || !rule.index.is_empty()
        || !rule.task.is_empty()
        || rule.join.iter().any(|join| matches!(join, Join::Echo | Join::ContentId | Join::Range));
    match &rule.outcome {
        OutcomeRule::Always(word) if is_good(*word) && !named && rule.mark.is_empty() => check.problem(
            "outcome: good for standing in a list, with nothing in the entry that says so; add `mark`: a member that only \
             good entries have (`\"\"` where the page says that being there is enough)"
                .to_owned(),
        ),
        OutcomeRule::By { missing, .. } if is_good(*missing) && is_echo(rule) => check.problem(
            "mark: it only says again who was asked, and an entry without its error would be good; name a member that only \
             good entries have, or read a status"
                .to_owned(),
        ),
        OutcomeRule::By { missing, .. } if is_good(*missing) && rule.mark.is_empty() => check.problem(
            "outcome.missing: good because an error is missing proves nothing; add `mark`: a member that only good \
             entries have (an id of what was made, a sequence number), or read a status"
                .to_owned(),
        ),
        _ => {}
    }
    if let OutcomeRule::By { otherwise, http: false, .. } = &rule.outcome
        && is_good(*otherwise)
        && rule.mark.is_empty()
    {
        check.problem(
            "outcome.otherwise: a text that nobody knows is no proof; list the good words (`done = [...]`), or add `mark`"
                .to_owned(),
        );
    }
    if rule.exhaustive && !rule.outcome.can_fail() {
        check.problem("exhaustive: only a list that can state failures names all of them".to_owned());
    }
}

/// Whether the marks are what ties the entry to the request: a vendor that echoes the request has them, too.
fn is_echo(rule: &EntryRule) -> bool {
    let ties = |mark: &Place| {
        let by = |join, places: &[Place]| rule.join.contains(&join) && places.contains(mark);
        by(Join::Id, &rule.id) || by(Join::Key, &rule.key) || by(Join::Index, &rule.index)
    };
    !rule.mark.is_empty() && rule.mark.iter().all(ties)
}

fn whole(check: &mut Check, rule: &WholeRule, rules: &ReplyRules, status: Status) {
    if !can_be_good(&rule.outcome) {
        return;
    }
    if status == Status::Guessed {
        check.problem("outcome: in a guessed profile only an entry's own word is good".to_owned());
    }
    let when = &rule.when;
    let in_reply = |place: &Place| !matches!(place, Place::Kept(_) | Place::Status);
    let states = when.present.iter().any(in_reply)
        || when
            .equals
            .iter()
            .any(|(place, texts)| in_reply(place) && texts.iter().all(|text| !text.is_nothing()))
        || when.count.is_some()
        || matches!(when.empty, Some(empty) if empty.is_some_body())
        || !rule.task.is_empty();
    let inferred = rule.evidence == Evidence::Inferred;
    let listed = inferred && when.stated.iter().any(in_reply);
    let by_word = matches!(&rule.outcome, OutcomeRule::By { missing, .. } if !is_good(*missing));
    if !states && !listed && !by_word {
        check.problem(
            "when: nothing positive in it: a status or a missing member proves nothing; name what only a good reply has \
             (present, equals, count, a task, or empty = \"bytes\"/\"document\" where the page documents it)"
                .to_owned(),
        );
    }
    let empty = when.empty.is_some_and(|empty| empty.is_some_body());
    if inferred && !empty && !rules.entries.iter().any(|rule| rule.exhaustive) {
        check.problem(
            "evidence = \"inferred\": needs a list that names every failure: `exhaustive = true` in its [[reply.entries]]"
                .to_owned(),
        );
    }
    if let OutcomeRule::By { otherwise, http: false, .. } = &rule.outcome
        && is_good(*otherwise)
    {
        check.problem(
            "outcome.otherwise: a text that nobody knows is no proof; list the good words".to_owned(),
        );
    }
}

fn is_good(word: Word) -> bool {
    word.outcome(false).is_some_and(Outcome::is_good)
}

/// Whether a rule can say that something is good.
fn can_be_good(rule: &OutcomeRule) -> bool {
    match rule {
        OutcomeRule::Always(word) => is_good(*word),
        OutcomeRule::By { words, http, missing, otherwise, .. } => {
            *http || is_good(*missing) || is_good(*otherwise) || words.iter().any(|(_, word)| is_good(*word))
        }
    }
}
