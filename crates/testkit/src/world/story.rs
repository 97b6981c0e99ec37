//! Events and records in words, without ids and times: what two runs of the same call must have in common.

use model::{
    AgentEvent, CallEvent, Direction, EndedBy, Event, ExtensionEvent, Forwarding, LegId, Origin, Part, Party, Record,
    RecordingEvent, Side, SoundEvent, Status, TransferMode, TrunkEvent, What,
};

/// An event in words. Legs are called by their party's number, which the call's record knows.
pub fn tell_event(event: &Event, record: Option<&Record>) -> String {
    let leg = |id: &LegId| {
        let found = record.and_then(|record| record.legs.iter().find(|leg| leg.leg == *id));
        found.map_or_else(|| "somebody".to_owned(), |leg| leg.party.number().to_owned())
    };
    match &event.what {
        What::Call(CallEvent::Started { origin, direction, from, to, .. }) => {
            let (origin, direction) = (origin_word(*origin), direction_word(*direction));
            format!("call.started {direction} by {origin}, {} to {}", party(from), party(to))
        }
        What::Call(CallEvent::LegStarted { side, party, caller, .. }) => {
            let caller = if *caller { " who calls" } else { "" };
            format!("leg.started {} as {}{caller}", party.number(), side_word(*side))
        }
        What::Call(CallEvent::LegRinging { leg: id, early_sound }) => {
            format!("leg.ringing {}{}", leg(id), if *early_sound { " with sound" } else { "" })
        }
        What::Call(CallEvent::LegRerouted { leg: id, trunk, reason, sip }) => {
            format!("leg.rerouted {} to {trunk} after {} {sip}", leg(id), reason.code())
        }
        What::Call(CallEvent::LegAnswered { leg: id }) => format!("leg.answered {}", leg(id)),
        What::Call(CallEvent::LegHeld { leg: id }) => format!("leg.held {}", leg(id)),
        What::Call(CallEvent::LegResumed { leg: id }) => format!("leg.resumed {}", leg(id)),
        What::Call(CallEvent::LegMuted { leg: id }) => format!("leg.muted {}", leg(id)),
        What::Call(CallEvent::LegUnmuted { leg: id }) => format!("leg.unmuted {}", leg(id)),
        What::Call(CallEvent::Routed { to, by, why }) => {
            let by = by.word();
            let why = why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            format!("call.routed to {} by {by}{why}", party(to))
        }
        What::Call(CallEvent::Transferring { leg: id, to, mode, .. }) => {
            format!("call.transferring {} by {}, {}", party(to), leg(id), mode_word(*mode))
        }
        What::Call(CallEvent::Transferred { leg: id, target, mode }) => {
            format!("call.transferred {} by {}, {}", leg(target), leg(id), mode_word(*mode))
        }
        What::Call(CallEvent::TransferFailed { leg: id, reason, sip }) => {
            format!("call.transfer_failed by {}, {} {sip}", leg(id), reason.code())
        }
        What::Call(CallEvent::LegKey { leg: id, key }) => format!("leg.key {} {key}", leg(id)),
        What::Call(CallEvent::LegEnded { leg: id, reason, sip, cause, by }) => {
            format!("leg.ended {} {} {sip}{} by {}", leg(id), reason.code(), cause_words(*cause), by_word(*by))
        }
        What::Call(CallEvent::Connected { agent, customer }) => {
            format!("call.connected {} with {}", leg(agent), leg(customer))
        }
        What::Call(CallEvent::Reached { leg: id, end }) => format!("call.reached {} by {}", party(end), leg(id)),
        What::Call(CallEvent::MenuKey { menu, key, valid }) => {
            let key = key.map_or_else(|| "none".to_owned(), |key| key.to_string());
            format!("call.menu_key {menu} {key}{}", if *valid { "" } else { " in vain" })
        }
        What::Call(CallEvent::Queued { queue, place }) => format!("call.queued {queue} at {place}"),
        What::Call(CallEvent::Offered { queue, leg: id }) => format!("call.offered {queue} to {}", leg(id)),
        What::Call(CallEvent::OfferMissed { queue, leg: id, reason }) => {
            format!("call.offer_missed {queue} by {}, {}", leg(id), reason.code())
        }
        What::Call(CallEvent::Unqueued { queue, why }) => format!("call.unqueued {queue} {}", why.word()),
        What::Call(CallEvent::Forwarded { from, to, why }) => {
            format!("call.forwarded from {} to {}, {}", party(from), party(to), forwarding_word(*why))
        }
        What::Call(CallEvent::PickedUp { leg: id, from }) => {
            format!("call.picked_up by {} from {}", leg(id), leg(from))
        }
        What::Call(CallEvent::Parked { leg: id, by, place }) => {
            format!("call.parked {} at {place} by {}", leg(id), leg(by))
        }
        What::Call(CallEvent::Unparked { leg: id, place, by }) => {
            let by = by.as_ref().map_or_else(|| "nobody".to_owned(), &leg);
            format!("call.unparked {} at {place} by {by}", leg(id))
        }
        What::Call(CallEvent::Joined { leg: id, part }) => format!("call.joined {} as {}", leg(id), part_word(*part)),
        What::Call(CallEvent::MessageLeft { mailbox, .. }) => format!("call.message_left for {mailbox}"),
        What::Call(CallEvent::Ended { reason, sip, cause, by, .. }) => {
            format!("call.ended {} {sip}{} by {}", reason.code(), cause_words(*cause), by_word(*by))
        }
        What::Recording(RecordingEvent::Started { .. }) => "recording.started".into(),
        What::Recording(RecordingEvent::Paused) => "recording.paused".into(),
        What::Recording(RecordingEvent::Resumed) => "recording.resumed".into(),
        What::Recording(RecordingEvent::Closed { .. }) => "recording.closed".into(),
        What::Recording(RecordingEvent::Failed { .. }) => "recording.failed".into(),
        What::Sound(SoundEvent::Measured { legs }) => {
            let legs: Vec<String> = legs.iter().map(|measured| leg(&measured.leg)).collect();
            format!("sound.measured {}", legs.join(" "))
        }
        What::Extension(ExtensionEvent::Refused { reason, .. }) => {
            let why = reason.map_or("", |reason| reason.code());
            format!("extension.refused {} {why}", event.subject.id()).trim_end().to_owned()
        }
        What::Extension(what) => format!("{} {}", extension_word(what), event.subject.id()),
        What::Agent(what) => agent_words(&event.subject.id(), what),
        What::Trunk(what) => trunk_words(&event.subject.id(), what),
    }
}

