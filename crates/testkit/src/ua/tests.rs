//! A user agent and a registrar, or a peer, that is played by hand.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::digest::{Algorithm, Challenge, Login, ha1, is_right};
use sip::{Flow, Framing, HeaderName, Message, Method, Request, Response};

use super::{Behaviour, CallNo, Event, OrderError, Output, UserAgent, UserAgentConfig};

#[test]
fn a_phone_signs_in_and_stays_signed_in() {
    let mut peer = Peer::new();

    peer.agent.register(peer.now);
    let first = peer.request();
    let challenge = Challenge::new("tongdai", "a-nonce", Algorithm::Md5);
    peer.answers(&first.response(401).with(HeaderName::WwwAuthenticate, &challenge));
    let signed = peer.request();
    peer.answers(&granted(&signed, 120));
    peer.passes(Duration::from_secs(61));
    let refresh = peer.request();

    let credentials = signed.headers.credentials().unwrap();
    let secret = ha1(&Algorithm::Md5, b"VPBX_DEMO_101", b"tongdai", b"pw-101").unwrap();
    assert!(is_right(&secret, &credentials[0], &Method::Register));
    assert_eq!(peer.events, [Event::Registered { expires: Duration::from_secs(120) }]);
    assert_eq!(refresh.headers.call_id(), first.headers.call_id());
    assert!(refresh.headers.cseq().unwrap().number > signed.headers.cseq().unwrap().number);
}

#[test]
fn a_wrong_password_is_told() {
    let mut peer = Peer::new();

    peer.agent.register(peer.now);
    for nonce in ["first", "second"] {
        let request = peer.request();
        let challenge = Challenge::new("tongdai", nonce, Algorithm::Md5);
        peer.answers(&request.response(401).with(HeaderName::WwwAuthenticate, &challenge));
    }

    assert_eq!(peer.events, [Event::RegistrationFailed { status: Some(401) }]);
    assert!(!peer.agent.is_registered());
}

#[test]
fn a_registrar_that_is_silent_is_asked_again() {
    let mut peer = Peer::new();

    peer.agent.register(peer.now);
    peer.passes(Duration::from_secs(33));
    peer.sent.clear();
    peer.passes(Duration::from_secs(6));

    assert_eq!(peer.events, [Event::RegistrationFailed { status: None }]);
    assert_eq!(peer.request().method, Method::Register);
}

#[test]
fn a_time_that_is_too_short_is_made_longer() {
    let mut peer = Peer::new();

    peer.agent.register(peer.now);
    let brief = peer.request();
    peer.answers(&brief.response(423).with(HeaderName::MinExpires, "900"));
    peer.passes(Duration::ZERO);
    let longer = peer.request();

    assert_eq!(longer.headers.expires(), Ok(Some(900)));
}

#[test]
fn signing_out_asks_for_no_time_at_all() {
    let mut peer = Peer::new();
    peer.agent.register(peer.now);
    let first = peer.request();
    peer.answers(&granted(&first, 300));

    peer.agent.unregister(peer.now);
    let last = peer.request();
    peer.answers(&last.response(200));
    peer.passes(Duration::from_secs(600));

    assert_eq!(last.headers.expires(), Ok(Some(0)));
    assert_eq!(peer.events.last(), Some(&Event::Unregistered));
    assert!(peer.sent.is_empty());
}

#[test]
fn an_invite_without_an_offer_gets_one_with_the_answer() {
    let mut peer = Peer::new();
    peer.behaves(Behaviour::answers(Duration::ZERO));

    peer.says(&invite(""));
    peer.passes(Duration::ZERO);
    let answer = peer.response(200);
    peer.says(&ack(&answer, OFFER));

    assert!(String::from_utf8_lossy(&answer.body).contains("m=audio 4000 RTP/AVP 8 0 101"));
    let sound = peer.sounds.last().unwrap().clone().unwrap();
    assert_eq!(sound.remote, Some(([10, 0, 0, 9], 7000).into()));
    assert_eq!((sound.payload_type, sound.keys), (0, Some(96)));
}

#[test]
fn an_offer_without_a_common_codec_is_refused() {
    let mut peer = Peer::new();

    peer.says(&invite(
        "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 7000 RTP/AVP 18\r\n",
    ));

    assert_eq!(peer.response(488).status, 488);
    assert_eq!(peer.agent.calls().count(), 0);
    assert_eq!(peer.agent.call(peer.now, "102"), Ok(CallNo(2)));
}

