//! Keys that a phone sends in INFO requests: `application/dtmf-relay` and `application/dtmf`.

use sip::Request;

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
    fn anything_else_is_no_key() {
        assert_eq!(in_info(&info("application/dtmf", "12")), None);
        assert_eq!(in_info(&info("application/dtmf-relay", "Duration=160")), None);
        assert_eq!(in_info(&info("text/plain", "5")), None);
    }
}
