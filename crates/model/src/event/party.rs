//! Somebody, or something, that takes part in a call.

use serde::{Deserialize, Serialize};

use crate::{Number, Text};

/// Somebody who takes part in a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "party", rename_all = "snake_case")]
pub enum Party {
    /// Somebody of the tenant.
    Extension {
        /// `101`
        number: String,
    },
    /// Extensions that ring together or in order.
    Group {
        /// `600`
        number: String,
    },
    /// Callers who wait for agents.
    Queue {
        /// `700`
        number: String,
    },
    /// Spoken choices.
    Menu {
        /// Its name.
        number: String,
    },
    /// Where messages are left for an extension.
    Voicemail {
        /// The extension.
        number: String,
    },
    /// A prompt after which the call ends.
    Prompt {
        /// The sound's name; empty where the words stand in the route.
        number: String,
    },
    /// A place where calls are parked.
    Parking {
        /// `801`; empty before there is one.
        number: String,
    },
    /// What a code orders.
    Feature {
        /// What was dialled.
        number: String,
    },
    /// Somebody in the public network, or who claims to be.
    Outside {
        /// In E.164 where it has such a form, else as the trunk gave it or as it was dialled.
        number: Text,
        /// As the trunk gave it or as it was dialled, where `number` has it otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<Text>,
        /// The trunk the leg runs over, where one was chosen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trunk: Option<String>,
    },
}

impl Party {
    /// Somebody in the public network, whose number was written like this.
    pub fn outside(number: &Number, written: &str, trunk: Option<String>) -> Self {
        let e164 = number.e164();
        let shown = (e164 != written).then(|| Text::from(written));
        Self::Outside { number: Text::from(e164), shown, trunk }
    }

    /// Every word that [`Party::word`] gives.
    pub const WORDS: &'static [&'static str] =
        &["extension", "group", "queue", "menu", "voicemail", "prompt", "parking", "feature", "outside"];

    /// What sort of party it is, in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Extension { .. } => "extension",
            Self::Group { .. } => "group",
            Self::Queue { .. } => "queue",
            Self::Menu { .. } => "menu",
            Self::Voicemail { .. } => "voicemail",
            Self::Prompt { .. } => "prompt",
            Self::Parking { .. } => "parking",
            Self::Feature { .. } => "feature",
            Self::Outside { .. } => "outside",
        }
    }

    /// The number of whoever it is.
    pub fn number(&self) -> &str {
        match self {
            Self::Extension { number }
            | Self::Group { number }
            | Self::Queue { number }
            | Self::Menu { number }
            | Self::Voicemail { number }
            | Self::Prompt { number }
            | Self::Parking { number }
            | Self::Feature { number } => number,
            Self::Outside { number, .. } => number.as_str(),
        }
    }

    /// The number in the form in which it was dialled or came in (readings 2).
    pub fn shown(&self) -> &str {
        match self {
            Self::Extension { number }
            | Self::Group { number }
            | Self::Queue { number }
            | Self::Menu { number }
            | Self::Voicemail { number }
            | Self::Prompt { number }
            | Self::Parking { number }
            | Self::Feature { number } => number,
            Self::Outside { number, shown, .. } => shown.as_ref().unwrap_or(number).as_str(),
        }
    }

    /// The extension, if it is one.
    pub fn extension(&self) -> Option<&str> {
        match self {
            Self::Extension { number } => Some(number),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_as_it_was_written() {
        let number = Number::parse("0900000001", "84").expect("a number");

        let [dialled, in_full] = ["0900000001", "+84900000001"].map(|text| Party::outside(&number, text, None));

        assert_eq!((dialled.number(), dialled.shown()), ("+84900000001", "0900000001"));
        assert_eq!((in_full.number(), in_full.shown()), ("+84900000001", "+84900000001"));
    }
}
