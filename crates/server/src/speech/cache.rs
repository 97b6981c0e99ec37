//! What was spoken, on disk: a WAV file for each text, voice, rate and driver, under the hash of the four.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use model::Language;
use sha2::{Digest, Sha256};

use super::Words;
use crate::sounds::{wav, write_whole};

/// What all files may take together, in bytes: about nine hours.
const MOST: u64 = 512 * 1024 * 1024;

/// A folder of spoken words.
pub struct Cache {
    folder: PathBuf,
    most: u64,
    /// What the files take together; looked at with the first that is added.
    taken: AtomicU64,
}

const UNKNOWN: u64 = u64::MAX;

impl Cache {
    /// In a folder, which need not be there.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, most: MOST, taken: AtomicU64::new(UNKNOWN) }
    }

    /// What was made of these words. A file that is broken is as if it were not there.
    pub fn get(&self, driver: &str, words: &Words) -> Option<Vec<i16>> {
        let path = self.path(driver, words);
        let file = std::fs::read(&path).ok()?;
        // As long as its own head says, and not empty.
        let told = file.get(40..44).and_then(|told| told.try_into().ok()).map(u32::from_le_bytes);
        let is_whole = told.is_some_and(|told| told > 0 && file.len() == 44 + told as usize);
        let samples = wav::read(&file).ok().filter(|_| is_whole);
        if samples.is_none() {
            tracing::warn!(file = %path.display(), "a spoken prompt is broken and is made again");
        }
        samples
    }

    /// Keeps what was made. The oldest files go where there is no room.
    pub fn put(&self, driver: &str, words: &Words, samples: &[i16]) -> io::Result<()> {
        let file = wav::write(samples);
        if self.taken.load(Ordering::Relaxed) == UNKNOWN {
            self.taken.store(self.files().iter().map(|(_, length, _)| length).sum(), Ordering::Relaxed);
        }
        write_whole(&self.path(driver, words), &file)?;
        if self.taken.fetch_add(file.len() as u64, Ordering::Relaxed) + file.len() as u64 > self.most {
            self.make_room();
        }
        Ok(())
    }

    fn path(&self, driver: &str, Words { language, voice, rate, text }: &Words) -> PathBuf {
        let language = match language {
            Language::Vi => "vi",
            Language::En => "en",
        };
        let mut hash = Sha256::new();
        // The text comes last: no other part holds a line's end.
        hash.update(format!("{driver}\n{language}\n{}\n{rate}\n{text}", voice.replace('\n', " ")));
        let name: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{name}.wav"))
    }

    /// Takes the oldest away until a quarter is free.
    fn make_room(&self) {
        let mut files = self.files();
        files.sort();
        let mut taken: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if taken <= self.most / 4 * 3 {
                break;
            }
            if std::fs::remove_file(path).is_ok() {
                taken -= length;
            }
        }
        self.taken.store(taken, Ordering::Relaxed);
    }

    fn files(&self) -> Vec<(SystemTime, u64, PathBuf)> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let known = |file: std::fs::DirEntry| {
            let about = file.metadata().ok()?;
            Some((about.modified().ok()?, about.len(), file.path()))
        };
        files.filter_map(known).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words { language: Language::Vi, voice: "vi".into(), rate: 100, text: text.into() }
    }

    #[test]
    fn text_voice_rate_and_driver_each_have_a_file_of_their_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path().join("speech"));
        cache.put("a", &words("Xin chào"), &[1, 2, 3]).expect("kept");

        assert_eq!(cache.get("a", &words("Xin chào")), Some(vec![1, 2, 3]));
        assert_eq!(cache.get("b", &words("Xin chào")), None);
        assert_eq!(cache.get("a", &words("Xin chào.")), None);
        assert_eq!(cache.get("a", &Words { rate: 90, ..words("Xin chào") }), None);
        assert_eq!(cache.get("a", &Words { voice: "vi-sgn".into(), ..words("Xin chào") }), None);
        assert_eq!(cache.get("a", &Words { language: Language::En, ..words("Xin chào") }), None);
    }

    #[test]
    fn a_broken_file_is_as_if_it_were_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path().to_owned());
        let path = cache.path("a", &words("x"));
        cache.put("a", &words("x"), &[5; 800]).expect("kept");
        let whole = std::fs::read(&path).expect("it is there");

        for broken in [&whole[..30], &whole[..900], b"", b"something else"] {
            std::fs::write(&path, broken).expect("written");
            assert_eq!(cache.get("a", &words("x")), None);
        }
        cache.put("a", &words("x"), &[5; 800]).expect("kept");
        assert_eq!(cache.get("a", &words("x")), Some(vec![5; 800]));
    }

    #[test]
    fn the_oldest_go_where_there_is_no_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache { most: 20_000, ..Cache::new(folder.path().to_owned()) };

        for at in 0..50 {
            cache.put("a", &words(&at.to_string()), &[at; 1_000]).expect("kept");
        }

        let left: u64 = cache.files().iter().map(|(_, length, _)| length).sum();
        assert!((5_000..=20_000).contains(&left), "{left}");
        assert_eq!(cache.get("a", &words("49")), Some(vec![49; 1_000]));
        assert_eq!(cache.get("a", &words("0")), None);
    }
}
