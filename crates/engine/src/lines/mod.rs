//! The ways a leg can exist. A line owns its dialog, its description of sound and its media session;
//! the call above it says only who hears whom. Between them go [`LegOrder`] and [`LegNews`], in which no word of SIP occurs.

pub mod sip;

use media::{SessionId, WorkerId};
use model::{Codec, Reason, SoundOffer};

use self::sip::SipLine;
use crate::step::Step;

/// What a call orders a leg's line to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LegOrder {
    /// Tell the caller that it rings; with the called side's own sound, if it sends some.
    Ring {
        /// The codec of that sound.
        early: Option<Codec>,
    },
    /// Answer the caller, best with this codec.
    Answer {
        /// What the other side speaks.
        codec: Option<Codec>,
    },
    /// Refuse the caller.
    Refuse {
        /// Why.
        reason: Reason,
        /// The SIP status that the other side gave, or the reason's own.
        status: u16,
    },
    /// End the leg, at whatever point it is.
    HangUp {
        /// Why.
        reason: Reason,
        /// The SIP status for a caller who was not answered.
        status: u16,
    },
}

/// What a leg's line tells its call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LegNews {
    /// The called party's phone has been reached: it rings, or the network says something.
    Ringing {
        /// The codec of the sound it sends before the answer, if it does.
        early: Option<Codec>,
    },
    /// The called party answered.
    Answered {
        /// What it speaks.
        codec: Codec,
    },
    /// The party holds the other, who is not to be heard.
    Held,
    /// The party takes the other back.
    Resumed,
    /// The party pressed a key.
    Key(char),
    /// The leg is over.
    Gone(Gone),
}

/// How a leg came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone {
    /// Why.
    pub reason: Reason,
    /// The SIP status that says so; 200 after an answer.
    pub sip: u16,
    /// Whether the party itself ended it (else it failed).
    pub by_party: bool,
}

/// One way a leg exists.
#[derive(Debug)]
pub enum Line {
    /// A phone or a trunk.
    Sip(SipLine),
}

impl Line {
    /// Carries out an order. An error says why an answer is impossible; the leg then still waits for its end.
    pub fn order(&mut self, step: &mut Step<'_>, order: LegOrder) -> Result<(), Reason> {
        match self {
            Self::Sip(line) => line.order(step, order),
        }
    }

    /// Where its sound is. A line without sound has none.
    pub fn session(&self) -> Option<(WorkerId, SessionId)> {
        match self {
            Self::Sip(line) => line.session(),
        }
    }

    /// What its party can speak, as far as it has said so.
    pub fn speaks(&self) -> SoundOffer {
        match self {
            Self::Sip(line) => line.speaks(),
        }
    }

    /// The SIP status of those phones of the party that have refused, while others are still being rung.
    pub fn refusal(&self) -> Option<u16> {
        match self {
            Self::Sip(line) => line.refusal(),
        }
    }

    /// What the next engine needs to end the leg, should this one die. None while there is nothing to end.
    pub fn stub(&self, step: &Step<'_>) -> Option<String> {
        match self {
            Self::Sip(line) => line.stub(step),
        }
    }
}
