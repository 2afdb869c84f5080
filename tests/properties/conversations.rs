//! The conversations of `tests/profiles`, read once.

use std::path::Path;
use std::sync::LazyLock;

use onevelope::cli::find_cases;
use onevelope::message::Message;

/// One case: what was asked, what came back, and whom it is about.
pub struct Conversation {
    pub name: String,
    pub vendor: String,
    pub profile: String,
    pub request: Message,
    pub reply: Message,
}

pub static CONVERSATIONS: LazyLock<Vec<Conversation>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles");
    let cases = find_cases(&root).expect("cases").into_iter();
    let told = cases.map(|case| {
        let bytes = |file: &str| std::fs::read(case.dir.join(file)).expect("a file");
        let request = Message::parse(&bytes("request.http")).expect("a request");
        // Some replies are a body alone.
        let reply = bytes("reply.http");
        let reply = if reply.starts_with(b"HTTP/") { Message::parse(&reply).ok() } else { None };
        let profile = case.profile();
        let vendor = profile.split('/').next().unwrap_or_default().to_owned();
        Some(Conversation { name: case.name(), vendor, profile, request, reply: reply? })
    });
    told.flatten().collect()
});
