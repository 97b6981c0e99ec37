//! What phones order by dialling, or by keys within a call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident $word:literal $code:literal;)*) => {
        /// Something that a phone orders by a code.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Feature { $($(#[$doc])* $name,)* }

        impl Feature {
            /// All, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in settings: `pick_up`.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// The code unless the tenant has chosen another.
            pub fn usual_code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

features! {
    /// Within a call: begins its recording, or ends it.
    Record "record" "*1";
    /// Within a consultation: all three talk.
    Conference "conference" "*3";
    /// Takes a call that rings: that of the extension whose number follows, else the oldest of one's pick-up group.
    PickUp "pick_up" "*8";
    /// Signs in to one's queues.
    SignIn "sign_in" "*11";
    /// Signs out of one's queues.
    SignOut "sign_out" "*12";
    /// Takes no calls of queues for now.
    Pause "pause" "*13";
    /// Takes calls of queues again.
    Resume "resume" "*14";
    /// Hears the call of the extension whose number follows.
    Listen "listen" "*51";
    /// The same, and speaks to that extension alone.
    Whisper "whisper" "*52";
    /// The same, and speaks to both.
    Barge "barge" "*53";
    /// Parks the call: as the target of a transfer.
    Park "park" "*68";
    /// All calls go to the number that follows.
    ForwardAlways "forward_always" "*72";
    /// No call goes elsewhere.
    ForwardOff "forward_off" "*73";
    /// Calls go to the number that follows while one talks.
    ForwardBusy "forward_busy" "*74";
    /// Calls that one does not answer go to the number that follows.
    ForwardNoAnswer "forward_no_answer" "*75";
    /// Calls go to the number that follows while no phone is signed in.
    ForwardUnreachable "forward_unreachable" "*76";
    /// No calls.
    DoNotDisturb "do_not_disturb" "*78";
    /// Calls again.
    DoNotDisturbOff "do_not_disturb_off" "*79";
    /// One's own mailbox.
    Voicemail "voicemail" "*97";
}

/// The codes of a tenant. A feature without one cannot be ordered so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureCodes(pub BTreeMap<Feature, String>);

impl Default for FeatureCodes {
    fn default() -> Self {
        Self(Feature::ALL.iter().map(|feature| (*feature, feature.usual_code().to_owned())).collect())
    }
}

impl FeatureCodes {
    /// What was dialled: the feature, and what follows its code. The longest code that fits wins.
    pub fn find<'a>(&self, dialled: &'a str) -> Option<(Feature, &'a str)> {
        let fits = self.0.iter().filter_map(|(feature, code)| {
            let rest = dialled.strip_prefix(code.as_str()).filter(|_| !code.is_empty())?;
            Some((code.len(), *feature, rest))
        });
        fits.max_by_key(|(length, ..)| *length).map(|(_, feature, rest)| (feature, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_features_have_the_same_code_or_word() {
        for (at, feature) in Feature::ALL.iter().enumerate() {
            for other in &Feature::ALL[..at] {
                assert!(feature.usual_code() != other.usual_code() && feature.word() != other.word(), "{feature:?}");
            }
            assert_eq!(serde_json::to_value(feature).expect("a feature prints"), feature.word());
        }
    }

    #[test]
    fn the_longest_code_that_fits_is_meant() {
        let codes = FeatureCodes::default();

        assert_eq!(codes.find("*8"), Some((Feature::PickUp, "")));
        assert_eq!(codes.find("*8102"), Some((Feature::PickUp, "102")));
        assert_eq!(codes.find("*78"), Some((Feature::DoNotDisturb, "")));
        assert_eq!(codes.find("*720900000001"), Some((Feature::ForwardAlways, "0900000001")));
        assert_eq!(codes.find("*13"), Some((Feature::Pause, "")), "and not *1 with a 3");
        assert_eq!(codes.find("102"), None);
    }
}
