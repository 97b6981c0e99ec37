//! Calls as an engine tells them, in batches.

use model::{
    Batch, CallEvent, CallId, ClaimedKey, Direction, EndedBy, EngineNumber, Event, LegId, Origin, Party, Reason,
    Record, RecordingEvent, Side, Subject, TenantId, Timestamp, Told, TransferMode, Unqueued, What,
};
use store::Writer;

/// One call, told step by step.
pub struct ToldCall {
    writer: Writer,
    tenant: TenantId,
    id: CallId,
    at: Timestamp,
    record: Option<Record>,
    claim: Option<ClaimedKey>,
    seq: u32,
}

impl ToldCall {
    /// A call that began at a moment.
    pub fn new(writer: &Writer, tenant: TenantId, id: CallId, at: Timestamp) -> Self {
        Self { writer: writer.clone(), tenant, id, at, record: None, claim: None, seq: 0 }
    }

    /// The call answers a claim.
    pub fn claimed(&mut self, claim: ClaimedKey) -> &mut Self {
        self.claim = Some(claim);
        self
    }

    /// Whatever comes next happens so much later.
    pub fn after(&mut self, milliseconds: i64) -> &mut Self {
        self.at = Timestamp::from_millisecond(self.at.as_millisecond() + milliseconds).expect("a moment");
        self
    }

    /// Whatever comes next happens now.
    pub fn now(&mut self) -> &mut Self {
        self.at = Timestamp::now();
        self
    }

    /// A click-to-call that rings 101.
    pub fn click(&mut self, to: &str) -> &mut Self {
        let to = outside(to);
        let started = CallEvent::Started {
            origin: Origin::Click,
            direction: Direction::Outbound,
            from: extension("101"),
            to,
            did: Some("842873088088".into()),
            about: None,
        };
        self.tell(vec![started, self.leg(1, Side::Agent, extension("101"), false)])
    }

    /// A call from outside that rings 101.
    pub fn inbound(&mut self, from: &str) -> &mut Self {
        let started = CallEvent::Started {
            origin: Origin::Trunk,
            direction: Direction::Inbound,
            from: outside(from),
            to: outside("842873088088"),
            did: Some("842873088088".into()),
            about: None,
        };
        let customer = self.leg(1, Side::Customer, outside(from), true);
        self.tell(vec![started, customer, self.leg(2, Side::Agent, extension("101"), false)])
    }

    /// The caller waits in a queue.
    pub fn queued(&mut self, queue: &str, place: u32) -> &mut Self {
        self.tell(vec![CallEvent::Queued { queue: queue.into(), place }])
    }

    /// The caller waits in it no more.
    pub fn unqueued(&mut self, queue: &str, why: Unqueued) -> &mut Self {
        self.tell(vec![CallEvent::Unqueued { queue: queue.into(), why }])
    }

    /// 101 calls another extension.
    pub fn local(&mut self, to: &str) -> &mut Self {
        let started = CallEvent::Started {
            origin: Origin::Phone,
            direction: Direction::Local,
            from: extension("101"),
            to: extension(to),
            did: None,
            about: None,
        };
        let caller = self.leg(1, Side::Customer, extension("101"), true);
        self.tell(vec![started, caller, self.leg(2, Side::Agent, extension(to), false)])
    }

    /// The agent has picked up; the customer is dialled.
    pub fn dial(&mut self, to: &str) -> &mut Self {
        self.tell(vec![CallEvent::LegAnswered { leg: self.leg_id(1) }, self.leg(2, Side::Customer, outside(to), false)])
    }

    pub fn key(&mut self, leg: u32, key: char) -> &mut Self {
        let leg = self.leg_id(leg);
        self.tell(vec![CallEvent::LegKey { leg, key }])
    }

    pub fn ringing(&mut self, leg: u32) -> &mut Self {
        self.tell(vec![CallEvent::LegRinging { leg: self.leg_id(leg), early_sound: false }])
    }

