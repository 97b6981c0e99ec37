//! The writer's statement to PostgreSQL: whatever a group holds goes as one, in one round trip.
//!
//! The statement first raises the counter row of each tenant, in the order of their ids, and gives positions from there;
//! the rows stay locked until the commit, so that positions become visible in order. Each column is sent as one array,
//! so the same few texts serve groups of every size and stay prepared.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Arc;

use model::{Batch, Kept, TenantId};
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::group::{counted, last_records, last_values, tenants};
use super::outcome::{Failure, Heads};
use crate::claims::ClaimAnswer;
use crate::db::{Connection, Value, answered};
use crate::records::facts::{Facts, KIND};
use crate::records::{direction_name, status_name};

/// The texts that have occurred, by the parts that they have.
#[derive(Default)]
pub(super) struct Statements {
    texts: HashMap<u8, Arc<str>>,
}

/// The rows of one table that a group changes.
struct Rows {
    part: &'static Part,
    columns: Vec<Column>,
    count: usize,
}

enum Column {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
}

impl Statements {
    /// Stores batches and facts; `before` has the heads of their tenants. Gives the heads as they are now. Outside of a
    /// transaction it is one by itself.
    pub async fn store(
        &mut self,
        connection: &mut Connection,
        batches: &[Batch],
        keeps: &[Kept],
        before: &Heads,
    ) -> Result<Heads, Failure> {
        let Connection::Postgres(server) = connection else {
            unreachable!("a statement of PostgreSQL's goes to PostgreSQL")
        };
        let all = rows(batches, keeps, before).map_err(|error| Failure::Content(error.to_string()))?;
        let all: Vec<Rows> = all.into_iter().filter(|rows| rows.count > 0).collect();
        if all.is_empty() {
            return Ok(Heads::new());
        }
        let text = self.text(&all);
        let mut arguments = PgArguments::default();
        for column in all.into_iter().flat_map(|rows| rows.columns) {
            match column {
                Column::Ints(values) => arguments.add(values),
                Column::Texts(values) => arguments.add(values),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        let query = sqlx::query_as_with(AssertSqlSafe(text), arguments);
        let heads: Vec<(i64, i64)> = answered(&mut server.lost, query.fetch_all(&mut server.connection)).await?;
        Ok(heads.into_iter().map(|(tenant, position)| (TenantId(tenant), position)).collect())
    }

    fn text(&mut self, all: &[Rows]) -> Arc<str> {
        let parts = all.iter().fold(0, |parts, rows| parts | 1 << rows.part.bit);
        self.texts.entry(parts).or_insert_with(|| compose(all).into()).clone()
    }
}

fn rows(batches: &[Batch], keeps: &[Kept], before: &Heads) -> Result<[Rows; 8], serde_json::Error> {
    let mut heads = Rows::of(&HEADS);
    let mut events = Rows::of(&EVENTS);
    // How many events of a tenant are still to come in this group, the one at hand included.
    let mut coming: BTreeMap<TenantId, i64> = tenants(batches).into_iter().map(|tenant| (tenant, 0)).collect();
    for batch in batches {
        coming.entry(batch.tenant).and_modify(|coming| *coming += whole(batch.events.len()));
    }
    for (tenant, grown) in &coming {
        heads.add([tenant.0.into(), before[tenant].into(), (*grown).into()]);
    }
    let places: HashMap<TenantId, i64> = coming.keys().copied().zip(1..).collect();
    for batch in batches {
        let Some(coming) = coming.get_mut(&batch.tenant) else { continue };
        let behind_batch = *coming - whole(batch.events.len());
        for event in &batch.events {
            *coming -= 1;
            events.add([
                places[&batch.tenant].into(),
                (*coming).into(),
                behind_batch.into(),
                event.subject.kind().into(),
                event.subject.id().into(),
                event.seq.into(),
                event.at.as_millisecond().into(),
                event.callid.map(|callid| callid.to_string()).into(),
                serde_json::to_string(event)?.into(),
            ]);
        }
    }

    let mut records = Rows::of(&RECORDS);
    let mut recordings = Rows::of(&RECORDINGS);
    let saved = last_records(batches);
    let mut tallies = Rows::of(&TALLIES);
    for (tally, calls) in counted(&saved) {
        tallies.add([tally.tenant.0.into(), tally.key.into(), tally.day.into(), tally.facts.into(), calls.into()]);
    }
    for saved in saved {
        let record = saved.record;
        let facts = Facts::of(record);
        records.add([
            saved.tenant.0.into(),
            record.callid.to_string().into(),
            direction_name(record.direction).into(),
            record.customer.as_str().into(),
            record.did.as_ref().map(|did| did.as_str()).into(),
            record.from.number().into(),
            record.to.number().into(),
            record.extension.clone().into(),
            status_name(record.status).into(),
            record.started_at.as_millisecond().into(),
            record.answered_at.map(|at| at.as_millisecond()).into(),
            record.ended_at.map(|at| at.as_millisecond()).into(),
            serde_json::to_string(record)?.into(),
            (facts.facts & KIND).into(),
            facts.facts.into(),
            facts.dialled.into(),
            facts.dialler.into(),
            facts.seconds.into(),
            facts.bill_seconds.into(),
            facts.reason.into(),
            facts.trunk.into(),
        ]);
        for recording in record.recordings.iter().filter(|_| saved.with_recordings) {
            recordings.add([
                saved.tenant.0.into(),
                recording.recording.to_string().into(),
                record.callid.to_string().into(),
                recording.file.as_str().into(),
                recording.milliseconds.map(long).into(),
                long(recording.gap_milliseconds).into(),
                long(recording.bytes).into(),
                recording.sha256.as_str().into(),
                recording.failed.into(),
            ]);
        }
    }

    let mut claims = Rows::of(&CLAIMS);
    for batch in batches {
        let (Some(claim), Some(record)) = (&batch.claim, &batch.record) else { continue };
        let answer = ClaimAnswer::Call { call: record.callid, leg: record.callid.first_leg() };
        let answer = serde_json::to_string(&answer)?;
        claims.add([batch.tenant.0.into(), (&claim.owner).into(), (&claim.key).into(), answer.into()]);
    }

    let mut living = Rows::of(&KEEPS);
    let mut over = Rows::of(&FORGETS);
    for fact in last_values(keeps) {
        let (tenant, kind, key) = (fact.tenant.0.into(), fact.kind.name().into(), fact.key.as_str().into());
        match &fact.value {
            Some(value) => {
                let expires = fact.expires.map(|expires| expires.as_millisecond());
                living.add([tenant, kind, key, value.into(), expires.into()]);
            }
            None => over.add([tenant, kind, key]),
        }
    }
    Ok([heads, events, records, tallies, recordings, claims, living, over])
}

impl Rows {
    fn of(part: &'static Part) -> Self {
        Self { part, columns: Vec::new(), count: 0 }
    }

    fn add<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(N, self.part.columns.split(", ").count());
        if self.columns.is_empty() {
            let of_kind = |value: &Value| match value {
                Value::Int(_) => Column::Ints(Vec::new()),
                Value::Text(_) => Column::Texts(Vec::new()),
            };
            self.columns = row.iter().map(of_kind).collect();
        }
        for (column, value) in self.columns.iter_mut().zip(row) {
            match (column, value) {
                (Column::Ints(column), Value::Int(value)) => column.push(value),
                (Column::Texts(column), Value::Text(value)) => column.push(value),
                _ => unreachable!("a column is of one kind"),
            }
        }
        self.count += 1;
    }
}

// Lengths and sizes are far below 2^63.
fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// One of the steps that a statement may have.
struct Part {
    bit: u8,
    /// The name of its rows, and of their columns.
    name: &'static str,
    columns: &'static str,
    /// What is done with them. `{1}`, `{2}` … are the arrays themselves.
    steps: &'static str,
}

// Each part's arrays become rows under its name; then come its steps. The order in which the database takes them up does
// not matter, except that events wait for the heads, which they read.
fn compose(all: &[Rows]) -> String {
    let mut text = String::from("WITH ");
    let mut bound = 0;
    let mut heads = false;
    for rows in all {
        let Part { name, columns, steps, .. } = rows.part;
        let arrays: Vec<String> = rows
            .columns
            .iter()
            .map(|column| {
                bound += 1;
                match column {
                    Column::Ints(_) => format!("${bound}::bigint[]"),
                    Column::Texts(_) => format!("${bound}::text[]"),
                }
            })
            .collect();
        let mut steps = String::from(*steps);
        for (nth, array) in arrays.iter().enumerate() {
            steps = steps.replace(&format!("{{{}}}", nth + 1), array);
        }
        if heads || bound > arrays.len() {
            text.push_str(", ");
        }
        heads |= rows.part.bit == HEADS.bit;
        let arrays = arrays.join(", ");
        write!(text, "{name} AS (SELECT * FROM unnest({arrays}) WITH ORDINALITY AS rows ({columns}, nth)), {steps}")
            .expect("writing into a string cannot fail");
    }
    text.push_str(if heads {
        " SELECT tenant, position FROM raised"
    } else {
        " SELECT 0::bigint, 0::bigint WHERE FALSE"
    });
    text
}

// A counter never goes back, whatever it was thought to be.
const HEADS: Part = Part {
    bit: 0,
    name: "counters",
    columns: "tenant, was, grown",
    steps: "raised AS (INSERT INTO heads (tenant, position) SELECT tenant, was + grown FROM counters ORDER BY tenant
        ON CONFLICT (tenant) DO UPDATE SET position =
            GREATEST(heads.position, ({2})[array_position({1}, heads.tenant)]) + ({3})[array_position({1}, heads.tenant)]
        RETURNING tenant, position),
    reached AS (SELECT array_agg(position ORDER BY tenant) AS positions, array_agg(tenant ORDER BY tenant) AS tenants
        FROM raised)",
};

