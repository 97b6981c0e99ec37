//! Begins the legs that we call: an extension's phones, each on a branch of its own, or a trunk of a route.

use bytes::Bytes;
use media::WorkerId;
use model::{CallId, Codec, Reason};
use sip::{HeaderName, Headers, Invite, NameAddr, NextHop, Transport, Uri};

use super::branch::{self, Branch, Wants};
use super::identity;
use super::negotiation::Secrecy;
use super::sound::{Peer, Sound};
use super::state::SipLine;
use super::tries::{Errand, Found, Tries, TrunkPlan};
use crate::caller::Shown;
use crate::key::{LegKey, TrunkKey};
use crate::registrar::Binding;
use crate::step::Step;

/// A call to an extension.
#[derive(Debug)]
pub struct CallPhone<'a> {
    /// The leg.
    pub key: LegKey,
    /// Where the call's sound is, if it has a leg with sound.
    pub worker: Option<WorkerId>,
    /// `101`
    pub extension: &'a str,
    /// Its phones; at least one.
    pub bindings: Vec<Binding>,
    /// Who calls.
    pub shown: Shown,
    /// The extension that gave the caller to this one, where one did.
    pub referred_by: Option<String>,
    /// Stands in Max-Forwards.
    pub hops_left: u8,
    /// Stands in X-Callid.
    pub callid: CallId,
    /// Best first.
    pub codecs: Vec<Codec>,
    /// What the other side of the call speaks.
    pub wanted: Vec<Codec>,
    /// Whether the phone is asked to answer at once.
    pub answer_by_itself: bool,
}

impl SipLine {
    /// Rings all phones of an extension.
    pub fn call_phone(step: &mut Step<'_>, order: CallPhone<'_>) -> Result<Self, Reason> {
        let first = order.bindings.first().ok_or(Reason::Offline)?;
        let peer = Peer::phone(first.flow.remote.ip());
        let sound = Sound::open(step, order.key, order.worker, first.flow, peer)?;
        let mut headers =
            Headers::new().with(HeaderName::from_static("X-Callid"), Bytes::from(order.callid.to_string()));
        headers.push(HeaderName::MaxForwards, order.hops_left.to_string());
        if order.answer_by_itself {
            headers.push(HeaderName::CallInfo, "<sip:localhost>;answer-after=0");
            headers.push(HeaderName::AlertInfo, "<http://www.notused.com>;info=alert-autoanswer;delay=0");
        }
        let mut branches = Vec::with_capacity(order.bindings.len());
        for (at, binding) in order.bindings.iter().enumerate() {
            let host = step.endpoint.address_towards(binding.flow);
            let mut headers = headers.clone();
            if let Some(by) = &order.referred_by {
                headers.push(HeaderName::ReferredBy, NameAddr::new(Uri::of(host).with_user(by)));
            }
            let invite = Invite {
                flow: binding.flow,
                uri: binding.contact.clone(),
                from: identity::to_phone(&order.shown, Uri::of(host)),
                to: NameAddr::new(Uri::of(host).with_user(order.extension)),
                route: binding.path.clone(),
                headers,
                body: None,
                credentials: None,
                answer_within: None,
                next_hop: NextHop::Flow,
            };
            // Whoever signs in under a cipher talks under one, if its phone can.
            let is_secured = matches!(binding.flow.transport, Transport::Tls | Transport::Wss);
            let wants = Wants {
                codecs: &order.codecs,
                wanted: &order.wanted,
                secrecy: if is_secured { Secrecy::Required } else { Secrecy::Welcome },
                or_plain: is_secured,
            };
            match branch::ring(step, &sound, order.key, at, invite, &wants) {
                Some(branch) => branches.push(branch),
                None => break,
            }
        }
        Self::ringing(step, order.key, branches, sound)
    }

    /// Calls a number through the first of these trunks that takes it; gives the trunk whose channel the leg has.
    pub fn call_trunk(step: &mut Step<'_>, errand: Errand, plans: Vec<TrunkPlan>) -> Result<(Self, TrunkKey), Reason> {
        let key = errand.key;
        let mut tries = Tries::new(step, errand, plans);
        let Found { branch, sound, .. } = tries.next(step)?;
        let trunk = tries.has().cloned().ok_or(Reason::NoRoute)?;
        let line = Self {
            tries: Some(Box::new(tries)),
            trunk: Some(trunk.clone()),
            ..Self::inviting(key, vec![branch], sound)
        };
        Ok((line, trunk))
    }

    fn ringing(step: &mut Step<'_>, key: LegKey, branches: Vec<Branch>, mut sound: Sound) -> Result<Self, Reason> {
        if branches.is_empty() {
            sound.close(step);
            return Err(Reason::Limit);
        }
        Ok(Self::inviting(key, branches, sound))
    }
}
