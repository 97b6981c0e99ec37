//! The server: starts everything in the right order, and stops it in the other.
//!
//! ```text
//! sockets ─► store ─► provision file ─► recovery ─► engine, sound ─► settings ─► live facts ─► packets, HTTP ─► ready
//! ```
//!
//! Sockets come first: a taken port, and any other wrong setting, must be noticed before anything is changed.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use api::{ApiSettings, App, Crm, Hooks, Mailer, Metrics, Outward, Readiness};
use engine::door::{Door, DoorConfig};
use engine::{Answer, Engine, EngineConfig, EngineLoad, Input, Storage};
use model::{EngineNumber, TrunkAddress};
use sip::Interface;
use store::{Awaited, Store, StoreOptions, WriterState};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::config::{Durability, Settings};
use crate::handover::{Handover, with_cause};
use crate::http::Http;
use crate::inbox::{Errand, Inbox};
use crate::interfaces::{Bound, Described, Interfaces};
use crate::mail::Smtp;
use crate::media::{self, MediaConfig, MediaHandle, StartError};
use crate::pulse::Pulse;
use crate::resolve::{Changes, Dns, Names, Questions, Trunks};
use crate::signalling::{Bed, Parts, Signalling};
use crate::sounds::Files;
use crate::speech::Speech;
use crate::streams::{self, Entrance, Numbers, Places, Streams};
use crate::tickets::{Board, Tickets};
use crate::tls::{Certificate, Peers, Spoken};
use crate::unusable::Unusable;
use crate::{Failure, admin_token, interfaces, limits, panics, recovery, retention, tls};

/// What we call ourselves in SIP.
const SOFTWARE: &str = concat!("Tongdai/", env!("CARGO_PKG_VERSION"));
/// The most SIP transactions at a time. One by UDP stays for half a minute after its end, to absorb what is sent again.
const TRANSACTIONS: usize = 131_072;
/// The most SIP dialogs at a time.
const DIALOGS: usize = 100_000;
/// How often it is looked whether the last call is over while draining.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How long peers have to answer the BYE of a call that was ended by us.
const LAST_ANSWERS: Duration = Duration::from_secs(3);
/// How long the store has to take what was told last.
const LAST_RECORDS: Duration = Duration::from_secs(10);
/// How long live sessions have to be told that the server stops, those that poll included.
const LAST_WORDS: Duration = Duration::from_millis(250);
/// How long clients have to take the last of what they asked for.
const LAST_REQUESTS: Duration = Duration::from_secs(2);

/// A running server.
pub struct Server {
    store: Store,
    inbox: Inbox,
    engine: JoinHandle<()>,
    media: MediaHandle,
    readiness: Arc<watch::Sender<Readiness>>,
    http: Http,
    hooks: Hooks,
    drain: Duration,
    /// Where HTTP is listened for.
    pub http_addresses: Vec<SocketAddr>,
    /// Where HTTP over TLS is listened for.
    pub https_addresses: Vec<SocketAddr>,
    /// Where SIP is listened for, UDP and TCP.
    pub sip_addresses: Vec<SocketAddr>,
    /// Where SIP over TLS is listened for.
    pub sips_addresses: Vec<SocketAddr>,
    /// The token that opens everything.
    pub admin_token: String,
    /// Where recordings lie.
    pub recordings: PathBuf,
    /// Deletes what is older than its tenant keeps it.
    sweeper: tokio::task::AbortHandle,
}

