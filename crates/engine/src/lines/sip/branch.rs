//! One phone that is being rung for a leg, or one try at a carrier: its INVITE, and the early dialogs that come of it.

use bytes::Bytes;
use model::Codec;
use sip::{Body, DialogId, Flow, Invite};

use super::negotiation::{Negotiation, Secrecy};
use super::sound::Sound;
use crate::key::{Key, LegKey};
use crate::lines::End;
use crate::step::Step;

/// The most early dialogs of one branch that are told apart.
const MAX_FORKS: usize = 16;

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

/// What an INVITE offers.
#[derive(Clone, Debug)]
pub(super) struct Wants<'a> {
    /// Best first.
    pub(super) codecs: &'a [Codec],
    /// What the other side of the call speaks.
    pub(super) wanted: &'a [Codec],
    /// Whether sound is secured.
    pub(super) secrecy: Secrecy,
    /// Whether a phone that cannot have it so is offered plain sound.
    pub(super) or_plain: bool,
}

/// Sends an INVITE with our offer. None: too much is going on.
pub(super) fn ring(
    step: &mut Step<'_>,
    sound: &Sound,
    key: LegKey,
    at: usize,
    mut invite: Invite,
    wants: &Wants<'_>,
) -> Option<Branch> {
    let mut offered = sound.draft(step, wants.codecs, wants.wanted, wants.secrecy);
    let flow = invite.flow;
    let plain = wants.or_plain.then(|| Box::new(invite.clone()));
    invite.body = Some(Body::sdp(offered.offer()));
    let dialog = step.endpoint.invite(step.now.mono, branch_key(key, at), invite).ok()?;
    Some(Branch { dialog, flow, refusal: None, offered, early: Vec::new(), plain, elsewhere: None })
}

impl Branch {
    /// Sends its INVITE once more, with plain sound, if that is left to be tried.
    pub(super) fn ring_plainly(&mut self, step: &mut Step<'_>, key: LegKey, at: usize) -> bool {
        let Some(mut invite) = self.plain.take() else { return false };
        let mut offered = self.offered.afresh(Secrecy::Welcome, step.ids.sound_key());
        invite.body = Some(Body::sdp(offered.offer()));
        let Ok(dialog) = step.endpoint.invite(step.now.mono, branch_key(key, at), *invite) else { return false };
        self.dialog = dialog;
        self.offered = offered;
        self.early.clear();
        true
    }

    /// Whether it has not refused.
    pub(super) fn is_live(&self) -> bool {
        self.refusal.is_none()
    }

    /// One of its early dialogs, heard of before or not. None: there are too many.
    pub(super) fn early_mut(&mut self, fork: u64) -> Option<&mut Early> {
        let known = self.early.iter().position(|early| early.fork == fork);
        let at = known.unwrap_or(self.early.len());
        if known.is_none() && at < MAX_FORKS {
            self.early.push(Early { fork, talk: None, said: Bytes::new() });
        }
        self.early.get_mut(at)
    }
}

/// Which branch of which leg.
pub(super) fn branch_key(key: LegKey, branch: usize) -> Key {
    Key::Leg(key, u8::try_from(branch).unwrap_or(u8::MAX))
}
