//! What the whole switchboard says to each message of RFC 4475 and RFC 5118, coming from a phone that is signed in.
//!
//! `sip` judges whether it is a message (`crates/sip/tests/torture`, with the table of all of them); here stands what
//! door and engine then make of it. A message that is fine asks for something that nobody has signed for, so most
//! that are right as text are asked who they are.

use bytes::Bytes;
use sip::{HeaderName, Message};
use testkit::world::{World, check};

/// Nothing is said.
const SILENCE: &str = "";

macro_rules! cases {
    ($($name:literal $answer:expr),* $(,)?) => {
        const CASES: &[(&str, &str, &[u8])] =
            &[$(($name, $answer, include_bytes!(concat!("../../../sip/tests/torture/", $name, ".dat")))),*];
    };
}

cases! {
    "wsinv" "481 Call/Transaction Does Not Exist",
    "intmeth" "501 Not Implemented",
    "esc01" "401 Unauthorized",
    "escnull" "401 Unauthorized",
    "esc02" "501 Not Implemented",
    "lwsdisp" "200 OK",
    "longreq" "401 Unauthorized",
    "dblreq" "401 Unauthorized",
    "semiuri" "200 OK",
    "transports" "200 OK",
    "mpart01" "405 Method Not Allowed",
    "unreason" SILENCE,
    "noreason" SILENCE,
    "badinv01" "400 Bad Request",
    "clerr" "400 Bad Request",
    "ncl" "400 Bad Request",
    "scalar02" "400 Bad Request",
    "scalarlg" SILENCE,
    "quotbal" "400 Bad Request",
    "ltgtruri" "400 Bad Request",
    "lwsruri" "400 Bad Request",
    "lwsstart" "400 Bad Request",
    "trws" "400 Bad Request",
    "escruri" "400 Bad Request",
    "baddate" "401 Unauthorized",
    "regbadct" "400 Bad Request",
    "badaspec" "400 Bad Request",
    "baddn" "400 Bad Request",
    "badvers" "505 Version Not Supported",
    "mismatch01" "400 Bad Request",
    "mismatch02" "400 Bad Request",
    "bigcode" SILENCE,
    "badbranch" "200 OK",
    "insuf" "400 Bad Request",
    "unkscm" "416 Unsupported URI Scheme",
    "novelsc" "416 Unsupported URI Scheme",
    "unksm2" "401 Unauthorized",
    "bext01" "420 Bad Extension",
    "invut" "401 Unauthorized",
    "regaut01" "401 Unauthorized",
    "multi01" "400 Bad Request",
    "mcl01" "400 Bad Request",
    "bcast" SILENCE,
    "zeromf" "200 OK",
    "cparam01" "401 Unauthorized",
    "cparam02" "401 Unauthorized",
    "regescrt" "401 Unauthorized",
    "sdp01" "401 Unauthorized",
    "inv2543" "400 Bad Request",
    "v6-good" "401 Unauthorized",
    "v6-bad" "400 Bad Request",
    "v6-port-ambiguous" "401 Unauthorized",
    "v6-port-unambiguous" "401 Unauthorized",
    "v6-received-delim" "481 Call/Transaction Does Not Exist",
    "v6-received-bare" "481 Call/Transaction Does Not Exist",
    "v6-in-sdp" "401 Unauthorized",
    "v6-many-vias" "481 Call/Transaction Does Not Exist",
    "v6-many-in-sdp" "401 Unauthorized",
    "v6-mapped-v4" "401 Unauthorized",
    "v6-three-colons" "400 Bad Request",
}

#[test]
fn every_message_of_the_torture_tests_gets_the_answer_it_deserves() {
    let wrong: Vec<String> = CASES
        .iter()
        .filter_map(|(name, deserved, bytes)| {
            let answer = answer_to(bytes);
            (answer != *deserved).then(|| format!("{name}: `{answer}` rather than `{deserved}`"))
        })
        .collect();

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_of_all_messages_tells_the_same() {
    let table = include_str!("../../../sip/tests/torture/README.md");

    for (name, answer, _) in CASES {
        let row = table.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let told = if *answer == SILENCE { "nothing" } else { answer };
        assert!(row.is_some_and(|row| row.ends_with(&format!("| {told} |"))), "{name}: {row:?}");
    }
}

#[test]
fn a_body_that_nobody_reads_is_refused_once_it_is_known_who_calls() {
    check(
        |world| {
            world.dresses("101", |message| with(message, "Content-Type: application/unknownformat"));
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  415 Unsupported Media Type
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_caller_who_takes_no_description_of_sound_is_refused() {
    check(
        |world| {
            world.dresses("101", |message| with(message, "Accept: text/nobodyKnowsThis"));
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  406 Not Acceptable
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_description_among_other_parts_is_found() {
    check(
        |world| {
            world.dresses("101", in_parts);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.listen();
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
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 101 -> pbx BYE
        2.5s pbx -> 101 200 OK to BYE
        2.5s pbx -> 102 BYE
        2.5s 102 -> pbx 200 OK to BYE
        ",
    );
}

/// The message with this header in place of its own of that name.
fn with(message: &Message, header: &str) -> Bytes {
    let mut message = message.clone();
    let (name, value) = header.split_once(": ").unwrap_or_default();
    message.headers_mut().set(HeaderName::from_token(name.to_owned().into()), value.to_owned());
    message.print()
}

/// The message with its description as one part of two, as gateways of the telephone network send it (RFC 3204).
fn in_parts(message: &Message) -> Bytes {
    let Message::Request(request) = message else { return message.print() };
    let mut request = request.clone();
    if !request.body.is_empty() {
        let description = String::from_utf8_lossy(&request.body).into_owned();
        let body = format!(
            "--part\r\nContent-Type: application/isup;version=itu-t92+\r\nContent-Disposition: \
             signal;handling=optional\r\n\r\n\u{1}\r\n--part\r\nContent-Type: application/sdp\r\n\r\n{description}\r\n--part--\r\n"
        );
        request.set_body("multipart/mixed;boundary=part", body);
    }
    request.print()
}

/// The first words of what the switchboard says, 100 apart.
fn answer_to(bytes: &'static [u8]) -> String {
    let answers = World::new(1).asks_by_hand("101", bytes);
    let first_lines = answers.iter().filter_map(|answer| {
        let text = String::from_utf8_lossy(answer);
        text.lines().next().map(|line| line.trim_start_matches("SIP/2.0 ").to_owned())
    });
    first_lines.into_iter().find(|line| !line.starts_with("100")).unwrap_or(SILENCE.into())
}
