//! Two phones that have no codec in common, and keys.

use std::time::Duration;

use media::Codec;
use testkit::phones::{Behaviour, Event};

use crate::support::office::Office;
use crate::support::people::{carrier, extension, hear_each_other, signed_in};
use crate::support::tools::LIMIT;

#[test]
fn an_a_law_phone_and_a_mu_law_phone_hear_each_other_and_each_others_keys() {
    let office = Office::start(carrier().address());
    let [caller, callee] = [("101", 440, Codec::Pcma), ("102", 520, Codec::Pcmu)].map(|(name, tone, codec)| {
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
