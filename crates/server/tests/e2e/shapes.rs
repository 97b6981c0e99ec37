//! The table of call shapes (`crates/engine/tests/shapes`), played by real phones over real sockets: the same events in
//! the same order, and the same record.
//!
//! Left out is what needs a network that loses or a process that dies, and what only waits for a timer. A step is not
//! made at its second but when what was done before has had its effect, as the switchboard tells it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use media::Codec;
use serde_json::{Value, json};
use sip::Method;
use testkit::phones::{Act, Behaviour, Carrier, Dial, Event, Phone};
use testkit::world::shape::{Given, Shape, Step, tell_calls};

use crate::common::Server;
use crate::support::http;
use crate::support::office::Look;
use crate::support::people::{carrier, extension, signed_in};
use crate::support::tools::{LIMIT, until};

/// Who calls when the carrier does.
const CALLER: &str = "0900000009";

#[test]
fn calls_between_extensions_have_their_shapes() {
    play(include_str!("../../../engine/tests/shapes/inside.txt"), 12);
}

#[test]
fn calls_to_and_from_the_public_network_have_their_shapes() {
    play(include_str!("../../../engine/tests/shapes/outside.txt"), 12);
}

#[test]
fn clicks_have_their_shapes() {
    play(include_str!("../../../engine/tests/shapes/clicks.txt"), 9);
}

#[test]
fn calls_that_fail_have_their_shapes() {
    play(include_str!("../../../engine/tests/shapes/failures.txt"), 2);
}

/// Plays all rows that can be played, of which there are `least` or more.
fn play(table: &str, least: usize) {
    let shapes = Shape::parse_all(table).expect("a table");
    let playable: Vec<_> = shapes.iter().filter(|shape| is_playable(shape)).collect();
    assert!(playable.len() >= least, "only {} rows can be played", playable.len());
    for shape in playable {
        println!("playing: {}", shape.title);
        let stage = Stage::set(shape);
        let story = stage.perform(shape);
        shape.judge_without_seconds(&story);
        stage.leave();
    }
}

fn is_playable(shape: &Shape) -> bool {
    let given = |given: &Given| match given {
        Given::Speaks(_, _, codec) => codec_of(codec).is_some(),
        Given::Offline(_)
        | Given::EarlySound(_)
        | Given::TwoPhones(_)
        | Given::Recorded(_)
        | Given::Lines(..)
        | Given::Calls(_)
        | Given::Channels(_) => true,
        _ => false,
    };
    let is_odd = |(_, step): &(Duration, Step)| {
        matches!(step, Step::Vanishes(_) | Step::Returns(_) | Step::Drains | Step::EndsAll | Step::Dies | Step::Starts)
    };
    // Whoever is called and neither answers nor refuses, or waits in a queue, lets a timer run.
    let ends =
        shape.steps.iter().any(|(_, step)| matches!(step, Step::HangsUp(_) | Step::ClientHangsUp | Step::Refuses(..)));
    let is_refused = !["leg.ringing", "call.queued"].iter().any(|waits| shape.story.contains(waits));
    !shape.needs_the_world()
        && shape.givens.iter().all(given)
        && !shape.steps.iter().any(is_odd)
        && (ends || is_refused)
}

/// A switchboard with everybody who takes part.
struct Stage {
    server: Server,
    phones: BTreeMap<String, Phone>,
    carrier: Carrier,
}

impl Stage {
    fn set(shape: &Shape) -> Self {
        let carrier = carrier();
        let server = Server::start(&office(shape, &carrier), &[]);
        let has_early_sound =
            |who: &str| shape.givens.iter().any(|given| matches!(given, Given::EarlySound(other) if other == who));
        let manner = |who: &str| {
            let act = if has_early_sound(who) { Act::EarlyMedia } else { Act::Ring };
            Behaviour::by_hand().on_call(Duration::ZERO, act)
        };
        for (_, step) in &shape.steps {
            if let Step::Calls(_, number) | Step::Dials(_, number) = step {
                carrier.set_number(number, manner("carrier"));
            }
        }
        let mut phones = BTreeMap::new();
        for (who, number) in [("101", "101"), ("102", "102"), ("102b", "102"), ("103", "103")] {
            let is_there = who == number || shape.givens.contains(&Given::TwoPhones(number.into()));
            if is_there && !shape.givens.contains(&Given::Offline(who.into())) {
                let phone = signed_in(extension(server.sip, number, 440).behaves(manner(who)));
                phones.insert(who.to_owned(), phone);
            }
        }
        for given in &shape.givens {
            if let Given::Speaks(who, _, codec) = given {
                phones[who].speak(&[codec_of(codec).expect("playable")]);
            }
        }
        Self { server, phones, carrier }
    }