impl Server {
    /// Starts a server. When this returns it takes calls and requests. Call it within a Tokio runtime.
    pub async fn start(settings: Settings) -> Result<Self, Failure> {
        limits::raise_open_files();
        panics::end_with_media();
        let sip = interfaces::bind_sip(&settings)?;
        let ours = Interfaces::new(&settings, &sip)?;
        let wires = Wires::new(&settings, &sip)?;
        let mailer = settings.mail.clone().map(Smtp::new).transpose().map_err(Unusable)?;
        let (http, https) = interfaces::bind_http(&settings)?;
        let (http_addresses, https_addresses) = (bound_at(&http).map_err(failed)?, bound_at(&https).map_err(failed)?);
        let provision = settings.provision.as_deref().map(crate::provision::read_and_check).transpose()?;

        let store = open_store(&settings).await?;
        let admin_token = admin_token::given_or_kept(settings.admin_token.clone(), &settings.data_dir)?;
        std::fs::create_dir_all(&settings.recordings).map_err(|error| {
            Unusable(format!(
                "--recordings {}: {error}: name a folder that can be written",
                settings.recordings.display()
            ))
        })?;
        if let Some((file, provision)) = provision {
            let changes = crate::provision::apply_at_start(&store, &file, provision).await?;
            tracing::info!(file = %file.display(), %changes, "provisioned");
        }
        // A certificate of our own names every address there is: it is made once, in the data folder, which is ours now.
        let named: Vec<_> = sip.iter().map(|bound| bound.address).chain(https_addresses.iter().copied()).collect();
        let secured = wires.acceptor(&settings, &named, Spoken::Http)?;
        let number = store.start_engine().await.map_err(failed)?;
        let pulse = Pulse::of(&settings.data_dir);
        let found = recovery::run(&store, &settings.recordings, pulse.died_at()).await.map_err(failed)?;
        if found != recovery::Found::default() {
            tracing::warn!(
                calls = found.calls,
                recordings = found.recordings,
                "ended what was open when the server died"
            );
        }

        let outward = wires.outward.clone();
        let running = Running::start(&settings, &store, sip, ours, wires, number).await?;
        let Running { inbox, engine, media, handover, board, metrics, sip_addresses, sips_addresses } = running;
        let readiness = Arc::new(watch::Sender::new(Readiness::Starting));
        tokio::spawn(follow_writer(store.clone(), inbox.clone(), readiness.clone(), metrics.clone()));
        tokio::spawn(handover.clone().follow_names());
        tokio::spawn(handover.clone().follow_speech());
        tokio::spawn(pulse.beat());
        let sweeper = tokio::spawn(retention::run(store.clone(), settings.recordings.clone())).abort_handle();

        let app = App {
            store: store.clone(),
            switchboard: board,
            provisioner: Arc::new(handover.clone()),
            directory: handover.directory(),
            readiness: readiness.subscribe(),
            metrics,
            settings: Arc::new(api_settings(&settings, &store, admin_token.clone())),
            outward,
        };
        let in_the_clear = http.into_iter().map(|listener| (listener, None));
        let over_tls = https.into_iter().map(|listener| (listener, secured.clone()));
        let mailer = mailer.map(|mailer| Arc::new(mailer) as Arc<dyn Mailer>);
        let hooks = Hooks::start(app.clone(), mailer);
        let http = Http::start(in_the_clear.chain(over_tls).collect(), api::router(app)).map_err(failed)?;
        readiness.send_if_modified(|now| {
            let starting = *now == Readiness::Starting;
            if starting {
                *now = Readiness::Ready;
            }
            starting
        });
        Ok(Self {
            store,
            inbox,
            engine,
            media,
            readiness,
            http,
            hooks,
            drain: settings.drain,
            http_addresses,
            https_addresses,
            sip_addresses,
            sips_addresses,
            admin_token,
            recordings: settings.recordings,
            sweeper,
        })
    }

    /// `ready http=ADDR:PORT sip=ADDR:PORT …`
    pub fn ready_line(&self) -> String {
        let mut line = String::from("ready");
        let named = [
            ("http", &self.http_addresses),
            ("https", &self.https_addresses),
            ("sip", &self.sip_addresses),
            ("sips", &self.sips_addresses),
        ];
        for (name, address) in named.iter().flat_map(|(name, all)| all.iter().map(move |address| (name, address))) {
            line.push_str(&format!(" {name}={address}"));
        }
        line
    }

