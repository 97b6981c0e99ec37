//! Settings on their way from the store to those who run them: the engine, the door, the APIs.
//!
//! A provision file is applied when the engine has replied that it runs what the file says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{NotApplied, NotChanged, NotUploaded, Pending, Provisioner, SoundUpload};
use futures_util::future::join_all;
use model::{Clip, Directory, Reply, TenantId, TenantSettings};
use store::{ApplyError, Author, Change, Changed, Changes, Store};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::sleep;

use crate::inbox::{Errand, Inbox};
use crate::resolve::{Found, Trunks};
use crate::sounds::{Files, MOST_OF_A_TENANT, convert};
use crate::speech::{self, Speech};
use crate::tickets::Board;

/// How often names of trunks are looked up again, at most: some name servers say that their answers hold for no time.
const NAMES_EVERY: Duration = Duration::from_secs(2);

/// How long settings wait for what is said under them; what is not ready then is handed over later.
const SPOKEN_WITHIN: Duration = Duration::from_secs(10);
/// Prompts that come late are handed over together.
const LATE_TOGETHER: Duration = Duration::from_secs(1);

/// Hands settings over. Clones share what is known to run.
#[derive(Clone)]
pub struct Handover(Arc<Inner>);

struct Inner {
    store: Store,
    board: Arc<Board>,
    inbox: Inbox,
    trunks: Trunks,
    speech: Speech,
    sounds: Arc<Files>,
    /// One upload is converted at a time: each takes a core, and memory.
    converting: Mutex<()>,
    directory: watch::Sender<Arc<Directory>>,
    /// What the engine runs. Held while settings change, so that they are handed over in their order.
    running: Mutex<Running>,
    /// Rings when something else runs.
    changed: Notify,
}

/// What the engine runs, and when the names in it are to be looked up again.
type Running = BTreeMap<TenantId, (Arc<TenantSettings>, Option<Instant>)>;

/// Settings that are stored did not reach the engine.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HandoverError {
    /// They could not be read.
    #[error("reading settings: {0}")]
    Unread(String),
    /// The engine did not take them.
    #[error("the settings of {tenant} are stored, but the engine does not run them: {why}")]
    NotTaken {
        /// Whose.
        tenant: String,
        /// What it said.
        why: String,
    },
}

impl HandoverError {
    /// What a client is told. What the database says is for the log.
    fn told(&self) -> String {
        match self {
            Self::Unread(_) => unsettled(self),
            Self::NotTaken { .. } => self.to_string(),
        }
    }
}

