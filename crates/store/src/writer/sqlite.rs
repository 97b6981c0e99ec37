//! The few statements of the writer to SQLite, each for several rows at once.
//!
//! Rows are bound without numbers (`?`): SQLite looks a numbered parameter up in a list, which is slow at some hundreds
//! of them. Only a few numbers of rows occur, so that the database has prepared every statement after a while.
//!
//! Each statement that is sent costs two changes of threads, far more than its rows. A small group, which is what a
//! quiet server has, therefore goes as one script from BEGIN to COMMIT.

use std::sync::Arc;

use model::{Batch, Event, Kept, Record, RecordingRecord, TenantId};
use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::types::Type;
use sqlx::{Arguments, AssertSqlSafe};

use super::group::{Group, Saved, counted, last_records, last_values};
use super::outcome::{Failure, Heads};
use crate::claims::ClaimAnswer;
use crate::db::{Connection, Turn};
use crate::records::facts::{Facts, KIND, Tally};
use crate::records::{direction_name, status_name};

/// Rows of one statement, largest first.
const SIZES: [usize; 10] = [64, 16, 8, 7, 6, 5, 4, 3, 2, 1];

/// A group up to this size goes as one script. Its shapes are few, so that all of them stay prepared.
const SMALL_EVENTS: usize = 8;
const SMALL_BATCHES: usize = 2;
const SMALL_KEEPS: usize = 2;

/// Statements with their values, on their way to the database.
enum Script {
    /// Each by itself, within a transaction that is open.
    Steps(Vec<Step>),
    /// All at once, with their own BEGIN and COMMIT.
    Whole { sql: String, values: Values },
}

/// A statement with its values.
struct Step {
    sql: Arc<str>,
    values: SqliteArguments,
}

impl Script {
    fn steps() -> Self {
        Self::Steps(Vec::new())
    }

    fn whole() -> Self {
        Self::Whole { sql: "BEGIN IMMEDIATE".into(), values: Values(SqliteArguments::default()) }
    }

    /// The script of a small group, finished.
    fn finish(self) -> Vec<Step> {
        match self {
            Self::Steps(steps) => steps,
            Self::Whole { sql, values } => vec![Step { sql: (sql + "; COMMIT").into(), values: values.0 }],
        }
    }

    fn add(
        &mut self,
        sql: &Arc<str>,
        put: impl FnOnce(&mut Values) -> Result<(), BoxDynError>,
    ) -> Result<(), BoxDynError> {
        match self {
            Self::Steps(steps) => {
                let mut values = Values(SqliteArguments::default());
                put(&mut values)?;
                steps.push(Step { sql: sql.clone(), values: values.0 });
                Ok(())
            }
            Self::Whole { sql: all, values } => {
                all.push_str("; ");
                all.push_str(sql);
                put(values)
            }
        }
    }
}

/// What stands before and after the rows of a statement.
struct Shape {
    before: &'static str,
    row: &'static str,
    between: &'static str,
    after: &'static str,
}

/// Statements in every size.
pub(super) struct Statements {
    events: Sized,
    records: Sized,
    late: Sized,
    tallies: Sized,
    recordings: Sized,
    heads: Sized,
    claim: Arc<str>,
    keeps: Sized,
    forgets: Sized,
}

type Sized = [Arc<str>; SIZES.len()];

impl Statements {
    pub fn new() -> Self {
        Self {
            events: EVENTS.sized(),
            records: RECORDS.sized(),
            late: LATE.sized(),
            tallies: TALLIES.sized(),
            recordings: RECORDINGS.sized(),
            heads: HEADS.sized(),
            claim: CLAIM.into(),
            keeps: KEEPS.sized(),
            forgets: FORGETS.sized(),
        }
    }

