//! Rows that were stored before they said what they are found and counted by, or before two numbers were tallied.

use model::{Record, TenantId, Timestamp};

use super::facts::{Facts, KIND, Tally, TallyRow};
use super::rows::{Counted, change};
use crate::db::{Connection, Sql};

/// Rows of one transaction.
const ROWS: i64 = 1_000;
/// Tallies of one statement.
const TALLIES: usize = 64;

/// Fills in what is missing, once in a database's life.
pub(crate) async fn fill_in(connection: &mut Connection) -> Result<(), sqlx::Error> {
    tally_pairs(connection).await?;
    let done = Sql::new("SELECT value FROM meta WHERE name = 'records_filled_in'");
    if connection.fetch_scalar::<String>(done).await?.is_some() {
        return Ok(());
    }
    let mut after = 0;
    let mut filled = 0_usize;
    loop {
        let sql =
            Sql::new("SELECT id, tenant, record FROM records WHERE facts IS NULL AND id > $1 ORDER BY id LIMIT $2");
        let rows: Vec<(i64, i64, String)> = connection.fetch_all(sql.with(after).with(ROWS)).await?;
        let Some((last, ..)) = rows.last() else { break };
        after = *last;
        filled += rows.len();
        connection.order("BEGIN").await?;
        let done = fill(connection, &rows).await;
        connection.order(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        done?;
    }
    if filled > 0 {
        tracing::info!(records = filled, "records can be searched by what they say");
    }
    let now = Timestamp::now().to_string();
    connection.execute(Sql::new("INSERT INTO meta (name, value) VALUES ('records_filled_in', $1)").with(now)).await?;
    Ok(())
}

async fn fill(connection: &mut Connection, rows: &[(i64, i64, String)]) -> Result<(), sqlx::Error> {
    let mut counted = Counted::default();
    for (id, tenant, record) in rows {
        let record: Record = match serde_json::from_str(record) {
            Ok(record) => record,
            Err(error) => {
                tracing::error!(%error, row = id, "a record cannot be read, and will not be found");
                continue;
            }
        };
        let facts = Facts::of(&record);
        let sql = Sql::new("UPDATE records SET kind = ").bind(facts.facts & KIND).push(", facts = ").bind(facts.facts);
        let sql = sql.push(", dialled = ").bind(facts.dialled).push(", dialler = ").bind(facts.dialler);
        let sql = sql.push(", seconds = ").bind(facts.seconds).push(", bill_seconds = ").bind(facts.bill_seconds);
        let sql = sql.push(", reason = ").bind(facts.reason).push(", trunk = ").bind(facts.trunk);
        connection.execute(sql.push(" WHERE id = ").bind(*id)).await?;
        if record.ended_at.is_some() {
            counted.add(TenantId(*tenant), &record, 1);
        }
    }
    add(counted.tallies(), connection).await
}

async fn add(tallies: Vec<(Tally, i64)>, connection: &mut Connection) -> Result<(), sqlx::Error> {
    for some in tallies.chunks(TALLIES) {
        connection.execute(change(some)).await?;
    }
    Ok(())
}

/// A row whose calls are tallied.
type OldRow = (i64, i64, i64, i64, Option<String>, String, Option<String>, Option<String>);

/// Adds the tallies of two numbers for calls whose others are there. Each transaction notes how far it came.
async fn tally_pairs(connection: &mut Connection) -> Result<(), sqlx::Error> {
    let sql = Sql::new("SELECT value FROM meta WHERE name = 'pairs_tallied_to'");
    let Some(after) = connection.fetch_scalar::<String>(sql).await? else { return Ok(()) };
    let mut after = after.parse().unwrap_or(0);
    loop {
        let sql = Sql::new(
            "SELECT id, tenant, started_ms, facts, extension, customer, did, dialled FROM records \
             WHERE id > $1 AND ended_ms IS NOT NULL AND facts IS NOT NULL ORDER BY id LIMIT $2",
        );
        let rows: Vec<OldRow> = connection.fetch_all(sql.with(after).with(ROWS)).await?;
        let Some((last, ..)) = rows.last() else { break };
        after = *last;
        connection.order("BEGIN").await?;
        let done = add_pairs(connection, &rows, after).await;
        connection.order(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        done?;
    }
    connection.execute(Sql::new("DELETE FROM meta WHERE name = 'pairs_tallied_to'")).await?;
    Ok(())
}

async fn add_pairs(connection: &mut Connection, rows: &[OldRow], to: i64) -> Result<(), sqlx::Error> {
    let mut counted = Counted::default();
    for (_, tenant, started_ms, facts, extension, customer, did, dialled) in rows {
        let row = TallyRow {
            started_ms: *started_ms,
            facts: *facts,
            extension: extension.as_deref(),
            customer: Some(customer),
            did: did.as_deref(),
            dialled: dialled.as_deref(),
        };
        counted.add_row(TenantId(*tenant), &row, 1);
    }
    let pairs = counted.tallies().into_iter().filter(|(tally, _)| tally.is_of_a_pair()).collect();
    add(pairs, connection).await?;
    let sql = Sql::new("UPDATE meta SET value = $1 WHERE name = 'pairs_tallied_to'").with(to.to_string());
    connection.execute(sql).await?;
    Ok(())
}
