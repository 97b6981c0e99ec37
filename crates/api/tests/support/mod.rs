//! The real router and a real store in a temporary folder, with a switchboard that does as it is told.
#![allow(dead_code, reason = "each test program uses its part")]

pub mod clients;
pub mod receiver;
pub mod story;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use api::{
    ApiSettings, App, Metrics, NotApplied, NotChanged, NotUploaded, Pending, Provisioner, Readiness, SoundUpload,
    Switchboard,
};
use axum::serve::ListenerExt;
use model::{Actor, CallId, Command, Directory, EngineNumber, Problem, Reply, Source, TenantId, Timestamp};
use reqwest::{Client, Method, RequestBuilder};
use store::{Author, Change, Changed, Changes, Durability, Store, StoreOptions, Writer};
use tokio::sync::watch;

use self::story::ToldCall;

pub const ADMIN: &str = "ADMIN_DEMO";

/// Two tenants with the same extensions. The second one's native keys have one role each.
const PROVISION: &str = "
tenants:
  - name: VPBX_DEMO
    default: true
    keys:
      - { kind: voip24h, voip: VOIPKEY_DEMO, secret: SECRET_DEMO }
      - { kind: voip24h, voip: VOIPKEY_TWO, secret: SECRET_TWO, socket_sessions: 2 }
      - { kind: voip24h, voip: VOIPKEY_STRICT, secret: SECRET_STRICT, otp_requires_secret: true }
      - { kind: voip24h, voip: VOIPKEY_HUB, secret: SECRET_HUB, hub: true }
      - { kind: voip24h, voip: VOIPKEY_HOME, secret: SECRET_HOME, allowed_addresses: [192.0.2.1] }
      - { kind: voip24h, voip: VOIPKEY_HERE, secret: SECRET_HERE, allowed_addresses: [192.0.2.1, 127.0.0.0/8] }
      - { kind: native, token: NATIVE_DEMO, role: owner }
      - { kind: native, token: NATIVE_READER, role: reader }
      - { kind: native, token: NATIVE_AGENT, role: agent }
      - { kind: native, token: NATIVE_SUPERVISOR, role: supervisor }
    extensions:
      - { number: '101', name: Sales desk, password: pw-101, record: true }
      - { number: '102', name: Support desk, password: pw-102 }
    numbers:
      - { number: '02873088088', route: { extension: '101' } }
  - name: VPBX_OTHER
    timezone: UTC
    keys:
      - { kind: voip24h, voip: VOIPKEY_OTHER, secret: SECRET_OTHER }
      - { kind: native, token: NATIVE_OTHER, role: owner }
    extensions:
      - { number: '101', name: Sales desk, password: pw-101 }
    switches: { null_type_on_hangup: false, lower_case_states: true }
";

/// Everything a test holds.
pub struct World {
    pub app: App,
    pub address: SocketAddr,
    pub switchboard: Arc<FakeSwitchboard>,
    pub provisioner: Arc<FakeProvisioner>,
    pub store: Store,
    pub writer: Writer,
    pub readiness: watch::Sender<Readiness>,
    pub directory: watch::Sender<Arc<Directory>>,
    pub metrics: Arc<Metrics>,
    pub demo: TenantId,
    pub other: TenantId,
    http: Client,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A world whose settings a test has changed.
    pub async fn start_with(change: impl FnOnce(&mut ApiSettings)) -> Self {
        Self::start_on(None, change).await
    }

