//! How a phone is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use sip::Transport;

use crate::sound::Voice;
use crate::ua::Behaviour;

/// How a phone is set up. Begin with [`PhoneConfig::new`].
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// The user in its own address: `101`.
    pub name: String,
    /// Where it registers, and where its calls go.
    pub server: SocketAddr,
    /// UDP or TCP.
    pub transport: Transport,
    /// The name it signs in by: `101`, `VPBX_DEMO_101`.
    pub user: String,
    /// Its password. Without one it neither registers nor answers challenges.
    pub password: Option<String>,
    /// Whether it registers at once.
    pub registers: bool,
    /// How long a registration is asked for.
    pub expires: Duration,
    /// The host in addresses, if not the server's address.
    pub domain: Option<String>,
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Calls at a time.
    pub lines: u16,
    /// What the other side hears.
    pub voice: Voice,
    /// What it does by itself.
    pub behaviour: Behaviour,
}

impl PhoneConfig {
    /// A phone on loopback, over UDP, with two lines, that says nothing and does nothing by itself.
    pub fn new(name: &str, server: SocketAddr) -> Self {
        Self {
            name: name.into(),
            server,
            transport: Transport::Udp,
            user: name.into(),
            password: None,
            registers: true,
            expires: Duration::from_secs(300),
            domain: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            lines: 2,
            voice: Voice::Silence,
            behaviour: Behaviour::by_hand(),
        }
    }

    /// The same, which signs in.
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.user = user.into();
        self.password = Some(password.into());
        self
    }

    /// The same over TCP.
    pub fn over_tcp(mut self) -> Self {
        self.transport = Transport::Tcp;
        self
    }

    /// The same, which says a tone of this many Hz.
    pub fn tone(mut self, hertz: u16) -> Self {
        self.voice = Voice::Tone(hertz);
        self
    }

    /// The same with a behaviour.
    pub fn behaves(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }
}
