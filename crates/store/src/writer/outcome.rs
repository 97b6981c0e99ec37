//! What the statements of both databases are told of the stories so far, and why they store nothing.

use std::collections::HashMap;

use model::TenantId;

/// The last position of tenants' stories.
pub(super) type Heads = HashMap<TenantId, i64>;

/// Why something was not stored.
pub(super) enum Failure {
    /// The database refuses what it was given; it would refuse it again.
    Content(String),
    /// The database cannot store now.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if is_content(&error) { Self::Content(error.to_string()) } else { Self::Database(error) }
    }
}

/// Whether somebody else holds the database, and nothing is wrong with the connection.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    match code_of(error) {
        // BUSY and LOCKED.
        Some(Code::Sqlite(code)) => [5, 6].contains(&code),
        // A lock that did not come in time.
        Some(Code::Postgres(code)) => code == "55P03",
        None => false,
    }
}

/// Whether the values are refused. All other errors lie in the database, or on the way to it.
fn is_content(error: &sqlx::Error) -> bool {
    match code_of(error) {
        // Too big, constraint, mismatch.
        Some(Code::Sqlite(code)) => [18, 19, 20].contains(&code),
        // Bad data, constraints, and what is too long for an index.
        Some(Code::Postgres(code)) => ["22", "23", "54"].iter().any(|class| code.starts_with(class)),
        None => matches!(error, sqlx::Error::Encode(_)),
    }
}

enum Code {
    /// The low byte; what stands above it only tells more.
    Sqlite(i32),
    Postgres(String),
}

fn code_of(error: &sqlx::Error) -> Option<Code> {
    let error = error.as_database_error()?;
    if let Some(error) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        return Some(Code::Postgres(error.code().to_owned()));
    }
    error.code()?.parse::<i32>().ok().map(|code| Code::Sqlite(code & 0xff))
}
