//! What goes wrong between the store and its database.

/// The store could not do what was asked. Nothing of it was done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed; asking again may help.
    #[error("{doing}")]
    Database {
        /// What was being done: `reading records`.
        doing: &'static str,
        /// What the database says.
        #[source]
        source: sqlx::Error,
    },
    /// A row does not hold what this program writes.
    #[error("reading {what}: the row is damaged or was written by a later version")]
    Unreadable {
        /// Which row.
        what: String,
        /// What could not be read in it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A sealed secret cannot be opened with this data folder's key.
    #[error("opening the secret of {what}: `secret.key` is not the file it was sealed with")]
    Sealed {
        /// Whose secret.
        what: String,
    },
}

impl StoreError {
    /// Wraps what the database says while `doing` something; for `map_err`.
    pub(crate) fn while_doing(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { doing, source }
    }

    /// A row that does not parse; for `map_err`.
    pub(crate) fn unreadable<E>(what: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let what = what.into();
        move |source| Self::Unreadable { what, source: source.into() }
    }
}
