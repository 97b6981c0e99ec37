//! What links to this server begin with.
//!
//! The operator's `public_url`, where one is set. Else the host that the client itself named in `Host`, over TLS where the
//! request came so: a link then leads where its reader was already. A `Host` that is no host is not repeated; links then
//! begin with their path. What proxies add (`X-Forwarded-…`) anybody can write: whoever runs one sets `public_url`.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};

use crate::Faces;

/// Stands in the extensions of a request that came over TLS: whoever serves the router puts it there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OverTls;

/// What links begin with, without a slash at the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct BaseUrl(String);

impl BaseUrl {
    /// `https://pbx.example.test`
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromRequestParts<Arc<Faces>> for BaseUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, faces: &Arc<Faces>) -> Result<Self, Infallible> {
        if let Some(url) = &faces.app.settings.public_url {
            return Ok(Self(url.trim_end_matches('/').to_owned()));
        }
        let scheme = if parts.extensions.get::<OverTls>().is_some() { "https" } else { "http" };
        Ok(Self(host(&parts.headers).map(|host| format!("{scheme}://{host}")).unwrap_or_default()))
    }
}

/// The host that the client named, if it is one: a name or an address, and perhaps a port.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut named = headers.get_all(header::HOST).iter();
    let text = named.next().filter(|_| named.next().is_none())?.to_str().ok()?;
    let authority: Authority = text.parse().ok()?;
    let (host, rest) = text.split_at_checked(authority.host().len())?;
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        // Names inside a house may have an underscore.
        None => {
            (1..=253).contains(&host.len())
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        }
    };
    let is_port = rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    (is_host && is_port).then_some(text)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn named(hosts: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_static(host));
        }
        host(&headers).map(str::to_owned)
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for host in
            ["pbx.example.test", "PBX.example.test:8080", "192.0.2.1", "[2001:db8::1]:443", "my_pbx", "localhost:1"]
        {
            assert_eq!(named(&[host]).as_deref(), Some(host));
        }
    }

    #[test]
    fn anything_else_is_not_repeated() {
        for host in [
            "",
            "a@pbx.example.test",
            "pbx.example.test/x",
            "pbx.example.test?x=",
            "pbx.example.test#",
            "\"><script>",
            "pbx.example.test:99999",
            "pbx.example.test:",
            "pbx.example.test:80:80",
            "[::1",
            "[pbx]",
            "pbx%2eexample",
            "pbx;rm",
            "pbx example",
        ] {
            assert_eq!(named(&[host]), None, "{host}");
        }
        assert_eq!(named(&["one.example.test", "two.example.test"]), None);
        assert_eq!(named(&[]), None);
    }
}
