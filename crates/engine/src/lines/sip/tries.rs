//! A call that goes out by one trunk after the other, until one takes it: the places of the first, then the next trunk.
//!
//! The next is tried when no answer of any kind came in time, or one that says that this trunk cannot take the call now;
//! never once something has rung, and never when the network itself has refused.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::WorkerId;
use model::{Codec, Reason, Target, Trunk};
use sip::{HeaderName, Headers, Invite, NameAddr, NextHop, Response, Uri};

use super::branch::{self, Branch, Wants};
use super::identity;
use super::sound::{Peer, Sound};
use crate::caller::{Diversion, Presented};
use crate::key::{LegKey, TrunkKey};
use crate::limits::{Begun, Urgency};
use crate::step::Step;
use crate::trunks::{domain, flow_to, login, routes, uri_of};

/// How long a trunk may say nothing at all.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// How long other places are looked for, until the caller hears why there is none.
const TRY_FOR: Duration = Duration::from_secs(12);

/// The most places that are tried for one leg.
const MOST_TRIES: usize = 16;

/// What one trunk of a route is asked.
#[derive(Clone, Debug)]
pub struct TrunkPlan {
    /// Which trunk.
    pub key: TrunkKey,
    /// The number as it wants it.
    pub digits: String,
    /// What the call shows there.
    pub presented: Presented,
    /// Best first.
    pub codecs: Vec<Codec>,
}

/// What is the same for each trunk of a route.
#[derive(Debug)]
pub struct Errand {
    /// The leg.
    pub key: LegKey,
    /// Where the call's sound is, if it has a leg with sound.
    pub worker: Option<WorkerId>,
    /// Stands in Max-Forwards.
    pub hops_left: u8,
    /// Who passed the call on.
    pub diversions: Vec<Diversion>,
    /// The country of national numbers.
    pub country: String,
    /// What the other side of the call speaks.
    pub wanted: Vec<Codec>,
    /// Whether limits count.
    pub urgency: Urgency,
}

/// The trunks of a route that are tried for a leg.
#[derive(Debug)]
pub struct Tries {
    errand: Errand,
    /// Not tried.
    plans: VecDeque<TrunkPlan>,
    /// Being tried, and its places that are not.
    current: Option<(TrunkPlan, VecDeque<Target>)>,
    /// Whose channel the leg has.
    has: Option<TrunkKey>,
    give_up_at: Instant,
    tried: usize,
    rang: bool,
}

/// A trunk that is being called.
#[derive(Debug)]
pub struct Found {
    /// Its name.
    pub trunk: String,
    /// Its INVITE.
    pub branch: Branch,
    /// The sound that is offered there.
    pub sound: Sound,
}

impl Tries {
    /// Trunks that are tried in this order.
    pub fn new(step: &Step<'_>, errand: Errand, plans: Vec<TrunkPlan>) -> Self {
        Self {
            errand,
            plans: plans.into(),
            current: None,
            has: None,
            give_up_at: step.now.mono + TRY_FOR,
            tried: 0,
            rang: false,
        }
    }

    /// Whose channel the leg has.
    pub fn has(&self) -> Option<&TrunkKey> {
        self.has.as_ref()
    }

    /// Calls the next place there is. An error says why there is none; the leg then still has the channel it had.
    pub fn next(&mut self, step: &mut Step<'_>) -> Result<Found, Reason> {
        let mut last = Reason::NoRoute;
        while self.tried < MOST_TRIES && (self.tried == 0 || step.now.mono < self.give_up_at) {
            let Some((plan, target)) = self.place(step, &mut last) else { break };
            match self.call(step, &plan, &target) {
                Ok(found) => {
                    if self.has.as_ref() != Some(&plan.key)
                        && let Some(left) = self.has.replace(plan.key)
                    {
                        step.trunks.free(&left);
                    }
                    return Ok(found);
                }
                Err(reason) => last = reason,
            }
        }
        self.give_up(step);
        Err(last)
    }

