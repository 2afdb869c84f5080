//! A vendor's reply on its way to the caller: read, judged, and written anew.
//!
//! Pure. Knows bytes, headers and envelopes; sockets are `upstream`'s and `gateway`'s.

mod answer; // an envelope within the limits of one answer
mod ending; // whole, where only the connection's end says so
mod headers; // which vendor headers survive a rewritten body
mod prefer; // what the caller prefers
mod raw; // the vendor's bytes inside an envelope
mod translate; // bytes → envelope
mod wishes; // what route and caller want of it

pub use answer::Answer;
pub use ending::shows_its_end;
pub use headers::{envelope_headers, media_type, strip_rewritten, vary};
pub use prefer::Prefer;
pub use raw::raw;
pub use translate::{Incoming, Limits, Opened, Plain, codings, open, translate, translate_opened};
pub use wishes::{RawPolicy, Wishes};
