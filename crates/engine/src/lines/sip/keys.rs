//! Keys that a phone sends in INFO requests: `application/dtmf-relay` and `application/dtmf`; and presses that it tells in
//! more than one form.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sip::{Body, Request};

/// The forms in which one press comes are no further apart than this.
const TOGETHER: Duration = Duration::from_secs(2);

/// The most presses that are remembered.
const REMEMBERED: usize = 32;

/// How a key came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// With the sound: as an event (RFC 4733), or as a tone.
    Sound,
    /// In an INFO.
    Signalling,
}

/// The latest presses of a party, so that each is told once.
#[derive(Debug, Default)]
pub struct Presses {
    latest: VecDeque<Press>,
    /// The party presses keys in signalling.
    pub signals: bool,
}

#[derive(Debug)]
struct Press {
    key: char,
    form: Form,
    at: Instant,
    /// It has come in the other form too.
    both: bool,
}

impl Presses {
    /// Whether a key is a press that was not told of yet in the other form.
    pub fn is_new(&mut self, now: Instant, key: char, form: Form) -> bool {
        self.signals |= form == Form::Signalling;
        self.latest.retain(|press| now.saturating_duration_since(press.at) < TOGETHER);
        let same = self.latest.iter_mut().find(|press| press.key == key && press.form != form && !press.both);
        if let Some(same) = same {
            same.both = true;
            return false;
        }
        if self.latest.len() == REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(Press { key, form, at: now, both: false });
        true
    }
}

/// The body of an INFO that presses a key.
pub fn to_info(key: char) -> Body {
    let text = format!("Signal={key}\r\nDuration=160\r\n");
    Body { content_type: "application/dtmf-relay".into(), bytes: text.into() }
}

/// The key that an INFO carries, if it carries one.
pub fn in_info(request: &Request) -> Option<char> {
    let body = std::str::from_utf8(&request.body).ok()?;
    let text = if request.headers.is_content_type("application/dtmf-relay") {
        let signal = body
            .lines()
            .filter_map(|line| line.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("signal"));
        signal?.1
    } else if request.headers.is_content_type("application/dtmf") {
        body
    } else {
        return None;
    };
    match text.trim() {
        "10" => Some('*'),
        "11" => Some('#'),
        text => {
            let mut chars = text.chars();
            let key = chars.next()?.to_ascii_uppercase();
            (chars.next().is_none() && matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')).then_some(key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::{Method, Uri};

    fn info(content_type: &'static str, body: &'static str) -> Request {
        let mut request = Request::new(Method::Info, Uri::parse("sip:101@192.0.2.7".into()).unwrap());
        request.set_body(content_type, body);
        request
    }

    #[test]
    fn a_key_is_read_in_either_form() {
        assert_eq!(in_info(&info("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n")), Some('5'));
        assert_eq!(in_info(&info("application/dtmf-relay", "Signal= #\r\n")), Some('#'));
        assert_eq!(in_info(&info("application/dtmf", "10")), Some('*'));
    }

    #[test]
    fn what_we_write_is_what_we_read() {
        let Body { bytes, .. } = to_info('#');
        let mut request = info("application/dtmf-relay", "");
        request.set_body("application/dtmf-relay", bytes);

        assert_eq!(in_info(&request), Some('#'));
    }

    #[test]
    fn a_press_in_two_forms_is_one_press_whichever_comes_first() {
        let now = crate::fixture::instant();
        let (mut presses, second) = (Presses::default(), Duration::from_secs(1));

        assert!(presses.is_new(now, '5', Form::Signalling));
        assert!(!presses.is_new(now, '5', Form::Sound));
        assert!(presses.is_new(now + second, '5', Form::Sound));
        assert!(!presses.is_new(now + second, '5', Form::Signalling));
    }

    #[test]
    fn the_same_key_again_is_another_press() {
        let now = crate::fixture::instant();
        let mut presses = Presses::default();

        assert!(presses.is_new(now, '5', Form::Sound));
        assert!(presses.is_new(now, '5', Form::Sound));
        assert!(presses.is_new(now + TOGETHER, '5', Form::Signalling));
    }

    #[test]
    fn anything_else_is_no_key() {
        assert_eq!(in_info(&info("application/dtmf", "12")), None);
        assert_eq!(in_info(&info("application/dtmf-relay", "Duration=160")), None);
        assert_eq!(in_info(&info("text/plain", "5")), None);
    }
}