    /// Stores a whole group in a transaction of its own; `before` has the heads of its tenants.
    pub async fn store_group(&self, turn: &mut Turn, group: &Group, before: &Heads) -> Result<(), Failure> {
        let small =
            group.batches.len() <= SMALL_BATCHES && group.keeps.len() <= SMALL_KEEPS && group.events() <= SMALL_EVENTS;
        if !small {
            turn.begin().await?;
            self.store(turn, &group.batches, &group.keeps, before).await?;
            return Ok(turn.commit().await?);
        }
        let steps = self.script(Script::whole(), &group.batches, &group.keeps, before)?;
        turn.begins();
        execute(turn, steps).await?;
        turn.ends();
        Ok(())
    }

    /// Stores batches and facts within the transaction that is open.
    pub async fn store(
        &self,
        turn: &mut Turn,
        batches: &[Batch],
        keeps: &[Kept],
        before: &Heads,
    ) -> Result<(), Failure> {
        execute(turn, self.script(Script::steps(), batches, keeps, before)?).await
    }

    fn script(
        &self,
        mut script: Script,
        batches: &[Batch],
        keeps: &[Kept],
        before: &Heads,
    ) -> Result<Vec<Step>, Failure> {
        let mut heads = before.clone();
        let mut rows = Vec::new();
        for batch in batches {
            let Some(head) = heads.get_mut(&batch.tenant) else { continue };
            let last = *head + i64::try_from(batch.events.len()).unwrap_or(i64::MAX);
            rows.extend(batch.events.iter().zip(*head + 1..).map(|(event, at)| (batch.tenant, at, last, event)));
            *head = last;
        }
        let heads: Vec<(TenantId, i64)> = heads.into_iter().collect();
        let records = last_records(batches);

        self.events(&rows, &mut script)
            .and_then(|()| self.records(&records, &mut script))
            .and_then(|()| self.tallies(&counted(&records), &mut script))
            .and_then(|()| self.recordings(&records, &mut script))
            .and_then(|()| self.heads(&heads, &mut script))
            .and_then(|()| self.claims(batches, &mut script))
            .and_then(|()| self.keeps(&last_values(keeps), &mut script))
            .map_err(|error| Failure::Content(error.to_string()))?;
        Ok(script.finish())
    }

    /// Stores events: each with its tenant, its position and the last position of its batch.
    fn events(&self, events: &[(TenantId, i64, i64, &Event)], script: &mut Script) -> Result<(), BoxDynError> {
        several(script, &self.events, events, 9, |values, (tenant, position, batch, event)| {
            values.put(tenant.0)?;
            values.put(*position)?;
            values.put(*batch)?;
            values.put(event.subject.kind())?;
            values.put(event.subject.id())?;
            values.put(i64::from(event.seq))?;
            values.put(event.at.as_millisecond())?;
            values.put(event.callid.map(|callid| callid.to_string()))?;
            values.put(serde_json::to_string(event)?)
        })
    }

