//! Words made into sound before anybody is called: by a program or a service behind [`Driver`], kept on disk and in memory.
//!
//! Nothing here is on a call's path. Settings are handed to the engine with the clips that are ready; those that come later
//! are handed over again (`handover.rs`).

mod cache;
mod espeak;
mod http;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::Pending;
use model::{Clip, Language, TenantSettings};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};

use self::cache::Cache;

/// Jobs under way at once: signalling and sound need the machine more.
const AT_ONCE: usize = 2;
/// How long one job may take.
const JOB_WITHIN: Duration = Duration::from_secs(20);
/// When something that could not be said is tried again, at the soonest.
pub const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What makes words into sound.
pub trait Driver: Send + Sync + 'static {
    /// Its name, which stands in the names of kept files.
    fn name(&self) -> &'static str;

    /// Mono sound at 8 000 samples a second.
    fn speak<'a>(&'a self, words: &'a Words) -> Pending<'a, Result<Vec<i16>, SpeechError>>;
}

/// What is to be said, and how.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Words {
    /// The language.
    pub language: Language,
    /// The driver's name of a voice.
    pub voice: String,
    /// In percent of the usual speed.
    pub rate: u16,
    /// The text.
    pub text: String,
}

/// Why words were not made into sound.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpeechError {
    /// The program is not there.
    #[error("{0} is not installed: install it, or name another way with --speech")]
    NotInstalled(&'static str),
    /// It did not work this time.
    #[error("{0}")]
    Failed(String),
}

/// What speaks, as the settings have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SpeechDriver {
    /// The program espeak-ng.
    Espeak,
    /// A service.
    Http {
        /// Where it is asked.
        url: String,
        /// What opens it.
        key: Option<SpeechKey>,
    },
    /// Nothing: there are no spoken prompts.
    None,
}

/// The key of a service; not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SpeechKey(pub String);

impl std::fmt::Debug for SpeechKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpeechKey(***)")
    }
}

/// How words are made into sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpeechSettings {
    /// What speaks.
    pub driver: SpeechDriver,
    /// Voices by language, where they are not the driver's usual ones.
    pub voices: BTreeMap<Language, String>,
    /// In percent of the usual speed.
    pub rate: u16,
}

/// Makes and keeps what is said. Clones share it.
#[derive(Clone)]
pub struct Speech(Arc<Inner>);

struct Inner {
    driver: Option<Box<dyn Driver>>,
    voices: BTreeMap<Language, String>,
    rate: u16,
    cache: Cache,
    at_once: Semaphore,
    table: Mutex<Table>,
    /// Counts the jobs that are over.
    over: watch::Sender<u64>,
    has_warned: AtomicBool,
}

type Key = (Language, String);

#[derive(Default)]
struct Table {
    /// What settings have asked for and is ready.
    clips: BTreeMap<Key, Clip>,
    under_way: BTreeSet<Key>,
    /// When it was tried.
    failed: BTreeMap<Key, Instant>,
}

impl Speech {
    /// Speaks as the settings say, and keeps what was made in a folder.
    pub fn new(settings: &SpeechSettings, folder: PathBuf) -> Result<Self, String> {
        let (driver, usual): (Option<Box<dyn Driver>>, [&str; 2]) = match &settings.driver {
            SpeechDriver::Espeak => (Some(Box::new(espeak::Espeak)), ["vi", "en-us"]),
            SpeechDriver::Http { url, key } => {
                (Some(Box::new(http::Service::new(url, key.as_ref())?)), [http::ANY_VOICE; 2])
            }
            SpeechDriver::None => (None, [""; 2]),
        };
        let mut voices: BTreeMap<_, _> =
            [Language::Vi, Language::En].into_iter().zip(usual.map(str::to_owned)).collect();
        voices.extend(settings.voices.clone());
        Ok(Self::with(driver, voices, settings.rate, folder))
    }

    fn with(driver: Option<Box<dyn Driver>>, voices: BTreeMap<Language, String>, rate: u16, folder: PathBuf) -> Self {
        Self(Arc::new(Inner {
            driver,
            voices,
            rate,
            cache: Cache::new(folder),
            at_once: Semaphore::new(AT_ONCE),
            table: Mutex::default(),
            over: watch::Sender::new(0),
            has_warned: AtomicBool::new(false),
        }))
    }

