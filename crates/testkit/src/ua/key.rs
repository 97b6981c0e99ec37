//! The names under which a user agent asks its SIP machine.

use super::CallNo;

/// What the SIP machine calls our requests and dialogs by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Key {
    Registration,
    Call(CallNo),
}
