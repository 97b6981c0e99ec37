//! Phones that are hard to reach: behind routers, behind proxies, by several ways; and those who may not come in.

use bytes::Bytes;
use sip::digest::{Challenge, Login};
use sip::{Framing, HeaderName, Message, Method, Response, Transport, Uri};
use testkit::world::{World, check, password, same};

#[test]
fn a_phone_behind_a_router_is_asked_every_25_s_whether_it_is_there() {
    check(
        |world| {
            world.behind_a_router("102");
            world.registers("102");
            world.run(70.0);
        },
        "
        0.0s 102 -> pbx REGISTER
        0.0s pbx -> 102 401 Unauthorized to REGISTER
        0.0s 102 -> pbx REGISTER
        0.0s pbx -> 102 200 OK to REGISTER
        20.2s pbx -> 102 OPTIONS 102
        20.2s 102 -> pbx 200 OK to OPTIONS
        45.2s pbx -> 102 OPTIONS 102
        45.2s 102 -> pbx 200 OK to OPTIONS
        ",
    );
}

#[test]
fn a_phone_in_the_open_or_on_a_connection_is_not_asked() {
    check(
        |world| {
            world.add_phone("102t", 1, "102", Transport::Tcp);
            world.behind_a_router("102t");
            world.registers("102t");
            world.run(0.5);
            world.begin();
            world.run(600.0);
        },
        "",
    );
}

