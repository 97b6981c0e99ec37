//! A long call: nothing of its sound is lost, and none of it comes later and later. Not run with the other tests,
//! because it takes as long as it says: `make soak`.

#[path = "common/mod.rs"]
mod common;
#[allow(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "e2e/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use media::Codec;
use testkit::phones::{Behaviour, Phone};

use support::office::Office;
use support::people::{carrier, extension, hear_each_other, signed_in};
use support::tools::LIMIT;

/// What a packet holds.
const FRAME: Duration = Duration::from_millis(20);

/// How long the calls last, in minutes, unless `TONGDAI_SOAK_MINUTES` says otherwise.
const MINUTES: u64 = 30;

#[test]
fn a_long_call_loses_no_packet_and_drifts_by_no_more_than_a_frame() {
    long_call([Codec::Pcma, Codec::Pcma]);
}

#[test]
fn a_long_call_between_two_codecs_loses_no_packet_and_drifts_by_no_more_than_a_frame() {
    long_call([Codec::Pcma, Codec::Pcmu]);
}

fn long_call(codecs: [Codec; 2]) {
    let minutes = std::env::var("TONGDAI_SOAK_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    let length = Duration::from_secs(60 * minutes.unwrap_or(MINUTES));
    let office = Office::start(carrier().address());
    let [caller, callee] = [("101", 440, codecs[0]), ("102", 520, codecs[1])].map(|(name, tone, codec)| {
        let phone = signed_in(extension(office.sip(), name, tone).behaves(Behaviour::answers(Duration::ZERO)));
        phone.speak(&[codec]);
        phone
    });

    caller.call("102").expect("a call");
    hear_each_other(&caller, 520, &callee, 440);
    let since = Instant::now();
    let before = Moment::of(&caller, &callee);
    while since.elapsed() < length {
        std::thread::park_timeout(Duration::from_secs(1));
        hear_each_other(&caller, 520, &callee, 440);
    }
    let after = Moment::of(&caller, &callee);
    caller.hang_up().expect("it hangs up");
    callee.wait_idle(LIMIT).expect("it is over");

    for (direction, drift) in ["to the called phone", "to the caller"].into_iter().zip(after.drift_since(&before)) {
        println!("{direction}: {drift:.1} ms later after {length:?} than before");
        assert!(drift.abs() <= FRAME.as_secs_f64() * 1_000.0, "{drift:.1} ms");
    }
    for phone in [&caller, &callee] {
        assert_eq!((phone.count().lost, phone.count().strange), (0, 0), "{:?}", phone.count());
    }
    let record = office.only_record();
    for leg in record["legs"].as_array().expect("legs") {
        assert_eq!((&leg["quality"]["lost"], &leg["quality"]["ignored"]), (&0.into(), &0.into()), "{leg:#}");
    }
    office.recording(&record).holds(440, 520);
    office.wait_clean();
}

/// How many packets each side had heard, and when the last of them came.
struct Moment {
    callee: (Instant, u64),
    caller: (Instant, u64),
}

impl Moment {
    fn of(caller: &Phone, callee: &Phone) -> Self {
        Self { callee: next_packet(callee), caller: next_packet(caller) }
    }

    /// How much later than it should be the sound comes, in milliseconds, to the called phone and to the caller.
    fn drift_since(&self, before: &Self) -> [f64; 2] {
        [(self.callee, before.callee), (self.caller, before.caller)].map(|(after, before)| {
            let took = (after.0 - before.0).as_secs_f64();
            let said = (after.1 - before.1) as f64 * FRAME.as_secs_f64();
            (took - said) * 1_000.0
        })
    }
}

/// The moment at which a phone hears its next packet.
fn next_packet(phone: &Phone) -> (Instant, u64) {
    let heard = phone.count().received;
    loop {
        let now = phone.count().received;
        if now > heard {
            return (Instant::now(), now);
        }
        std::thread::park_timeout(Duration::from_micros(200));
    }
}
