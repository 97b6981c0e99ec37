//! A database in a file of ours.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};

use super::pen::{Pen, Way};
use super::{Connection, Db, Readers};
use crate::{Durability, migrations};

const READERS: u32 = 4;
/// How long the writer waits for somebody else's lock on the database (a backup) before it says that it is stalled.
const WRITER_PATIENCE: Duration = Duration::from_millis(250);
const READER_PATIENCE: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps: each holds some tens of kilobytes.
const STATEMENTS: usize = 64;
/// The writer has each of its statements for several numbers of rows.
const WRITER_STATEMENTS: usize = 128;
/// The log is copied into the database at about this size; larger means fewer copies of pages written again and again.
const CHECKPOINT_PAGES: &str = "4000";

/// Opens the file and brings its tables up to date.
pub(crate) async fn connect(
    file: &Path,
    durability: Durability,
) -> Result<Db, Box<dyn std::error::Error + Send + Sync>> {
    only_ours(file)?;
    let writing = options(file, durability).statement_cache_capacity(WRITER_STATEMENTS);
    let mut connection = SqliteConnection::connect_with(&writing).await?;
    migrations::sqlite().run(&mut connection).await?;
    let reading =
        options(file, durability).create_if_missing(false).pragma("query_only", "ON").busy_timeout(READER_PATIENCE);
    let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(reading).await?;
    let pen = Pen::new(Connection::Sqlite(connection), Way::Sqlite(writing));
    Ok(Db { readers: Readers::Sqlite(readers), pen: Arc::new(pen) })
}

/// Makes the database's file before SQLite does, so that nobody but us can read what proves passwords. What SQLite
/// writes beside it has the same rights.
fn only_ours(file: &Path) -> io::Result<()> {
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}

fn options(file: &Path, durability: Durability) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match durability {
            Durability::Process => SqliteSynchronous::Normal,
            Durability::Power => SqliteSynchronous::Full,
        })
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", "67108864")
        .foreign_keys(false)
        .busy_timeout(WRITER_PATIENCE)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
}