#[test]
fn an_answer_speaks_by_the_numbers_of_the_offer() {
    let mut peer = Peer::new();
    peer.behaves(Behaviour::answers(Duration::ZERO));

    peer.says(&invite(OFFER));
    peer.passes(Duration::ZERO);
    let answer = peer.response(200);

    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(body.contains("m=audio 4000 RTP/AVP 0 96\r\n"), "{body}");
}

#[test]
fn what_makes_no_sense_is_answered_or_passed_over() {
    let mut peer = Peer::new();
    let ask = |method: &str| {
        format!(
            "{method} sip:101@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK{method}\r\n\
             From: <sip:9@10.0.0.9>;tag=9\r\nTo: <sip:101@10.0.0.1>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    };

    let statuses = ["OPTIONS", "MESSAGE", "BYE"].map(|method| {
        peer.says(&ask(method));
        peer.last_status()
    });
    peer.says("nothing at all");
    let orders = [peer.agent.answer(peer.now, CallNo(7)), peer.agent.hold(peer.now, CallNo(7))];

    assert_eq!(statuses, [200, 405, 481]);
    assert_eq!(orders, [Err(OrderError::NoSuchCall); 2]);
}

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n\
                     m=audio 7000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n";

/// What a phone talks to, played by hand, and the phone.
struct Peer {
    agent: UserAgent,
    now: Instant,
    sent: Vec<Bytes>,
    events: Vec<Event>,
    sounds: Vec<Option<super::Sound>>,
}

impl Peer {
    fn new() -> Self {
        let address = ([10, 0, 0, 1], 5060).into();
        let mut config = UserAgentConfig::new("101", address, flow(), ([10, 0, 0, 1], 4000).into());
        config.login = Some(Login { username: "VPBX_DEMO_101".into(), password: "pw-101".into() });
        let agent = UserAgent::new(config, [3; 32]);
        Self { agent, now: Instant::now(), sent: Vec::new(), events: Vec::new(), sounds: Vec::new() }
    }

    fn behaves(&mut self, behaviour: Behaviour) {
        self.agent.set_behaviour(behaviour);
    }

    fn passes(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.agent.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.agent.handle_timeout(self.now);
            self.collect();
        }
        self.now = end;
    }

    fn says(&mut self, message: &str) {
        self.agent.handle_packet(self.now, flow(), Bytes::copy_from_slice(message.as_bytes()));
        self.collect();
    }

    fn answers(&mut self, response: &Response) {
        self.agent.handle_packet(self.now, flow(), response.print());
        self.collect();
    }

    /// The request that was sent last.
    fn request(&mut self) -> Request {
        self.collect();
        let sent = self.sent.drain(..).next_back().expect("a request was sent");
        match sip::parse(sent, Framing::Datagram) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn response(&self, status: u16) -> Response {
        let found = self.responses().find(|response| response.status == status);
        found.unwrap_or_else(|| panic!("no {status}"))
    }

    fn last_status(&self) -> u16 {
        self.responses().last().map(|response| response.status).unwrap_or_default()
    }

    fn responses(&self) -> impl Iterator<Item = Response> {
        self.sent.iter().filter_map(|bytes| match sip::parse(bytes.clone(), Framing::Datagram) {
            Ok(Message::Response(response)) => Some(response),
            _ => None,
        })
    }

    fn collect(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Send { bytes, .. } => self.sent.push(bytes),
                Output::Event(event) => self.events.push(event),
                Output::Sound { sound, .. } => self.sounds.push(sound),
                Output::Press { .. } => {}
            }
        }
    }
}

fn flow() -> Flow {
    Flow::udp(0, ([10, 0, 0, 9], 5060).into())
}

fn granted(request: &Request, seconds: u32) -> Response {
    let contact = request.headers.contact().unwrap().with_param("expires", seconds.to_string());
    request.response(200).with(HeaderName::Contact, &contact)
}

fn invite(body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "INVITE sip:101@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKinvite\r\n\
         From: <sip:9@10.0.0.9>;tag=9\r\nTo: <sip:101@10.0.0.1>\r\nCall-ID: call\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:9@10.0.0.9>\r\nMax-Forwards: 70\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn ack(answer: &Response, body: &str) -> String {
    let to = String::from_utf8_lossy(answer.headers.get(&HeaderName::To).unwrap()).into_owned();
    format!(
        "ACK sip:101@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKack\r\n\
         From: <sip:9@10.0.0.9>;tag=9\r\nTo: {to}\r\nCall-ID: call\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
