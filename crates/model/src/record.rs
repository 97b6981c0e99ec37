//! The truth about a call in one row. [`Record::apply`] is the only code that makes a record:
//! the engine uses it live, recovery and tests use it on stored events.

use serde::{Deserialize, Serialize};

use crate::{
    CallEvent, CallId, Event, LegId, LegQuality, MeasuredLeg, Origin, Party, Reason, RecordingEvent, RecordingId,
    RoutedBy, Side, SoundEvent, Text, Timestamp, TransferMode, Unqueued, What,
};

/// Which way a call goes (readings 6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a trunk.
    Inbound,
    /// To a trunk.
    Outbound,
    /// Extension to extension.
    Local,
}

/// How a call came out (readings 10).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The two sides were connected.
    Answered,
    /// It rang and nobody picked up, or the caller gave up.
    NoAnswer,
    /// The called party was busy.
    Busy,
    /// All else.
    Failed,
    /// An inbound call that nobody answered.
    Missed,
}

/// Who ended a call or a leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The company's side.
    Agent,
    /// The other side.
    Customer,
    /// We did: a limit, an order, a failure.
    Switchboard,
}

/// One call, true.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The call.
    pub callid: CallId,
    /// Where it came from.
    pub origin: Origin,
    /// Which way it goes.
    pub direction: Direction,
    /// Who called.
    pub from: Party,
    /// Who was called.
    pub to: Party,
    /// The tenant's own public number that this call showed or came in on.
    pub did: Option<Text>,
    /// The company's side: who talked, else who was rung last.
    pub extension: Option<String>,
    /// The other side's number.
    pub customer: Text,
    /// When it was accepted.
    pub started_at: Timestamp,
    /// When the first called leg rang.
    pub ringing_at: Option<Timestamp>,
    /// When we first answered the caller, or the agent's phone was picked up in a click-to-call.
    pub opened_at: Option<Timestamp>,
    /// When the two sides were connected. None: never.
    pub answered_at: Option<Timestamp>,
    /// When it ended. None: it is live.
    pub ended_at: Option<Timestamp>,
    /// How it came out; of a live call, how it stands.
    pub status: Status,
    /// The technical result, also of a missed call.
    pub disposition: Status,
    /// Why it ended.
    pub reason: Option<Reason>,
    /// The SIP status that decided it.
    pub sip: Option<u16>,
    /// The Q.850 cause that the deciding party gave.
    #[serde(default)]
    pub cause: Option<u8>,
    /// Who ended it.
    pub ended_by: Option<EndedBy>,
    /// The customer's call that this consultation is about.
    #[serde(default)]
    pub about: Option<CallId>,
    /// The customer's call that this consultation became a part of.
    #[serde(default)]
    pub merged_into: Option<CallId>,
    /// Where a caller from outside was whom nobody answered: whom the call reached at its end. None: somebody did.
    #[serde(default)]
    pub abandoned_in: Option<Party>,
    /// Who decided whom the call reaches, where it was not the dialled number alone.
    #[serde(default)]
    pub routed_by: Option<RoutedBy>,
    /// Each attempt to give the customer to somebody else, in order.
    #[serde(default)]
    pub transfers: Vec<TransferRecord>,
    /// Each stay in a queue, in order.
    #[serde(default)]
    pub queues: Vec<QueueRecord>,
    /// In the order they began.
    pub legs: Vec<LegRecord>,
    /// In the order they began.
    pub recordings: Vec<RecordingRecord>,
    /// The `seq` of the last event of the call itself that is in this record.
    pub seq: u32,
}

/// One attempt to transfer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TransferRecord {
    /// When it was asked for.
    pub at: Timestamp,
    /// The leg of whoever gave the other side away.
    pub leg: LegId,
    /// Whom to.
    pub to: Party,
    /// How.
    pub mode: TransferMode,
    /// The call in which the target was asked first.
    pub consultation: Option<CallId>,
    /// The leg of the target, once the other side talks with it.
    pub target: Option<LegId>,
    /// Why it came to nothing.
    pub failed: Option<Reason>,
}

/// One stay in a queue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct QueueRecord {
    /// The queue.
    pub queue: String,
    /// When the caller came.
    pub queued_at: Timestamp,
    /// The caller's place then, from 1.
    pub place: u32,
    /// How many agents were rung in vain.
    pub missed: u32,
    /// When the caller left. None: waits.
    pub left_at: Option<Timestamp>,
    /// Why.
    pub why: Option<Unqueued>,
}

