//! `onevelope replay`: the events of a spool, once more. Reads only; a gateway may go on writing there.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::config::{FileSinkConfig, NatsSinkConfig};
use crate::events::spool::{Position, lines, segments};
use crate::events::{Fate, Head, Link, Parcel};

const EXAMPLES: &str = "Examples:
  onevelope replay --spool /var/spool/onevelope --since 2h | jq .resource
  onevelope replay --spool /var/spool/onevelope --to nats://nats:4222";

/// Events under way at once.
const AT_ONCE: usize = 256;
/// Tries for the same events before giving up; each waits for the server's answer.
const TRIES: usize = 5;
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folder of the spool: `directory` of [events.file]
    #[arg(long, value_name = "DIR")]
    spool: PathBuf,
    /// Where to: `nats://[user:password@]host:4222`, or `-` for one JSON object a line on standard output
    #[arg(long, value_name = "URL", default_value = "-")]
    to: String,
    /// Only events of the last while, such as `2h`
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
    /// With NATS: the stream, made when missing
    #[arg(long, default_value = "ONEVELOPE")]
    stream: String,
    /// With NATS: the subject
    #[arg(long, default_value = "onevelope.events")]
    subject: String,
    /// With NATS: PEM file of certificate authorities to trust besides the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> u8 {
    let mut held = match Held::open(args) {
        Ok(held) => held,
        Err(cause) => {
            super::say(&format!("onevelope: {}: {cause}", args.spool.display()));
            return 1;
        }
    };
    let result = match args.to.as_str() {
        "-" => print(&mut held),
        url if url.starts_with("nats://") || url.starts_with("tls://") => publish(args, &mut held),
        // Not shown: it may hold a password.
        _ => {
            super::say("onevelope: --to: write nats://host:4222, tls://host:4222 or -");
            return super::USAGE;
        }
    };
    if held.broken > 0 {
        super::say(&format!("{} lines are no events (torn by a crash?) and were left out", held.broken));
    }
    match result {
        Ok(()) => 0,
        Err(what) => {
            super::say(&format!("onevelope: {what}"));
            1
        }
    }
}

fn print(held: &mut Held) -> Result<(), String> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    loop {
        let parcels = held.next()?;
        let lines = parcels.iter().try_for_each(|parcel| {
            out.write_all(&parcel.bytes)?;
            out.write_all(b"\n")
        });
        // A reader that has seen enough is no failure.
        if parcels.is_empty() || lines.is_err() || out.flush().is_err() {
            return Ok(());
        }
    }
}

fn publish(args: &Args, held: &mut Held) -> Result<(), String> {
    let config = NatsSinkConfig {
        url: args.to.clone(),
        stream: args.stream.clone(),
        subject: args.subject.clone(),
        ca: args.ca.clone(),
        ..NatsSinkConfig::default()
    };
    let runtime = super::serve::runtime(Some(1)).ok_or("no runtime")?;
    runtime.block_on(async {
        let mut link = Link::open(&config, FileSinkConfig::default().max_age.0).await?;
        let away = |_| format!("{} is not there, or does not let us in", config.servers().join(","));
        tokio::time::timeout(CONNECT, link.until(true)).await.map_err(away)?;
        let (mut sent, mut repeats, mut too_large) = (0_u64, 0_u64, 0_u64);
        loop {
            let mut parcels = held.next()?;
            if parcels.is_empty() {
                super::say(&format!(
                    "{sent} events sent; {repeats} more were there already, {too_large} are too large"
                ));
                return Ok(());
            }
            deliver(&mut link, &mut parcels).await?;
            for parcel in parcels {
                match parcel.fate {
                    Fate::Repeat => repeats += 1,
                    Fate::Unfit => too_large += 1,
                    Fate::Waiting | Fate::Acknowledged => sent += 1,
                }
            }
        }
    })
}

async fn deliver(link: &mut Link, parcels: &mut [Parcel]) -> Result<(), String> {
    let mut tries = 1;
    while let Err(cause) = link.offer(parcels).await {
        if tries == TRIES {
            return Err(format!("events were not taken: {cause}; run it again, nothing is lost"));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        tries += 1;
    }
    Ok(())
}

/// The events of a spool, oldest first.
struct Held {
    directory: PathBuf,
    /// Files not begun, newest first, and how long they were at the start.
    files: Vec<(u64, u64)>,
    file: Option<(Position, u64)>,
    since: Option<SystemTime>,
    /// Lines that were no events.
    broken: u64,
}

impl Held {
    fn open(args: &Args) -> io::Result<Self> {
        let files = segments(&args.spool)?.into_iter().rev().collect();
        let since = args.since.and_then(|since| SystemTime::now().checked_sub(since));
        Ok(Self { directory: args.spool.clone(), files, file: None, since, broken: 0 })
    }

    /// The next events; none at the end.
    fn next(&mut self) -> Result<Vec<Parcel>, String> {
        loop {
            let Some((from, length)) = self.file.take().or_else(|| self.files.pop().map(begin)) else {
                return Ok(Vec::new());
            };
            let lines = match lines(&self.directory, from, length, AT_ONCE) {
                Ok(lines) => lines,
                // A gateway that goes on writing throws old files away.
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
                Err(cause) => return Err(format!("{}: {cause}", self.directory.display())),
            };
            let Some(last) = lines.last() else { continue };
            self.file = Some((last.end, length));
            let parcels: Vec<Parcel> = lines.into_iter().filter_map(|line| self.parcel(line.bytes)).collect();
            if !parcels.is_empty() {
                return Ok(parcels);
            }
        }
    }

    fn parcel(&mut self, line: Vec<u8>) -> Option<Parcel> {
        let Some(head) = Head::read(&line) else {
            self.broken += 1;
            return None;
        };
        let old = self.since.is_some_and(|since| head.time().is_none_or(|time| time < since));
        (!old).then(|| Parcel { id: head.event_id, bytes: line.into(), fate: Fate::Waiting })
    }
}

fn begin((segment, length): (u64, u64)) -> (Position, u64) {
    (Position { segment, offset: 0 }, length)
}
