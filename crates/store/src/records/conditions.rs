//! What is asked of a call, as SQL.

use super::facts::{Column, Mask};
use super::filter::RecordState;
use crate::db::{Sql, Value};

/// What is asked of a call besides the way to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    pub state: RecordState,
    pub mask: Mask,
    pub numbers: Vec<Vec<Alternative>>,
    pub ended_since: Option<i64>,
    pub ended_before: Option<i64>,
    pub seconds: (Option<i64>, Option<i64>),
    pub bill_seconds: (Option<i64>, Option<i64>),
    pub reason: Option<&'static str>,
    pub trunk: Option<String>,
}

/// A number where it may stand.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    pub column: Column,
    pub values: Vec<String>,
    pub mask: Mask,
}

impl Conditions {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.is_few_valued() && self.mask.bits == 0
    }

    /// Whether nothing is asked but what `facts` say.
    pub fn is_few_valued(&self) -> bool {
        self.asks_only_facts() && self.numbers.is_empty()
    }

    /// Whether nothing is asked but what `facts` say, and numbers.
    pub fn asks_only_facts(&self) -> bool {
        self.asks_no_row() && self.seconds == (None, None) && self.bill_seconds == (None, None)
    }

    /// Whether the index of a column has all that is asked.
    pub fn is_covered_by(&self, column: Column) -> bool {
        let has = |alternative: &Alternative| column.carries().contains(&alternative.column);
        self.asks_no_row() && self.numbers.iter().flatten().all(has)
    }

    /// Whether nothing is asked that no index has.
    fn asks_no_row(&self) -> bool {
        self.state == RecordState::Any
            && self.ended_since.is_none()
            && self.ended_before.is_none()
            && self.reason.is_none()
            && self.trunk.is_none()
    }

    /// The columns that are asked about, after a comma.
    pub fn columns(&self) -> String {
        let mut columns = String::new();
        let mut add = |asked: bool, names: &str| columns.push_str(if asked { names } else { "" });
        add(self.mask.bits != 0 || !self.numbers.is_empty(), ", facts");
        add(self.seconds != (None, None), ", seconds");
        add(self.bill_seconds != (None, None), ", bill_seconds");
        add(self.state != RecordState::Any || self.ended_since.is_some() || self.ended_before.is_some(), ", ended_ms");
        add(self.reason.is_some(), ", reason");
        add(self.trunk.is_some(), ", trunk");
        for column in [Column::Extension, Column::Customer, Column::Did, Column::Dialled, Column::Dialler] {
            let asked = self.numbers.iter().flatten().any(|alternative| alternative.column == column);
            add(asked, &format!(", {}", column.name()));
        }
        columns
    }

    /// Goes on with everything that is asked, after a `WHERE` that has something already.
    pub fn push(&self, mut sql: Sql) -> Sql {
        sql = match self.state {
            RecordState::Any => sql,
            RecordState::Ended => sql.push(" AND ended_ms IS NOT NULL"),
            RecordState::Live => sql.push(" AND ended_ms IS NULL"),
        };
        sql = push_mask(sql, self.mask);
        sql = push_range(sql, "ended_ms", self.ended_since, self.ended_before);
        for (column, (least, most)) in [("seconds", self.seconds), ("bill_seconds", self.bill_seconds)] {
            if let Some(least) = least {
                sql = sql.push(" AND ").push(column).push(" >= ").bind(least);
            }
            if let Some(most) = most {
                sql = sql.push(" AND ").push(column).push(" <= ").bind(most);
            }
        }
        if let Some(reason) = self.reason {
            sql = sql.push(" AND reason = ").bind(reason);
        }
        if let Some(trunk) = &self.trunk {
            sql = sql.push(" AND trunk = ").bind(trunk);
        }
        for number in &self.numbers {
            for (nth, Alternative { column, values, mask }) in number.iter().enumerate() {
                sql = sql.push(if nth == 0 { " AND ((" } else { " OR (" }).push(column.name());
                let values: Vec<Value> = values.iter().map(Value::from).collect();
                sql = push_mask(push_values(sql, &values), *mask).push(")");
            }
            sql = sql.push(")");
        }
        sql
    }
}

pub(super) fn push_range(mut sql: Sql, column: &str, since: Option<i64>, before: Option<i64>) -> Sql {
    if let Some(since) = since {
        sql = sql.push(" AND ").push(column).push(" >= ").bind(since);
    }
    if let Some(before) = before {
        sql = sql.push(" AND ").push(column).push(" < ").bind(before);
    }
    sql
}

pub(super) fn push_mask(sql: Sql, mask: Mask) -> Sql {
    if mask.bits == 0 {
        return sql;
    }
    // Our own numbers: as text they leave the planner nothing to guess.
    sql.push(&format!(" AND (facts & {}) = {}", mask.bits, mask.values))
}

pub(super) fn push_values(sql: Sql, values: &[Value]) -> Sql {
    match values {
        [value] => sql.push(" = ").bind(value.clone()),
        values => sql.push(" IN (").bind_list(values.iter().cloned()).push(")"),
    }
}
