//! The one connection that writes: the writer's task, settings and everybody else take turns.
//!
//! A turn begins with a connection that works and has no transaction open, whatever became of the turn before: one that
//! was given up half-way is rolled back, one that is gone is made anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::connection::Server;
use super::fence::Fence;
use super::{Connection, Kind, Sql};

/// A connection to a server that was not used for so long is asked whether it lives before anything depends on it.
const QUIET: Duration = Duration::from_secs(1);

/// The one connection that writes.
#[derive(Debug)]
pub(crate) struct Pen {
    held: Arc<Mutex<Held>>,
    way: Way,
}

/// How a connection is made.
#[derive(Debug)]
pub(super) enum Way {
    Sqlite(SqliteConnectOptions),
    Postgres(Fence),
}

#[derive(Debug)]
struct Held {
    connection: Option<Connection>,
    /// Whether a transaction is, or may be, open.
    begun: bool,
    /// Whether no more turns are given.
    closed: bool,
    used: Instant,
}

/// A turn with the one connection. A transaction that is open when it is dropped is rolled back.
#[derive(Debug)]
pub(crate) struct Turn {
    /// None once it is dropped.
    held: Option<OwnedMutexGuard<Held>>,
}

impl Pen {
    pub(super) fn new(connection: Connection, way: Way) -> Self {
        let held = Held { connection: Some(connection), begun: false, closed: false, used: Instant::now() };
        Self { held: Arc::new(Mutex::new(held)), way }
    }

    /// Waits for its turn.
    pub async fn take(&self) -> Result<Turn, sqlx::Error> {
        let mut held = self.held.clone().lock_owned().await;
        if held.closed {
            return Err(sqlx::Error::PoolClosed);
        }
        held.clean().await;
        if held.connection.is_none() {
            held.connection = Some(self.connect().await?);
        }
        Ok(Turn { held: Some(held) })
    }

    /// Gives no more turns, and lets another server have the database: a lock that is a connection's lasts as long as it.
    pub async fn close(&self) {
        let Way::Postgres(_) = self.way else { return };
        let mut held = self.held.lock().await;
        held.clean().await;
        held.closed = true;
        if let Some(connection) = held.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the connection that writes did not end well");
        }
    }

    async fn connect(&self) -> Result<Connection, sqlx::Error> {
        match &self.way {
            Way::Sqlite(options) => Ok(Connection::Sqlite(SqliteConnection::connect_with(options).await?)),
            Way::Postgres(fence) => Ok(Connection::Postgres(Server::new(fence.connect_again().await?))),
        }
    }
}

impl Held {
    // Leaves either a connection without a transaction or none.
    async fn clean(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let works = if connection.is_lost() {
            Err(sqlx::Error::PoolClosed)
        } else if self.begun {
            connection.order("ROLLBACK").await
        } else if self.used.elapsed() > QUIET
            && let Connection::Postgres(server) = connection
        {
            server.ping().await
        } else {
            Ok(())
        };
        if let Err(error) = works {
            tracing::debug!(%error, "the connection that writes is made anew");
            self.connection = None;
        }
        self.begun = false;
    }
}

impl Turn {
    /// Which database it is.
    pub fn kind(&self) -> Kind {
        self.held().connection.as_ref().map_or(Kind::Sqlite, Connection::kind)
    }

    /// The connection.
    pub fn connection(&mut self) -> &mut Connection {
        let held = self.held_mut();
        held.used = Instant::now();
        held.connection.as_mut().expect("a turn has a connection until it gives it up")
    }

    /// Carries out one statement.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64, sqlx::Error> {
        self.connection().execute(sql).await
    }

    /// Opens a transaction.
    pub async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.begins();
        // SQLite would otherwise find out at the first write that somebody else holds the file, too late to wait for it.
        let begin = match self.kind() {
            Kind::Sqlite => "BEGIN IMMEDIATE",
            Kind::Postgres => "BEGIN",
        };
        self.connection().order(begin).await
    }

    /// Makes the open transaction so.
    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.connection().order("COMMIT").await?;
        self.ends();
        Ok(())
    }

    /// Takes the open transaction back.
    pub async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        self.connection().order("ROLLBACK").await?;
        self.ends();
        Ok(())
    }

    /// A script that begins a transaction by itself is on its way.
    pub fn begins(&mut self) {
        self.held_mut().begun = true;
    }

    /// The script has ended its transaction.
    pub fn ends(&mut self) {
        self.held_mut().begun = false;
    }

    /// Takes back whatever is open.
    pub async fn clean(&mut self) -> Result<(), sqlx::Error> {
        if self.held().begun {
            self.roll_back().await?;
        }
        Ok(())
    }

    /// Gives the connection up, so that the next turn makes another.
    pub fn give_up(mut self) {
        let held = self.held_mut();
        held.connection = None;
        held.begun = false;
    }

    fn held(&self) -> &Held {
        self.held.as_ref().expect("it is held until it is dropped")
    }

    fn held_mut(&mut self) -> &mut Held {
        self.held.as_mut().expect("it is held until it is dropped")
    }
}

impl Drop for Turn {
    // At once, so that nobody waits for what is taken back anyway; without a runtime the next turn does it.
    fn drop(&mut self) {
        if let Some(mut held) = self.held.take()
            && held.begun
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { held.clean().await });
        }
    }
}
