//! What a record is found and counted by: a few columns beside it in its row, and the tallies that its end adds to.
//!
//! Everything of few values stands packed in one number, `facts`, which every index carries: a search looks at it without
//! reading the row. Each number of a call stands in the first of four columns that has it, with the parts it plays.

use model::{Direction, Origin, Record, Status, TenantId};

/// Direction and status together: the lowest bits of `facts`, and a column of their own.
pub(crate) const KIND: i64 = 0b1_1111;
const DIRECTION: i64 = 0b0_0011;
const STATUS: i64 = 0b1_1100;
/// Sound was kept of the call. Stays, whatever becomes of the file.
pub(crate) const RECORDED: i64 = 1 << 5;
/// The extension is (one of) who called.
pub(crate) const EXTENSION_CALLED: i64 = 1 << 6;
/// The extension is (one of) who was called.
pub(crate) const EXTENSION_WAS_CALLED: i64 = 1 << 7;
/// The customer called.
pub(crate) const CUSTOMER_CALLED: i64 = 1 << 8;
/// The customer was called.
pub(crate) const CUSTOMER_WAS_CALLED: i64 = 1 << 9;
/// The tenant's number was called, and nothing behind it.
pub(crate) const DID_WAS_CALLED: i64 = 1 << 10;
/// The customer's number is the extension: who looks for either has found it there.
pub(crate) const CUSTOMER_REPEATS: i64 = 1 << 11;
/// The tenant's number is the extension or the customer's.
pub(crate) const DID_REPEATS: i64 = 1 << 12;

/// Milliseconds of a day of the tallies, which begins at midnight UTC.
pub(crate) const DAY: i64 = 86_400_000;
/// And of a week, by which calls of two numbers are tallied.
pub(crate) const WEEK: i64 = 7 * DAY;
/// Numbers of at least this many digits are the world's: too many for tallies.
const DIGITS_OF_THE_WORLD: usize = 8;

/// The columns of a record's row that are made of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Facts {
    /// Everything of few values.
    pub facts: i64,
    /// Who was called, where it is neither extension, customer nor the tenant's number: a group, a menu.
    pub dialled: Option<String>,
    /// Who called, where it is neither extension nor customer: who gave the call away.
    pub dialler: Option<String>,
    /// Whole seconds from start to end.
    pub seconds: Option<i64>,
    /// Whole seconds of conversation.
    pub bill_seconds: Option<i64>,
    /// Why it ended.
    pub reason: Option<&'static str>,
    /// The last trunk it ran over.
    pub trunk: Option<String>,
}

impl Facts {
    /// What a record's row says besides the record.
    pub fn of(record: &Record) -> Self {
        let we_call =
            matches!(record.origin, Origin::Click | Origin::Consultation) || record.direction == Direction::Outbound;
        let (from, to) = (record.from.number(), record.to.number());
        let extension = record.extension.as_deref();
        let customer = record.customer.as_str();
        let did = record.did.as_ref().map(|did| did.as_str());

        let mut facts = kind(record.direction, record.status);
        let mut set = |bit: i64, holds: bool| facts |= if holds { bit } else { 0 };
        set(RECORDED, !record.recordings.is_empty());
        let is = |one: Option<&str>, other: &str| one.is_some_and(|one| is_same(one, other));
        set(EXTENSION_CALLED, extension.is_some() && (we_call || is(extension, from)));
        set(EXTENSION_WAS_CALLED, extension.is_some() && (!we_call || is(extension, to)));
        let customer_repeats = is(extension, customer);
        let did_repeats = did.is_some_and(|did| is(extension, did) || is_same(did, customer));
        set(CUSTOMER_REPEATS, customer_repeats);
        set(DID_REPEATS, did_repeats);
        set(CUSTOMER_CALLED, !customer_repeats && is_same(customer, from));
        set(CUSTOMER_WAS_CALLED, !customer_repeats && is_same(customer, to));
        set(DID_WAS_CALLED, !did_repeats && is(did, to));
        let is_other = |number: &str| !is(extension, number) && !is_same(customer, number);
        Self {
            facts,
            dialled: (is_other(to) && !is(did, to)).then(|| to.to_owned()),
            dialler: is_other(from).then(|| from.to_owned()),
            seconds: record.duration_seconds(),
            bill_seconds: record.bill_seconds(),
            reason: record.reason.map(|reason| reason.code()),
            trunk: record.legs.iter().rev().find_map(|leg| trunk(&leg.party)).map(str::to_owned),
        }
    }
}

