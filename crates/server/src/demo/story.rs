//! The story of calls for people who watch a terminal: one line for each event that matters.

use std::collections::HashMap;
use std::path::PathBuf;

use model::{
    AgentEvent, CallEvent, CallId, EndedBy, Event, ExtensionEvent, Language, LegId, Origin, Part, Party,
    RecordingEvent, Subject, What,
};

/// Tells events as they come.
pub struct Story {
    recordings: PathBuf,
    zone: jiff::tz::TimeZone,
    calls: HashMap<CallId, Call>,
    /// Files by recording.
    files: HashMap<Subject, String>,
}

/// What has to be remembered of a call.
#[derive(Default)]
struct Call {
    legs: HashMap<LegId, String>,
    connected_at: Option<model::Timestamp>,
    recorded: bool,
}

impl Story {
    /// Nothing is told yet. `recordings` is where files lie; times are told in `zone`.
    pub fn new(recordings: PathBuf, zone: jiff::tz::TimeZone) -> Self {
        Self { recordings, zone, calls: HashMap::new(), files: HashMap::new() }
    }

    /// What to say of an event, if anything.
    pub fn tell(&mut self, event: &Event) -> Option<String> {
        let sentence = match &event.what {
            What::Call(what) => self.of_call(event, what)?,
            What::Recording(what) => self.of_recording(event, what)?,
            What::Extension(ExtensionEvent::Registered { address, .. }) => {
                format!("{} signs in from {address}", event.subject.id())
            }
            What::Extension(ExtensionEvent::Unregistered { why, .. }) => {
                format!("{} is signed out ({why})", event.subject.id())
            }
            What::Extension(ExtensionEvent::Refused { why, .. }) => format!("{} is refused: {why}", event.subject.id()),
            What::Agent(what) => of_agent(&event.subject.id(), what),
            What::Sound(_) | What::Trunk(_) => return None,
        };
        let at = event.at.to_zoned(self.zone.clone());
        Some(format!("{}  {sentence}", at.strftime("%H:%M:%S")))
    }

