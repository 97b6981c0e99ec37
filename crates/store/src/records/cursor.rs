//! A place in a list of records.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

/// A place in a list of records. Opaque to clients: printed with `Display`, read with `FromStr`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordCursor {
    /// Milliseconds since 1970 of the row beside the place.
    pub(super) at: i64,
    /// Its row number.
    pub(super) row: i64,
    /// Whether the page lies before the place, towards newer rows.
    pub(super) newer: bool,
}

/// A cursor that this server did not print.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the cursor is not one of this list: begin again without it")]
pub struct BadCursor;

impl fmt::Display for RecordCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.newer { 'n' } else { 'o' };
        f.write_str(&BASE64.encode(format!("{side}{}.{}", self.at, self.row)))
    }
}

impl FromStr for RecordCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let bytes = BASE64.decode(text).map_err(|_| BadCursor)?;
        let text = String::from_utf8(bytes).map_err(|_| BadCursor)?;
        let newer = match text.chars().next() {
            Some('n') => true,
            Some('o') => false,
            _ => return Err(BadCursor),
        };
        let (at, row) = text[1..].split_once('.').ok_or(BadCursor)?;
        Ok(Self { at: at.parse().map_err(|_| BadCursor)?, row: row.parse().map_err(|_| BadCursor)?, newer })
    }
}
