//! Random calls, and what a filter finds among them, by the slowest and most obvious way.

use model::{
    Batch, CallEvent, CallId, Direction, EndedBy, EngineNumber, Event, Number, Origin, Party, Reason, Record,
    RecordingEvent, Side, Subject, TenantId, Text, Timestamp, What,
};
use store::{RecordFilter, RecordOrder, RecordRow, RecordState};

/// Numbers from a seed; the same every time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}

pub const EXTENSIONS: [&str; 4] = ["101", "102", "103", "104"];
pub const CUSTOMERS: [&str; 5] = ["+84900000001", "+84900000002", "+84900000003", "anonymous", "+842873088088"];
pub const DIDS: [&str; 2] = ["842873088088", "842873088089"];
pub const TRUNKS: [&str; 2] = ["carrier", "other"];

/// What a call of the history is told with, in order. A few are still live.
pub fn told(tenant: TenantId, dice: &mut Dice, count: u32, start: i64) -> Vec<Batch> {
    let mut call = Told::new(tenant, count, start);
    let inside = |number: &str| Party::Extension { number: number.into() };
    let outside = |number: &str, trunk: &str| Party::Outside {
        number: Text::from(number),
        shown: None,
        trunk: Some(trunk.to_owned()),
    };
    let agent = dice.one::<&str>(&EXTENSIONS);
    let customer = *dice.one(&CUSTOMERS);
    let trunk = *dice.one(&TRUNKS);
    let did = *dice.one(&DIDS);
    let (origin, direction, from, to) = match dice.below(8) {
        0 | 1 => (Origin::Phone, Direction::Outbound, inside(agent), outside(customer, trunk)),
        2 => (Origin::Click, Direction::Outbound, inside(agent), outside(customer, trunk)),
        3 | 4 => (Origin::Trunk, Direction::Inbound, outside(customer, trunk), inside(agent)),
        5 => (Origin::Trunk, Direction::Inbound, outside(customer, trunk), Party::Group { number: "600".into() }),
        // The CRM decides whom it reaches; until then the tenant's number is called.
        6 => (Origin::Trunk, Direction::Inbound, outside(customer, trunk), outside(did, trunk)),
        _ => (Origin::Phone, Direction::Local, inside(agent), inside(dice.one::<&str>(&EXTENSIONS))),
    };
    let shown = (direction != Direction::Local || dice.below(4) == 0).then(|| Text::from(did));
    call.tell(vec![CallEvent::Started { origin, direction, from, to, did: shown, about: None }]);
    if dice.below(3) > 0 {
        // Somebody of a group rings, or whom the call was forwarded to.
        let party = inside(if dice.below(2) == 0 { agent } else { dice.one::<&str>(&EXTENSIONS) });
        let leg = call.id.first_leg();
        call.tell(vec![CallEvent::LegStarted { leg, side: Side::Agent, party, caller: false }]);
        call.pass(1_000 + dice.below(5_000));
        if dice.below(3) > 0 {
            let party = outside(customer, trunk);
            let other = CallId::new(start / 1_000, EngineNumber(1), count * 2 + 1).first_leg();
            call.tell(vec![
                CallEvent::LegStarted { leg: other, side: Side::Customer, party, caller: true },
                CallEvent::LegAnswered { leg },
                CallEvent::Connected { agent: leg, customer: other },
            ]);
            if dice.below(2) == 0 {
                call.recording(RecordingEvent::Started { file: format!("{}.wav", call.id) });
            }
        }
    }
    call.pass(dice.below(90_000));
    if dice.below(12) > 0 {
        let (reason, sip) = *dice.one(&[
            (Reason::HungUp, 200),
            (Reason::Busy, 486),
            (Reason::NoAnswer, 480),
            (Reason::Cancelled, 487),
            (Reason::Failed, 500),
        ]);
        let by = EndedBy::Customer;
        call.tell(vec![CallEvent::Ended { reason, sip, cause: None, by, merged_into: None }]);
        if call.record.as_ref().is_some_and(|record| !record.recordings.is_empty()) {
            call.recording(RecordingEvent::Closed {
                milliseconds: 5_000,
                gap_milliseconds: 0,
                bytes: 160_044,
                sha256: "ab".repeat(32),
            });
        }
    }
    call.batches
}

struct Told {
    tenant: TenantId,
    id: CallId,
    now: i64,
    record: Option<Record>,
    seqs: (u32, u32),
    batches: Vec<Batch>,
}

impl Told {
    fn new(tenant: TenantId, count: u32, start: i64) -> Self {
        let id = CallId::new(start / 1_000, EngineNumber(1), count * 2);
        Self { tenant, id, now: start, record: None, seqs: (0, 0), batches: Vec::new() }
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now += milliseconds as i64;
    }

