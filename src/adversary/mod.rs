//! The adversary: changes replies so that they no longer prove what they proved, and looks whether anything is still called
//! good. What it finds is a hole in a profile or in the judge.
//!
//! Dry: messages in, findings out; files and threads are `cli`'s. Judges nothing itself: which verdicts a changed reply may leave
//! good follows from the original envelope and the kind of the change alone (`rules`), never from the rules of the profile.

mod entries; // where a reply speaks of single items
mod known; // what the cases show to be good
mod lists; // mutations of lists and ids
mod members; // mutations of members
mod mutate; // mutations of the whole reply
mod requests; // other spellings of the request
mod rules; // what each may leave good
mod seen; // an envelope's verdicts
mod tree; // a reply that can be changed
mod wire; // bytes ↔ tree

pub use rules::Class;

use std::collections::{BTreeMap, HashMap};

use entries::Entries;
use known::Known;
use mutate::Mutation;
use rules::{Declared, Rule};
use seen::Seen;
use tree::Node;
use wire::{Body, settled};

use crate::decode::Wire;
use crate::explain::{Manner, judge_messages, recognise};
use crate::judge::Trace;
use crate::message::Message;
use crate::profile::ProfileSet;
use crate::reply::RawPolicy;
use crate::request::{Request, Scope};

/// A case: a request, and the reply that is changed.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub vendor: String,
    /// `<vendor>/<family>`.
    pub profile: String,
    /// The case's own name.
    pub name: String,
    pub request: Message,
    pub reply: Message,
}

/// A verdict that stayed or became good without proof.
#[derive(Clone, Debug)]
pub struct Finding {
    pub class: Class,
    /// The change.
    pub what: String,
    /// The verdict, `id outcome/evidence`.
    pub verdict: String,
}

/// What one conversation brought to light.
#[derive(Clone, Debug, Default)]
pub struct Attack {
    /// How many changed replies were judged, by kind.
    pub mutations: BTreeMap<Class, usize>,
    pub findings: Vec<Finding>,
    /// The body could be changed member by member; not where there is none, nor where writing it back would already say
    /// something else.
    pub taken_apart: bool,
}

/// The adversary, with what it learnt from the cases.
#[derive(Debug)]
pub struct Adversary<'s> {
    set: &'s ProfileSet,
    known: HashMap<String, Known>,
}

/// A changed tree, and what may still be good.
struct Change {
    class: Class,
    what: String,
    tree: Node,
    rule: Rule,
}

/// What mutations of the tree stand on.
struct Ground<'g> {
    action: usize,
    wire: Wire,
    tree: &'g Node,
    seen: &'g Seen,
    entries: Entries,
    declared: Declared,
}

impl<'s> Adversary<'s> {
    /// Reads all conversations first: what one case shows to be good, a mutation of another may become.
    pub fn new(set: &'s ProfileSet, conversations: &[Conversation]) -> Self {
        let mut known: HashMap<String, Known> = HashMap::new();
        for conversation in conversations {
            let Some((request, reply, seen)) = original(set, conversation) else { continue };
            let body = Body::of(&reply, &request.profile);
            known.entry(conversation.profile.clone()).or_default().learn(
                request.action,
                &reply,
                body.as_ref(),
                &seen,
            );
        }
        Self { set, known }
    }

    /// Changes one conversation's reply in every way there is. Nothing for a conversation that is not recognised.
    pub fn attack(&self, conversation: &Conversation) -> Attack {
        let mut attack = Attack::default();
        let nothing = Known::default();
        let known = self.known.get(&conversation.profile).unwrap_or(&nothing);
        let Some((mut request, reply, seen)) = original(self.set, conversation) else { return attack };
        let (spelled, misread) = requests::attack(self.set, &conversation.vendor, &conversation.request);
        attack.mutations.insert(Class::Spelling, spelled);
        attack.findings.extend(misread);
        let mut mutations = Vec::new();
        let bodies = known.bodies(request.action);
        mutate::roots(&reply, bodies, &mut mutations);
        mutate::headers(&reply, &mut mutations);
        mutate::statuses(&reply, bodies, &mut mutations);
        if let Some(body) = Body::of(&reply, &request.profile) {
            mutate::cuts(&reply, body.wire, &mut mutations);
            let profile = std::sync::Arc::clone(&request.profile);
            let rewritten = |tree: &Node| {
                let reply = Message { body: body.write(tree)?, ..reply.clone() };
                // What a part of a multipart body has no place for would be lost in silence.
                let same = || Some(settled(Body::of(&reply, &profile)?.tree) == settled(tree.clone()));
                let lossy = body.wire == Wire::Multipart && !same()?;
                (!lossy).then_some(reply)
            };
            let mut faithful = false;
            if let Some(same) = rewritten(&body.tree) {
                let (back, after) = judge(request, &same);
                request = back;
                faithful = after.as_ref() == Some(&seen);
            }
            // Where the unchanged tree already reads otherwise (this wire cannot be written back), changes would prove nothing.
            attack.taken_apart = faithful;
            if faithful {
                let changes = changes(&request, &body, &seen, known).into_iter();
                mutations.extend(changes.filter_map(|Change { class, what, tree, rule }| {
                    Some(Mutation { class, what, reply: rewritten(&tree)?, rule })
                }));
            }
        }
        for Mutation { class, what, reply, rule } in mutations {
            let (back, after) = judge(request, &reply);
            request = back;
            let Some(after) = after else { continue };
            *attack.mutations.entry(class).or_default() += 1;
            if let Some(verdict) = rule.offence(&seen, &after) {
                attack.findings.push(Finding { class, what, verdict });
            }
        }
        attack
    }
}