    /// A world whose store is in this database; None: in a file of its own.
    pub async fn start_on(database: Option<String>, change: impl FnOnce(&mut ApiSettings)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = StoreOptions {
            data_dir: folder.path().join("data"),
            database,
            realm: "tongdai".into(),
            durability: Durability::Process,
        };
        let store = Store::open(options).await.expect("the store opens");
        let provision = store::provision::parse(PROVISION).expect("the file is right");
        store.settings().apply(provision, false).await.expect("it is applied");
        let directory = store.settings().load().await.expect("settings are read").directory;
        let tenant = |name: &str| {
            directory.tenants.iter().find(|tenant| tenant.name == name).map(|tenant| tenant.id).expect("the tenant")
        };
        let (demo, other) = (tenant("VPBX_DEMO"), tenant("VPBX_OTHER"));

        let recordings = folder.path().join("recordings");
        std::fs::create_dir(&recordings).expect("a folder");
        let mut settings = ApiSettings::new(ADMIN.into(), recordings, [7; 32]);
        change(&mut settings);
        let (directory, directory_receiver) = watch::channel(Arc::new(directory));
        let (readiness, readiness_receiver) = watch::channel(Readiness::Ready);
        let switchboard = Arc::new(FakeSwitchboard::default());
        let provisioner = Arc::new(FakeProvisioner::default());
        let metrics = Arc::new(Metrics::default());
        let app = App {
            store: store.clone(),
            switchboard: switchboard.clone(),
            provisioner: provisioner.clone(),
            directory: directory_receiver,
            readiness: readiness_receiver,
            metrics: metrics.clone(),
            settings: Arc::new(settings),
            outward: api::Outward::new().expect("HTTP clients"),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let kept = app.clone();
        let service = api::router(app).into_make_service_with_connect_info::<SocketAddr>();
        // Small answers must not wait for the client's acknowledgement of the one before.
        let listener = listener.tap_io(|connection| connection.set_nodelay(true).expect("a live connection"));
        tokio::spawn(async move { axum::serve(listener, service).await });
        let writer = store.writer();
        *switchboard.writer.lock().expect("no panic") = Some(writer.clone());
        *provisioner.house.lock().expect("no panic") = Some((store.clone(), directory.clone()));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::new();
        Self {
            app: kept,
            address,
            switchboard,
            provisioner,
            store,
            writer,
            readiness,
            directory,
            metrics,
            demo,
            other,
            http,
            folder,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request without a token.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// A request with a token.
    pub fn with(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(token)
    }

    /// A GET with the demo tenant's native key.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.with("NATIVE_DEMO", Method::GET, path)
    }

    pub fn recordings(&self) -> PathBuf {
        self.folder.path().join("recordings")
    }
}

/// The `nth` call of engine 1.
pub fn call(nth: u32) -> CallId {
    CallId::new(1_700_000_000, EngineNumber(1), nth * 100)
}

/// What a request answers, in JSON.
pub async fn json(request: RequestBuilder) -> (u16, serde_json::Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, response.json().await.expect("JSON"))
}

type Reached = (TenantId, Actor, Command);

/// Gives the replies it was told to, and keeps what it was ordered.
#[derive(Default)]
pub struct FakeSwitchboard {
    replies: Mutex<VecDeque<Result<Reply, Problem>>>,
    reached: Mutex<Vec<Reached>>,
    arrivals: watch::Sender<()>,
    held: watch::Sender<bool>,
    /// Bans that were to be lifted.
    pub lifted: Mutex<Vec<Source>>,
    /// Whom it tells of calls that answer a claim.
    pub writer: Mutex<Option<Writer>>,
}

impl FakeSwitchboard {
    pub fn will(&self, reply: Result<Reply, Problem>) {
        self.replies.lock().expect("no panic").push_back(reply);
    }

    pub fn will_ring(&self, call: CallId) {
        self.will(Ok(Reply::Originated { call, leg: call.first_leg() }));
    }

    /// Takes its time over every order until [`FakeSwitchboard::goes_on`].
    pub fn holds(&self) {
        self.held.send_replace(true);
    }

    pub fn goes_on(&self) {
        self.held.send_replace(false);
    }

    /// Waits until so many orders have reached it since that was last asked.
    pub async fn waits_for(&self, orders: usize) {
        let mut arrivals = self.arrivals.subscribe();
        arrivals.wait_for(|_| self.reached.lock().expect("no panic").len() >= orders).await.expect("it lives");
    }

