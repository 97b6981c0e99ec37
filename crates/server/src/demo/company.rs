//! Who calls and is called in the demo: two phones and a carrier, out of `testkit`, on sockets of their own.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use testkit::phones::{Act, Behaviour, Carrier, Phone, PhoneConfig, Voice};

/// How long a phone rings before it is picked up.
const RINGS: Duration = Duration::from_secs(1);
/// How long whoever picked it up talks, if the other side does not hang up before.
const TALKS: Duration = Duration::from_secs(20);

/// The company of a demo. They run until they are stopped.
pub struct Company {
    phones: Vec<Phone>,
    carrier: Carrier,
}

impl Company {
    /// A carrier, at `wanted` if that is free.
    pub fn gather(wanted: SocketAddr) -> io::Result<Self> {
        let carrier = match Carrier::start(wanted) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Carrier::start(SocketAddr::new(wanted.ip(), 0))?,
            other => other?,
        };
        Ok(Self { phones: Vec::new(), carrier })
    }

    /// Where the carrier listens.
    pub fn carrier(&self) -> SocketAddr {
        self.carrier.address()
    }

    /// Adds the phones, which sign in at `server`.
    pub fn sign_in(&mut self, server: SocketAddr) -> io::Result<()> {
        for (user, chime) in [("101", 440), ("102", 520)] {
            let talks = Behaviour::answers(RINGS).then(TALKS, Act::HangUp).says(Voice::Speech { chime });
            let config = PhoneConfig::new(user, server).login(user, &format!("pw-{user}")).behaves(talks);
            self.phones.push(Phone::start(config)?);
        }
        Ok(())
    }

    /// Hangs up, signs out, and ends all of them.
    pub fn stop(self) {
        self.phones.into_iter().for_each(Phone::stop);
        self.carrier.stop();
    }
}
