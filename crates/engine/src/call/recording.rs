//! The recordings of a call: one that goes on whoever joins or leaves, begun by the settings or by a client's order.
//!
//! Which sound is heard, and what it is written to, is the media worker's business.

use media::{Order, RecordingKey, SessionId, WorkerId};
use model::{RecordAction, RecordingEvent, RecordingId, Side};

use super::Call;
use crate::edge::Now;
use crate::key::LegIndex;
use crate::step::Step;

/// The most recordings that one call may have: no client fills a disk with files by starting and stopping.
const MOST: u32 = 100;

/// The recordings of a call.
#[derive(Debug, Default)]
pub struct Recordings {
    /// The one that is being written.
    running: Option<Running>,
    /// Those that have begun and are neither whole nor failed.
    open: Vec<RecordingKey>,
    /// How many there were.
    count: u32,
    /// A client ended the recording: none begins by itself any more.
    unwanted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    id: RecordingId,
    key: RecordingKey,
    worker: WorkerId,
    /// By a client's order.
    paused: bool,
    /// What is said is not for the customer: a consultation.
    aside: bool,
}

impl Call {
    /// Two legs talk: what is being recorded goes on with them, and a recording begins if one of them is to be recorded.
    pub(super) fn record_these(&mut self, step: &mut Step<'_>, a: LegIndex, b: LegIndex) {
        self.record_all(step, &[a, b]);
    }

    /// Two or more legs talk with each other: what is being recorded goes on with them, and a recording begins if one of them
    /// is to be recorded. The voices of a side are added.
    pub fn record_all(&mut self, step: &mut Step<'_>, legs: &[LegIndex]) {
        if let Some(running) = self.recordings.running {
            if let Some((_, customer, agent)) = self.voices(legs) {
                step.media(running.worker, Order::RecordSides { recording: running.key, customer, agent });
            }
            return;
        }
        if !self.recordings.unwanted && legs.iter().any(|leg| self.is_recorded(*leg)) {
            // A call goes on without its recording, if that is how it is.
            let _ = self.start_recording(step, legs);
        }
    }

