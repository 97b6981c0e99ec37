//! One call of a user agent.
//!
//!   Invited ──answer──► Up ──BYE──► over      they called us
//!   Calling ──2xx──► Up                       we call them

use sip::DialogId;

use super::Behaviour;
use super::talk::Talk;

#[derive(Debug)]
pub(crate) struct Call {
    pub dialog: DialogId,
    pub stage: Stage,
    pub talk: Talk,
    pub behaviour: Behaviour,
    /// A re-INVITE of ours is under way: whether it holds or resumes.
    pub holding: Option<Hold>,
    /// The other side is on hold.
    pub is_holding: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// They called us and wait.
    Invited,
    /// We call them.
    Calling {
        /// We told that they ring, and that they can be heard.
        rang: bool,
        heard: bool,
    },
    /// Answered.
    Up,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    Hold,
    Resume,
}
