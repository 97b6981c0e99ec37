//! What a leg over SIP is at each moment: who waits, who is called on which branches, who is connected.

use sip::{DialogId, Flow};

use super::branch::Branch;
use super::keys::Presses;
use super::refer::Referral;
use super::sound::Sound;
use super::tries::Tries;
use crate::key::{LegKey, TrunkKey};

/// A leg over SIP.
#[derive(Debug)]
pub struct SipLine {
    pub(super) key: LegKey,
    pub(super) state: State,
    /// None where there is no sound to be had: the leg can only be refused.
    pub(super) sound: Option<Sound>,
    pub(super) presses: Presses,
    /// What the party has asked us to do in its place.
    pub(super) referral: Referral,
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
