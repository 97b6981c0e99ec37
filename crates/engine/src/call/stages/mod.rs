//! What a call is doing. One file a stage; each is a small machine that takes news of legs and the time,
//! gives orders and events, and says which stage comes next.

mod claimed;
mod click;
mod consult;
mod decide;
mod dial;
pub mod elsewhere;
pub mod feature;
mod menu;
pub mod play;
mod talk;
mod transfer;
mod wait;
mod wish;

use std::time::Instant;

use model::{EndedBy, Reason};

pub use self::claimed::Claimed;
pub use self::click::Click;
pub use self::consult::Consult;
pub use self::decide::Decide;
pub use self::dial::Dial;
pub use self::menu::Menu;
pub use self::play::Play;
pub use self::talk::Talk;
pub use self::transfer::Transfer;
pub use self::wait::Wait;
pub use self::wish::Wish;
use super::Call;
use super::hunt::Hunt;
use super::orders::Order;
use crate::edge::Answer;
use crate::floor::Wake;
use crate::key::LegIndex;
use crate::lines::{End, LegNews, LegOrder};
use crate::routing::Lead;
use crate::step::Step;

/// The stage a call is at.
#[derive(Debug)]
pub enum Stage {
    /// Somebody called; the CRM is asked whom that reaches.
    Decide(Decide),
    /// Somebody called; the other side rings.
    Dial(Dial),
    /// An API client ordered the call under a key: it has to be stored before a phone rings.
    Claimed(Claimed),
    /// An API client ordered the call: the agent's phone rings, then the customer's.
    Click(Click),
    /// A caller chooses by keys.
    Menu(Menu),
    /// A caller hears how the call ends.
    Play(Play),
    /// A phone has ordered something of its settings by a code.
    Wish(Wish),
    /// Two sides are connected.
    Talk(Talk),
    /// Somebody was given to somebody else, who rings.
    Transfer(Transfer),
    /// Somebody waits while somebody else is asked.
    Consult(Consult),
    /// A caller waits for an agent of a queue.
    Wait(Wait),
    /// Nothing is left to do.
    Over,
}

impl Stage {
    /// The stage at which a caller is whom a number, a key or a decision leads somewhere. The caller may have been answered.
    pub fn enter(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, lead: Lead<'_>) -> Self {
        if let Err(reason) = call.lead() {
            return Self::refuse(call, step, caller, reason.into());
        }
        let entered = match lead {
            Lead::To(destination) => Ok(Dial::begin(call, step, caller, &destination)),
            Lead::Queue(queue) => Ok(Wait::begin(call, step, caller, queue)),
            Lead::Asks(crm) => Ok(Decide::ask(call, step, caller, crm)),
            Lead::Menu(menu) => Ok(Menu::begin(call, step, caller, menu)),
            Lead::Play(prompt) => Ok(Play::prompt(call, step, caller, prompt)),
            Lead::Feature(feature, rest) => Ok(feature::order(call, step, caller, feature, rest)),
            Lead::Voicemail(_) | Lead::Parked(_) => Err(Reason::RouteUnavailable),
        };
        entered.unwrap_or_else(|reason| Self::refuse(call, step, caller, reason.into()))
    }

    /// A caller who leads nowhere is refused, and the call is over. One who was answered hears that nobody is there.
    pub fn refuse(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, end: End) -> Self {
        if let Some(sorry) = Play::sorry(call, step, caller, end, EndedBy::Switchboard) {
            return sorry;
        }
        call.refuse_leg(step, caller, end);
        call.finish(step, end, EndedBy::Switchboard);
        Self::Over
    }

