//! Begins the legs that we call: an extension's phones, each on a branch of its own, or a trunk.

use bytes::Bytes;
use media::WorkerId;
use model::{CallId, Codec, Reason, Trunk};
use sip::{Flow, HeaderName, Headers, Interface, Invite, Login, NameAddr, NextHop, Transport, Uri};

use super::inviting::{self, Branch, Wants};
use super::line::SipLine;
use super::negotiation::Secrecy;
use super::party;
use super::sound::{Peer, Sound};
use crate::key::LegKey;
use crate::registrar::Binding;
use crate::step::Step;

/// Who the called side is told is calling.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The number, in the form the called side is used to.
    pub number: String,
    /// A name, where there is one.
    pub name: Option<String>,
}

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

/// A call to the public network.
#[derive(Debug)]
pub struct CallTrunk<'a> {
    /// The leg.
    pub key: LegKey,
    /// Where the call's sound is, if it has a leg with sound.
    pub worker: Option<WorkerId>,
    /// The trunk; its address is known.
    pub trunk: &'a Trunk,
    /// Stands in Max-Forwards.
    pub hops_left: u8,
    /// The number as the trunk wants it.
    pub digits: String,
    /// Who calls.
    pub shown: Shown,
    /// Best first.
    pub codecs: Vec<Codec>,
    /// What the other side of the call speaks.
    pub wanted: Vec<Codec>,
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
            let invite = Invite {
                flow: binding.flow,
                uri: binding.contact.clone(),
                from: party(step, binding.flow, &order.shown.number, order.shown.name.as_deref()),
                to: NameAddr::new(Uri::of(host).with_user(order.extension)),
                route: Vec::new(),
                headers: headers.clone(),
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
            match inviting::ring(step, &sound, order.key, at, invite, &wants) {
                Some(branch) => branches.push(branch),
                None => break,
            }
        }
        Self::ringing(step, order.key, branches, sound)
    }

    /// Calls a number through a trunk.
    pub fn call_trunk(step: &mut Step<'_>, order: CallTrunk<'_>) -> Result<Self, Reason> {
        let flow = flow_to(step, order.trunk).ok_or(Reason::NoRoute)?;
        let peer = Peer::trunk(order.trunk);
        let secrecy = peer.secrecy;
        let sound = Sound::open(step, order.key, order.worker, flow, peer)?;
        let mut target = Uri::of(flow.remote).with_user(&order.digits);
        if let Some(transport) = flow.transport.uri_parameter() {
            target = target.with_param("transport", transport);
        }
        let credentials = match (&order.trunk.username, &order.trunk.password) {
            (Some(username), Some(password)) => Some(Login { username: username.clone(), password: password.clone() }),
            _ => None,
        };
        let invite = Invite {
            flow,
            from: party(step, flow, &order.shown.number, order.shown.name.as_deref()),
            to: NameAddr::new(target.clone()),
            uri: target,
            route: Vec::new(),
            headers: Headers::new().with(HeaderName::MaxForwards, order.hops_left.to_string()),
            body: None,
            credentials,
            answer_within: None,
            next_hop: NextHop::Route,
        };
        let wants = Wants { codecs: &order.codecs, wanted: &order.wanted, secrecy, or_plain: false };
        let branches = inviting::ring(step, &sound, order.key, 0, invite, &wants).into_iter().collect();
        Self::ringing(step, order.key, branches, sound)
    }

    fn ringing(step: &mut Step<'_>, key: LegKey, branches: Vec<Branch>, mut sound: Sound) -> Result<Self, Reason> {
        if branches.is_empty() {
            sound.close(step);
            return Err(Reason::Limit);
        }
        Ok(Self::inviting(key, branches, sound))
    }
}

/// The flow to a trunk: on the interface it names, else on the one by which it is reached.
fn flow_to(step: &Step<'_>, trunk: &Trunk) -> Option<Flow> {
    let target = trunk.resolved.first()?;
    let transport = match target.transport {
        model::Transport::Udp => Transport::Udp,
        model::Transport::Tcp => Transport::Tcp,
        model::Transport::Tls => Transport::Tls,
    };
    let remote = target.address;
    let interface = Interface::towards(step.endpoint.interfaces(), trunk.via.as_deref(), transport, remote.ip())?;
    Some(Flow { transport, interface, connection: 0, remote })
}