    fn tell(&mut self, what: Vec<CallEvent>) {
        let events = what.into_iter().map(|what| {
            self.seqs.0 += 1;
            (Subject::Call(self.id), self.seqs.0, What::Call(what))
        });
        let events = events.collect();
        self.batch(events);
    }

    fn recording(&mut self, what: RecordingEvent) {
        self.seqs.1 += 1;
        self.batch(vec![(Subject::Recording(self.id.first_recording()), self.seqs.1, What::Recording(what))]);
    }

    fn batch(&mut self, events: Vec<(Subject, u32, What)>) {
        let at = Timestamp::from_millisecond(self.now).expect("a moment");
        let events: Vec<Event> = events
            .into_iter()
            .map(|(subject, seq, what)| Event { subject, seq, at, callid: Some(self.id), what })
            .collect();
        for event in &events {
            match &mut self.record {
                Some(record) => record.apply(event),
                None => self.record = Some(Record::start(event).expect("a call starts")),
            }
        }
        let record = self.record.clone().map(Box::new);
        self.batches.push(Batch { tenant: self.tenant, events, record, claim: None, awaited: None });
    }
}

/// The rows that a filter finds, in the list's order: every record is looked at.
pub fn found(all: &[RecordRow], filter: &RecordFilter) -> Vec<i64> {
    let by_end = filter.state == RecordState::Ended
        && filter.order == RecordOrder::Ended
        && filter.started_since.is_none()
        && filter.started_before.is_none();
    let mut found: Vec<(Timestamp, i64)> = all
        .iter()
        .filter(|row| meets(&row.record, filter))
        .map(|row| (if by_end { row.record.ended_at.expect("it is over") } else { row.record.started_at }, row.row))
        .collect();
    found.sort_unstable();
    found.into_iter().rev().map(|(_, row)| row).collect()
}

fn meets(record: &Record, filter: &RecordFilter) -> bool {
    let RecordFilter { extension, customer, did, source, destination, search, .. } = filter;
    let state = match filter.state {
        RecordState::Any => true,
        RecordState::Ended => record.ended_at.is_some(),
        RecordState::Live => record.ended_at.is_none(),
    };
    let asked = |number: &Option<String>, of: &[Option<&str>]| {
        number.as_ref().is_none_or(|number| of.iter().flatten().any(|one| is_same(one, number)))
    };
    let we_call =
        matches!(record.origin, Origin::Click | Origin::Consultation) || record.direction == Direction::Outbound;
    let (own, other) = (record.extension.as_deref(), Some(record.customer.as_str()));
    let shown = record.did.as_ref().map(|did| did.as_str());
    let trunk = record.legs.iter().rev().find_map(|leg| match &leg.party {
        Party::Outside { trunk, .. } => trunk.as_deref(),
        _ => None,
    });
    state
        && filter.ended_since.is_none_or(|at| record.ended_at.is_some_and(|ended| ended >= at))
        && filter.ended_before.is_none_or(|at| record.ended_at.is_some_and(|ended| ended < at))
        && filter.started_since.is_none_or(|at| record.started_at >= at)
        && filter.started_before.is_none_or(|at| record.started_at < at)
        && filter.callid.is_none_or(|call| record.callid == call)
        && asked(extension, &[own])
        && asked(customer, &[other])
        && asked(did, &[shown])
        && asked(source, &[Some(record.from.number()), own.filter(|_| we_call)])
        && asked(destination, &[Some(record.to.number()), own.filter(|_| !we_call)])
        && asked(search, &[own, other, shown])
        && filter.direction.is_none_or(|direction| record.direction == direction)
        && filter.status.is_none_or(|status| record.status == status)
        && filter.recorded.is_none_or(|recorded| record.recordings.is_empty() != recorded)
        && filter.duration_at_least.is_none_or(|least| record.duration_seconds().is_some_and(|s| s >= least))
        && filter.duration_at_most.is_none_or(|most| record.duration_seconds().is_some_and(|s| s <= most))
        && filter.bill_at_least.is_none_or(|least| record.bill_seconds().is_some_and(|s| s >= least))
        && filter.bill_at_most.is_none_or(|most| record.bill_seconds().is_some_and(|s| s <= most))
        && filter.reason.is_none_or(|reason| record.reason == Some(reason))
        && filter.trunk.as_ref().is_none_or(|name| trunk == Some(name))
}

fn is_same(one: &str, other: &str) -> bool {
    let digits = |number: &str| Number::parse(number.trim(), "84").map(|number| number.e164());
    one == other.trim() || digits(one).is_ok_and(|one| digits(other).is_ok_and(|other| one == other))
}

