//! What a server that was killed left open: its calls get their missing last events, its recordings are made whole.
//!
//! Runs before anything can call. Everything goes through the writer, so that readers hear one story.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use media::WavHeader;
use model::{RecordingEvent, Text, Timestamp, Told};
use sha2::{Digest, Sha256};
use store::{Store, StoreError, Writer};

/// What was found open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Calls that have their last event now.
    pub calls: usize,
    /// Recordings that are whole now, or known to be lost.
    pub recordings: usize,
}

/// Ends what is open, and returns when all of it is stored. `died_at` is when the server before died, if that is known;
/// else a call is taken to have lasted until its last event.
pub async fn run(store: &Store, recordings: &Path, died_at: Option<Timestamp>) -> Result<Found, StoreError> {
    let writer = store.writer();
    let mut repaired: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let open_recordings = store.open_recordings().await?;
    for recording in &open_recordings {
        let event = repair(recordings.join(&recording.file)).await;
        repaired.entry((recording.tenant, recording.callid)).or_default().push((recording.recording, event));
    }
    let calls = store.open_calls().await?;
    for call in &calls {
        let last_event = call.events.iter().map(|event| event.at).max().unwrap_or(call.record.started_at);
        let at = died_at.unwrap_or(last_event).max(last_event);
        let recordings = repaired.remove(&(call.tenant, call.record.callid)).unwrap_or_default();
        tell(&writer, engine::recover(call.tenant, call.record.clone(), recordings, at));
    }
    // What is left are recordings of calls that were over, but whose file was still being closed.
    for ((tenant, callid), recordings) in repaired {
        let Some(row) = store.tenant(tenant).records().get(callid).await? else { continue };
        let at = died_at.or(row.record.ended_at).unwrap_or_else(Timestamp::now);
        tell(&writer, engine::recover(tenant, row.record, recordings, at));
    }
    writer.flush().await;
    Ok(Found { calls: calls.len(), recordings: open_recordings.len() })
}

fn tell(writer: &Writer, all: Vec<Told>) {
    for told in all {
        writer.push(told);
    }
}

/// Makes a file whole, and says what it then is.
async fn repair(file: PathBuf) -> RecordingEvent {
    // Reading a long recording takes a while, and the runtime has few threads.
    let whole = tokio::task::spawn_blocking(move || make_whole(&file)).await;
    match whole.unwrap_or_else(|panic| Err(io::Error::other(panic))) {
        Ok(Whole { milliseconds, bytes, sha256 }) => {
            RecordingEvent::Closed { milliseconds, gap_milliseconds: 0, bytes, sha256 }
        }
        Err(error) => RecordingEvent::Failed { why: Text::from(error.to_string()) },
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Whole {
    milliseconds: u64,
    bytes: u64,
    sha256: String,
}

/// Gives a file whose writer died a true header, cuts off half a moment, and tells what it then is.
fn make_whole(file: &Path) -> io::Result<Whole> {
    let mut file = OpenOptions::new().read(true).write(true).open(file)?;
    let (header, length) = WavHeader::repair(file.metadata()?.len());
    file.set_len(length)?;
    file.write_all(&header)?;
    file.sync_data()?;
    file.rewind()?;
    let mut hash = Sha256::new();
    let mut piece = vec![0_u8; 64 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => hash.update(&piece[..read]),
        }
    }
    Ok(Whole {
        milliseconds: WavHeader::milliseconds(length - WavHeader::LENGTH as u64),
        bytes: length,
        sha256: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_writer_died_plays_up_to_that_moment() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("call.wav");
        let mut bytes = WavHeader::print(0).to_vec();
        bytes.extend_from_slice(&[1; 32_000 + 3]);
        std::fs::write(&path, bytes).expect("written");

        let whole = make_whole(&path).expect("whole");

        assert_eq!((whole.milliseconds, whole.bytes), (1_000, 32_044));
        assert_eq!(whole.sha256.len(), 64);
        assert_eq!(make_whole(&path).expect("still whole"), whole);
        assert_eq!(std::fs::read(&path).expect("read")[..44], WavHeader::print(32_000));
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");

        assert!(make_whole(&folder.path().join("gone.wav")).is_err());
    }
}
