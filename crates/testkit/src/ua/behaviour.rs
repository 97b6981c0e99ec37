//! What a simulated phone does by itself, as data: steps, each some time after the happening that begins them.

use std::time::Duration;

use crate::sound::Voice;

/// What a phone does by itself, and what it says. Whatever is not written here waits for orders.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Behaviour {
    /// From the moment a call comes in. Steps stop counting once the call is over.
    pub on_call: Vec<Step>,
    /// From the moment of an answer, on either side.
    pub once_answered: Vec<Step>,
    /// From the moment a call is placed; hanging up cancels it.
    pub once_calling: Vec<Step>,
    /// What the other side hears, if not the phone's usual voice.
    pub voice: Option<Voice>,
}

/// One thing to be done, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Since the happening that begins the steps.
    pub after: Duration,
    /// What to do.
    pub act: Act,
}

/// Something a phone can do with a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// 180.
    Ring,
    /// 183 with sound.
    EarlyMedia,
    /// 200.
    Answer,
    /// A final refusal.
    Refuse(u16),
    /// BYE; before the answer CANCEL, or 603.
    HangUp,
    /// Puts the other side on hold.
    Hold,
    /// Takes the other side back.
    Resume,
    /// Presses a key.
    Press(char),
}

impl Behaviour {
    /// Does nothing by itself.
    pub fn by_hand() -> Self {
        Self::default()
    }

    /// Rings at once and answers after a while.
    pub fn answers(after: Duration) -> Self {
        Self::default().on_call(Duration::ZERO, Act::Ring).on_call(after, Act::Answer)
    }

    /// Rings at once and refuses after a while.
    pub fn refuses(status: u16, after: Duration) -> Self {
        let rings = if after.is_zero() { Self::default() } else { Self::never_answers() };
        rings.on_call(after, Act::Refuse(status))
    }

    /// Rings, and that is all.
    pub fn never_answers() -> Self {
        Self::default().on_call(Duration::ZERO, Act::Ring)
    }

    /// One more step after a call came in.
    pub fn on_call(mut self, after: Duration, act: Act) -> Self {
        self.on_call.push(Step { after, act });
        self
    }

    /// One more step after an answer.
    pub fn then(mut self, after: Duration, act: Act) -> Self {
        self.once_answered.push(Step { after, act });
        self
    }

    /// One more step after placing a call.
    pub fn calling(mut self, after: Duration, act: Act) -> Self {
        self.once_calling.push(Step { after, act });
        self
    }

    /// What the other side hears.
    pub fn says(mut self, voice: Voice) -> Self {
        self.voice = Some(voice);
        self
    }
}
