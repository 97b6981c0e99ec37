//! The shapes that a call can have, as text: what is done, and the events and the record that it must give.
//!
//! ```text
//! == The called side hangs up
//! given 102 is recorded
//! 0.0 101 calls 102
//! 1.0 102 answers
//! 5.0 102 hangs up
//!
//! call.started local by phone, 101 to 102
//! …
//! = local answered (answered): agent 102, customer 101, hung_up 200 by agent, talked 4 of 5s, 2 legs
//! ```
//!
//! A paragraph for each call, in the order in which they began; replies to a client stand before them, with `->`.
//! A phone that is called rings at once and waits. [`World::run_shape`](super::World::run_shape) plays a shape in
//! virtual time; whoever has real phones can play [`Shape::steps`] with them, judge with [`Shape::judge`], and leave out
//! what [`Shape::needs_the_world`].

pub mod floor;
mod parse;
mod play;
pub mod queues;

use std::collections::BTreeMap;
use std::time::Duration;

use model::{AgentAction, CallId, Event, PlayedSound, Record, RecordAction, Strategy, TransferMode, What};

use super::check::same;
use super::story::{tell_event, tell_record};

/// One shape.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    /// What happens, in a sentence.
    pub title: String,
    /// What is so before it begins.
    pub givens: Vec<Given>,
    /// Who does what, when.
    pub steps: Vec<(Duration, Step)>,
    /// The story it must give.
    pub story: String,
}

/// What is so before a shape begins. Phones are named as in [`World::new`](super::World::new).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given {
    /// `102 is silent`: it says nothing to a call.
    Silent(String),
    /// `102 is offline`: it has signed out.
    Offline(String),
    /// `102 speaks 0 PCMU`: nothing else.
    Speaks(String, u8, String),
    /// `102 sends early sound`
    EarlySound(String),
    /// `102 never acknowledges`: it sends no ACK to an answer.
    NeverAcks(String),
    /// `102 has two phones`: the second is called `102b`.
    TwoPhones(String),
    /// `102 is recorded`
    Recorded(String),
    /// `102 has 1 lines`
    Lines(String, u32),
    /// `102 rings 10 seconds`
    Rings(String, u32),
    /// `calls last 10 seconds`, at most.
    CallsLast(u32),
    /// `calls are 1`, at most, at once.
    Calls(u32),
    /// `channels are 1`: of the trunk.
    Channels(u32),
    /// `records cannot be stored`
    Stalled,
    /// `commits take 2 seconds`
    CommitsTake(Duration),
    /// `records are refused`: calls that begin, by the database, for what they say.
    Refused,
    /// `nobody is rung back`: who transferred a call that nobody took.
    NoRingBack,
    /// `carrier does not ring`: it says nothing before it answers or refuses but 100.
    NoRinging(String),
    /// `101 is behind a router` that knows it by another address and forgets it after 30 silent seconds.
    Router(String),
    /// `backup is a second carrier`, for what the first one cannot take.
    SecondCarrier(String),
    /// `102 says cause 17`: in its refusals and its BYEs (Q.850).
    Cause(String, u8),
    /// `silence lasts 10 seconds`, at most.
    Silence(u32),
    /// `600 has members 102 103`, in this order.
    Members(String, Vec<String>),
    /// `600 rings in order`, `600 rings the least recent` first, or `600 rings all`.
    Strategy(String, Strategy),
    /// `number reaches 600`: the company's public number.
    NumberReaches(String),
    /// `number asks the crm`, and reaches what it reached without a usable answer.
    NumberAsks,
    /// `crm routes to 101`
    CrmRoutes(String),
    /// `crm fails`: it cannot be asked.
    CrmFails,
    /// `crm is silent`
    CrmSilent,
    /// `crm takes 2 seconds`
    CrmTakes(Duration),
    /// What a company has set up for calls that nobody takes at once.
    Floor(floor::Setup),
    /// What a company has set up for callers who wait.
    Queue(queues::QueueSetup),
    /// `lost 200 from 102`: the next message whose line in a ladder begins so.
    Lost(String, String),
    /// `late 0.3 200 from 102`
    Late(Duration, String, String),
}

