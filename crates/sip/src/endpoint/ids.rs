//! The names by which askers and the endpoint itself speak of what it keeps.

/// One of our dialogs, early or confirmed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DialogId(pub(crate) u64);

/// A request of theirs that is being answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServerId(pub(crate) u64);

/// A request of ours: the number in its branch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ClientId(pub u64);

impl ClientId {
    /// The CANCEL of an INVITE has its branch and is a transaction of its own.
    pub(crate) fn cancel(self) -> Self {
        Self(!self.0)
    }
}

/// The one machine a timer wakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    Client(ClientId),
    Server(ServerId),
    Dialog(DialogId),
}
