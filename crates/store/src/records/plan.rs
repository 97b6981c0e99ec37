//! How a search is carried out: by which index, and what is left to look at in each row.
//!
//! The database's planner has no choice to make. It would weigh a customer of ten calls against one of a million by what
//! it remembers of all customers; so each index has a condition of its own ([`Column::token`]), and a query names one.

use model::Timestamp;

use super::facts::{self, Column, Mask};
use super::filter::{RecordFilter, RecordOrder, RecordState};
use crate::TenantStore;
use crate::db::{Kind, Sql, Transaction, Value};

/// How many rows of a number are counted to choose between two of them.
const WEIGHED: i64 = 5_000;

/// Rows that one request looks at in one index, at most: beside their entries, or in the rows themselves.
pub(super) const ENTRIES: i64 = 20_000;
const ROWS: i64 = 4_000;

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
    /// The number that `ways` go by, if they do: its place in the conditions.
    pub driver: Option<usize>,
}

/// One index, and the values looked for in it.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// A column's index of calls that are over.
    Column { column: Column, values: Vec<Value>, mask: Mask },
    /// The index of ends.
    End,
    /// The one call with this id, live or over.
    Call(String),
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

/// A number where it may stand.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    pub column: Column,
    pub values: Vec<String>,
    pub mask: Mask,
    /// Calls that are over with it, as far as they were counted.
    weight: i64,
}

impl Plan {
    /// Chooses, and weighs numbers against each other where there are several.
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
                numbers: numbers(filter, tenant, read).await?,
                ended_since: ended_since.filter(|_| by == RecordOrder::Started),
                ended_before: ended_before.filter(|_| by == RecordOrder::Started),
                seconds: (filter.duration_at_least, filter.duration_at_most),
                bill_seconds: (filter.bill_at_least, filter.bill_at_most),
                reason: filter.reason.map(|reason| reason.code()),
                trunk: filter.trunk.clone(),
            },
            driver: None,
        };
        if let Some(call) = filter.callid {
            plan.ways = vec![Way::Call(call.to_string())];
            plan.live = false;
        } else if by == RecordOrder::Ended {
            plan.ways = vec![Way::End];
        } else if filter.state != RecordState::Live {
            plan.weigh(read).await?;
            plan.driver = plan.lightest();
            plan.ways = match plan.driver {
                Some(driver) => plan.conditions.numbers[driver].iter().map(|one| one.way(one.mask)).collect(),
                None => vec![Way::Column {
                    column: Column::Kind,
                    values: facts::kinds(filter.direction, filter.status).into_iter().map(Value::from).collect(),
                    mask: Mask::default(),
                }],
            };
        }
        Ok(plan)
    }

    /// Counts the calls of each number where it may stand, as far as that matters, and forgets where there are none.
    async fn weigh(&mut self, read: &mut Transaction) -> Result<(), sqlx::Error> {
        let enough = if self.conditions.numbers.len() > 1 { WEIGHED } else { 1 };
        let mut sql = Sql::new("");
        let mut nth = 0_i64;
        for alternative in self.conditions.numbers.iter().flatten() {
            sql = sql.push(if nth > 0 { " UNION ALL SELECT " } else { "SELECT " });
            sql = sql.push(&format!("CAST({nth} AS BIGINT), COUNT(*) FROM (SELECT 1 AS one"));
            sql = self.through(sql, &alternative.way(Mask::default()), read.kind());
            sql = self.in_range(sql).push(" LIMIT ").bind(enough).push(&format!(") AS n{nth}"));
            nth += 1;
        }
        if nth == 0 {
            return Ok(());
        }
        let mut weights: Vec<(i64, i64)> = read.fetch_all(sql).await?;
        weights.sort_unstable();
        let mut weights = weights.into_iter().map(|(_, weight)| weight);
        for alternative in self.conditions.numbers.iter_mut().flatten() {
            alternative.weight = weights.next().unwrap_or(enough);
            // Where there are many, the tallies know how many.
            if alternative.weight == WEIGHED {
                alternative.weight = tallied(self.tenant, alternative, Mask::default(), read).await?.unwrap_or(WEIGHED);
            }
            // And whether there is any of the direction and status that are asked for.
            let mask = alternative.mask.and(self.conditions.mask);
            if alternative.weight > 0
                && mask.bits != 0
                && tallied(self.tenant, alternative, mask, read).await? == Some(0)
            {
                alternative.weight = 0;
            }
        }
        // Live calls stand in none of these indexes.
        if !self.live {
            for number in &mut self.conditions.numbers {
                number.retain(|alternative| alternative.weight > 0);
            }
        }
        Ok(())
    }

    fn lightest(&self) -> Option<usize> {
        let weight = |number: &Vec<Alternative>| number.iter().map(|alternative| alternative.weight).sum::<i64>();
        (0..self.conditions.numbers.len()).min_by_key(|place| weight(&self.conditions.numbers[*place]))
    }

    /// Goes on with the table, its index and what the way promises.
    pub fn through(&self, sql: Sql, way: &Way, kind: Kind) -> Sql {
        let by = |sql: Sql, index: &str| match kind {
            Kind::Sqlite => sql.push(" FROM records INDEXED BY ").push(index),
            Kind::Postgres => sql.push(" FROM records"),
        };
        match way {
            Way::Column { column, values, mask } => {
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
            Way::Column { column, .. } if left.is_covered_by(*column) => Some(ENTRIES),
            Way::End if left.is_covered_by(Column::Kind) => Some(ENTRIES),
            _ => Some(ROWS),
        }
    }

    /// What is left to look at on this way.
    pub fn left(&self, way: &Way) -> Conditions {
        let mut left = self.conditions.clone();
        if let Way::Column { column, .. } = way {
            if *column == Column::Kind {
                left.mask.bits &= !facts::KIND;
                left.mask.values &= !facts::KIND;
            }
            if let Some(driver) = self.driver {
                left.numbers.remove(driver);
            }
        }
        if !matches!(way, Way::Call(_)) {
            left.state = RecordState::Any;
        }
        left
    }
}

