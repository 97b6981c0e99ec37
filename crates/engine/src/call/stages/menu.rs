//! A caller hears what can be chosen, and chooses by a key.
//!
//! ```text
//! says ──key that leads somewhere──► there
//!  ▲ │──said──► listens ──the same
//!  └─┴──another key, or none in time──┘   as often as the menu is said; then where it leads by default
//! ```
//!
//! A key cuts what is being said. A menu that nobody chooses from and that leads nowhere by default ends the call.

use std::time::{Duration, Instant};

use model::{CallEvent, Clip, EndedBy, Phrase, Reason, Route, RoutedBy};

use super::Stage;
use super::play::{caller_gone, how_long};
use crate::call::Call;
use crate::key::LegIndex;
use crate::lines::LegNews;
use crate::routing::lead;
use crate::step::Step;

/// A caller at a menu.
#[derive(Debug)]
pub struct Menu {
    caller: LegIndex,
    menu: model::Menu,
    /// How often it has been said.
    said: u32,
    /// Whether it is being said.
    is_saying: bool,
    /// Then it has been said; or, while it listens, then the caller has let the time pass.
    until: Instant,
}

impl Menu {
    /// Answers a caller, if that is not done, and says what can be chosen.
    pub fn begin(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, menu: &model::Menu) -> Stage {
        if let Err(reason) = call.answer_caller(step, caller) {
            return Stage::refuse(call, step, caller, reason.into());
        }
        let menu = Self { caller, menu: menu.clone(), said: 0, is_saying: true, until: step.now.mono };
        menu.say(call, step, None)
    }

    /// A leg tells something.
    pub fn on_news(self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        if leg != self.caller {
            return Stage::Menu(self);
        }
        match news {
            LegNews::Gone(gone) => caller_gone(call, step, leg, gone),
            LegNews::Key(key) => self.key(call, step, key),
            LegNews::Said if self.is_saying => Stage::Menu(self.listen(call, step)),
            // Nobody need speak to a menu, and whoever holds it hears it when taking it back.
            _ => Stage::Menu(self),
        }
    }

    /// It must have been said by now, the caller has let the time pass, or the call has lasted as long as it may.
    pub fn on_timeout(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        let now = step.now.mono;
        if call.brought_by().is_some_and(|by| by <= now) {
            call.finish(step, Reason::TooLong.into(), EndedBy::Switchboard);
            return Stage::Over;
        }
        match (now < self.until, self.is_saying) {
            (true, _) => Stage::Menu(self.wake_before_end(call)),
            (false, true) => Stage::Menu(self.listen(call, step)),
            (false, false) => self.chosen_nothing(call, step, None),
        }
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        self.until
    }

    /// Says the menu once more, after something else.
    fn say(mut self, call: &mut Call, step: &mut Step<'_>, first: Option<Clip>) -> Stage {
        self.said += 1;
        let clips: Vec<Clip> = first.into_iter().chain(call.settings.clip(&self.menu.prompt).cloned()).collect();
        if clips.is_empty() {
            call.stop_playing(step, self.caller);
            return Stage::Menu(self.listen(call, step));
        }
        self.is_saying = true;
        self.until = step.now.mono + how_long(&clips);
        call.say(step, self.caller, clips);
        Stage::Menu(self.wake_before_end(call))
    }

    fn listen(self, call: &Call, step: &Step<'_>) -> Self {
        let until = step.now.mono + Duration::from_secs(self.menu.timeout_seconds.into());
        Self { is_saying: false, until, ..self }.wake_before_end(call)
    }

    fn wake_before_end(self, call: &Call) -> Self {
        let until = call.brought_by().map_or(self.until, |by| by.min(self.until));
        Self { until, ..self }
    }

    fn key(self, call: &mut Call, step: &mut Step<'_>, key: char) -> Stage {
        let Some(route) = self.menu.keys.get(key.encode_utf8(&mut [0; 4]) as &str).cloned() else {
            return self.chosen_nothing(call, step, Some(key));
        };
        self.tell(call, step, Some(key), true);
        self.go(call, step, &route)
    }

    /// The caller pressed a key that leads nowhere, or none.
    fn chosen_nothing(self, call: &mut Call, step: &mut Step<'_>, key: Option<char>) -> Stage {
        self.tell(call, step, key, false);
        if self.said < self.menu.tries {
            let invalid = key.and_then(|_| call.settings.phrase(Phrase::InvalidKey).cloned());
            return self.say(call, step, invalid);
        }
        match self.menu.default.clone() {
            Some(route) => self.go(call, step, &route),
            None => Stage::refuse(call, step, self.caller, Reason::NoChoice.into()),
        }
    }

    fn go(self, call: &mut Call, step: &mut Step<'_>, route: &Route) -> Stage {
        call.stop_playing(step, self.caller);
        let settings = call.settings.clone();
        match lead::settled(&settings, step.now.wall, route) {
            Ok(lead) => {
                if let Some(to) = lead.party() {
                    call.story.tell(step.now.wall, CallEvent::Routed { to, by: RoutedBy::Menu, why: None });
                }
                Stage::enter(call, step, self.caller, lead)
            }
            Err(reason) => Stage::refuse(call, step, self.caller, reason.into()),
        }
    }

    fn tell(&self, call: &mut Call, step: &Step<'_>, key: Option<char>, valid: bool) {
        let menu = self.menu.name.clone();
        call.story.tell(step.now.wall, CallEvent::MenuKey { menu, key, valid });
    }
}
