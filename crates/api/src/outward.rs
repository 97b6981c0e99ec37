//! HTTP to the outside: hooks and the CRM. Tenants choose these URLs, so nothing inside may be reached by them.
//!
//! There are two clients. One connects to public addresses only, however the URL says another: as a literal in any
//! spelling, as IPv4 within IPv6, as a name. A name is judged where it is resolved for the connection, so that it cannot
//! change its meaning between a check and its use. The other client is for tenants whose private addresses the operator
//! allows. Neither follows redirects nor uses a proxy. Certificates are judged in `outward/trust.rs`.

mod trust;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};

/// What we call ourselves.
const SOFTWARE: &str = concat!("Tongdai/", env!("CARGO_PKG_VERSION"));
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long an idle connection is kept, and how many to one host.
const IDLE_FOR: Duration = Duration::from_secs(30);
const IDLE_AT_A_HOST: usize = 8;
const PRIVATE: &str =
    "the URL leads to a private address: use a public one, or have the operator set webhook_private_addresses";

/// HTTP clients for what tenants name. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outward {
    public: Client,
    any: Client,
}

impl Outward {
    /// Both clients. Connects to nobody.
    pub fn new() -> Result<Self, OutwardError> {
        let tls = trust::client_config().map_err(|error| OutwardError(error.to_string()))?;
        let client = |resolver| {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(std::sync::Arc::new(resolver))
                .redirect(redirect::Policy::none())
                .no_proxy()
                .retry(reqwest::retry::never())
                .user_agent(SOFTWARE)
                .referer(false)
                .connect_timeout(CONNECT_WITHIN)
                .pool_idle_timeout(IDLE_FOR)
                .pool_max_idle_per_host(IDLE_AT_A_HOST)
                .build()
                .map_err(|error| OutwardError(why(&error)))
        };
        Ok(Self { public: client(Names { private: false })?, any: client(Names { private: true })? })
    }

    /// The client for a tenant whose URLs may lead to private addresses, or may not. [`Self::check`] each URL first:
    /// a literal address is asked of no resolver.
    pub(crate) fn client(&self, private: bool) -> &Client {
        if private { &self.any } else { &self.public }
    }

    /// Whether the URL may be asked; else one sentence for its owner.
    pub(crate) fn check(&self, url: &Url, private: bool) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("the URL is not of the web: begin it with https:// or http://".into());
        }
        let address = match url.host() {
            None => return Err("the URL names no host".into()),
            Some(url::Host::Domain(_)) => return Ok(()),
            Some(url::Host::Ipv4(address)) => IpAddr::V4(address),
            Some(url::Host::Ipv6(address)) => IpAddr::V6(address),
        };
        if private || is_public(address) { Ok(()) } else { Err(PRIVATE.into()) }
    }
}

/// The clients cannot be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("HTTP to the outside cannot be spoken: {0}")]
pub struct OutwardError(String);

/// Why a request failed, in one sentence without the URL, which may hold its owner's secrets.
pub(crate) fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() { "no connection in time".into() } else { "no answer in time".into() };
    }
    // What the outer errors say is that something failed; the last one says what.
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let text = cause.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

/// Looks names up as the system does.
struct Names {
    private: bool,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> = found.filter(|address| private || is_public(address.ip())).collect();
            if usable.is_empty() {
                return Err(PRIVATE.into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public network, reached as itself.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let within_provider = first == 100 && (64..128).contains(&second); // RFC 6598
    let of_protocols = (first, second, third) == (192, 0, 0); // RFC 6890
    let of_benchmarks = first == 198 && (18..20).contains(&second); // RFC 2544
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || within_provider
        || of_protocols
        || of_benchmarks
        || first == 0
        // Multicast, reserved, broadcast.
        || first >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // Mapped, and the older compatible form, which also holds `::` and `::1`.
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] => is_public_v4(v4_of(high, low)),
        // Translated: RFC 2765, RFC 6052.
        [0, 0, 0, 0, 0xffff, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(v4_of(high, low)),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => is_public_v4(v4_of(high, low)),
        // Translation within one network (RFC 8215), and Teredo, which nobody should need.
        [0x64, 0xff9b, 1, ..] | [0x2001, 0, ..] => false,
        // The rest of what is global unicast. Unique local, link-local, site-local and multicast lie outside of it.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

fn v4_of(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> bool {
        let outward = Outward::new().expect("two clients");
        let url = Url::parse(url).expect("a URL");
        assert_eq!(outward.check(&url, true), Ok(()), "{url}");
        outward.check(&url, false).is_err()
    }

    #[test]
    fn a_private_address_is_refused_however_it_is_written() {
        let private = [
            "http://127.0.0.1/",
            "http://127.1:8080/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://0.0.0.0/",
            "http://10.1.2.3/",
            "http://172.31.255.255/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest",
            "http://100.64.0.1/",
            "http://192.0.0.1/",
            "http://198.18.0.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[::]/",
            "http://[::1]/",
            "http://[::127.0.0.1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a00:1]/",
            "http://[::ffff:0:10.0.0.1]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[64:ff9b:1::1]/",
            "http://[2002:a00:1::1]/",
            "http://[2001:0:1::1]/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://[fec0::1]/",
            "http://[ff02::1]/",
        ];
        for url in private {
            assert!(refused(url), "{url}");
        }
        let public = [
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[64:ff9b::8.8.8.8]/",
            "https://172.32.0.1/",
            "https://100.128.0.1/",
            "https://crm.example.test/hook?key=1",
        ];
        for url in public {
            assert!(!refused(url), "{url}");
        }
    }

    #[test]
    fn only_the_web_is_asked() {
        let outward = Outward::new().expect("two clients");

        for url in ["file:///etc/passwd", "ftp://crm.example.test/", "gopher://127.0.0.1/"] {
            assert!(outward.check(&Url::parse(url).expect("a URL"), true).is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_private_address_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let outward = Outward::new().expect("two clients");
        let url = Url::parse(&format!("http://localhost:{port}/?secret=1")).expect("a URL");
        assert_eq!(outward.check(&url, false), Ok(()));

        let refused = outward.client(false).get(url).send().await.expect_err("a private address");

        assert_eq!(why(&refused), PRIVATE);
        let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(connected.is_err(), "somebody connected");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("its address"));
        let router = axum::Router::new().route("/", axum::routing::get(|| async { axum::response::Redirect::to("/") }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let outward = Outward::new().expect("two clients");

        let answer = outward.client(true).get(url).send().await.expect("an answer");

        assert_eq!(answer.status(), 303);
    }
}
