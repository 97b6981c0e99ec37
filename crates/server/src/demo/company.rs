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
    phones: [Phone; 2],
    carrier: Carrier,
}

impl Company {
    /// Phones that sign in at `server`, and a carrier that listens at `carrier`.
    pub fn start(server: SocketAddr, carrier: SocketAddr) -> io::Result<Self> {
        let carrier = Carrier::start(carrier)?;
        let phone = |user: &str, chime| {
            let talks = Behaviour::answers(RINGS).then(TALKS, Act::HangUp).says(Voice::Speech { chime });
            Phone::start(PhoneConfig::new(user, server).login(user, &format!("pw-{user}")).behaves(talks))
        };
        Ok(Self { phones: [phone("101", 440)?, phone("102", 520)?], carrier })
    }

    /// Hangs up, signs out, and ends all of them.
    pub fn stop(self) {
        self.phones.into_iter().for_each(Phone::stop);
        self.carrier.stop();
    }
}
