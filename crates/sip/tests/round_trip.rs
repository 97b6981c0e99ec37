//! What is printed reads the same: `parse(print(x)) == x` for anything we can write down.

use std::net::IpAddr;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sip::digest::{Algorithm, Challenge, Credentials};
use sip::sdp::{AudioSection, Crypto, Direction, Format, Owner, Profile, Sdp, Suite};
use sip::{
    CSeq, Framer, Framing, HeaderName, Headers, Host, Message, Method, NameAddr, Param, Params, Request, Response,
    Scheme, Uri, Via, parse,
};

proptest! {
    #[test]
    fn a_uri_reads_as_it_was_printed(uri in uri()) {
        prop_assert_eq!(Uri::parse(uri.print()), Ok(uri));
    }

    #[test]
    fn a_user_may_be_any_bytes(user in vec(any::<u8>(), 1..20)) {
        let uri = Uri::sip(IpAddr::from([192, 0, 2, 1])).with_user(&user);

        let read = Uri::parse(uri.print()).unwrap();

        prop_assert_eq!(read.user_text().unwrap(), user);
    }

    #[test]
    fn an_address_reads_as_it_was_printed(address in name_addr()) {
        prop_assert_eq!(NameAddr::parse(address.print()), Ok(address));
    }

    #[test]
    fn a_hop_reads_as_it_was_printed(via in via()) {
        prop_assert_eq!(Via::parse(via.print()), Ok(via));
    }

    #[test]
    fn a_cseq_reads_as_it_was_printed(number: u32, method in method()) {
        let cseq = CSeq { number, method };

        prop_assert_eq!(CSeq::parse(cseq.print()), Ok(cseq));
    }

    #[test]
    fn a_message_reads_as_it_was_printed(message in message()) {
        prop_assert_eq!(parse(message.print(), Framing::Stream), Ok(message.clone()));
        prop_assert_eq!(parse(message.print(), Framing::Datagram), Ok(message));
    }

    #[test]
    fn a_stream_of_messages_comes_apart_as_it_was_put_together(messages in vec(message(), 1..4), piece in 1_usize..400) {
        let stream: Vec<u8> = messages.iter().flat_map(|message| message.print().to_vec()).collect();
        let mut framer = Framer::new();
        let mut read = Vec::new();

        for bytes in stream.chunks(piece) {
            framer.push(bytes);
            while let Some(frame) = framer.next() {
                let Ok(sip::Frame::Message(bytes)) = frame else { panic!("{frame:?}") };
                read.push(parse(bytes, Framing::Stream).unwrap());
            }
        }

        prop_assert_eq!(read, messages);
    }

    #[test]
    fn a_challenge_reads_as_it_was_printed(challenge in challenge()) {
        prop_assert_eq!(Challenge::parse(&challenge.print()), Ok(Some(challenge)));
    }

    #[test]
    fn an_answer_to_a_challenge_reads_as_it_was_printed(credentials in credentials()) {
        prop_assert_eq!(Credentials::parse(&credentials.print()), Ok(Some(credentials)));
    }

    #[test]
    fn a_description_reads_as_it_was_printed(sdp in sdp()) {
        prop_assert_eq!(sip::sdp::parse(&sdp.print()), Ok(sdp));
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..400)) {
        let bytes = Bytes::from(bytes);
        let _ = parse(bytes.clone(), Framing::Datagram);
        let _ = (Uri::parse(bytes.clone()), NameAddr::parse(bytes.clone()), Via::parse(bytes.clone()));
        let _ = (Challenge::parse(&bytes), Credentials::parse(&bytes), sip::sdp::parse(&bytes));
    }
}

fn bytes(pattern: &'static str) -> impl Strategy<Value = Bytes> {
    proptest::string::string_regex(pattern).expect("a pattern").prop_map(Bytes::from)
}

fn token() -> impl Strategy<Value = Bytes> {
    bytes("[a-zA-Z0-9.!%*_+`'~-]{1,12}")
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![any::<IpAddr>().prop_map(Host::Address), bytes("[a-z][a-z0-9.-]{0,15}").prop_map(Host::Name)]
}

fn params(value: impl Strategy<Value = Bytes>) -> impl Strategy<Value = Params> {
    let param = (token(), option::of(value)).prop_map(|(name, value)| Param { name, value });
    vec(param, 0..4).prop_map(Params::from_iter)
}

fn uri() -> impl Strategy<Value = Uri> {
    let scheme = prop_oneof![Just(Scheme::Sip), Just(Scheme::Sips)];
    let user = (bytes("[a-zA-Z0-9_.!~*'()&=+$,;?/%#-]{1,12}"), option::of(bytes("[a-z0-9&=+$,]{0,6}")));
    let params = params(bytes("[a-zA-Z0-9%:/.\\[\\]=-]{0,8}"));
    let sip = (scheme, option::of(user), host(), any::<Option<u16>>(), params, option::of(bytes("[a-z0-9=&%]{0,12}")))
        .prop_map(|(scheme, user, host, port, params, headers)| {
            let (user, password) = user.map_or((None, None), |(user, password)| (Some(user), password));
            Uri { scheme, user, password, host: Some(host), port, params, headers }
        });
    let tel = bytes("tel:\\+?[0-9.()-]{1,14}(;phone-context=[a-z.]{1,9})?")
        .prop_map(|text| Uri::parse(text).expect("a tel URI"));
    let other = bytes("urn:[a-z0-9:@;?]{1,20}").prop_map(|text| Uri::parse(text).expect("a URN"));
    prop_oneof![6 => sip, 1 => tel, 1 => other]
}

