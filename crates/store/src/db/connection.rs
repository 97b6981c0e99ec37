//! One connection to either database.

use sqlx::{Connection as _, PgConnection, SqliteConnection};

use super::{Kind, Row, Sql};

/// One connection to either database.
#[derive(Debug)]
pub(crate) enum Connection {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
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
            Self::Postgres(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop),
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
            Self::Postgres(connection) => connection.close().await,
        }
    }

    pub(super) fn end(&mut self) -> End<'_> {
        match self {
            Self::Sqlite(connection) => End::Sqlite(connection),
            Self::Postgres(connection) => End::Postgres(connection),
        }
    }
}

/// Our end of a connection, whoever keeps it.
pub(super) enum End<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl End<'_> {
    pub async fn execute(self, sql: Sql) -> Result<u64, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let (text, values) = sql.for_sqlite()?;
                Ok(sqlx::query_with(text, values).execute(connection).await?.rows_affected())
            }
            Self::Postgres(connection) => {
                let (text, values) = sql.for_postgres()?;
                Ok(sqlx::query_with(text, values).execute(connection).await?.rows_affected())
            }
        }
    }

    pub async fn fetch_all<T: Row>(self, sql: Sql) -> Result<Vec<T>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let (text, values) = sql.for_sqlite()?;
                sqlx::query_as_with(text, values).fetch_all(connection).await
            }
            Self::Postgres(connection) => {
                let (text, values) = sql.for_postgres()?;
                sqlx::query_as_with(text, values).fetch_all(connection).await
            }
        }
    }

    pub async fn fetch_optional<T: Row>(self, sql: Sql) -> Result<Option<T>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let (text, values) = sql.for_sqlite()?;
                sqlx::query_as_with(text, values).fetch_optional(connection).await
            }
            Self::Postgres(connection) => {
                let (text, values) = sql.for_postgres()?;
                sqlx::query_as_with(text, values).fetch_optional(connection).await
            }
        }
    }
}
