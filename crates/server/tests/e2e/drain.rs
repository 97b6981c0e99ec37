//! SIGTERM in the middle of a call.

use serde_json::json;
use testkit::phones::{EndedBy, Event};

use crate::common::Server;
use crate::support::http;
use crate::support::office::{Company, Look, provision};
use crate::support::people::{TALKER, carrier, extension, hear_each_other, signed_in};
use crate::support::sipp::{Scenario, Sipp};
use crate::support::tools::{LIMIT, until};

#[test]
fn a_call_goes_on_to_its_own_end_no_other_begins_and_all_of_it_is_stored() {
    let carrier = carrier();
    let folder = tempfile::tempdir().expect("a folder");
    let (data, yaml) = (folder.path().join("data"), provision(&[Company::with_carrier(carrier.address())]));
    let mut server = Server::start_in(data.clone(), &yaml, &["--drain-seconds", "60"]);
    let agent = signed_in(extension(server.sip, "101", 440));
    agent.call(TALKER).expect("a call");
    hear_each_other(&agent, 620, &carrier, 440);

    server.signal(libc::SIGTERM);
    until("the server drains", || (server.get("/readyz", None).0 == 503).then_some(()));
    let mut refused = Sipp::start(server.sip, Scenario::of("102", 9).calls(TALKER).hears_refusal(503));
    refused.ends_well();
    let click = http::get(server.http, "/dial?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&phone=0900000009", &[]);
    // Both go on talking.
    hear_each_other(&agent, 620, &carrier, 440);
    carrier.hang_up().expect("it hangs up");
    agent.wait_for(|event| matches!(event, Event::Ended { by: EndedBy::Them, .. }), LIMIT).expect("the end");
    let status = server.wait();

    assert_eq!(status.code(), Some(0));
    assert_eq!(click.json()["call_status"], "Failed");
    let next = Server::start_in(data, &yaml, &[]);
    let look = Look { server: &next, key: "DEMO" };
    let records = look.whole_records(1);
    let answered: Vec<_> = records.iter().filter(|record| record["status"] == "answered").collect();
    assert_eq!(answered.len(), 1, "{records:#?}");
    assert_eq!((&answered[0]["reason"], &answered[0]["ended_by"]), (&json!("hung_up"), &json!("customer")));
    look.recording(answered[0]).holds(620, 440);
}
