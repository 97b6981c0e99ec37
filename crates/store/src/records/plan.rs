//! How a search is carried out: by which index, and what is left to look at in each row.
//!
//! The database's planner has no choice to make. It would weigh a customer of ten calls against one of a million by what
//! it remembers of all customers; so each index has a condition of its own ([`Column::token`]), and a query names one.

use model::Timestamp;

use super::facts::{self, Column, Mask};
use super::filter::{RecordFilter, RecordOrder, RecordState};
use super::numbers::{self, Alternative};
use crate::TenantStore;
use crate::db::{Kind, Sql, Transaction, Value};

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

/// What is asked of a call besides the way to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    state: RecordState,
    pub mask: Mask,
    pub numbers: Vec<Vec<Alternative>>,
    ended_since: Option<i64>,
    ended_before: Option<i64>,
    seconds: (Option<i64>, Option<i64>),
    bill_seconds: (Option<i64>, Option<i64>),
    reason: Option<&'static str>,
    trunk: Option<String>,
}

impl Plan {
    /// Chooses, and compares numbers where there are several.
    pub async fn of(filter: &RecordFilter, tenant: &TenantStore, read: &mut Transaction) -> Result<Self, sqlx::Error> {
        let millisecond = |moment: Option<Timestamp>| moment.map(|moment| moment.as_millisecond());
        let by = filter.goes_by();
        let (ended_since, ended_before) = (millisecond(filter.ended_since), millisecond(filter.ended_before));
        let (since, before) = match by {
            RecordOrder::Ended => (ended_since, ended_before),
            // Nothing ends before it starts.
            RecordOrder::Started => {
                let (started, ended) = (millisecond(filter.started_before), ended_before);
                (millisecond(filter.started_since), [started, ended].into_iter().flatten().min())
            }
        };
        let mut plan = Self {
            tenant: tenant.id.0,
            by,
            since,
            before,
            ways: Vec::new(),
            live: filter.state != RecordState::Ended,
            conditions: Conditions {
                state: filter.state,
                mask: Mask::of(filter.direction, filter.status, filter.recorded),
                numbers: numbers::numbers(filter, tenant, read).await?,
                ended_since: ended_since.filter(|_| by == RecordOrder::Started),
                ended_before: ended_before.filter(|_| by == RecordOrder::Started),
                seconds: (filter.duration_at_least, filter.duration_at_most),
                bill_seconds: (filter.bill_at_least, filter.bill_at_most),
                reason: filter.reason.map(|reason| reason.code()),
                trunk: filter.trunk.clone(),
            },
        };
        if let Some(call) = filter.callid {
            plan.ways = vec![Way::Call(call.to_string())];
            plan.live = false;
        } else if by == RecordOrder::Ended {
            plan.ways = vec![Way::End];
        } else if filter.state != RecordState::Live {
            plan.ways = if plan.conditions.numbers.is_empty() {
                let kinds = facts::kinds(filter.direction, filter.status).into_iter().map(Value::from).collect();
                vec![Way::Column(Indexed::of(Column::Kind, kinds, Mask::default()))]
            } else {
                numbers::ways(&plan, read).await?
            };
        }
        Ok(plan)
    }

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
    fn is_covered_by(&self, column: Column) -> bool {
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
