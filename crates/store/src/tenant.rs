//! The way into the store: through a tenant.

use model::{Number, TenantId};
use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use crate::{Calls, Events, Recordings, Records, StoreError, Trunks};

/// What one tenant may see. Nothing read through it is another's.
#[derive(Clone, Debug)]
pub struct TenantStore {
    pub(crate) id: TenantId,
    pub(crate) readers: SqlitePool,
}

impl TenantStore {
    /// The tenant.
    pub fn id(&self) -> TenantId {
        self.id
    }

    /// Its calls' records.
    pub fn records(&self) -> Records<'_> {
        Records { tenant: self }
    }

    /// Its live calls.
    pub fn calls(&self) -> Calls<'_> {
        Calls { tenant: self }
    }

    /// Its story.
    pub fn events(&self) -> Events<'_> {
        Events { tenant: self }
    }

    /// Its recordings.
    pub fn recordings(&self) -> Recordings<'_> {
        Recordings { tenant: self }
    }

    /// The trunks it calls by.
    pub fn trunks(&self) -> Trunks<'_> {
        Trunks { tenant: self }
    }

    /// Every way in which `phone` may stand in a row: as it is, and as each form of the number it is.
    pub(crate) async fn forms(&self, phone: &str) -> Result<Vec<String>, StoreError> {
        let country: Option<String> = sqlx::query_scalar("SELECT country FROM tenants WHERE id = $1")
            .bind(self.id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::while_doing("reading the tenant"))?;
        Ok(forms(phone, country.as_deref().unwrap_or_default()))
    }

    /// Whether one of these forms is a public number of the tenant.
    pub(crate) async fn has_number(&self, forms: &[String]) -> Result<bool, StoreError> {
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT COUNT(*) FROM settings WHERE noun = 'number' AND tenant = ");
        query.push_bind(self.id.0).push(" AND name IN (");
        let mut list = query.separated(", ");
        for form in forms {
            list.push_bind(form.clone());
        }
        query.push(")");
        let count: i64 = query
            .build_query_scalar()
            .fetch_one(&self.readers)
            .await
            .map_err(StoreError::while_doing("reading the tenant's numbers"))?;
        Ok(count > 0)
    }
}

fn forms(phone: &str, country: &str) -> Vec<String> {
    let phone = phone.trim();
    let mut forms = vec![phone.to_owned()];
    if let Ok(number) = Number::parse(phone, country) {
        let digits = number.international();
        forms.extend([digits.to_owned(), number.e164(), number.national(country)]);
        if let Number::E164(digits) = &number {
            forms.push(format!("00{digits}"));
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_looked_for_in_every_form_it_may_have_been_stored_in() {
        let expected = ["+84900000001", "0084900000001", "0900000001", "84900000001"];

        for written in expected {
            assert_eq!(forms(written, "84"), expected, "{written}");
        }
        assert_eq!(forms("102", "84"), ["102"]);
        assert_eq!(forms("anonymous", "84"), ["anonymous"]);
    }
}
