//! One leg, with nothing above it: what it is ordered and what goes out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use media::{AddressId, SoundAddress};
use model::{EngineNumber, Keyed, TenantId, Timestamp};
use sip::{Endpoint, EndpointConfig, Flow, Framing, Interface, Message, News, Transport};

use super::*;
use crate::edge::Now;
use crate::ids::Ids;
use crate::key::{Key, LegIndex};
use crate::office::Office;
use crate::questions::Questions;
use crate::sounds::Sounds;
use crate::trunks::Trunks;

const OURS: &str = "192.0.2.1:5060";
const THEIRS: &str = "192.0.2.9:5060";

#[test]
fn a_phone_that_takes_update_learns_by_it_whom_it_talks_with() {
    let mut bench = Bench::with_a_caller("INVITE, ACK, BYE, UPDATE");

    let sent = bench.identify("102", Some("Desk 102"));

    assert!(sent.starts_with("UPDATE sip:101@192.0.2.9:5060 SIP/2.0\r\n"), "{sent}");
    assert!(sent.contains("P-Asserted-Identity: \"Desk 102\" <sip:102@192.0.2.1:5060>\r\n"), "{sent}");
    assert!(!sent.contains("m=audio"), "{sent}");
}

#[test]
fn any_other_phone_learns_it_by_a_reinvite_that_changes_nothing() {
    let mut bench = Bench::with_a_caller("INVITE, ACK, BYE");
    let answer = bench.answer.clone();

    let sent = bench.identify("0900000001", None);

    assert!(sent.starts_with("INVITE sip:101@192.0.2.9:5060 SIP/2.0\r\n"), "{sent}");
    assert!(sent.contains("P-Asserted-Identity: <sip:0900000001@192.0.2.1:5060>\r\n"), "{sent}");
    assert_eq!(sent.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()), Some(answer));
}

/// What a step lends, and a leg.
struct Bench {
    now: Now,
    office: Office,
    endpoint: Endpoint<Key>,
    sounds: Sounds,
    trunks: Trunks,
    questions: Questions,
    ids: Ids,
    out: VecDeque<crate::edge::Output>,
    line: Option<SipLine>,
    /// Our description in the answer.
    answer: String,
}

impl Bench {
    /// A caller whose phone allows these methods, and who has been answered.
    fn with_a_caller(allow: &str) -> Self {
        let ours: SocketAddr = OURS.parse().unwrap();
        let interface = Interface::at("main", ours);
        let config = EndpointConfig {
            software: "Tongdai".into(),
            mark: "1".into(),
            interfaces: vec![interface.clone()],
            allow: String::new(),
            session: None,
            max_transactions: 10,
            max_dialogs: 10,
        };
        let mut sounds = Sounds::new(vec![interface], Keyed::new(&[0; 32]));
        sounds.put(vec![SoundAddress { worker: WorkerId(0), id: AddressId(0), interface: 0, port: 20_000 }]);
        let mut bench = Self {
            now: Now { mono: crate::fixture::instant(), wall: Timestamp::UNIX_EPOCH },
            office: Office::new(Arc::new(crate::fixture::demo())),
            endpoint: Endpoint::new(config, [1; 32]),
            sounds,
            trunks: Trunks::new([2; 32]),
            questions: Questions::default(),
            ids: Ids::new(EngineNumber(1), [3; 32]),
            out: VecDeque::new(),
            line: None,
            answer: String::new(),
        };
        let body =
            "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
        bench.receive("INVITE", &format!("Allow: {allow}\r\nContent-Type: application/sdp\r\n"), "", body);
        let (_, incoming) = bench.news();
        let incoming = incoming.expect("a call came in");
        let call = bench.ids.call(bench.now.wall);
        let key = LegKey { tenant: TenantId(1), call, leg: LegIndex(0) };
        let peer = Peer::phone(THEIRS.parse::<SocketAddr>().unwrap().ip());
        let accepted = bench.step(|step, _| SipLine::accept(step, key, None, incoming, peer));
        bench.line = accepted.ok().map(|(line, _)| line);
        bench.order(LegOrder::Answer { codec: Some(Codec::Pcma) });
        let (answer, _) = bench.news();
        let tag = answer.split("To: ").nth(1).and_then(|rest| rest.split(";tag=").nth(1)).expect("we have a tag");
        let tag = tag.split("\r\n").next().unwrap_or_default().to_owned();
        bench.answer = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        bench.receive("ACK", "", &format!(";tag={tag}"), "");
        bench.news();
        bench
    }

    /// What goes out when the party is told whom it talks with.
    fn identify(&mut self, number: &str, name: Option<&str>) -> String {
        self.order(LegOrder::Identify { number: number.into(), name: name.map(str::to_owned) });
        self.news().0
    }

    fn order(&mut self, order: LegOrder) {
        let done = self.step(|step, line| line.map_or(Ok(()), |line| line.order(step, order)));
        assert_eq!(done, Ok(()));
    }

    fn step<T>(&mut self, act: impl FnOnce(&mut Step<'_>, Option<&mut SipLine>) -> T) -> T {
        let mut step = Step {
            now: self.now,
            office: &mut self.office,
            endpoint: &mut self.endpoint,
            sounds: &mut self.sounds,
            trunks: &mut self.trunks,
            questions: &mut self.questions,
            ids: &mut self.ids,
            out: &mut self.out,
        };
        act(&mut step, self.line.as_mut())
    }

    /// The caller's phone sends a request.
    fn receive(&mut self, method: &str, headers: &str, to_tag: &str, body: &str) {
        let text = format!(
            "{method} sip:102@{OURS} SIP/2.0\r\nVia: SIP/2.0/UDP {THEIRS};branch=z9hG4bK{method}\r\n\
             From: <sip:101@demo.test>;tag=a\r\nTo: <sip:102@demo.test>{to_tag}\r\nCall-ID: a-call\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:101@{THEIRS}>\r\nMax-Forwards: 70\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let message: Message = sip::parse(text.into(), Framing::Datagram).expect("a message");
        let remote = THEIRS.parse().unwrap();
        let flow = Flow { transport: Transport::Udp, interface: 0, connection: 0, remote };
        self.endpoint.handle_message(self.now.mono, flow, message);
    }

    /// The last message that went out, and the call that came in.
    fn news(&mut self) -> (String, Option<Incoming>) {
        let (mut sent, mut incoming) = (String::new(), None);
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                sip::Output::Send { bytes, .. } => sent = String::from_utf8_lossy(&bytes).into_owned(),
                sip::Output::News(News::Incoming(call)) => incoming = Some(call),
                sip::Output::News(_) => {}
            }
        }
        (sent, incoming)
    }
}
