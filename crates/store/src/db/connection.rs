//! One connection to either database.

use std::io;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection, SqliteConnection};

use super::{Kind, Row, Sql};

/// How long a server may take to answer. It gives a statement up sooner, so silence means that it cannot be reached.
const ANSWER: Duration = Duration::from_secs(15);

/// One connection to either database.
#[derive(Debug)]
pub(crate) enum Connection {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(Server),
}

/// A connection to a server, which may be lost.
#[derive(Debug)]
pub(crate) struct Server {
    pub connection: PgConnection,
    /// Nothing can be asked over it any more.
    pub lost: bool,
}

impl Server {
    pub fn new(connection: PgConnection) -> Self {
        Self { connection, lost: false }
    }

    /// Whether it lives.
    pub async fn ping(&mut self) -> Result<(), sqlx::Error> {
        answered(&mut self.lost, self.connection.ping()).await
    }
}

/// Waits for the answer to what is asked over a server's connection, and notes when that is lost.
pub(crate) async fn answered<T>(
    lost: &mut bool,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    // Whoever stops waiting half-way leaves the rest of an answer behind, which only a connection that lives gets over.
    let result = tokio::time::timeout(ANSWER, work).await.unwrap_or_else(|_| {
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer")))
    });
    *lost |= result.as_ref().is_err_and(loses);
    result
}

fn loses(error: &sqlx::Error) -> bool {
    match error {
        // Connection exceptions, and a server that is shut down or ends our session.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => true,
        _ => false,
    }
}

impl Connection {
    /// Which database it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
        }
    }

    /// Carries a statement out; how many rows it touched.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64, sqlx::Error> {
        self.end().execute(sql).await
    }

    /// Carries out statements without values that begin or end something (`BEGIN`, `SAVEPOINT …`).
    pub async fn order(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop),
            Self::Postgres(server) => {
                answered(&mut server.lost, sqlx::raw_sql(sql).execute(&mut server.connection)).await.map(drop)
            }
        }
    }

    /// All rows that a statement gives.
    pub async fn fetch_all<T: Row>(&mut self, sql: Sql) -> Result<Vec<T>, sqlx::Error> {
        self.end().fetch_all(sql).await
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<T: Row>(&mut self, sql: Sql) -> Result<Option<T>, sqlx::Error> {
        self.end().fetch_optional(sql).await
    }

    /// The one column of the first row, if there is one.
    pub async fn fetch_scalar<T>(&mut self, sql: Sql) -> Result<Option<T>, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.fetch_optional::<(T,)>(sql).await?.map(|(value,)| value))
    }

    /// Says goodbye.
    pub async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(server) => server.connection.close().await,
        }
    }

    pub(super) fn end(&mut self) -> End<'_> {
        match self {
            Self::Sqlite(connection) => End::Sqlite(connection),
            Self::Postgres(server) => End::Postgres(&mut server.connection, &mut server.lost),
        }
    }

    /// Whether nothing can be asked over it any more.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Postgres(Server { lost: true, .. }))
    }
}

/// Our end of a connection, whoever keeps it.
pub(super) enum End<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection, &'a mut bool),
}

impl End<'_> {
    pub async fn execute(self, sql: Sql) -> Result<u64, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let (text, values) = sql.for_sqlite()?;
                Ok(sqlx::query_with(text, values).execute(connection).await?.rows_affected())
            }
            Self::Postgres(connection, lost) => {
                let (text, values) = sql.for_postgres()?;
                Ok(answered(lost, sqlx::query_with(text, values).execute(connection)).await?.rows_affected())
            }
        }
    }

    pub async fn fetch_all<T: Row>(self, sql: Sql) -> Result<Vec<T>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let (text, values) = sql.for_sqlite()?;
                sqlx::query_as_with(text, values).fetch_all(connection).await
            }
            Self::Postgres(connection, lost) => {
                let (text, values) = sql.for_postgres()?;
                answered(lost, sqlx::query_as_with(text, values).fetch_all(connection)).await
            }
        }
    }

    pub async fn fetch_optional<T: Row>(self, sql: Sql) -> Result<Option<T>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let (text, values) = sql.for_sqlite()?;
                sqlx::query_as_with(text, values).fetch_optional(connection).await
            }
            Self::Postgres(connection, lost) => {
                let (text, values) = sql.for_postgres()?;
                answered(lost, sqlx::query_as_with(text, values).fetch_optional(connection)).await
            }
        }
    }
}