/// What somebody does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// `101 calls 102`
    Calls(String, String),
    /// `101 calls 102 as 103`
    CallsAs(String, String, String),
    /// `102 answers`
    Answers(String),
    /// `102 refuses 486`
    Refuses(String, u16),
    /// `101 hangs up`, whatever its call is doing.
    HangsUp(String),
    /// `101 holds`
    Holds(String),
    /// `101 resumes`
    Resumes(String),
    /// `101 presses 5`
    Presses(String, char),
    /// `102 redirects to 103`
    Redirects(String, String),
    /// `101 refers to 103`: its phone gives the other side away.
    Refers(String, String),
    /// `101 moves`: to another network, signs in from there, and tells whom it talks with.
    Moves(String),
    /// `router of 101 restarts`
    RouterRestarts(String),
    /// `101 vanishes`
    Vanishes(String),
    /// `101 returns`
    Returns(String),
    /// `crm dials 101 0900000001`
    Dials(String, String),
    /// `crm orders 101 0900000001 under order-1`: a key that is free.
    Orders(String, String, String),
    /// `crm routes to 102`, from here on.
    CrmRoutes(String),
    /// `crm answers 102`: what was asked longest ago and left open.
    CrmAnswers(String),
    /// `number reaches 600`, from here on.
    NumberReaches(String),
    /// `102 signs out`
    SignsOut(String),
    /// `102 signs in`
    SignsIn(String),
    /// `crm hangs up`: ends the newest call.
    ClientHangsUp,
    /// `crm hangs up the consultation`
    EndsConsultation,
    /// `crm transfers 101 to 102`, `crm transfers 101 to 102 attended`; `crm transfers to 102`: whoever is the only extension.
    Transfers(Option<String>, String, TransferMode),
    /// `crm holds 101`, `crm holds`
    OrdersHold(Option<String>),
    /// `crm resumes 101`, `crm resumes`
    OrdersResume(Option<String>),
    /// `crm mutes 101`, `crm unmutes 101`
    OrdersMute(Option<String>, bool),
    /// `crm presses 12# for 101`
    OrdersKeys(String, String),
    /// `crm plays music to 101 for 5 seconds`, `crm plays busy`, `crm plays nothing`
    OrdersSound(Option<String>, Option<PlayedSound>, Option<u32>),
    /// `crm starts recording`, `crm pauses recording`, `crm resumes recording`, `crm stops recording`
    OrdersRecording(RecordAction),
    /// `crm signs in 101`, `crm signs out 101`, `crm pauses agent 101`, `crm resumes agent 101`
    Agent(String, AgentAction),
    /// `switchboard drains`
    Drains,
    /// `switchboard ends all`
    EndsAll,
    /// `switchboard dies`
    Dies,
    /// `switchboard starts`
    Starts,
}

impl Shape {
    /// Reads shapes. An error says in which line something cannot be read.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        parse::parse_all(text)
    }

    /// Whether it needs a network that loses, or a process that dies on order.
    pub fn needs_the_world(&self) -> bool {
        let given = |given: &Given| {
            matches!(
                given,
                Given::Lost(..)
                    | Given::Late(..)
                    | Given::Stalled
                    | Given::CommitsTake(_)
                    | Given::Refused
                    | Given::Router(_)
                    | Given::SecondCarrier(_)
                    | Given::Cause(..)
                    | Given::Silence(_)
                    | Given::NoRinging(_)
                    | Given::Members(..)
                    | Given::Strategy(..)
                    | Given::NumberReaches(_)
                    | Given::NumberAsks
                    | Given::CrmRoutes(_)
                    | Given::CrmFails
                    | Given::CrmSilent
                    | Given::CrmTakes(_)
                    | Given::Floor(_)
                    | Given::Queue(_)
            )
        };
        let step = |step: &Step| {
            matches!(
                step,
                Step::Dies
                    | Step::Starts
                    | Step::EndsAll
                    | Step::Orders(..)
                    | Step::Redirects(..)
                    | Step::Refers(..)
                    | Step::Moves(_)
                    | Step::RouterRestarts(_)
                    | Step::CrmRoutes(_)
                    | Step::CrmAnswers(_)
                    | Step::NumberReaches(_)
                    | Step::SignsOut(_)
                    | Step::Agent(..)
                    | Step::SignsIn(_)
            )
        };
        self.givens.iter().any(given) || self.steps.iter().any(|(_, done)| step(done))
    }

    /// Compares the story that was found with the one it must give.
    #[track_caller]
    pub fn judge(&self, found: &str) {
        same(&self.story, found);
    }

    /// The same, where seconds depend on a real clock.
    #[track_caller]
    pub fn judge_without_seconds(&self, found: &str) {
        same(&without_seconds(&self.story), &without_seconds(found));
    }
}

/// The calls that events tell of, a paragraph each.
pub fn tell_calls<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
    let mut calls: BTreeMap<CallId, Vec<&Event>> = BTreeMap::new();
    for event in events {
        // How well sound travelled is told where there was some, which is the network's business.
        if let Some(call) = event.callid.filter(|_| !matches!(event.what, What::Sound(_))) {
            calls.entry(call).or_default().push(event);
        }
    }
    let paragraphs = calls.into_values().map(|events| {
        let record = Record::of(events.iter().copied());
        let lines = events.iter().map(|event| tell_event(event, record.as_ref()) + "\n");
        let last = record.as_ref().map_or_else(|| "no record".into(), tell_record);
        format!("{}= {last}\n", lines.collect::<String>())
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

fn without_seconds(story: &str) -> String {
    let cut = |line: &str| match (line.find(", talked "), line.find("s, ")) {
        (Some(start), Some(_)) => {
            let rest = &line[start + 2..];
            let end = rest.find(", ").map_or("", |end| &rest[end..]);
            format!("{}{end}\n", &line[..start])
        }
        _ => format!("{line}\n"),
    };
    story.lines().map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_left_out_and_nothing_else() {
        let line = "= local answered (answered): agent 102, customer 101, hung_up 200 by agent, talked 4 of 5s, 2 legs";

        assert_eq!(
            without_seconds(line),
            "= local answered (answered): agent 102, customer 101, hung_up 200 by agent, 2 legs\n"
        );
    }
}