const EVENTS: Part = Part {
    bit: 1,
    name: "story",
    columns: "whose, behind, behind_batch, subject, id, seq, at_ms, callid, body",
    steps: "told AS (INSERT INTO events (tenant, position, batch, subject, id, seq, at_ms, callid, body)
        SELECT (SELECT tenants FROM reached)[whose], (SELECT positions FROM reached)[whose] - behind,
            (SELECT positions FROM reached)[whose] - behind_batch, subject, id, seq, at_ms, callid, body
        FROM story)",
};

// Only what changes in the life of a call is set again: every other column would have its indexes written again too.
// A number is taken for a new call only, so that rows have no gaps.
const RECORDS: Part = Part {
    bit: 2,
    name: "calls",
    columns: "tenant, callid, direction, customer, did, src, dst, extension, status, started_ms, answered_ms, ended_ms, \
              record, kind, facts, dialled, dialler, seconds, bill_seconds, reason, trunk",
    steps: "known AS (UPDATE records SET extension = calls.extension, status = calls.status,
            answered_ms = calls.answered_ms, ended_ms = calls.ended_ms, record = calls.record, kind = calls.kind,
            facts = calls.facts, dialled = calls.dialled, dialler = calls.dialler, seconds = calls.seconds,
            bill_seconds = calls.bill_seconds, reason = calls.reason, trunk = calls.trunk
        FROM calls WHERE records.tenant = calls.tenant AND records.callid = calls.callid),
    begun AS (INSERT INTO records (tenant, callid, direction, customer, did, src, dst, extension, status, started_ms,
            answered_ms, ended_ms, record, kind, facts, dialled, dialler, seconds, bill_seconds, reason, trunk)
        SELECT tenant, callid, direction, customer, did, src, dst, extension, status, started_ms, answered_ms, ended_ms,
            record, kind, facts, dialled, dialler, seconds, bill_seconds, reason, trunk
        FROM calls WHERE NOT EXISTS (SELECT 1 FROM records
            WHERE records.tenant = calls.tenant AND records.callid = calls.callid) ORDER BY nth)",
};

