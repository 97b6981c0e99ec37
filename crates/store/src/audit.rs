//! Who changed what: the audit log. Rows are written in the transaction of the change, and never changed or deleted.

use model::{TenantId, Timestamp};
use serde_json::{Map, Value};

use crate::StoreError;
use crate::db::{Db, Sql, Transaction};
use crate::mask::{mask_urls, masked_url};
use crate::settings::{Author, Noun};

/// What was done, as the log has it.
#[derive(Clone, PartialEq, Debug)]
pub struct AuditRow {
    /// Grows with each row of the server.
    pub id: i64,
    /// Whose log it stands in; [`TenantId::SERVER`]: what is no tenant's.
    pub tenant: TenantId,
    /// The name of that tenant, also when it is gone.
    pub tenant_name: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// Where the order came from.
    pub address: Option<String>,
    /// `create`, `update`, `delete`, or another verb.
    pub action: String,
    /// What sort of thing it was done to: `extension`, `delivery`.
    pub noun: String,
    /// The thing's id.
    pub thing: String,
    /// Its number or name.
    pub name: String,
    /// The keys that are different, secrets included.
    pub changed: Vec<String>,
    /// The thing before, without its secrets and what may open something in its URLs.
    pub before: Option<Value>,
    /// The thing after, in the same way.
    pub after: Option<Value>,
}

/// Which rows of the log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    /// Only this one's.
    pub actor: Option<String>,
    /// Only this verb.
    pub action: Option<String>,
    /// Only this sort of thing.
    pub noun: Option<String>,
    /// Only the thing with this number, name or id.
    pub thing: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

/// An order that is no change of a setting: a delivery sent again, a ban lifted.
#[derive(Clone, PartialEq, Debug)]
pub struct AuditNote {
    /// Whose log it belongs into.
    pub tenant: TenantId,
    /// The verb: `replay`, `lift`.
    pub action: &'static str,
    /// What it was done to: `delivery`, `ban`.
    pub noun: &'static str,
    /// The thing's id.
    pub thing: String,
    /// What it is called.
    pub name: String,
    /// What else is to be known; nothing secret.
    pub detail: Option<Value>,
}

/// The log as somebody sees it.
#[derive(Clone, Debug)]
pub struct Audit {
    pub(crate) db: Db,
    /// None: everybody's.
    pub(crate) tenant: Option<TenantId>,
}

/// What was done to a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Create,
    Update,
    Delete,
}

/// A setting that was changed.
pub(crate) struct OfThing<'a> {
    pub tenant: TenantId,
    pub noun: Noun,
    pub id: &'a str,
    pub name: &'a str,
    /// As it was shown; secrets are taken out.
    pub before: Option<&'a Map<String, Value>>,
    pub after: Option<&'a Map<String, Value>>,
    /// Secrets that are others now.
    pub secrets: &'a [&'a str],
}