    /// Carries out a client's order. `talking`: the two that hear each other. An error says why it makes no sense now.
    pub fn order_recording(
        &mut self,
        step: &mut Step<'_>,
        action: RecordAction,
        talking: Option<(LegIndex, LegIndex)>,
    ) -> Result<(), &'static str> {
        match (action, self.recordings.running) {
            (RecordAction::Start, Some(_)) => {
                Err("The call is being recorded: stop the recording before starting another.")
            }
            (RecordAction::Start, None) => {
                let (a, b) = talking.ok_or("A recording is begun while two sides talk with each other.")?;
                self.recordings.unwanted = false;
                self.start_recording(step, &[a, b])
            }
            (RecordAction::Pause | RecordAction::Resume | RecordAction::Stop, None) => {
                Err("The call is not being recorded: start a recording first.")
            }
            (RecordAction::Pause, Some(running)) => {
                self.set_paused(step, Running { paused: true, ..running });
                Ok(())
            }
            (RecordAction::Resume, Some(running)) => {
                self.set_paused(step, Running { paused: false, ..running });
                Ok(())
            }
            (RecordAction::Stop, Some(_)) => {
                self.recordings.unwanted = true;
                self.stop_recording(step);
                Ok(())
            }
        }
    }

    /// What is said is not for the customer from here on, or is again; silence is written meanwhile.
    pub fn set_recording_aside(&mut self, step: &mut Step<'_>, aside: bool) {
        if let Some(running) = self.recordings.running {
            self.set_paused(step, Running { aside, ..running });
        }
    }

    /// Ends what is being recorded; its file is told of when it is whole.
    pub(super) fn stop_recording(&mut self, step: &mut Step<'_>) {
        if let Some(Running { key, worker, .. }) = self.recordings.running.take() {
            step.media(worker, Order::StopRecording { recording: key });
        }
    }

    /// The recordings whose end has not been told.
    pub(super) fn open_recordings(&mut self) -> Vec<RecordingKey> {
        std::mem::take(&mut self.recordings).open
    }

    /// A recording is whole, or has failed.
    pub fn recording_done(&mut self, now: Now, key: RecordingKey, id: RecordingId, what: RecordingEvent) {
        self.recordings.open.retain(|open| *open != key);
        self.recordings.running.take_if(|running| running.key == key);
        self.story.tell_recording(now.wall, id, what);
    }

    /// Which of two is on the company's side, and which on the other.
    pub(super) fn sides(&self, a: LegIndex, b: LegIndex) -> (LegIndex, LegIndex) {
        if self.leg(a).side == Side::Agent { (a, b) } else { (b, a) }
    }

    /// The sound of these, the customer's side and the company's; two are one on each. None: there is not one on each.
    fn voices(&self, legs: &[LegIndex]) -> Option<(WorkerId, Vec<SessionId>, Vec<SessionId>)> {
        let (mut agents, mut customers): (Vec<LegIndex>, Vec<LegIndex>) = match legs {
            [a, b] => {
                let (agent, customer) = self.sides(*a, *b);
                (vec![agent], vec![customer])
            }
            legs => legs.iter().partition(|leg| self.leg(**leg).side == Side::Agent),
        };
        // Among colleagues the first takes the other side: a side without anybody is another kind of recording.
        if customers.is_empty() && agents.len() > 1 {
            customers.push(agents.remove(0));
        } else if agents.is_empty() && customers.len() > 1 {
            agents.push(customers.remove(0));
        }
        let sound = |legs: &[LegIndex]| -> Option<Vec<(WorkerId, SessionId)>> {
            let sound: Vec<_> = legs.iter().filter_map(|leg| self.leg(*leg).line.session()).collect();
            (!sound.is_empty()).then_some(sound)
        };
        let (customers, agents) = (sound(&customers)?, sound(&agents)?);
        let sessions = |sound: &[(WorkerId, SessionId)]| sound.iter().map(|(_, session)| *session).collect();
        Some((agents[0].0, sessions(&customers), sessions(&agents)))
    }

    fn is_recorded(&self, index: LegIndex) -> bool {
        let extension = self.leg(index).party.extension();
        extension.and_then(|number| self.settings.extensions.get(number)).is_some_and(|extension| extension.record)
    }

    fn start_recording(&mut self, step: &mut Step<'_>, legs: &[LegIndex]) -> Result<(), &'static str> {
        let voices = self.voices(legs);
        let (worker, customer, agent) = voices.ok_or("The call has no sound that could be recorded.")?;
        if self.recordings.count >= MOST {
            return Err("The call has had as many recordings as a call may have.");
        }
        self.recordings.count += 1;
        let (id, name) = match self.recordings.count {
            1 => (self.id.first_recording(), self.id.to_string()),
            later => (step.ids.recording_id(step.now.wall), format!("{}-{later}", self.id)),
        };
        let key = step.ids.recording();
        let day = step.now.wall.strftime("%Y-%m-%d");
        let file = format!("{}/{day}/{name}.wav", self.settings.name);
        step.media(worker, Order::Record { recording: key, file: file.clone().into(), customer, agent });
        step.sounds.recording(key, self.settings.id, self.id, id);
        self.recordings.running = Some(Running { id, key, worker, paused: false, aside: false });
        self.recordings.open.push(key);
        self.story.tell_recording(step.now.wall, id, RecordingEvent::Started { file });
        Ok(())
    }

    /// Tells what a client ordered, and the worker what comes of all that is so.
    fn set_paused(&mut self, step: &mut Step<'_>, now: Running) {
        let Some(before) = self.recordings.running.replace(now) else { return };
        if now.paused != before.paused {
            let what = if now.paused { RecordingEvent::Paused } else { RecordingEvent::Resumed };
            self.story.tell_recording(step.now.wall, now.id, what);
        }
        let is_silent = |running: Running| running.paused || running.aside;
        if is_silent(now) != is_silent(before) {
            step.media(now.worker, Order::PauseRecording { recording: now.key, paused: is_silent(now) });
        }
    }
}
