//! Begins the legs that we call: an extension's phones, each on a branch of its own, or a trunk.

use bytes::Bytes;
use media::WorkerId;
use model::{CallId, Codec, Reason, Trunk};
use sip::{Flow, HeaderName, Headers, Interface, Invite, Login, NameAddr, Transport, Uri};

use super::line::{Branch, SipLine, State, branch_key};
use super::sound::Sound;
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
}

impl SipLine {
    /// Rings all phones of an extension.
    pub fn call_phone(step: &mut Step<'_>, order: CallPhone<'_>) -> Result<Self, Reason> {
        let first = order.bindings.first().ok_or(Reason::Offline)?;
        let mut sound = Sound::open(step, order.key, order.worker, first.flow)?;
        let body = sound.offer(&order.codecs);
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
                from: from(&order.shown, Uri::of(host)),
                to: NameAddr::new(Uri::of(host).with_user(order.extension)),
                route: Vec::new(),
                headers: headers.clone(),
                body: Some(body.clone()),
                credentials: None,
            };
            match step.endpoint.invite(step.now.mono, branch_key(order.key, at), invite) {
                Ok(dialog) => branches.push(Branch { dialog, source: binding.flow.remote.ip(), refusal: None }),
                Err(_) => break,
            }
        }
        Self::inviting(step, branches, sound)
    }

    /// Calls a number through a trunk.
    pub fn call_trunk(step: &mut Step<'_>, order: CallTrunk<'_>) -> Result<Self, Reason> {
        let flow = flow_to(step, order.trunk).ok_or(Reason::NoRoute)?;
        let mut sound = Sound::open(step, order.key, order.worker, flow)?;
        let body = sound.offer(&order.codecs);
        let ours = Uri::of(step.endpoint.address_towards(flow));
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
            from: from(&order.shown, ours),
            to: NameAddr::new(target.clone()),
            uri: target,
            route: Vec::new(),
            headers: Headers::new().with(HeaderName::MaxForwards, order.hops_left.to_string()),
            body: Some(body),
            credentials,
        };
        let branches = match step.endpoint.invite(step.now.mono, branch_key(order.key, 0), invite) {
            Ok(dialog) => vec![Branch { dialog, source: flow.remote.ip(), refusal: None }],
            Err(_) => Vec::new(),
        };
        Self::inviting(step, branches, sound)
    }

    fn inviting(step: &mut Step<'_>, branches: Vec<Branch>, mut sound: Sound) -> Result<Self, Reason> {
        if branches.is_empty() {
            sound.close(step);
            return Err(Reason::Limit);
        }
        Ok(Self { state: State::Inviting { branches }, sound: Some(sound) })
    }
}

fn from(shown: &Shown, ours: Uri) -> NameAddr {
    let address = NameAddr::new(ours.with_user(&shown.number));
    match &shown.name {
        Some(name) => address.with_display(name.clone().into_bytes()),
        None => address,
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