impl Audit {
    /// A page, newest first: at most `limit` rows older than the row `before`.
    pub async fn list(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        // What no text in the store holds, and PostgreSQL does not take.
        let wanted = [&filter.actor, &filter.action, &filter.noun, &filter.thing];
        if wanted.into_iter().flatten().any(|text| text.contains('\0')) {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new(
            "SELECT a.id, a.tenant, t.name, a.at_ms, a.actor, a.address, \
             a.action, a.noun, a.thing, a.name, a.changed, a.state_before, a.state_after \
             FROM audit a LEFT JOIN tenants t ON t.id = a.tenant WHERE a.id < ",
        )
        .bind(before.unwrap_or(i64::MAX));
        if let Some(tenant) = self.tenant {
            sql = sql.push(" AND a.tenant = ").bind(tenant.0);
        }
        for (column, value) in [("actor", &filter.actor), ("action", &filter.action), ("noun", &filter.noun)] {
            if let Some(value) = value {
                sql = sql.push(&format!(" AND a.{column} = ")).bind(value);
            }
        }
        if let Some(thing) = &filter.thing {
            sql = sql.push(" AND (a.name = ").bind(thing).push(" OR a.thing = ").bind(thing).push(")");
        }
        if let Some(from) = filter.from {
            sql = sql.push(" AND a.at_ms >= ").bind(from.as_millisecond());
        }
        if let Some(to) = filter.to {
            sql = sql.push(" AND a.at_ms < ").bind(to.as_millisecond());
        }
        let sql = sql.push(" ORDER BY a.id DESC LIMIT ").bind(i64::from(limit));
        let rows: Vec<Line> = self.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading the audit log"))?;
        rows.into_iter().map(AuditRow::try_from).collect()
    }
}

/// Writes down what was done to a setting.
pub(crate) async fn write_thing(
    transaction: &mut Transaction,
    author: &Author,
    deed: Verb,
    thing: &OfThing<'_>,
) -> Result<(), StoreError> {
    let action = match deed {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
    };
    let (mut before, mut after) = (thing.before.map(without_secrets), thing.after.map(without_secrets));
    let mut changed = match (&before, &after) {
        (Some(before), Some(after)) => differing(before, after),
        _ => Vec::new(),
    };
    // Only once it is known what differs: of two URLs that may be the secret alone.
    for state in [&mut before, &mut after].into_iter().flatten() {
        state.values_mut().for_each(mask_urls);
    }
    // A hook is called by its URL.
    let name = masked_url(thing.name);
    changed.extend(thing.secrets.iter().map(|secret| (*secret).to_owned()));
    let line = Entry {
        tenant: thing.tenant,
        action,
        noun: thing.noun.word(),
        thing: thing.id,
        name: &name,
        changed,
        before: before.map(Value::Object),
        after: after.map(Value::Object),
    };
    transaction.execute(line.sql(author)).await.map_err(StoreError::while_doing("writing the audit log"))?;
    Ok(())
}

/// Writes down an order that is no change of a setting.
pub(crate) async fn write_note(db: &Db, author: &Author, note: &AuditNote) -> Result<(), StoreError> {
    let line = Entry {
        tenant: note.tenant,
        action: note.action,
        noun: note.noun,
        thing: &note.thing,
        name: &note.name,
        changed: Vec::new(),
        before: None,
        after: note.detail.clone(),
    };
    db.execute(line.sql(author)).await.map_err(StoreError::while_doing("writing the audit log"))?;
    Ok(())
}

struct Entry<'a> {
    tenant: TenantId,
    action: &'static str,
    noun: &'static str,
    thing: &'a str,
    name: &'a str,
    changed: Vec<String>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Entry<'_> {
    fn sql(&self, author: &Author) -> Sql {
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        Sql::new(
            "INSERT INTO audit (tenant, at_ms, actor, address, action, noun, thing, name, changed, state_before, \
             state_after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .with(self.tenant.0)
        .with(Timestamp::now().as_millisecond())
        .with(&author.name)
        .with(author.address.map(|address| address.to_canonical().to_string()))
        .with(self.action)
        .with(self.noun)
        .with(self.thing)
        .with(self.name)
        .with(Value::from(self.changed.clone()).to_string())
        .with(text(&self.before))
        .with(text(&self.after))
    }
}

/// The keys whose values differ.
fn differing(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

/// What the log keeps of a thing as it is shown.
fn without_secrets(shown: &Map<String, Value>) -> Map<String, Value> {
    let mut kept = shown.clone();
    for key in ["secret", "id", "position"] {
        kept.remove(key);
    }
    kept
}

type Line = (
    i64,
    i64,
    Option<String>,
    i64,
    String,
    Option<String>,
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
);

impl TryFrom<Line> for AuditRow {
    type Error = StoreError;

    fn try_from(line: Line) -> Result<Self, StoreError> {
        let (id, tenant, tenant_name, at_ms, actor, address, action, noun, thing, name, changed, before, after) = line;
        let what = || format!("row {id} of the audit log");
        let json = |text: Option<String>| {
            text.map(|text| serde_json::from_str::<Value>(&text)).transpose().map_err(StoreError::unreadable(what()))
        };
        Ok(Self {
            id,
            tenant: TenantId(tenant),
            tenant_name,
            at: Timestamp::from_millisecond(at_ms).map_err(StoreError::unreadable(what()))?,
            actor,
            address,
            action,
            noun,
            thing,
            name,
            changed: serde_json::from_str(&changed).map_err(StoreError::unreadable(what()))?,
            before: json(before)?,
            after: json(after)?,
        })
    }
}
