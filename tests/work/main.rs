//! Work and memory are linear in bytes: each wire format's worst shapes, at one and at two times their size.
//!
//! One test at a time: the allocator counts for the whole process.

mod coded; // content codings
mod judged; // replies that make the judge look things up
mod measure; // work and peak of one run
mod requests; // requests, from bytes to what is asked
mod shapes; // each wire format's worst

#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