    /// Plays it to its end; gives its story.
    fn perform(&self, shape: &Shape) -> String {
        let mut replies = String::new();
        for (_, step) in &shape.steps {
            self.do_step(step, &mut replies);
            until(&format!("{step:?} has had its effect"), || self.is_settled().then_some(()));
        }
        // A short call may be over before its first word is stored.
        self.look().whole_records(shape.story.matches("call.started").count());
        self.look().wait_over();
        let events: Vec<model::Event> = self.look().events().into_iter().map(event).collect();
        let calls = tell_calls(&events);
        if !replies.is_empty() {
            replies.push('\n');
        }
        replies + if calls.is_empty() { "= no call\n" } else { &calls }
    }

    /// Everybody signs out and is gone.
    fn leave(self) {
        self.phones.into_values().for_each(Phone::stop);
        self.carrier.stop();
    }

    fn do_step(&self, step: &Step, replies: &mut String) {
        match step {
            Step::Calls(who, number) if who == "carrier" => {
                self.carrier.call(self.server.sip, number, CALLER).expect("a call");
                self.wait_for(who, got_through);
            }
            Step::Calls(who, number) => {
                self.phones[who].call(number).expect("a call");
                self.wait_for(who, got_through);
            }
            Step::CallsAs(who, number, user) => {
                let dial = Dial { from: Some(user.clone()), ..Dial::to(number) };
                self.phones[who].dial(dial).expect("a call");
                self.wait_for(who, got_through);
            }
            Step::Answers(who) => {
                self.wait_rung(who);
                self.tells("leg.answered", || self.phone(who).answer().expect("a call to answer"));
            }
            Step::Refuses(who, status) => {
                self.wait_rung(who);
                let acknowledged = self.phone(who).received_count(&Method::Ack);
                self.phone(who).refuse(*status).expect("a call to refuse");
                self.phone(who).wait_received(&Method::Ack, acknowledged + 1, LIMIT).expect("an ACK");
            }
            Step::HangsUp(who) => {
                let phone = self.phone(who);
                phone.hang_up().unwrap_or_else(|error| panic!("{error}: {:#?}", phone.events()));
                self.wait_for(who, Event::is_last);
            }
            Step::Holds(who) => {
                self.tells("leg.held", || self.phone(who).hold().expect("a call to hold"));
            }
            Step::Resumes(who) => {
                self.tells("leg.resumed", || self.phone(who).resume().expect("a held call"));
            }
            Step::Presses(who, key) => {
                self.tells("leg.key", || self.phone(who).press(*key).expect("a side that takes keys"));
            }
            Step::Dials(extension, number) => {
                let answer = self.post("/v1/calls", &json!({ "from": extension, "to": number }));
                match answer.status {
                    201 => replies.push_str("-> accepted\n"),
                    _ => {
                        let problem: Value = serde_json::from_slice(&answer.body).expect("a problem");
                        writeln!(replies, "-> failed: {}", problem["code"].as_str().expect("a code"))
                            .expect("text grows");
                    }
                }
            }
            Step::ClientHangsUp => {
                let calls = self.look().calls();
                let newest = calls[0]["id"].as_str().expect("an id");
                assert_eq!(self.post(&format!("/v1/calls/{newest}/hangup"), &json!({})).status, 200);
                replies.push_str("-> hung up\n");
            }
            other => unreachable!("{other:?} is not playable"),
        }
    }

    /// Does something, and waits until one event more of this kind is told.
    fn tells(&self, kind: &str, act: impl FnOnce()) {
        let told = || self.look().events().iter().filter(|event| event["type"] == kind).count();
        let before = told();
        act();
        until(&format!("{kind} is told"), || (told() > before).then_some(()));
    }

