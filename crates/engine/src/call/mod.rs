//! A call: its legs, its story, and the orders that stages give. Knows neither SIP nor any vendor.

pub mod consultation;
pub mod hunt;
pub mod leg;
pub mod measured;
pub mod offers;
pub mod orders;
pub mod pair;
mod recording;
pub mod stages;
pub mod story;
pub mod voice;
pub mod waiter;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use media::{Quality, WorkerId};
use model::{
    CallEvent, CallId, EndedBy, KeptKind, LegId, MeasuredLeg, Number, Party, Reason, Side, TenantId, TenantSettings,
};

use self::consultation::{Consultation, Past};
use self::leg::{Leg, LegState, Ordered, Voice};
use self::recording::Recordings;
use self::story::Story;
use crate::caller::{Caller, Shown};
use crate::edge::Output;
use crate::key::{LegIndex, LegKey, TrunkKey};
use crate::limits::{Begun, Urgency, Uses};
use crate::lines::{End, Gone, LegOrder, Line};
use crate::step::Step;

/// The most legs one call may ever have: no loop of transfers and no wait in a queue grows without bound.
const MAX_LEGS: usize = 500;

/// So often a caller may be led from one thing to another: menus and overflows that lead to each other come to an end.
const MOST_LED: u8 = 50;

/// Whoever began the call, or is called first in a click-to-call.
const FIRST: LegIndex = LegIndex(0);

/// How many switchboards a call that begins here may pass.
const HOPS: u8 = 70;

/// One conversation.
#[derive(Debug)]
pub struct Call {
    /// Its id: what clients and records call it.
    pub id: CallId,
    /// What the engine calls it from its beginning to its end, whatever becomes of its id.
    key: CallId,
    /// The settings it began with; it keeps them.
    pub settings: Arc<TenantSettings>,
    /// Its events and record.
    pub story: Story,
    /// How many switchboards it may still pass: calls that go round in circles end.
    pub hops_left: u8,
    /// Who calls, and by whom the call was passed on.
    pub caller: Caller,
    /// The extension that gave somebody away last: what is called on behalf of that somebody shows the extension's number.
    pub transferred_by: Option<String>,
    legs: Vec<Leg>,
    /// What it has taken of the limits for a leg that has not begun.
    reserved: Option<Uses>,
    /// All sessions of a call are on one worker, chosen with its first leg.
    worker: Option<WorkerId>,
    /// How often its caller was led somewhere.
    led: u8,
    /// By when a caller whom the switchboard itself answered has to have been brought to somebody.
    brought_by: Option<Instant>,
    recordings: Recordings,
    /// Where somebody is asked before the customer is transferred.
    consultation: Option<Consultation>,
    /// Stories that were told beside this one, and are over.
    past: Vec<Past>,
    /// How well the sound of legs that are over travelled.
    measured: Vec<MeasuredLeg>,
    over: bool,
}

/// A leg that is about to begin.
#[derive(Debug)]
pub struct NewLeg {
    /// Its side.
    pub side: Side,
    /// Whose it is.
    pub party: Party,
    /// Whether this party called us.
    pub caller: bool,
    /// What it takes of the limits; taken already.
    pub uses: Uses,
    /// How it is spoken to.
    pub line: Line,
}

impl Call {
    /// A call that has told nothing and has no legs.
    pub fn new(id: CallId, settings: Arc<TenantSettings>) -> Self {
        Self {
            id,
            key: id,
            settings,
            story: Story::new(id),
            hops_left: HOPS,
            caller: Caller::default(),
            transferred_by: None,
            legs: Vec::new(),
            reserved: None,
            worker: None,
            led: 0,
            brought_by: None,
            recordings: Recordings::default(),
            consultation: None,
            past: Vec::new(),
            measured: Vec::new(),
            over: false,
        }
    }

