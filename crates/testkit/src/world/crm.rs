//! The customer's CRM: asked whom a call reaches, it says what it was told to say, at once, later or not at all.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use engine::{Answer, Input};
use model::{Route, Ticket};

use super::World;

/// The CRM of all companies.
#[derive(Debug, Default)]
pub struct Crm {
    manner: Says,
    /// How long it thinks.
    pub(super) takes: Duration,
    /// Answers that are under way, by the time at which they come.
    coming: BTreeMap<(Duration, u64), (Ticket, Answer)>,
    count: u64,
    /// Questions that were not answered.
    open: VecDeque<Ticket>,
}

#[derive(Clone, Debug, Default)]
enum Says {
    Target(String),
    Fails(String),
    #[default]
    Nothing,
}

impl Crm {
    /// Somebody asks.
    pub(super) fn ask(&mut self, now: Duration, ticket: Ticket) {
        let at = now + self.takes;
        match self.manner.clone() {
            Says::Target(target) => self.comes(at, ticket, Answer::Target(target)),
            Says::Fails(why) => self.comes(at, ticket, Answer::Failed(why)),
            Says::Nothing => self.open.push_back(ticket),
        }
    }

    /// When the next answer comes.
    pub(super) fn poll(&self) -> Option<Duration> {
        self.coming.first_key_value().map(|((at, _), _)| *at)
    }

    /// The answer that comes by now, and what it says.
    pub(super) fn take(&mut self, now: Duration) -> Option<(Input, String)> {
        let entry = self.coming.first_entry().filter(|entry| entry.key().0 <= now)?;
        let (ticket, answer) = entry.remove();
        let said = match &answer {
            Answer::Target(target) => format!("`{}`", target.escape_debug()),
            Answer::Failed(why) => format!("failed: {why}"),
            Answer::Addresses(_) | Answer::Stored | Answer::Done => "the answer to something else".to_owned(),
        };
        Some((Input::Answer { ticket, answer }, said))
    }

    /// Whoever asked is dead.
    pub(super) fn crash(&mut self) {
        self.coming.clear();
        self.open.clear();
    }

    fn comes(&mut self, at: Duration, ticket: Ticket, answer: Answer) {
        self.count += 1;
        self.coming.insert((at, self.count), (ticket, answer));
    }
}

impl World {
    /// The first company's number leads there.
    pub fn number_reaches(&mut self, route: Route) {
        self.settings(|settings| {
            let number = settings.numbers.values_mut().next().expect("a company has a number");
            number.route = route;
        });
    }

    /// The first company's number asks the CRM, and leads where it led when the CRM does not decide.
    pub fn number_asks_the_crm(&mut self) {
        self.settings(|settings| {
            let number = settings.numbers.values_mut().next().expect("a company has a number");
            number.route = asking(number.route.clone());
        });
    }

    /// From here on the CRM names this one.
    pub fn crm_routes_to(&mut self, target: &str) {
        self.crm.manner = Says::Target(target.to_owned());
    }

    /// From here on the CRM cannot be asked, for this reason.
    pub fn crm_fails(&mut self, why: &str) {
        self.crm.manner = Says::Fails(why.to_owned());
    }

    /// From here on the CRM says nothing.
    pub fn crm_is_silent(&mut self) {
        self.crm.manner = Says::Nothing;
    }

    /// From here on the CRM takes its time.
    pub fn crm_takes(&mut self, seconds: f64) {
        self.crm.takes = Duration::from_secs_f64(seconds);
    }

    /// The CRM answers the question that it has left open longest.
    pub fn crm_answers(&mut self, target: &str) {
        if let Some(ticket) = self.crm.open.pop_front() {
            self.crm.comes(self.now, ticket, Answer::Target(target.to_owned()));
        }
    }
}

/// A route that asks the CRM first.
pub(super) fn asking(default: Route) -> Route {
    let url = "https://crm.example.com/route?action=GetRouting".to_owned();
    Route::Crm { url, timeout_ms: 3_000, default: Box::new(default) }
}
