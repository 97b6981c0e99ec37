//! The tables, as numbered steps from an empty database. They only move forward; a step that was released is never edited.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The steps of SQLite.
pub(crate) fn sqlite() -> Migrator {
    migrator(|step| step.sqlite)
}

/// The steps of PostgreSQL.
pub(crate) fn postgres() -> Migrator {
    migrator(|step| step.postgres)
}

fn migrator(sql: impl Fn(&Step) -> &'static str) -> Migrator {
    let migrations = ALL.iter().map(|step| {
        let name = Cow::Borrowed(step.name);
        Migration::new(step.number, name, MigrationType::Simple, sql(step).into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

struct Step {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! steps {
    ($($number:literal $name:literal $file:literal),+ $(,)?) => {
        [$(Step {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../migrations/postgres/", $file)),
        }),+]
    };
}

const ALL: &[Step] = &steps! {
    1 "first" "0001_first.sql",
    2 "claims" "0002_claims.sql",
    4 "history" "0004_history.sql",
    5 "hooks" "0005_hooks.sql",
    6 "audit" "0006_audit.sql",
    7 "pairs" "0007_pairs.sql",
};
