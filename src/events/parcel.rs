//! Events on their way to a stream, and how long to wait before they are offered again.

use std::time::Duration;

use bytes::Bytes;

/// One event on its way.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The event's id, by which the stream knows repeats.
    pub id: String,
    pub bytes: Bytes,
    pub fate: Fate,
}

/// What became of a parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    #[default]
    Waiting,
    Acknowledged,
    /// The stream had it already.
    Repeat,
    /// No event, or larger than the server takes: trying again is no use.
    Unfit,
}

/// The pause before a try: a quarter second, doubled each time, up to `most`.
pub(super) fn pause(tries: usize, most: Duration) -> Duration {
    match tries {
        0 | 1 => Duration::ZERO,
        _ => most.min(Duration::from_millis(250) * 2_u32.saturating_pow(tries.min(16) as u32 - 2)),
    }
}
