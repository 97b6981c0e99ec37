//! Sounds of tenants' own: files that were uploaded, converted once to what is played, mono WAV at 8 000 samples a second.
//!
//! They lie in `<data>/sounds/<tenant>/<name>.wav`. Who may upload, and when the engine plays the new sound, is not known
//! here.

pub mod ogg;
mod resample;
pub mod wav;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::{Clip, TenantId, TenantSettings};

/// The longest sound, in seconds.
pub const MOST_SECONDS: usize = 600;
/// What all sounds of a tenant may take together, in bytes: an hour and a quarter. All of it is held in memory.
pub const MOST_OF_A_TENANT: u64 = 75 * 60 * 16_000;

/// Why an uploaded file is no sound of ours.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SoundError {
    /// Something else altogether.
    #[error("the file is neither WAV nor Ogg with Opus: convert it to one of them")]
    Unknown,
    /// A WAV that cannot be read.
    #[error("the WAV file cannot be read ({0}): write it as PCM with 8, 16, 24 or 32 bits")]
    Wav(String),
    /// An Ogg file that cannot be read.
    #[error("the Ogg file cannot be read ({0}): write it with Opus, in one or two channels")]
    Ogg(String),
    /// It goes on for too long.
    #[error("the sound is longer than {} minutes: cut it", MOST_SECONDS / 60)]
    TooLong,
    /// There is no sound in it.
    #[error("there is no sound in the file")]
    Empty,
}

/// The files of all tenants, and what was read of them.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    /// What was read. None: there is no such file.
    read: Mutex<BTreeMap<(TenantId, String), Option<Clip>>>,
}

/// What an uploaded file sounds like. Takes up to seconds for a long one.
pub fn convert(file: &[u8]) -> Result<Vec<i16>, SoundError> {
    let samples = match file.get(..4) {
        Some(b"RIFF") => wav::read(file)?,
        Some(b"OggS") => ogg::read(file)?,
        _ => return Err(SoundError::Unknown),
    };
    match samples.len() {
        0 => Err(SoundError::Empty),
        length if length > MOST_SECONDS * Clip::RATE as usize => Err(SoundError::TooLong),
        _ => Ok(samples),
    }
}

