//! A store in a folder of its own, and calls to tell it of.
#![allow(dead_code, reason = "each test file uses its own part")]

mod database;
pub mod proxy;

pub mod history;

use model::{
    Batch, CallEvent, CallId, Direction, EndedBy, EngineNumber, Event, LegId, Origin, Party, Reason, Record,
    RecordingEvent, Side, Subject, TenantId, Text, Timestamp, Told, What,
};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection, SqliteConnection};
use store::{Durability, Store, StoreOptions, provision};

pub use database::Database;
#[allow(unused_imports, reason = "each test file uses its own part")]
pub(crate) use database::for_both;

/// Two tenants whose extensions are alike.
pub const TWO_TENANTS: &str = r#"
tenants:
  - name: VPBX_ONE
    extensions: [{ number: "101", password: pw-101 }, { number: "102", password: pw-102 }]
  - name: VPBX_TWO
    extensions: [{ number: "101", password: pw-101 }, { number: "102", password: pw-102 }]
"#;
pub const ONE: TenantId = TenantId(1);
pub const TWO: TenantId = TenantId(2);

pub fn options(database: &Database) -> StoreOptions {
    StoreOptions {
        data_dir: database.folder().to_owned(),
        database: database.url(),
        realm: "tongdai".into(),
        durability: Durability::Process,
    }
}

pub async fn open(database: &Database) -> Store {
    Store::open(options(database)).await.expect("the store opens")
}

/// A store with two tenants.
pub async fn two_tenants(database: &Database) -> Store {
    let store = open(database).await;
    apply(&store, TWO_TENANTS).await;
    store
}

/// Somebody else at the database.
pub enum Outsider {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Outsider {
    pub async fn connect(database: &Database) -> Self {
        match database.url() {
            None => {
                let url = format!("sqlite:{}", database.file().display());
                Self::Sqlite(SqliteConnection::connect(&url).await.expect("the file opens"))
            }
            Some(url) => Self::Postgres(PgConnection::connect(&url).await.expect("the server answers")),
        }
    }

    /// Keeps everybody else from writing until [`Self::let_go`].
    pub async fn lock(&mut self) {
        match self {
            Self::Sqlite(_) => self.execute("BEGIN IMMEDIATE").await,
            Self::Postgres(_) => self.execute("BEGIN; LOCK TABLE heads, events, records").await,
        }
    }

    pub async fn let_go(&mut self) {
        self.execute("ROLLBACK").await;
    }

    pub async fn execute(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => drop(sqlx::raw_sql(sql).execute(connection).await.expect(SAYS)),
            Self::Postgres(connection) => drop(sqlx::raw_sql(sql).execute(connection).await.expect(SAYS)),
        }
    }

    pub async fn fetch_all<T>(&mut self, sql: &str) -> Vec<T>
    where
        T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::query_as(sql).fetch_all(connection).await.expect(SAYS),
            Self::Postgres(connection) => sqlx::query_as(sql).fetch_all(connection).await.expect(SAYS),
        }
    }
}

const SAYS: &str = "the database does it";

pub async fn apply(store: &Store, yaml: &str) -> store::Changes {
    let provision = provision::parse(yaml).expect("the file is right");
    store.settings().apply(provision, false).await.expect("the file applies")
}

pub fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a moment")
}

/// A call that is told of step by step.
#[derive(Clone, Debug)]
pub struct TestCall {
    pub tenant: TenantId,
    pub id: CallId,
    pub record: Option<Record>,
    pub seq: u32,
    pub recording_seq: u32,
    pub agent: LegId,
    pub customer: LegId,
    pub now: Timestamp,
}

impl TestCall {
    /// The `count`th call of engine 1; call 0 is at second 0, call 1 a second later.
    pub fn new(tenant: TenantId, count: u32) -> Self {
        let at = second(i64::from(count));
        let id = CallId::new(at.as_second(), EngineNumber(1), count * 2);
        let customer = CallId::new(at.as_second(), EngineNumber(1), count * 2 + 1).first_leg();
        Self { tenant, id, record: None, seq: 0, recording_seq: 0, agent: id.first_leg(), customer, now: at }
    }

    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// An outbound call from an extension to a number.
    pub fn started(&mut self, extension: &str, number: &str) -> Batch {
        let from = Party::Extension { number: extension.into() };
        let to = Party::Outside { number: Text::from(number), shown: None, trunk: Some("carrier".into()) };
        self.started_between(Direction::Outbound, from, to)
    }

    pub fn started_between(&mut self, direction: Direction, from: Party, to: Party) -> Batch {
        let origin = if direction == Direction::Inbound { Origin::Trunk } else { Origin::Phone };
        let (agent, customer) = if direction == Direction::Outbound { (&from, &to) } else { (&to, &from) };
        let legs = [(self.agent, Side::Agent, agent.clone()), (self.customer, Side::Customer, customer.clone())];
        let did = Some(Text::from("842873088088"));
        let started = CallEvent::Started { origin, direction, from, to, did, about: None };
        let legs = legs.map(|(leg, side, party)| CallEvent::LegStarted { leg, side, party, caller: false });
        self.batch([vec![started], legs.to_vec()].concat())
    }

    pub fn answered(&mut self) -> Batch {
        let (agent, customer) = (self.agent, self.customer);
        self.batch(vec![
            CallEvent::LegAnswered { leg: agent },
            CallEvent::LegAnswered { leg: customer },
            CallEvent::Connected { agent, customer },
        ])
    }

    pub fn ended(&mut self) -> Batch {
        let by = EndedBy::Customer;
        let ended = |leg| CallEvent::LegEnded { leg, reason: Reason::HungUp, sip: 200, cause: None, by };
        let legs = [ended(self.agent), ended(self.customer)];
        self.batch(
            [
                legs.to_vec(),
                vec![CallEvent::Ended { reason: Reason::HungUp, sip: 200, cause: None, by, merged_into: None }],
            ]
            .concat(),
        )
    }

    pub fn recording_started(&mut self) -> Batch {
        let file = format!("{}.wav", self.id);
        self.recording(RecordingEvent::Started { file })
    }

    pub fn recording_closed(&mut self) -> Batch {
        self.recording(RecordingEvent::Closed {
            milliseconds: 5_000,
            gap_milliseconds: 0,
            bytes: 160_044,
            sha256: "ab".repeat(32),
        })
    }

    /// A whole call in one batch a step.
    pub fn whole(mut self, extension: &str, number: &str) -> Vec<Told> {
        [self.started(extension, number), self.answered(), self.ended()].map(Told::Batch).into()
    }

    fn recording(&mut self, what: RecordingEvent) -> Batch {
        self.recording_seq += 1;
        let event = Event {
            subject: Subject::Recording(self.id.first_recording()),
            seq: self.recording_seq,
            at: self.now,
            callid: Some(self.id),
            what: What::Recording(what),
        };
        self.batch_of(vec![event])
    }

    fn batch(&mut self, what: Vec<CallEvent>) -> Batch {
        let events = what
            .into_iter()
            .map(|what| {
                self.seq += 1;
                Event {
                    subject: Subject::Call(self.id),
                    seq: self.seq,
                    at: self.now,
                    callid: Some(self.id),
                    what: What::Call(what),
                }
            })
            .collect();
        self.batch_of(events)
    }

    fn batch_of(&mut self, events: Vec<Event>) -> Batch {
        for event in &events {
            match &mut self.record {
                Some(record) => record.apply(event),
                None => self.record = Some(Record::start(event).expect("a call starts")),
            }
        }
        Batch { tenant: self.tenant, events, record: self.record.clone().map(Box::new), claim: None, awaited: None }
    }
}
