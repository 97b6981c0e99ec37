//! Settings on their way from the store to those who run them: the engine, the door, the APIs.
//!
//! A provision file is applied when the engine has replied that it runs what the file says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::{NotApplied, Pending, Provisioner};
use model::{Directory, Reply, TenantId, TenantSettings};
use store::{ApplyError, Changes, Store};
use tokio::sync::{Mutex, watch};

use crate::inbox::{Errand, Inbox};
use crate::resolve;
use crate::tickets::Board;

/// How often names of trunks are looked up again.
const NAMES_EVERY: Duration = Duration::from_secs(60);

/// Hands settings over. Clones share what is known to run.
#[derive(Clone)]
pub struct Handover(Arc<Inner>);

struct Inner {
    store: Store,
    board: Arc<Board>,
    inbox: Inbox,
    directory: watch::Sender<Arc<Directory>>,
    /// What the engine runs. Held while settings change, so that they are handed over in their order.
    running: Mutex<BTreeMap<TenantId, Arc<TenantSettings>>>,
}

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

impl Handover {
    /// Nothing runs so far.
    pub fn new(store: Store, board: Arc<Board>, inbox: Inbox) -> Self {
        let directory = watch::Sender::new(Arc::new(Directory::default()));
        Self(Arc::new(Inner { store, board, inbox, directory, running: Mutex::default() }))
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

    /// Looks names of trunks up again for as long as the server runs.
    pub async fn follow_names(self) {
        let mut tick = tokio::time::interval(NAMES_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tick.tick().await;
        loop {
            tick.tick().await;
            let mut running = self.0.running.lock().await;
            let named: Vec<_> = running.values().filter(|settings| resolve::has_names(settings)).cloned().collect();
            for settings in named {
                let fresh = resolve::trunks((*settings).clone()).await;
                if let Err(error) = self.take(&mut running, fresh).await {
                    tracing::warn!(%error, "a trunk has moved");
                }
            }
        }
    }

    async fn apply(&self, yaml: &str, prune: bool) -> Result<Changes, NotApplied> {
        let wrong =
            |error: store::provision::ProvisionError| NotApplied::Wrong { line: error.line, sentence: error.sentence };
        let provision = store::provision::parse(yaml).map_err(wrong)?;
        let mut running = self.0.running.lock().await;
        let changes = match self.0.store.settings().apply(provision, prune).await {
            Ok(changes) => changes,
            Err(ApplyError::Conflict(error)) => return Err(wrong(error)),
            Err(ApplyError::Store(error)) => return Err(NotApplied::Failed(with_cause(&error))),
        };
        self.hand_over_to(&mut running).await.map_err(|error| NotApplied::Failed(error.to_string()))?;
        Ok(changes)
    }

    async fn hand_over_to(&self, running: &mut BTreeMap<TenantId, Arc<TenantSettings>>) -> Result<(), HandoverError> {
        let snapshot =
            self.0.store.settings().load().await.map_err(|error| HandoverError::Unread(with_cause(&error)))?;
        for settings in snapshot.tenants {
            self.take(running, resolve::trunks(settings).await).await?;
        }
        // Who may call is known to the engine before the door lets them in, and to the APIs last.
        let directory = Arc::new(snapshot.directory);
        self.0.inbox.errand_in_turn(Errand::Directory(directory.clone())).await;
        self.0.directory.send_replace(directory);
        Ok(())
    }

    async fn take(
        &self,
        running: &mut BTreeMap<TenantId, Arc<TenantSettings>>,
        settings: TenantSettings,
    ) -> Result<(), HandoverError> {
        if running.get(&settings.id).is_some_and(|known| **known == settings) {
            return Ok(());
        }
        let settings = Arc::new(settings);
        let not_taken = |why: String| HandoverError::NotTaken { tenant: settings.name.clone(), why };
        match self.0.board.take_settings(settings.clone()).await {
            Ok(Reply::SettingsTaken { version }) if version == settings.version => {}
            Ok(other) => return Err(not_taken(format!("it replied {other:?}"))),
            Err(problem) => return Err(not_taken(problem.to_string())),
        }
        running.insert(settings.id, settings);
        Ok(())
    }
}

impl Provisioner for Handover {
    fn apply(&self, yaml: String, prune: bool) -> Pending<'_, Result<Changes, NotApplied>> {
        let this = self.clone();
        Box::pin(async move {
            // A client that goes away in the middle must not leave settings stored that nobody runs.
            let applied = tokio::spawn(async move { this.apply(&yaml, prune).await });
            applied.await.unwrap_or_else(|error| Err(NotApplied::Failed(error.to_string())))
        })
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
