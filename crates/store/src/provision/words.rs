//! Values with a form of their own: names, addresses, networks, URLs, digits, numbers.

use std::net::{IpAddr, SocketAddr};

use model::{Number, TrunkAddress};

use super::section::{Section, text_of};
use super::shown::shown;
use super::yaml::Node;
use super::{Lined, ProvisionError, wrong};

/// `VPBX_DEMO`
pub(super) fn tenant_name(text: &Lined<String>) -> Result<(), ProvisionError> {
    let sign = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if (3..=32).contains(&text.value.len()) && text.value.chars().all(sign) {
        return Ok(());
    }
    let sentence =
        format!("`{}` is no tenant name: use 3 to 32 of A-Z, 0-9 and _, as in VPBX_DEMO", shown(&text.value));
    Err(wrong(text.line, sentence))
}

/// `carrier`, `main`: what other keys refer to.
pub(super) fn short_name(text: &Lined<String>, what: &str) -> Result<(), ProvisionError> {
    let sign = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if text.value.len() <= 64 && text.value.chars().all(sign) {
        return Ok(());
    }
    let sentence =
        format!("`{}` is no name of {what}: use up to 64 of a-z, A-Z, 0-9, `_`, `-` and `.`", shown(&text.value));
    Err(wrong(text.line, sentence))
}

/// `101`: what people dial inside.
pub(super) fn short_number(text: &Lined<String>, what: &str) -> Result<(), ProvisionError> {
    if (2..=8).contains(&text.value.len()) && text.value.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    let sentence =
        format!("`{}` is no number of {what}: use 2 to 8 digits in quotes, as in \"101\"", shown(&text.value));
    Err(wrong(text.line, sentence))
}

/// What somebody inside would dial: digits, `*`, `#`, and `+` before a public number.
pub(super) fn dialled(text: &Lined<String>, key: &str) -> Result<(), ProvisionError> {
    let digits = text.value.strip_prefix('+').unwrap_or(&text.value);
    let sign = |b: u8| b.is_ascii_digit() || b"*#".contains(&b);
    if (1..=32).contains(&digits.len()) && digits.bytes().all(sign) {
        return Ok(());
    }
    let sentence = format!("`{}` cannot be dialled for `{key}`: write a number in quotes", shown(&text.value));
    Err(wrong(text.line, sentence))
}

/// Digits and nothing else.
pub(super) fn digits(text: &Lined<String>, key: &str, most: usize) -> Result<(), ProvisionError> {
    if text.value.len() <= most && text.value.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(wrong(
        text.line,
        format!("`{key}` must be up to {most} digits in quotes, not `{}`: write digits", shown(&text.value)),
    ))
}

/// A public number, in the form in which it is kept.
pub(super) fn public_number(text: &Lined<String>, country: &str) -> Result<String, ProvisionError> {
    match Number::parse(&text.value, country) {
        Ok(number) => Ok(number.international().to_owned()),
        Err(error) => Err(wrong(text.line, format!("{error}, in quotes, as in \"02873088088\""))),
    }
}

/// `host:port`, or a name alone, whose port is found out (RFC 3263).
pub(super) fn host_and_port(text: &Lined<String>, key: &str) -> Result<(), ProvisionError> {
    if text.value.parse::<SocketAddr>().is_ok_and(|address| address.port() != 0) || is_name_alone(&text.value) {
        return Ok(());
    }
    if let Some((host, port)) = text.value.rsplit_once(':')
        && port.parse::<u16>().is_ok_and(|port| port != 0)
        && is_host_name(host)
    {
        return Ok(());
    }
    let sentence = format!("`{}` is no address for `{key}`: write host:port, as in 127.0.0.1:5060", shown(&text.value));
    Err(wrong(text.line, sentence))
}

/// An address without its port is more often a slip.
fn is_name_alone(text: &str) -> bool {
    is_host_name(text) && text.chars().any(|c| c.is_ascii_alphabetic())
}

/// `192.0.2.1`, `192.0.2.1:5060`, `[2001:db8::1]:5060` or `192.0.2.0/24`.
pub(super) fn source(text: &str) -> Option<TrunkAddress> {
    if let Some((address, prefix)) = text.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix: u8 = prefix.parse().ok().filter(|prefix| *prefix <= most)?;
        return Some(TrunkAddress { address, prefix, port: None });
    }
    let whole =
        |address: IpAddr, port| TrunkAddress { address, prefix: if address.is_ipv4() { 32 } else { 128 }, port };
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(whole(address, None));
    }
    let address: SocketAddr = text.parse().ok()?;
    (address.port() != 0).then(|| whole(address.ip(), Some(address.port())))
}