    /// The key of the next leg to begin, or why there can be none.
    pub fn next_leg(&self) -> Result<LegKey, Reason> {
        if self.legs.len() >= MAX_LEGS {
            return Err(Reason::Limit);
        }
        let leg = LegIndex(u16::try_from(self.legs.len()).map_err(|_| Reason::Limit)?);
        Ok(LegKey { tenant: self.settings.id, call: self.key, leg })
    }

    /// What the engine calls it.
    pub fn key(&self) -> CallId {
        self.key
    }

    /// The call in which the next leg is told: a consultation while there is one, else this.
    pub fn told_as(&self) -> CallId {
        self.consultation().unwrap_or(self.id)
    }

    /// Where the call's sound is, once it has a leg with sound.
    pub fn worker(&self) -> Option<WorkerId> {
        self.worker
    }

    /// Its caller is led somewhere. An error says why that was once too often.
    pub fn lead(&mut self) -> Result<(), Reason> {
        if self.led >= MOST_LED {
            return Err(Reason::Diverted);
        }
        self.led += 1;
        Ok(())
    }

    /// By when a caller whom the switchboard itself answered has to have been brought to somebody. None: it answered nobody.
    pub fn brought_by(&self) -> Option<Instant> {
        self.brought_by
    }

    /// Takes what a leg will use that begins later.
    pub fn reserve(&mut self, step: &mut Step<'_>, uses: Uses) -> Result<(), Reason> {
        step.take(&uses, Begun::ByUs, Urgency::Usual)?;
        self.reserved = Some(uses);
        Ok(())
    }

    /// Gives back what was reserved: the leg begins now, or never.
    pub fn release(&mut self, step: &mut Step<'_>) {
        if let Some(uses) = self.reserved.take() {
            step.free(&uses);
        }
    }

    /// Adds the leg that [`Call::next_leg`] named.
    pub fn begin_leg(&mut self, step: &mut Step<'_>, new: NewLeg) -> LegIndex {
        let id = if self.legs.is_empty() { self.id.first_leg() } else { step.ids.leg(step.now.wall) };
        if let Some((worker, _)) = new.line.session() {
            self.worker.get_or_insert(worker);
        }
        let told_in = self.told_as();
        // Whom a consultation rings is its other side, whatever it will be to the customer.
        let side = if told_in == self.id { new.side } else { Side::Customer };
        let started = CallEvent::LegStarted { leg: id, side, party: new.party.clone(), caller: new.caller };
        self.story_named(told_in).tell(step.now.wall, started);
        self.legs.push(Leg {
            id,
            told_in,
            side: new.side,
            party: new.party,
            line: new.line,
            state: LegState::Begun,
            uses: new.uses,
            ordered: Ordered::default(),
            voice: Voice::default(),
        });
        LegIndex((self.legs.len() - 1) as u16)
    }

    /// A leg. Indices come from [`Call::begin_leg`] alone and legs are never taken away.
    pub fn leg(&self, index: LegIndex) -> &Leg {
        &self.legs[usize::from(index.0)]
    }

    /// A leg, to be changed.
    pub fn leg_mut(&mut self, index: LegIndex) -> &mut Leg {
        &mut self.legs[usize::from(index.0)]
    }

    /// Whether there is such a leg and it is not over.
    pub fn is_live(&self, index: LegIndex) -> bool {
        self.legs.get(usize::from(index.0)).is_some_and(|leg| leg.state != LegState::Ended)
    }

    /// Whether a leg has rung.
    pub fn has_rung(&self, index: LegIndex) -> bool {
        let Leg { id, told_in, .. } = *self.leg(index);
        let consultation = self.consultation.as_ref().map(|consultation| &consultation.story);
        let told = consultation.filter(|story| story.callid() == told_in).unwrap_or(&self.story);
        let record = told.record();
        record.is_some_and(|record| record.legs.iter().any(|leg| leg.leg == id && leg.ringing_at.is_some()))
    }

    /// Whether a leg of this extension is live.
    pub fn has(&self, extension: &str) -> bool {
        self.legs.iter().any(|leg| leg.state != LegState::Ended && leg.party.extension() == Some(extension))
    }

