//! `onevelope top`: failing resources and vendors, live in the terminal; JSON lines where there is none.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use serde_json::Value;

use super::client::fetch_json;
use super::terminal::Terminal;
use crate::run;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The gateway's admin address
    #[arg(long, default_value = "http://127.0.0.1:9464", env = "ONEVELOPE_ADMIN")]
    admin: String,
    /// Seconds between looks
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..3600))]
    every: u64,
    /// One look, then end
    #[arg(long)]
    once: bool,
}

/// Failing resources shown.
const ROWS: usize = 20;

pub(super) fn run(args: &Args) -> u8 {
    let Some(runtime) = super::serve::runtime(Some(1)) else { return 1 };
    let terminal = if args.once { None } else { Terminal::enter() };
    let result = runtime.block_on(async {
        tokio::select! {
            result = watch(args, terminal.as_ref()) => result,
            () = run::termination() => Ok(()),
            () = Terminal::quit(terminal.as_ref()) => Ok(()),
        }
    });
    // First the usual screen, then what is said there.
    drop(terminal);
    match result {
        Ok(()) => 0,
        Err(what) => {
            super::say(&format!("onevelope: {what}"));
            1
        }
    }
}

async fn watch(args: &Args, terminal: Option<&Terminal>) -> Result<(), String> {
    let admin = args.admin.trim_end_matches('/');
    loop {
        let vendors = fetch_json(&format!("{admin}/api/vendors")).await?;
        let failures = fetch_json(&format!("{admin}/api/failures?limit=1000")).await?;
        let failing = by_resource(&failures["failures"]);
        match terminal {
            Some(terminal) => terminal.show(&screen(admin, &vendors, &failing)),
            None if std::io::stdout().is_terminal() => super::put(&screen(admin, &vendors, &failing)),
            None => {
                let rows: Vec<&Failing> = failing.iter().take(ROWS).collect();
                super::put(&serde_json::json!({ "vendors": vendors, "failing": rows }).to_string());
            }
        }
        if args.once {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(args.every)).await;
    }
}

/// A resource with its recent failures, newest first in the list they come from.
#[derive(Debug, serde::Serialize)]
struct Failing {
    vendor: String,
    action: String,
    resource: String,
    failures: u64,
    last: String,
    outcome: String,
    category: String,
    vendor_code: String,
}

fn by_resource(events: &Value) -> Vec<Failing> {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let mut order: Vec<Failing> = Vec::new();
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    for event in events.as_array().into_iter().flatten() {
        let key = (text(&event["vendor"]), text(&event["resource"]));
        let at = *known.entry(key.clone()).or_insert_with(|| {
            order.push(Failing {
                vendor: key.0,
                action: text(&event["action"]),
                resource: key.1,
                failures: 0,
                last: text(&event["time"]),
                outcome: text(&event["outcome"]),
                category: text(&event["category"]),
                vendor_code: text(&event["vendor_code"]),
            });
            order.len() - 1
        });
        order[at].failures += 1;
    }
    order.sort_by_key(|row| std::cmp::Reverse(row.failures));
    order
}

fn screen(admin: &str, vendors: &Value, failing: &[Failing]) -> String {
    let mut out = format!("onevelope top   {admin}   q ends\n\n");
    let _ = writeln!(
        out,
        "{:<14}{:>11}{:>11}{:>11}{:>15}{:>11}",
        "VENDOR", "SUCCEEDED", "ACCEPTED", "FAILED", "NOT ATTEMPTED", "UNKNOWN"
    );
    for row in vendors.as_array().into_iter().flatten() {
        let count = |name: &str| row[name].as_u64().unwrap_or(0);
        let counts = ["succeeded", "accepted", "failed", "not_attempted", "unknown"].map(count);
        if counts.iter().all(|count| *count == 0) {
            continue;
        }
        let [succeeded, accepted, failed, not_attempted, unknown] = counts;
        let vendor = row["vendor"].as_str().unwrap_or("");
        let _ = writeln!(
            out,
            "{vendor:<14}{succeeded:>11}{accepted:>11}{failed:>11}{not_attempted:>15}{unknown:>11}"
        );
    }
    let _ = writeln!(
        out,
        "\n{:<12}{:<28}{:<40}{:>6}  {:<20}{:<14}LAST",
        "VENDOR", "ACTION", "RESOURCE", "TIMES", "CATEGORY", "CODE"
    );
    for row in failing.iter().take(ROWS) {
        let resource: String = row.resource.chars().filter(|c| !c.is_control()).take(38).collect();
        let code: String = row.vendor_code.chars().filter(|c| !c.is_control()).take(12).collect();
        let _ = writeln!(
            out,
            "{:<12}{:<28}{resource:<40}{:>6}  {:<20}{code:<14}{}",
            row.vendor, row.action, row.failures, row.category, row.last
        );
    }
    if failing.is_empty() {
        out.push_str("nothing has failed\n");
    }
    out
}
