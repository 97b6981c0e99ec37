//! Who calls and is called in the demo: two phones and a carrier, out of `testkit`, on sockets of their own.

use std::io;
use std::net::SocketAddr;

use testkit::phones::{Behaviour, Carrier, Phone, PhoneConfig};

/// The company of a demo. They run until they are stopped.
pub struct Company {
    phones: Vec<Phone>,
    carrier: Carrier,
}

impl Company {
    /// Phones that sign in at `server`, and a carrier that listens at `carrier`.
    pub fn start(server: SocketAddr, carrier: SocketAddr) -> io::Result<Self> {
        let carrier = Carrier::start(carrier)?;
        let phone = |user: &str| {
            Phone::start(PhoneConfig {
                server,
                user: user.to_owned(),
                password: format!("pw-{user}"),
                behaviour: Behaviour::default(),
            })
        };
        Ok(Self { phones: vec![phone("101")?, phone("102")?], carrier })
    }

    /// Ends all of them.
    pub fn stop(self) {
        for phone in self.phones {
            phone.stop();
        }
        self.carrier.stop();
    }
}
