//! How a search is carried out: by which index, and what is left to look at in each row.
//!
//! The database's planner has no choice to make. It would weigh a customer of ten calls against one of a million by what
//! it remembers of all customers; so each index has a condition of its own ([`Column::token`]), and a query names one.

use super::conditions::{Alternative, Conditions, push_mask, push_range, push_values};
use super::facts::{self, Column, Mask};
use super::filter::{RecordOrder, RecordState};
use crate::db::{Kind, Sql, Value};

/// Rows that one request looks at in one index, at most: beside their entries, or in the rows themselves.
pub(super) const ENTRIES: i64 = 20_000;
const ROWS: i64 = 4_000;
/// A way to more calls than these is a way to many.
const MANY: i64 = 500;

/// A search, ready to be asked.
pub(super) struct Plan {
    pub tenant: i64,
    /// What the list goes by.
    pub by: RecordOrder,
    /// Of that moment: since, and before.
    pub since: Option<i64>,
    pub before: Option<i64>,
    /// Where calls that are over are looked for.
    pub ways: Vec<Way>,
    /// Whether live calls are looked for, too.
    pub live: bool,
    /// What every call has to fulfil that the way to it does not promise.
    pub conditions: Conditions,
}

/// One index, and the values looked for in it.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// A column's index of calls that are over.
    Column(Indexed),
    /// The index of ends.
    End,
    /// The one call with this id, live or over.
    Call(String),
}

/// What is looked for in a column's index.
#[derive(Clone, Debug)]
pub(super) struct Indexed {
    pub column: Column,
    /// One of these stands in the column.
    pub values: Vec<Value>,
    pub mask: Mask,
    /// What stands in other columns at the same time.
    pub beside: Vec<(Column, Vec<String>)>,
    /// How many calls have such a value, as far as that was asked.
    pub calls: i64,
}

impl Plan {
    /// Goes on with the table, its index and what the way promises.
    pub fn through(&self, sql: Sql, way: &Way, kind: Kind) -> Sql {
        let by = |sql: Sql, index: &str| match kind {
            Kind::Sqlite => sql.push(" FROM records INDEXED BY ").push(index),
            Kind::Postgres => sql.push(" FROM records"),
        };
        match way {
            Way::Column(Indexed { column, values, mask, .. }) => {
                let sql = by(sql, column.index()).push(" WHERE tenant = ").bind(self.tenant);
                let sql = sql.push(" AND ").push(column.token()).push(" AND ").push(column.name());
                push_mask(push_values(sql, values), *mask)
            }
            Way::End => {
                by(sql, "records_by_end").push(" WHERE tenant = ").bind(self.tenant).push(" AND ended_ms IS NOT NULL")
            }
            Way::Call(call) => {
                let sql = sql.push(" FROM records WHERE tenant = ").bind(self.tenant);
                sql.push(" AND callid = ").bind(call)
            }
        }
    }

    /// Goes on with the live calls.
    pub fn through_live(&self, sql: Sql, kind: Kind) -> Sql {
        let sql = match kind {
            Kind::Sqlite => sql.push(" FROM records INDEXED BY records_live"),
            Kind::Postgres => sql.push(" FROM records"),
        };
        sql.push(" WHERE tenant = ").bind(self.tenant).push(" AND ended_ms IS NULL")
    }

    /// Goes on with the range of moments.
    pub fn in_range(&self, sql: Sql) -> Sql {
        push_range(sql, self.at(), self.since, self.before)
    }

    /// The column that the list goes by.
    pub fn at(&self) -> &'static str {
        match self.by {
            RecordOrder::Ended => "ended_ms",
            RecordOrder::Started => "started_ms",
        }
    }

    /// How many entries of a way may be looked at; None: the way promises all that is asked, so that each one counts.
    pub fn budget(&self, way: &Way) -> Option<i64> {
        let left = self.left(way);
        match way {
            // There is one such call.
            Way::Call(_) => None,
            _ if left.is_empty() => None,
            Way::Column(way) if left.is_covered_by(way.column) => Some(ENTRIES),
            Way::End if left.is_covered_by(Column::Kind) => Some(ENTRIES),
            _ => Some(ROWS),
        }
    }

    /// Whether the index of a way has all that is asked.
    pub fn is_covered(&self, way: &Indexed) -> bool {
        self.left_of(way).is_covered_by(way.column)
    }

    /// What is left to look at on a way.
    pub fn left(&self, way: &Way) -> Conditions {
        match way {
            Way::Column(indexed) => self.left_of(indexed),
            Way::End => Conditions { state: RecordState::Any, ..self.conditions.clone() },
            Way::Call(_) => self.conditions.clone(),
        }
    }

    /// What is left to look at in a column's index.
    pub fn left_of(&self, way: &Indexed) -> Conditions {
        let mut mask = self.conditions.mask;
        if way.column == Column::Kind {
            mask.bits &= !facts::KIND;
            mask.values &= !facts::KIND;
        }
        let beside = way.beside.iter().map(|(column, values)| {
            vec![Alternative { column: *column, values: values.clone(), mask: Mask::default() }]
        });
        Conditions { state: RecordState::Any, mask, numbers: beside.collect(), ..self.conditions.clone() }
    }
}

impl Indexed {
    /// Calls with one of these values.
    pub fn of(column: Column, values: Vec<Value>, mask: Mask) -> Self {
        Self { column, values, mask, beside: Vec::new(), calls: 0 }
    }

    /// Whether it leads to many calls.
    pub fn is_many(&self) -> bool {
        self.calls > MANY
    }
}
