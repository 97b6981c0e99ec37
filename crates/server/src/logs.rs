//! The log: to standard error or a file, with phone numbers masked, and without ever holding up who logs.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::unusable::Unusable;

/// Lines that may wait to be written. Beyond that they are dropped: a log must not stop a call.
const LINES: usize = 4_096;
/// How long the end of the process waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Where the log goes.
pub enum Destination<'a> {
    /// Standard error.
    StandardError,
    /// A file, made anew.
    File(&'a Path),
}

/// Keeps the log going; when dropped, the lines that wait are written.
pub struct Logs {
    lines: SyncSender<Line>,
}

enum Line {
    Text(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Starts the log for the whole process. What a process logs before is lost.
pub fn start(filter: &str, destination: &Destination<'_>) -> Result<Logs, Unusable> {
    let (output, colour): (Box<dyn Write + Send>, bool) = match destination {
        Destination::StandardError => (Box::new(io::stderr()), io::IsTerminal::is_terminal(&io::stderr())),
        Destination::File(path) => {
            let file = OpenOptions::new().create(true).write(true).truncate(true).open(path);
            let file = file.map_err(|error| Unusable(format!("{}: {error}: choose another folder", path.display())))?;
            (Box::new(file), false)
        }
    };
    let (lines, waiting) = sync_channel(LINES);
    std::thread::Builder::new()
        .name("log".into())
        .spawn(move || write(output, &waiting))
        .map_err(|error| Unusable(format!("no thread for the log: {error}: allow this user more threads")))?;
    let queue = Queue(lines.clone());
    let started = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(colour)
        .with_writer(queue)
        .try_init();
    if let Err(error) = started {
        tracing::debug!(%error, "the process has a log");
    }
    Ok(Logs { lines })
}

impl Drop for Logs {
    fn drop(&mut self) {
        let (written, done) = sync_channel(1);
        if self.lines.try_send(Line::Flush(written)).is_ok() {
            // Whether the last lines made it or not, the process ends now.
            let _ = done.recv_timeout(LAST_LINES);
        }
    }
}

fn write(mut output: Box<dyn Write + Send>, waiting: &Receiver<Line>) {
    while let Ok(line) = waiting.recv() {
        match line {
            // Nobody is left to be told that the log cannot be written.
            Line::Text(text) => {
                let _ = output.write_all(&text);
            }
            Line::Flush(written) => {
                let _ = output.flush();
                let _ = written.send(());
            }
        }
    }
}

#[derive(Clone)]
struct Queue(SyncSender<Line>);

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Queue {
    /// Takes one whole line, as the formatter gives it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let masked = mask(&String::from_utf8_lossy(line)).into_bytes();
        let _ = self.0.try_send(Line::Text(masked));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hides the middle of what may be a phone number: 8 to 15 digits that stand alone. Ids with a dot between their
/// digits and times stay readable.
fn mask(line: &str) -> String {
    let bytes = line.as_bytes();
    let mut masked = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|found| at + found) {
        let end =
            bytes[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |found| start + found);
        masked.push_str(&line[at..start]);
        let digits = &line[start..end];
        if (8..=15).contains(&digits.len())
            && !continues(bytes[..start].iter().rev())
            && !continues(bytes[end..].iter())
        {
            masked.push_str(&digits[..2]);
            masked.push('…');
            masked.push_str(&digits[digits.len() - 3..]);
        } else {
            masked.push_str(digits);
        }
        at = end;
    }
    masked.push_str(&line[at..]);
    masked
}

/// Whether a word goes on beside the digits: letters, or a dot with a digit behind it.
fn continues<'a>(mut outwards: impl Iterator<Item = &'a u8>) -> bool {
    match outwards.next() {
        Some(b'.') => outwards.next().is_some_and(u8::is_ascii_digit),
        Some(byte) => byte.is_ascii_alphanumeric() || *byte == b'_',
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_lose_their_middle_and_ids_stay_whole() {
        let table = [
            ("dialled 0900000001.", "dialled 09…001."),
            ("sip:+84900000001@127.0.0.1:5060", "sip:+84…001@127.0.0.1:5060"),
            ("number=\"02873088088\"", "number=\"02…088\""),
            ("call 1700000000.1000101 ended", "call 1700000000.1000101 ended"),
            ("2026-01-01T00:00:00.123456Z INFO 101 calls 102", "2026-01-01T00:00:00.123456Z INFO 101 calls 102"),
            ("branch z9hG4bK12345678ab", "branch z9hG4bK12345678ab"),
            ("số 0900000001", "số 09…001"),
        ];
        for (line, shown) in table {
            assert_eq!(mask(line), shown);
        }
    }

    #[test]
    fn a_line_that_finds_no_room_is_dropped_and_not_waited_for() {
        let (lines, waiting) = sync_channel(1);
        let mut queue = Queue(lines);

        for line in ["one\n", "two\n"] {
            queue.write_all(line.as_bytes()).expect("never fails");
        }

        assert!(matches!(waiting.try_recv(), Ok(Line::Text(text)) if text == b"one\n"));
        assert!(waiting.try_recv().is_err());
    }
}
