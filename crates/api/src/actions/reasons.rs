//! Why calls end: the catalogue.

use model::{Reason, Role};

use super::{Asker, Refusal};

/// Every reason there is.
pub(crate) fn list(asker: &Asker) -> Result<&'static [Reason], Refusal> {
    asker.needs(Role::Reader)?;
    Ok(Reason::ALL)
}