    fn of_call(&mut self, event: &Event, what: &CallEvent) -> Option<String> {
        let id = event.callid?;
        let call = self.calls.entry(id).or_default();
        let who = |leg: &LegId| call.legs.get(leg).map_or("somebody", String::as_str).to_owned();
        let sentence = match what {
            CallEvent::Started { origin, from, to, .. } => {
                let how = match origin {
                    Origin::Click => "a click: ",
                    Origin::Consultation => "a question: ",
                    Origin::Phone | Origin::Trunk => "",
                };
                format!("call {id}: {how}{} calls {}", from.shown(), to.shown())
            }
            CallEvent::LegStarted { leg, party, .. } => {
                call.legs.insert(*leg, party.shown().to_owned());
                return None;
            }
            CallEvent::LegRinging { leg, early_sound: false } => format!("  {} rings", who(leg)),
            CallEvent::LegRinging { leg, early_sound: true } => format!("  {} rings, with sound", who(leg)),
            CallEvent::LegAnswered { leg } => format!("  {} answers", who(leg)),
            CallEvent::LegHeld { leg } => format!("  {} holds", who(leg)),
            CallEvent::LegResumed { leg } => format!("  {} takes the call back", who(leg)),
            CallEvent::LegMuted { leg } => format!("  {} is muted", who(leg)),
            CallEvent::LegUnmuted { leg } => format!("  {} is heard again", who(leg)),
            CallEvent::Routed { to, .. } => format!("  goes to {}", to.shown()),
            CallEvent::Transferring { leg, to, .. } => format!("  {} transfers to {}", who(leg), to.shown()),
            CallEvent::Transferred { target, .. } => format!("  transferred to {}", who(target)),
            CallEvent::TransferFailed { reason, .. } => format!("  the transfer failed: {}", reason.code()),
            CallEvent::Reached { end, .. } => match end {
                Party::Voicemail { number } => format!("  hears the mailbox of {number}"),
                _ => "  hears a prompt to its end".to_owned(),
            },
            CallEvent::MenuKey { key: Some(key), valid, .. } => {
                format!("  {key} is pressed{}", if *valid { "" } else { ", which leads nowhere" })
            }
            CallEvent::MenuKey { key: None, .. } => "  no key is pressed".to_owned(),
            CallEvent::Queued { queue, place } => format!("  waits in queue {queue}, place {place}"),
            CallEvent::Offered { leg, .. } => format!("  is offered to {}", who(leg)),
            CallEvent::OfferMissed { leg, reason, .. } => format!("  {} does not take it: {}", who(leg), reason.code()),
            CallEvent::Unqueued { queue, why } => format!("  leaves queue {queue}: {}", why.word()),
            CallEvent::Forwarded { from, to, .. } => format!("  {} has it go to {}", from.shown(), to.shown()),
            CallEvent::PickedUp { leg, from } => format!("  {} takes it from {}", who(leg), who(from)),
            CallEvent::Parked { leg, place, .. } => format!("  {} is parked at {place}", who(leg)),
            CallEvent::Unparked { leg, by: Some(by), .. } => format!("  {} is taken by {}", who(leg), who(by)),
            CallEvent::Unparked { leg, by: None, .. } => format!("  {} was parked for too long", who(leg)),
            CallEvent::Joined { leg, part } => match part {
                Part::Conference => format!("  {} joins", who(leg)),
                Part::Listen => format!("  {} listens", who(leg)),
                Part::Whisper => format!("  {} whispers", who(leg)),
                Part::Barge => format!("  {} barges in", who(leg)),
            },
            CallEvent::MessageLeft { mailbox, milliseconds, .. } => {
                format!("  a message of {} for {mailbox}", seconds(*milliseconds))
            }
            CallEvent::LegKey { leg, key } => format!("  {} presses {key}", who(leg)),
            CallEvent::LegRerouted { leg, trunk, sip, .. } => {
                format!("  {}: refused with {sip}, tried again over {trunk}", who(leg))
            }
            CallEvent::LegEnded { leg, sip: 200, by, .. } => match by {
                EndedBy::Switchboard => format!("  {} is hung up", who(leg)),
                EndedBy::Agent | EndedBy::Customer => return None,
            },
            CallEvent::LegEnded { leg, reason, sip, .. } => format!("  {}: {} ({sip})", who(leg), reason.code()),
            CallEvent::Connected { .. } => {
                call.connected_at = Some(event.at);
                "  both sides hear each other".to_owned()
            }
            CallEvent::Ended { reason, by, .. } => {
                let talked = call.connected_at.map(|from| (event.at.as_millisecond() - from.as_millisecond()).max(0));
                let by = match by {
                    EndedBy::Agent => " (by the agent)",
                    EndedBy::Customer => " (by the customer)",
                    EndedBy::Switchboard => "",
                };
                let what = reason.sentence(Language::En).trim_end_matches('.');
                let recorded = call.recorded;
                let sentence = match talked {
                    Some(ms) => format!("  over: {what}{by}; they talked {}", seconds(ms.unsigned_abs())),
                    None => format!("  over: {what}{by}"),
                };
                // The recording's file is whole a moment later, and nothing else needs the call.
                self.calls.remove(&id);
                if recorded { sentence } else { format!("{sentence}; nothing was recorded") }
            }
        };
        Some(sentence)
    }

    fn of_recording(&mut self, event: &Event, what: &RecordingEvent) -> Option<String> {
        match what {
            RecordingEvent::Started { file } => {
                if let Some(call) = event.callid.and_then(|id| self.calls.get_mut(&id)) {
                    call.recorded = true;
                }
                self.files.insert(event.subject.clone(), file.clone());
                None
            }
            RecordingEvent::Paused => Some("  the recording pauses".to_owned()),
            RecordingEvent::Resumed => Some("  the recording goes on".to_owned()),
            RecordingEvent::Closed { milliseconds, .. } => {
                let file = self.files.remove(&event.subject)?;
                let file = self.recordings.join(file);
                Some(format!("  recording of {}: {}", seconds(*milliseconds), file.display()))
            }
            RecordingEvent::Failed { why } => {
                self.files.remove(&event.subject);
                Some(format!("  the recording failed: {why}"))
            }
        }
    }
}