    /// Something came from the trunk that is being called.
    pub fn heard(&mut self, step: &mut Step<'_>, response: &Response) {
        self.rang |= (180..200).contains(&response.status);
        if let Some((plan, _)) = &self.current {
            step.trunks.served(step.now, &plan.key, response);
        }
    }

    /// Nothing at all came from the trunk that is being called.
    pub fn heard_nothing(&mut self, step: &mut Step<'_>) {
        if let Some((plan, _)) = self.current.as_ref().filter(|_| !self.rang) {
            step.trunks.silent(&plan.key);
        }
    }

    /// Whether another place may be tried after this refusal.
    pub fn may_go_on(&self, status: u16) -> bool {
        !self.rang && matches!(status, 408 | 500 | 502 | 503 | 504)
    }

    /// The trunk that is being called, as it is set now.
    pub(super) fn trunk(&self, step: &Step<'_>) -> Option<Trunk> {
        let (plan, _) = self.current.as_ref()?;
        step.trunks.settings(&plan.key).cloned()
    }

    /// The next place: one of the trunk that is being called, or one of the next trunk that has a channel left.
    fn place(&mut self, step: &mut Step<'_>, last: &mut Reason) -> Option<(TrunkPlan, Target)> {
        loop {
            if let Some((plan, places)) = &mut self.current
                && let Some(target) = places.pop_front()
            {
                return Some((plan.clone(), target));
            }
            self.give_up(step);
            let plan = self.plans.pop_front()?;
            let urgency = self.errand.urgency;
            if urgency == Urgency::Usual && !step.trunks.takes_calls(step.now.mono, &plan.key) {
                *last = Reason::TrunksDown;
                continue;
            }
            match step.trunks.take(step.now.mono, &plan.key, Begun::ByUs, urgency) {
                Ok(()) => {
                    let places = step.trunks.places(&plan.key);
                    self.current = Some((plan, places));
                }
                Err(reason) => *last = reason,
            }
        }
    }

    /// Gives the channel of the trunk that was tried back, unless it is the leg's.
    fn give_up(&mut self, step: &mut Step<'_>) {
        if let Some((plan, _)) = self.current.take()
            && self.has.as_ref() != Some(&plan.key)
        {
            step.trunks.free(&plan.key);
        }
    }

    fn call(&mut self, step: &mut Step<'_>, plan: &TrunkPlan, target: &Target) -> Result<Found, Reason> {
        let trunk = step.trunks.settings(&plan.key).cloned().ok_or(Reason::NoRoute)?;
        let flow = flow_to(step.endpoint.interfaces(), &trunk, target).ok_or(Reason::NoRoute)?;
        let at = self.tried;
        self.tried += 1;
        let peer = Peer::trunk(&trunk);
        let secrecy = peer.secrecy;
        let mut sound = Sound::open(step, self.errand.key, self.errand.worker, flow, peer)?;
        let domain = domain(&trunk, flow, Uri::of(step.endpoint.address_towards(flow)));
        let Errand { diversions, country, hops_left, .. } = &self.errand;
        let told = identity::to_trunk(&trunk, country, &plan.presented, diversions, &domain);
        let uri = uri_of(&trunk, flow).with_user(&plan.digits);
        let mut headers = Headers::new().with(HeaderName::MaxForwards, hops_left.to_string());
        headers.extend(&told.headers);
        let left = self.give_up_at.saturating_duration_since(step.now.mono);
        let invite = Invite {
            flow,
            from: told.from,
            to: NameAddr::new(uri.clone()),
            uri,
            route: routes(&trunk, &step.trunks.service_route(&plan.key)),
            headers,
            body: None,
            credentials: login(&trunk),
            answer_within: Some(ANSWER_WITHIN.min(left)),
            next_hop: NextHop::Route,
        };
        let wants = Wants { codecs: &plan.codecs, wanted: &self.errand.wanted, secrecy, or_plain: false };
        match branch::ring(step, &sound, self.errand.key, at, invite, &wants) {
            Some(branch) => Ok(Found { trunk: trunk.name, branch, sound }),
            None => {
                sound.close(step);
                Err(Reason::Limit)
            }
        }
    }
}
