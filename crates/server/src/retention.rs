//! Every hour what is older than its tenant keeps it goes: files of sound here, rows in the store.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use model::Timestamp;
use store::{Store, Swept};

const EVERY: Duration = Duration::from_secs(3_600);

/// Sweeps at once, and every hour, for as long as it is polled.
pub async fn run(store: Store, recordings: PathBuf) {
    let mut hours = tokio::time::interval(EVERY);
    hours.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        hours.tick().await;
        match store.sweep(Timestamp::now(), |file| remove(&recordings, file)).await {
            Ok(swept) if swept == Swept::default() => {}
            Ok(Swept { recordings, records, events }) => {
                tracing::info!(recordings, records, events, "what was older than its tenant keeps it is deleted");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what is old cannot be deleted now; it is tried again in an hour");
            }
        }
    }
}

/// Deletes a file of the folder, and nothing outside of it.
fn remove(folder: &Path, file: &str) -> io::Result<()> {
    let inside = !file.is_empty() && Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name leads out of the recordings folder"));
    }
    std::fs::remove_file(folder.join(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let recordings = folder.path().join("recordings");
        std::fs::create_dir_all(recordings.join("1")).expect("a folder");
        std::fs::write(recordings.join("1/a.wav"), "sound").expect("a file");
        std::fs::write(folder.path().join("secret.key"), "key").expect("a file");

        remove(&recordings, "1/a.wav").expect("it is deleted");

        assert!(!recordings.join("1/a.wav").exists());
        for file in ["../secret.key", "", "/etc/hostname", "./../secret.key"] {
            assert!(remove(&recordings, file).is_err(), "{file}");
        }
        assert!(folder.path().join("secret.key").exists());
    }
}