/// Every filter by itself, with values that find something and ones that do not.
pub fn filters(some: &Record) -> Vec<(&'static str, RecordFilter)> {
    let none = RecordFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let minute = |minute: i64| Some(Timestamp::from_second(1_767_225_600 + minute * 60).expect("a moment"));
    let mut filters = vec![
        ("live", RecordFilter { state: RecordState::Live, ..none() }),
        ("any", RecordFilter { state: RecordState::Any, ..none() }),
        ("by start", RecordFilter { order: RecordOrder::Started, ..none() }),
        ("ended since", RecordFilter { ended_since: minute(2_000), ..none() }),
        ("ended before", RecordFilter { ended_before: minute(4_000), ..none() }),
        ("started since", RecordFilter { started_since: minute(1_500), ..none() }),
        ("started before", RecordFilter { started_before: minute(6_000), ..none() }),
        (
            "started within a day",
            RecordFilter { started_since: minute(1_500), started_before: minute(2_800), ..none() },
        ),
        ("callid", RecordFilter { callid: Some(some.callid), ..none() }),
        ("recorded", RecordFilter { recorded: Some(true), ..none() }),
        ("not recorded", RecordFilter { recorded: Some(false), ..none() }),
        ("long", RecordFilter { duration_at_least: Some(30), ..none() }),
        ("short", RecordFilter { duration_at_most: Some(60), ..none() }),
        ("talked", RecordFilter { bill_at_least: Some(20), ..none() }),
        ("hardly talked", RecordFilter { bill_at_most: Some(0), ..none() }),
        ("reason", RecordFilter { reason: Some(Reason::HungUp), ..none() }),
        ("trunk", RecordFilter { trunk: text("other"), ..none() }),
        ("customer", RecordFilter { customer: text("0900000001"), ..none() }),
        ("nameless customer", RecordFilter { customer: text("anonymous"), ..none() }),
        ("customer of ours", RecordFilter { customer: text("101"), ..none() }),
        ("extension", RecordFilter { extension: text("102"), ..none() }),
        ("extension that is none", RecordFilter { extension: text("999"), ..none() }),
        ("did", RecordFilter { did: text("02873088088"), ..none() }),
        ("source outside", RecordFilter { source: text("84900000002"), ..none() }),
        ("source inside", RecordFilter { source: text("101"), ..none() }),
        ("destination outside", RecordFilter { destination: text("+84900000003"), ..none() }),
        ("destination inside", RecordFilter { destination: text(" 103 "), ..none() }),
        ("destination group", RecordFilter { destination: text("600"), ..none() }),
        ("destination number", RecordFilter { destination: text("02873088088"), ..none() }),
        ("search inside", RecordFilter { search: text("101"), ..none() }),
        ("search outside", RecordFilter { search: text("0900 000 001"), ..none() }),
        ("search number", RecordFilter { search: text("02873088088"), ..none() }),
        ("search nothing", RecordFilter { search: text("x' OR '1'='1"), ..none() }),
    ];
    for direction in [Direction::Inbound, Direction::Outbound, Direction::Local] {
        filters.push(("direction", RecordFilter { direction: Some(direction), ..none() }));
    }
    for status in [model::Status::Answered, model::Status::Busy, model::Status::Missed] {
        filters.push(("status", RecordFilter { status: Some(status), ..none() }));
    }
    filters
}

/// Both filters at once; None where they speak of the same.
pub fn both(one: &RecordFilter, other: &RecordFilter) -> Option<RecordFilter> {
    fn merge<T: Clone>(one: &Option<T>, other: &Option<T>) -> Result<Option<T>, ()> {
        match (one, other) {
            (Some(_), Some(_)) => Err(()),
            (one, other) => Ok(one.clone().or_else(|| other.clone())),
        }
    }
    let all = || -> Result<RecordFilter, ()> {
        Ok(RecordFilter {
            state: if one.state == RecordState::Ended { other.state } else { one.state },
            order: if one.order == RecordOrder::Ended { other.order } else { one.order },
            ended_since: merge(&one.ended_since, &other.ended_since)?,
            ended_before: merge(&one.ended_before, &other.ended_before)?,
            started_since: merge(&one.started_since, &other.started_since)?,
            started_before: merge(&one.started_before, &other.started_before)?,
            callid: merge(&one.callid, &other.callid)?,
            extension: merge(&one.extension, &other.extension)?,
            customer: merge(&one.customer, &other.customer)?,
            did: merge(&one.did, &other.did)?,
            source: merge(&one.source, &other.source)?,
            destination: merge(&one.destination, &other.destination)?,
            search: merge(&one.search, &other.search)?,
            direction: merge(&one.direction, &other.direction)?,
            status: merge(&one.status, &other.status)?,
            recorded: merge(&one.recorded, &other.recorded)?,
            duration_at_least: merge(&one.duration_at_least, &other.duration_at_least)?,
            duration_at_most: merge(&one.duration_at_most, &other.duration_at_most)?,
            bill_at_least: merge(&one.bill_at_least, &other.bill_at_least)?,
            bill_at_most: merge(&one.bill_at_most, &other.bill_at_most)?,
            reason: merge(&one.reason, &other.reason)?,
            trunk: merge(&one.trunk, &other.trunk)?,
        })
    };
    all().ok()
}
