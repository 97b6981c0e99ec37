//! `/v1/audit`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::tz::TimeZone;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{AuditFilter, AuditRow};
use utoipa::{IntoParams, ToSchema};

use super::extract::Asked;
use super::problem::ProblemBody;
use super::sign_in::Keeping;
use super::views::{Page, moment};
use crate::Faces;
use crate::actions::{Refusal, audit};

/// The rows of a page, unless asked otherwise, and at most.
const PAGE: u32 = 100;
const MOST: u32 = 1_000;

/// Which rows of the log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// With the admin token: the tenant's name; left out: the log of the whole server.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
    /// Only what this one did: `admin`, `key:native 47813d58d31bce34`.
    actor: Option<String>,
    /// Only this verb: `create`, `update`, `delete`.
    action: Option<String>,
    /// Only this sort of thing: `extension`, `webhook`.
    noun: Option<String>,
    /// Only the thing with this number, name or id.
    thing: Option<String>,
    /// Not before (RFC 3339).
    from: Option<String>,
    /// Before (RFC 3339).
    to: Option<String>,
    /// Rows of a page, 1 to 1 000 (100).
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// What somebody did.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditView {
    /// Grows with each row.
    #[schema(example = 42)]
    id: i64,
    /// The tenant's name; null for what is the whole server's.
    #[schema(required, example = "VPBX_DEMO")]
    tenant: Option<String>,
    /// When (RFC 3339).
    at: String,
    /// `admin`, `key:` and the key's name, or `provision file`.
    #[schema(example = "key:native 47813d58d31bce34")]
    actor: String,
    /// Where the order came from; null where it did not come by the network.
    #[schema(required, example = "192.0.2.7")]
    address: Option<String>,
    /// `create`, `update`, `delete`, or another verb.
    #[schema(example = "update")]
    action: String,
    /// What sort of thing it was done to.
    #[schema(example = "extension")]
    noun: String,
    /// The thing's id.
    #[schema(example = "~7")]
    thing: String,
    /// Its number or name.
    #[schema(example = "101")]
    name: String,
    /// The keys that are different, secrets included.
    #[schema(example = json!(["password", "ring_seconds"]))]
    changed: Vec<String>,
    /// The thing before, without its secrets; null where there was none.
    #[schema(required)]
    before: Option<Map<String, Value>>,
    /// The thing after, without its secrets; null where there is none.
    #[schema(required)]
    after: Option<Map<String, Value>>,
}

impl AuditView {
    fn of(row: AuditRow, zone: &TimeZone) -> Self {
        let object = |state: Option<Value>| match state {
            Some(Value::Object(state)) => Some(state),
            Some(other) => Some(Map::from_iter([("value".to_owned(), other)])),
            None => None,
        };
        Self {
            id: row.id,
            tenant: row.tenant_name,
            at: moment(row.at, zone),
            actor: row.actor,
            address: row.address,
            action: row.action,
            noun: row.noun,
            thing: row.thing,
            name: row.name,
            changed: row.changed,
            before: object(row.before),
            after: object(row.after),
        }
    }
}

/// Who changed what, newest first. An owner sees the tenant's, the admin token the whole server's.
#[utoipa::path(get, path = "/v1/audit", operation_id = "list_audit", tag = "settings",
    extensions(("x-role" = json!("owner"))), params(Which),
    responses(
        (status = 200, description = "A page", body = Page<AuditView>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(faces): State<Arc<Faces>>,
    Keeping { keeper, zone }: Keeping,
    Asked(which): Asked<Which>,
) -> Result<Json<Page<AuditView>>, ProblemBody> {
    let size = which.limit.unwrap_or(PAGE).clamp(1, MOST);
    let after = which.after.map(|text| text.parse::<i64>());
    let after = after.transpose().map_err(|_| Refusal::wrong("after: give `next` of the page before"))?;
    let filter = AuditFilter {
        actor: which.actor,
        action: which.action,
        noun: which.noun,
        thing: which.thing,
        from: instant("from", which.from)?,
        to: instant("to", which.to)?,
    };
    // One more tells whether there is a next page.
    let mut rows = audit::list(&faces.app, &keeper, &filter, after, size + 1).await?;
    let more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Json(Page { items: rows.into_iter().map(|row| AuditView::of(row, &zone)).collect(), next }))
}

fn instant(name: &str, given: Option<String>) -> Result<Option<Timestamp>, Refusal> {
    let read = |text: String| {
        text.parse::<Timestamp>().map_err(|_| {
            Refusal::wrong(format!("{name}: write a moment as in 2030-12-31T23:59:59+07:00 (the + as %2B)"))
        })
    };
    given.map(read).transpose()
}