#[test]
fn a_phone_behind_a_router_is_called_after_ten_idle_minutes_and_its_changes_and_its_end_arrive() {
    check(
        |world| {
            world.behind_a_router("102");
            world.registers("102");
            world.run(600.0);
            world.begin();
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(40.0);
            world.holds("102");
            world.run(40.0);
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 401 Unauthorized
        0.0s 101 -> pbx ACK
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s 102 -> pbx 200 OK
        1.0s pbx -> 102 ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        20.2s pbx -> 102 OPTIONS 102
        20.2s 102 -> pbx 200 OK to OPTIONS
        40.0s 102 -> pbx re-INVITE sendonly
        40.0s pbx -> 102 100 Trying
        40.0s pbx -> 102 200 OK recvonly
        40.0s 102 -> pbx ACK
        45.2s pbx -> 102 OPTIONS 102
        45.2s 102 -> pbx 200 OK to OPTIONS
        70.2s pbx -> 102 OPTIONS 102
        70.2s 102 -> pbx 200 OK to OPTIONS
        80.0s 102 -> pbx BYE
        80.0s pbx -> 102 200 OK to BYE
        80.0s pbx -> 101 BYE
        80.0s 101 -> pbx 200 OK to BYE
        95.2s pbx -> 102 OPTIONS 102
        95.2s 102 -> pbx 200 OK to OPTIONS
        ",
    );
}

#[test]
fn a_phone_whose_router_was_restarted_is_gone_after_three_questions() {
    let mut world = World::new(1);
    world.show_events();
    world.behind_a_router("102");
    world.registers("102");
    world.run(1.0);
    world.restarts_router("102");
    world.begin();

    world.run(120.0);
    world.calls("101", "102");
    world.run(1.0);

    let ladder = world.ladder();
    let (asked, rest): (Vec<&str>, Vec<&str>) = ladder.lines().partition(|line| line.contains("OPTIONS"));
    assert_eq!(asked.len(), 3 * 11, "each question is sent as often as RFC 3261 has it");
    same(
        "
        94.2s * extension.unregistered 102
        120.0s 101 -> pbx INVITE 102
        120.0s pbx -> 101 100 Trying
        120.0s pbx -> 101 480 Temporarily Unavailable
        120.0s 101 -> pbx ACK
        120.0s * call.started local by phone, 101 to 102
        120.0s * leg.started 101 as customer who calls
        120.0s * leg.ended 101 offline 480 by switchboard
        120.0s * call.ended offline 480 by switchboard
        ",
        &rest.join("\n"),
    );
}

#[test]
fn a_phone_that_registers_again_after_its_router_was_restarted_is_reached_the_new_way() {
    check(
        |world| {
            world.behind_a_router("102");
            world.registers("102");
            world.run(1.0);
            world.restarts_router("102");
            world.registers("102");
            world.run(1.0);
            world.begin();
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(5.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s 102 -> pbx 200 OK
        1.0s pbx -> 102 ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        5.0s 101 -> pbx BYE
        5.0s pbx -> 101 200 OK to BYE
        5.0s pbx -> 102 BYE
        5.0s 102 -> pbx 200 OK to BYE
        18.2s pbx -> 102 OPTIONS 102
        18.2s 102 -> pbx 200 OK to OPTIONS
        ",
    );
}

#[test]
fn too_many_wrong_passwords_close_the_door_to_their_source_for_a_minute() {
    let mut world = World::new(1);
    world.add_phone("guest", 1, "102", Transport::Udp);
    world.phone("guest").card.login = Some(Login { username: "102".into(), password: "wrong".into() });
    for _ in 0..5 {
        world.registers("guest");
        world.run(1.0);
    }
    world.begin();

    world.registers("guest");
    world.registers("103");
    world.run(65.0);
    world.phone("guest").card.login = Some(Login { username: "102".into(), password: password("102") });
    world.registers("guest");
    world.run(1.0);

    same(
        "
        0.0s guest -> pbx REGISTER
        0.0s 103 -> pbx REGISTER
        0.0s pbx -> guest 401 Unauthorized to REGISTER
        0.0s pbx -> 103 200 OK to REGISTER
        0.0s guest -> pbx REGISTER
        0.5s guest -> pbx REGISTER
        1.5s guest -> pbx REGISTER
        3.5s guest -> pbx REGISTER
        7.5s guest -> pbx REGISTER
        11.5s guest -> pbx REGISTER
        15.5s guest -> pbx REGISTER
        19.5s guest -> pbx REGISTER
        23.5s guest -> pbx REGISTER
        27.5s guest -> pbx REGISTER
        31.5s guest -> pbx REGISTER
        65.0s guest -> pbx REGISTER
        65.0s pbx -> guest 200 OK to REGISTER
        ",
        &world.ladder(),
    );
}

#[test]
fn a_banned_office_keeps_the_call_that_it_has() {
    let mut world = World::new(1);
    world.answers_after("101", 1.0);
    world.calls("102", "101");
    world.run(5.0);
    let wrong = Login { username: "102".into(), password: "wrong".into() };
    world.phone("102").card.login = Some(wrong);
    for _ in 0..50 {
        world.registers("102");
        world.run(1.0);
    }
    world.begin();

    world.registers("102");
    world.run(1.0);
    world.holds("102");
    world.run(1.0);
    world.hangs_up("102");
    world.run(1.0);

    same(
        "
        0.0s 102 -> pbx REGISTER
        0.5s 102 -> pbx REGISTER
        1.0s 102 -> pbx re-INVITE sendonly
        1.0s pbx -> 102 100 Trying
        1.0s pbx -> 102 200 OK recvonly
        1.0s 102 -> pbx ACK
        1.5s 102 -> pbx REGISTER
        2.0s 102 -> pbx BYE
        2.0s pbx -> 102 200 OK to BYE
        2.0s pbx -> 101 BYE
        2.0s 101 -> pbx 200 OK to BYE
        ",
        &world.ladder(),
    );
}

#[test]
fn a_phone_that_has_several_ways_to_us_hears_that_they_are_told_apart() {
    let contact = "Contact: <sip:102@10.0.0.2>;reg-id=1;+sip.instance=\"<urn:uuid:0001>\"";

    let plain = answer_to_register("Contact: <sip:102@10.0.0.2>");
    let ways = answer_to_register(&format!("Supported: outbound\n{contact}\nRequire: outbound"));
    let without_instance = answer_to_register("Supported: outbound\nContact: <sip:102@10.0.0.2>;reg-id=1");
    let two = answer_to_register(&format!("{contact}\nContact: <sip:102@10.0.0.9>"));

    let require = |response: &Response| response.headers.get(&HeaderName::Require).cloned();
    assert_eq!([&plain, &ways, &without_instance, &two].map(|response| response.status), [200, 200, 200, 400]);
    assert_eq!(require(&ways).as_deref(), Some(&b"outbound"[..]));
    assert_eq!((require(&plain), require(&without_instance)), (None, None));
    assert!(plain.headers.has_token(&HeaderName::Supported, "outbound"));
}

#[test]
fn a_proxy_between_is_kept_and_ways_through_it_only_if_it_keeps_to_them() {
    let via = "Via: SIP/2.0/UDP 192.168.1.2;branch=z9hG4bKphone";
    let contact =
        "Supported: outbound, path\nContact: <sip:102@192.168.1.2>;reg-id=1;+sip.instance=\"<urn:uuid:0001>\"";

    let keeps = answer_to_register(&format!("{via}\nPath: <sip:edge.example;lr;ob>\n{contact}"));
    let does_not = answer_to_register(&format!("{via}\nPath: <sip:edge.example;lr>\n{contact}"));
    let plain = answer_to_register(&format!(
        "{via}\nRequire: path\nPath: <sip:edge.example;lr>\nContact: <sip:102@192.168.1.2>"
    ));
    let endless =
        answer_to_register(&format!("{}Contact: <sip:102@192.168.1.2>", "Path: <sip:edge.example;lr>\n".repeat(9)));

    let statuses = [&keeps, &does_not, &plain, &endless].map(|response| response.status);
    assert_eq!(statuses, [200, 439, 200, 400]);
    assert_eq!(keeps.headers.get(&HeaderName::Path).map(|path| &path[..]), Some(&b"<sip:edge.example;lr;ob>"[..]));
    assert_eq!(plain.headers.get(&HeaderName::Path).map(|path| &path[..]), Some(&b"<sip:edge.example;lr>"[..]));
}

#[test]
fn strangers_who_never_acknowledge_leave_nothing_behind() {
    let mut world = World::new(1);
    let before = world.load();

    for n in 0..1_000 {
        world.says(
            "101",
            format!(
                "INVITE sip:102@vpbx_demo.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKs{n};rport\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:101@vpbx_demo.test>;tag=s{n}\r\nTo: <sip:102@vpbx_demo.test>\r\n\
                 Call-ID: stranger-{n}\r\nCSeq: 1 INVITE\r\nContact: <sip:101@10.0.0.1>\r\nContent-Length: 0\r\n\r\n"
            ),
        );
    }
    world.run(0.1);

    assert_eq!(world.load(), before);
    world.run(40.0);
    let challenges = world.ladder().lines().filter(|line| line.contains("401 Unauthorized")).count();
    assert_eq!(challenges, 1_000, "no challenge is sent again");
}

/// What is answered to a REGISTER of 102 that says this besides what it must.
fn answer_to_register(more: &str) -> Response {
    let text = |sign_in: &str| {
        let more: String =
            more.lines().map(|line| format!("{}\r\n", line.trim())).filter(|line| line.len() > 2).collect();
        format!(
            "REGISTER sip:vpbx_demo.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKr1;rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:102@vpbx_demo.test>;tag=a\r\nTo: <sip:102@vpbx_demo.test>\r\n\
             Call-ID: by-hand\r\nCSeq: 1 REGISTER\r\n{sign_in}{more}Content-Length: 0\r\n\r\n"
        )
    };
    // The same seed makes the same nonce.
    let challenged = response(World::new(1).asks_by_hand("102", text("")));
    let challenge = challenged.headers.get(&HeaderName::WwwAuthenticate).expect("a challenge").clone();
    let challenge = Challenge::parse(&challenge).ok().flatten().expect("one by digest");
    let login = Login { username: "102".into(), password: password("102") };
    let uri = Uri::parse("sip:vpbx_demo.test".into()).expect("a URI");
    let credentials = challenge.answer(&login, &Method::Register, &uri, "cnonce".into(), 1).expect("an answer");
    let sign_in = format!("Authorization: {}\r\n", String::from_utf8_lossy(&credentials.print()));
    response(World::new(1).asks_by_hand("102", text(&sign_in)))
}

fn response(answers: Vec<Bytes>) -> Response {
    match sip::parse(answers.into_iter().next().expect("an answer"), Framing::Datagram) {
        Ok(Message::Response(response)) => response,
        other => panic!("a response, not {other:?}"),
    }
}

#[test]
fn a_phone_that_opens_its_connection_anew_in_a_call_hears_of_the_calls_end() {
    check(
        |world| {
            world.add_phone("102t", 1, "102", Transport::Tcp);
            world.behind_a_router("102t");
            world.unregisters("102");
            world.registers("102t");
            world.run(0.5);
            world.begin();
            world.answers_after("102t", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.disconnects("102t");
            world.run(1.0);
            world.connects("102t");
            world.registers("102t");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102t INVITE 102
        0.0s 102t -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s 102t -> pbx 200 OK
        1.0s pbx -> 102t ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        3.0s 102t -> pbx REGISTER
        3.0s pbx -> 102t 200 OK to REGISTER
        4.0s 101 -> pbx BYE
        4.0s pbx -> 101 200 OK to BYE
        4.0s pbx -> 102t BYE
        4.0s 102t -> pbx 200 OK to BYE
        ",
    );
}