/// Whether a search for one finds the other: the world's numbers are written with and without what stands before them.
fn is_same(one: &str, other: &str) -> bool {
    one == other || (is_of_the_world(one) && bare(one) == bare(other))
}

/// A number without what stands before the country's code.
fn bare(mut number: &str) -> &str {
    while let Some(rest) = number.strip_prefix('+') {
        number = rest;
    }
    while let Some(rest) = number.strip_prefix("00") {
        number = rest;
    }
    number
}

fn is_of_the_world(number: &str) -> bool {
    number.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_OF_THE_WORLD
}

/// The trunk of a leg, if it runs over one.
pub(crate) fn trunk(party: &model::Party) -> Option<&str> {
    match party {
        model::Party::Outside { trunk, .. } => trunk.as_deref(),
        _ => None,
    }
}

/// Direction and status as the lowest bits of `facts` have them.
pub(crate) fn kind(direction: Direction, status: Status) -> i64 {
    direction_bits(direction) | status_bits(status)
}

/// Every kind that a filter of direction and status leaves.
pub(crate) fn kinds(direction: Option<Direction>, status: Option<Status>) -> Vec<i64> {
    let directions = [Direction::Inbound, Direction::Outbound, Direction::Local];
    let statuses = [Status::Answered, Status::NoAnswer, Status::Busy, Status::Failed, Status::Missed];
    let directions = directions.into_iter().filter(|one| direction.is_none_or(|wanted| wanted == *one));
    directions
        .flat_map(|direction| statuses.into_iter().map(move |status| (direction, status)))
        .filter(|(_, one)| status.is_none_or(|wanted| wanted == *one))
        .map(|(direction, status)| kind(direction, status))
        .collect()
}

/// Bits of `facts` and what they have to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mask {
    /// Which bits matter.
    pub bits: i64,
    /// What they are.
    pub values: i64,
}

impl Mask {
    /// These bits are set.
    pub fn set(bits: i64) -> Self {
        Self { bits, values: bits }
    }

    /// These bits are not set.
    pub fn unset(bits: i64) -> Self {
        Self { bits, values: 0 }
    }

    /// What a filter of direction, status and sound leaves.
    pub fn of(direction: Option<Direction>, status: Option<Status>, recorded: Option<bool>) -> Self {
        let mut mask = Self::default();
        if let Some(direction) = direction {
            mask = mask.and(Self { bits: DIRECTION, values: direction_bits(direction) });
        }
        if let Some(status) = status {
            mask = mask.and(Self { bits: STATUS, values: status_bits(status) });
        }
        match recorded {
            Some(true) => mask.and(Self::set(RECORDED)),
            Some(false) => mask.and(Self::unset(RECORDED)),
            None => mask,
        }
    }

    /// Both; they speak of different bits.
    pub fn and(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits, values: self.values | other.values }
    }
}

fn direction_bits(direction: Direction) -> i64 {
    match direction {
        Direction::Inbound => 0,
        Direction::Outbound => 1,
        Direction::Local => 2,
    }
}

fn status_bits(status: Status) -> i64 {
    let place = match status {
        Status::Answered => 0,
        Status::NoAnswer => 1,
        Status::Busy => 2,
        Status::Failed => 3,
        Status::Missed => 4,
    };
    place << 2
}

/// A count of calls that are over: of one key, one day and one set of facts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Tally {
    /// Whose calls.
    pub tenant: TenantId,
    /// Empty: all of them; else a letter for the column and the number in it, or what [`pair`] makes of two.
    pub key: String,
    /// Days since 1970, UTC, of their start; the first one of the week where two numbers are tallied.
    pub day: i64,
    /// The bits of `facts` that are counted apart.
    pub facts: i64,
}

impl Tally {
    /// Whether two numbers share it.
    pub fn is_of_a_pair(&self) -> bool {
        self.key.starts_with(|first: char| first.is_ascii_digit() || first == '-')
    }
}

/// The key of all calls.
pub(crate) const EVERY: &str = "";