/// A record in words. Seconds are whole: how long it rang, was connected, and took.
pub fn tell_record(record: &Record) -> String {
    let seconds = |value: Option<i64>| value.map_or_else(|| "?".into(), |seconds| seconds.to_string());
    let reason = record.reason.map_or("live", |reason| reason.code());
    let sip = record.sip.map_or_else(String::new, |sip| format!(" {sip}"));
    let by = record.ended_by.map_or("nobody", by_word);
    let legs = match record.legs.len() {
        1 => "1 leg".to_owned(),
        more => format!("{more} legs"),
    };
    let recordings = match record.recordings.len() {
        0 => String::new(),
        1 => ", recorded".into(),
        more => format!(", recorded {more} times"),
    };
    let did = record.did.as_ref().map_or_else(String::new, |did| format!(", number {did}"));
    let transfers = record.transfers.iter().map(|transfer| match transfer.failed {
        Some(reason) => format!(", not transferred to {}: {}", transfer.to.number(), reason.code()),
        None if transfer.target.is_some() => format!(", transferred to {}", transfer.to.number()),
        None => format!(", being transferred to {}", transfer.to.number()),
    });
    let transfers: String = transfers.collect();
    format!(
        "{} {} ({}): agent {}, customer {}{did}, {reason}{sip} by {by}, talked {} of {}s, {legs}{recordings}{transfers}",
        direction_word(record.direction),
        status_word(record.status),
        status_word(record.disposition),
        record.extension.as_deref().unwrap_or("none"),
        record.customer,
        seconds(record.bill_seconds()),
        seconds(record.duration_seconds()),
    )
}

