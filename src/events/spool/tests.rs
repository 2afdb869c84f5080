//! The spool against a real folder.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use prometheus::{IntCounter, IntGauge};

use super::*;
use crate::config::{ByteSize, Span};

/// A folder that goes away with the test.
pub(in crate::events) struct Folder(pub(in crate::events) PathBuf);

impl Folder {
    pub(in crate::events) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("onevelope-spool-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn open(&self, max_size: usize, rotate: usize) -> (Arc<Spool>, Writer) {
        let config = FileSinkConfig {
            directory: self.0.clone(),
            max_size: ByteSize(max_size),
            rotate: ByteSize(rotate),
            max_age: Span(Duration::from_secs(3600)),
        };
        Spool::open(&config).unwrap()
    }

    /// Whole lines of all files, in order.
    fn held(&self) -> Vec<String> {
        let read =
            |(segment, length)| lines(&self.0, Position { segment, offset: 0 }, length, usize::MAX).unwrap();
        texts(segments(&self.0).unwrap().into_iter().flat_map(read).collect())
    }

    fn size(&self) -> u64 {
        segments(&self.0).unwrap().values().sum()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn texts(lines: Vec<Line>) -> Vec<String> {
    lines.into_iter().map(|line| String::from_utf8(line.bytes).unwrap()).collect()
}

fn sink() -> SinkHandles {
    let counter = || IntCounter::new("c", "c").unwrap();
    SinkHandles {
        done: counter(),
        failed: counter(),
        dropped: counter(),
        pending: Some(IntGauge::new("g", "g").unwrap()),
    }
}

fn pending(sink: &SinkHandles) -> i64 {
    sink.pending.as_ref().unwrap().get()
}

#[test]
fn what_is_written_is_read_in_order_over_files_and_restarts() {
    let folder = Folder::new();
    let (spool, mut writer) = folder.open(1000, 20);
    for n in 0..5 {
        writer.append(format!("line {n}\n").as_bytes()).unwrap();
    }
    drop((spool, writer));
    let (spool, mut writer) = folder.open(1000, 20);
    writer.append(b"line 5\n").unwrap();
    spool.follow(Position::default(), sink());
    let mut read = Vec::new();
    loop {
        let lines = spool.read(2).unwrap();
        assert!(lines.len() <= 2);
        if lines.is_empty() {
            break;
        }
        read.extend(texts(lines));
    }
    assert_eq!(read, (0..6).map(|n| format!("line {n}")).collect::<Vec<_>>());
    writer.append(b"line 6\n").unwrap();
    assert_eq!(texts(spool.read(9).unwrap()), ["line 6"]);
}

#[test]
fn files_together_never_exceed_the_bound_and_the_oldest_goes_first() {
    let folder = Folder::new();
    let (_spool, mut writer) = folder.open(100, 30);
    for n in 10..60 {
        writer.append(format!("line {n}\n").as_bytes()).unwrap();
        assert!(folder.size() <= 100, "{} bytes", folder.size());
    }
    let held = folder.held();
    assert!(held.len() >= 8, "{held:?}");
    assert_eq!(held, (60 - held.len()..60).map(|n| format!("line {n}")).collect::<Vec<_>>());
}

#[test]
fn unread_events_that_are_thrown_away_are_counted_once_and_exactly() {
    let folder = Folder::new();
    let (spool, mut writer) = folder.open(100, 30);
    let sink = sink();
    spool.follow(Position::default(), sink.clone());
    let mut read = 0;
    for n in 10..60 {
        writer.append(format!("line {n}\n").as_bytes()).unwrap();
        if n == 12 {
            read += spool.read(2).unwrap().len() as u64;
        }
    }
    loop {
        let lines = spool.read(100).unwrap().len() as u64;
        if lines == 0 {
            break;
        }
        read += lines;
    }
    assert!(sink.dropped.get() > 0);
    assert_eq!(read + sink.dropped.get(), 50);
}

#[test]
fn pending_is_what_is_written_and_not_done() {
    let folder = Folder::new();
    let (spool, mut writer) = folder.open(1000, 20);
    let sink = sink();
    spool.follow(Position::default(), sink.clone());
    for n in 0..5 {
        writer.append(format!("line {n}\n").as_bytes()).unwrap();
    }
    assert_eq!(pending(&sink), 35);
    let read = spool.read(2).unwrap();
    spool.done(read[0].end);
    assert_eq!(pending(&sink), 28);
    spool.done(spool.read(9).unwrap()[1].end);
    assert_eq!(pending(&sink), 7);
}

#[test]
fn a_line_torn_by_a_crash_is_no_event_and_hides_none() {
    let folder = Folder::new();
    let (spool, mut writer) = folder.open(1000, 500);
    writer.append(b"whole\n").unwrap();
    let end = writer.end().unwrap();
    drop((spool, writer));
    let path = segment::path(&folder.0, end.segment);
    std::fs::write(&path, "whole\n{\"event_id\":\"to").unwrap();
    let (spool, mut writer) = folder.open(1000, 500);
    spool.follow(Position::default(), sink());
    writer.append(b"after\n").unwrap();
    assert_eq!(texts(spool.read(9).unwrap()), ["whole"]);
    assert_eq!(texts(spool.read(9).unwrap()), ["after"]);
}

#[test]
fn files_older_than_the_bound_go_and_younger_ones_stay() {
    let folder = Folder::new();
    let (spool, mut writer) = folder.open(1000, 10);
    writer.append(b"old line\n").unwrap();
    let old = writer.end().unwrap().segment;
    writer.append(b"new line\n").unwrap();
    writer.append(b"newest line\n").unwrap();
    let file = File::options().append(true).open(segment::path(&folder.0, old)).unwrap();
    file.set_modified(SystemTime::now() - spool.max_age - Duration::from_secs(60)).unwrap();
    writer.tick();
    assert_eq!(folder.held(), ["new line", "newest line"]);
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let folder = Folder::new();
    let config = FileSinkConfig { directory: folder.0.clone(), ..FileSinkConfig::default() };
    let first = Spool::open(&config).unwrap();
    let refused = Spool::open(&config).map(|_| ()).unwrap_err();
    assert!(refused.contains("another process writes here"), "{refused}");
    drop(first);
    Spool::open(&config).unwrap();
}

#[test]
fn files_taken_away_by_somebody_else_stop_nothing() {
    let folder = Folder::new();
    let (spool, mut writer) = folder.open(60, 20);
    spool.follow(Position::default(), sink());
    for n in 0..6 {
        writer.append(format!("line {n}\n").as_bytes()).unwrap();
    }
    for number in segments(&folder.0).unwrap().into_keys() {
        std::fs::remove_file(segment::path(&folder.0, number)).unwrap();
    }
    writer.tick();
    for n in 6..20 {
        writer.append(format!("line {n}\n").as_bytes()).unwrap();
    }
    assert_eq!(folder.held().last().map(String::as_str), Some("line 19"));
    assert!(!spool.read(9).unwrap().is_empty());
}

#[test]
fn a_number_is_not_used_again_when_all_files_are_gone() {
    let folder = Folder::new();
    store_cursor(&folder.0, Position { segment: 41, offset: 7 }).unwrap();
    let (spool, mut writer) = folder.open(1000, 500);
    spool.follow(load_cursor(&folder.0).unwrap(), sink());
    writer.append(b"fresh\n").unwrap();
    assert_eq!(texts(spool.read(9).unwrap()), ["fresh"]);
}
