//! A call from outside whose number asks the customer's CRM whom it reaches (readings 20): nothing rings meanwhile.
//!
//! What cannot be followed (an unknown target, a failure, no answer in time) leads where the number leads by default.

use std::time::Instant;

use model::{CallEvent, EndedBy, Party, Reason, RoutedBy, Text};

use super::Stage;
use crate::call::Call;
use crate::edge::{Answer, Question};
use crate::key::LegIndex;
use crate::lines::{Gone, LegNews};
use crate::questions::Full;
use crate::routing::{Crm, Lead, Undecided, crm, lead};
use crate::step::Step;

/// A caller for whom nobody is rung until it is known whom to ring.
#[derive(Debug)]
pub struct Decide {
    caller: LegIndex,
    /// What the number leads to.
    crm: Crm,
    /// Then the number's default route is taken.
    decide_by: Instant,
}

impl Decide {
    /// Asks whom `caller` is to reach.
    pub fn ask(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, crm: Crm) -> Stage {
        let ticket = step.ids.ticket();
        let decide = Self { caller, decide_by: step.now.mono + crm.within, crm };
        if let Err(Full) = step.questions.open(ticket, call.settings.id, call.id) {
            return decide.by_default(call, step, &Undecided::NotAsked);
        }
        let from = &call.caller;
        let phone = from.number.as_ref().map_or(from.shown.number.as_str(), |number| number.international());
        let question = Question::Routing {
            url: decide.crm.url.clone(),
            phone: phone.to_owned(),
            did: call.story.record().and_then(|record| record.did.as_ref()).map(Text::to_string).unwrap_or_default(),
            within: decide.crm.within,
        };
        step.ask(ticket, question);
        Stage::Decide(decide)
    }

    /// A leg tells something.
    pub fn on_news(self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        match news {
            LegNews::Gone(gone) if leg == self.caller => self.caller_gone(call, step, gone),
            _ => Stage::Decide(self),
        }
    }

    /// The CRM has answered, or could not be asked.
    pub fn on_answer(self, call: &mut Call, step: &mut Step<'_>, answer: Answer) -> Stage {
        let settings = call.settings.clone();
        let decided = match &answer {
            Answer::Target(target) => crm::by_crm(&settings, target),
            Answer::Failed(why) => Err(Undecided::Failed(why.clone())),
            Answer::Addresses(_) | Answer::Stored | Answer::Done => {
                Err(Undecided::Failed("it answered another question".into()))
            }
        };
        match decided {
            Ok(lead) => self.decided(call, step, RoutedBy::Crm, None, Ok(lead)),
            Err(why) => self.by_default(call, step, &why),
        }
    }

    /// There was no answer in time.
    pub fn on_timeout(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono < self.decide_by {
            return Stage::Decide(self);
        }
        step.questions.forget(call.settings.id, call.id);
        let why = Undecided::Late(self.crm.within);
        self.by_default(call, step, &why)
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        self.decide_by
    }

    fn by_default(self, call: &mut Call, step: &mut Step<'_>, why: &Undecided) -> Stage {
        let settings = call.settings.clone();
        let lead = lead::settled(&settings, step.now.wall, &self.crm.default);
        self.decided(call, step, RoutedBy::Default, Some(Text::from(why.to_string())), lead)
    }

    fn decided(
        self,
        call: &mut Call,
        step: &mut Step<'_>,
        by: RoutedBy,
        why: Option<Text>,
        to: Result<Lead<'_>, Reason>,
    ) -> Stage {
        // What is nobody's stays the number that was called.
        let party = to.as_ref().ok().and_then(Lead::party).unwrap_or_else(|| called(call));
        call.story.tell(step.now.wall, CallEvent::Routed { to: party, by, why });
        match to {
            Ok(lead) => Stage::enter(call, step, self.caller, lead),
            Err(reason) => Stage::refuse(call, step, self.caller, reason.into()),
        }
    }

    fn caller_gone(self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { call.leg(self.caller).ends_as() } else { EndedBy::Switchboard };
        call.leg_gone(step, self.caller, gone);
        call.finish(step, gone.end, by);
        Stage::Over
    }
}

/// The number that was called, as the call's record has it.
fn called(call: &Call) -> Party {
    match call.story.record() {
        Some(record) => record.to.clone(),
        None => Party::Outside { number: Text::default(), shown: None, trunk: None },
    }
}
