//! The story of one judgement, for `explain` and the page: which rule read what, and why each verdict is what it is.
//!
//! Dry: messages in, text or JSON out. Files and terminals are `cli`'s, sockets `admin`'s.

mod conversation; // two messages → judgement

pub use conversation::{Judged, Manner, Unrecognised, judge_messages, recognise, reply_message};

use std::fmt::Write;

use crate::envelope::Selects;
use crate::judge::Trace;
use crate::message::Message;
use crate::profile::ProfileSet;
use crate::request::{Request, Scope};

/// The reasoning about two messages given as text; for the playground.
pub fn explain_texts(
    set: &ProfileSet,
    request: &str,
    reply: &str,
    vendor: Option<&str>,
) -> Result<String, String> {
    let message = Message::parse(request.as_bytes()).map_err(|cause| format!("request: {cause}"))?;
    let scope = Scope { vendor, profile: None };
    let request = recognise(set, &scope, &message).map_err(|cause| cause.to_string())?;
    let mut trace = Trace::on();
    let reply = reply_message(reply.as_bytes());
    let judged = judge_messages(request, &reply, Manner::default(), &mut trace);
    Ok(as_json(&judged, &trace))
}

/// The reasoning as JSON, for machines and the playground.
pub fn as_json(judged: &Judged, trace: &Trace) -> String {
    let request = &judged.request;
    let envelope: serde_json::Value = serde_json::from_slice(&judged.json).unwrap_or_default();
    let asked: Vec<_> = (0..request.asked.len())
        .map(|item| serde_json::json!({ "index": request.asked.index(item), "id": request.asked.id(item), "key": request.asked.key(item) }))
        .collect();
    serde_json::json!({
        "profile": request.profile.name,
        "action": request.action().name,
        "source": request.profile.source,
        "profile_status": request.profile.status,
        "asked": asked,
        "rules": trace.lines,
        "unread": trace.unread,
        "http_status": judged.status,
        "envelope": envelope,
    })
    .to_string()
}

/// The reasoning for people.
pub fn as_text(judged: &Judged, trace: &Trace) -> String {
    let request = &judged.request;
    let mut out = String::new();
    let _ = writeln!(out, "profile   {} ({})", request.profile.name, request.profile.status.as_str());
    let _ = writeln!(out, "source    {}", request.profile.source);
    let _ = writeln!(out, "action    {}{}", request.action().name, traits(request));
    asked(&mut out, request);
    let _ = writeln!(out, "\nwhat spoke");
    for line in &trace.lines {
        let verdict =
            line.outcome.map_or(String::new(), |o| format!(" → {o}/{}", line.evidence.unwrap_or("")));
        let item = line.item.as_ref().map_or(String::new(), |item| format!(" {item}"));
        let at = line.at.as_ref().map_or(String::new(), |at| format!(" at {at}"));
        let _ = writeln!(out, "  {}{item}{verdict}: {}{at}", line.rule, line.why);
    }
    let unread: Vec<&str> = trace.unread.iter().take(20).map(String::as_str).collect();
    if !unread.is_empty() {
        let more = if trace.unread.len() > unread.len() { ", …" } else { "" };
        let _ = writeln!(out, "  not read: {}{more}", unread.join(", "));
    }
    let envelope: serde_json::Value = serde_json::from_slice(&judged.json).unwrap_or_default();
    for diagnostic in envelope["diagnostics"].as_array().into_iter().flatten() {
        let _ = writeln!(out, "  diagnostic {}: {}", diagnostic["code"], diagnostic["message"]);
    }
    let _ = writeln!(out, "\nverdicts (HTTP {} {})", judged.status, judged.outcome.as_str());
    for result in envelope["results"].as_array().into_iter().flatten() {
        let _ = writeln!(out, "  {}", result_line(result));
    }
    out.truncate(out.trim_end().len());
    out
}

fn traits(request: &Request) -> String {
    let action = request.action();
    let mut words = Vec::new();
    let mut word = |holds: bool, word: &str| words.extend(holds.then(|| word.to_owned()));
    word(action.asynchronous, "asynchronous");
    word(action.atomic, "atomic");
    word(action.lookup, "look-up");
    word(request.dry_run, "dry run");
    word(
        !matches!(request.selects, Selects::Ids | Selects::Lookup),
        &format!("selects by {}", request.selects.as_str()),
    );
    words.extend(request.unclear.as_ref().map(|reason| format!("whom it asks for is not certain: {reason}")));
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

fn asked(out: &mut String, request: &Request) {
    let asked = &request.asked;
    let _ = write!(out, "asked     {}", asked.len());
    if asked.listed() != asked.len() {
        let _ = write!(out, " ({} listed, repeats merged)", asked.listed());
    }
    for item in 0..asked.len().min(20) {
        let _ = write!(
            out,
            "{} {}",
            if item == 0 { ":" } else { "," },
            asked.id(item).or(asked.key(item)).unwrap_or("(no id)")
        );
    }
    let _ = writeln!(out, "{}", if asked.len() > 20 { ", …" } else { "" });
}

/// One result as a line for people.
pub fn result_line(result: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    let id = result["id"].as_str().or(result["key"].as_str()).map_or_else(
        || result["index"].as_u64().map_or("(no id)".to_owned(), |at| format!("#{at}")),
        str::to_owned,
    );
    let mut line = format!("{id:<40} {:<13} {:<9}", text(&result["outcome"]), text(&result["evidence"]));
    if let Some(task) = result["task"]["id"].as_str() {
        let _ = write!(line, " task {task}");
    }
    if result["error"].is_object() {
        let error = &result["error"];
        let _ = write!(
            line,
            " {} {} {} [{}]",
            text(&error["category"]),
            text(&error["vendor_code"]),
            text(&error["message"]),
            text(&error["advice"])
        );
    }
    line.trim_end().to_owned()
}
