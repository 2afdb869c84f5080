//! The adversary over all cases: threads, and its findings like a linter's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cases::Case;
use crate::adversary::{Adversary, Attack, Class, Conversation};
use crate::profile::ProfileSet;

/// Attacks every case and prints what it finds, in the order of the cases. The number of findings.
pub(super) fn run(set: &ProfileSet, cases: &[Case]) -> usize {
    // A case that cannot be read has failed already.
    let conversations: Vec<Conversation> = cases.iter().filter_map(|case| case.conversation().ok()).collect();
    let adversary = Adversary::new(set, &conversations);
    let attacks = attack_all(&adversary, &conversations);
    let (mut judged, mut found) = (BTreeMap::<Class, usize>::new(), BTreeMap::<Class, usize>::new());
    for (conversation, attack) in conversations.iter().zip(&attacks) {
        for (class, count) in &attack.mutations {
            *judged.entry(*class).or_default() += count;
        }
        for finding in &attack.findings {
            *found.entry(finding.class).or_default() += 1;
            super::put(&format!(
                "{}: {}: {}: {} → {}; mend: {}",
                conversation.profile,
                conversation.name,
                finding.class.as_str(),
                finding.what,
                finding.verdict,
                finding.class.mend(),
            ));
        }
    }
    let unproven: usize = found.values().sum();
    let whole = attacks.iter().filter(|attack| !attack.taken_apart).count();
    if whole > 0 {
        super::put(&format!(
            "  {whole} replies changed only as a whole: no body, or none that can be taken apart and written back"
        ));
    }
    if unproven > 0 {
        for class in Class::ALL {
            let of = |counts: &BTreeMap<Class, usize>| counts.get(&class).copied().unwrap_or(0);
            super::put(&format!(
                "  {:<12} {:>7} mutations, {:>5} unproven",
                class.as_str(),
                of(&judged),
                of(&found)
            ));
        }
    }
    super::put(&format!("adversary: {} mutations, {unproven} unproven", judged.values().sum::<usize>()));
    unproven
}

/// One thread for each core, each taking the next case.
fn attack_all(adversary: &Adversary<'_>, conversations: &[Conversation]) -> Vec<Attack> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(conversation) = conversations.get(at)
        {
            done.push((at, adversary.attack(conversation)));
        }
        done
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(conversations.len());
    let mut attacks = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)));
        done.flatten().collect::<Vec<_>>()
    });
    attacks.sort_by_key(|(at, _)| *at);
    attacks.into_iter().map(|(_, attack)| attack).collect()
}
