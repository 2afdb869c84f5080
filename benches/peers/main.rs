//! The gateway beside its peers, in one interleaved run: processor time per request, latency at a fixed rate, memory.
//!
//! `benches/peers/run` fetches the peers and measures against all; `cargo bench --bench peers -- --only bare,onevelope`
//! needs nothing but cargo, and `-- --instructions` valgrind. How to read the tables: `docs/performance.md`. Proxies have one
//! core, this program with the stub vendor and the load has another. Loopback and plain HTTP/1.1 only; nothing is tuned
//! here, and nobody is told to be fast.

#[path = "../support/mod.rs"]
mod support;

mod calls; // what is asked
mod forward; // the bare forwarder
mod http1; // as much of it as both ends need
mod instructions; // per request, by valgrind
mod latency; // open loop
mod load; // closed loop
mod matrix; // the rounds
mod memory; // at rest, and with one large reply
mod process; // each on its core, read in /proc
mod standing; // the instructions that the page says
mod table; // Markdown
mod targets; // who is measured
mod vendor; // who replies

use std::path::PathBuf;

use clap::Parser as _;

use calls::{Call, Kind};
use matrix::Field;
use support::conversations::tencent;
use support::table::say;
use targets::{Place, Target};
use vendor::Vendor;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The gateway beside its peers, in one interleaved run.
#[derive(Debug, clap::Parser)]
struct Options {
    /// Targets; the first is what the others are compared to. Default: all that this machine has
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Target>,
    /// Parts
    #[arg(long, value_enum, value_delimiter = ',', default_value = "cpu,latency,memory")]
    parts: Vec<Part>,
    /// Calls of the table
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "tencent,huawei-done,huawei-failed,other-path,other-action",
        default_value_if(
            "instructions",
            "true",
            "tencent,tencent-shuffled,tencent-apart,huawei-done,other-json,other-action"
        )
    )]
    calls: Vec<Kind>,
    /// Resources in a call
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1,10,100,1000,10000",
        default_value_if("instructions", "true", "1,10,100,1000")
    )]
    resources: Vec<usize>,
    /// Rounds that count; one more warms up
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// One target's share of a round
    #[arg(long, default_value = "200ms")]
    turn: humantime::Duration,
    /// Connections that ask all the time
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// One target's share of a round of the latency part
    #[arg(long, default_value = "1s")]
    window: humantime::Duration,
    /// Rate of the latency part, as a part of what the first target carries
    #[arg(long, default_value_t = 0.5)]
    load: f64,
    /// The proxies' core and this program's
    #[arg(long, value_delimiter = ',', num_args = 1, default_value = "0,1")]
    cores: Vec<usize>,
    /// Count instructions of onevelope and the bare forwarder, and nothing else; needs valgrind
    #[arg(long, conflicts_with_all = ["only", "parts"])]
    instructions: bool,
    /// Fail when a row rose by more than 3 % over the one in docs/performance.md
    #[arg(long, requires = "instructions")]
    check: bool,
    /// cargo says it to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Cpu,
    Latency,
    Memory,
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("forward") => runtime.block_on(forward::forward(arguments[2].parse()?, arguments[3].parse()?)),
        // `cargo test --benches` comes without the flag: nothing to measure then.
        _ if !arguments.iter().any(|argument| argument == "--bench") => Ok(()),
        _ => runtime.block_on(measure(&Options::parse())),
    }
}

async fn measure(options: &Options) -> Result<(), Failure> {
    let &[theirs, ours] = &options.cores[..] else { return Err("--cores takes two numbers".into()) };
    process::pin_self(ours)?;
    let vendor = Vendor::start().await?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    // Instructions are counted on one core: whoever reads finds then all that was written, and not as much as the other core
    // had got to. At 1,000 resources that alone moved the bare forwarder's from 39 to 57 thousand.
    let core = if options.instructions { ours } else { theirs };
    let place = Place { core, vendor: vendor.address, under: Vec::new(), folder: folder.clone() };
    let done = match options.instructions {
        true => instructions::instructions(&calls(options), place, &vendor, options.check).await,
        false => parts(options, &chosen(options), &place, vendor).await,
    };
    std::fs::remove_dir_all(&folder)?;
    done
}

async fn parts(options: &Options, targets: &[Target], place: &Place, vendor: Vendor) -> Result<(), Failure> {
    if options.parts.contains(&Part::Memory) {
        memory::memory(targets, place, &vendor).await?;
    }
    let mut field = Field { vendor, running: Vec::new() };
    for target in targets {
        field.running.push((*target, target.start(place).await?));
    }
    if options.parts.contains(&Part::Latency) {
        field.latency(&Call::batch("Tencent `detail`", tencent(10)), options).await?;
    }
    if options.parts.contains(&Part::Cpu) {
        field.cpu(&calls(options), options).await?;
    }
    Ok(())
}

/// The rows of a table.
fn calls(options: &Options) -> Vec<Call> {
    options.calls.iter().flat_map(|kind| kind.rows(&options.resources)).collect()
}

/// The targets asked for, or those that are here; which are not is said.
fn chosen(options: &Options) -> Vec<Target> {
    let mut targets = if options.only.is_empty() { Target::ALL.to_vec() } else { options.only.clone() };
    targets.sort();
    targets.dedup();
    if options.only.is_empty() {
        targets.retain(|target| {
            let here = target.program().is_some();
            if !here {
                say(&format!("{} is not on this machine: benches/peers/run fetches it", target.name()));
            }
            here
        });
    }
    targets
}
