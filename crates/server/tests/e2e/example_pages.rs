//! The live example pages, as somebody sees them who opens them in a browser.

use std::time::Duration;

use testkit::phones::{Behaviour, Event};

use crate::support::browser::Page;
use crate::support::office::Office;
use crate::support::people::{TALKER, carrier, extension, signed_in};
use crate::support::tools::LIMIT;

const PAGE: &str = "/example/example_io.html";

#[test]
fn a_page_that_was_given_a_key_shows_a_call_row_by_row() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let agent = extension(office.server.sip, "101", 440).behaves(Behaviour::answers(Duration::from_millis(100)));
    let agent = signed_in(agent);
    let mut page = Page::open(office.server.http, PAGE, "VOIPKEY_DEMO");
    page.wait_state("connected");

    let clicked = office.vendor(&format!("/dial?sip=101&phone={TALKER}"));
    agent.wait_for(|event| matches!(event, Event::Answered { .. }), LIMIT).expect("it is answered");
    page.wait_rows(3);
    agent.hang_up().expect("it hangs up");

    let callid = clicked["callid"].as_str().expect("a call");
    let row = |state: &str, kind: &str| ["101", state, TALKER, kind, callid].join(" ");
    let expected = [row("Ring", "outbound"), row("Ringing", "outbound"), row("Up", "outbound"), row("Hangup", "")];
    assert_eq!(page.wait_rows(4), expected);
    let picture = page.screenshot();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 10_000, "{} bytes", picture.len());
    drop(page);
    office.wait_clean();
}

#[test]
fn a_page_says_in_both_languages_that_a_key_is_wrong_and_goes_on_saying_so() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let page = Page::open(office.server.http, PAGE, "VOIPKEY_WRONG");

    let said = page.wait_state("refused");

    assert_eq!(said, "Khóa không đúng hoặc đã bị xóa. – The key is wrong or was deleted.");
    assert_eq!(page.wait_left(), "refused");
    drop(page);
    office.wait_clean();
}