    /// A leg tells something. The leg is live.
    pub fn on_news(self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Self {
        // Only of two who talk with each other one can give the other away.
        if matches!(news, LegNews::AsksTransfer { .. }) && !matches!(self, Self::Talk(_)) {
            // To be told needs nothing that could fail.
            let _ = call.order(step, leg, LegOrder::TransferFailed(Reason::NotAllowed.into()));
            return self;
        }
        match self {
            Self::Decide(decide) => decide.on_news(call, step, leg, news),
            Self::Dial(dial) => dial.on_news(call, step, leg, news),
            Self::Click(click) => click.on_news(call, step, leg, news),
            Self::Menu(menu) => menu.on_news(call, step, leg, news),
            Self::Play(play) => play.on_news(call, step, leg, news),
            Self::Wish(wish) => wish.on_news(call, step, leg, news),
            Self::Talk(talk) => talk.on_news(call, step, leg, news),
            Self::Transfer(transfer) => transfer.on_news(call, step, leg, news),
            Self::Consult(consult) => consult.on_news(call, step, leg, news),
            Self::Wait(wait) => wait.on_news(call, step, leg, news),
            // It has no legs.
            stage @ (Self::Claimed(_) | Self::Over) => stage,
        }
    }

    /// Those who are rung and whose place somebody else may take.
    pub fn ringing(&self) -> Option<&Hunt> {
        match self {
            Self::Dial(dial) => Some(dial.ringing()),
            Self::Transfer(transfer) => transfer.ringing(),
            _ => None,
        }
    }

    /// Somebody takes the call in the place of one whom it rings, and has been answered.
    pub fn pick_up(self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, from: LegIndex) -> Self {
        match self {
            Self::Dial(dial) => dial.pick_up(call, step, leg, from),
            Self::Transfer(transfer) => transfer.pick_up(call, step, leg, from),
            // Nobody takes what does not ring.
            stage => {
                call.drop_leg(step, leg, Reason::NothingThere.into());
                stage
            }
        }
    }

    /// A client orders something. Gets exactly one reply.
    pub fn on_order(self, call: &mut Call, step: &mut Step<'_>, order: Order) -> Self {
        match self {
            Self::Talk(talk) => talk.on_order(call, step, order),
            Self::Transfer(transfer) => transfer.on_order(call, step, order),
            Self::Consult(consult) => consult.on_order(call, step, order),
            stage => {
                order.not_now(call, "The two sides are not connected: wait until both have answered.");
                stage
            }
        }
    }

    /// The time that [`Stage::poll_timeout`] named has come.
    pub fn on_timeout(self, call: &mut Call, step: &mut Step<'_>) -> Self {
        match self {
            Self::Decide(decide) => decide.on_timeout(call, step),
            Self::Dial(dial) => dial.on_timeout(call, step),
            Self::Claimed(claimed) => claimed.on_timeout(call, step),
            Self::Click(click) => click.on_timeout(call, step),
            Self::Menu(menu) => menu.on_timeout(call, step),
            Self::Play(play) => play.on_timeout(call, step),
            Self::Wish(wish) => wish.on_timeout(call, step),
            Self::Talk(talk) => talk.on_timeout(call, step),
            Self::Transfer(transfer) => transfer.on_timeout(call, step),
            Self::Consult(consult) => consult.on_timeout(call, step),
            Self::Wait(wait) => wait.on_timeout(call, step),
            Self::Over => Self::Over,
        }
    }

    /// The answer to a question that the call asked.
    pub fn on_answer(self, call: &mut Call, step: &mut Step<'_>, answer: Answer) -> Self {
        match self {
            Self::Decide(decide) => decide.on_answer(call, step, answer),
            Self::Claimed(claimed) => claimed.on_answer(call, step, answer),
            Self::Wish(wish) => wish.on_answer(call, step, &answer),
            stage => stage,
        }
    }

    /// Another call, or what the tenant's calls share, has something for it. What makes no sense any more changes nothing.
    pub fn on_wake(self, call: &mut Call, step: &mut Step<'_>, wake: Wake) -> Self {
        match self {
            Self::Wait(wait) => wait.on_wake(call, step, wake),
            stage => stage,
        }
    }

    /// Somebody above ends the call.
    pub fn end(self, call: &mut Call, step: &mut Step<'_>, reason: Reason) -> Self {
        let sip = if call.is_connected() { 200 } else { refusal(reason.sip()) };
        match self {
            Self::Claimed(claimed) => claimed.give_up(call, End::new(reason, sip)),
            Self::Click(click) => click.give_up(call, End::new(reason, sip)),
            Self::Transfer(mut transfer) => transfer.give_up(call, step, End::new(reason, sip)),
            Self::Consult(mut consult) => consult.give_up(call, step, End::new(reason, sip)),
            Self::Wait(wait) => wait.give_up(call, step, End::new(reason, sip)),
            _ => {}
        }
        call.finish(step, End::new(reason, sip), EndedBy::Switchboard);
        Self::Over
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Decide(decide) => Some(decide.poll_timeout()),
            Self::Dial(dial) => dial.poll_timeout(),
            Self::Claimed(claimed) => Some(claimed.poll_timeout()),
            Self::Click(click) => click.poll_timeout(),
            Self::Menu(menu) => Some(menu.poll_timeout()),
            Self::Play(play) => Some(play.poll_timeout()),
            Self::Wish(wish) => Some(wish.poll_timeout()),
            Self::Talk(talk) => Some(talk.poll_timeout()),
            Self::Transfer(transfer) => Some(transfer.poll_timeout()),
            Self::Consult(consult) => Some(consult.poll_timeout()),
            Self::Wait(wait) => wait.poll_timeout(),
            Self::Over => None,
        }
    }
}

/// The status for whoever is not connected when the call is ended from above.
fn refusal(status: u16) -> u16 {
    if status < 300 { 487 } else { status }
}
