//! Envelopes and metrics as text for people.

use std::fmt::Write;
use std::io::IsTerminal;

use serde_json::Value;

use super::conversations::{CONVERSATIONS, Conversation};

/// One answer as a table.
pub(super) fn render(conversation: &Conversation, status: u16, envelope: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let mut out = String::new();
    let operation = &envelope["operation"];
    let title = format!("{} {}", text(&operation["vendor"]), text(&operation["action"]));
    let _ = writeln!(out, "{}  {}", bold(&title), conversation.what);
    let vendors = envelope["upstream"]["status"].as_u64().unwrap_or(0);
    let outcome = text(&envelope["outcome"]);
    let _ =
        writeln!(out, "  vendor said HTTP {vendors}, onevelope says {status} {}", colour(&outcome, &outcome));
    for result in envelope["results"].as_array().into_iter().flatten() {
        let id = result["id"].as_str().or(result["key"].as_str()).unwrap_or("-");
        let outcome = text(&result["outcome"]);
        let error = &result["error"];
        let why = match error.is_object() {
            true => format!(
                "{} {} {}",
                text(&error["category"]),
                text(&error["vendor_code"]),
                text(&error["message"])
            ),
            false => result["task"]["id"].as_str().map(|task| format!("task {task}")).unwrap_or_default(),
        };
        let padded = colour(&format!("{outcome:<13}"), &outcome);
        let _ = writeln!(out, "  {id:<38} {padded} {:<9} {}", text(&result["evidence"]), why.trim());
    }
    out
}

/// The verdict counters that moved.
pub(super) fn moved(metrics: &str) -> String {
    let mut out = format!("{}\n", bold("metrics that moved"));
    for line in metrics.lines() {
        let counts = line.starts_with("onevelope_resource_results_total{")
            || line.starts_with("onevelope_requests_total{");
        if counts && !line.ends_with(" 0") {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

/// Lines to paste.
pub(super) fn try_it(gateway: &str, admin: &str) -> String {
    let mut out = format!("{}\n", bold("try it (Ctrl-C ends)"));
    for conversation in CONVERSATIONS.iter().take(3) {
        let Ok(message) = conversation.request() else { continue };
        let method = message.method.clone().unwrap_or_default();
        let body = String::from_utf8_lossy(&message.body).into_owned();
        let data = if body.is_empty() {
            String::new()
        } else {
            format!(" -H 'Content-Type: application/json' -d '{body}'")
        };
        let _ = writeln!(
            out,
            "  curl -si -X {method} 'http://{gateway}/{}{}'{data}",
            conversation.name, message.target
        );
    }
    let _ = writeln!(
        out,
        "  curl -si -H 'Onevelope-Mode: observe' 'http://{gateway}/tencent/v2/index.php?Action=StopInstances&instanceIds.0=qcvm6a45c0'"
    );
    let _ = write!(out, "  curl -s http://{admin}/metrics | grep onevelope_");
    out
}

fn plain() -> bool {
    std::env::var_os("NO_COLOR").is_some() || !std::io::stdout().is_terminal()
}

fn bold(text: &str) -> String {
    if plain() { text.to_owned() } else { format!("\x1b[1m{text}\x1b[0m") }
}

fn colour(text: &str, outcome: &str) -> String {
    let code = match outcome {
        "succeeded" => 32,
        "accepted" => 36,
        "partial" | "unknown" => 33,
        _ => 31,
    };
    if plain() { text.to_owned() } else { format!("\x1b[{code}m{text}\x1b[0m") }
}
