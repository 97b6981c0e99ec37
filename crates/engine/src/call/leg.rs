//! One party's part of a call.

use media::Sound;
use model::{CallId, EndedBy, LegId, Party, Side};

use crate::limits::Uses;
use crate::lines::Line;

/// A leg, from its first packet to the end of the call.
#[derive(Debug)]
pub struct Leg {
    /// Its id.
    pub id: LegId,
    /// The call whose story tells of it: another one than before once a consultation has become a part of the call.
    pub told_in: CallId,
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
    /// What clients have ordered for it.
    pub ordered: Ordered,
    /// What its media worker was told of it last.
    pub voice: Voice,
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

/// What clients have ordered for a leg, and have not taken back.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ordered {
    /// Its party puts the other aside, whatever its phone does.
    pub held: bool,
    /// What its party says is not to be heard.
    pub muted: bool,
}

/// What a leg's media worker was told last, so that it is told nothing twice.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Voice {
    /// Others hear silence in place of what the party says.
    pub muted: bool,
    /// It has been given sound before an answer, so that its own phone does not ring in its ear any more.
    pub early: bool,
    /// What is played to the party.
    pub playing: Option<Playing>,
    /// How often something was said to the party.
    pub says: u32,
}

/// What is played to a party.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Playing {
    /// This, until it is stopped.
    Sound(Sound),
    /// Clips, until they are over; they are the leg's so manieth.
    Said(u32),
}

impl Leg {
    /// Who ends the call when this party does.
    pub fn ends_as(&self) -> EndedBy {
        match self.side {
            Side::Agent => EndedBy::Agent,
            Side::Customer => EndedBy::Customer,
        }
    }

    /// Whether its party holds the other, by its own phone or by a client's order.
    pub fn holds(&self) -> bool {
        self.ordered.held || self.line.holds()
    }
}
