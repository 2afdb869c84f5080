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
    let mut text = String::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|cause| cause.to_string())?;
        let Ok(data) = frame.into_data() else { continue };
        text.push_str(&String::from_utf8_lossy(&data));
        while let Some((message, rest)) = text.split_once("\n\n") {
            if let Some(line) = line(args, message) {
                super::put(&line);
            }
            text = rest.to_owned();
        }
    }
    Err("the gateway ended the stream".to_owned())
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
