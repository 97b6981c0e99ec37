//! Which extension a stored event concerns, and what it is told (readings 11 and 12). The one place where this is decided:
//! Socket.IO's `response` and the event hooks render what stands here.
//!
//! | stored | told |
//! |---|---|
//! | an extension dials out | `Ring` to it |
//! | an extension's first phone rings, or is answered without having rung | `Ring` to it |
//! | click-to-call: the customer's leg rings | `Ringing` to the agent's extension |
//! | both sides are connected | `Up` to each extension of the two that has not heard it |
//! | an extension's last leg is over, and no transfer of its is under way | `Hangup` to it, if it has heard `Ring` |
//! | a transfer is done | `Hangup` to the extension that gave the other side away, where its leg is over |
//! | the call is over | `Hangup` to each extension that has heard `Ring` and not this |
//!
//! A phone that refuses at once, or is not reached, has not rung: its extension hears nothing. CRMs close by `Hangup` what
//! they opened by `Ring`, many by the extension alone, and that extension may be talking in another call.
//!
//! Each stored event carries the record as it stood after its batch, so that nothing has to be remembered between events
//! and a reader may begin at any position. What an extension is told is told of a *stay*: its legs from the first that
//! begins to the moment when none is left. A phone that gave its caller away and is rung back when nobody takes him goes
//! on with the stay it had; an extension that a caller comes back to later begins another.

use model::{CallEvent, LegId, LegRecord, Origin, Reason, Record, Side, StoredEvent, Timestamp, TransferRecord, What};

/// What an extension is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Ring,
    Ringing,
    Up,
    Hangup,
}

impl State {
    /// The word in the documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ring => "Ring",
            Self::Ringing => "Ringing",
            Self::Up => "Up",
            Self::Hangup => "Hangup",
        }
    }
}

/// A leg, whose extension is told.
pub(super) type Told<'a> = (&'a LegRecord, State);

/// Who is told what by an event, in order.
pub(super) fn told(stored: &StoredEvent) -> Vec<Told<'_>> {
    let (What::Call(event), Some(record)) = (&stored.event.what, stored.record.as_deref()) else { return Vec::new() };
    let at = stored.event.at;
    match event {
        CallEvent::LegStarted { leg, caller: true, .. } => dials_out(record, *leg),
        CallEvent::LegRinging { leg, .. } => ringing(record, *leg, at),
        CallEvent::LegAnswered { leg } => answered(record, *leg),
        CallEvent::Connected { agent, customer } => {
            [up(record, *agent, at), up(record, *customer, at)].into_iter().flatten().collect()
        }
        CallEvent::LegEnded { leg, .. } => leg_ended(record, *leg),
        CallEvent::Transferred { leg, .. } => given_away(record, *leg, at),
        CallEvent::Ended { .. } => left_over(record),
        _ => Vec::new(),
    }
}

fn dials_out(record: &Record, leg: LegId) -> Vec<Told<'_>> {
    extension_leg(record, leg).map(|leg| (leg, State::Ring)).into_iter().collect()
}

fn ringing(record: &Record, leg: LegId, at: Timestamp) -> Vec<Told<'_>> {
    // A carrier may say twice that it rings (180 after 183); only the first counts.
    let Some(leg) = find(record, leg).filter(|leg| leg.ringing_at == Some(at)) else { return Vec::new() };
    let first = |legs: &mut dyn Iterator<Item = &LegRecord>| {
        legs.filter_map(|leg| Some((leg.ringing_at?, leg.leg))).min().is_some_and(|(_, first)| first == leg.leg)
    };
    let mut told = Vec::new();
    // Several phones of one extension ring as one, and whoever is rung back has been told already.
    let heard = |other: &&LegRecord| other.caller || (other.answered_at.is_some() && other.ringing_at.is_none());
    let stay = stay(record, leg);
    if leg.party.extension().is_some() && first(&mut stay.iter().copied()) && !stay.iter().any(heard) {
        told.push((leg, State::Ring));
    }
    if record.origin == Origin::Click
        && leg.side == Side::Customer
        && first(&mut record.legs.iter().filter(|leg| leg.side == Side::Customer))
    {
        told.extend(agent(record).map(|agent| (agent, State::Ringing)));
    }
    told
}

/// A phone that answers by itself may never say that it rings.
fn answered(record: &Record, leg: LegId) -> Vec<Told<'_>> {
    let Some(leg) = extension_leg(record, leg).filter(|leg| !leg.caller) else { return Vec::new() };
    let silent = stay(record, leg).iter().all(|other| {
        !other.caller && other.ringing_at.is_none() && (other.answered_at.is_none() || other.leg == leg.leg)
    });
    if silent { vec![(leg, State::Ring)] } else { Vec::new() }
}

