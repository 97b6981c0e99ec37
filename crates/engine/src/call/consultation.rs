//! A consultation: the call between somebody who transfers and the target, with an id, a record and a last event of its
//! own (readings 5). Its legs are the customer's call's; the story of a leg that it has begun is told here until the two
//! calls become one, or the customer leaves and the call goes on as the consultation.

use media::RecordingKey;
use model::{CallEvent, CallId, Direction, EndedBy, MeasuredLeg, Origin, Party, Reason, Side, Text};

use super::Call;
use super::leg::LegState;
use super::story::Story;
use crate::key::LegIndex;
use crate::lines::End;
use crate::step::Step;

/// A consultation that is live.
#[derive(Debug)]
pub struct Consultation {
    pub(super) story: Story,
    /// Who transfers. Its leg is in both records.
    agent: LegIndex,
}

/// A story that has told its last event, and what may still be told of it.
#[derive(Debug)]
pub struct Past {
    /// The story.
    pub story: Story,
    /// What was measured of its legs so far.
    pub measured: Vec<MeasuredLeg>,
    /// Its recordings that are still being written.
    pub recordings: Vec<RecordingKey>,
}

impl Call {
    /// Somebody in the call is about to ask `to`: a call of its own begins, and the legs that follow are told in it.
    pub fn begin_consultation(
        &mut self,
        step: &mut Step<'_>,
        agent: LegIndex,
        direction: Direction,
        to: Party,
        did: Option<Text>,
    ) -> CallId {
        let id = step.ids.call(step.now.wall);
        let at = step.now.wall;
        let mut story = Story::new(id);
        let leg = self.leg(agent);
        let from = leg.party.clone();
        let (origin, about) = (Origin::Consultation, Some(self.id));
        story.tell(at, CallEvent::Started { origin, direction, from: from.clone(), to, did, about });
        story.tell(at, CallEvent::LegStarted { leg: leg.id, side: Side::Agent, party: from, caller: true });
        story.tell(at, CallEvent::LegAnswered { leg: leg.id });
        self.consultation = Some(Consultation { story, agent });
        id
    }

    /// A consultation that could not ring anybody never was.
    pub fn forget_consultation(&mut self, step: &mut Step<'_>) {
        self.consultation = None;
        step.office.limits.end_call();
    }

    /// The consultation that is live.
    pub fn consultation(&self) -> Option<CallId> {
        self.consultation.as_ref().map(|consultation| consultation.story.callid())
    }

    /// Somebody whom the consultation has rung answered, and the two hear each other.
    pub fn consultation_connected(&mut self, step: &mut Step<'_>, agent: LegIndex, target: LegIndex) {
        self.join(step, agent, target);
        let (agent, customer) = (self.leg(agent).id, self.leg(target).id);
        if let Some(consultation) = &mut self.consultation {
            consultation.story.tell(step.now.wall, CallEvent::Connected { agent, customer });
        }
    }

    /// The consultation is over, and so are the legs that it has begun.
    pub fn end_consultation(&mut self, step: &mut Step<'_>, end: End, by: EndedBy) {
        if let Some(id) = self.consultation() {
            for index in self.legs_told_in(id) {
                self.drop_leg(step, index, end);
            }
            self.close_consultation(step, end, by, None);
        }
    }

    /// The consultation becomes a part of the customer's call, which gains the legs that it has begun.
    pub fn merge_consultation(&mut self, step: &mut Step<'_>, by: EndedBy) {
        let Some(id) = self.consultation() else { return };
        let end = End::from(Reason::Merged);
        for index in self.legs_told_in(id) {
            let state = self.leg(index).state;
            if state != LegState::Ended {
                let sip = if state == LegState::Answered { 200 } else { 487 };
                self.tell_ended(step, index, end.with_sip(sip), EndedBy::Switchboard);
                self.adopt(step, index);
            }
        }
        self.close_consultation(step, end, by, Some(self.id));
    }

    /// The customer has left: the call goes on as the consultation alone, with its id, and the customer's story ends.
    pub fn go_on_as_consultation(&mut self, step: &mut Step<'_>, end: End, by: EndedBy) {
        let Some(Consultation { story, agent }) = self.consultation.take() else { return };
        self.stop_recording(step);
        self.tell_ended(step, agent, Reason::HungUp.into(), EndedBy::Switchboard);
        let End { reason, sip, cause, .. } = end;
        self.story.tell(step.now.wall, CallEvent::Ended { reason, sip, cause, by, merged_into: None });
        step.office.limits.end_call();
        self.id = story.callid();
        let story = std::mem::replace(&mut self.story, story);
        let recordings = self.open_recordings();
        self.past.push(Past { story, measured: std::mem::take(&mut self.measured), recordings });
        for index in 0..self.legs.len() {
            let leg = &mut self.legs[index];
            if leg.state != LegState::Ended {
                leg.told_in = self.id;
                leg.side = if index == usize::from(agent.0) { Side::Agent } else { Side::Customer };
            }
        }
    }

    /// The leg is the customer's call's from here on.
    fn adopt(&mut self, step: &mut Step<'_>, index: LegIndex) {
        let (at, call) = (step.now.wall, self.id);
        let leg = self.leg_mut(index);
        leg.told_in = call;
        let (id, side, party, state) = (leg.id, leg.side, leg.party.clone(), leg.state);
        self.story.tell(at, CallEvent::LegStarted { leg: id, side, party, caller: false });
        match state {
            LegState::Begun | LegState::Ended => {}
            LegState::Ringing => self.story.tell(at, CallEvent::LegRinging { leg: id, early_sound: false }),
            LegState::Answered => self.story.tell(at, CallEvent::LegAnswered { leg: id }),
        }
    }

    /// Tells the last event of the consultation.
    fn close_consultation(&mut self, step: &mut Step<'_>, end: End, by: EndedBy, merged_into: Option<CallId>) {
        let Some(Consultation { mut story, agent }) = self.consultation.take() else { return };
        let at = step.now.wall;
        let End { reason, sip, cause, .. } = end;
        let leg = self.leg(agent).id;
        // The leg of whoever transfers was answered, whatever becomes of the target.
        let left = CallEvent::LegEnded { leg, reason, sip: 200, cause: None, by: EndedBy::Switchboard };
        story.tell(at, left);
        story.tell(at, CallEvent::Ended { reason, sip, cause, by, merged_into });
        step.office.limits.end_call();
        self.past.push(Past { story, measured: Vec::new(), recordings: Vec::new() });
    }

    fn legs_told_in(&self, id: CallId) -> Vec<LegIndex> {
        let own = self.legs.iter().enumerate().filter(|(_, leg)| leg.told_in == id);
        own.filter_map(|(index, _)| Some(LegIndex(u16::try_from(index).ok()?))).collect()
    }
}
