//! Addresses of names: of trunks before their settings are handed over, and of hosts that the engine asks about.
//!
//! Never on the path of a packet: an answer comes to the engine as an input of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::{Answer, Input, Question};
use model::{Target, TenantSettings, Ticket, Transport, Trunk};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::inbox::{Errand, Inbox};

/// How long a name server may think.
const WITHIN: Duration = Duration::from_secs(3);
/// Questions under way at once. More are answered with a failure at once.
const AT_ONCE: usize = 64;
/// SIP's port where none is named.
const SIP_PORT: u16 = 5060;

/// Answers the engine's questions.
pub struct Questions {
    runtime: Handle,
    inbox: Inbox,
    room: Arc<Semaphore>,
}

impl Questions {
    /// Answers come to `inbox`.
    pub fn new(runtime: Handle, inbox: Inbox) -> Self {
        Self { runtime, inbox, room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Finds out; the answer is returned if it is known at once, else it comes as an input.
    pub fn ask(&self, ticket: Ticket, question: Question) -> Option<Answer> {
        let Question::Addresses { host, port, .. } = question;
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            return Some(Answer::Failed("too many names are being looked up".into()));
        };
        let inbox = self.inbox.clone();
        self.runtime.spawn(async move {
            let answer = match look_up(&host, port.unwrap_or(SIP_PORT)).await {
                Ok(addresses) => {
                    Answer::Addresses(addresses.into_iter().map(|at| Target::only(at, Transport::Udp)).collect())
                }
                Err(why) => Answer::Failed(why),
            };
            inbox.errand_in_turn(Errand::input(Input::Answer { ticket, answer })).await;
            drop(room);
        });
        None
    }
}

/// Fills in where each trunk is. A trunk whose name has no address stays without: it is unusable, and its use says so.
pub async fn trunks(mut settings: TenantSettings) -> TenantSettings {
    for trunk in &mut settings.trunks {
        let (host, port) = host_and_port(target(trunk));
        match look_up(host, port).await {
            Ok(addresses) => {
                let transport = match trunk.transport.as_str() {
                    "tcp" => Transport::Tcp,
                    "tls" => Transport::Tls,
                    _ => Transport::Udp,
                };
                trunk.resolved = addresses.first().map(|at| Target::only(*at, transport)).into_iter().collect();
            }
            Err(why) => {
                trunk.resolved.clear();
                tracing::warn!(tenant = settings.name, trunk = trunk.name, why, "the trunk has no address");
            }
        }
    }
    settings
}

/// Whether a trunk is named rather than numbered, so that it may move.
pub fn has_names(settings: &TenantSettings) -> bool {
    settings.trunks.iter().any(|trunk| host_and_port(target(trunk)).0.parse::<std::net::IpAddr>().is_err())
}

/// Where requests to the trunk go.
fn target(trunk: &Trunk) -> &str {
    trunk.outbound_proxy.as_deref().unwrap_or(&trunk.address)
}

async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    if let Ok(ip) = host.parse() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    match tokio::time::timeout(WITHIN, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.collect();
            if addresses.is_empty() { Err("the name has no address".into()) } else { Ok(addresses) }
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the name server does not answer".into()),
    }
}

fn host_and_port(target: &str) -> (&str, u16) {
    if let Ok(address) = target.parse::<SocketAddr>() {
        let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
        return (host.trim_start_matches('[').trim_end_matches(']'), address.port());
    }
    match target.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port.parse().unwrap_or(SIP_PORT)),
        _ => (target.trim_start_matches('[').trim_end_matches(']'), SIP_PORT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_and_a_port() {
        let table = [
            ("127.0.0.1:5090", ("127.0.0.1", 5090)),
            ("192.0.2.1", ("192.0.2.1", 5060)),
            ("sip.example.test:5070", ("sip.example.test", 5070)),
            ("sip.example.test", ("sip.example.test", 5060)),
            ("[2001:db8::1]:5070", ("2001:db8::1", 5070)),
            ("2001:db8::1", ("2001:db8::1", 5060)),
        ];
        for (target, expected) in table {
            assert_eq!(host_and_port(target), expected, "{target}");
        }
    }

    #[tokio::test]
    async fn an_address_needs_no_name_server() {
        assert_eq!(look_up("192.0.2.1", 5060).await, Ok(vec![([192, 0, 2, 1], 5060).into()]));
    }
}