/// A list of sources.
pub(super) fn sources(section: &mut Section, key: &str) -> Result<Vec<TrunkAddress>, ProvisionError> {
    let texts = section.texts(key)?;
    texts
        .into_iter()
        .map(|text| {
            source(&text.value).ok_or_else(|| {
                let sentence = format!(
                    "`{}` is no source for `{key}`: write an address, address:port or network, as in 192.0.2.0/24",
                    shown(&text.value)
                );
                wrong(text.line, sentence)
            })
        })
        .collect()
}

/// `http://` or `https://` with a host.
pub(super) fn url(text: &Lined<String>, key: &str) -> Result<(), ProvisionError> {
    let rest = text.value.strip_prefix("http://").or_else(|| text.value.strip_prefix("https://"));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host_is_right = host.parse::<SocketAddr>().is_ok()
        || host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .is_some_and(|host| host.parse::<IpAddr>().is_ok())
        || match host.rsplit_once(':') {
            Some((name, port)) => is_host_name(name) && port.parse::<u16>().is_ok_and(|port| port != 0),
            None => is_host_name(host),
        };
    if host_is_right && !text.value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    let sentence =
        format!("`{}` is no URL for `{key}`: write one that begins with http:// or https://", shown(&text.value));
    Err(wrong(text.line, sentence))
}

/// A DNS name, as in `sip_domains`.
pub(super) fn domain(node: Node, key: &str) -> Result<Lined<String>, ProvisionError> {
    let text = text_of(node, key)?;
    if is_host_name(&text.value) {
        return Ok(Lined { line: text.line, value: text.value.to_ascii_lowercase() });
    }
    let sentence = format!("`{}` is no domain for `{key}`: write one as in pbx.example.com", shown(&text.value));
    Err(wrong(text.line, sentence))
}

/// What an API client sends to name itself or to prove it: one word.
pub(super) fn one_word(text: &Lined<String>, key: &str) -> Result<(), ProvisionError> {
    if text.value.len() <= 256 && text.value.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(());
    }
    Err(wrong(text.line, format!("`{key}` must be up to 256 letters, digits and signs without spaces: choose another")))
}

pub(super) fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    !host.is_empty() && host.len() <= 253 && host.trim_end_matches('.').split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Lined<String> {
        Lined { line: 1, value: text.into() }
    }

    #[test]
    fn a_source_is_an_address_a_port_of_it_or_a_network() {
        let whole = TrunkAddress { address: [192, 0, 2, 1].into(), prefix: 32, port: None };

        assert_eq!(source("192.0.2.1"), Some(whole));
        assert_eq!(source("192.0.2.1:5060"), Some(TrunkAddress { port: Some(5060), ..whole }));
        assert_eq!(source("192.0.2.1/24"), Some(TrunkAddress { prefix: 24, ..whole }));
        assert_eq!(source("[::1]:5060").and_then(|source| source.port), Some(5060));
        assert_eq!(source("2001:db8::/32").map(|source| source.prefix), Some(32));
        for text in ["", "carrier", "192.0.2.1/33", "192.0.2.1:0", "192.0.2.1:99999", "192.0.2", "::1/129", "/8"] {
            assert_eq!(source(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_has_a_host_and_a_port_and_a_name_may_go_without() {
        for text in ["127.0.0.1:5090", "[::1]:5060", "sip.carrier.example:5060", "sip.carrier.example"] {
            assert_eq!(host_and_port(&at(text), "address"), Ok(()), "{text}");
        }
        for text in ["127.0.0.1", "carrier:", ":5060", "carrier:0", "carrier:70000", "a b:5060", "http://a:1"] {
            assert!(host_and_port(&at(text), "address").is_err(), "{text}");
        }
    }

    #[test]
    fn a_url_is_http_with_a_host() {
        for text in [
            "http://127.0.0.1:9000/route?action=GetRouting",
            "https://crm.example.com",
            "http://[::1]:80/",
            "http://u:p@h/",
        ] {
            assert_eq!(url(&at(text), "url"), Ok(()), "{text}");
        }
        for text in ["ftp://a/", "http://", "http:///x", "crm.example.com", "http://a b/", "http://a:x/"] {
            assert!(url(&at(text), "url").is_err(), "{text}");
        }
    }
}
