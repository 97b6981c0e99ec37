//! How much room is left where recordings are kept.
//!
//! Below the low mark the log and the metrics warn; below the hard mark, a fifth of it, no recording begins. Those that are
//! being written go on: what a full disk does not take is silence in them.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use api::Metrics;

const MB: u64 = 1_000_000;

/// The hard mark is so many times lower than the low one.
const HARD: u64 = 5;

/// Finds out how many bytes are free.
pub type Free = Box<dyn Fn() -> io::Result<u64> + Send>;

/// What is left, and what is asked for.
pub struct Room {
    free: Free,
    /// The low mark in bytes. 0: nobody looks.
    low: u64,
    is_low: bool,
    metrics: Arc<Metrics>,
}

impl Room {
    /// Room in this folder, with the low mark in megabytes.
    pub fn of(folder: &Path, min_free_mb: u32, metrics: Arc<Metrics>) -> Self {
        let folder = folder.to_owned();
        Self::new(Box::new(move || free_in(&folder)), min_free_mb, metrics)
    }

    pub fn new(free: Free, min_free_mb: u32, metrics: Arc<Metrics>) -> Self {
        Self { free, low: u64::from(min_free_mb) * MB, is_low: false, metrics }
    }

    /// Looks how much there is, and warns. An error says why no recording may begin.
    pub fn look(&mut self) -> Result<(), String> {
        if self.low == 0 {
            return Ok(());
        }
        // A folder that cannot be asked is not a full one: whatever is wrong there shows when it is written to.
        let Ok(free) = (self.free)() else { return Ok(()) };
        self.metrics.recordings_free_bytes.set(i64::try_from(free).unwrap_or(i64::MAX));
        let free_mb = free / MB;
        if free < self.low && !self.is_low {
            self.is_low = true;
            tracing::warn!(free_mb, low_mb = self.low / MB, "there is little room left where recordings are kept");
        } else if free >= self.low + self.low / 10 && self.is_low {
            self.is_low = false;
            tracing::info!(free_mb, "there is room again where recordings are kept");
        }
        self.metrics.recordings_room_low.set(i64::from(self.is_low));
        let hard = self.low / HARD;
        if free >= hard {
            return Ok(());
        }
        Err(format!(
            "only {free_mb} MB are free where recordings are kept, and none begins with less than {} MB",
            hard / MB
        ))
    }
}

/// Bytes that this process may still write where the folder is.
fn free_in(folder: &Path) -> io::Result<u64> {
    let path = CString::new(folder.as_os_str().as_bytes())?;
    let mut found = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends with a zero byte, and the place is as large as what is written there.
    if unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so it has written all of it.
    let found = unsafe { found.assume_init() };
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn it_warns_at_the_low_mark_and_refuses_at_the_hard_one() {
        let free = Arc::new(AtomicU64::new(600 * MB));
        let metrics = Arc::new(Metrics::default());
        let given = free.clone();
        let mut room = Room::new(Box::new(move || Ok(given.load(Ordering::Relaxed))), 500, metrics.clone());
        let mut with = |mb: u64| {
            free.store(mb * MB, Ordering::Relaxed);
            (room.look().is_ok(), metrics.recordings_room_low.get())
        };

        let seen = [600, 499, 100, 99, 520, 550].map(&mut with);

        assert_eq!(seen, [(true, 0), (true, 1), (true, 1), (false, 1), (true, 1), (true, 0)]);
        assert_eq!(metrics.recordings_free_bytes.get(), 550_000_000);
    }

    #[test]
    fn nobody_looks_where_no_mark_is_set() {
        let mut room = Room::new(Box::new(|| Ok(0)), 0, Arc::default());

        assert_eq!(room.look(), Ok(()));
    }

    #[test]
    fn the_room_of_a_real_folder_is_known() {
        let folder = tempfile::tempdir().expect("a folder");

        assert!(free_in(folder.path()).expect("an answer") > 0);
        assert!(free_in(&folder.path().join("none")).is_err());
    }
}
