//! The thin binary: parse, run, exit code. Everything else is in the library.

use std::process::ExitCode;

/// Vendor bodies come in every size; this allocator gives large ones back and keeps small ones cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    onevelope::cli::run(std::env::args_os())
}
