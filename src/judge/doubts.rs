//! What speaks against believing: collected from the status, the outer verdict, the entries, the counts and the net.

use super::Judge;
use super::ReplyBody;
use super::evidence::{Doubt, Doubts};
use super::ledger::Ledger;
use super::outer::{self, Outer, OuterKind};
use crate::decode::{Pointer, Wire};
use crate::envelope::{Bare, Diagnostic};
use crate::request::Request;

/// Why it is not certain whom a request asks for, where it is not.
pub(super) fn asked_unclear(request: &Request) -> Option<Diagnostic> {
    let reason = request.unclear.as_ref()?;
    Some(Diagnostic::new("asked_unclear", format!("{}: {reason}", Doubt::AskedUnclear.words())))
}

impl<'a> Judge<'a, '_> {
    /// What can be doubted before anything is read: the status, and what the reply is about.
    pub(super) fn first_doubts(&mut self) -> Doubts {
        let status = !(200..300).contains(&self.reply.status);
        let mut doubts = Doubts::default().with_if(Doubt::Status, status);
        if let Some(other) = self.other_task() {
            self.doubt(Doubt::OtherTask, &format!("{other:?}"));
            doubts.add(Doubt::OtherTask);
        }
        if let Some(reason) = &self.request.unclear {
            self.trace.doubt(Doubt::AskedUnclear, || reason.to_string());
        }
        doubts.with_if(Doubt::AskedUnclear, self.request.unclear.is_some())
    }

    /// The task that a look-up's reply is about, where it is another than was asked about.
    pub(super) fn other_task(&self) -> Option<String> {
        let asked = self.request.task.as_deref().filter(|_| self.request.action().lookup)?;
        let rules = &self.request.profile.reply;
        let places = if rules.about.is_empty() { &rules.task } else { &rules.about };
        let said = self.scope.text(places)?;
        let said = said.decode();
        let is_tail =
            |whole: &str, tail: &str| whole.strip_suffix(tail).is_some_and(|head| head.ends_with('/'));
        let same = said.eq_ignore_ascii_case(asked) || is_tail(&said, asked) || is_tail(asked, &said);
        (!same).then(|| said.into_owned())
    }

    /// What can be doubted once entries and outer verdict are read.
    pub(super) fn further_doubts(&mut self, ledger: &Ledger<'a>, outer: &Outer) {
        let root_name = match &self.reply.body {
            ReplyBody::Document(document, _) => document.root_name(),
            _ => None,
        };
        let known = &self.request.profile.reply.root;
        let is_body = self.scope.root.is_some();
        let fits = root_name.is_some_and(|name| known.iter().any(|own| own == name));
        let may_be_other = root_name.is_none() && self.request.profile.reply.wire != Some(Wire::Xml);
        if is_body && !known.is_empty() && !fits && !may_be_other {
            self.trace.doubt(Doubt::Unmarked, || format!("<{}>", root_name.unwrap_or("no XML")));
            self.doubts.add(Doubt::Unmarked);
        }
        if matches!(outer.kind, OuterKind::Failed | OuterKind::AllFailed) {
            self.doubts.add(Doubt::Error);
        } else if let Some(at) =
            outer::stated_error(&self.scope, root_name, outer.kind == OuterKind::Summary || outer.dry_run)
        {
            self.trace.doubt(Doubt::Error, || at);
            self.doubts.add(Doubt::Error);
            self.unexplained = true;
        }
        if ledger.has_unplaced() {
            self.trace.doubt(Doubt::Unplaced, String::new);
            self.doubts.add(Doubt::Unplaced);
        }
        if !self.counts_leave_room(ledger) {
            self.trace.doubt(Doubt::Counts, String::new);
            self.doubts.add(Doubt::Counts);
        }
    }

    /// Whether a member that no rule read has the name of a failure: looked for once, where something is to be called good.
    pub(super) fn is_unread_failure(&mut self) -> bool {
        if self.net.is_none() {
            let rules = &self.request.profile.reply;
            let mut net = self.scope.net(&rules.weighed);
            net.spared = self.read_outer.map_or(&[], |number| rules.outer[number].spared.as_slice());
            net.whole = true;
            net.entries_read = self.spoken;
            net.all_good = self.all_good;
            let silent = self.silent_lists();
            net.silent = &silent;
            let caught = self.scope.root.and_then(|root| net.first(root, true));
            if let Some(caught) = caught {
                let at = self.scope.way_to(caught.value);
                self.doubt(Doubt::Unread, &at);
            }
            self.net = Some(caught.is_some());
        }
        self.net == Some(true)
    }

    /// Lists that a rule would read, were this its kind of reply or request.
    fn silent_lists(&self) -> Vec<&'a Pointer> {
        let rules = &self.request.profile.reply.entries;
        if rules.iter().all(|rule| rule.when.is_trivial()) {
            return Vec::new();
        }
        let ways = |speaks: bool| {
            let rules = rules.iter().filter(move |rule| self.scope.holds(&rule.when) == speaks);
            rules.flat_map(|rule| rule.each.iter().map(|each| &each.way))
        };
        ways(false).filter(|way| !ways(true).any(|read| read == *way)).collect()
    }

    /// Before all is called good: what nobody read, and counts that no verdict explains.
    pub(super) fn last_look(&mut self, ledger: &mut Ledger<'a>, outer: &Outer) {
        if self.request.unclear.is_some() && self.bare != Bare::Failed {
            self.bare = Bare::Unknown;
        }
        let fine = outer.kind == OuterKind::Fine && !outer.dry_run;
        if fine && !ledger.any_bad() && self.bare != Bare::Failed && self.is_unread_failure() {
            self.unexplained = true;
            self.bare = Bare::Unknown;
        }
        self.explain_counts(ledger);
    }

    /// Notes a doubt, with where it stands.
    pub(super) fn doubt(&mut self, doubt: Doubt, at: &str) {
        self.trace.doubt(doubt, || at.to_owned());
        let Some(code) = doubt.diagnostic() else { return };
        let told = |known: &Diagnostic| known.code == code && known.message.starts_with(doubt.words());
        if !self.diagnostics.iter().any(told) {
            let at = if at.is_empty() { String::new() } else { format!(": {at}") };
            self.note(code, format!("{}{at}", doubt.words()));
        }
    }
}
