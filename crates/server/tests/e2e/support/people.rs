//! Simulated phones and carriers, set up as most tests want them, and the proof that they hear each other.

use std::net::SocketAddr;
use std::time::Duration;

use testkit::phones::{Behaviour, Carrier, CarrierConfig, Phone, PhoneConfig};

use crate::support::tools::{LIMIT, until};

/// A number at each carrier that answers and talks until somebody hangs up.
pub const TALKER: &str = "0900000009";

/// What a carrier says, in Hz.
pub const CARRIER_TONE: u16 = 620;

/// A carrier on IPv4.
pub fn carrier() -> Carrier {
    carrier_at("127.0.0.1:0", CARRIER_TONE)
}

/// A carrier that listens at an address and says another tone.
pub fn carrier_at(listen: &str, tone: u16) -> Carrier {
    let mut config = CarrierConfig::new(listen.parse().expect("an address"));
    config.tone = tone;
    Carrier::start_with(config.number(TALKER, Behaviour::answers(Duration::ZERO))).expect("a carrier")
}

/// How an extension's phone is set up that says a tone; it does nothing by itself.
pub fn extension(server: SocketAddr, name: &str, tone: u16) -> PhoneConfig {
    let config = PhoneConfig::new(name, server).login(name, &format!("pw-{name}")).tone(tone);
    PhoneConfig { listen: SocketAddr::new(server.ip(), 0), ..config }
}

/// A phone that is signed in.
pub fn signed_in(config: PhoneConfig) -> Phone {
    let phone = Phone::start(config).expect("a phone");
    phone.wait_registered(LIMIT).expect("it signs in");
    phone
}

/// Both hear the other's tone, and half a second later still do.
pub fn hear_each_other(one: &Phone, one_hears: u16, other: &Phone, other_hears: u16) {
    const HALF_A_SECOND: u64 = 25;
    let received = [one, other].map(|phone| phone.count().received);
    one.wait_heard(one_hears, LIMIT).expect("the other side");
    other.wait_heard(other_hears, LIMIT).expect("the other side");
    for (phone, before) in [one, other].into_iter().zip(received) {
        until("sound goes on", || (phone.count().received >= before + HALF_A_SECOND).then_some(()));
    }
    one.wait_heard(one_hears, LIMIT).expect("the other side");
    other.wait_heard(other_hears, LIMIT).expect("the other side");
}
