//! Addresses as they may stand in a log: the values of keys and tokens are hidden.

use axum::http::Uri;

/// Parameters whose value opens something, in lower case.
const SECRETS: &[&str] =
    &["voip", "secret", "secretkey", "access_token", "token", "xkey", "key", "api_key", "api_secret", "password"];

/// Path and query with `***` for each secret value. A name that is written in percent signs is hidden too: nobody
/// who means well writes one.
pub(crate) fn masked(uri: &Uri) -> String {
    let Some(query) = uri.query() else { return uri.path().to_owned() };
    let mut text = String::with_capacity(uri.path().len() + query.len() + 1);
    text.push_str(uri.path());
    for (at, pair) in query.split('&').enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => {
                text.push_str(name);
                text.push_str("=***");
            }
            _ => text.push_str(pair),
        }
    }
    text
}

fn is_secret(name: &str) -> bool {
    name.contains('%') || SECRETS.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str, shown: &str) {
        assert_eq!(masked(&uri.parse().expect("an address")), shown);
    }

    #[test]
    fn keys_never_show_whatever_their_case() {
        check("/dial?voip=VOIPKEY_DEMO&Secret=SECRET_DEMO&sip=101", "/dial?voip=***&Secret=***&sip=101");
        check(
            "/fdownload/play?pkeyID=1700000000.1000101.wav&xKey=abc",
            "/fdownload/play?pkeyID=1700000000.1000101.wav&xKey=***",
        );
        check("/v1/events?access_token=NATIVE_DEMO&after=3", "/v1/events?access_token=***&after=3");
        check("/dial?%73ecret=SECRET_DEMO", "/dial?%73ecret=***");
    }

    #[test]
    fn the_rest_stays_readable() {
        check("/v1/records", "/v1/records");
        check("/v1/records?limit=5&flag", "/v1/records?limit=5&flag");
    }
}