fn of_agent(agent: &str, what: &AgentEvent) -> String {
    match what {
        AgentEvent::SignedIn => format!("{agent} signs in to its queues"),
        AgentEvent::SignedOut => format!("{agent} signs out of its queues"),
        AgentEvent::Paused { reason } => format!("{agent} pauses: {reason}"),
        AgentEvent::Resumed => format!("{agent} is back from a pause"),
        AgentEvent::WrapUp { seconds } => format!("{agent} has {seconds} s to write down"),
        AgentEvent::Ready => format!("{agent} is ready"),
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use model::{EngineNumber, Party, Reason, RecordingId, Side, Text, Timestamp};

    use super::*;

    #[test]
    fn a_click_to_call_is_told_from_the_click_to_the_recording() {
        let id = CallId::new(1_767_225_600, EngineNumber(1), 1);
        let (agent, customer) = (id.first_leg(), LegId::new(1_767_225_600, EngineNumber(1), 2));
        let outside = Party::Outside {
            number: Text::from("+84900000001"),
            shown: Some(Text::from("0900000001")),
            trunk: Some("carrier".into()),
        };
        let extension = Party::Extension { number: "101".into() };
        let recording = Subject::Recording(RecordingId::new(1_767_225_600, EngineNumber(1), 3));
        let call = |second, what| event(Subject::Call(id), second, id, What::Call(what));
        let sound = |second, what| event(recording.clone(), second, id, What::Recording(what));
        let leg =
            |leg, party: &Party| CallEvent::LegStarted { leg, side: Side::Agent, party: party.clone(), caller: false };
        let events = [
            call(
                0,
                CallEvent::Started {
                    origin: Origin::Click,
                    direction: model::Direction::Outbound,
                    from: extension.clone(),
                    to: outside.clone(),
                    did: None,
                    about: None,
                },
            ),
            call(0, leg(agent, &extension)),
            call(0, CallEvent::LegRinging { leg: agent, early_sound: false }),
            call(1, CallEvent::LegAnswered { leg: agent }),
            call(1, leg(customer, &outside)),
            sound(2, RecordingEvent::Started { file: "one.wav".into() }),
            call(2, CallEvent::Connected { agent, customer }),
            call(
                12,
                CallEvent::LegEnded {
                    leg: customer,
                    reason: Reason::HungUp,
                    sip: 200,
                    cause: None,
                    by: EndedBy::Customer,
                },
            ),
            call(
                12,
                CallEvent::Ended {
                    reason: Reason::HungUp,
                    sip: 200,
                    cause: None,
                    by: EndedBy::Customer,
                    merged_into: None,
                },
            ),
            sound(
                12,
                RecordingEvent::Closed { milliseconds: 10_020, gap_milliseconds: 0, bytes: 1, sha256: String::new() },
            ),
        ];
        let mut story = Story::new("/sound".into(), jiff::tz::TimeZone::UTC);

        let told: Vec<_> = events.iter().filter_map(|event| story.tell(event)).collect();

        assert_eq!(
            told,
            [
                "00:00:00  call 1767225600.1000001: a click: 101 calls 0900000001",
                "00:00:00    101 rings",
                "00:00:01    101 answers",
                "00:00:02    both sides hear each other",
                "00:00:12    over: A party hung up (by the customer); they talked 10.0 s",
                "00:00:12    recording of 10.0 s: /sound/one.wav",
            ]
        );
        assert!(story.calls.is_empty() && story.files.is_empty());
    }

    fn event(subject: Subject, second: i64, id: CallId, what: What) -> Event {
        let at = Timestamp::from_second(1_767_225_600 + second).expect("a moment");
        Event { subject, seq: 1, at, callid: Some(id), what }
    }
}
