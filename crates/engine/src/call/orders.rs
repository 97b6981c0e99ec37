//! What clients order of a live call, and which of its legs acts.

use model::{ActingLeg, CallId, Command, LegId, Problem, Reply, Ticket};

use super::Call;
use crate::key::LegIndex;

/// An order to a live call. Gets exactly one reply.
#[derive(Debug)]
pub struct Order {
    ticket: Ticket,
    /// What is to be done.
    pub command: Command,
}

impl Order {
    /// An order that is replied to under this ticket.
    pub fn new(ticket: Ticket, command: Command) -> Self {
        Self { ticket, command }
    }

    /// The call it names: the call itself, or its consultation.
    pub fn call(&self) -> Option<CallId> {
        match &self.command {
            Command::Originate(_) | Command::Agent { .. } => None,
            Command::Transfer(transfer) => Some(transfer.call),
            Command::HangUp { call }
            | Command::Hold { call, .. }
            | Command::Resume { call, .. }
            | Command::Mute { call, .. }
            | Command::PressKeys { call, .. }
            | Command::Play { call, .. }
            | Command::Record { call, .. }
            | Command::Conference { call }
            | Command::Supervise { call, .. }
            | Command::Park { call, .. } => Some(*call),
        }
    }

    /// It was carried out, or could not be.
    pub fn reply(self, call: &mut Call, reply: Result<Reply, Problem>) {
        call.story.reply(self.ticket, reply);
    }

    /// It was carried out.
    pub fn done(self, call: &mut Call, done: Result<(), Problem>) {
        let id = self.call().unwrap_or(call.id);
        self.reply(call, done.map(|()| Reply::Done { call: id }));
    }

    /// It makes no sense at this point.
    pub fn not_now(self, call: &mut Call, detail: &str) {
        let problem = not_now(call, detail);
        self.reply(call, Err(problem));
    }
}

/// An order that makes no sense at this point.
pub fn not_now(call: &Call, detail: &str) -> Problem {
    Problem::NotNow { call: call.id, detail: detail.to_owned() }
}

/// The one of these legs that acts.
pub fn acting(call: &Call, among: &[LegIndex], acting: &ActingLeg) -> Result<LegIndex, Problem> {
    let live = || among.iter().copied().filter(|leg| call.is_live(*leg));
    let no_such = |leg: String| Problem::NoSuchLeg { call: call.id, leg };
    match acting {
        ActingLeg::Leg(id) => live().find(|leg| call.leg(*leg).id == *id).ok_or_else(|| no_such(id.to_string())),
        ActingLeg::Extension(number) => {
            let is_its = |leg: &LegIndex| call.leg(*leg).party.extension() == Some(number);
            only(call, live().filter(is_its).collect()).map_err(|problem| match problem {
                Problem::WhichLeg { candidates, .. } if candidates.is_empty() => no_such(number.clone()),
                problem => problem,
            })
        }
        ActingLeg::OnlyExtension => {
            let is_extension = |leg: &LegIndex| call.leg(*leg).party.extension().is_some();
            only(call, live().filter(is_extension).collect())
        }
    }
}

fn only(call: &Call, legs: Vec<LegIndex>) -> Result<LegIndex, Problem> {
    if let [leg] = legs[..] {
        return Ok(leg);
    }
    let candidates: Vec<LegId> = legs.into_iter().map(|leg| call.leg(leg).id).collect();
    Err(Problem::WhichLeg { call: call.id, candidates })
}