/// One leg of a call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LegRecord {
    /// The leg.
    pub leg: LegId,
    /// Its side.
    pub side: Side,
    /// Whose it was.
    #[serde(flatten)]
    pub party: Party,
    /// Whether this party called us.
    pub caller: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it rang.
    pub ringing_at: Option<Timestamp>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// Whether its party holds the other.
    pub held: bool,
    /// Whether what its party says is not to be heard.
    #[serde(default)]
    pub muted: bool,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<Reason>,
    /// The SIP status that said so.
    pub sip: Option<u16>,
    /// The Q.850 cause that its party gave.
    #[serde(default)]
    pub cause: Option<u8>,
    /// Who ended it.
    pub by: Option<EndedBy>,
    /// How well its sound travelled. None: not measured, or no sound flowed.
    #[serde(default)]
    pub quality: Option<LegQuality>,
}

/// One recording of a call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecordingRecord {
    /// The recording.
    pub recording: RecordingId,
    /// The file's name within the recordings folder.
    pub file: String,
    /// Length of sound; None while it is written.
    pub milliseconds: Option<u64>,
    /// Milliseconds lost by us.
    pub gap_milliseconds: u64,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file; empty while it is written.
    pub sha256: String,
    /// Whether nothing usable was written.
    pub failed: bool,
    /// Whether silence is being written in place of what is said.
    #[serde(default)]
    pub paused: bool,
    /// Whether the file was deleted because it was old.
    #[serde(default)]
    pub expired: bool,
    /// The `seq` of its last event that is in this record.
    #[serde(default = "first")]
    pub seq: u32,
}

/// An event that begins no record, though none is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the first event of a call is call.started")]
pub struct NotStarted;

impl Record {
    /// Begins a record with the call's first event.
    pub fn start(event: &Event) -> Result<Self, NotStarted> {
        let (Some(callid), What::Call(CallEvent::Started { origin, direction, from, to, did, about })) =
            (event.callid, &event.what)
        else {
            return Err(NotStarted);
        };
        // In these somebody of ours began it, whoever answers.
        let we_call = matches!(origin, Origin::Click | Origin::Consultation) || *direction == Direction::Outbound;
        let (agent, customer) = if we_call { (from, to) } else { (to, from) };
        let unanswered = match direction {
            Direction::Inbound => Status::Missed,
            Direction::Outbound | Direction::Local => Status::NoAnswer,
        };
        Ok(Self {
            callid,
            origin: *origin,
            direction: *direction,
            did: did.clone(),
            extension: agent.extension().map(str::to_owned),
            customer: Text::from(customer.number()),
            from: from.clone(),
            to: to.clone(),
            started_at: event.at,
            ringing_at: None,
            opened_at: None,
            answered_at: None,
            ended_at: None,
            status: unanswered,
            disposition: Status::NoAnswer,
            reason: None,
            sip: None,
            cause: None,
            ended_by: None,
            about: *about,
            merged_into: None,
            abandoned_in: None,
            routed_by: None,
            transfers: Vec::new(),
            queues: Vec::new(),
            legs: Vec::new(),
            recordings: Vec::new(),
            seq: event.seq,
        })
    }

