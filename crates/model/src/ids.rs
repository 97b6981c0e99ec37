//! Ids are types, so that they cannot be swapped by mistake.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A tenant's row in the store. Never seen outside; people name a tenant by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TenantId(pub i64);

impl TenantId {
    /// Owns what is no tenant's but the whole server's.
    pub const SERVER: Self = Self(0);
}

/// The number of one engine start, given by the store and never used again.
/// It stands in every callid, Call-ID, Via branch and tag that this engine makes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct EngineNumber(pub u32);

/// Names a question or an order, so that its one answer finds the asker again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Ticket(pub u64);

/// `<unix seconds>.<engine number><six-digit count>`: unique in a tenant for ever, over restarts and nodes too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Stamp {
    seconds: i64,
    engine: u32,
    count: u32,
}

/// Counts wrap here. One engine never starts a million calls and legs within one second.
const COUNTS: u32 = 1_000_000;

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}{:06}", self.seconds, self.engine, self.count)
    }
}

/// What was read is not an id of the form `<unix seconds>.<engine number><six-digit count>`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an id looks like 1700000000.1000101")]
pub struct ParseIdError;

impl FromStr for Stamp {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let (seconds, rest) = text.split_once('.').ok_or(ParseIdError)?;
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(seconds) || !digits(rest) || rest.len() < 7 || rest.len() > 16 || rest.starts_with('0') {
            return Err(ParseIdError);
        }
        let (engine, count) = rest.split_at(rest.len() - 6);
        Ok(Self {
            seconds: seconds.parse().map_err(|_| ParseIdError)?,
            engine: engine.parse().map_err(|_| ParseIdError)?,
            count: count.parse().map_err(|_| ParseIdError)?,
        })
    }
}

macro_rules! stamped_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Stamp);

        impl $name {
            /// The id of the `count`th thing that engine `engine` makes, at `seconds` since 1970. Counts wrap at a million.
            pub fn new(seconds: i64, engine: EngineNumber, count: u32) -> Self {
                Self(Stamp { seconds, engine: engine.0, count: count % COUNTS })
            }

            /// The engine that made it.
            pub fn engine(self) -> EngineNumber {
                EngineNumber(self.0.engine)
            }

            /// When it was made, in whole seconds since 1970.
            pub fn seconds(self) -> i64 {
                self.0.seconds
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.parse().map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

stamped_id! {
    /// One call. What vendors call `callid` and `linkedid`; a string on every wire.
    CallId
}
stamped_id! {
    /// One leg of a call; what vendors call `uniqueid`. A call's first leg has the call's own digits.
    LegId
}
stamped_id! {
    /// One recording. A call's first recording has the call's own digits.
    RecordingId
}

impl CallId {
    /// The id of the call's first leg.
    pub fn first_leg(self) -> LegId {
        LegId(self.0)
    }

    /// The id of the call's first recording.
    pub fn first_recording(self) -> RecordingId {
        RecordingId(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_seconds_engine_and_a_six_digit_count() {
        let id = CallId::new(1_700_000_000, EngineNumber(12), 101);

        assert_eq!(id.to_string(), "1700000000.12000101");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.first_leg().to_string(), "1700000000.12000101");
    }

    #[test]
    fn text_that_is_no_id_is_refused() {
        for text in ["", "1700000000", "1700000000.101", "a.1000101", "1700000000.0000101", "1.99999999999999999999"] {
            assert_eq!(text.parse::<CallId>(), Err(ParseIdError), "{text}");
        }
    }
}
