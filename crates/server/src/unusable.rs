//! Settings and files that somebody has to mend before the program can do what it was asked to.

/// Settings that cannot be used: one sentence that names the flag, or the file and line, and says what to change.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);
