//! The way into the store: through a tenant.

use model::{Number, TenantId};

use crate::db::{Db, Sql};
use crate::{Calls, Deliveries, Events, Floor, Recordings, Records, StoreError, Trunks};

/// What one tenant may see. Nothing read through it is another's.
#[derive(Clone, Debug)]
pub struct TenantStore {
    pub(crate) id: TenantId,
    pub(crate) db: Db,
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

    /// What was sent to its hooks.
    pub fn deliveries(&self) -> Deliveries<'_> {
        Deliveries { tenant: self }
    }

    /// Its agents and queues, as they stand.
    pub fn floor(&self) -> Floor<'_> {
        Floor { tenant: self }
    }

    /// The trunks it calls by.
    pub fn trunks(&self) -> Trunks<'_> {
        Trunks { tenant: self }
    }

    /// Every way in which `phone` may stand in a row: as it is, and as each form of the number it is.
    pub(crate) async fn forms(&self, phone: &str) -> Result<Vec<String>, StoreError> {
        let sql = Sql::new("SELECT country FROM tenants WHERE id = $1").with(self.id.0);
        let country: Option<String> =
            self.db.fetch_scalar(sql).await.map_err(StoreError::while_doing("reading the tenant"))?;
        Ok(forms(phone, country.as_deref().unwrap_or_default()))
    }
}

pub(crate) fn forms(phone: &str, country: &str) -> Vec<String> {
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
