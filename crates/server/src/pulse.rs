//! A sign of life in the data folder: the file `alive` is touched every second, so that the next start knows when a
//! server died that was given no time to say so.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use model::Timestamp;
use tokio::time::MissedTickBehavior;

/// How often. A call that was cut off may be told to have ended so much too early.
const EVERY: Duration = Duration::from_secs(1);

/// The sign of life of one data folder.
pub struct Pulse {
    file: PathBuf,
    last: Option<Timestamp>,
}

impl Pulse {
    /// Looks when the server before this one was alive last.
    pub fn of(data_dir: &Path) -> Self {
        let file = data_dir.join("alive");
        let modified = std::fs::metadata(&file).and_then(|metadata| metadata.modified()).ok();
        Self { last: modified.and_then(|at| Timestamp::try_from(at).ok()).map(|at| at.min(Timestamp::now())), file }
    }

    /// When the server before this one was alive last; None if there was none.
    pub fn died_at(&self) -> Option<Timestamp> {
        self.last
    }

    /// Gives signs of life for as long as the server runs.
    pub async fn beat(self) {
        let file = match File::create(&self.file) {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(file = %self.file.display(), %error, "no sign of life can be given");
                return;
            }
        };
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tick.tick().await;
            if let Err(error) = file.set_modified(SystemTime::now()) {
                tracing::debug!(%error, "a sign of life was not given");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_server_sees_when_this_one_was_alive() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Pulse::of(folder.path());
        assert_eq!(first.died_at(), None);

        let before = Timestamp::now();
        let beating = tokio::spawn(first.beat());
        tokio::time::sleep(EVERY * 2).await;
        beating.abort();

        let second = Pulse::of(folder.path()).died_at().expect("there was one");
        assert!(second.as_second() >= before.as_second() && second <= Timestamp::now());
    }
}