    /// What reached it since this was last asked.
    pub fn reached(&self) -> Vec<Reached> {
        std::mem::take(&mut *self.reached.lock().expect("no panic"))
    }
}

impl Switchboard for FakeSwitchboard {
    fn command(&self, tenant: TenantId, actor: Actor, command: Command) -> Pending<'_, Result<Reply, Problem>> {
        let claim = match &command {
            Command::Originate(order) => order.claim.clone(),
            _ => None,
        };
        self.reached.lock().expect("no panic").push((tenant, actor, command));
        self.arrivals.send_replace(());
        let reply = self.replies.lock().expect("no panic").pop_front().unwrap_or(Err(Problem::Unavailable));
        let mut held = self.held.subscribe();
        Box::pin(async move {
            held.wait_for(|held| !held).await.expect("it lives");
            let writer = self.writer.lock().expect("no panic").clone();
            if let (Ok(Reply::Originated { call, .. }), Some(claim), Some(writer)) = (&reply, claim, writer) {
                ToldCall::new(&writer, tenant, *call, Timestamp::now()).claimed(claim).click("0900000001");
                writer.flush().await;
            }
            reply
        })
    }

    fn lift_ban(&self, _: Actor, source: Source) -> Pending<'_, Result<Reply, Problem>> {
        self.lifted.lock().expect("no panic").push(source);
        let reply = self.replies.lock().expect("no panic").pop_front().unwrap_or(Err(Problem::Unavailable));
        Box::pin(std::future::ready(reply))
    }
}

/// Takes every file but one that says `wrong`; changes one thing in the real store, and hands the directory over.
#[derive(Default)]
pub struct FakeProvisioner {
    pub applied: Mutex<Vec<(String, bool)>>,
    /// Where one thing is changed, and who is told.
    pub house: Mutex<Option<(Store, watch::Sender<Arc<Directory>>)>>,
    /// Where uploaded sounds lie, as they came.
    pub sounds: Mutex<Option<tempfile::TempDir>>,
}

impl FakeProvisioner {
    fn put(&self, upload: &SoundUpload) -> Result<u64, NotUploaded> {
        let path = self.sound_file(upload.tenant, &upload.name);
        match &upload.file {
            Some(file) if !file.starts_with(b"RIFF") => Err(NotUploaded::NoSound("this is no sound".into())),
            Some(_) if upload.name == "welcome" => Err(NotUploaded::Spoken),
            Some(file) => std::fs::write(path, file).map(|()| 1_250).map_err(|error| panic!("{error}")),
            None => std::fs::remove_file(path)
                .map(|()| 0)
                .map_err(|_| NotUploaded::NotFound(format!("the file of sound {}", upload.name))),
        }
    }
}

impl Provisioner for FakeProvisioner {
    fn apply(&self, _: Author, yaml: String, prune: bool) -> Pending<'_, Result<Changes, NotApplied>> {
        let answer = if yaml.contains("wrong") {
            Err(NotApplied::Wrong { line: Some(3), sentence: "line 3: this is wrong, write it right".into() })
        } else {
            self.applied.lock().expect("no panic").push((yaml, prune));
            Ok(Changes { created: 2, ..Changes::default() })
        };
        Box::pin(std::future::ready(answer))
    }

    fn change(&self, change: Change) -> Pending<'_, Result<Changed, NotChanged>> {
        let (store, directory) = self.house.lock().expect("no panic").clone().expect("a store");
        Box::pin(async move {
            let changed = store.settings().change(change).await?;
            let snapshot = store.settings().load().await.expect("settings are read");
            directory.send_replace(Arc::new(snapshot.directory));
            Ok(changed)
        })
    }

    fn put_sound(&self, upload: SoundUpload) -> Pending<'_, Result<u64, NotUploaded>> {
        Box::pin(std::future::ready(self.put(&upload)))
    }

    fn sound_file(&self, tenant: TenantId, name: &str) -> std::path::PathBuf {
        let mut folder = self.sounds.lock().expect("no panic");
        let folder = folder.get_or_insert_with(|| tempfile::tempdir().expect("a folder"));
        folder.path().join(format!("{}-{name}.wav", tenant.0))
    }
}
