//! A bug on a thread that nobody can do without ends the process, loudly: half a server is worse than none, and the next
//! start ends what was open. The engine's own thread catches what befalls a single call and ends the process by itself.

use std::panic;

/// The exit status after a bug.
pub const STATUS: i32 = 70;

/// From here on a panic on a media worker's thread ends the process.
pub fn end_with_media() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        before(info);
        let thread = std::thread::current();
        if let Some(name) = thread.name().filter(|name| name.starts_with("media-")) {
            eprintln!("tongdai: the thread {name} failed: the process ends, and its next start ends the open calls");
            std::process::exit(STATUS);
        }
    }));
}
