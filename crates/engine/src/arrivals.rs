//! What comes from outside of a dialog: calls from phones and trunks, registrations, and what nobody may ask for.

use std::sync::Arc;

use model::{
    CallEvent, Direction, ExtensionEvent, Feature, Number, Origin, Party, Reason, RoutedBy, Side, TenantSettings, Text,
    TrunkEvent,
};
use sip::{HeaderName, Incoming, Method, NameAddr, Response};

use crate::abilities::ALLOW;
use crate::call::stages::Stage;
use crate::call::{Call, NewLeg};
use crate::caller::{Caller, Shown};
use crate::edge::{Output, SignIn, Whose, Wire};
use crate::key::TrunkKey;
use crate::limits::{Begun, Urgency, Uses};
use crate::lines::Line;
use crate::lines::sip::{Gatekeeper, Peer, Said, SipLine, Visitor, extension_of, hides_caller, register, said_by};
use crate::live::Live;
use crate::ring;
use crate::routing::{self, Lead, lead};
use crate::step::Step;

/// How long a caller is asked to wait before trying again, in seconds.
const RETRY_AFTER: &str = "10";

/// What a request outside of a dialog begins.
pub enum Arrived {
    /// A call.
    Call(Live),
    /// A leg of a call that rings elsewhere, if there is one.
    PickUp(PickUp),
}

/// A phone that takes a call which rings elsewhere.
pub struct PickUp {
    /// Whose phone.
    pub extension: String,
    /// Its line; taken already.
    pub uses: Uses,
    /// The extension that is rung. None: any of the own pick-up group.
    pub from: Option<String>,
    /// Its INVITE.
    pub incoming: Incoming,
}

/// What a request outside of a dialog leads to.
pub struct Arrival<'a, 'b> {
    /// What the engine lends.
    pub step: &'a mut Step<'b>,
    /// Knows who is who.
    pub gate: &'a mut Gatekeeper,
    /// Why no call is taken at the moment, if none is.
    pub closed: Option<Reason>,
}

impl Arrival<'_, '_> {
    /// Answers a request, and gives what it begins.
    pub fn take(mut self, whose: &Whose, incoming: Incoming) -> Option<Arrived> {
        match (&incoming.request.method, whose) {
            (Method::Invite, Whose::Trunk { trunk, did, .. }) => {
                self.call_from_trunk(trunk, did, incoming).map(Arrived::Call)
            }
            (Method::Invite, _) => self.call_from_phone(incoming),
            (Method::Register, _) => {
                self.registration(incoming);
                None
            }
            (Method::Options, _) => {
                self.refuse(&incoming, 200);
                None
            }
            (Method::Other(_), _) => {
                self.refuse(&incoming, 501);
                None
            }
            _ => {
                self.refuse(&incoming, 405);
                None
            }
        }
    }

    fn registration(&mut self, incoming: Incoming) {
        let Some(extension) = self.signed_in(&incoming) else { return };
        // Nobody signs another extension's phone in (RFC 3261, 10.3 step 4).
        if !self.is_named(incoming.request.headers.to().ok(), &extension) {
            self.tell_refused(&extension, "registering another extension's phone", Reason::NotAllowed);
            self.refuse(&incoming, 403);
            return;
        }
        let response = register(self.step, &extension, &incoming);
        if let Ok(server) = self.step.endpoint.open(self.step.now.mono, incoming) {
            self.step.endpoint.respond(self.step.now.mono, server, response);
        }
    }

    fn call_from_phone(&mut self, incoming: Incoming) -> Option<Arrived> {
        let settings = Arc::clone(&self.step.office.settings);
        let extension = self.signed_in(&incoming)?;
        if !self.is_named(incoming.request.headers.from().ok(), &extension) {
            let why = "calling under another name than the one it signed in with";
            self.tell_refused(&extension, why, Reason::NotAllowed);
            self.refuse(&incoming, 403);
            return None;
        }
        let dialled = dialled(&incoming);
        let uses = Uses::Line(extension.clone());
        if let Some((Feature::PickUp, from)) = settings.feature_codes.find(&dialled) {
            return self.pick_up(extension, from, incoming);
        }
        if let Err(reason) = self.admit(&uses, Begun::ByUs, routing::urgency(&settings, &dialled)) {
            self.tell_refused(&extension, reason.sentence(model::Language::En), reason);
            self.refuse(&incoming, reason.sip());
            return None;
        }
        let lead = lead::inside(&settings, self.step.now.wall, &dialled);
        let to = party_called(&lead, &dialled);
        let direction = match &to {
            Party::Outside { .. } => Direction::Outbound,
            _ => Direction::Local,
        };
        let did = (direction == Direction::Outbound)
            .then(|| ring::caller_id(&settings, Some(&extension)))
            .flatten()
            .map(|number| Text::from(number.international()));
        let name = settings.extensions.get(&extension).map(|from| from.name.clone());
        let private = hides_caller(&incoming.request.headers);
        let plan = Plan {
            origin: Origin::Phone,
            direction,
            from: Party::Extension { number: extension.clone() },
            to,
            did,
            side: if direction == Direction::Local { Side::Customer } else { Side::Agent },
            uses,
            caller: Caller::new(Shown { number: extension, name, private }, None),
            by_hours: lead::goes_by_hours(&settings, &dialled),
        };
        self.begin(incoming, plan, lead).map(Arrived::Call)
    }