    /// Takes no new calls, lets present ones finish within the time for draining or until `hurry`, ends those that are
    /// left, and returns when everything is stored.
    pub async fn stop(self, hurry: impl Future<Output = ()>) {
        self.readiness.send_replace(Readiness::Draining);
        self.sweeper.abort();
        self.inbox.errand_in_turn(Errand::input(Input::Drain)).await;
        tokio::select! {
            () = until(&self.inbox, |load| load.calls == 0) => {}
            () = sleep(self.drain) => tracing::warn!("the time for draining is over: calls are ended"),
            () = hurry => tracing::warn!("told to hurry: calls are ended"),
        }
        self.inbox.errand_in_turn(Errand::input(Input::EndAll)).await;
        // A BYE that is lost is sent again: nobody else would end that leg. Carriers that we leave may ask who we are.
        let is_done = |load: &EngineLoad| load.calls == 0 && load.dialogs == 0 && load.leaving == 0;
        let _ = timeout(LAST_ANSWERS, until(&self.inbox, is_done)).await;
        // Recordings are closed here, and the engine tells of it before it stops.
        self.media.stop().await;
        self.inbox.errand_in_turn(Errand::Stop).await;
        let engine = self.engine;
        let _ = tokio::task::spawn_blocking(move || engine.join()).await;
        if timeout(LAST_RECORDS, self.store.writer().flush()).await.is_err() {
            tracing::error!("what was told last cannot be stored and is lost: look at the disk and the database");
        }
        self.readiness.send_replace(Readiness::Stopped);
        sleep(LAST_WORDS).await;
        tokio::join!(self.http.stop(LAST_REQUESTS), self.hooks.stop(LAST_REQUESTS));
        let _ = timeout(LAST_RECORDS, self.store.close()).await;
    }
}

/// What runs besides HTTP.
struct Running {
    inbox: Inbox,
    engine: JoinHandle<()>,
    media: MediaHandle,
    handover: Handover,
    board: Arc<Board>,
    metrics: Arc<Metrics>,
    sip_addresses: Vec<SocketAddr>,
    sips_addresses: Vec<SocketAddr>,
}

/// How others are found, and how TLS and HTTP are spoken with them.
struct Wires {
    outward: Outward,
    names: Names,
    peers: Peers,
    /// Ours, where the settings name its files.
    certificate: Option<Arc<Certificate>>,
}

impl Wires {
    fn new(settings: &Settings, sip: &[Bound]) -> Result<Self, Unusable> {
        let files = settings.tls_files.clone();
        let certificate = files.map(|(certificate, key)| Certificate::from_files(certificate, key)).transpose()?;
        let certificate = certificate.map(Arc::new);
        let addresses: Vec<IpAddr> = sip.iter().flat_map(Bound::families).collect();
        Ok(Self {
            outward: Outward::new().map_err(|error| Unusable(error.to_string()))?,
            names: Names::new(Dns::new(settings.dns.as_deref())?, &addresses),
            peers: Peers::new(&settings.trust, certificate.clone())?,
            certificate,
        })
    }

    /// What takes connections in, if any are to come. Without files a certificate is made in the data folder.
    fn acceptor(
        &self,
        settings: &Settings,
        bound: &[SocketAddr],
        spoken: Spoken,
    ) -> Result<Option<TlsAcceptor>, Unusable> {
        let is_wanted = match spoken {
            Spoken::Sip => !settings.sips.is_empty(),
            Spoken::Http => !settings.https.is_empty(),
        };
        if !is_wanted {
            return Ok(None);
        }
        let certificate = match &self.certificate {
            Some(certificate) => certificate.clone(),
            None => {
                let told = settings.sips.iter().filter_map(|listen| listen.advertise);
                let named: Vec<IpAddr> = bound.iter().copied().chain(told).map(|address| address.ip()).collect();
                Arc::new(Certificate::self_signed(&settings.data_dir, &named)?)
            }
        };
        tls::acceptor(&certificate, spoken).map(Some)
    }
}