    /// What is ready of a tenant's words by `until`. What is not is made all the same, and is ready the next time.
    pub async fn clips(&self, settings: &TenantSettings, until: Instant) -> BTreeMap<String, Clip> {
        let words = settings.words();
        let mut over = self.0.over.subscribe();
        self.read(settings.language, &words).await;
        self.begin(settings.language, &words);
        let is_under_way = || {
            let table = self.0.table();
            words.iter().any(|text| table.under_way.contains(&(settings.language, text.clone())))
        };
        while is_under_way() {
            if timeout_at(until, over.changed()).await.is_err() {
                tracing::warn!(tenant = settings.name, "not everything can be said yet: prompts are still being made");
                break;
            }
        }
        let table = self.0.table();
        let ready = |text: String| Some((text.clone(), table.clips.get(&(settings.language, text))?.clone()));
        words.into_iter().filter_map(ready).collect()
    }

    /// Tells when a job is over.
    pub fn over(&self) -> watch::Receiver<u64> {
        self.0.over.subscribe()
    }

    /// Whether anything is made at all.
    pub fn is_on(&self) -> bool {
        self.0.driver.is_some()
    }

    /// Forgets what none of these settings says. It stays on disk.
    pub fn keep_for<'a>(&self, running: impl Iterator<Item = &'a TenantSettings>) {
        let said: BTreeSet<(Language, &str)> = running
            .flat_map(|settings| settings.clips.words.keys().map(|text| (settings.language, text.as_str())))
            .collect();
        let mut table = self.0.table();
        table.clips.retain(|(language, text), _| said.contains(&(*language, text.as_str())));
        table.failed.retain(|_, at| at.elapsed() < AGAIN_AFTER);
    }

    /// Takes from the disk what is not in memory.
    async fn read(&self, language: Language, words: &BTreeSet<String>) {
        let Some(driver) = &self.0.driver else { return };
        let missing: Vec<Words> = {
            let table = self.0.table();
            let is_missing = |text: &&String| !table.clips.contains_key(&(language, (*text).clone()));
            words.iter().filter(is_missing).map(|text| self.0.words(language, text)).collect()
        };
        if missing.is_empty() {
            return;
        }
        let (inner, name) = (self.0.clone(), driver.name());
        let read = move || {
            let clip = |words: Words| Some((words.text.clone(), inner.cache.get(name, &words)?));
            missing.into_iter().filter_map(clip).collect::<Vec<_>>()
        };
        let found = tokio::task::spawn_blocking(read).await.unwrap_or_default();
        let mut table = self.0.table();
        table.clips.extend(found.into_iter().map(|(text, samples)| ((language, text), Clip::new(samples))));
    }

    /// Begins to make what is not there, unless it was tried in vain a moment ago.
    fn begin(&self, language: Language, words: &BTreeSet<String>) {
        if self.0.driver.is_none() {
            return;
        }
        let mut table = self.0.table();
        for text in words {
            let key = (language, text.clone());
            let was_tried = table.failed.get(&key).is_some_and(|at| at.elapsed() < AGAIN_AFTER);
            if table.clips.contains_key(&key) || was_tried || !table.under_way.insert(key.clone()) {
                continue;
            }
            tokio::spawn(self.0.clone().make(key));
        }
    }
}

impl Inner {
    async fn make(self: Arc<Self>, key: Key) {
        let made = self.speak(&self.words(key.0, &key.1)).await;
        {
            let mut table = self.table();
            table.under_way.remove(&key);
            match made {
                Ok(samples) => {
                    table.failed.remove(&key);
                    table.clips.insert(key, Clip::new(samples));
                }
                Err(error) => {
                    table.failed.insert(key, Instant::now());
                    // One cause has all prompts fail: it is said once, until one succeeds.
                    if !self.has_warned.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%error, "prompts cannot be spoken: callers hear none until this is mended");
                    }
                }
            }
        }
        self.over.send_modify(|count| *count += 1);
    }

    async fn speak(self: &Arc<Self>, words: &Words) -> Result<Vec<i16>, SpeechError> {
        let Some(driver) = &self.driver else { return Err(SpeechError::Failed("nothing speaks".into())) };
        let _permit = self.at_once.acquire().await.map_err(|error| SpeechError::Failed(error.to_string()))?;
        let late = |_| SpeechError::Failed(format!("it took longer than {} seconds", JOB_WITHIN.as_secs()));
        let samples = timeout(JOB_WITHIN, driver.speak(words)).await.map_err(late)??;
        self.has_warned.store(false, Ordering::Relaxed);
        let (inner, words, name) = (self.clone(), words.clone(), driver.name());
        let keep = move || {
            if let Err(error) = inner.cache.put(name, &words, &samples) {
                tracing::warn!(%error, "a spoken prompt cannot be kept: it is made again after a restart");
            }
            samples
        };
        tokio::task::spawn_blocking(keep).await.map_err(|error| SpeechError::Failed(error.to_string()))
    }

    fn words(&self, language: Language, text: &str) -> Words {
        let voice = self.voices.get(&language).cloned().unwrap_or_default();
        Words { language, voice, rate: self.rate, text: text.to_owned() }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub mod tests;
