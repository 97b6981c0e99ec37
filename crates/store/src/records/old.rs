//! Rows that were stored before they said what they are found and counted by.

use model::{Record, TenantId, Timestamp};

use super::facts::{Facts, KIND};
use super::rows::{Counted, change};
use crate::db::{Connection, Sql};

/// Rows of one transaction.
const ROWS: i64 = 1_000;
/// Tallies of one statement.
const TALLIES: usize = 64;

/// Fills in what is missing, once in a database's life.
pub(crate) async fn fill_in(connection: &mut Connection) -> Result<(), sqlx::Error> {
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
        if let Err(error) = fill(connection, &rows).await {
            connection.order("ROLLBACK").await?;
            return Err(error);
        }
        connection.order("COMMIT").await?;
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
    for some in counted.tallies().chunks(TALLIES) {
        connection.execute(change(some)).await?;
    }
    Ok(())
}
