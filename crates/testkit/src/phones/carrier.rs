//! A simulated carrier: numbers that answer, are busy, never answer, refuse and press keys, and calls that come in.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::time::Duration;

use sip::digest::Login;
use sip::{Flow, Transport, Uri};

use super::phone::Phone;
use super::sockets::Sockets;
use crate::sound::Voice;
use crate::ua::{Act, Behaviour, CallNo, Dial, OrderError, UserAgentConfig};

/// How long its numbers ring before they answer.
const RINGS: Duration = Duration::from_millis(500);

/// How a carrier is set up. Begin with [`CarrierConfig::new`].
#[derive(Clone, Debug)]
pub struct CarrierConfig {
    /// Where it listens, over UDP and TCP.
    pub listen: SocketAddr,
    /// Calls at a time.
    pub lines: u16,
    /// What it says where a number has nothing of its own to say, in Hz. 0900000001 begins each sentence with it.
    pub tone: u16,
    /// What its numbers do, in national form. All others are refused with 404.
    pub numbers: BTreeMap<String, Behaviour>,
    /// For servers that challenge it.
    pub login: Option<Login>,
}

impl CarrierConfig {
    /// A carrier with 64 lines, a tone of 620 Hz, and its usual numbers:
    ///
    /// | number | what it does |
    /// |---|---|
    /// | 0900000001 | answers, speaks, hangs up after ten seconds |
    /// | 0900000002 | is busy |
    /// | 0900000003 | rings and never answers |
    /// | 0900000004 | refuses with 603 |
    /// | 0900000005 | answers and presses 5 |
    pub fn new(listen: SocketAddr) -> Self {
        const TONE: u16 = 620;
        let speaks = Behaviour::answers(RINGS).then(Duration::from_secs(10), Act::HangUp);
        let presses = Behaviour::answers(RINGS).then(Duration::from_secs(1), Act::Press('5'));
        let numbers = [
            ("0900000001", speaks.says(Voice::Speech { chime: TONE })),
            ("0900000002", Behaviour::refuses(486, Duration::ZERO)),
            ("0900000003", Behaviour::never_answers()),
            ("0900000004", Behaviour::refuses(603, Duration::ZERO)),
            ("0900000005", presses),
        ];
        let numbers = numbers.into_iter().map(|(number, behaviour)| (number.to_owned(), behaviour)).collect();
        Self { listen, lines: 64, tone: TONE, numbers, login: None }
    }

    /// The same with one more number, in national form, or another behaviour for one of the usual ones.
    pub fn number(mut self, number: &str, behaviour: Behaviour) -> Self {
        self.numbers.insert(number.into(), behaviour);
        self
    }
}

/// A simulated carrier. It is used like a [`Phone`] of many lines; its orders without a call act on the newest one.
#[derive(Debug)]
pub struct Carrier {
    phone: Phone,
}

impl Carrier {
    /// A carrier with its usual numbers.
    pub fn start(listen: SocketAddr) -> io::Result<Self> {
        Self::start_with(CarrierConfig::new(listen))
    }

    /// A carrier as wanted.
    pub fn start_with(config: CarrierConfig) -> io::Result<Self> {
        let sockets = Sockets::bind(config.listen, config.lines)?;
        let address = sockets.address()?;
        let agent = UserAgentConfig {
            sound_addresses: sockets.sound.iter().map(|(address, _)| *address).collect(),
            login: config.login,
            voice: Voice::Tone(config.tone),
            behaviour: Behaviour::refuses(404, Duration::ZERO),
            numbers: config.numbers,
            ..UserAgentConfig::new("carrier", address, Flow::udp(0, address), address)
        };
        Ok(Self { phone: Phone::enter(agent, sockets)? })
    }

    /// Calls a number of the server's from outside, by UDP.
    pub fn call(&self, server: SocketAddr, number: &str, from: &str) -> Result<CallNo, OrderError> {
        self.call_over(Transport::Udp, server, number, from)
    }

    /// Calls a number of the server's from outside.
    pub fn call_over(
        &self,
        transport: Transport,
        server: SocketAddr,
        number: &str,
        from: &str,
    ) -> Result<CallNo, OrderError> {
        let mut target = Uri::of(server).with_user(number);
        if let Some(parameter) = transport.uri_parameter() {
            target = target.with_param("transport", parameter);
        }
        self.phone.dial(Dial {
            target: String::from_utf8_lossy(&target.print()).into_owned(),
            from: Some(from.into()),
            flow: Some(Flow { transport, interface: 0, connection: 0, remote: server }),
            // What it does when it is called says nothing of what it does when it calls.
            behaviour: Some(Behaviour::by_hand()),
            ..Dial::default()
        })
    }

    /// Changes what one of its numbers does, in national form, for calls that begin from now on.
    pub fn set_number(&self, number: &str, behaviour: Behaviour) {
        self.phone.agent(|agent, _| agent.set_number(number, behaviour));
    }

    /// Hangs up, and is gone when this returns.
    pub fn stop(self) {
        self.phone.stop();
    }

    /// Is gone at once, without a word to anybody.
    pub fn vanish(self) {
        self.phone.vanish();
    }
}

impl Deref for Carrier {
    type Target = Phone;

    fn deref(&self) -> &Phone {
        &self.phone
    }
}
