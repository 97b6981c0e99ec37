//! Which way a search goes.

use model::Timestamp;

use super::conditions::Conditions;
use super::facts::{self, Column, Mask};
use super::filter::{RecordFilter, RecordOrder, RecordState};
use super::numbers;
use super::plan::{Indexed, Plan, Way};
use crate::TenantStore;
use crate::db::{Transaction, Value};

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
}
