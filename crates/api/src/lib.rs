//! Who may ask, and in whose language: permission, the native API, vendors' words, and their live events.
//!
//! `actions/` decides who may do what, once for every face. `native/` is our own API under `/v1`. `vendors/` holds one
//! folder a vendor. `live/` is the Socket.IO server that hands a vendor's events to its clients. Orders go to the engine
//! through [`Switchboard`]; everything that is read comes from the store. Sockets, TLS and the process are `server`'s.

#![allow(clippy::result_large_err, reason = "a refusal is made once a request, and is moved once or twice")]

mod actions;
mod base_url;
mod bodies;
mod hooks;
mod keys;
mod limits;
mod links;
mod live;
mod mask;
mod metrics;
mod native;
mod outward;
mod sound;
mod story;
mod vendors;
mod watch_requests;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, middleware};
use bytes::Bytes;
use model::{Actor, Command, Directory, Problem, Reply, Source, TenantId, TrunkAddress};
use store::{Author, Change, ChangeError, Changed, Changes, Store};
use tokio::sync::watch;

use crate::keys::Keys;
use crate::limits::Limits;
use crate::story::Stories;

pub use base_url::OverTls;
pub use hooks::{HookSettings, Hooks, Mail, Mailer};
pub use metrics::Metrics;
pub use outward::{Outward, OutwardError};
pub use vendors::voip24h::routing::Crm;

/// An answer that is still being made.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whoever runs the tenants' calls.
pub trait Switchboard: Send + Sync + 'static {
    /// Gives an order to the tenant's engine. Resolves once the reply is stored, within the order's time limit.
    fn command(&self, tenant: TenantId, actor: Actor, command: Command) -> Pending<'_, Result<Reply, Problem>>;

    /// Lets a banned source sign in again. Resolves once that is stored.
    fn lift_ban(&self, actor: Actor, source: Source) -> Pending<'_, Result<Reply, Problem>>;
}

/// Whoever changes the settings of a running server.
pub trait Provisioner: Send + Sync + 'static {
    /// Reads, checks and stores a provision file, and resolves once every engine runs the new settings. A wrong file
    /// changes nothing. With `prune` what the file does not name is deleted.
    fn apply(&self, author: Author, yaml: String, prune: bool) -> Pending<'_, Result<Changes, NotApplied>>;

    /// Changes one thing, and resolves once every engine runs with it.
    fn change(&self, change: Change) -> Pending<'_, Result<Changed, NotChanged>>;

    /// Takes the file of a sound in place of the one that is there, or takes it away, and resolves once every engine plays
    /// it so. How long the sound is, in milliseconds.
    fn put_sound(&self, upload: SoundUpload) -> Pending<'_, Result<u64, NotUploaded>>;

    /// Where the file of a sound lies, if there is one: mono WAV.
    fn sound_file(&self, tenant: TenantId, name: &str) -> PathBuf;
}

/// The file of a sound, on its way in or out.
#[derive(Clone, Debug)]
pub struct SoundUpload {
    /// Whose.
    pub tenant: TenantId,
    /// The sound's name.
    pub name: String,
    /// WAV, or Ogg with Opus. None: it is taken away.
    pub file: Option<Bytes>,
    /// For the audit log.
    pub author: Author,
}

/// Why the file of a sound was not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotUploaded {
    /// No setting names such a sound, or it has no file to take away.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The sound is spoken.
    #[error("the sound is spoken, and has no file: take its `say` out first")]
    Spoken,
    /// It is no sound that we can play.
    #[error("{0}")]
    NoSound(String),
    /// The tenant has no room for it.
    #[error("{0}")]
    NoRoom(String),
    /// It could not be kept, or an engine does not play it.
    #[error("{0}")]
    Failed(String),
}

/// Why one thing was not changed.
#[derive(Debug, thiserror::Error)]
pub enum NotChanged {
    /// It may not be so. Nothing is different.
    #[error(transparent)]
    Refused(#[from] ChangeError),
    /// It is stored, but not every engine runs with it.
    #[error("{0}")]
    Failed(String),
}

/// Why a provision file was not applied.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotApplied {
    /// The file is wrong.
    #[error("{sentence}")]
    Wrong {
        /// The line it is wrong on, from 1.
        line: Option<u32>,
        /// What is wrong and what to do.
        sentence: String,
    },
    /// It is right, but the server could not take it.
    #[error("{0}")]
    Failed(String),
}

/// Whether the server takes calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Readiness {
    /// Not everything runs.
    Starting,
    /// It takes calls.
    Ready,
    /// No new calls: records cannot be stored. Why not is for the log alone: it names the inside.
    Stalled,
    /// No new calls; present ones finish.
    Draining,
    /// The last call is over: live sessions and streams end.
    Stopped,
}

/// What clients are told while records cannot be stored.
pub(crate) const STALLED: &str =
    "records cannot be stored now, so no call is taken: try again in a minute; the server's log says why";