    /// The lines of this extension's live legs.
    pub fn lines_of(&mut self, extension: &str) -> impl Iterator<Item = &mut Line> {
        let is_its = move |leg: &&mut Leg| leg.state != LegState::Ended && leg.party.extension() == Some(extension);
        self.legs.iter_mut().filter(is_its).map(|leg| &mut leg.line)
    }

    /// Whether nothing is left to happen.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether the two sides have been connected.
    pub fn is_connected(&self) -> bool {
        self.story.record().is_some_and(|record| record.answered_at.is_some())
    }

    /// How many legs it has ever had.
    pub fn legs_begun(&self) -> usize {
        self.legs.len()
    }

    /// How many legs are not over.
    pub fn live_legs(&self) -> usize {
        self.legs.iter().filter(|leg| leg.state != LegState::Ended).count()
    }

    /// Why a leg that is given up was not answered: as those phones that refused say, else as `silence` has it.
    pub fn unanswered(&self, index: LegIndex, silence: Reason) -> End {
        let leg = self.leg(index);
        let silence = match silence {
            Reason::NoAnswer if leg.state == LegState::Begun => Reason::Unavailable,
            silence => silence,
        };
        leg.line.refusal().unwrap_or_else(|| silence.into())
    }

    /// Gives a leg's line an order.
    pub fn order(&mut self, step: &mut Step<'_>, index: LegIndex, order: LegOrder) -> Result<(), Reason> {
        self.leg_mut(index).line.order(step, order)
    }

    /// A called leg rings. Told once.
    pub fn leg_rings(&mut self, step: &mut Step<'_>, index: LegIndex, early_sound: bool) {
        let leg = self.leg_mut(index);
        if leg.state != LegState::Begun {
            return;
        }
        leg.state = LegState::Ringing;
        let leg = leg.id;
        self.tell_of(step, index, CallEvent::LegRinging { leg, early_sound });
    }

    /// Another trunk is tried for a leg.
    pub fn leg_rerouted(&mut self, step: &mut Step<'_>, index: LegIndex, trunk: String, end: End) {
        let key = TrunkKey::named(&self.settings, &trunk);
        let leg = self.leg_mut(index);
        leg.uses = Uses::Trunk(key);
        if let Party::Outside { trunk: over, .. } = &mut leg.party {
            *over = Some(trunk.clone());
        }
        let rerouted = CallEvent::LegRerouted { leg: leg.id, trunk, reason: end.reason, sip: end.sip };
        self.tell_of(step, index, rerouted);
    }

    /// A leg is answered: from here on a BYE is owed, whatever happens to this engine.
    pub fn leg_answered(&mut self, step: &mut Step<'_>, index: LegIndex) {
        let leg = self.leg_mut(index);
        leg.state = LegState::Answered;
        let id = leg.id;
        let office = &mut *step.office;
        office.limits.minutes.answered(step.now, &office.settings.zone, &id);
        if let Some(stub) = leg.line.stub(step) {
            step.keep(KeptKind::Dialog, id.to_string(), Some(stub));
        }
        self.tell_of(step, index, CallEvent::LegAnswered { leg: id });
    }

    /// A party's phone puts the other on hold.
    pub fn leg_held(&mut self, step: &mut Step<'_>, index: LegIndex) {
        let Leg { id: leg, ordered, .. } = *self.leg(index);
        if !ordered.held {
            self.tell_of(step, index, CallEvent::LegHeld { leg });
        }
    }

    /// A party's phone takes the other back; a client that holds it too has to let it go besides.
    pub fn leg_resumed(&mut self, step: &mut Step<'_>, index: LegIndex) {
        let Leg { id: leg, ordered, .. } = *self.leg(index);
        if !ordered.held {
            self.tell_of(step, index, CallEvent::LegResumed { leg });
        }
    }

