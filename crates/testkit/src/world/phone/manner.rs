//! What a phone does when it is called.

use std::time::Duration;

/// How a phone treats a call to it, unless somebody tells it otherwise meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct Manner {
    /// When it says that it rings. None: not at all.
    pub rings_after: Option<Duration>,
    /// Whether it sends sound before the answer (183 with a description, in place of 180).
    pub early_sound: bool,
    /// What it does then.
    pub then: Then,
    /// When it hangs up after it has answered.
    pub hangs_up_after: Option<Duration>,
    /// A key it presses once it has answered.
    pub presses: Option<char>,
}

/// How a phone ends its ringing, counted from the INVITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It waits to be told.
    Wait,
    /// It answers.
    Answer(Duration),
    /// It refuses.
    Refuse(u16, Duration),
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            rings_after: Some(Duration::ZERO),
            early_sound: false,
            then: Then::Wait,
            hangs_up_after: None,
            presses: None,
        }
    }
}

impl Manner {
    /// Rings, and answers after a while.
    pub fn answers(after: Duration) -> Self {
        Self { then: Then::Answer(after), ..Self::default() }
    }

    /// Refuses at once, without ringing.
    pub fn refuses(status: u16) -> Self {
        Self { rings_after: None, then: Then::Refuse(status, Duration::ZERO), ..Self::default() }
    }

    /// Says nothing until it is told to.
    pub fn silent() -> Self {
        Self { rings_after: None, ..Self::default() }
    }

    /// The same, hanging up so long after the answer.
    pub fn hanging_up(self, after: Duration) -> Self {
        Self { hangs_up_after: Some(after), ..self }
    }

    /// The same, with sound before the answer.
    pub fn with_early_sound(self) -> Self {
        Self { early_sound: true, ..self }
    }

    /// The same, pressing a key after the answer.
    pub fn pressing(self, key: char) -> Self {
        Self { presses: Some(key), ..self }
    }
}
