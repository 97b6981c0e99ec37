//! A database on a PostgreSQL server.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor};

use super::connection::Server;
use super::fence::Fence;
use super::pen::{Pen, Way};
use super::{Connection, Db, Readers};
use crate::{Durability, migrations};

const READERS: u32 = 8;
/// How long a reader waits for one of the connections.
const READER_PATIENCE: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 64;

/// Several reads that see the database at one moment.
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// For every connection. Compiling a query takes longer than any of ours. A connection that is cut off is noticed by the
/// server within half a minute.
const ALL: [(&str, &str); 5] = [
    ("client_encoding", "UTF8"),
    ("jit", "off"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];
/// A lock that somebody else holds is told of, and waited for again: see `WriterState`. Rows are looked up one by one,
/// also when the database still thinks its tables small: it plans the writer's few statements once for all.
const WRITING: [(&str, &str); 6] = [
    ("lock_timeout", "250ms"),
    ("statement_timeout", "10s"),
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];
/// Which index is best depends on what is looked for, so each query is planned for its own values.
const READING: [(&str, &str); 3] =
    [("default_transaction_read_only", "on"), ("plan_cache_mode", "force_custom_plan"), ("statement_timeout", "60s")];

/// Why a database cannot be used.
#[derive(Debug)]
pub(crate) enum Failed {
    /// That is no address of a database.
    Url,
    /// Another server uses it.
    InUse,
    /// It does not keep text as UTF-8.
    Encoding(String),
    /// What the server says, or why it cannot be reached.
    Database(Box<dyn std::error::Error + Send + Sync>),
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

/// Connects to the database and brings its tables up to date. `name`: ours alone at that server, of this start.
pub(crate) async fn connect(url: &str, name: &str, durability: Durability) -> Result<Db, Failed> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| Failed::Url)?
        .application_name(name)
        .statement_cache_capacity(STATEMENTS)
        .options(ALL)
        .disable_statement_logging();
    let mut writing = options.clone().options(WRITING);
    if durability == Durability::Power {
        writing = writing.options([("synchronous_commit", "on")]);
    }
    let Some(mut connection) = Fence::connect(&writing).await? else { return Err(Failed::InUse) };
    let (encoding,): (String,) =
        sqlx::query_as("SELECT current_setting('server_encoding')").fetch_one(&mut connection).await?;
    if encoding != "UTF8" {
        return Err(Failed::Encoding(encoding));
    }
    // Changing a large table may take long.
    connection.execute("SET statement_timeout = 0").await?;
    migrations::postgres().run(&mut connection).await?;
    connection.execute("RESET statement_timeout").await?;
    let fence = Fence::raise(writing, &mut connection).await?;

    let readers = PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(READER_PATIENCE)
        .connect_with(options.options(READING))
        .await?;
    let pen = Pen::new(Connection::Postgres(Server::new(connection)), Way::Postgres(fence));
    Ok(Db { readers: Readers::Postgres(readers), pen: Arc::new(pen) })
}