impl Conditions {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.is_few_valued() && self.mask.bits == 0
    }

    /// Whether nothing is asked but what `facts` say.
    pub fn is_few_valued(&self) -> bool {
        self.is_covered_by(Column::Kind)
            && self.seconds == (None, None)
            && self.bill_seconds == (None, None)
            && self.numbers.is_empty()
    }

    /// Whether the index of a column has all that is asked.
    fn is_covered_by(&self, column: Column) -> bool {
        let has = |alternative: &Alternative| column == Column::Extension && alternative.column == Column::Did;
        self.state == RecordState::Any
            && self.ended_since.is_none()
            && self.ended_before.is_none()
            && self.reason.is_none()
            && self.trunk.is_none()
            && self.numbers.iter().flatten().all(has)
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
            if number.is_empty() {
                sql = sql.push(" AND 1 = 0");
                continue;
            }
            for (nth, Alternative { column, values, mask, .. }) in number.iter().enumerate() {
                sql = sql.push(if nth == 0 { " AND ((" } else { " OR (" }).push(column.name());
                let values: Vec<Value> = values.iter().map(Value::from).collect();
                sql = push_mask(push_values(sql, &values), *mask).push(")");
            }
            sql = sql.push(")");
        }
        sql
    }
}

impl Alternative {
    fn way(&self, mask: Mask) -> Way {
        let values = self.values.iter().map(Value::from).collect();
        Way::Column { column: self.column, values, mask }
    }
}

/// How many calls that are over, and have such facts, have a number where it may stand; None if they are not tallied.
async fn tallied(
    tenant: i64,
    alternative: &Alternative,
    mask: Mask,
    read: &mut Transaction,
) -> Result<Option<i64>, sqlx::Error> {
    let keys: Option<Vec<String>> = alternative.values.iter().map(|value| alternative.column.tally(value)).collect();
    let Some(keys) = keys else { return Ok(None) };
    let sql = Sql::new("SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT) FROM tallies WHERE tenant = ").bind(tenant);
    read.fetch_scalar(push_mask(sql.push(" AND key IN (").bind_list(keys).push(")"), mask)).await
}

/// The numbers that a filter names, each with where it may stand. A call stands in one of them at most.
async fn numbers(
    filter: &RecordFilter,
    tenant: &TenantStore,
    read: &mut Transaction,
) -> Result<Vec<Vec<Alternative>>, sqlx::Error> {
    let asked = [&filter.extension, &filter.customer, &filter.did, &filter.source, &filter.destination, &filter.search];
    if asked.iter().all(|number| number.is_none()) {
        return Ok(Vec::new());
    }
    let country = Sql::new("SELECT country FROM tenants WHERE id = $1").with(tenant.id.0);
    let country: String = read.fetch_scalar(country).await?.unwrap_or_default();
    let forms = |column, number: &str, mask| Alternative {
        column,
        values: match column {
            Column::Extension => vec![number.trim().to_owned()],
            _ => crate::tenant::forms(number, &country),
        },
        mask,
        weight: 0,
    };
    let any = Mask::default();
    let mut numbers: Vec<Vec<Alternative>> = Vec::new();
    for (number, column) in
        [(&filter.extension, Column::Extension), (&filter.customer, Column::Customer), (&filter.did, Column::Did)]
    {
        numbers.extend(number.as_ref().map(|number| vec![forms(column, number, any)]));
    }
    numbers.extend(filter.source.as_ref().map(|number| {
        vec![
            forms(Column::Extension, number, Mask::set(facts::EXTENSION_CALLED)),
            forms(Column::Customer, number, Mask::set(facts::CUSTOMER_CALLED)),
            forms(Column::Dialler, number, any),
        ]
    }));
    numbers.extend(filter.destination.as_ref().map(|number| {
        vec![
            forms(Column::Extension, number, Mask::set(facts::EXTENSION_WAS_CALLED)),
            forms(Column::Customer, number, Mask::set(facts::CUSTOMER_WAS_CALLED)),
            forms(Column::Did, number, Mask::set(facts::DID_WAS_CALLED)),
            forms(Column::Dialled, number, any),
        ]
    }));
    numbers.extend(filter.search.as_ref().map(|number| {
        vec![
            forms(Column::Extension, number, any),
            forms(Column::Customer, number, Mask::unset(facts::CUSTOMER_REPEATS)),
            forms(Column::Did, number, Mask::unset(facts::DID_REPEATS)),
        ]
    }));
    Ok(numbers)
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
