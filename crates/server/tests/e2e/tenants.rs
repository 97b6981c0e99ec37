//! Two companies with the same extensions call at the same time.

use std::time::Duration;

use serde_json::Value;
use testkit::phones::{Behaviour, Carrier, Phone};

use crate::common::Server;
use crate::support::office::{Company, Look, provision};
use crate::support::people::{TALKER, carrier_at, extension, hear_each_other, signed_in};
use crate::support::socket::{KINDS, SocketClient};
use crate::support::tools::LIMIT;

/// A company with its people, each of whom says another tone.
struct Staff {
    company: Company,
    carrier: Carrier,
    /// 101, 102 and the carrier, in Hz.
    tones: [u16; 3],
}

#[test]
fn neither_hears_sees_or_reaches_the_other() {
    let staffs = [
        staff("VPBX_ONE", "ONE", "02873088088", [400, 500, 600]),
        staff("VPBX_TWO", "TWO", "02873088099", [700, 850, 1000]),
    ];
    let server = Server::start(&provision(&staffs.each_ref().map(|staff| staff.company.clone())), &[]);
    let looks = staffs.each_ref().map(|staff| Look { server: &server, key: staff.company.key });
    let clients = staffs.each_ref().map(|staff| {
        let client = SocketClient::connect(KINDS[3], server.http, &format!("VOIPKEY_{}", staff.company.key));
        client.wait_signed_in(1);
        client
    });
    let phones = staffs.each_ref().map(|staff| ["101", "102"].map(|name| phone(&server, staff, name)));

    for [caller, _] in &phones {
        caller.call("102").expect("a call");
    }
    for (staff, [caller, callee]) in staffs.iter().zip(&phones) {
        hear_each_other(caller, staff.tones[1], callee, staff.tones[0]);
    }
    for (other, [caller, callee]) in staffs.iter().rev().zip(&phones) {
        let crossed = other.tones.iter().any(|tone| caller.heard(*tone) || callee.heard(*tone));
        assert!(!crossed, "somebody of {} is heard by another company", other.company.name);
    }
    for [caller, callee] in &phones {
        caller.hang_up().expect("it hangs up");
        callee.wait_idle(LIMIT).expect("it is over");
    }
    for [_, second] in &phones {
        second.call(TALKER).expect("a call");
    }
    for (staff, [_, second]) in staffs.iter().zip(&phones) {
        hear_each_other(second, staff.tones[2], &staff.carrier, staff.tones[1]);
        second.hang_up().expect("it hangs up");
        staff.carrier.wait_idle(LIMIT).expect("it is over");
    }

    let stories = looks.map(|look| (look.whole_records(2), look.events()));
    for ((staff, look), (records, events)) in staffs.iter().zip(looks).zip(&stories) {
        assert_eq!(records.len(), 2, "{records:#?}");
        look.recording(&records[0]).holds(staff.tones[0], staff.tones[1]);
        look.recording(&records[1]).holds(staff.tones[2], staff.tones[1]);
        let positions: Vec<_> = events.iter().map(|event| event["position"].as_i64().expect("a number")).collect();
        assert_eq!(positions, (1..=positions.len() as i64).collect::<Vec<_>>(), "a story without gaps of its own");
        look.wait_clean();
    }
    let [(ours, _), (theirs, _)] = &stories;
    assert!(ids(ours).iter().all(|id| !ids(theirs).contains(id)));
    for (look, other) in [(looks[0], theirs), (looks[1], ours)] {
        for record in other {
            let recording = record["recordings"][0]["url"].as_str().expect("a link");
            let paths = [format!("/v1/calls/{}", ids(std::slice::from_ref(record))[0]), recording.to_owned()];
            assert_eq!(paths.map(|path| look.get(&path).status), [404, 404], "what is another's does not exist");
        }
    }
    for client in &clients {
        let told = client.wait_told(9);
        assert_eq!(told.len(), 9, "{told:#?}");
    }
    let heard = |client: &SocketClient| ids_of(&client.responses(), "callid");
    assert!(heard(&clients[0]).iter().all(|id| ids(ours).contains(id)));
    assert!(heard(&clients[1]).iter().all(|id| ids(theirs).contains(id)));
}

fn ids(records: &[Value]) -> Vec<String> {
    ids_of(records, "id")
}

fn ids_of(values: &[Value], name: &str) -> Vec<String> {
    values.iter().map(|value| value[name].as_str().expect("an id").to_owned()).collect()
}

fn staff(name: &'static str, key: &'static str, did: &'static str, tones: [u16; 3]) -> Staff {
    let carrier = carrier_at("127.0.0.1:0", tones[2]);
    Staff { company: Company { name, key, did, carrier: carrier.address(), trunk: "" }, carrier, tones }
}

fn phone(server: &Server, staff: &Staff, name: &str) -> Phone {
    let tone = staff.tones[if name == "101" { 0 } else { 1 }];
    let user = format!("{}_{name}", staff.company.name);
    let config = extension(server.sip, name, tone).login(&user, &format!("pw-{name}"));
    signed_in(config.behaves(Behaviour::answers(Duration::ZERO)))
}
