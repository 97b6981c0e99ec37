//! Phones that are signed in.

use model::Role;
use store::RegistrationPage;

use super::{Asker, Refusal};
use crate::App;

/// The phones of up to `limit` extensions, from behind one on; or those of one extension.
pub(crate) async fn list(
    app: &App,
    asker: &Asker,
    extension: Option<&str>,
    after: Option<&str>,
    limit: u32,
) -> Result<RegistrationPage, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(asker.store(app).registrations(extension, after, limit).await?)
}
