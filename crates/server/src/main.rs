//! The program `tongdai`.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run()
}
