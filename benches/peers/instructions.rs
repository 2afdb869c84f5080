//! User-space instructions per request, counted by valgrind: time hardly comes into them, so a rise of a few per cent is seen
//! on any machine, however busy. What they leave out: the kernel's share, and what a cache miss costs.
//!
//! A program is run twice, with fewer and with more requests over one connection. The difference is free of its start, its
//! end and its first requests.

use std::path::Path;

use crate::Failure;
use crate::calls::Call;
use crate::load::{Connection, verify};
use crate::standing::Standing;
use crate::support::table::number;
use crate::table::Table;
use crate::targets::{Place, Target, find, words};
use crate::vendor::Vendor;

/// Requests of the shorter run: buffers, tables and pools have their size by then.
const FEWER: usize = 100;
/// Resources in the requests that the longer run has more, and the least and most of such requests. No two starts
/// are alike (hashes have random seeds), and that must vanish in the difference.
const RESOURCES: usize = 30_000;
const MORE: (usize, usize) = (50, 300);

/// glibc copies and clears large blocks by one instruction that valgrind counts once a byte. Its loops count as they are.
const NO_STRING_INSTRUCTIONS: &str = "GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1073741824:glibc.cpu.x86_rep_stosb_threshold=1073741824";

/// Where valgrind leaves its count.
const COUNTS: &str = "cachegrind.out";

/// Counts every call for the gateway and for the bare forwarder; `check` holds the gateway's rows to those that stand.
///
/// # Errors
/// No valgrind, a wrong answer, or rows that rose.
pub async fn instructions(
    calls: &[Call],
    mut place: Place,
    vendor: &Vendor,
    check: bool,
) -> Result<(), Failure> {
    place.under = counting(&place.folder)?;
    let mut standing = check.then(Standing::read).transpose()?;
    let head = ["call                   ", "resources", "gateway", "bare   ", "gateway ÷ bare"];
    let about = "User-space instructions per request, in thousands";
    let table = Table::new(about, &head.map(str::to_owned));
    for call in calls {
        vendor.replies(&call.reply);
        let gateway = each(Target::Onevelope, call, &place).await?;
        let bare = each(Target::Bare, call, &place).await?;
        let n = call.n.to_string();
        let figure = |thousands: f64| format!("{thousands:.1}");
        table.row(&[call.name.to_owned(), n, figure(gateway), figure(bare), number(gateway / bare)]);
        if let Some(standing) = &mut standing {
            standing.compare(call.name, call.n, gateway);
        }
    }
    standing.map_or(Ok(()), Standing::verdict)
}

/// The words that run a program and count.
fn counting(folder: &Path) -> Result<Vec<String>, Failure> {
    let valgrind =
        find("valgrind").ok_or("no valgrind on this machine: install Debian's package `valgrind`")?;
    let file = |name| folder.join(name).display().to_string();
    // The log has room for 100 lines a second about batches that failed in part: how many of the requests have one would be
    // up to the clock. At full load it is one in hundreds.
    let mut under =
        words(&["env", "ONEVELOPE_LOG=warn", NO_STRING_INSTRUCTIONS, &valgrind.to_string_lossy()]);
    under.extend(words(&["--tool=cachegrind", "--cache-sim=no", "--branch-sim=no"]));
    under.push(format!("--cachegrind-out-file={}", file(COUNTS)));
    // It tells of the signal that ends the run.
    under.push(format!("--log-file={}", file("valgrind.log")));
    Ok(under)
}

/// Thousands of instructions that one more request costs.
async fn each(target: Target, call: &Call, place: &Place) -> Result<f64, Failure> {
    let more = (RESOURCES / call.n).clamp(MORE.0, MORE.1);
    let fewer = total(target, call, FEWER, place).await?;
    let all = total(target, call, FEWER + more, place).await?;
    Ok((all as f64 - fewer as f64) / more as f64 / 1000.0)
}

/// Instructions of a process from its start to its end, with so many requests in between.
async fn total(target: Target, call: &Call, requests: usize, place: &Place) -> Result<u64, Failure> {
    let mut process = target.start(place).await?;
    let right = verify(process.address, call, target.translates()).await?;
    let mut connection = Connection::open(process.address).await?;
    for _ in 0..requests {
        connection.ask(&call.request, right).await?;
    }
    process.interrupt()?;
    let counts = std::fs::read_to_string(place.folder.join(COUNTS))?;
    let summary =
        counts.lines().find_map(|line| line.strip_prefix("summary:")).ok_or("no count by valgrind")?;
    Ok(summary.trim().parse()?)
}
