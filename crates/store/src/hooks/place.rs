//! The place of a delivery among those of its hook, and the name that receivers know it by.

use std::fmt;

use super::HookId;

/// Bodies that one event may give a hook.
const PARTS: i64 = 1_024;

/// A delivery's place among those of its hook: by the position of its event and the body's number within it. What is
/// told of the same event has the same place, however often it is made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place(pub(crate) i64);

impl Place {
    /// The place of one body of an event. There is room for 1 024; what is more has none.
    pub fn new(position: i64, part: usize) -> Option<Self> {
        let part = i64::try_from(part).ok().filter(|part| *part < PARTS)?;
        position.checked_mul(PARTS)?.checked_add(part).filter(|place| *place >= 0).map(Self)
    }

    /// The place of a message that tells of no event: it was asked for to try the hook.
    pub(crate) fn of_test(number: i64) -> Self {
        Self(-number.abs().max(1))
    }

    /// The event's position; None for a message that was asked for.
    pub fn position(self) -> Option<i64> {
        (self.0 >= 0).then_some(self.0 / PARTS)
    }

    /// The name that the receiver knows the message by, the same at every attempt: `msg_7_1042_0`.
    pub fn name(self, hook: HookId) -> Name {
        Name(hook, self)
    }

    /// Reads a name of a message of this hook.
    pub fn parse(hook: HookId, name: &str) -> Option<Self> {
        let rest = name.strip_prefix("msg_")?.strip_prefix(&hook.to_string())?.strip_prefix('_')?;
        let place = match rest.strip_prefix("test_") {
            Some(number) => Self::of_test(number.parse().ok().filter(|number| *number > 0)?),
            None => {
                let (position, part) = rest.split_once('_')?;
                Self::new(position.parse().ok()?, part.parse().ok()?)?
            }
        };
        (place.name(hook).to_string() == name).then_some(place)
    }
}

/// A message's name; prints as `msg_7_1042_0`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name(HookId, Place);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(hook, Place(place)) = self;
        if *place < 0 {
            return write!(f, "msg_{hook}_test_{}", place.unsigned_abs());
        }
        write!(f, "msg_{hook}_{}_{}", place / PARTS, place % PARTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_place_and_no_other_text_does() {
        let hook = HookId(7);
        for (place, name) in [
            (Place::new(1_042, 0), "msg_7_1042_0"),
            (Place::new(1, 1_023), "msg_7_1_1023"),
            (Some(Place::of_test(12)), "msg_7_test_12"),
        ] {
            assert_eq!(place.map(|place| place.name(hook).to_string()).as_deref(), Some(name));
            assert_eq!(Place::parse(hook, name), place, "{name}");
        }
        for wrong in ["msg_7_1042", "msg_8_1042_0", "msg_7_01_0", "msg_7_1_1024", "msg_7_-1_0", "msg_7_test_0", "7"] {
            assert_eq!(Place::parse(hook, wrong), None, "{wrong}");
        }
        assert_eq!(Place::new(i64::MAX, 0), None);
    }
}