    /// A phone takes a call that rings elsewhere: what it needs of the limits is its line alone, for the call is there.
    fn pick_up(&mut self, extension: String, from: &str, incoming: Incoming) -> Option<Arrived> {
        let uses = Uses::Line(extension.clone());
        let taken = match self.closed {
            Some(reason) => Err(reason),
            None => self.step.take(&uses, Begun::ByUs, Urgency::Usual),
        };
        match taken {
            Ok(()) => {
                let from = (!from.is_empty()).then(|| from.to_owned());
                Some(Arrived::PickUp(PickUp { extension, uses, from, incoming }))
            }
            Err(reason) => {
                self.tell_refused(&extension, reason.sentence(model::Language::En), reason);
                self.refuse(&incoming, reason.sip());
                None
            }
        }
    }

    fn call_from_trunk(&mut self, trunk: &str, did: &str, incoming: Incoming) -> Option<Live> {
        let settings = Arc::clone(&self.step.office.settings);
        let Some(from) = settings.trunks.iter().find(|known| known.name == trunk) else {
            self.refuse(&incoming, 403);
            return None;
        };
        let key = TrunkKey::of(settings.id, from);
        self.step.trunks.has_called(self.step.now, &key);
        let uses = Uses::Trunk(key);
        if let Err(reason) = self.admit(&uses, Begun::ByCarrier, Urgency::Usual) {
            let what = TrunkEvent::Refused { reason, to: Text::from(did) };
            self.step.office.tell_trunk(self.step.now, trunk, what, self.step.out);
            self.refuse(&incoming, reason.sip());
            return None;
        }
        let Said { written, name, private, diversions, diverted } = said_by(from, &incoming.request.headers);
        let number = Number::parse(written.as_str(), &settings.country).ok();
        let shown = number.as_ref().map_or_else(|| written.to_string(), |number| number.national(&settings.country));
        let over = Some(trunk.to_owned());
        let customer = match &number {
            Some(number) => Party::outside(number, written.as_str(), over),
            None => Party::Outside { number: written, shown: None, trunk: over },
        };
        let caller = Caller::new(Shown { number: shown, name, private }, number).diverted(diversions, diverted);
        let lead = match lead::outside(&settings, self.step.now.wall, did) {
            Ok(_) if caller.is_lost() => Err(Reason::Diverted),
            lead => lead,
        };
        let number = || Party::Outside { number: Text::from(format!("+{did}")), shown: None, trunk: None };
        let to = lead.as_ref().ok().and_then(Lead::party).unwrap_or_else(number);
        let plan = Plan {
            origin: Origin::Trunk,
            direction: Direction::Inbound,
            from: customer,
            to,
            did: Some(Text::from(did)),
            side: Side::Customer,
            uses,
            caller,
            by_hours: lead::goes_by_hours(&settings, did),
        };
        self.begin(incoming, plan, lead)
    }

    /// The extension that signed in with this request; None: it was challenged, and nothing is kept.
    fn signed_in(&mut self, incoming: &Incoming) -> Option<String> {
        let source = incoming.flow.remote.ip();
        let (extension, answered) = match self.gate.ask(self.step.now, &self.step.office.settings, incoming) {
            Visitor::Extension(extension) => (Ok(extension), Some(SignIn { source, right: true })),
            Visitor::Wrong(challenge) => (Err(challenge), Some(SignIn { source, right: false })),
            Visitor::Stranger(response) => (Err(response), None),
        };
        if let Some(sign_in) = answered {
            self.step.out.push_back(Output::Wire(Wire::SignIn(sign_in)));
        }
        extension.map_err(|response| self.step.endpoint.answer_stateless(incoming, response)).ok()
    }