/// What a client is told of trouble that names the inside; the log says what it is.
fn unsettled(error: &(dyn std::error::Error + 'static)) -> String {
    tracing::error!(error, "changing settings");
    "settings cannot be stored or read now: try again in a minute; the server's log says why".to_owned()
}

impl Handover {
    /// Nothing runs so far.
    pub fn new(
        store: Store,
        board: Arc<Board>,
        inbox: Inbox,
        trunks: Trunks,
        speech: Speech,
        sounds: Arc<Files>,
    ) -> Self {
        let directory = watch::Sender::new(Arc::new(Directory::default()));
        let (running, changed) = (Mutex::default(), Notify::new());
        let converting = Mutex::default();
        Self(Arc::new(Inner { store, board, inbox, trunks, speech, sounds, converting, directory, running, changed }))
    }

    /// What the APIs know of all tenants, replaced with each change.
    pub fn directory(&self) -> watch::Receiver<Arc<Directory>> {
        self.0.directory.subscribe()
    }

    /// Hands over what is stored, and returns when the engine runs it.
    pub async fn hand_over(&self) -> Result<(), HandoverError> {
        let mut running = self.0.running.lock().await;
        self.hand_over_to(&mut running).await
    }

    /// Looks names of trunks up again whenever what name servers said has run out, for as long as the server runs. The
    /// engine gets new settings only if something has moved.
    pub async fn follow_names(self) {
        loop {
            let due = self.0.running.lock().await.values().filter_map(|(_, until)| *until).min();
            let wait = async {
                match due {
                    Some(due) => sleep(due.saturating_duration_since(Instant::now()).max(NAMES_EVERY)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => self.look_up_again().await,
                () = self.0.changed.notified() => {}
            }
        }
    }

    /// Hands prompts over that were made after their settings, for as long as the server runs.
    pub async fn follow_speech(self) {
        let mut over = self.0.speech.over();
        while self.0.speech.is_on() {
            tokio::select! {
                made = over.changed() => {
                    if made.is_err() {
                        return;
                    }
                    sleep(LATE_TOGETHER).await;
                    over.mark_unchanged();
                }
                () = sleep(speech::AGAIN_AFTER) => {}
            }
            self.speak_again().await;
        }
    }

    async fn speak_again(&self) {
        let mut running = self.0.running.lock().await;
        let is_speechless = |settings: &TenantSettings| settings.words().len() > settings.clips.words.len();
        let speechless = running.values().filter(|(known, _)| is_speechless(known));
        for (known, until) in speechless.cloned().collect::<Vec<_>>() {
            let words = self.0.speech.clips(&known, tokio::time::Instant::now()).await;
            if words == known.clips.words {
                continue;
            }
            let mut settings = TenantSettings::clone(&known);
            settings.clips.words = words;
            if let Err(error) = self.take(&mut running, Found { settings, until }).await {
                tracing::warn!(%error, "prompts are ready");
            }
        }
    }

    async fn put_sound(&self, upload: SoundUpload) -> Result<u64, NotUploaded> {
        let SoundUpload { tenant, name, file, .. } = upload;
        let samples = match file {
            None => None,
            Some(file) => {
                let _one = self.0.converting.lock().await;
                let converted = tokio::task::spawn_blocking(move || convert(&file)).await;
                let converted = converted.map_err(|error| NotUploaded::Failed(unsettled(&error)))?;
                Some(converted.map_err(|error| NotUploaded::NoSound(error.to_string()))?)
            }
        };
        let length = samples.as_ref().map_or(0, |samples| samples.len() as u64 * 1_000 / u64::from(Clip::RATE));
        let mut running = self.0.running.lock().await;
        let known = running.get(&tenant).cloned();
        let Some((known, until)) = known.filter(|(known, _)| known.sounds.contains_key(&name)) else {
            return Err(NotUploaded::NotFound(format!("sound {name}")));
        };
        if samples.is_some() && known.sounds[&name].say.is_some() {
            return Err(NotUploaded::Spoken);
        }
        let (files, of_name) = (self.0.sounds.clone(), name.clone());
        let put = move || match samples {
            Some(samples) if files.bytes_beside(tenant, &of_name) + samples.len() as u64 * 2 > MOST_OF_A_TENANT => {
                Err(NotUploaded::NoRoom("the tenant's sounds would be longer than 75 minutes: take others away".into()))
            }
            Some(samples) => {
                files.save(tenant, &of_name, samples).map_err(|error| NotUploaded::Failed(unsettled(&error)))
            }
            None => match files.delete(tenant, &of_name) {
                Ok(true) => Ok(()),
                Ok(false) => Err(NotUploaded::NotFound(format!("the file of sound {of_name}"))),
                Err(error) => Err(NotUploaded::Failed(unsettled(&error))),
            },
        };
        tokio::task::spawn_blocking(put).await.map_err(|error| NotUploaded::Failed(unsettled(&error)))??;
        let mut settings = TenantSettings::clone(&known);
        settings.clips.sounds = self.uploaded(&settings).await;
        let taken = self.take(&mut running, Found { settings, until }).await;
        taken.map_err(|error| NotUploaded::Failed(error.told()))?;
        Ok(length)
    }

    /// What was uploaded of a tenant's sounds.
    async fn uploaded(&self, settings: &TenantSettings) -> BTreeMap<String, Clip> {
        let (files, settings) = (self.0.sounds.clone(), settings.clone());
        tokio::task::spawn_blocking(move || files.clips(&settings)).await.unwrap_or_default()
    }

    async fn look_up_again(&self) {
        let now = Instant::now();
        let is_due = |(settings, until): &(Arc<TenantSettings>, Option<Instant>)| {
            until.is_some_and(|until| until <= now).then(|| settings.clone())
        };
        let due: Vec<_> = self.0.running.lock().await.values().filter_map(is_due).collect();
        let found = join_all(due.iter().map(|known| self.0.trunks.find((**known).clone(), Some(known)))).await;
        let mut running = self.0.running.lock().await;
        for (known, found) in due.iter().zip(found) {
            // Settings that have changed meanwhile have been looked up with the change.
            if running.get(&known.id).is_some_and(|(now, _)| Arc::ptr_eq(now, known))
                && let Err(error) = self.take(&mut running, found).await
            {
                tracing::warn!(%error, "a trunk has moved");
            }
        }
    }

    async fn apply(&self, author: &Author, yaml: &str, prune: bool) -> Result<Changes, NotApplied> {
        let wrong =
            |error: store::provision::ProvisionError| NotApplied::Wrong { line: error.line, sentence: error.sentence };
        let provision = store::provision::parse(yaml).map_err(wrong)?;
        let mut running = self.0.running.lock().await;
        let changes = match self.0.store.settings().apply_by(author, provision, prune).await {
            Ok(changes) => changes,
            Err(ApplyError::Conflict(error)) => return Err(wrong(error)),
            Err(ApplyError::Store(error)) => return Err(NotApplied::Failed(unsettled(&error))),
        };
        self.hand_over_to(&mut running).await.map_err(|error| NotApplied::Failed(error.told()))?;
        Ok(changes)
    }

    async fn change(&self, change: Change) -> Result<Changed, NotChanged> {
        let mut running = self.0.running.lock().await;
        let changed = self.0.store.settings().change(change).await?;
        if changed.different {
            self.hand_over_to(&mut running).await.map_err(|error| NotChanged::Failed(error.told()))?;
        }
        Ok(changed)
    }

    async fn hand_over_to(&self, running: &mut Running) -> Result<(), HandoverError> {
        let snapshot =
            self.0.store.settings().load().await.map_err(|error| HandoverError::Unread(with_cause(&error)))?;
        self.take_from_gone(running, &snapshot.tenants).await?;
        let spoken_by = tokio::time::Instant::now() + SPOKEN_WITHIN;
        let found = snapshot.tenants.into_iter().map(|mut settings| {
            let before = running.get(&settings.id).map(|(known, _)| known.clone());
            async move {
                let (words, sounds) = tokio::join!(self.0.speech.clips(&settings, spoken_by), self.uploaded(&settings));
                settings.clips.words = words;
                settings.clips.sounds = sounds;
                self.0.trunks.find(settings, before.as_deref()).await
            }
        });
        for found in join_all(found.collect::<Vec<_>>()).await {
            self.take(running, found).await?;
        }
        self.0.speech.keep_for(running.values().map(|(known, _)| &**known));
        self.0.changed.notify_one();
        // Who may call is known to the engine before the door lets them in, and to the APIs last.
        let directory = Arc::new(snapshot.directory);
        self.0.inbox.errand_in_turn(Errand::Directory(directory.clone())).await;
        self.0.directory.send_replace(directory);
        Ok(())
    }

    /// A tenant that is gone has no trunks: carriers hear that we are not there any more, and are not asked for its sake.
    /// It has no extensions either: their phones are signed out.
    async fn take_from_gone(&self, running: &mut Running, there: &[TenantSettings]) -> Result<(), HandoverError> {
        let is_gone = |id: TenantId| there.iter().all(|settings| settings.id != id);
        let holds = |known: &TenantSettings| !known.trunks.is_empty() || !known.extensions.is_empty();
        let gone: Vec<Arc<TenantSettings>> = running
            .values()
            .filter(|(known, _)| is_gone(known.id) && holds(known))
            .map(|(known, _)| known.clone())
            .collect();
        for known in gone {
            let mut settings = TenantSettings::clone(&known);
            settings.version += 1;
            settings.trunks.clear();
            settings.outbound.clear();
            settings.extensions.clear();
            self.take(running, Found { settings, until: None }).await?;
        }
        Ok(())
    }

    async fn take(&self, running: &mut Running, Found { settings, until }: Found) -> Result<(), HandoverError> {
        if let Some((known, known_until)) = running.get_mut(&settings.id)
            && **known == settings
        {
            *known_until = until;
            return Ok(());
        }
        let settings = Arc::new(settings);
        let not_taken = |why: String| HandoverError::NotTaken { tenant: settings.name.clone(), why };
        match self.0.board.take_settings(settings.clone()).await {
            Ok(Reply::SettingsTaken { version }) if version == settings.version => {}
            Ok(other) => return Err(not_taken(format!("it replied {other:?}"))),
            Err(problem) => return Err(not_taken(problem.to_string())),
        }
        running.insert(settings.id, (settings, until));
        Ok(())
    }
}

impl Provisioner for Handover {
    // In tasks of their own: a client that goes away in the middle must not leave settings stored that nobody runs.
    fn apply(&self, author: Author, yaml: String, prune: bool) -> Pending<'_, Result<Changes, NotApplied>> {
        let this = self.clone();
        Box::pin(async move {
            let applied = tokio::spawn(async move { this.apply(&author, &yaml, prune).await });
            applied.await.unwrap_or_else(|error| Err(NotApplied::Failed(unsettled(&error))))
        })
    }

    fn change(&self, change: Change) -> Pending<'_, Result<Changed, NotChanged>> {
        let this = self.clone();
        Box::pin(async move {
            let changed = tokio::spawn(async move { this.change(change).await });
            changed.await.unwrap_or_else(|error| Err(NotChanged::Failed(unsettled(&error))))
        })
    }

    fn put_sound(&self, upload: SoundUpload) -> Pending<'_, Result<u64, NotUploaded>> {
        let this = self.clone();
        Box::pin(async move {
            let put = tokio::spawn(async move { this.put_sound(upload).await });
            put.await.unwrap_or_else(|error| Err(NotUploaded::Failed(unsettled(&error))))
        })
    }

    fn sound_file(&self, tenant: TenantId, name: &str) -> PathBuf {
        self.0.sounds.path(tenant, name)
    }
}

/// An error with its causes, for a log or for who operates the server.
pub fn with_cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
