//! Who calls, as each side is told, and what is believed of what a carrier says.

use model::{DialFormat, ForwardedCaller, Reason, Route, TrunkIdentity};
use sip::HeaderName;
use testkit::world::World;
use testkit::world::phone::Manner;

const PAI: HeaderName = HeaderName::PAssertedIdentity;

#[test]
fn a_trusted_carriers_word_is_what_the_phone_shows_and_the_record_has() {
    let mut world = World::new(1);
    trusts(&mut world);

    rings(&mut world, "carrier", "02873088088", &[(PAI, "\"An\" <sip:+84900000077@carrier.test>")]);

    assert_eq!(shown(&mut world, "101"), "An 0900000077");
    assert_eq!(customer(&world), "+84900000077");
    ends(world);
}

#[test]
fn an_untrusted_carriers_word_is_not() {
    let mut world = World::new(1);

    rings(&mut world, "carrier", "02873088088", &[(PAI, "\"An\" <sip:+84900000077@carrier.test>")]);

    assert_eq!(shown(&mut world, "101"), "0900000009");
    assert_eq!(customer(&world), "+84900000009");
    ends(world);
}

#[test]
fn whoever_calls_from_outside_and_hides_is_in_the_record_and_on_no_phone() {
    for privacy in ["id", "header", "user;critical"] {
        let mut world = World::new(1);
        trusts(&mut world);
        let hidden = [(PAI, "<sip:+84900000077@carrier.test>"), (HeaderName::Privacy, privacy)];

        rings(&mut world, "carrier", "02873088088", &hidden);

        assert_eq!(shown(&mut world, "101"), "Anonymous anonymous", "{privacy}");
        assert_eq!(customer(&world), "+84900000077");
        ends(world);
    }
}

#[test]
fn a_phone_that_hides_is_not_shown_outside_and_not_inside() {
    let mut world = World::new(1);
    world.settings(|settings| settings.trunks[0].identity = TrunkIdentity::Pai);
    let hidden = [(HeaderName::Privacy, "id"), (PAI, "<sip:0900000666@elsewhere.test>")];

    rings(&mut world, "101", "0900000001", &hidden);
    rings(&mut world, "102", "103", &hidden);

    assert_eq!(shown(&mut world, "carrier"), "Anonymous anonymous");
    assert_eq!(said(&mut world, "carrier", &PAI), [""; 0]);
    assert_eq!(said(&mut world, "carrier", &HeaderName::Privacy), ["id"]);
    assert_eq!(shown(&mut world, "103"), "Anonymous anonymous");
    assert_eq!(said(&mut world, "103", &PAI), [""; 0]);
    ends(world);
}

#[test]
fn the_number_of_an_extension_stands_where_the_trunk_looks_for_it() {
    let mut world = World::new(1);
    world.settings(|settings| {
        settings.trunks[0].identity = TrunkIdentity::Pai;
        settings.trunks[0].dial_format = DialFormat::E164;
        settings.trunks[0].username = Some("account".into());
        settings.trunks[0].password = Some("made-up".into());
    });

    rings(&mut world, "101", "0900000001", &[]);

    assert_eq!(shown(&mut world, "carrier"), "account");
    assert_eq!(said(&mut world, "carrier", &PAI), ["<sip:+842873088088@198.51.100.1>"]);
    ends(world);
}

#[test]
fn a_number_that_is_not_the_tenants_is_never_shown() {
    let mut world = World::new(1);
    world.settings(|settings| {
        if let Some(desk) = settings.extensions.get_mut("101") {
            desk.caller_id = Some("84900000666".into());
        }
    });

    rings(&mut world, "101", "0900000001", &[]);

    assert_eq!(shown(&mut world, "carrier"), "02873088088");
    ends(world);
}

#[test]
fn a_call_that_was_passed_on_six_times_goes_no_further() {
    let diversion = [(HeaderName::Diversion, "<sip:0900000005@carrier.test>;reason=user-busy;counter=6")];
    let mut trusting = World::new(1);
    trusts(&mut trusting);
    let mut other = World::new(1);

    rings(&mut trusting, "carrier", "02873088088", &diversion);
    rings(&mut other, "carrier", "02873088088", &diversion);

    let record = trusting.rows(1).and_then(|rows| rows.records.values().last()).expect("there is a record");
    assert_eq!((record.reason, record.sip), (Some(Reason::Diverted), Some(482)));
    assert!(trusting.phone("101").talks.is_empty());
    assert_eq!(other.phone("101").talks.len(), 1, "what the untrusted say of diversions counts for nothing");
    ends(trusting);
    ends(other);
}

#[test]
fn a_call_passed_on_outside_shows_our_number_and_who_passed_it_on() {
    let mut world = World::new(1);

    rings(&mut world, "carrier", "02873088088", &[]);
    world.redirects("101", "0900000001");
    world.run(0.5);

    assert_eq!(shown(&mut world, "carrier"), "02873088088");
    let diversions = said(&mut world, "carrier", &HeaderName::Diversion);
    assert_eq!(diversions, ["<sip:02873088088@192.0.2.1:5060>;reason=deflection;counter=1"]);
    ends(world);
}

