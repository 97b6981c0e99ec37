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
}
