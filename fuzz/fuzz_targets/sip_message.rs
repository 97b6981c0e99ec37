//! Any datagram: judged, asked for everything it says, printed, read again.

#![no_main]

use std::net::SocketAddr;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sip::{Framing, HeaderName, Message, parse};

fuzz_target!(|data: &[u8]| {
    let message = match parse(Bytes::copy_from_slice(data), Framing::Datagram) {
        Ok(message) => message,
        Err(malformed) => {
            if let Some(mut reply) = malformed.reply {
                let _ = reply.set_to_tag("tag");
                reply.print();
            }
            return;
        }
    };
    let printed = message.print();
    // Blanks round list parts may grow, so a message at the very limit may print beyond it.
    if printed.len() <= sip::limits::MESSAGE {
        assert_eq!(parse(printed, Framing::Stream).as_ref(), Ok(&message));
    }
    ask(&message);
    if let Message::Request(mut request) = message {
        let source: SocketAddr = ([192, 0, 2, 1], 5060).into();
        let via = request.stamp(source).expect("a parsed request has a Via");
        assert_eq!(request.headers.via(), Ok(via));
        let mut response = request.response(200);
        response.set_to_tag("tag").expect("a parsed request has a To");
        response.print();
    }
});

fn ask(message: &Message) {
    let headers = message.headers();
    headers.call_id().expect("checked");
    headers.cseq().expect("checked");
    for address in [headers.from().expect("checked"), headers.to().expect("checked")] {
        assert_eq!(sip::NameAddr::parse(address.print()).as_ref(), Ok(&address));
        assert!(address.uri.is_same_as(&address.uri));
        let _ = (address.uri.user_text(), address.uri.header("Replaces"), address.q(), address.expires(), address.tag());
    }
    for via in headers.vias().expect("checked") {
        assert_eq!(sip::Via::parse(via.print()).as_ref(), Ok(&via));
        let _ = (via.branch(), via.received(), via.rport());
    }
    let _ = (headers.contact(), headers.session_expires(), headers.min_se(), headers.min_expires());
    let _ = (headers.retry_after(), headers.reasons(), headers.name_addrs(&HeaderName::ReferTo));
    for credentials in headers.credentials().into_iter().flatten() {
        let again = sip::digest::Credentials::parse(&credentials.print());
        assert_eq!(again.map(|again| again.map(|again| again.print())), Ok(Some(credentials.print())));
        sip::digest::is_right("", &credentials, &sip::Method::Invite);
    }
    let _ = headers.challenges();
    ask_about_calls(message);
}

/// What only calls, transfers and trunks ask for. Whatever is read is printed and reads the same.
fn ask_about_calls(message: &Message) {
    let headers = message.headers();
    let _ = (headers.rseq(), headers.privacy().print(), headers.times_diverted(), headers.q850_cause());
    let _ = (headers.asserted_identities(), headers.preferred_identities(), headers.remote_parties());
    let _ = (headers.called_party(), headers.referred_by(), headers.paths(), headers.service_routes());
    let _ = (headers.routes(), headers.accepts("application/sdp"));
    if let Ok(Some(rack)) = headers.rack() {
        assert_eq!(sip::RAck::parse(rack.print()), Ok(rack));
    }
    if let Ok(Some(event)) = headers.event() {
        assert_eq!(sip::Event::parse(event.print()), Ok(event));
    }
    if let Ok(Some(replaces)) = headers.replaces() {
        assert_eq!(sip::Replaces::parse(replaces.print()), Ok(replaces));
    }
    for diversion in headers.diversions().into_iter().flatten() {
        assert_eq!(sip::Diversion::parse(diversion.print()), Ok(diversion));
    }
    for entry in headers.history().into_iter().flatten() {
        let _ = (entry.reason(), entry.is_private(), entry.is_diversion());
        assert_eq!(sip::HistoryInfo::parse(entry.print()).map(|again| again.index), Ok(entry.index));
    }
    for reason in headers.reasons().into_iter().flatten() {
        assert_eq!(sip::Reason::parse(reason.print()), Ok(reason));
    }
    if let Ok(Some(session)) = headers.session_expires() {
        session.print();
    }
    match sip::sdp::of_body(headers, message.body()) {
        Ok(Some(description)) => {
            let _ = sip::sdp::parse(&description).map(|sdp| sdp.audio());
        }
        Ok(None) => {}
        Err(trouble) => assert!(trouble.status() >= 400),
    }
}
