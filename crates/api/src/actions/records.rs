//! Records: searched.

use model::Role;
use store::{RecordCursor, RecordFilter, RecordPage, RecordStream};

use super::{Asker, Refusal};
use crate::App;

/// A page of records, newest first.
pub(crate) async fn list(
    app: &App,
    asker: &Asker,
    filter: &RecordFilter,
    cursor: Option<RecordCursor>,
    size: u32,
) -> Result<RecordPage, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(asker.store(app).records().list(filter, cursor, size).await?)
}

/// How many records there are on all pages.
pub(crate) async fn count(app: &App, asker: &Asker, filter: &RecordFilter) -> Result<u64, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(asker.store(app).records().count(filter).await?)
}

/// All records that the filter meets, a piece at a time.
pub(crate) fn stream(app: &App, asker: &Asker, filter: RecordFilter) -> Result<RecordStream, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(asker.store(app).records().stream(filter))
}