/// The tallies that a call adds to when it ends: one for all calls, one for each number that many calls share, and one for
/// every two of those.
pub(crate) fn tallies(tenant: TenantId, row: &TallyRow<'_>) -> Vec<Tally> {
    let (day, week) = (row.started_ms.div_euclid(DAY), row.started_ms.div_euclid(WEEK));
    let tally = |key, day, bits: i64| Tally { tenant, key, day, facts: row.facts & (KIND | RECORDED | bits) };
    let mut tallies = vec![tally(EVERY.to_owned(), day, 0)];
    let columns = [
        (Column::Extension, row.extension),
        (Column::Customer, row.customer),
        (Column::Did, row.did),
        (Column::Dialled, row.dialled),
    ];
    for (nth, (column, number)) in columns.iter().enumerate() {
        let Some(number) = number else { continue };
        tallies.extend(column.tally(number).map(|key| tally(key, day, column.parts())));
        for (other, also) in &columns[nth + 1..] {
            let key = also.and_then(|also| pair(week, (*column, number), (*other, also)));
            let parts = column.parts() | other.parts();
            tallies.extend(key.map(|key| tally(key, week * (WEEK / DAY), parts)));
        }
    }
    tallies
}

/// The key under which calls with two numbers in a week are tallied; None if one of them is not. It begins with the week,
/// so that what is written at a time lies together.
pub(crate) fn pair(week: i64, one: (Column, &str), other: (Column, &str)) -> Option<String> {
    let ((column, number), (other, also)) = if one.0 < other.0 { (one, other) } else { (other, one) };
    let (letter, another) = (column.letter(number)?, other.letter(also)?);
    Some(format!("{week}{letter}{}.{number}{another}{also}", number.chars().count()))
}

/// What of a record's row makes its tallies.
pub(crate) struct TallyRow<'a> {
    pub started_ms: i64,
    pub facts: i64,
    pub extension: Option<&'a str>,
    pub customer: Option<&'a str>,
    pub did: Option<&'a str>,
    pub dialled: Option<&'a str>,
}

/// The columns by whose index records are found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Column {
    /// Direction and status.
    Kind,
    /// The company's side.
    Extension,
    /// The other side.
    Customer,
    /// The tenant's number.
    Did,
    /// Who else was called.
    Dialled,
    /// Who else called.
    Dialler,
}

impl Column {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Extension => "extension",
            Self::Customer => "customer",
            Self::Did => "did",
            Self::Dialled => "dialled",
            Self::Dialler => "dialler",
        }
    }

    /// Its index.
    pub fn index(self) -> &'static str {
        match self {
            Self::Kind => "records_by_kind",
            Self::Extension => "records_by_extension",
            Self::Customer => "records_by_customer",
            Self::Did => "records_by_did",
            Self::Dialled => "records_by_dialled",
            Self::Dialler => "records_by_dialler",
        }
    }

    /// What an index of calls that are over says of itself. Each says it differently, and a query names the one it means:
    /// a planner that guesses how rare a value is cannot choose another.
    pub fn token(self) -> &'static str {
        match self {
            Self::Kind => "ended_ms <> -1",
            Self::Extension => "ended_ms <> -2",
            Self::Customer => "ended_ms <> -3",
            Self::Did => "ended_ms <> -4",
            Self::Dialled => "ended_ms <> -5",
            Self::Dialler => "ended_ms <> -6",
        }
    }

    /// The key under which calls with this number are tallied; None: there are too many such numbers, and few calls of each.
    pub fn tally(self, number: &str) -> Option<String> {
        self.letter(number).map(|letter| format!("{letter}{number}"))
    }

    fn letter(self, number: &str) -> Option<char> {
        match self {
            Self::Extension => Some('x'),
            Self::Did => Some('n'),
            Self::Customer if !is_of_the_world(number) => Some('c'),
            Self::Dialled if !is_of_the_world(number) => Some('d'),
            Self::Kind | Self::Customer | Self::Dialled | Self::Dialler => None,
        }
    }

    /// The columns that its index has besides.
    pub fn carries(self) -> &'static [Self] {
        match self {
            Self::Kind => &[],
            Self::Extension => &[Self::Did, Self::Dialled],
            Self::Customer => &[Self::Extension, Self::Did, Self::Dialled],
            Self::Did => &[Self::Extension, Self::Dialled],
            Self::Dialled => &[Self::Extension, Self::Did],
            Self::Dialler => &[Self::Extension, Self::Customer, Self::Did, Self::Dialled],
        }
    }

    /// The bits of `facts` that say which part the number plays.
    fn parts(self) -> i64 {
        match self {
            Self::Kind | Self::Dialled | Self::Dialler => 0,
            Self::Extension => EXTENSION_CALLED | EXTENSION_WAS_CALLED,
            Self::Customer => CUSTOMER_CALLED | CUSTOMER_WAS_CALLED | CUSTOMER_REPEATS,
            Self::Did => DID_WAS_CALLED | DID_REPEATS,
        }
    }
}
