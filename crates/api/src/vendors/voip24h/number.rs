//! The number of a `response` event: where it stands in the tenant's story, and which of the event's responses it is.
//!
//! Opaque to clients, who give the last one they heard to `resume` and miss nothing, whenever the connection was cut.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// `1042.0`; without a part everything at the position was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Number {
    pub position: i64,
    /// The last response of the position that was heard, from 0. None: all of them.
    pub part: Option<usize>,
}

/// Text that is no number of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoNumber;

impl Number {
    /// Reads what a client sent: text as it was heard, or a whole number.
    pub fn of(argument: Option<&Value>) -> Result<Self, NoNumber> {
        match argument {
            Some(Value::String(text)) => text.parse(),
            Some(Value::Number(number)) => number.to_string().parse(),
            Some(Value::Object(named)) => Self::of(named.get("number").filter(|number| !number.is_object())),
            _ => Err(NoNumber),
        }
    }

    /// The position after which the story goes on, and how many responses of the next position were heard.
    pub fn place(self) -> (i64, usize) {
        match self.part {
            None => (self.position, 0),
            Some(part) => (self.position - 1, part.saturating_add(1)),
        }
    }
}

impl FromStr for Number {
    type Err = NoNumber;

    fn from_str(text: &str) -> Result<Self, NoNumber> {
        let (position, part) = match text.trim().split_once('.') {
            Some((position, part)) => (position, Some(part.parse().map_err(|_| NoNumber)?)),
            None => (text.trim(), None),
        };
        match position.parse() {
            Ok(position @ 0..) if part.is_none() || position > 0 => Ok(Self { position, part }),
            _ => Err(NoNumber),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Some(part) => write!(f, "{}.{part}", self.position),
            None => write!(f, "{}", self.position),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_says_where_the_story_goes_on() {
        let place = |argument: Value| Number::of(Some(&argument)).map(Number::place);

        assert_eq!(place(json!("1042.1")), Ok((1041, 2)));
        assert_eq!(place(json!("1042")), Ok((1042, 0)));
        assert_eq!(place(json!(0)), Ok((0, 0)));
        assert_eq!(place(json!({ "number": "7.0" })), Ok((6, 1)));
        assert_eq!(Number { position: 1042, part: Some(1) }.to_string(), "1042.1");
    }

    #[test]
    fn anything_else_is_refused() {
        let wrong = [json!("x"), json!("-1"), json!("1.-1"), json!("0.0"), json!("1.2.3"), json!(-3), json!(null)];
        for argument in wrong.into_iter().chain([json!([]), json!({}), json!("99999999999999999999"), json!("")]) {
            assert_eq!(Number::of(Some(&argument)), Err(NoNumber), "{argument}");
        }
        assert_eq!(Number::of(None), Err(NoNumber));
    }
}