#[test]
fn a_call_that_settings_forward_outside_shows_our_number_and_who_forwards_it() {
    let mut world = World::new(1);
    world.settings(|settings| {
        settings.extensions.get_mut("101").expect("101").forward.always = Some("0900000001".into());
    });

    rings(&mut world, "carrier", "02873088088", &[]);

    assert_eq!(shown(&mut world, "carrier"), "02873088088");
    let diversions = said(&mut world, "carrier", &HeaderName::Diversion);
    assert_eq!(diversions, ["<sip:02873088088@192.0.2.1:5060>;reason=unconditional;counter=1"]);
    ends(world);
}

#[test]
fn a_call_passed_on_outside_shows_the_caller_where_the_trunk_takes_that() {
    let mut world = World::new(1);
    world.settings(|settings| settings.trunks[0].forwarded_caller = ForwardedCaller::Caller);

    rings(&mut world, "carrier", "02873088088", &[]);
    world.redirects("101", "0900000001");
    world.run(0.5);

    assert_eq!(shown(&mut world, "carrier"), "0900000009");
    ends(world);
}

#[test]
fn a_wish_to_be_called_elsewhere_is_followed_twice_and_no_further() {
    let mut world = World::new(1);

    rings(&mut world, "102", "101", &[]);
    world.redirects("101", "103");
    world.run(0.5);
    world.redirects("103", "101");
    world.run(0.5);
    world.redirects("101", "103");
    world.run(0.5);

    let record = world.rows(1).and_then(|rows| rows.records.values().last()).expect("there is a record");
    assert_eq!((record.reason, record.sip), (Some(Reason::Diverted), Some(482)));
    assert_eq!(record.legs.iter().filter(|leg| leg.reason == Some(Reason::Redirected)).count(), 3);
    ends(world);
}

#[test]
fn a_phone_passes_calls_on_only_to_where_it_may_call_itself() {
    let mut world = World::new(1);

    rings(&mut world, "carrier", "02873088088", &[]);
    world.redirects("101", "+12025550123");
    world.run(0.5);

    let record = world.rows(1).and_then(|rows| rows.records.values().last()).expect("there is a record");
    assert_eq!((record.reason, record.sip), (Some(Reason::DestinationClosed), Some(403)));
    ends(world);
}

#[test]
fn a_carriers_wish_to_be_called_elsewhere_is_followed_if_it_is_trusted() {
    let mut world = World::new(1);
    world.phone("carrier").refuses_with.push(HeaderName::Contact, "<sip:0900000002@203.0.113.66>");
    world.number("carrier", "0900000001", Manner::refuses(302));

    rings(&mut world, "101", "0900000001", &[]);
    let untrusted = world.phone("carrier").talks.len();
    trusts(&mut world);
    rings(&mut world, "101", "0900000001", &[]);
    let called: Vec<_> = world.phone("carrier").talks.iter().map(|talk| talk.called.clone()).collect();

    assert_eq!(untrusted, 1);
    assert_eq!(called, ["0900000001", "0900000001", "0900000002"]);
    assert_eq!(said(&mut world, "carrier", &HeaderName::Diversion), [""; 0]);
    ends(world);
}

#[test]
fn the_called_number_may_stand_in_p_called_party_id() {
    let mut world = World::new(1);
    world.settings(|settings| {
        settings.trunks[0].did_from = model::DidFrom::PCalledPartyId;
        settings.numbers.values_mut().for_each(|number| number.route = Route::Extension("102".into()));
    });

    rings(&mut world, "carrier", "account", &[(HeaderName::PCalledPartyId, "<sip:02873088088@pbx.test>")]);

    assert_eq!(world.phone("102").talks.len(), 1);
    ends(world);
}

/// The first company believes its carrier.
fn trusts(world: &mut World) {
    world.settings(|settings| settings.trunks[0].trusted = true);
}

/// Somebody calls with these headers, and the other side rings.
fn rings(world: &mut World, name: &str, number: &str, headers: &[(HeaderName, &str)]) {
    world.calls_saying(name, number, headers);
    world.run(0.5);
}

/// What a phone shows of its last call.
fn shown(world: &mut World, name: &str) -> String {
    world.phone(name).talks.iter().rfind(|talk| !talk.caller).expect("it is called").shown.clone()
}

/// What stands in a header of the INVITE that a phone got last.
fn said(world: &mut World, name: &str, header: &HeaderName) -> Vec<String> {
    let talk = world.phone(name).talks.iter().rfind(|talk| !talk.caller).expect("it is called");
    talk.invite.headers.all(header).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

/// The other side's number in the last record of the first company.
fn customer(world: &World) -> String {
    let record = world.rows(1).and_then(|rows| rows.records.values().last()).expect("there is a record");
    record.customer.to_string()
}

/// Everybody hangs up, and the world ends as every world does.
fn ends(mut world: World) {
    for name in world.phone_names() {
        world.hangs_up(&name);
    }
    world.run(1.0);
    for name in world.phone_names() {
        world.hangs_up(&name);
    }
    world.settle();
    world.end();
}
