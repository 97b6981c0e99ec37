//! Two phones that have no codec in common: sound, recording and keys.

use std::time::Duration;

use media::Codec;
use testkit::phones::{Behaviour, Event};

use crate::support::office::Office;
use crate::support::people::{carrier, extension, hear_each_other, signed_in};
use crate::support::tools::LIMIT;

#[test]
fn an_a_law_phone_and_a_mu_law_phone_hear_each_other_and_each_others_keys() {
    hear_each_other_in([Codec::Pcma, Codec::Pcmu]);
}

#[test]
fn an_opus_phone_and_an_a_law_phone_hear_each_other_and_each_others_keys() {
    hear_each_other_in([Codec::Opus, Codec::Pcma]);
}

#[test]
fn a_mu_law_phone_and_a_g722_phone_hear_each_other_and_each_others_keys() {
    hear_each_other_in([Codec::Pcmu, Codec::G722]);
}

#[test]
fn a_g722_phone_and_an_opus_phone_hear_each_other_and_each_others_keys() {
    hear_each_other_in([Codec::G722, Codec::Opus]);
}

#[test]
fn two_opus_phones_hear_each_other_and_each_others_keys() {
    hear_each_other_in([Codec::Opus, Codec::Opus]);
}

fn hear_each_other_in(codecs: [Codec; 2]) {
    let office = Office::start(carrier().address());
    let [caller, callee] = [("101", 440, codecs[0]), ("102", 520, codecs[1])].map(|(name, tone, codec)| {
        let phone = signed_in(extension(office.sip(), name, tone).behaves(Behaviour::answers(Duration::ZERO)));
        phone.speak(&[codec]);
        phone
    });

    caller.call("102").expect("a call");
    hear_each_other(&caller, 520, &callee, 440);
    for (from, to, key) in [(&caller, &callee, '5'), (&callee, &caller, '#')] {
        from.press(key).expect("a side that takes keys");
        to.wait_for(|event| matches!(event, Event::Key { key: pressed, .. } if *pressed == key), LIMIT)
            .expect("the key");
    }
    callee.hang_up().expect("it hangs up");
    caller.wait_idle(LIMIT).expect("it is over");

    let record = office.only_record();
    office.recording(&record).holds(440, 520);
    let events = office.look().events();
    let keys: Vec<_> = events.iter().filter_map(|event| event["key"].as_str()).collect();
    assert_eq!(keys, ["5", "#"]);
    office.wait_clean();
}