fn header_params() -> impl Strategy<Value = Params> {
    params(prop_oneof![token(), bytes("\"([^\"\\\\\r\n]|\\\\[a-z\"\\\\]){0,8}\""), bytes("\\[[0-9a-f:]{2,8}\\]")])
}

fn name_addr() -> impl Strategy<Value = NameAddr> {
    let display = option::of(vec(any::<u8>().prop_filter("no line end", |byte| !b"\r\n".contains(byte)), 0..12));
    (display, uri(), header_params()).prop_map(|(display, uri, params)| NameAddr {
        display: display.map(Bytes::from),
        uri,
        params,
    })
}

fn via() -> impl Strategy<Value = Via> {
    (token(), host(), any::<Option<u16>>(), header_params()).prop_map(|(transport, host, port, params)| Via {
        transport,
        host,
        port,
        params,
    })
}

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![Just(Method::Invite), Just(Method::Register), token().prop_map(Method::from_token)]
}

fn message() -> impl Strategy<Value = Message> {
    let value = prop_oneof![bytes("[!-~]([ -~]{0,20}[!-~])?"), Just(Bytes::from_static(b"\xff\xc3 \0"))];
    let others = vec((bytes("X-[A-Za-z0-9]{1,8}"), value), 0..4);
    let vias = vec(via(), 1..4);
    let headers = (vias, name_addr(), name_addr(), bytes("[!-~]{1,20}"), any::<u32>(), method(), others);
    let headers = headers.prop_map(|(vias, from, to, call_id, number, method, others)| {
        let mut headers = Headers::new();
        vias.iter().for_each(|via| headers.push(HeaderName::Via, via));
        headers.push(HeaderName::From, from);
        headers.push(HeaderName::To, to);
        headers.push(HeaderName::CallId, call_id);
        headers.push(HeaderName::CSeq, CSeq { number, method: method.clone() });
        others.into_iter().for_each(|(name, value)| headers.push(HeaderName::from_token(name), value));
        (method, headers)
    });
    let uri = uri().prop_map(|uri| Uri { headers: None, ..uri });
    let body = vec(any::<u8>(), 0..60).prop_map(Bytes::from);
    (headers, option::of(uri), 100_u16..700, bytes("([!-~]([ -~é]{0,10}[!-~])?)?"), body).prop_map(
        |((method, headers), uri, status, reason, body)| match uri {
            Some(uri) => Message::Request(Request { method, uri, headers, body }),
            None => Message::Response(Response { status, reason, headers, body }),
        },
    )
}

fn text() -> impl Strategy<Value = Bytes> {
    bytes("[^\r\n]{0,12}")
}

fn algorithm() -> impl Strategy<Value = Option<Algorithm>> {
    option::of(prop_oneof![Just(Algorithm::Md5), Just(Algorithm::Sha256), Just(Algorithm::Other("SHA-512-256".into()))])
}

fn challenge() -> impl Strategy<Value = Challenge> {
    (text(), text(), algorithm(), vec(bytes("auth(-[a-z]{1,4})?"), 0..3), any::<bool>(), option::of(text())).prop_map(
        |(realm, nonce, algorithm, qop, stale, opaque)| Challenge { realm, nonce, algorithm, qop, stale, opaque },
    )
}

fn credentials() -> impl Strategy<Value = Credentials> {
    let protected = option::of((token(), text(), any::<u32>()));
    (text(), text(), text(), text(), text(), algorithm(), option::of(text()), protected).prop_map(
        |(username, realm, nonce, uri, response, algorithm, opaque, protected)| {
            let (qop, cnonce, nc) = match protected {
                Some((qop, cnonce, nc)) => (Some(qop), Some(cnonce), Some(Bytes::from(format!("{nc:08x}")))),
                None => (None, None, None),
            };
            Credentials { username, realm, nonce, uri, response, algorithm, cnonce, nc, qop, opaque }
        },
    )
}

fn sdp() -> impl Strategy<Value = Sdp> {
    let format = (0_u8..128, "[a-zA-Z0-9-]{1,10}", 1_u32..96_000, 1_u8..3, option::of(bytes("[!-~]{1,10}"))).prop_map(
        |(payload_type, name, clock_rate, channels, parameters)| Format {
            payload_type,
            name,
            clock_rate,
            channels,
            parameters,
        },
    );
    let profile = prop_oneof![Just(Profile::Avp), Just(Profile::Savp), Just(Profile::Avpf), Just(Profile::Savpf)];
    let suite = prop_oneof![Just(Suite::AesCm128HmacSha1_80), Just(Suite::AesCm128HmacSha1_32)];
    let crypto = (0_u32..1_000_000_000, suite, any::<[u8; 30]>());
    let crypto = option::of(crypto.prop_map(|(tag, suite, key)| Crypto { tag, suite, key }));
    let secured = (profile, crypto, any::<bool>());
    let flow = (any::<std::net::SocketAddr>(), any::<(bool, bool)>(), option::of(10_u16..60));
    let section = (flow, vec(format, 1..5), secured).prop_map(
        |((address, (sends, receives), packet_ms), formats, (profile, crypto, rtcp_mux))| AudioSection {
            address: std::net::SocketAddr::new(address.ip(), address.port()),
            profile,
            crypto,
            rtcp_mux,
            formats,
            direction: Direction::of(sends, receives),
            packet_ms,
        },
    );
    (any::<(u64, u64, IpAddr)>(), vec(section, 0..3)).prop_map(|((session_id, version, address), sections)| {
        let owner = Owner { session_id, version, address };
        let mut sdp = Sdp::new(owner);
        sections.iter().for_each(|section| sdp.media.extend(Sdp::offer(owner, section).media));
        sdp
    })
}
