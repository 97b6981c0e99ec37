//! Several statements that see or change the database as one.

use std::ops::DerefMut;

use sqlx::{Postgres, Sqlite};

use super::connection::End;
use super::pen::Turn;
use super::{Kind, Row, Sql};

/// Several statements that see or change the database as one. Dropped, it changes nothing.
#[derive(Debug)]
pub(crate) struct Transaction {
    held: Held,
}

#[derive(Debug)]
enum Held {
    Writing(Turn),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    /// And whether it is lost.
    Postgres(sqlx::Transaction<'static, Postgres>, bool),
}

impl Transaction {
    pub(super) async fn writing(mut turn: Turn) -> Result<Self, sqlx::Error> {
        turn.begin().await?;
        Ok(Self { held: Held::Writing(turn) })
    }

    pub(super) fn reading_sqlite(transaction: sqlx::Transaction<'static, Sqlite>) -> Self {
        Self { held: Held::Sqlite(transaction) }
    }

    pub(super) fn reading_postgres(transaction: sqlx::Transaction<'static, Postgres>) -> Self {
        Self { held: Held::Postgres(transaction, false) }
    }

    /// Which database it is.
    pub fn kind(&self) -> Kind {
        match &self.held {
            Held::Writing(turn) => turn.kind(),
            Held::Sqlite(_) => Kind::Sqlite,
            Held::Postgres(..) => Kind::Postgres,
        }
    }

    /// Carries a statement out; how many rows it touched.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64, sqlx::Error> {
        self.end().execute(sql).await
    }

    /// All rows that a statement gives.
    pub async fn fetch_all<T: Row>(&mut self, sql: Sql) -> Result<Vec<T>, sqlx::Error> {
        self.end().fetch_all(sql).await
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<T: Row>(&mut self, sql: Sql) -> Result<Option<T>, sqlx::Error> {
        self.end().fetch_optional(sql).await
    }

    /// The one row of a statement that always gives one.
    pub async fn fetch_one<T: Row>(&mut self, sql: Sql) -> Result<T, sqlx::Error> {
        self.fetch_optional(sql).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// The one column of the first row, if there is one.
    pub async fn fetch_scalar<T>(&mut self, sql: Sql) -> Result<Option<T>, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.fetch_optional::<(T,)>(sql).await?.map(|(value,)| value))
    }

    /// The one column of all rows.
    pub async fn fetch_scalars<T>(&mut self, sql: Sql) -> Result<Vec<T>, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.fetch_all::<(T,)>(sql).await?.into_iter().map(|(value,)| value).collect())
    }

    /// Makes it so.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        match self.held {
            Held::Writing(mut turn) => turn.commit().await,
            Held::Sqlite(transaction) => transaction.commit().await,
            Held::Postgres(transaction, _) => transaction.commit().await,
        }
    }

    /// Takes it all back; for one that only reads, its end.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        match self.held {
            Held::Writing(mut turn) => turn.roll_back().await,
            Held::Sqlite(transaction) => transaction.rollback().await,
            Held::Postgres(transaction, _) => transaction.rollback().await,
        }
    }

    fn end(&mut self) -> End<'_> {
        match &mut self.held {
            Held::Writing(turn) => turn.connection().end(),
            Held::Sqlite(transaction) => End::Sqlite(transaction.deref_mut()),
            Held::Postgres(transaction, lost) => End::Postgres(transaction.deref_mut(), lost),
        }
    }
}