    /// A client puts the other side aside for a party, or takes it back; a phone that holds it too has to let it go besides.
    pub fn order_hold(&mut self, step: &mut Step<'_>, index: LegIndex, held: bool) {
        let leg = self.leg_mut(index);
        let was_held = std::mem::replace(&mut leg.ordered.held, held);
        if was_held == held || leg.line.holds() {
            return;
        }
        let leg = leg.id;
        self.tell_of(step, index, if held { CallEvent::LegHeld { leg } } else { CallEvent::LegResumed { leg } });
    }

    /// A client has it that a party is not heard, or is heard again.
    pub fn order_mute(&mut self, step: &mut Step<'_>, index: LegIndex, muted: bool) {
        let leg = self.leg_mut(index);
        if std::mem::replace(&mut leg.ordered.muted, muted) != muted {
            let leg = leg.id;
            self.tell_of(step, index, if muted { CallEvent::LegMuted { leg } } else { CallEvent::LegUnmuted { leg } });
        }
    }

    /// A party pressed a key, or a client did in its place.
    pub fn leg_key(&mut self, step: &mut Step<'_>, index: LegIndex, key: char) {
        let leg = self.leg(index).id;
        self.tell_of(step, index, CallEvent::LegKey { leg, key });
    }

    /// A leg ended by itself.
    pub fn leg_gone(&mut self, step: &mut Step<'_>, index: LegIndex, gone: Gone) {
        let by = if gone.by_party { self.ends_as(index) } else { EndedBy::Switchboard };
        self.end_leg(step, index, gone.end, by);
    }

    /// Who ends the call that tells of this leg when its party does.
    pub fn ends_as(&self, index: LegIndex) -> EndedBy {
        let leg = self.leg(index);
        if leg.told_in == self.id { leg.ends_as() } else { EndedBy::Customer }
    }

    /// Ends a leg: refuses a caller who was not answered, hangs up on everybody else.
    pub fn drop_leg(&mut self, step: &mut Step<'_>, index: LegIndex, end: End) {
        if !self.is_live(index) {
            return;
        }
        let leg = self.leg_mut(index);
        let answered = leg.state == LegState::Answered;
        // An order to end cannot fail: whatever the line is doing, it ends.
        let _ = leg.line.order(step, LegOrder::HangUp(end));
        let sip = if answered { 200 } else { end.sip };
        self.end_leg(step, index, end.with_sip(sip), EndedBy::Switchboard);
    }

    /// Refuses the caller with the status that the other side gave.
    pub fn refuse_leg(&mut self, step: &mut Step<'_>, index: LegIndex, end: End) {
        if !self.is_live(index) {
            return;
        }
        let _ = self.leg_mut(index).line.order(step, LegOrder::Refuse(end));
        self.end_leg(step, index, end, EndedBy::Switchboard);
    }

    /// Tells a party whom it talks with: as somebody would dial it, and the name where one is known.
    pub fn identify(&mut self, step: &mut Step<'_>, index: LegIndex, other: LegIndex) {
        if self.leg(index).party.extension().is_none() {
            return;
        }
        let (number, name) = match self.shown(other) {
            Shown { private: true, .. } => ("anonymous".to_owned(), Some("Anonymous".to_owned())),
            Shown { number, name, .. } => (number, name),
        };
        // A phone that cannot be told goes on showing whom it called.
        let _ = self.order(step, index, LegOrder::Identify { number, name });
    }

    /// How a party is shown to others: the caller as it said, anybody else under its own number.
    pub fn shown(&self, index: LegIndex) -> Shown {
        if index == FIRST {
            return self.caller.shown.clone();
        }
        match &self.leg(index).party {
            Party::Outside { number, .. } => {
                let parsed = Number::parse(number.as_str(), &self.settings.country);
                let national = parsed.map(|number| number.national(&self.settings.country));
                Shown { number: national.unwrap_or_else(|_| number.to_string()), name: None, private: false }
            }
            inside => {
                let number = inside.number();
                let name = self.settings.extensions.get(number).map(|extension| extension.name.clone());
                Shown { number: number.to_owned(), name, private: false }
            }
        }
    }