    /// Makes a record of stored events; None if they begin none.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Self> {
        let mut events = events.into_iter();
        let mut record = Self::start(events.next()?).ok()?;
        for event in events {
            record.apply(event);
        }
        Some(record)
    }

    /// Brings the record up to date with the next event of its call or recording. Other events change nothing.
    pub fn apply(&mut self, event: &Event) {
        if event.callid != Some(self.callid) {
            return;
        }
        match &event.what {
            What::Call(what) => {
                self.seq = event.seq;
                self.apply_call(event.at, what);
            }
            What::Recording(what) => self.apply_recording(event, what),
            What::Sound(SoundEvent::Measured { legs }) => {
                for MeasuredLeg { leg, quality } in legs {
                    if let Some(leg) = self.leg_mut(*leg) {
                        leg.quality = Some(*quality);
                    }
                }
            }
            What::Extension(_) | What::Agent(_) | What::Trunk(_) => {}
        }
    }

    /// Time from start to end, in whole seconds begun and done. None while it is live.
    pub fn duration_seconds(&self) -> Option<i64> {
        Some(seconds_between(self.started_at, self.ended_at?))
    }

    /// Time the two sides were connected, in whole seconds; 0 if they never were. None while it is live.
    pub fn bill_seconds(&self) -> Option<i64> {
        let ended = self.ended_at?;
        Some(self.answered_at.map_or(0, |at| seconds_between(at, ended)))
    }

    /// Time since we first answered the caller or the agent picked up, in whole seconds. None while it is live.
    pub fn open_seconds(&self) -> Option<i64> {
        let ended = self.ended_at?;
        Some(self.opened_at.map_or(0, |at| seconds_between(at, ended)))
    }

    /// How long the caller waited for an answer, or until the end, in whole seconds. None while a live call waits.
    pub fn wait_seconds(&self) -> Option<i64> {
        Some(seconds_between(self.started_at, self.answered_at.or(self.ended_at)?))
    }

    /// The other side's number in the form in which it was dialled or came in.
    pub fn customer_shown(&self) -> &str {
        let party = [&self.from, &self.to].into_iter().find(|party| party.number() == self.customer.as_str());
        party.map_or(self.customer.as_str(), Party::shown)
    }

    /// The recording that plays, if there is one.
    pub fn recording(&self) -> Option<&RecordingRecord> {
        self.recordings.iter().find(|recording| !recording.failed && !recording.expired)
    }

    fn apply_call(&mut self, at: Timestamp, event: &CallEvent) {
        match event {
            CallEvent::Started { .. } => {}
            CallEvent::Routed { to, by, .. } => {
                self.routed_by = Some(*by);
                self.to = to.clone();
                if self.direction == Direction::Inbound && self.legs.iter().all(|leg| leg.side == Side::Customer) {
                    self.extension = to.extension().map(str::to_owned);
                }
            }
            CallEvent::LegStarted { leg, side, party, caller } => {
                // Whom a transfer rings is the company's side once the customer talks with it.
                if *side == Side::Agent
                    && self.answered_at.is_none()
                    && let Some(number) = party.extension()
                {
                    self.extension = Some(number.to_owned());
                }
                self.legs.push(LegRecord {
                    leg: *leg,
                    side: *side,
                    party: party.clone(),
                    caller: *caller,
                    started_at: at,
                    ringing_at: None,
                    answered_at: None,
                    held: false,
                    muted: false,
                    ended_at: None,
                    reason: None,
                    sip: None,
                    cause: None,
                    by: None,
                    quality: None,
                });
            }
            CallEvent::LegRinging { leg, .. } => {
                self.ringing_at.get_or_insert(at);
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.ringing_at.get_or_insert(at);
                }
            }
            CallEvent::LegAnswered { leg } => {
                let click = self.origin == Origin::Click;
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.answered_at.get_or_insert(at);
                    if leg.caller || (click && leg.side == Side::Agent) {
                        self.opened_at.get_or_insert(at);
                    }
                }
            }
            CallEvent::LegHeld { leg } => self.set_held(*leg, true),
            CallEvent::LegResumed { leg } => self.set_held(*leg, false),
            CallEvent::LegKey { .. } => {}
            CallEvent::LegMuted { leg } => self.set_muted(*leg, true),
            CallEvent::LegUnmuted { leg } => self.set_muted(*leg, false),
            CallEvent::Transferring { leg, to, mode, consultation } => self.transfers.push(TransferRecord {
                at,
                leg: *leg,
                to: to.clone(),
                mode: *mode,
                consultation: *consultation,
                target: None,
                failed: None,
            }),
            CallEvent::Transferred { target, .. } => {
                if let Some(transfer) = self.transfers.last_mut() {
                    transfer.target = Some(*target);
                }
            }
            CallEvent::TransferFailed { reason, .. } => {
                if let Some(transfer) = self.transfers.last_mut() {
                    transfer.failed = Some(*reason);
                }
            }
            CallEvent::LegRerouted { leg, trunk: next, .. } => {
                if let Some(LegRecord { party: Party::Outside { trunk, .. }, .. }) = self.leg_mut(*leg) {
                    *trunk = Some(next.clone());
                }
            }
            CallEvent::LegEnded { leg, reason, sip, cause, by } => {
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.ended_at = Some(at);
                    leg.reason = Some(*reason);
                    leg.sip = Some(*sip);
                    leg.cause = *cause;
                    leg.by = Some(*by);
                }
            }
            CallEvent::Connected { agent, .. } => {
                self.answered_at.get_or_insert(at);
                self.status = Status::Answered;
                self.disposition = Status::Answered;
                if let Some(number) = self.leg(*agent).and_then(|leg| leg.party.extension()) {
                    self.extension = Some(number.to_owned());
                }
            }
            CallEvent::Reached { .. } => {
                self.answered_at.get_or_insert(at);
                self.status = Status::Answered;
                self.disposition = Status::Answered;
            }
            CallEvent::Queued { queue, place } => self.queues.push(QueueRecord {
                queue: queue.clone(),
                queued_at: at,
                place: *place,
                missed: 0,
                left_at: None,
                why: None,
            }),
            CallEvent::OfferMissed { .. } => {
                if let Some(stay) = self.queues.last_mut() {
                    stay.missed += 1;
                }
            }
            CallEvent::Unqueued { why, .. } => {
                if let Some(stay) = self.queues.last_mut() {
                    stay.left_at = Some(at);
                    stay.why = Some(*why);
                }
            }
            CallEvent::Forwarded { to, .. } => {
                self.routed_by = Some(RoutedBy::Forward);
                self.to = to.clone();
            }
            CallEvent::MenuKey { .. }
            | CallEvent::Offered { .. }
            | CallEvent::PickedUp { .. }
            | CallEvent::Parked { .. }
            | CallEvent::Unparked { .. }
            | CallEvent::Joined { .. }
            | CallEvent::MessageLeft { .. } => {}
            CallEvent::Ended { reason, sip, cause, by, merged_into } => {
                self.merged_into = *merged_into;
                self.ended_at = Some(at);
                self.reason = Some(*reason);
                self.sip = Some(*sip);
                self.cause = *cause;
                self.ended_by = Some(*by);
                if self.answered_at.is_none() {
                    // Who was answered by a menu or a queue, and hung up there, has waited as one who heard it ring.
                    let waited =
                        self.ringing_at.is_some() || (self.origin != Origin::Click && self.opened_at.is_some());
                    self.disposition = unanswered(*reason, *sip, waited);
                    self.status = if self.direction == Direction::Inbound { Status::Missed } else { self.disposition };
                    self.abandoned_in = (self.direction == Direction::Inbound).then(|| self.to.clone());
                }
            }
        }
    }

    fn apply_recording(&mut self, event: &Event, what: &RecordingEvent) {
        let crate::Subject::Recording(id) = &event.subject else { return };
        if let Some(recording) = self.recording_mut(*id) {
            recording.seq = event.seq;
        }
        match what {
            RecordingEvent::Started { file } => self.recordings.push(RecordingRecord {
                recording: *id,
                file: file.clone(),
                milliseconds: None,
                gap_milliseconds: 0,
                bytes: 0,
                sha256: String::new(),
                failed: false,
                paused: false,
                expired: false,
                seq: event.seq,
            }),
            RecordingEvent::Paused => self.set_paused(*id, true),
            RecordingEvent::Resumed => self.set_paused(*id, false),
            RecordingEvent::Closed { milliseconds, gap_milliseconds, bytes, sha256 } => {
                if let Some(recording) = self.recording_mut(*id) {
                    recording.milliseconds = Some(*milliseconds);
                    recording.gap_milliseconds = *gap_milliseconds;
                    recording.bytes = *bytes;
                    recording.sha256 = sha256.clone();
                }
            }
            RecordingEvent::Failed { .. } => {
                if let Some(recording) = self.recording_mut(*id) {
                    recording.failed = true;
                }
            }
        }
    }

    fn set_held(&mut self, leg: LegId, held: bool) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.held = held;
        }
    }

    fn set_muted(&mut self, leg: LegId, muted: bool) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.muted = muted;
        }
    }

    fn set_paused(&mut self, recording: RecordingId, paused: bool) {
        if let Some(recording) = self.recording_mut(recording) {
            recording.paused = paused;
        }
    }

    fn leg(&self, id: LegId) -> Option<&LegRecord> {
        self.legs.iter().find(|leg| leg.leg == id)
    }

    fn leg_mut(&mut self, id: LegId) -> Option<&mut LegRecord> {
        self.legs.iter_mut().find(|leg| leg.leg == id)
    }

    fn recording_mut(&mut self, id: RecordingId) -> Option<&mut RecordingRecord> {
        self.recordings.iter_mut().find(|recording| recording.recording == id)
    }
}

/// Readings 10: BUSY is 486 and 600; NO ANSWER is what rang in vain, was given up, 408, 480, 487; FAILED is all else.
fn unanswered(reason: Reason, sip: u16, waited: bool) -> Status {
    match sip {
        486 | 600 => Status::Busy,
        408 | 480 | 487 => Status::NoAnswer,
        _ if reason == Reason::Cancelled => Status::NoAnswer,
        200 if waited => Status::NoAnswer,
        _ => Status::Failed,
    }
}

/// Of a recording that was stored without its `seq`, only the beginning had been told.
fn first() -> u32 {
    1
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_millisecond() - from.as_millisecond()).max(0) / 1_000
}