/// How the faces behave.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// What links begin with (`https://pbx.example.test`). None: the host that the client names.
    pub public_url: Option<String>,
    /// The Bearer token of the whole server.
    pub admin_token: String,
    /// The folder that recordings lie in.
    pub recordings: PathBuf,
    /// What recording links are signed with.
    pub link_key: [u8; 32],
    /// How long a recording link plays.
    pub link_lifetime: Duration,
    /// Requests that each key may make in a second, twice as many at once. 0: any number.
    pub requests_per_second: u32,
    /// Sources that no limit on requests touches.
    pub unlimited_from: Vec<TrunkAddress>,
    /// How long the body of a request may take. One that keeps coming may take longer.
    pub body_within: Duration,
    /// Socket.IO.
    pub live: LiveSettings,
    /// Hooks.
    pub hooks: HookSettings,
}

impl ApiSettings {
    /// The usual behaviour.
    pub fn new(admin_token: String, recordings: PathBuf, link_key: [u8; 32]) -> Self {
        Self {
            public_url: None,
            admin_token,
            recordings,
            link_key,
            link_lifetime: Duration::from_secs(7 * 24 * 3600),
            requests_per_second: 100,
            unlimited_from: Vec::new(),
            body_within: Duration::from_secs(30),
            live: LiveSettings::default(),
            hooks: HookSettings::default(),
        }
    }
}

/// The times and bounds of a Socket.IO session (readings 15).
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// Who has not signed by then is told `connectTimeout` and closed.
    pub sign_within: Duration,
    /// `say` comes again when no `hello` was heard for so long.
    pub say_again_after: Duration,
    /// `connectEnd` when no `hello` was heard for so long.
    pub hello_within: Duration,
    /// A client that has just signed is told nothing of the story for so long, or until it says `hello` or `resume`: one
    /// that asks for what it missed hears that first.
    pub resume_within: Duration,
    /// Sessions of all keys, and connections that have not signed, at once. More are refused.
    pub max_sessions: usize,
    /// Packets that wait for one client. A client with so many is behind and reads on from its position.
    pub buffer: usize,
    /// How long a client that is behind is left alone before it is given more.
    pub behind_pause: Duration,
    /// Engine.IO: how often a ping is due.
    pub ping_interval: Duration,
    /// Engine.IO: how long its answer may take.
    pub ping_timeout: Duration,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            sign_within: Duration::from_secs(5),
            say_again_after: Duration::from_secs(15),
            hello_within: Duration::from_secs(30),
            resume_within: Duration::from_secs(1),
            // After a cut in between, clients are back before it shows that their former connections are dead.
            max_sessions: 20_000,
            buffer: 4_096,
            behind_pause: Duration::from_millis(250),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
        }
    }
}

/// Everything the faces speak with.
#[derive(Clone)]
pub struct App {
    /// Whence everything is read.
    pub store: Store,
    /// Whither orders go.
    pub switchboard: Arc<dyn Switchboard>,
    /// Whither provision files go.
    pub provisioner: Arc<dyn Provisioner>,
    /// Tenants and keys, replaced whole.
    pub directory: watch::Receiver<Arc<Directory>>,
    /// Whether calls are taken.
    pub readiness: watch::Receiver<Readiness>,
    /// What `/metrics` shows.
    pub metrics: Arc<Metrics>,
    /// How the faces behave.
    pub settings: Arc<ApiSettings>,
    /// How hooks and the CRM are reached.
    pub outward: Outward,
}

impl App {
    /// Resolves when the last call is over and the server stops.
    pub(crate) async fn stopped(&self) {
        // A server that is gone has stopped.
        let _ = self.readiness.clone().wait_for(|readiness| *readiness == Readiness::Stopped).await;
    }
}

/// Every path there is. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: allow-lists need the
/// client's address. Call it within a Tokio runtime.
pub fn router(app: App) -> Router {
    let keys = Keys::new(app.directory.clone());
    let stories = Stories::new(app.store.feed(), keys.clone());
    let limits = Arc::new(Limits::new(app.settings.requests_per_second, app.settings.unlimited_from.clone()));
    let faces = Arc::new(Faces { app, keys, stories, limits });
    native::router(faces.clone())
        .merge(vendors::router(faces.clone()))
        .merge(live::router(&faces))
        .fallback(native::nowhere)
        .layer(middleware::from_fn_with_state(faces.clone(), bodies::layer))
        .layer(middleware::from_fn(limits::layer))
        .layer(middleware::from_fn_with_state(faces, watch_requests::watch))
}

/// What every request finds.
pub(crate) struct Faces {
    pub app: App,
    pub keys: Keys,
    pub stories: Stories,
    pub limits: Arc<Limits>,
}

/// The address a request came from.
pub(crate) type Peer = axum::extract::ConnectInfo<SocketAddr>;