impl Files {
    /// Those that lie in a folder, which need not be there.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, read: Mutex::default() }
    }

    /// Where a sound lies. The name is one that settings allow: no slash is in it, and with the suffix it is no `..`.
    pub fn path(&self, tenant: TenantId, name: &str) -> PathBuf {
        self.folder.join(tenant.0.to_string()).join(format!("{name}.wav"))
    }

    /// What was uploaded of the tenant's sounds. Reads only what has not been read, and forgets files that no setting names
    /// any more.
    pub fn clips(&self, settings: &TenantSettings) -> BTreeMap<String, Clip> {
        self.tidy(settings);
        let uploaded = settings.sounds.values().filter(|sound| sound.say.is_none());
        uploaded.filter_map(|sound| Some((sound.name.clone(), self.clip(settings.id, &sound.name)?))).collect()
    }

    /// Takes a sound in place of the one that is there.
    pub fn save(&self, tenant: TenantId, name: &str, samples: Vec<i16>) -> io::Result<()> {
        write_whole(&self.path(tenant, name), &wav::write(&samples))?;
        self.table().insert((tenant, name.to_owned()), Some(Clip::new(samples)));
        Ok(())
    }

    /// Takes a sound away. Whether it was there.
    pub fn delete(&self, tenant: TenantId, name: &str) -> io::Result<bool> {
        self.table().remove(&(tenant, name.to_owned()));
        match std::fs::remove_file(self.path(tenant, name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What all files of a tenant but this one take, in bytes.
    pub fn bytes_beside(&self, tenant: TenantId, name: &str) -> u64 {
        let but = self.path(tenant, name);
        let files = std::fs::read_dir(self.folder.join(tenant.0.to_string())).into_iter().flatten().flatten();
        let others = files.filter(|file| file.path() != but);
        others.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
    }

    fn clip(&self, tenant: TenantId, name: &str) -> Option<Clip> {
        let key = (tenant, name.to_owned());
        if let Some(known) = self.table().get(&key) {
            return known.clone();
        }
        let path = self.path(tenant, name);
        let read = match std::fs::read(&path) {
            Ok(file) => wav::read(&file).map(Clip::new).map_err(|error| error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.table().insert(key, None);
                return None;
            }
            Err(error) => Err(error.to_string()),
        };
        let clip = read.inspect_err(|error| tracing::warn!(file = %path.display(), %error, "a sound is not played"));
        let clip = clip.ok();
        self.table().insert(key, clip.clone());
        clip
    }

    fn tidy(&self, settings: &TenantSettings) {
        let is_named = |name: &str| settings.sounds.contains_key(name);
        self.table().retain(|(tenant, name), _| *tenant != settings.id || is_named(name));
        let files = std::fs::read_dir(self.folder.join(settings.id.0.to_string())).into_iter().flatten().flatten();
        for file in files {
            let name = file.file_name();
            let is_kept = name.to_str().and_then(|name| name.strip_suffix(".wav")).is_some_and(is_named);
            if !is_kept && let Err(error) = std::fs::remove_file(file.path()) {
                tracing::warn!(file = %file.path().display(), %error, "a sound that no setting names cannot be deleted");
            }
        }
    }

    fn table(&self) -> std::sync::MutexGuard<'_, BTreeMap<(TenantId, String), Option<Clip>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a file that is there whole or not at all, also after a power cut.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId(7);

    #[test]
    fn what_is_saved_is_read_again_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(&["jazz"]);
        let samples: Vec<i16> = (0..8_000).collect();
        let files = Files::new(folder.path().to_owned());

        files.save(TENANT, "jazz", samples.clone()).expect("it is written");
        let (now, again) = (files.clips(&settings), files.clips(&settings));
        let restarted = Files::new(folder.path().to_owned()).clips(&settings);

        assert_eq!(now, again, "the same samples in the same place");
        assert_eq!(now["jazz"].samples(), samples);
        assert_eq!(restarted["jazz"].samples(), samples);
    }

    #[test]
    fn a_sound_that_no_setting_names_is_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::new(folder.path().to_owned());
        files.save(TENANT, "jazz", vec![1; 80]).expect("it is written");
        files.save(TENANT, "pop", vec![1; 80]).expect("it is written");

        let clips = files.clips(&settings(&["pop"]));

        assert_eq!(clips.keys().collect::<Vec<_>>(), ["pop"]);
        assert!(!files.path(TENANT, "jazz").exists() && files.path(TENANT, "pop").exists());
        assert!(!files.clips(&settings(&["pop", "jazz"])).contains_key("jazz"), "nor is it remembered");
    }

    #[test]
    fn a_broken_file_is_no_sound_and_no_harm() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::new(folder.path().to_owned());
        write_whole(&files.path(TENANT, "jazz"), b"RIFF and nothing").expect("it is written");

        assert!(files.clips(&settings(&["jazz"])).is_empty());
        assert!(
            files.delete(TENANT, "jazz").expect("deleted") && !files.delete(TENANT, "jazz").expect("nothing there")
        );
    }

    #[test]
    fn what_is_no_sound_says_why() {
        let long = vec![0; (MOST_SECONDS + 1) * 8_000];
        let cut = wav::write(&[5; 800]);

        assert_eq!(convert(b"ID3\x04 an mp3"), Err(SoundError::Unknown));
        assert_eq!(convert(b""), Err(SoundError::Unknown));
        assert_eq!(convert(&wav::write(&[])), Err(SoundError::Empty));
        assert_eq!(convert(&wav::write(&long)), Err(SoundError::TooLong));
        assert!(matches!(convert(&cut[..20]), Err(SoundError::Wav(_))));
        assert!(matches!(convert(b"OggS and nothing"), Err(SoundError::Ogg(_))));
    }

    fn settings(names: &[&str]) -> TenantSettings {
        let sound = |name: &&str| ((*name).to_owned(), model::NamedSound { name: (*name).to_owned(), say: None });
        TenantSettings { id: TENANT, sounds: names.iter().map(sound).collect(), ..crate::speech::tests::tenant() }
    }
}