fn cause_words(cause: Option<u8>) -> String {
    cause.map_or_else(String::new, |cause| format!(" cause {cause}"))
}

fn party(party: &Party) -> String {
    match party {
        Party::Outside { number, trunk: Some(trunk), .. } => format!("{number} over {trunk}"),
        Party::Outside { number, trunk: None, .. } => format!("{number} outside"),
        Party::Voicemail { number } => format!("mailbox {number}"),
        Party::Prompt { .. } => "a prompt".into(),
        inside => inside.number().to_owned(),
    }
}

fn forwarding_word(why: Forwarding) -> &'static str {
    match why {
        Forwarding::Always => "always",
        Forwarding::Busy => "busy",
        Forwarding::NoAnswer => "no answer",
        Forwarding::Unreachable => "unreachable",
        Forwarding::DoNotDisturb => "do not disturb",
    }
}

fn part_word(part: Part) -> &'static str {
    match part {
        Part::Conference => "conference",
        Part::Listen => "listen",
        Part::Whisper => "whisper",
        Part::Barge => "barge",
    }
}

fn agent_words(agent: &str, what: &AgentEvent) -> String {
    match what {
        AgentEvent::SignedIn => format!("agent.signed_in {agent}"),
        AgentEvent::SignedOut => format!("agent.signed_out {agent}"),
        AgentEvent::Paused { reason } => format!("agent.paused {agent}: {reason}"),
        AgentEvent::Resumed => format!("agent.resumed {agent}"),
        AgentEvent::WrapUp { seconds } => format!("agent.wrap_up {agent} for {seconds}s"),
        AgentEvent::Ready => format!("agent.ready {agent}"),
    }
}

fn mode_word(mode: TransferMode) -> &'static str {
    match mode {
        TransferMode::Blind => "blind",
        TransferMode::Attended => "attended",
    }
}

fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Phone => "phone",
        Origin::Trunk => "trunk",
        Origin::Click => "click",
        Origin::Consultation => "consultation",
    }
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Local => "local",
    }
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Agent => "agent",
        Side::Customer => "customer",
    }
}

fn by_word(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Agent => "agent",
        EndedBy::Customer => "customer",
        EndedBy::Switchboard => "switchboard",
    }
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Answered => "answered",
        Status::NoAnswer => "no answer",
        Status::Busy => "busy",
        Status::Failed => "failed",
        Status::Missed => "missed",
    }
}

fn trunk_words(trunk: &str, what: &TrunkEvent) -> String {
    match what {
        TrunkEvent::Refused { reason, .. } => format!("trunk.refused {trunk} {}", reason.code()),
        TrunkEvent::Down { why } => format!("trunk.down {trunk}: {why}"),
        TrunkEvent::Up => format!("trunk.up {trunk}"),
        TrunkEvent::Registered { address, expires } => format!("trunk.registered {trunk} at {address} for {expires}s"),
        TrunkEvent::Unregistered { why } => format!("trunk.unregistered {trunk}: {why}"),
        TrunkEvent::RegistrationFailed { why, sip, retry } => {
            let sip = sip.map_or_else(String::new, |sip| format!(" ({sip})"));
            format!("trunk.registration_failed {trunk}: {why}{sip}, again in {retry}s")
        }
    }
}

fn extension_word(what: &ExtensionEvent) -> &'static str {
    match what {
        ExtensionEvent::Registered { .. } => "extension.registered",
        ExtensionEvent::Unregistered { .. } => "extension.unregistered",
        ExtensionEvent::Refused { .. } => "extension.refused",
    }
}