impl Running {
    /// Starts engine and sound, hands settings and live facts over, and opens the sockets.
    async fn start(
        settings: &Settings,
        store: &Store,
        sip: Vec<Bound>,
        ours: Interfaces,
        wires: Wires,
        number: EngineNumber,
    ) -> Result<Self, Failure> {
        let described = ours.describe()?;
        let bound: Vec<SocketAddr> = sip.iter().map(|bound| bound.address).collect();
        let tls = wires.acceptor(settings, &bound, Spoken::Sip)?;
        let Wires { names, peers, outward, .. } = wires;
        let (bed, inbox) = Bed::new().map_err(failed)?;
        let metrics = Arc::new(Metrics::default());
        let media = start_media(settings, &described.rtp, &inbox, &metrics)?;
        let writer = store.writer();
        let tickets = Tickets::default();
        if let Some(mut replies) = writer.replies() {
            let tickets = tickets.clone();
            tokio::spawn(async move {
                while let Some((ticket, reply)) = replies.recv().await {
                    tickets.complete(ticket, reply);
                }
            });
        }
        if let Some(awaited) = writer.awaited() {
            tokio::spawn(tell_stored(awaited, inbox.clone()));
        }
        let board = Arc::new(Board::new(tickets, inbox.clone()));
        let trunks = Trunks::new(names.clone(), peers.clone());
        let speech = Speech::new(&settings.speech, settings.data_dir.join("speech")).map_err(Unusable)?;
        let sounds = Arc::new(Files::new(settings.data_dir.join("sounds")));
        let handover = Handover::new(store.clone(), board.clone(), inbox.clone(), trunks, speech, sounds);
        let (numbers, places) = (Numbers::default(), Places::new(&settings.unlimited_from));
        let (udp, tcp): (Vec<_>, Vec<_>) = sip.into_iter().map(|bound| (bound.udp, bound.tcp)).unzip();
        // Those for TLS are the last: a socket's place in the list is its interface.
        let udp: Vec<_> = udp.into_iter().flatten().collect();
        let plain = udp.len();
        let streams = Streams::new(
            Handle::current(),
            inbox.clone(),
            numbers.clone(),
            places.clone(),
            bound.clone(),
            peers.clone(),
            &seed()?,
        );
        let signalling = Signalling::new(
            bed,
            Parts {
                engine: Engine::new(engine_config(settings, number, &described), seed()?),
                door: Door::new(door_config(settings, number), seed()?),
                udp,
                streams,
                media: media.clone(),
                writer,
                questions: Questions::new(
                    Handle::current(),
                    inbox.clone(),
                    names,
                    peers,
                    Crm::new(outward),
                    changes(&handover),
                    handover.directory(),
                ),
                metrics: metrics.clone(),
            },
        );
        let engine = signalling.map_err(failed)?.spawn().map_err(failed)?;

        // Read before the engine runs anything that could change them.
        let kept = store.kept().await.map_err(failed)?;
        handover.hand_over().await.map_err(failed)?;
        for kept in kept {
            inbox.errand_in_turn(Errand::input(Input::Kept(kept))).await;
        }
        inbox.errand_in_turn(Errand::Open).await;
        let tls_after = |interface: u16| tls.clone().filter(|_| usize::from(interface) >= plain);
        for (interface, listener) in (0_u16..).zip(tcp) {
            let (numbers, places, inbox) = (numbers.clone(), places.clone(), inbox.clone());
            let entrance = Entrance { interface, tls: tls_after(interface), numbers, places, inbox };
            tokio::spawn(streams::listen(listener, entrance));
        }
        tokio::spawn(ours.follow(described, inbox.clone()));
        let (sip_addresses, sips_addresses) = bound.split_at(plain);
        let (sip_addresses, sips_addresses) = (sip_addresses.to_vec(), sips_addresses.to_vec());
        Ok(Self { inbox, engine, media, handover, board, metrics, sip_addresses, sips_addresses })
    }
}

fn bound_at(listeners: &[TcpListener]) -> std::io::Result<Vec<SocketAddr>> {
    listeners.iter().map(TcpListener::local_addr).collect()
}

async fn open_store(settings: &Settings) -> Result<Store, Failure> {
    let options = StoreOptions {
        data_dir: settings.data_dir.clone(),
        database: settings.database.clone(),
        realm: settings.realm.clone(),
        durability: match settings.durability {
            Durability::Process => store::Durability::Process,
            Durability::Power => store::Durability::Power,
        },
    };
    Store::open(options).await.map_err(|error| Failure::Unusable(Unusable(error.to_string())))
}

fn engine_config(settings: &Settings, number: EngineNumber, described: &Described) -> EngineConfig {
    EngineConfig {
        number,
        realm: settings.realm.clone(),
        software: SOFTWARE.into(),
        sip: described.sip.clone(),
        rtp: described.rtp.clone(),
        max_transactions: TRANSACTIONS,
        max_dialogs: DIALOGS,
        nat_keepalive: settings.nat_keepalive,
    }
}

