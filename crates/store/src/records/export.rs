//! All records of a search, a piece at a time.

use super::{RecordCursor, RecordFilter, RecordRow};
use crate::{StoreError, TenantStore};

/// Rows of a piece.
const PIECE: u32 = 500;

/// All records of a search, newest first. Holds a place in the list and nothing of the database: whoever reads slowly
/// keeps nobody waiting. What begins meanwhile is newer than the place and does not come; what ends is not left out twice.
#[derive(Debug)]
pub struct RecordStream {
    tenant: TenantStore,
    filter: RecordFilter,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Start,
    After(RecordCursor),
    End,
}

impl RecordStream {
    pub(super) fn new(tenant: TenantStore, filter: RecordFilter) -> Self {
        Self { tenant, filter, place: Place::Start }
    }

    /// The next records, never an empty piece; None after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<RecordRow>>, StoreError> {
        loop {
            let cursor = match self.place {
                Place::Start => None,
                Place::After(cursor) => Some(cursor),
                Place::End => return Ok(None),
            };
            let page = self.tenant.records().list(&self.filter, cursor, PIECE).await?;
            self.place = page.next.map_or(Place::End, Place::After);
            if !page.rows.is_empty() {
                return Ok(Some(page.rows));
            }
        }
    }
}
