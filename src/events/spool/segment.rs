//! One file of the spool: its name, and the whole lines in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A place between two events.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Position {
    /// Number of the file.
    pub segment: u64,
    /// Bytes before it in that file.
    pub offset: u64,
}

/// One event as it stands in a file, and where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Without the line's end.
    pub bytes: Vec<u8>,
    pub end: Position,
}

/// A file's path. Names sort as they were written.
pub(super) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("events-{number:012}.ndjson"))
}

/// The files of a spool and their lengths, oldest first. Other files are not looked at.
///
/// # Errors
/// When the folder cannot be read.
pub fn segments(directory: &Path) -> io::Result<BTreeMap<u64, u64>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("events-")?.strip_suffix(".ndjson"));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            found.insert(number, entry.metadata()?.len());
        }
    }
    Ok(found)
}

/// Whole lines from a place on, at most so many. What follows the last line's end was torn by a crash, and is no event.
///
/// # Errors
/// When the file cannot be read.
pub fn lines(directory: &Path, from: Position, until: u64, most: usize) -> io::Result<Vec<Line>> {
    let mut file = File::open(path(directory, from.segment))?;
    file.seek(SeekFrom::Start(from.offset))?;
    let mut reader = BufReader::new(file.take(until.saturating_sub(from.offset)));
    let (mut lines, mut end) = (Vec::new(), from);
    while lines.len() < most {
        let mut bytes = Vec::new();
        let read = reader.read_until(b'\n', &mut bytes)?;
        if bytes.pop() != Some(b'\n') {
            break;
        }
        end.offset += read as u64;
        lines.push(Line { bytes, end });
    }
    Ok(lines)
}

/// How many whole lines there are from a place on.
pub(super) fn count(directory: &Path, from: Position, until: u64) -> io::Result<u64> {
    let mut file = File::open(path(directory, from.segment))?;
    file.seek(SeekFrom::Start(from.offset))?;
    let mut reader = BufReader::new(file.take(until.saturating_sub(from.offset)));
    let mut count = 0;
    loop {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            return Ok(count);
        }
        count += memchr::memchr_iter(b'\n', piece).count() as u64;
        let length = piece.len();
        reader.consume(length);
    }
}
