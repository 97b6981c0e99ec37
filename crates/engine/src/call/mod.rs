//! A call: its legs, its story, and the orders that stages give. Knows neither SIP nor any vendor.

pub mod hunt;
pub mod leg;
pub mod measured;
pub mod stages;
pub mod story;

use std::sync::Arc;

use media::{Order, Quality, RecordingKey, Sound, WorkerId};
use model::{
    CallEvent, CallId, EndedBy, KeptKind, LegId, MeasuredLeg, Party, Reason, RecordingEvent, RecordingId, Side,
    TenantSettings,
};

use self::leg::{Leg, LegState};
use self::story::Story;
use crate::caller::Caller;
use crate::edge::Now;
use crate::key::{LegIndex, LegKey, TrunkKey};
use crate::limits::Uses;
use crate::lines::{End, Gone, LegOrder, Line};
use crate::step::Step;

/// The most legs one call may ever have: no loop of transfers grows without bound.
const MAX_LEGS: usize = 64;

/// How many switchboards a call that begins here may pass.
const HOPS: u8 = 70;

/// One conversation.
#[derive(Debug)]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// The settings it began with; it keeps them.
    pub settings: Arc<TenantSettings>,
    /// Its events and record.
    pub story: Story,
    /// How many switchboards it may still pass: calls that go round in circles end.
    pub hops_left: u8,
    /// Who calls, and by whom the call was passed on.
    pub caller: Caller,
    legs: Vec<Leg>,
    /// All sessions of a call are on one worker, chosen with its first leg.
    worker: Option<WorkerId>,
    recording: Option<(RecordingKey, WorkerId)>,
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
            settings,
            story: Story::new(id),
            hops_left: HOPS,
            caller: Caller::default(),
            legs: Vec::new(),
            worker: None,
            recording: None,
            measured: Vec::new(),
            over: false,
        }
    }

    /// The key of the next leg to begin, or why there can be none.
    pub fn next_leg(&self) -> Result<LegKey, Reason> {
        if self.legs.len() >= MAX_LEGS {
            return Err(Reason::Limit);
        }
        let leg = LegIndex(u8::try_from(self.legs.len()).map_err(|_| Reason::Limit)?);
        Ok(LegKey { tenant: self.settings.id, call: self.id, leg })
    }

    /// Where the call's sound is, once it has a leg with sound.
    pub fn worker(&self) -> Option<WorkerId> {
        self.worker
    }

    /// Adds the leg that [`Call::next_leg`] named.
    pub fn begin_leg(&mut self, step: &mut Step<'_>, new: NewLeg) -> LegIndex {
        let id = if self.legs.is_empty() { self.id.first_leg() } else { step.ids.leg(step.now.wall) };
        if let Some((worker, _)) = new.line.session() {
            self.worker.get_or_insert(worker);
        }
        self.story.tell(
            step.now.wall,
            CallEvent::LegStarted { leg: id, side: new.side, party: new.party.clone(), caller: new.caller },
        );
        self.legs.push(Leg {
            id,
            side: new.side,
            party: new.party,
            line: new.line,
            state: LegState::Begun,
            uses: new.uses,
        });
        LegIndex((self.legs.len() - 1) as u8)
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
        let id = self.leg(index).id;
        let record = self.story.record();
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
        self.story.tell(step.now.wall, CallEvent::LegRinging { leg, early_sound });
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
        self.story.tell(step.now.wall, rerouted);
    }

    /// A leg is answered: from here on a BYE is owed, whatever happens to this engine.
    pub fn leg_answered(&mut self, step: &mut Step<'_>, index: LegIndex) {
        let leg = self.leg_mut(index);
        leg.state = LegState::Answered;
        let id = leg.id;
        if let Some(stub) = leg.line.stub(step) {
            step.keep(KeptKind::Dialog, id.to_string(), Some(stub));
        }
        self.story.tell(step.now.wall, CallEvent::LegAnswered { leg: id });
    }

    /// A party puts the other on hold.
    pub fn leg_held(&mut self, step: &mut Step<'_>, index: LegIndex) {
        let leg = self.leg(index).id;
        self.story.tell(step.now.wall, CallEvent::LegHeld { leg });
    }

    /// A party takes the other back.
    pub fn leg_resumed(&mut self, step: &mut Step<'_>, index: LegIndex) {
        let leg = self.leg(index).id;
        self.story.tell(step.now.wall, CallEvent::LegResumed { leg });
    }

    /// A leg ended by itself.
    pub fn leg_gone(&mut self, step: &mut Step<'_>, index: LegIndex, gone: Gone) {
        let by = if gone.by_party { self.leg(index).ends_as() } else { EndedBy::Switchboard };
        self.end_leg(step, index, gone.end, by);
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

    /// Lets two legs hear each other.
    pub fn join(&mut self, step: &mut Step<'_>, a: LegIndex, b: LegIndex) {
        if let (Some((worker, a)), Some((_, b))) = (self.leg(a).line.session(), self.leg(b).line.session()) {
            step.media(worker, Order::Join { a, b });
        }
    }

    /// A leg hears nobody, and nobody hears it.
    pub fn part(&mut self, step: &mut Step<'_>, index: LegIndex) {
        if let Some((worker, session)) = self.leg(index).line.session() {
            step.media(worker, Order::Part { session });
        }
    }

    /// Whether others hear silence in place of what a leg says; the recording does too.
    pub fn mute(&mut self, step: &mut Step<'_>, index: LegIndex, muted: bool) {
        if let Some((worker, session)) = self.leg(index).line.session() {
            step.media(worker, Order::Mute { session, muted });
        }
    }

    /// Plays a tone to a leg until it is stopped.
    pub fn play(&mut self, step: &mut Step<'_>, index: LegIndex, sound: Sound) {
        if let Some((worker, session)) = self.leg(index).line.session() {
            step.media(worker, Order::Play { session, sound });
        }
    }

    /// Ends what is played to a leg.
    pub fn stop_playing(&mut self, step: &mut Step<'_>, index: LegIndex) {
        if let Some((worker, session)) = self.leg(index).line.session() {
            step.media(worker, Order::Stop { session });
        }
    }

    /// Both sides are answered: they hear each other, the conversation begins, and is recorded if one of them is to be.
    pub fn connect(&mut self, step: &mut Step<'_>, a: LegIndex, b: LegIndex) {
        self.join(step, a, b);
        let (agent, customer) = if self.leg(a).side == Side::Agent { (a, b) } else { (b, a) };
        let connected = CallEvent::Connected { agent: self.leg(agent).id, customer: self.leg(customer).id };
        self.story.tell(step.now.wall, connected);
        if self.is_recorded(a) || self.is_recorded(b) {
            self.start_recording(step, agent, customer);
        }
    }

    /// Ends the call: whoever is left is hung up on, and the last event is told.
    pub fn finish(&mut self, step: &mut Step<'_>, end: End, by: EndedBy) {
        if self.over {
            return;
        }
        for index in 0..self.legs.len() {
            self.drop_leg(step, LegIndex(index as u8), end);
        }
        if let Some((recording, worker)) = self.recording {
            step.media(worker, Order::StopRecording { recording });
        }
        self.over = true;
        step.office.limits.end_call();
        let End { reason, sip, cause, .. } = end;
        self.story.tell(step.now.wall, CallEvent::Ended { reason, sip, cause, by, merged_into: None });
    }

    /// How well the sound of a leg that is over travelled.
    pub fn measure(&mut self, leg: LegIndex, quality: &Quality) {
        if let Some(leg) = self.legs.get(usize::from(leg.0)) {
            self.measured.extend(measured::of(leg.id, quality));
        }
    }

    /// Its legs, by their index.
    pub fn leg_ids(&self) -> Vec<LegId> {
        self.legs.iter().map(|leg| leg.id).collect()
    }

    /// What is left of the call when it is over: its story, and what was measured of its sound.
    pub fn into_story(self) -> (Story, Vec<MeasuredLeg>) {
        (self.story, self.measured)
    }

    /// The recording that is still being written when the call is over.
    pub fn recording(&self) -> Option<RecordingKey> {
        self.recording.map(|(recording, _)| recording)
    }

    /// The last event of the call's recording, which came before the call's own.
    pub fn recording_done(&mut self, now: Now, id: RecordingId, what: RecordingEvent) {
        self.recording = None;
        self.story.tell_recording(now.wall, id, what);
    }

    fn end_leg(&mut self, step: &mut Step<'_>, index: LegIndex, end: End, by: EndedBy) {
        let leg = self.leg_mut(index);
        if leg.state == LegState::Ended {
            return;
        }
        let End { reason, sip, cause, .. } = end;
        let answered = leg.state == LegState::Answered;
        leg.state = LegState::Ended;
        let id = leg.id;
        step.free(&leg.uses);
        if answered {
            step.keep(KeptKind::Dialog, id.to_string(), None);
        }
        self.story.tell(step.now.wall, CallEvent::LegEnded { leg: id, reason, sip, cause, by });
    }

    fn is_recorded(&self, index: LegIndex) -> bool {
        let extension = self.leg(index).party.extension();
        extension.and_then(|number| self.settings.extensions.get(number)).is_some_and(|extension| extension.record)
    }

    fn start_recording(&mut self, step: &mut Step<'_>, agent: LegIndex, customer: LegIndex) {
        let (Some((worker, agent)), Some((_, customer))) =
            (self.leg(agent).line.session(), self.leg(customer).line.session())
        else {
            return;
        };
        let recording = step.ids.recording();
        let day = step.now.wall.strftime("%Y-%m-%d");
        let file = format!("{}/{day}/{}.wav", self.settings.name, self.id);
        step.media(worker, Order::Record { recording, file: file.clone().into(), customer, agent });
        step.sounds.recording(recording, self.settings.id, self.id);
        self.recording = Some((recording, worker));
        let id = self.id.first_recording();
        self.story.tell_recording(step.now.wall, id, RecordingEvent::Started { file });
    }
}
