//! The program `tongdai`.

use std::process::ExitCode;

/// Gives memory back to the system after a storm of calls; the C library's allocator keeps most of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::run()
}
