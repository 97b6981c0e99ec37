//! One running server a PostgreSQL database: whoever writes holds a lock of the database itself, on the very connection
//! that writes. Two would give the same positions to different events.
//!
//! A connection that is made anew has the lock only once the one before is gone from the server, and with it every
//! transaction it had under way: from then on the database tells whether its last commit happened.

use std::io;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

/// How long a predecessor may take to go away: it has been killed, or writes its last records.
const PATIENCE: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(20);
/// How long a server may take to let us in.
const CONNECTING: Duration = Duration::from_secs(10);

/// The lock's two numbers: `tong` and `dai`.
const LOCK: &str = "1953459815, 6578537";
const START: &str = "starts";

/// How a connection that may write is made.
#[derive(Debug)]
pub(super) struct Fence {
    options: PgConnectOptions,
    /// Which start of a server on this database is ours. Another number stored means that another server was here.
    start: i64,
}

impl Fence {
    /// Connects and takes the lock; None when another server keeps it.
    pub async fn connect(options: &PgConnectOptions) -> Result<Option<PgConnection>, sqlx::Error> {
        let mut connection = within(CONNECTING, PgConnection::connect_with(options)).await?;
        let give_up_at = Instant::now() + PATIENCE;
        while !try_lock(&mut connection).await? {
            if Instant::now() >= give_up_at {
                return Ok(None);
            }
            tokio::time::sleep(STEP).await;
        }
        Ok(Some(connection))
    }

    /// Counts this start; the tables are there.
    pub async fn raise(options: PgConnectOptions, connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let (start,): (i64,) = sqlx::query_as(
            "INSERT INTO meta (name, value) VALUES ($1, '1')
             ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)
             RETURNING CAST(value AS BIGINT)",
        )
        .bind(START)
        .fetch_one(connection)
        .await?;
        Ok(Self { options, start })
    }

    /// Connects once more, after the connection before was lost.
    pub async fn connect_again(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = within(CONNECTING, PgConnection::connect_with(&self.options)).await?;
        let give_up_at = Instant::now() + PATIENCE;
        while !try_lock(&mut connection).await? {
            // The server may not have noticed that our own connection is gone.
            sqlx::query(EVICT).bind(self.options.get_application_name()).execute(&mut connection).await?;
            if Instant::now() >= give_up_at {
                return Err(sqlx::Error::Io(io::Error::other("another server has taken this database")));
            }
            tokio::time::sleep(STEP).await;
        }
        let (start,): (i64,) = sqlx::query_as("SELECT CAST(value AS BIGINT) FROM meta WHERE name = $1")
            .bind(START)
            .fetch_one(&mut connection)
            .await?;
        if start != self.start {
            return Err(sqlx::Error::Io(io::Error::other(
                "another server has used this database meanwhile; this one has to be started again",
            )));
        }
        Ok(connection)
    }
}

async fn try_lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let sql = format!("SELECT pg_try_advisory_lock({LOCK})");
    let (locked,): (bool,) = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await?;
    Ok(locked)
}

// Every start has its own name at the server, so this meets nobody else.
const EVICT: &str = "SELECT pg_terminate_backend(locks.pid)
     FROM pg_locks AS locks JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
     WHERE locks.locktype = 'advisory' AND locks.classid = 1953459815 AND locks.objid = 6578537
       AND activity.datname = current_database() AND activity.application_name = $1
       AND locks.pid <> pg_backend_pid()";

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(patience, work)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in 10 seconds"))))
}
