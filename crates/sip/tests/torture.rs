//! Every message of RFC 4475, those of RFC 5118, and hostile ones of our own, each with the verdict it deserves.
//!
//! The files under `torture/` are exact bytes; the table beside them (`torture/README.md`) names each, with its section,
//! what the RFC says of it and what we make of it. A message that was refused wrongly, or taken wrongly, in the field
//! gets a file, a line here and a row there.

use bytes::Bytes;
use sip::{Framing, Message, parse};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// A message; what it asks for may still be refused by whoever reads it.
    Taken,
    /// A request that cannot be read and gets this answer.
    Answered(u16),
    /// Nothing to say to that: a response, an ACK, or no SIP at all.
    Dropped,
}
use Verdict::{Answered, Dropped, Taken};

macro_rules! cases {
    ($($name:literal $verdict:expr),* $(,)?) => {
        const CASES: &[(&str, Verdict, &[u8])] =
            &[$(($name, $verdict, include_bytes!(concat!("torture/", $name, ".dat")))),*];
    };
}

cases! {
    // 3.1.1: unusual and right.
    "wsinv" Taken,
    "intmeth" Taken,
    "esc01" Taken,
    "escnull" Taken,
    "esc02" Taken,
    "lwsdisp" Taken,
    "longreq" Taken,
    "dblreq" Taken,
    "semiuri" Taken,
    "transports" Taken,
    "mpart01" Taken,
    "unreason" Taken,
    "noreason" Taken,
    // 3.1.2: wrong.
    "badinv01" Answered(400),
    "clerr" Answered(400),
    "ncl" Answered(400),
    "scalar02" Answered(400),
    "scalarlg" Dropped,
    "quotbal" Answered(400),
    "ltgtruri" Answered(400),
    "lwsruri" Answered(400),
    "lwsstart" Answered(400),
    "trws" Answered(400),
    "escruri" Answered(400),
    // Nothing here needs the Date; 3.1.2.12 allows to pass over it.
    "baddate" Taken,
    "regbadct" Answered(400),
    "badaspec" Answered(400),
    "baddn" Answered(400),
    "badvers" Answered(505),
    "mismatch01" Answered(400),
    "mismatch02" Answered(400),
    "bigcode" Dropped,
    // 3.2 to 3.4: right as messages; transactions and applications have their own opinion.
    "badbranch" Taken,
    "insuf" Answered(400),
    "unkscm" Taken,
    "novelsc" Taken,
    "unksm2" Taken,
    "bext01" Taken,
    "invut" Taken,
    "regaut01" Taken,
    "multi01" Answered(400),
    "mcl01" Answered(400),
    "bcast" Taken,
    "zeromf" Taken,
    "cparam01" Taken,
    "cparam02" Taken,
    "regescrt" Taken,
    "sdp01" Taken,
    "inv2543" Taken,
    // RFC 5118.
    "v6-good" Taken,
    "v6-bad" Answered(400),
    "v6-port-ambiguous" Taken,
    "v6-port-unambiguous" Taken,
    "v6-received-delim" Taken,
    "v6-received-bare" Taken,
    "v6-in-sdp" Taken,
    "v6-many-vias" Taken,
    "v6-many-in-sdp" Taken,
    "v6-mapped-v4" Taken,
    // The third colon came from a slip in the grammar of RFC 3261, which RFC 5954 mended.
    "v6-three-colons" Answered(400),
    // Ours.
    "own-length-18446744073709551615" Answered(400),
    "own-length-18446744073709551616" Answered(400),
    "own-length-word" Answered(400),
    "own-length-hex" Answered(400),
    "own-length-plus" Answered(400),
    "own-length-empty" Answered(400),
    "own-length-list" Answered(400),
    "own-length-twice-same" Taken,
    "own-length-absent" Taken,
    "own-length-shorter" Taken,
    "own-not-utf8" Taken,
    "own-nul" Taken,
    "own-open-bracket" Answered(400),
    "own-empty-host" Answered(400),
    "own-empty-user" Answered(400),
    "own-two-ats" Answered(400),
    "own-port-65536" Answered(400),
    "own-port-empty" Answered(400),
    "own-tel" Taken,
    "own-tel-empty" Answered(400),
    "own-no-version" Answered(400),
    "own-http" Answered(400),
    "own-lower-version" Taken,
    "own-method-lower" Taken,
    "own-method-no-token" Answered(400),
    "own-cseq-2-32" Answered(400),
    "own-cseq-alone" Answered(400),
    "own-no-colon" Answered(400),
    "own-empty-name" Answered(400),
    "own-fold-first" Answered(400),
    "own-lone-cr" Answered(400),
    "own-no-end" Answered(400),
    "own-contact-open" Answered(400),
    "own-contact-star-and" Answered(400),
    "own-contact-star-twice" Answered(400),
    "own-contact-star" Taken,
    "own-route-empty" Answered(400),
    "own-max-forwards-256" Answered(400),
    "own-expires-sign" Answered(400),
    "own-status-99" Dropped,
    "own-status-700" Dropped,
    "own-status-short" Dropped,
    "own-status-only" Taken,
    "own-ack-broken" Dropped,
    "own-trailing-comma" Answered(400),
    "own-empty-tag" Taken,
    "own-quote-in-quote" Answered(400),
    "own-no-via" Dropped,
    "own-lone-lf" Taken,
    "own-blank-first" Taken,
    "own-blank-only" Dropped,
    "own-binary" Dropped,
    "own-stun" Dropped,
    "own-all-of-calls" Taken,
}