    /// Accepts the call: from here on it leaves a record, however it ends.
    fn begin(&mut self, incoming: Incoming, plan: Plan, lead: Result<Lead<'_>, Reason>) -> Option<Live> {
        let step = &mut *self.step;
        let mut call = Call::new(step.ids.call(step.now.wall), Arc::clone(&step.office.settings));
        let key = call.next_leg().ok()?;
        if let Ok(Some(hops)) = incoming.request.headers.max_forwards() {
            call.hops_left = hops.saturating_sub(1);
        }
        let peer = peer(&call.settings, &plan.uses, &incoming);
        let Ok((mut line, trouble)) = SipLine::accept(step, key, None, incoming, peer) else {
            step.free(&plan.uses);
            step.office.limits.end_call();
            return None;
        };
        let started = CallEvent::Started {
            origin: plan.origin,
            direction: plan.direction,
            from: plan.from.clone(),
            to: plan.to,
            did: plan.did,
            about: None,
        };
        if let Uses::Trunk(trunk) = &plan.uses {
            line.belongs_to(step, trunk);
        }
        call.story.tell(step.now.wall, started);
        call.caller = plan.caller;
        let line = Line::Sip(line);
        let new = NewLeg { side: plan.side, party: plan.from, caller: true, uses: plan.uses, line };
        let caller = call.begin_leg(step, new);
        if let Some(to) = lead.as_ref().ok().filter(|_| plan.by_hours).and_then(Lead::party) {
            call.story.tell(step.now.wall, CallEvent::Routed { to, by: RoutedBy::Hours, why: None });
        }
        let stage = match (trouble, lead) {
            (Some(end), _) => Stage::refuse(&mut call, step, caller, end),
            (None, Err(reason)) => Stage::refuse(&mut call, step, caller, reason.into()),
            (None, Ok(lead)) => Stage::enter(&mut call, step, caller, lead),
        };
        Some(Live::new(call, stage))
    }

    /// The check and the count of what a new call needs.
    fn admit(&mut self, uses: &Uses, begun: Begun, urgency: Urgency) -> Result<(), Reason> {
        if let Some(reason) = self.closed {
            return Err(reason);
        }
        let now = self.step.now.mono;
        let office = &mut *self.step.office;
        office.limits.start_call(now, &office.settings, urgency)?;
        self.step.take(uses, begun, urgency).inspect_err(|_| self.step.office.limits.end_call())
    }

    /// Whether an address names the extension that signed in, by its number or by one of its authentication names.
    fn is_named(&self, address: Option<NameAddr>, extension: &str) -> bool {
        let Some(user) = address.as_ref().and_then(|address| address.uri.user_text()) else { return false };
        std::str::from_utf8(&user).is_ok_and(|user| extension_of(&self.step.office.settings.name, user) == extension)
    }

    fn tell_refused(&mut self, extension: &str, why: &str, reason: Reason) {
        let what = ExtensionEvent::Refused { why: Text::from(why), reason: Some(reason) };
        self.step.office.tell_extension(self.step.now, extension, what, self.step.out);
    }

    fn refuse(&mut self, incoming: &Incoming, status: u16) {
        let mut response: Response = incoming.request.response(status);
        match status {
            200 | 405 | 501 => response.headers.push(HeaderName::Allow, ALLOW),
            503 => response.headers.push(HeaderName::RetryAfter, RETRY_AFTER),
            _ => {}
        }
        self.step.endpoint.answer_stateless(incoming, response);
    }
}

/// What is known of a call before it begins.
struct Plan {
    origin: Origin,
    direction: Direction,
    from: Party,
    to: Party,
    did: Option<Text>,
    side: Side,
    uses: Uses,
    caller: Caller,
    /// Whether the company's hours have decided whom it reaches.
    by_hours: bool,
}

/// What is known of the caller's sound before it says a word.
fn peer(settings: &TenantSettings, uses: &Uses, incoming: &Incoming) -> Peer {
    let trunk = match uses {
        Uses::Trunk(key) => settings.trunks.iter().find(|trunk| trunk.name == key.name),
        Uses::Line(_) => None,
    };
    trunk.map_or_else(|| Peer::phone(incoming.flow.remote.ip()), Peer::trunk)
}

/// The user part of the request URI, as text; long or broken ones reach nobody.
fn dialled(incoming: &Incoming) -> String {
    let user = incoming.request.uri.user_text().unwrap_or_default();
    Text::lossy(&user).as_str().chars().take(64).collect()
}

fn party_called(lead: &Result<Lead<'_>, Reason>, dialled: &str) -> Party {
    let known = lead.as_ref().map(Lead::party);
    match known {
        Ok(Some(party)) => party,
        Ok(None) => Party::Extension { number: dialled.to_owned() },
        Err(Reason::NoRoute | Reason::DestinationClosed) => {
            Party::Outside { number: Text::from(dialled), shown: None, trunk: None }
        }
        Err(_) => Party::Extension { number: dialled.to_owned() },
    }
}
