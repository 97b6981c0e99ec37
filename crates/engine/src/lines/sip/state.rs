//! What a leg over SIP is at each moment: who waits, who is called on which branches, who is connected.

use bytes::Bytes;
use sip::{DialogId, Flow, Invite};

use super::keys::Presses;
use super::negotiation::Negotiation;
use super::sound::Sound;
use super::tries::Tries;
use crate::key::{Key, LegKey, TrunkKey};
use crate::lines::End;

/// A leg over SIP.
#[derive(Debug)]
pub struct SipLine {
    pub(super) key: LegKey,
    pub(super) state: State,
    /// None where there is no sound to be had: the leg can only be refused.
    pub(super) sound: Option<Sound>,
    pub(super) presses: Presses,
    /// The trunks of the route, where the party is called by one.
    pub(super) tries: Option<Box<Tries>>,
    /// The trunk that the party is connected by, if it is one's.
    pub(super) trunk: Option<TrunkKey>,
}

#[derive(Debug)]
pub(super) enum State {
    /// The party called us and waits.
    Invited(Invited),
    /// We call the party; a branch for each of its phones.
    Inviting { branches: Vec<Branch>, heard: Heard },
    /// Answered.
    Up(Up),
    /// The dialog is ended, or being ended by the SIP machine.
    Over,
}

/// A party that called us and waits.
#[derive(Debug)]
pub(super) struct Invited {
    pub(super) dialog: DialogId,
    pub(super) flow: Flow,
    /// What it has been told so far.
    pub(super) rung: Rung,
}

/// A party that is connected with us.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) dialog: DialogId,
    pub(super) flow: Flow,
    /// The branch that answered; 0 where the party called us.
    pub(super) branch: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rung {
    Nothing,
    Rings,
    HearsSound,
}

/// One phone that is being rung for a leg, or one try at a carrier.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) dialog: DialogId,
    /// How it is reached.
    pub(super) flow: Flow,
    /// Its final refusal, once there is one.
    pub(super) refusal: Option<End>,
    /// What its INVITE offers.
    pub(super) offered: Negotiation,
    /// Those that have said that they ring, in that order.
    pub(super) early: Vec<Early>,
    /// The INVITE to be sent with plain sound, should the phone not speak secured sound.
    pub(super) plain: Option<Box<Invite>>,
    /// Whom its phone wants to be called in its place.
    pub(super) elsewhere: Option<String>,
}

/// One early dialog: a branch may be forked further on its way.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) fork: u64,
    /// What it has answered before it picked up.
    pub(super) talk: Option<Negotiation>,
    /// The description that this answer was.
    pub(super) said: Bytes,
}

/// Whose sound the caller hears before the answer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Heard {
    /// Nobody's; nothing was told of it either.
    #[default]
    Nothing,
    /// Nobody's, and the call knows that it rings.
    Ringing,
    /// That of this branch's early dialog.
    Of(usize, u64),
    /// Nobody's any more: more than one rings.
    Several,
}

/// Which branch of which leg.
pub(super) fn branch_key(key: LegKey, branch: usize) -> Key {
    Key::Leg(key, u8::try_from(branch).unwrap_or(u8::MAX))
}
