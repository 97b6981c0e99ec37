//! Two legs that hear each other, and what comes between them: hold with music, muting, keys, sounds that are played.
//!
//! What is heard follows from what is so ([`Pair::settle`]); nothing else tells the media worker of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::Sound;
use model::{ActingLeg, Command, PlayedSound, Problem};

use super::Call;
use super::orders::{Order, acting, not_now};
use crate::key::LegIndex;
use crate::lines::{LegNews, LegOrder};
use crate::step::Step;

/// From one key that a client presses to the next: as fast as somebody types, and as slow as every menu can take.
const TYPING: Duration = Duration::from_millis(250);

/// The most keys of one order.
const MOST_KEYS: usize = 64;

/// Two legs that are joined.
#[derive(Debug)]
pub struct Pair {
    legs: [LegIndex; 2],
    /// What a client has ordered to be played to each.
    played: [Option<Played>; 2],
    /// Keys that a client presses: in whose place, and which.
    typing: VecDeque<(LegIndex, char)>,
    /// When the next key may be pressed.
    next_key: Option<Instant>,
    /// When a hold ended last, or the two were joined in the middle of a call.
    resumed_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Played {
    sound: PlayedSound,
    until: Option<Instant>,
}

impl Pair {
    /// Two legs that are joined already. One of them may have put the other aside before.
    pub fn of(call: &mut Call, step: &mut Step<'_>, a: LegIndex, b: LegIndex) -> Self {
        let pair = Self { legs: [a, b], played: [None; 2], typing: VecDeque::new(), next_key: None, resumed_at: None };
        pair.settle(call, step);
        pair
    }

    /// The same where at least one of them has talked, or waited, with somebody else before: it may need a while to begin.
    pub fn again(call: &mut Call, step: &mut Step<'_>, a: LegIndex, b: LegIndex) -> Self {
        Self { resumed_at: Some(step.now.mono), ..Self::of(call, step, a, b) }
    }

    /// Both.
    pub fn legs(&self) -> [LegIndex; 2] {
        self.legs
    }

    /// Whom a leg talks with.
    pub fn other(&self, leg: LegIndex) -> LegIndex {
        let [a, b] = self.legs;
        if leg == a { b } else { a }
    }