    /// Whether everything that is under way waits for somebody's next step. What the phones know and the switchboard
    /// does not tell is on its way to being stored.
    fn is_settled(&self) -> bool {
        let calls = self.look().calls();
        let somebody_talks = self.phones.values().chain([&*self.carrier]).any(|phone| !phone.calls().is_empty());
        somebody_talks != calls.is_empty() && calls.iter().all(waits_for_somebody)
    }

    /// Waits until this phone has been called.
    fn wait_rung(&self, who: &str) {
        let is_called = |phone: &Phone| phone.calls().last().copied();
        until(&format!("{who} is called"), || is_called(self.phone(who)));
    }

    fn wait_for(&self, who: &str, wanted: impl Fn(&Event) -> bool) {
        self.phone(who).wait_for(wanted, LIMIT).unwrap_or_else(|late| panic!("{late}"));
    }

    fn phone(&self, who: &str) -> &Phone {
        if who == "carrier" { &self.carrier } else { &self.phones[who] }
    }

    fn post(&self, path: &str, body: &Value) -> http::Answer {
        http::post(self.server.http, path, &["Authorization: Bearer NATIVE_DEMO"], body)
    }

    fn look(&self) -> Look<'_> {
        Look { server: &self.server, key: "DEMO" }
    }
}

/// A caller's call rings, or is over.
fn got_through(event: &Event) -> bool {
    matches!(event, Event::Ringing { .. } | Event::EarlyMedia { .. }) || event.is_last()
}

/// Whether a live call waits for somebody and not for us: whoever is called rings or has answered, and whoever has
/// answered is connected with somebody or waits for somebody who is called.
fn waits_for_somebody(call: &Value) -> bool {
    let legs = call["legs"].as_array().expect("legs");
    let live: Vec<_> = legs.iter().filter(|leg| leg["state"] != "ended").collect();
    let is_up = |leg: &&&Value| leg["state"] == "answered" || leg["state"] == "held";
    let called_rings = live.iter().all(|leg| leg["caller"] == true || leg["state"] != "started");
    let up = live.iter().filter(is_up).count();
    let both_are_called = call["origin"] != "click" || up == 0 || legs.len() > 1;
    called_rings && both_are_called && (up < 2 || call["state"] == "connected")
}

fn codec_of(name: &str) -> Option<Codec> {
    match name {
        "PCMA" => Some(Codec::Pcma),
        "PCMU" => Some(Codec::Pcmu),
        _ => None,
    }
}

fn event(value: Value) -> model::Event {
    serde_json::from_value(value).expect("an event")
}

/// The company of the table, as the provision file has it.
fn office(shape: &Shape, carrier: &Carrier) -> String {
    let givens = &shape.givens;
    let extension = |number: &str| {
        let record = givens.contains(&Given::Recorded(number.into()));
        let lines = givens.iter().find_map(|given| match given {
            Given::Lines(who, lines) if who == number => Some(*lines),
            _ => None,
        });
        let lines = lines.unwrap_or(2);
        format!(
            "      - {{ number: \"{number}\", name: Desk {number}, password: pw-{number}, record: {record}, lines: {lines} }}\n"
        )
    };
    let extensions: String = ["101", "102", "103"].map(extension).concat();
    let calls = givens.iter().find_map(|given| if let Given::Calls(count) = given { Some(*count) } else { None });
    let channels = givens.iter().find_map(|given| if let Given::Channels(count) = given { Some(*count) } else { None });
    let (calls, channels) = (calls.unwrap_or(100), channels.unwrap_or(100));
    let address = carrier.address();
    format!(
        r#"tenants:
  - name: VPBX_DEMO
    keys:
      - {{ kind: native, token: NATIVE_DEMO, role: owner }}
    extensions:
{extensions}    trunks:
      - {{ name: carrier, address: "{address}", accept_from: ["{address}"], max_calls: {channels} }}
    outbound:
      - {{ prefix: "0", trunks: [carrier] }}
    numbers:
      - {{ number: "02873088088", route: {{ extension: "101" }} }}
    groups:
      - {{ number: "600", name: Sales, members: ["101", "102"] }}
    queues:
      - {{ number: "700", name: Support, members: ["101"] }}
    limits: {{ concurrent_calls: {calls}, calls_per_second: 50 }}
"#
    )
}
