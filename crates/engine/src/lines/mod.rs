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
    Refuse(End),
    /// End the leg, at whatever point it is.
    HangUp(End),
    /// Nobody was reached to whom the party wanted to give the other one.
    TransferFailed(End),
    /// The other party pressed a key. Its sound carries keys by itself; only a party that takes them in signalling is told.
    Key(char),
    /// Go over to this codec, which the other side speaks now, if the party can.
    Speak(Codec),
    /// The party talks with somebody else from here on, and is told whom.
    Identify {
        /// The number, in the form the party is used to.
        number: String,
        /// A name, where there is one.
        name: Option<String>,
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
    /// The party has heard all that was being said to it.
    Said,
    /// The party has changed to another codec.
    Speaks(Codec),
    /// The party gives the other one to somebody, as somebody would dial it. It waits to hear what comes of it, and may
    /// hang up before.
    AsksTransfer {
        /// To whom.
        to: String,
    },
    /// Nothing came from the party for as long as a party may be silent that should send.
    Silent,
    /// The called party asks to be called elsewhere: a number as somebody would dial it. The leg is over.
    Redirected {
        /// As dialled.
        to: String,
    },
    /// The trunk could not take the call; another one of the route is tried.
    Rerouted {
        /// The trunk that is tried now.
        trunk: String,
        /// Why the one before did not take it; its status is 408 when nothing came at all.
        end: End,
    },
    /// The leg is over.
    Gone(Gone),
}

/// How a leg came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone {
    /// Why.
    pub end: End,
    /// Whether the party itself ended it (else it failed).
    pub by_party: bool,
}

/// Why a leg or a call ends. What one side gave is passed on to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// Why.
    pub reason: Reason,
    /// The SIP status that says so, to a caller who was not answered too; 200 after an answer.
    pub sip: u16,
    /// The Q.850 cause that a party gave (RFC 6432).
    pub cause: Option<u8>,
    /// Somebody else took the call: phones that rang need not show it as missed.
    pub elsewhere: bool,
}

impl End {
    /// An end with a status that somebody gave.
    pub fn new(reason: Reason, sip: u16) -> Self {
        Self { reason, sip, cause: None, elsewhere: false }
    }

    /// The same with another status for whoever hears it.
    pub fn with_sip(self, sip: u16) -> Self {
        Self { sip, ..self }
    }
}

impl End {
    /// Of several ends the one with the lowest rank speaks for all (RFC 3261, 16.7 step 6): a 6xx, else the lowest class,
    /// the telling ones first.
    pub fn rank(&self) -> (u8, u16) {
        match self.sip {
            600..=699 => (0, 0),
            486 => (1, 0),
            401 | 407 | 415 | 420 | 484 => (1, 1),
            408 => (5, 0),
            487 => (6, 0),
            status @ 400..=499 => (2, status),
            status => (3, status),
        }
    }
}

impl From<Reason> for End {
    fn from(reason: Reason) -> Self {
        Self::new(reason, reason.sip())
    }
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

    /// A key came with the party's sound. None: it is a press that was told already.
    pub fn on_key(&mut self, step: &Step<'_>, key: char) -> Option<LegNews> {
        match self {
            Self::Sip(line) => line.on_key(step, key),
        }
    }

    /// Whether the party has put the other aside.
    pub fn holds(&self) -> bool {
        match self {
            Self::Sip(line) => line.holds(),
        }
    }

    /// How those phones of the party refused that have, while others are still being rung.
    pub fn refusal(&self) -> Option<End> {
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
