//! A tenant's records: one by its callid, or pages of them, newest first, by what people search for.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use model::{CallId, Direction, Record, Status, Timestamp};

use crate::db::Sql;
use crate::{StoreError, TenantStore};

/// The most rows of a page.
const MOST: u32 = 1_000;

/// A tenant's records.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    pub(crate) tenant: &'a TenantStore,
}

/// A record with its row number.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordRow {
    /// A whole number for clients that want one; grows in the order in which calls were accepted.
    pub row: i64,
    /// The record.
    pub record: Record,
}

/// Which records are asked for. What is None does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecordFilter {
    /// Live ones, ended ones, or both.
    pub state: RecordState,
    /// What newest means.
    pub order: RecordOrder,
    /// Ended at this moment or later.
    pub ended_since: Option<Timestamp>,
    /// Ended before this moment.
    pub ended_before: Option<Timestamp>,
    /// Started at this moment or later.
    pub started_since: Option<Timestamp>,
    /// Started before this moment.
    pub started_before: Option<Timestamp>,
    /// This call.
    pub callid: Option<CallId>,
    /// The company's side.
    pub extension: Option<String>,
    /// The other side, in any form of the number.
    pub customer: Option<String>,
    /// The tenant's number, in any form.
    pub did: Option<String>,
    /// Who called, in any form of the number.
    pub source: Option<String>,
    /// Who was called, in any form of the number.
    pub destination: Option<String>,
    /// Extension, customer or the tenant's number, in any form.
    pub search: Option<String>,
    /// Which way.
    pub direction: Option<Direction>,
    /// How it came out.
    pub status: Option<Status>,
}

/// Whether calls that are not over count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RecordState {
    /// Calls that are over.
    #[default]
    Ended,
    /// Calls that are not.
    Live,
    /// All of them; always in the order of their start.
    Any,
}

/// What newest means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RecordOrder {
    /// The latest end; live calls have none and go by their start.
    #[default]
    Ended,
    /// The latest start.
    Started,
}

/// A page of records, newest first.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordPage {
    /// The rows.
    pub rows: Vec<RecordRow>,
    /// Where the next, older page begins; None after the last.
    pub next: Option<RecordCursor>,
    /// Where the page before, a newer one, begins; None on the first.
    pub prev: Option<RecordCursor>,
}

/// A place in a list of records. Opaque to clients: printed with `Display`, read with `FromStr`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordCursor {
    /// Milliseconds since 1970 of the row beside the place.
    at: i64,
    /// Its row number.
    row: i64,
    /// Whether the page lies before the place, towards newer rows.
    newer: bool,
}

/// A cursor that this server did not print.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the cursor is not one of this list: begin again without it")]
pub struct BadCursor;

