//! The outside world: settings, sockets, clock, threads, and everything wired together. The binary is `tongdai`.
//!
//! `serve` starts and stops a server and is where to begin to read. `signalling` is the engine thread, `streams` its TCP,
//! `inbox` what waits for it, `media` the threads with the sound. `demo` is a server with company.

pub mod admin_token;
pub mod command_line;
pub mod config;
pub mod demo;
pub mod handover;
pub mod http;
pub mod inbox;
pub mod interfaces;
mod limits;
pub mod logs;
pub mod mail;
pub mod media;
mod panics;
pub mod provision;
mod pulse;
mod recovery;
mod remote;
pub mod resolve;
mod retention;
pub mod serve;
pub mod show;
pub mod signalling;
mod signals;
pub mod sounds;
pub mod speech;
pub mod streams;
pub mod tickets;
pub mod tls;
pub mod unusable;

use std::process::ExitCode;

use command_line::{Asked, Task};
use config::{Layers, Settings};
use logs::Destination;
use unusable::Unusable;

/// Why the program ends without having done what it was asked to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// Something that whoever started it can change. Exit status 2.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// Anything else. Exit status 1.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    fn status(&self) -> ExitCode {
        match self {
            Self::Unusable(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

/// The whole program: does what the command line asks and tells the exit status.
pub fn run() -> ExitCode {
    tls::choose_provider();
    let asked = command_line::parse(std::env::args_os(), std::env::vars_os()).map_err(Failure::from);
    let done = asked.and_then(|asked| match asked {
        Asked::Say(text) => {
            print!("{text}");
            Ok(())
        }
        Asked::Do(task, layers) => carry_out(&task, &layers),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tongdai: {failure}");
            failure.status()
        }
    }
}

fn carry_out(task: &Task, layers: &Layers) -> Result<(), Failure> {
    // Few threads: calls run on one of their own, sound on others; these serve HTTP and connections.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("tokio")
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("no threads: {error}: allow this user more")))?;
    match task {
        Task::Serve => runtime.block_on(serve(layers)),
        Task::Show(shown, view) => runtime.block_on(show::run(layers, shown, view)),
        Task::Demo => runtime.block_on(demo::run(layers)),
        Task::Provision { file, prune } => {
            println!("{}", runtime.block_on(provision::send(layers, file, *prune))?);
            Ok(())
        }
    }
}

async fn serve(layers: &Layers) -> Result<(), Failure> {
    let settings = Settings::load(layers)?;
    let _logs = logs::start(&settings.log, &Destination::StandardError)?;
    for name in layers.unknown_environment() {
        tracing::warn!(name, "is no setting: tongdai --help lists what there is");
    }
    let mut signals = signals::Signals::listen().map_err(|error| Failure::Failed(format!("no signals: {error}")))?;
    let server = serve::Server::start(settings).await?;
    give_memory_back();
    say(&server.ready_line());
    signals.next().await;
    tracing::info!("draining");
    server.stop(signals.next()).await;
    Ok(())
}

/// One line on standard output, at once. That nobody reads it any more is no reason to end.
fn say(line: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// What starting needed and running does not goes back to the system: a thread that only waits from here on would keep it.
fn give_memory_back() {
    // SAFETY: it takes no pointer and frees only what the allocator itself knows to be unused; where the program runs with
    // another allocator it has nothing to do.
    unsafe { libmimalloc_sys::mi_collect(true) };
}
