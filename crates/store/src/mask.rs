//! URLs as they may be shown to whoever may not use them: without what may open something.

use serde_json::Value;

/// The text with its URL's user and password, the values of its query and its fragment as `***`; the path stays. Text
/// without a URL stays as it is, also what stands before the URL.
pub fn masked_url(text: &str) -> String {
    let Some((before, rest)) = text.split_once("://") else { return text.to_owned() };
    let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let mut shown = format!("{before}://");
    match authority.rsplit_once('@') {
        Some((_, host)) => shown.extend(["***@", host]),
        None => shown.push_str(authority),
    }
    shown.push_str(path);
    for (at, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if at == 0 { '?' } else { '&' });
        // A word alone may be a key.
        match pair.split_once('=') {
            Some((name, _)) => shown.extend([name, "=***"]),
            None if pair.is_empty() => {}
            None => shown.push_str("***"),
        }
    }
    if fragment.is_some() {
        shown.push_str("#***");
    }
    shown
}

/// The same of every text within a value.
pub fn mask_urls(value: &mut Value) {
    match value {
        Value::String(text) => *text = masked_url(text),
        Value::Array(values) => values.iter_mut().for_each(mask_urls),
        Value::Object(values) => values.values_mut().for_each(mask_urls),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: &str) {
        assert_eq!(masked_url(text), shown);
    }

    #[test]
    fn whatever_may_open_something_is_hidden() {
        check("http://127.0.0.1:9000/route?action=GetRouting&k=SEKRET", "http://127.0.0.1:9000/route?action=***&k=***");
        check("https://crm:PASSWORD_DEMO@crm.example.test/hook", "https://***@crm.example.test/hook");
        check("https://TOKEN_DEMO@crm.example.test?a=b=c&", "https://***@crm.example.test?a=***&");
        check("https://crm.example.test/?SECRET_DEMO#SECRET_DEMO", "https://crm.example.test/?***#***");
        check("https://a@b:c@crm.example.test:8443/", "https://***@crm.example.test:8443/");
    }

    #[test]
    fn the_rest_stays_readable() {
        check("events https://crm.example.test/hook?k=SECRET_DEMO", "events https://crm.example.test/hook?k=***");
        check("https://crm.example.test/a@b", "https://crm.example.test/a@b");
        check("VOIPKEY_DEMO", "VOIPKEY_DEMO");
        check("", "");
    }
}