    /// Stores records over what was stored of the same calls.
    fn records(&self, records: &[Saved<'_>], script: &mut Script) -> Result<(), BoxDynError> {
        let (late, records): (Vec<&Saved<'_>>, Vec<&Saved<'_>>) = records.iter().partition(|saved| saved.is_late());
        several(script, &self.late, &late, 3, |values, Saved { tenant, record, .. }| {
            values.put(tenant.0)?;
            values.put(record.callid.to_string())?;
            values.put(serde_json::to_string::<Record>(record)?)
        })?;
        several(script, &self.records, &records, 21, |values, Saved { tenant, record, .. }| {
            let facts = Facts::of(record);
            values.put(tenant.0)?;
            values.put(record.callid.to_string())?;
            values.put(direction_name(record.direction))?;
            values.put(record.customer.as_str())?;
            values.put(record.did.as_ref().map(|did| did.as_str().to_owned()))?;
            values.put(record.from.number())?;
            values.put(record.to.number())?;
            values.put(record.extension.clone())?;
            values.put(status_name(record.status))?;
            values.put(record.started_at.as_millisecond())?;
            values.put(record.answered_at.map(|at| at.as_millisecond()))?;
            values.put(record.ended_at.map(|at| at.as_millisecond()))?;
            values.put(serde_json::to_string::<Record>(record)?)?;
            values.put(facts.facts & KIND)?;
            values.put(facts.facts)?;
            values.put(facts.dialled)?;
            values.put(facts.dialler)?;
            values.put(facts.seconds)?;
            values.put(facts.bill_seconds)?;
            values.put(facts.reason)?;
            values.put(facts.trunk)
        })
    }

    /// Adds calls that end to the tallies.
    fn tallies(&self, tallies: &[(Tally, i64)], script: &mut Script) -> Result<(), BoxDynError> {
        several(script, &self.tallies, tallies, 5, |values, (tally, calls)| {
            values.put(tally.tenant.0)?;
            values.put(tally.key.as_str())?;
            values.put(tally.day)?;
            values.put(tally.facts)?;
            values.put(*calls)
        })
    }

    /// Stores the recordings of calls over what was stored of them.
    fn recordings(&self, records: &[Saved<'_>], script: &mut Script) -> Result<(), BoxDynError> {
        let recordings: Vec<(TenantId, &Record, &RecordingRecord)> = records
            .iter()
            .filter(|saved| saved.with_recordings)
            .flat_map(|saved| saved.record.recordings.iter().map(|recording| (saved.tenant, saved.record, recording)))
            .collect();
        several(script, &self.recordings, &recordings, 9, |values, (tenant, record, recording)| {
            values.put(tenant.0)?;
            values.put(recording.recording.to_string())?;
            values.put(record.callid.to_string())?;
            values.put(recording.file.as_str())?;
            values.put(recording.milliseconds.map(whole))?;
            values.put(whole(recording.gap_milliseconds))?;
            values.put(whole(recording.bytes))?;
            values.put(recording.sha256.as_str())?;
            values.put(i64::from(recording.failed))
        })
    }

    /// Stores the last position of tenants' stories.
    fn heads(&self, heads: &[(TenantId, i64)], script: &mut Script) -> Result<(), BoxDynError> {
        several(script, &self.heads, heads, 2, |values, (tenant, position)| {
            values.put(tenant.0)?;
            values.put(*position)
        })
    }

    /// Stores calls as the answers to the claims that ordered them.
    fn claims(&self, batches: &[Batch], script: &mut Script) -> Result<(), BoxDynError> {
        for batch in batches {
            let (Some(claim), Some(record)) = (&batch.claim, &batch.record) else { continue };
            let answer = ClaimAnswer::Call { call: record.callid, leg: record.callid.first_leg() };
            script.add(&self.claim, |values| {
                values.put(serde_json::to_string(&answer)?)?;
                values.put(batch.tenant.0)?;
                values.put(claim.owner.clone())?;
                values.put(claim.key.clone())
            })?;
        }
        Ok(())
    }

    /// Stores live facts, and forgets those that are over.
    fn keeps(&self, keeps: &[&Kept], script: &mut Script) -> Result<(), BoxDynError> {
        let (living, over): (Vec<&Kept>, Vec<&Kept>) = keeps.iter().partition(|kept| kept.value.is_some());
        several(script, &self.keeps, &living, 5, |values, kept| {
            values.put(kept.tenant.0)?;
            values.put(kept.kind.name())?;
            values.put(kept.key.as_str())?;
            values.put(kept.value.clone())?;
            values.put(kept.expires.map(|expires| expires.as_millisecond()))
        })?;
        several(script, &self.forgets, &over, 3, |values, kept| {
            values.put(kept.tenant.0)?;
            values.put(kept.kind.name())?;
            values.put(kept.key.as_str())
        })
    }
}

async fn execute(turn: &mut Turn, steps: Vec<Step>) -> Result<(), Failure> {
    let Connection::Sqlite(connection) = turn.connection() else {
        unreachable!("a statement of SQLite's goes to SQLite")
    };
    for step in steps {
        sqlx::query_with(AssertSqlSafe(step.sql), step.values).execute(&mut *connection).await?;
    }
    Ok(())
}

fn several<T>(
    script: &mut Script,
    statements: &Sized,
    mut rows: &[T],
    columns: usize,
    mut put: impl FnMut(&mut Values, &T) -> Result<(), BoxDynError>,
) -> Result<(), BoxDynError> {
    while let Some(place) = SIZES.iter().position(|size| *size <= rows.len()) {
        let (now, later) = rows.split_at(SIZES[place]);
        script.add(&statements[place], |values| {
            values.0.reserve(now.len() * columns, 0);
            now.iter().try_for_each(|row| put(values, row))
        })?;
        rows = later;
    }
    Ok(())
}

/// What is bound, in the order of the question marks.
struct Values(SqliteArguments);

impl Values {
    fn put<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> Result<(), BoxDynError> {
        self.0.add(value)
    }
}

// Lengths and sizes are far below 2^63.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Shape {
    fn sized(&self) -> Sized {
        SIZES.map(|size| {
            let rows = vec![self.row; size].join(self.between);
            format!("{}{rows}{}", self.before, self.after).into()
        })
    }
}

const EVENTS: Shape = Shape {
    before: "INSERT INTO events (tenant, position, batch, subject, id, seq, at_ms, callid, body) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    between: ", ",
    after: "",
};

// Only what changes in the life of a call is set again: every other column would have its indexes written again too.
const RECORDS: Shape = Shape {
    before: "INSERT INTO records (tenant, callid, direction, customer, did, src, dst, extension, status, started_ms, \
             answered_ms, ended_ms, record, kind, facts, dialled, dialler, seconds, bill_seconds, reason, trunk) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    between: ", ",
    after: " ON CONFLICT (tenant, callid) DO UPDATE SET extension = excluded.extension, status = excluded.status, \
            answered_ms = excluded.answered_ms, ended_ms = excluded.ended_ms, record = excluded.record, \
            kind = excluded.kind, facts = excluded.facts, dialled = excluded.dialled, dialler = excluded.dialler, \
            seconds = excluded.seconds, bill_seconds = excluded.bill_seconds, reason = excluded.reason, \
            trunk = excluded.trunk",
};

// Of a call that is over nothing changes that an index has.
const LATE: Shape = Shape {
    before: "UPDATE records SET record = late.column3 FROM (VALUES ",
    row: "(?, ?, ?)",
    between: ", ",
    after: ") AS late WHERE tenant = late.column1 AND callid = late.column2",
};

const TALLIES: Shape = Shape {
    before: "INSERT INTO tallies (tenant, key, day, facts, calls) VALUES ",
    row: "(?, ?, ?, ?, ?)",
    between: ", ",
    after: " ON CONFLICT (tenant, key, day, facts) DO UPDATE SET calls = tallies.calls + excluded.calls",
};

const RECORDINGS: Shape = Shape {
    before: "INSERT INTO recordings (tenant, recording, callid, file, milliseconds, gap_milliseconds, bytes, sha256, \
             failed) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    between: ", ",
    after: " ON CONFLICT (tenant, recording) DO UPDATE SET milliseconds = excluded.milliseconds, \
            gap_milliseconds = excluded.gap_milliseconds, bytes = excluded.bytes, sha256 = excluded.sha256, \
            failed = excluded.failed",
};

const HEADS: Shape = Shape {
    before: "INSERT INTO heads (tenant, position) VALUES ",
    row: "(?, ?)",
    between: ", ",
    after: " ON CONFLICT (tenant) DO UPDATE SET position = excluded.position",
};

const KEEPS: Shape = Shape {
    before: "INSERT INTO kept (tenant, kind, key, value, expires_ms) VALUES ",
    row: "(?, ?, ?, ?, ?)",
    between: ", ",
    after: " ON CONFLICT (tenant, kind, key) DO UPDATE SET value = excluded.value, expires_ms = excluded.expires_ms",
};

const CLAIM: &str = "UPDATE claims SET answer = ? WHERE tenant = ? AND owner = ? AND key = ? AND answer IS NULL";

// Rows joined by OR are looked up one by one; a list of rows after IN would walk through the table.
const FORGETS: Shape = Shape {
    before: "DELETE FROM kept WHERE ",
    row: "(tenant = ? AND kind = ? AND key = ?)",
    between: " OR ",
    after: "",
};
