//! The database, SQLite or PostgreSQL, behind one interface: statements in, rows out.
//!
//! A statement is written once, as [`Sql`] with `$1` placeholders, and runs on both. Reading goes to a pool
//! ([`Db::fetch_all`] and its sisters, or [`Db::read`] for several statements that must see the same moment); all
//! writing goes over one connection, in turns ([`Db::execute`] for one statement, [`Db::begin`] for several). The hot
//! statements of the writer are the only ones that know which database they speak to.
//!
//! What holds on both:
//! - Columns are `BIGINT` (`i64`) and `TEXT` (`String`, `Option<String>`). Truth is 0 or 1.
//! - `COUNT(*)` is an `i64`; `SUM` needs `CAST(SUM(x) AS BIGINT)`.
//! - Text that is compared or ordered has `COLLATE "C"` in PostgreSQL's migrations, so that the order is SQLite's.
//! - `INSERT … ON CONFLICT … DO UPDATE` and `RETURNING` are the same. No `INSERT OR …`, no `ROWID`.
//! - Where they differ, `match transaction.kind()` has the two statements side by side.

mod connection;
mod fence;
mod pen;
mod postgres;
mod sql;
mod sqlite;
mod transaction;

use std::sync::Arc;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, PgPool, SqlitePool};

pub(crate) use connection::{Connection, answered};
pub(crate) use pen::{Pen, Turn};
pub(crate) use postgres::{Failed, connect as connect_postgres};
pub(crate) use sql::{Sql, Value};
pub(crate) use sqlite::connect as connect_sqlite;
pub(crate) use transaction::Transaction;

/// Which database it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A file of ours.
    Sqlite,
    /// A server.
    Postgres,
}

/// What a row may be read as: any tuple of `i64`, `String`, `Option<…>` of them. A single column is `(i64,)`.
pub(crate) trait Row: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> {}

impl<T> Row for T where T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> {}

/// Either database. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Db {
    readers: Readers,
    pen: Arc<Pen>,
}

#[derive(Clone, Debug)]
enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Db {
    /// All rows that a statement gives.
    pub async fn fetch_all<T: Row>(&self, sql: Sql) -> Result<Vec<T>, sqlx::Error> {
        match &self.readers {
            Readers::Sqlite(pool) => {
                let (text, values) = sql.for_sqlite()?;
                sqlx::query_as_with(text, values).fetch_all(pool).await
            }
            Readers::Postgres(pool) => {
                let (text, values) = sql.for_postgres()?;
                sqlx::query_as_with(text, values).fetch_all(pool).await
            }
        }
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<T: Row>(&self, sql: Sql) -> Result<Option<T>, sqlx::Error> {
        match &self.readers {
            Readers::Sqlite(pool) => {
                let (text, values) = sql.for_sqlite()?;
                sqlx::query_as_with(text, values).fetch_optional(pool).await
            }
            Readers::Postgres(pool) => {
                let (text, values) = sql.for_postgres()?;
                sqlx::query_as_with(text, values).fetch_optional(pool).await
            }
        }
    }

    /// The one column of the first row, if there is one.
    pub async fn fetch_scalar<T>(&self, sql: Sql) -> Result<Option<T>, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.fetch_optional::<(T,)>(sql).await?.map(|(value,)| value))
    }

    /// The one column of all rows.
    pub async fn fetch_scalars<T>(&self, sql: Sql) -> Result<Vec<T>, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.fetch_all::<(T,)>(sql).await?.into_iter().map(|(value,)| value).collect())
    }

    /// Several statements that see the database as it is at one moment. They may not write.
    pub async fn read(&self) -> Result<Transaction, sqlx::Error> {
        match &self.readers {
            Readers::Sqlite(pool) => Ok(Transaction::reading_sqlite(pool.begin().await?)),
            Readers::Postgres(pool) => Ok(Transaction::reading_postgres(pool.begin_with(postgres::SNAPSHOT).await?)),
        }
    }

    /// Carries out one statement that writes; how many rows it touched. Waits for its turn.
    pub async fn execute(&self, sql: Sql) -> Result<u64, sqlx::Error> {
        self.pen.take().await?.execute(sql).await
    }

    /// Several statements that write, all of them or none. Waits for its turn, and everybody else waits meanwhile:
    /// prepare what takes long before.
    pub async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        Transaction::writing(Pen::take(&self.pen).await?).await
    }

    /// The one connection that writes.
    pub fn pen(&self) -> Arc<Pen> {
        self.pen.clone()
    }

    /// Ends the connections that read, and lets others have the database.
    pub async fn close(&self) {
        self.pen.close().await;
        match &self.readers {
            Readers::Sqlite(pool) => pool.close().await,
            Readers::Postgres(pool) => pool.close().await,
        }
    }
}