const TALLIES: Part = Part {
    bit: 7,
    name: "ends",
    columns: "tenant, key, day, facts, calls",
    steps: "counted AS (INSERT INTO tallies (tenant, key, day, facts, calls)
        SELECT tenant, key, day, facts, calls FROM ends
        ON CONFLICT (tenant, key, day, facts) DO UPDATE SET calls = tallies.calls + excluded.calls)",
};

const RECORDINGS: Part = Part {
    bit: 3,
    name: "sounds",
    columns: "tenant, recording, callid, file, milliseconds, gap_milliseconds, bytes, sha256, failed",
    steps:
        "recorded AS (INSERT INTO recordings (tenant, recording, callid, file, milliseconds, gap_milliseconds, bytes,
            sha256, failed)
        SELECT tenant, recording, callid, file, milliseconds, gap_milliseconds, bytes, sha256, failed FROM sounds
        ON CONFLICT (tenant, recording) DO UPDATE SET milliseconds = excluded.milliseconds,
            gap_milliseconds = excluded.gap_milliseconds, bytes = excluded.bytes, sha256 = excluded.sha256,
            failed = excluded.failed)",
};

const CLAIMS: Part = Part {
    bit: 4,
    name: "orders",
    columns: "tenant, owner, key, answer",
    steps: "answered AS (UPDATE claims SET answer = orders.answer FROM orders
        WHERE claims.tenant = orders.tenant AND claims.owner = orders.owner AND claims.key = orders.key
            AND claims.answer IS NULL)",
};

const KEEPS: Part = Part {
    bit: 5,
    name: "living",
    columns: "tenant, kind, key, value, expires_ms",
    steps: "facts AS (INSERT INTO kept (tenant, kind, key, value, expires_ms)
        SELECT tenant, kind, key, value, expires_ms FROM living
        ON CONFLICT (tenant, kind, key) DO UPDATE SET value = excluded.value, expires_ms = excluded.expires_ms)",
};

const FORGETS: Part = Part {
    bit: 6,
    name: "past",
    columns: "tenant, kind, key",
    steps: "forgotten AS (DELETE FROM kept USING past
        WHERE kept.tenant = past.tenant AND kept.kind = past.kind AND kept.key = past.key)",
};