impl Records<'_> {
    /// One record; None if the tenant has no such call.
    pub async fn get(&self, callid: CallId) -> Result<Option<RecordRow>, StoreError> {
        let sql = Sql::new("SELECT id, record FROM records WHERE tenant = $1 AND callid = $2")
            .with(self.tenant.id.0)
            .with(callid.to_string());
        let row = self.tenant.db.fetch_optional(sql).await.map_err(StoreError::while_doing("reading a record"))?;
        row.map(parse).transpose()
    }

    /// A page of up to `size` records (at most 1 000), newest first. Without a cursor the first one.
    pub async fn list(
        &self,
        filter: &RecordFilter,
        cursor: Option<RecordCursor>,
        size: u32,
    ) -> Result<RecordPage, StoreError> {
        let size = size.clamp(1, MOST);
        let newer = cursor.is_some_and(|cursor| cursor.newer);
        let at = filter.column();
        let mut query = Sql::new("SELECT id, record, ").push(at).push(" FROM records");
        query = self.push_conditions(query, filter).await?;
        if let Some(cursor) = cursor {
            query = query.push(&format!(" AND ({at}, id) {} (", if newer { ">" } else { "<" }));
            query = query.bind(cursor.at).push(", ").bind(cursor.row).push(")");
        }
        let direction = if newer { "ASC" } else { "DESC" };
        query = query.push(&format!(" ORDER BY {at} {direction}, id {direction} LIMIT ")).bind(i64::from(size) + 1);
        let mut found: Vec<(i64, String, i64)> =
            self.tenant.db.fetch_all(query).await.map_err(StoreError::while_doing("reading records"))?;

        let more = found.len() > size as usize;
        found.truncate(size as usize);
        if newer {
            found.reverse();
        }
        let place = |row: &(i64, String, i64), newer| RecordCursor { at: row.2, row: row.0, newer };
        let older_exist = if newer { cursor.is_some() } else { more };
        let newer_exist = if newer { more } else { cursor.is_some() };
        Ok(RecordPage {
            next: found.last().filter(|_| older_exist).map(|row| place(row, false)),
            prev: found.first().filter(|_| newer_exist).map(|row| place(row, true)),
            rows: found.into_iter().map(|(id, record, _)| parse((id, record))).collect::<Result<_, _>>()?,
        })
    }

    /// How many records the filter meets, on all pages.
    pub async fn count(&self, filter: &RecordFilter) -> Result<u64, StoreError> {
        let query = self.push_conditions(Sql::new("SELECT COUNT(*) FROM records"), filter).await?;
        let count = self.tenant.db.fetch_scalar::<i64>(query).await;
        Ok(count.map_err(StoreError::while_doing("counting records"))?.unwrap_or_default().unsigned_abs())
    }

    async fn push_conditions(&self, query: Sql, filter: &RecordFilter) -> Result<Sql, StoreError> {
        let mut query = query.push(" WHERE tenant = ").bind(self.tenant.id.0);
        match filter.state {
            RecordState::Ended => query = query.push(" AND ended_ms IS NOT NULL"),
            RecordState::Live => query = query.push(" AND ended_ms IS NULL"),
            RecordState::Any => {}
        }
        let moments = [
            (" AND ended_ms >= ", filter.ended_since),
            (" AND ended_ms < ", filter.ended_before),
            (" AND started_ms >= ", filter.started_since),
            (" AND started_ms < ", filter.started_before),
        ];
        for (condition, moment) in moments {
            if let Some(moment) = moment {
                query = query.push(condition).bind(moment.as_millisecond());
            }
        }
        let words = [
            (" AND callid = ", filter.callid.map(|callid| callid.to_string())),
            (" AND extension = ", filter.extension.clone()),
            (" AND direction = ", filter.direction.map(|direction| direction_name(direction).to_owned())),
            (" AND status = ", filter.status.map(|status| status_name(status).to_owned())),
        ];
        for (condition, word) in words {
            if let Some(word) = word {
                query = query.push(condition).bind(word);
            }
        }
        let phones = [
            ("customer", &filter.customer),
            ("did", &filter.did),
            ("src", &filter.source),
            ("dst", &filter.destination),
        ];
        for (column, phone) in phones {
            if let Some(phone) = phone {
                query = push_list(query.push(" AND ").push(column), &self.tenant.forms(phone).await?);
            }
        }
        if let Some(text) = &filter.search {
            let forms = self.tenant.forms(text).await?;
            if self.tenant.has_number(&forms).await? {
                // Most calls have one of the tenant's few numbers, so the newest of them are soon found without an index.
                query = push_list(query.push(" AND (did"), &forms);
                query = push_list(query.push(" OR customer"), &forms).push(")");
            } else {
                query = query
                    .push(" AND id IN (SELECT id FROM records WHERE ended_ms IS NOT NULL AND tenant = ")
                    .bind(self.tenant.id.0)
                    .push(" AND extension = ")
                    .bind(text.trim())
                    .push(" UNION SELECT id FROM records WHERE ended_ms IS NULL AND tenant = ")
                    .bind(self.tenant.id.0)
                    .push(" AND extension = ")
                    .bind(text.trim())
                    .push(" UNION SELECT id FROM records WHERE tenant = ")
                    .bind(self.tenant.id.0)
                    .push(" AND customer");
                query = push_list(query, &forms).push(")");
            }
        }
        Ok(query)
    }
}

impl RecordFilter {
    fn column(&self) -> &'static str {
        match (self.state, self.order) {
            (RecordState::Ended, RecordOrder::Ended) => "ended_ms",
            _ => "started_ms",
        }
    }
}

fn push_list(query: Sql, values: &[String]) -> Sql {
    query.push(" IN (").bind_list(values).push(")")
}

pub(crate) fn parse((row, record): (i64, String)) -> Result<RecordRow, StoreError> {
    let record = serde_json::from_str(&record).map_err(StoreError::unreadable(format!("record {row}")))?;
    Ok(RecordRow { row, record })
}

/// The word for a direction in the store; the same as in JSON.
pub(crate) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Local => "local",
    }
}

/// The word for a status in the store; the same as in JSON.
pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Answered => "answered",
        Status::NoAnswer => "no_answer",
        Status::Busy => "busy",
        Status::Failed => "failed",
        Status::Missed => "missed",
    }
}

impl fmt::Display for RecordCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.newer { 'n' } else { 'o' };
        f.write_str(&BASE64.encode(format!("{side}{}.{}", self.at, self.row)))
    }
}

impl FromStr for RecordCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let bytes = BASE64.decode(text).map_err(|_| BadCursor)?;
        let text = String::from_utf8(bytes).map_err(|_| BadCursor)?;
        let newer = match text.chars().next() {
            Some('n') => true,
            Some('o') => false,
            _ => return Err(BadCursor),
        };
        let (at, row) = text[1..].split_once('.').ok_or(BadCursor)?;
        Ok(Self { at: at.parse().map_err(|_| BadCursor)?, row: row.parse().map_err(|_| BadCursor)?, newer })
    }
}