#[test]
fn every_message_gets_the_verdict_it_deserves() {
    let wrong: Vec<String> = CASES
        .iter()
        .filter_map(|(name, deserved, bytes)| {
            let (verdict, sentence) = judge(bytes);
            (verdict != *deserved).then(|| format!("{name}: {verdict:?} rather than {deserved:?}: {sentence}"))
        })
        .collect();

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_names_every_message_with_its_verdict_and_why() {
    let table = include_str!("torture/README.md");

    let missing: Vec<String> = CASES
        .iter()
        .filter_map(|(name, verdict, bytes)| {
            let (_, why) = judge(bytes);
            let verdict = match verdict {
                Taken => "taken".to_owned(),
                Dropped if why.is_empty() => "dropped".to_owned(),
                Dropped => format!("dropped: {why}"),
                Answered(status) => format!("{status}: {why}"),
            };
            let row = table.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            let is_there = row.is_some_and(|row| row.contains(&format!("| {verdict} |")));
            (!is_there).then(|| format!("{name}@{verdict}"))
        })
        .collect();

    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn what_is_taken_says_the_same_when_it_is_printed_and_read_again() {
    for (name, _, bytes) in CASES {
        let Ok(message) = parse(Bytes::from_static(bytes), Framing::Datagram) else { continue };

        let again = parse(message.print(), Framing::Stream);

        assert_eq!(again.as_ref(), Ok(&message), "{name}");
    }
}

#[test]
fn no_message_cut_short_or_with_a_byte_changed_does_harm() {
    for (_, _, bytes) in CASES {
        for length in (0..bytes.len()).step_by(5) {
            judge(&bytes[..length]);
        }
        for at in (0..bytes.len()).step_by(11) {
            for byte in [0, b'\n', b'"', b',', b':', b'<', 0xff] {
                let mut changed = bytes.to_vec();
                changed[at] = byte;
                judge(&changed);
            }
        }
    }
}

fn judge(bytes: &[u8]) -> (Verdict, String) {
    match parse(Bytes::copy_from_slice(bytes), Framing::Datagram) {
        Ok(message) => {
            touch(&message);
            (Taken, String::new())
        }
        Err(malformed) => {
            let reply = malformed.reply.as_ref();
            if let Some(reply) = reply {
                reply.print();
            }
            (reply.map_or(Dropped, |reply| Answered(reply.status)), malformed.sentence)
        }
    }
}

/// Reads everything that can be read.
fn touch(message: &Message) {
    let headers = message.headers();
    let _ = (headers.credentials(), headers.challenges(), headers.session_expires(), headers.reasons());
    let _ = (headers.retry_after(), headers.min_se(), headers.min_expires(), headers.contact());
    let _ = (headers.rseq(), headers.rack(), headers.event(), headers.replaces(), headers.privacy().print());
    let _ = (headers.refer_to(), headers.referred_by(), headers.called_party(), headers.remote_parties());
    let _ = (headers.asserted_identities(), headers.preferred_identities(), headers.diversions(), headers.history());
    let _ = (headers.times_diverted(), headers.q850_cause(), headers.paths(), headers.service_routes());
    let _ = (headers.routes(), headers.record_routes(), headers.accepts("application/sdp"));
    let _ = sip::sdp::parse(message.body()).map(|sdp| sdp.audio());
    if let Ok(Some(description)) = sip::sdp::of_body(headers, message.body()) {
        let _ = sip::sdp::parse(&description).map(|sdp| sdp.audios().count());
    }
    message.print();
}
