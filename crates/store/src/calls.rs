//! A tenant's live calls, as rows.

use model::{CallId, Record};

use crate::db::Sql;
use crate::records::parse;
use crate::{RecordRow, StoreError, TenantStore};

/// The most live calls that one reading gives.
const MOST: i64 = 10_000;

/// A tenant's live calls.
#[derive(Clone, Copy, Debug)]
pub struct Calls<'a> {
    pub(crate) tenant: &'a TenantStore,
}

impl Calls<'_> {
    /// All live calls, newest first.
    pub async fn live(&self) -> Result<Vec<RecordRow>, StoreError> {
        let sql = Sql::new(
            "SELECT id, record FROM records WHERE tenant = $1 AND ended_ms IS NULL
             ORDER BY started_ms DESC, id DESC LIMIT $2",
        )
        .with(self.tenant.id.0)
        .with(MOST);
        let rows: Vec<(i64, String)> =
            self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading live calls"))?;
        rows.into_iter().map(parse).collect()
    }

    /// One call, live or over; None if the tenant has no such call.
    pub async fn get(&self, callid: CallId) -> Result<Option<RecordRow>, StoreError> {
        self.tenant.records().get(callid).await
    }

    /// The newest live call that `extension` takes part in with `phone`, written in any form.
    pub async fn newest_live(&self, extension: &str, phone: &str) -> Result<Option<RecordRow>, StoreError> {
        let forms = self.tenant.forms(phone).await?;
        // A few calls at most have this customer; the legs in the record tell whether the extension is in one of them.
        let sql = Sql::new("SELECT id, record FROM records WHERE tenant = ")
            .bind(self.tenant.id.0)
            .push(" AND ended_ms IS NULL AND customer IN (")
            .bind_list(forms.iter().map(String::as_str).chain([extension]))
            .push(") ORDER BY started_ms DESC, id DESC LIMIT ")
            .bind(MOST);
        let rows: Vec<(i64, String)> =
            self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading live calls"))?;
        for row in rows {
            let row = parse(row)?;
            if is_between(&row.record, extension, &forms) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Whether this call is live and these are in it: an extension, and a phone written in any form.
    pub async fn is_live_with(
        &self,
        callid: CallId,
        extension: Option<&str>,
        phone: Option<&str>,
    ) -> Result<bool, StoreError> {
        let Some(row) = self.get(callid).await?.filter(|row| row.record.ended_at.is_none()) else { return Ok(false) };
        let record = &row.record;
        let forms = match phone {
            Some(phone) => self.tenant.forms(phone).await?,
            None => Vec::new(),
        };
        Ok(match extension {
            Some(extension) if phone.is_some() => is_between(record, extension, &forms),
            Some(extension) => record.customer.as_str() == extension || takes_part(record, extension),
            None => {
                let with_phone = |number: &str| forms.iter().any(|form| form == number);
                phone.is_none()
                    || with_phone(record.customer.as_str())
                    || forms.iter().any(|form| takes_part(record, form))
            }
        })
    }
}

// Between two extensions either may be the one that was called.
fn is_between(record: &Record, extension: &str, forms: &[String]) -> bool {
    let with_phone = |number: &str| forms.iter().any(|form| form == number);
    if with_phone(record.customer.as_str()) {
        return takes_part(record, extension);
    }
    record.customer.as_str() == extension
        && (record.extension.as_deref().is_some_and(with_phone)
            || record.legs.iter().any(|leg| leg.ended_at.is_none() && leg.party.extension().is_some_and(with_phone)))
}

fn takes_part(record: &Record, extension: &str) -> bool {
    record.extension.as_deref() == Some(extension)
        || record.legs.iter().any(|leg| leg.ended_at.is_none() && leg.party.extension() == Some(extension))
}