/// Once for a stay: with the first of its legs that takes part in a conversation.
fn up(record: &Record, leg: LegId, at: Timestamp) -> Option<Told<'_>> {
    let leg = extension_leg(record, leg)?;
    // Whoever talks from the call's first conversation on was told then; others are told as they pick up.
    let joins = record.answered_at == Some(at) || leg.answered_at == Some(at);
    let earlier = stay(record, leg).iter().any(|other| {
        other.leg != leg.leg && other.answered_at.is_some_and(|other| leg.answered_at.is_none_or(|own| other < own))
    });
    (joins && !earlier).then_some((leg, State::Up))
}

/// Told with the last leg of the stay. Legs that end at once count in the order they began.
fn leg_ended(record: &Record, leg: LegId) -> Vec<Told<'_>> {
    let Some(leg) = extension_leg(record, leg) else { return Vec::new() };
    let stay = stay(record, leg);
    let over = has_rung(&stay) && last_of(&stay).is_some_and(|last| last.leg == leg.leg);
    // While nobody has taken whom it gave away, its phone may ring once more.
    let waits = gave_away(record, leg).is_some_and(|transfer| transfer.target.is_none());
    if over && !waits { vec![(leg, State::Hangup)] } else { Vec::new() }
}

/// Told with the end of the transfer, unless the leg ended with it or ends later.
fn given_away(record: &Record, leg: LegId, at: Timestamp) -> Vec<Told<'_>> {
    let Some(leg) = extension_leg(record, leg) else { return Vec::new() };
    match last_of(&stay(record, leg)) {
        Some(last) if gave_away(record, last).is_some() && last.ended_at.is_some_and(|ended| ended < at) => {
            vec![(last, State::Hangup)]
        }
        _ => Vec::new(),
    }
}

/// Who waited for a transfer that came to nothing; and after a crash whoever has legs whose end nobody saw.
fn left_over(record: &Record) -> Vec<Told<'_>> {
    let mut told: Vec<Told<'_>> = Vec::new();
    for leg in record.legs.iter().filter(|leg| leg.party.extension().is_some()) {
        let stay = stay(record, leg);
        let waits = match last_of(&stay) {
            None => leg.ended_at.is_none() && has_rung(&stay),
            Some(last) => {
                last.leg == leg.leg && gave_away(record, leg).is_some_and(|transfer| transfer.target.is_none())
            }
        };
        if waits && !told.iter().any(|(other, _)| other.party == leg.party) {
            told.push((leg, State::Hangup));
        }
    }
    told
}

/// The transfer by which a leg left the call, if it left so.
fn gave_away<'a>(record: &'a Record, leg: &LegRecord) -> Option<&'a TransferRecord> {
    let left = leg.reason == Some(Reason::Transferred);
    record.transfers.iter().rev().find(|transfer| left && transfer.leg == leg.leg)
}

/// The legs of the leg's extension that belong together with it, in the order they began.
fn stay<'a>(record: &'a Record, leg: &LegRecord) -> Vec<&'a LegRecord> {
    let mut legs: Vec<&LegRecord> =
        record.legs.iter().filter(|other| other.party.extension() == leg.party.extension()).collect();
    legs.sort_by_key(|leg| (leg.started_at, leg.leg));
    let mut stay: Vec<&LegRecord> = Vec::new();
    for other in legs {
        let gone = |earlier: &&LegRecord| {
            let rung_back = gave_away(record, earlier).is_some_and(|transfer| transfer.target.is_none());
            earlier.ended_at.is_some_and(|ended| ended <= other.started_at) && !rung_back
        };
        if stay.iter().all(gone) {
            if stay.iter().any(|before| before.leg == leg.leg) {
                break;
            }
            stay.clear();
        }
        stay.push(other);
    }
    stay
}

/// Whether the extension was told that it rings, or called itself.
fn has_rung(stay: &[&LegRecord]) -> bool {
    stay.iter().any(|leg| leg.caller || leg.ringing_at.is_some() || leg.answered_at.is_some())
}

/// The leg that ended last, when all have.
fn last_of<'a>(legs: &[&'a LegRecord]) -> Option<&'a LegRecord> {
    let ended = legs.iter().map(|leg| Some((leg.ended_at?, leg.leg))).collect::<Option<Vec<_>>>()?;
    let (_, last) = ended.into_iter().max()?;
    legs.iter().copied().find(|leg| leg.leg == last)
}

fn find(record: &Record, leg: LegId) -> Option<&LegRecord> {
    record.legs.iter().find(|other| other.leg == leg)
}

/// The leg, if it is an extension's.
fn extension_leg(record: &Record, leg: LegId) -> Option<&LegRecord> {
    find(record, leg).filter(|leg| leg.party.extension().is_some())
}

/// The leg of the extension that a click-to-call rang first.
fn agent(record: &Record) -> Option<&LegRecord> {
    record.legs.iter().find(|leg| leg.side == Side::Agent && leg.party.extension().is_some())
}