    /// The leg is answered, and the two talk.
    pub fn connected(&mut self, answered: u32, agent: u32, customer: u32) -> &mut Self {
        self.tell(vec![
            CallEvent::LegAnswered { leg: self.leg_id(answered) },
            CallEvent::Connected { agent: self.leg_id(agent), customer: self.leg_id(customer) },
        ])
    }

    /// Nobody hears what this party says.
    pub fn muted(&mut self, leg: u32) -> &mut Self {
        self.tell(vec![CallEvent::LegMuted { leg: self.leg_id(leg) }])
    }

    /// The party of `leg` gives the other away, at once.
    pub fn transferring(&mut self, leg: u32, to: &str) -> &mut Self {
        let (leg, mode) = (self.leg_id(leg), TransferMode::Blind);
        self.tell(vec![CallEvent::Transferring { leg, to: extension(to), mode, consultation: None }])
    }

    /// Both legs and the call are over.
    pub fn ended(&mut self, reason: Reason, sip: u16) -> &mut Self {
        let legs = self.record.as_ref().map_or(0, |record| record.legs.len() as u32);
        let by = EndedBy::Customer;
        let mut events: Vec<_> =
            (1..=legs).map(|leg| CallEvent::LegEnded { leg: self.leg_id(leg), reason, sip, cause: None, by }).collect();
        events.push(CallEvent::Ended { reason, sip, cause: None, by, merged_into: None });
        self.tell(events)
    }

    /// The call's recording is being written, then whole.
    pub fn recording(&mut self, file: &str, closed: bool) -> &mut Self {
        let subject = Subject::Recording(self.id.first_recording());
        let mut whats = vec![RecordingEvent::Started { file: file.into() }];
        if closed {
            whats.push(RecordingEvent::Closed {
                milliseconds: 1_000,
                gap_milliseconds: 0,
                bytes: 44,
                sha256: "0".repeat(64),
            });
        }
        let mut events = Vec::new();
        for (seq, what) in (1..).zip(whats) {
            let event = Event {
                subject: subject.clone(),
                seq,
                at: self.at,
                callid: Some(self.id),
                what: What::Recording(what),
            };
            self.record.as_mut().expect("a call").apply(&event);
            events.push(event);
        }
        self.push(events)
    }

    fn tell(&mut self, whats: Vec<CallEvent>) -> &mut Self {
        let mut events = Vec::new();
        for what in whats {
            self.seq += 1;
            let event = Event {
                subject: Subject::Call(self.id),
                seq: self.seq,
                at: self.at,
                callid: Some(self.id),
                what: What::Call(what),
            };
            match &mut self.record {
                Some(record) => record.apply(&event),
                None => self.record = Record::start(&event).ok(),
            }
            events.push(event);
        }
        self.push(events)
    }

    fn push(&mut self, events: Vec<Event>) -> &mut Self {
        let record = self.record.clone().map(Box::new);
        let batch = Batch { tenant: self.tenant, events, record, claim: self.claim.take(), awaited: None };
        self.writer.push(Told::Batch(batch));
        self
    }

    fn leg(&self, leg: u32, side: Side, party: Party, caller: bool) -> CallEvent {
        CallEvent::LegStarted { leg: self.leg_id(leg), side, party, caller }
    }

    /// The id of the call's `leg`th leg.
    pub fn leg_of(&self, leg: u32) -> LegId {
        self.leg_id(leg)
    }

    fn leg_id(&self, leg: u32) -> LegId {
        let first = self.id.to_string();
        let digits: u32 = first.rsplit('.').next().and_then(|digits| digits.parse().ok()).expect("digits");
        LegId::new(self.id.seconds(), EngineNumber(1), digits % 1_000_000 + leg - 1)
    }
}

/// A WAV file of a second's silence: enough to be served.
pub fn wav() -> Vec<u8> {
    let data = [0xd5; 16_000];
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x06\0\x02\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x08\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn extension(number: &str) -> Party {
    Party::Extension { number: number.into() }
}

fn outside(number: &str) -> Party {
    Party::Outside { number: number.into(), shown: None, trunk: Some("carrier".into()) }
}