    /// Both sides are answered: they hear each other, the conversation begins, and is recorded if one of them is to be.
    pub fn connect(&mut self, step: &mut Step<'_>, a: LegIndex, b: LegIndex) {
        self.join(step, a, b);
        let (agent, customer) = self.sides(a, b);
        let connected = CallEvent::Connected { agent: self.leg(agent).id, customer: self.leg(customer).id };
        self.story.tell(step.now.wall, connected);
        self.record_these(step, a, b);
    }

    /// Ends the call: whoever is left is hung up on, and the last event is told.
    pub fn finish(&mut self, step: &mut Step<'_>, end: End, by: EndedBy) {
        if self.over {
            return;
        }
        self.end_consultation(step, end, by);
        for index in 0..self.legs.len() {
            self.drop_leg(step, LegIndex(index as u16), end);
        }
        self.release(step);
        self.stop_recording(step);
        self.over = true;
        step.office.limits.end_call();
        let End { reason, sip, cause, .. } = end;
        self.story.tell(step.now.wall, CallEvent::Ended { reason, sip, cause, by, merged_into: None });
    }

    /// How well the sound of a leg that is over travelled. Gives it back with the call that tells of it, if that is over.
    pub fn measure(&mut self, index: LegIndex, quality: &Quality) -> Option<(CallId, MeasuredLeg)> {
        let leg = self.legs.get(usize::from(index.0))?;
        let measured = measured::of(leg.id, quality)?;
        if leg.told_in != self.id {
            return Some((leg.told_in, measured));
        }
        self.measured.push(measured);
        None
    }

    /// Its legs by their index, each with the call that tells of it.
    pub fn leg_ids(&self) -> Vec<(LegId, CallId)> {
        self.legs.iter().map(|leg| (leg.id, leg.told_in)).collect()
    }

    /// Puts out what this step told: first beside the call, then of it, so that whoever is named is known.
    pub fn flush(&mut self, tenant: TenantId, out: &mut VecDeque<Output>) {
        for past in &mut self.past {
            past.story.flush(tenant, out);
        }
        if let Some(consultation) = &mut self.consultation {
            consultation.story.flush(tenant, out);
        }
        self.story.flush(tenant, out);
    }

    /// The stories beside this one that are over; they are put out.
    pub fn take_past(&mut self) -> Vec<Past> {
        std::mem::take(&mut self.past)
    }

    /// What is left of the call when it is over.
    pub fn into_past(mut self) -> Past {
        let recordings = self.open_recordings();
        Past { story: self.story, measured: self.measured, recordings }
    }

    fn end_leg(&mut self, step: &mut Step<'_>, index: LegIndex, end: End, by: EndedBy) {
        let leg = self.leg_mut(index);
        if leg.state == LegState::Ended {
            return;
        }
        let answered = leg.state == LegState::Answered;
        leg.state = LegState::Ended;
        let id = leg.id;
        step.free(&leg.uses);
        let office = &mut *step.office;
        office.limits.minutes.ended(step.now, &office.settings.zone, &id);
        if answered {
            step.keep(KeptKind::Dialog, id.to_string(), None);
        }
        self.tell_ended(step, index, end, by);
    }

    /// Tells the end of a leg, in the call that tells of it.
    fn tell_ended(&mut self, step: &mut Step<'_>, index: LegIndex, end: End, by: EndedBy) {
        let End { reason, sip, cause, .. } = end;
        let leg = self.leg(index).id;
        self.tell_of(step, index, CallEvent::LegEnded { leg, reason, sip, cause, by });
    }

    /// Tells of a leg, in the call that tells of it.
    fn tell_of(&mut self, step: &mut Step<'_>, index: LegIndex, what: CallEvent) {
        let told_in = self.leg(index).told_in;
        self.story_named(told_in).tell(step.now.wall, what);
    }

    /// The consultation's story, or else the call's.
    fn story_named(&mut self, id: CallId) -> &mut Story {
        match &mut self.consultation {
            Some(consultation) if consultation.story.callid() == id => &mut consultation.story,
            _ => &mut self.story,
        }
    }
}
