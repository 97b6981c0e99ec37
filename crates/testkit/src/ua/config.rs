//! How a user agent is set up, and what a call of it needs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use media::Codec;
use sip::digest::Login;
use sip::{Flow, Headers};

use super::Behaviour;
use crate::sound::Voice;

/// How a user agent is set up.
#[derive(Clone, Debug)]
pub struct UserAgentConfig {
    /// The user in its own address: `101`.
    pub name: String,
    /// The host in addresses: `127.0.0.1:5060`, `demo.example`.
    pub domain: String,
    /// Where its requests go.
    pub server: Flow,
    /// Where it listens for SIP.
    pub address: SocketAddr,
    /// Where it listens for sound: one address for each call it can have at a time.
    pub sound_addresses: Vec<SocketAddr>,
    /// For challenges.
    pub login: Option<Login>,
    /// How long a registration is asked for.
    pub expires: Duration,
    /// What it speaks, best first.
    pub codecs: Vec<Codec>,
    /// What the other side hears, unless the behaviour says something else.
    pub voice: Voice,
    /// What it does by itself.
    pub behaviour: Behaviour,
    /// What it does by itself when called by these numbers, in national form (`0900000001`).
    pub numbers: BTreeMap<String, Behaviour>,
    /// The country code by which called numbers are brought into national form.
    pub country: String,
}

impl UserAgentConfig {
    /// A user agent that speaks both laws, has one line, and does nothing by itself.
    pub fn new(name: &str, address: SocketAddr, server: Flow, sound_address: SocketAddr) -> Self {
        Self {
            name: name.into(),
            domain: server.remote.to_string(),
            server,
            address,
            sound_addresses: vec![sound_address],
            login: None,
            expires: Duration::from_secs(300),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            voice: Voice::Silence,
            behaviour: Behaviour::default(),
            numbers: BTreeMap::new(),
            country: "84".into(),
        }
    }
}

/// A call to be placed.
#[derive(Clone, Debug, Default)]
pub struct Dial {
    /// A number or user in our domain, or a whole `sip:` address.
    pub target: String,
    /// Who calls, if not we by our own name.
    pub from: Option<String>,
    /// Where the INVITE goes, if not to our server.
    pub flow: Option<Flow>,
    /// What else the INVITE says.
    pub headers: Headers,
    /// What is done by itself in this call, if not the usual.
    pub behaviour: Option<Behaviour>,
}

impl Dial {
    /// A plain call.
    pub fn to(target: &str) -> Self {
        Self { target: target.into(), ..Self::default() }
    }
}
