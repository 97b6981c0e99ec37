//! One party's part of a call.

use model::{EndedBy, LegId, Party, Side};

use crate::limits::Uses;
use crate::lines::Line;

/// A leg, from its first packet to the end of the call.
#[derive(Debug)]
pub struct Leg {
    /// Its id.
    pub id: LegId,
    /// Its side of the conversation.
    pub side: Side,
    /// Whose it is.
    pub party: Party,
    /// How it is spoken to.
    pub line: Line,
    /// How far it is.
    pub state: LegState,
    /// What it uses of the tenant's limits.
    pub uses: Uses,
}

/// How far a leg is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LegState {
    /// Begun, not answered.
    Begun,
    /// It rings.
    Ringing,
    /// Answered.
    Answered,
    /// Over.
    Ended,
}

impl Leg {
    /// Who ends the call when this party does.
    pub fn ends_as(&self) -> EndedBy {
        match self.side {
            Side::Agent => EndedBy::Agent,
            Side::Customer => EndedBy::Customer,
        }
    }
}
