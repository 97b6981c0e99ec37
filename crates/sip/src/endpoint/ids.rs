//! The names by which askers speak of what the endpoint keeps.

/// One of our dialogs, early or confirmed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DialogId(pub(crate) u64);

/// A request of theirs that is being answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServerId(pub(crate) u64);