fn door_config(settings: &Settings, number: EngineNumber) -> DoorConfig {
    let unlimited_from: Vec<(IpAddr, u8)> = settings.unlimited_from.iter().map(|net| (net.0, net.1)).collect();
    DoorConfig { unlimited_from, engine: number, software: SOFTWARE.into() }
}

fn start_media(
    settings: &Settings,
    rtp: &[Interface],
    inbox: &Inbox,
    metrics: &Arc<Metrics>,
) -> Result<MediaHandle, Failure> {
    let config = MediaConfig {
        addresses: rtp.iter().map(|interface| interface.bound.ip()).collect(),
        ports: settings.rtp_ports.first..=settings.rtp_ports.last,
        recordings: settings.recordings.clone(),
        min_free_mb: settings.min_free_mb,
        metrics: metrics.clone(),
    };
    let reports = inbox.clone();
    media::start(config, move |worker, report| {
        if reports.report(worker, report).is_err() {
            tracing::error!("a report of a media worker found no room");
        }
    })
    .map_err(|error| match error {
        StartError::NoPorts { .. } => {
            Unusable(format!("--rtp-ports: {error}: name a wider range, or stop who has them")).into()
        }
        StartError::System(_) => failed(error),
    })
}

fn api_settings(settings: &Settings, store: &Store, admin_token: String) -> ApiSettings {
    ApiSettings {
        public_url: settings.public_url.clone(),
        requests_per_second: settings.requests_per_second,
        unlimited_from: settings
            .unlimited_from
            .iter()
            .map(|net| TrunkAddress { address: net.0, prefix: net.1, port: None })
            .collect(),
        ..ApiSettings::new(admin_token, settings.recordings.clone(), store.derived_key("recording-links"))
    }
}

/// Tells the engine and whoever asks for readiness whether records can be stored.
async fn follow_writer(store: Store, inbox: Inbox, readiness: Arc<watch::Sender<Readiness>>, metrics: Arc<Metrics>) {
    let mut state = store.writer().state();
    drop(store);
    while state.changed().await.is_ok() {
        let state = state.borrow_and_update().clone();
        let (storage, now) = match &state {
            WriterState::Flowing => (Storage::Flowing, Readiness::Ready),
            WriterState::Stalled(_) => (Storage::Stalled, Readiness::Stalled),
        };
        match &state {
            WriterState::Stalled(why) => tracing::error!(why, "no new calls: records cannot be stored"),
            WriterState::Flowing => tracing::info!("records are stored again"),
        }
        metrics.writer_stalled.set(i64::from(storage == Storage::Stalled));
        readiness.send_if_modified(|known| {
            let running = !matches!(known, Readiness::Draining | Readiness::Stopped);
            if running {
                *known = now;
            }
            running
        });
        inbox.errand_in_turn(Errand::input(Input::Storage(storage))).await;
    }
}

/// Tells the engine what became of the batches that it waits for.
async fn tell_stored(mut awaited: Awaited, inbox: Inbox) {
    while let Some((ticket, stored)) = awaited.recv().await {
        let answer = match stored {
            Ok(()) => Answer::Stored,
            Err(refused) => Answer::Failed(refused.to_string()),
        };
        inbox.errand_in_turn(Errand::input(Input::Answer { ticket, answer })).await;
    }
}

/// Returns when no call is left.
async fn until(inbox: &Inbox, enough: impl Fn(&EngineLoad) -> bool) {
    while let Some(load) = load(inbox).await {
        if enough(&load) {
            return;
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn load(inbox: &Inbox) -> Option<EngineLoad> {
    let (answer, load) = oneshot::channel();
    inbox.errand_in_turn(Errand::Load(answer)).await;
    load.await.ok()
}

fn seed() -> Result<[u8; 32], Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::Failed(format!("no random numbers: {error}")))?;
    Ok(seed)
}

fn failed(error: impl std::error::Error) -> Failure {
    Failure::Failed(with_cause(&error))
}

/// How phones change settings: as clients of the API do.
fn changes(handover: &Handover) -> Changes {
    let handover = handover.clone();
    Arc::new(move |change| {
        let handover = handover.clone();
        Box::pin(async move {
            let changed = api::Provisioner::change(&handover, change).await;
            changed.map(drop).map_err(|error| error.to_string())
        })
    })
}
