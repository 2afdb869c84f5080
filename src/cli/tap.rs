//! `onevelope tap`: batches and failed verdicts as they happen.

use http_body_util::BodyExt;
use serde_json::Value;

use super::client::send;
use crate::body::Body;
use crate::run;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The gateway's admin address
    #[arg(long, default_value = "http://127.0.0.1:9464", env = "ONEVELOPE_ADMIN")]
    admin: String,
    /// Only this vendor
    #[arg(long)]
    vendor: Option<String>,
    /// Only failed verdicts, no batches
    #[arg(long)]
    failed: bool,
}

pub(super) fn run(args: &Args) -> u8 {
    let Some(runtime) = super::serve::runtime(Some(1)) else { return 1 };
    runtime.block_on(async {
        tokio::select! {
            result = follow(args) => match result {
                Ok(()) => 0,
                Err(what) => {
                    super::say(&format!("onevelope: {what}"));
                    1
                }
            },
            () = run::termination() => 0,
        }
    })
}

async fn follow(args: &Args) -> Result<(), String> {
    let url = format!("{}/api/events", args.admin.trim_end_matches('/'));
    let request = http::Request::get(&url).body(Body::empty()).map_err(|cause| format!("{url}: {cause}"))?;
    let mut body = send(request).await?.into_body();
    let mut messages = Messages::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|cause| cause.to_string())?;
        let Ok(data) = frame.into_data() else { continue };
        for message in messages.add(&data) {
            if let Some(line) = line(args, &message) {
                super::put(&line);
            }
        }
    }
    Err("the gateway ended the stream".to_owned())
}

/// The stream's messages, whole: a character may come in two pieces, and a message in many.
#[derive(Default)]
struct Messages {
    rest: Vec<u8>,
    /// How much of the rest was looked through for an end.
    seen: usize,
}

impl Messages {
    fn add(&mut self, data: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(data);
        let (mut whole, mut start) = (Vec::new(), 0);
        while let Some(end) = self.rest[self.seen..].windows(2).position(|two| two == b"\n\n") {
            let end = self.seen + end;
            whole.push(String::from_utf8_lossy(&self.rest[start..end]).into_owned());
            start = end + 2;
            self.seen = start;
        }
        self.rest.drain(..start);
        self.seen = self.rest.len().saturating_sub(1);
        whole
    }
}

/// A message as a line, if it is wanted: JSON for machines, columns for people.
fn line(args: &Args, message: &str) -> Option<String> {
    let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name));
    let kind = field("event: ")?;
    let data: Value = serde_json::from_str(field("data: ")?).ok()?;
    let vendor = data["vendor"].as_str().unwrap_or("");
    if args.vendor.as_deref().is_some_and(|wanted| wanted != vendor) || (args.failed && kind != "verdict") {
        return None;
    }
    use std::io::IsTerminal;
    if !std::io::stdout().is_terminal() {
        return Some(serde_json::json!({ "kind": kind, "data": data }).to_string());
    }
    let text = |name: &str| data[name].as_str().unwrap_or("").replace(char::is_control, " ");
    Some(match kind {
        "batch" => format!(
            "{} {:<12} {:<28} {:<10} {} items",
            text("time"),
            vendor,
            text("action"),
            text("outcome"),
            data["summary"]["total"]
        ),
        _ => format!(
            "{} {:<12} {:<28} {:<10} {} {} {}",
            text("time"),
            vendor,
            text("action"),
            text("outcome"),
            text("resource"),
            text("category"),
            text("vendor_code")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::Messages;

    #[test]
    fn a_character_in_two_pieces_stays_one() {
        let stream = "data: \u{e9}\u{4e00}\n\ndata: b\n\nda".as_bytes();
        for size in 1..stream.len() {
            let mut messages = Messages::default();
            let whole: Vec<String> = stream.chunks(size).flat_map(|piece| messages.add(piece)).collect();
            assert_eq!(whole, ["data: \u{e9}\u{4e00}", "data: b"], "pieces of {size}");
        }
    }
}