/// Every change of the tree.
fn changes(request: &Request, body: &Body, seen: &Seen, known: &Known) -> Vec<Change> {
    let ground = Ground {
        action: request.action,
        wire: body.wire,
        tree: &body.tree,
        seen,
        entries: Entries::find(&body.tree, seen),
        declared: Declared::of(&request.profile),
    };
    let mut out = Vec::new();
    members::error_members(&ground, &mut out);
    members::entry_errors(&ground, &mut out);
    members::counts(&ground, &mut out);
    members::marks(&ground, known, &mut out);
    lists::identities(&ground, &mut out);
    lists::lists(&ground, &mut out);
    lists::orders(&ground, &mut out);
    out
}

/// The request as recognised, the reply without content coding, and its envelope.
fn original(set: &ProfileSet, conversation: &Conversation) -> Option<(Request, Message, Seen)> {
    let scope = Scope { vendor: Some(&conversation.vendor), profile: None };
    let request = recognise(set, &scope, &conversation.request).ok()?;
    let reply = wire::plain(&conversation.reply)?;
    let (request, seen) = judge(request, &reply);
    Some((request, reply, seen?))
}

fn judge(request: Request, reply: &Message) -> (Request, Option<Seen>) {
    let judged = judge_messages(
        request,
        reply,
        Manner { raw: RawPolicy::Never, ..Manner::default() },
        &mut Trace::default(),
    );
    let seen = Seen::of(&judged.json, &judged.request);
    (judged.request, seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::reply_message;

    /// One case of a shipped profile, against that profile.
    fn attack(reply: &str) -> Attack {
        let set = crate::profile::load(None).expect("profiles");
        let request = "POST /v1/p/cloudservers/action HTTP/1.1\nHost: ecs.cn-north-4.myhuaweicloud.com\n\n\
            {\"os-stop\":{\"type\":\"HARD\",\"servers\":[{\"id\":\"s1\"},{\"id\":\"s2\"}]}}";
        let conversation = Conversation {
            vendor: "huawei".to_owned(),
            profile: "huawei/ecs-task".to_owned(),
            name: "one".to_owned(),
            request: Message::parse(request.as_bytes()).expect("a request"),
            reply: reply_message(reply.as_bytes()),
        };
        Adversary::new(&set, std::slice::from_ref(&conversation)).attack(&conversation)
    }

    #[test]
    fn a_good_reply_is_changed_in_every_way_that_fits_it() {
        let attack = attack("{\"job_id\":\"j1\"}");
        assert!(attack.taken_apart);
        for class in [Class::Root, Class::Error, Class::Header, Class::Status, Class::Mark, Class::Cut] {
            assert!(attack.mutations.get(&class).is_some_and(|count| *count > 0), "{}", class.as_str());
        }
        // A handle gone is no handle, and half a reply is none: so far the judge agrees.
        let unproven = |class| attack.findings.iter().any(|finding| finding.class == class);
        assert!(!unproven(Class::Mark) && !unproven(Class::Cut), "{:?}", attack.findings);
    }

    #[test]
    fn a_refusal_stays_one_whatever_is_changed() {
        let attack =
            attack("HTTP/1.1 400 Bad Request\n\n{\"error\":{\"code\":\"Ecs.0001\",\"message\":\"no\"}}");
        assert!(attack.findings.is_empty(), "{:?}", attack.findings);
    }
}