    /// A leg tells something. What means that one of them is gone, as good as gone, or wants to go, is given back.
    pub fn on_news(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Option<LegNews> {
        match news {
            LegNews::Held => {
                call.leg_held(step, leg);
                self.settle(call, step);
            }
            LegNews::Resumed => {
                call.leg_resumed(step, leg);
                self.resumed_at = Some(step.now.mono);
                self.settle(call, step);
            }
            // A codec that both speak spares the translating; a party that does not change is translated for.
            LegNews::Speaks(codec) => drop(call.order(step, self.other(leg), LegOrder::Speak(codec))),
            LegNews::Key(key) => {
                call.leg_key(step, leg, key);
                // A key that cannot be handed on is heard by nobody else; the call goes on.
                let _ = call.order(step, self.other(leg), LegOrder::Key(key));
            }
            LegNews::Silent if self.may_be_silent(call, step) => {}
            LegNews::Ringing { .. } | LegNews::Answered { .. } | LegNews::Said => {}
            LegNews::Redirected { .. } | LegNews::Rerouted { .. } => {}
            news @ (LegNews::Silent | LegNews::AsksTransfer { .. } | LegNews::Gone(_)) => return Some(news),
        }
        None
    }

    /// Carries out an order that is for the two; others are given back.
    pub fn on_order(&mut self, call: &mut Call, step: &mut Step<'_>, order: Order) -> Option<Order> {
        let done = match &order.command {
            Command::Hold { leg, .. } => self.hold(call, step, leg, true),
            Command::Resume { leg, .. } => self.hold(call, step, leg, false),
            Command::Mute { leg, muted, .. } => acting(call, &self.legs, leg).map(|leg| {
                call.order_mute(step, leg, *muted);
                self.settle(call, step);
            }),
            Command::PressKeys { leg, keys, .. } => self.press(call, step, leg, keys),
            Command::Play { leg, sound, seconds, .. } => self.play(call, step, leg.as_ref(), *sound, *seconds),
            Command::Record { action, .. } => {
                let [a, b] = self.legs;
                call.order_recording(step, *action, Some((a, b))).map_err(|why| not_now(call, why))
            }
            Command::Originate(_)
            | Command::HangUp { .. }
            | Command::Transfer(_)
            | Command::Conference { .. }
            | Command::Supervise { .. }
            | Command::Park { .. }
            | Command::Agent { .. } => return Some(order),
        };
        order.done(call, done);
        None
    }

    /// A time has come that [`Pair::poll_timeout`] named.
    pub fn on_timeout(&mut self, call: &mut Call, step: &mut Step<'_>) {
        let now = step.now.mono;
        let mut ended = false;
        for played in &mut self.played {
            ended |= played.take_if(|played| played.until.is_some_and(|until| until <= now)).is_some();
        }
        if ended {
            self.settle(call, step);
        }
        self.type_on(call, step);
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let sounds = self.played.iter().flatten().filter_map(|played| played.until);
        let key = self.next_key.filter(|_| !self.typing.is_empty());
        sounds.chain(key).min()
    }

    /// Whoever is held has nobody to speak to, and may need a while to begin again.
    pub fn may_be_silent(&self, call: &Call, step: &Step<'_>) -> bool {
        let patience = Duration::from_secs(call.settings.limits.silence_seconds.into());
        let just_resumed = self.resumed_at.is_some_and(|at| step.now.mono < at + patience);
        just_resumed || self.is_held(call)
    }

    /// The two are parted: what clients have ordered of their conversation ends with it.
    pub fn leave(&mut self, call: &mut Call, step: &mut Step<'_>) {
        self.typing.clear();
        self.played = [None; 2];
        for leg in self.legs {
            if call.is_live(leg) {
                call.order_hold(step, leg, false);
                call.order_mute(step, leg, false);
                call.mute(step, leg, false);
                call.stop_playing(step, leg);
            }
        }
    }

    fn is_held(&self, call: &Call) -> bool {
        self.legs.into_iter().any(|leg| call.leg(leg).holds())
    }

    /// Has the media worker do what follows from all that is so. Whom nobody listens to is not recorded either: what is
    /// said while one waits is said to nobody.
    fn settle(&self, call: &mut Call, step: &mut Step<'_>) {
        let held = self.is_held(call);
        for (leg, played) in self.legs.into_iter().zip(self.played) {
            let is_muted = held || call.leg(leg).ordered.muted;
            call.mute(step, leg, is_muted);
            let music = call.leg(self.other(leg)).holds().then_some(Sound::Music);
            match played.map(|played| made(played.sound)).or(music) {
                Some(sound) => call.play(step, leg, sound),
                None => call.stop_playing(step, leg),
            }
        }
    }

    fn hold(&mut self, call: &mut Call, step: &mut Step<'_>, leg: &ActingLeg, held: bool) -> Result<(), Problem> {
        let leg = acting(call, &self.legs, leg)?;
        call.order_hold(step, leg, held);
        if held {
            self.typing.clear();
        } else {
            self.resumed_at = Some(step.now.mono);
        }
        self.settle(call, step);
        Ok(())
    }

    fn press(&mut self, call: &mut Call, step: &mut Step<'_>, leg: &ActingLeg, keys: &str) -> Result<(), Problem> {
        let leg = acting(call, &self.legs, leg)?;
        let is_key = |key: char| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
        if keys.is_empty() || keys.len() > MOST_KEYS || !keys.chars().all(is_key) {
            let detail = "keys are 1 to 64 of 0 to 9, *, #, A, B, C and D".to_owned();
            return Err(Problem::BadNumber { detail });
        }
        if self.is_held(call) {
            return Err(not_now(call, "One side is on hold and hears no keys: take it back first."));
        }
        if !self.typing.is_empty() {
            return Err(not_now(call, "The keys of an earlier order are still being pressed: wait until they are."));
        }
        self.typing.extend(keys.chars().map(|key| (leg, key)));
        self.type_on(call, step);
        Ok(())
    }

    /// Presses the next key, if it is time.
    fn type_on(&mut self, call: &mut Call, step: &mut Step<'_>) {
        if self.next_key.is_some_and(|at| step.now.mono < at) {
            return;
        }
        if let Some((leg, key)) = self.typing.pop_front() {
            call.leg_key(step, leg, key);
            call.press_for(step, self.other(leg), key);
            self.next_key = Some(step.now.mono + TYPING);
        }
    }

    fn play(
        &mut self,
        call: &mut Call,
        step: &mut Step<'_>,
        leg: Option<&ActingLeg>,
        sound: Option<PlayedSound>,
        seconds: Option<u32>,
    ) -> Result<(), Problem> {
        let whom = leg.map(|leg| acting(call, &self.legs, leg)).transpose()?;
        let until = seconds.map(|seconds| step.now.mono + Duration::from_secs(seconds.into()));
        let played = sound.map(|sound| Played { sound, until });
        for (leg, slot) in self.legs.into_iter().zip(&mut self.played) {
            if whom.is_none_or(|whom| whom == leg) {
                *slot = played;
            }
        }
        self.settle(call, step);
        Ok(())
    }
}

fn made(sound: PlayedSound) -> Sound {
    match sound {
        PlayedSound::Music => Sound::Music,
        PlayedSound::Ringback => Sound::Ringback,
        PlayedSound::Busy => Sound::Busy,
        PlayedSound::Silence => Sound::Silence,
    }
}
