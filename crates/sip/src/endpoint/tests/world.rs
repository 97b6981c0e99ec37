//! Two endpoints and a wire between them, in virtual time; or one endpoint and a script that plays the other.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::endpoint::{
    Body, DialogId, Endpoint, EndpointConfig, Incoming, Invite, Load, News, OutOfDialog, Output, Provisional, ServerId,
    SessionTimer,
};
use crate::{
    Flow, Framing, HeaderName, Headers, Interface, Login, Message, Method, NameAddr, NextHop, Request, Response,
    Transport, Uri, parse,
};

/// Plays, compares the ladder, then hangs up whatever is left and makes sure that nothing is kept.
pub(super) fn check(play: impl FnOnce(&mut World), ladder: &str) {
    check_over(Transport::Udp, play, ladder);
}

pub(super) fn check_over(transport: Transport, play: impl FnOnce(&mut World), ladder: &str) {
    let mut world = World::new(transport);
    play(&mut world);
    world.settle();
    let expected: Vec<_> = ladder.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let told = world.lines.join("\n");
    assert_eq!(told, expected.join("\n"), "\n\nit went:\n{told}\n");
    world.end_everything();
}

pub(super) const ALICE: usize = 0;
pub(super) const BOB: usize = 1;
const NAMES: [&str; 2] = ["alice", "bob"];

pub(super) struct World {
    pub sides: [Side; 2],
    pub lines: Vec<String>,
    transport: Transport,
    now: Duration,
    wire: VecDeque<Parcel>,
    /// Labels of messages that get lost, each once.
    lose: Vec<String>,
    lose_all: Vec<String>,
    /// True if a script plays bob.
    is_scripted: bool,
    pub login: Option<Login>,
    pub invite_headers: Headers,
    pub big_offers: bool,
    /// What alice has sent, and where.
    pub sent: Vec<(Flow, Message)>,
    pub answer_within: Option<Duration>,
    pub next_hop: NextHop,
}

/// One endpoint and what its asker remembers.
pub(super) struct Side {
    pub endpoint: Endpoint<u32>,
    pub address: SocketAddr,
    pub dialog: Option<DialogId>,
    pub incoming: Option<Incoming>,
    pub request: Option<(ServerId, Request)>,
    /// Requests and responses as they arrived, for scripts and looks at headers.
    pub got: Vec<Message>,
}

struct Parcel {
    to: usize,
    flow: Flow,
    bytes: Bytes,
}

impl World {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            sides: [side("10.0.0.1:5060", "1", 1_000), side("10.0.0.2:5060", "2", 1_000)],
            lines: Vec::new(),
            transport,
            now: Duration::ZERO,
            wire: VecDeque::new(),
            lose: Vec::new(),
            lose_all: Vec::new(),
            is_scripted: false,
            login: None,
            invite_headers: Headers::new(),
            big_offers: false,
            sent: Vec::new(),
            answer_within: None,
            next_hop: NextHop::Flow,
        }
    }

    /// From now on what is sent to bob is only noted.
    pub(super) fn script_bob(&mut self) {
        self.is_scripted = true;
    }

    pub(super) fn now(&self) -> Instant {
        crate::testing::start() + self.now
    }

    pub(super) fn lose_next(&mut self, label: &str) {
        self.lose.push(label.into());
    }

    pub(super) fn lose_all(&mut self, label: &str) {
        self.lose_all.push(label.into());
    }

    pub(super) fn find_all(&mut self) {
        self.lose_all.clear();
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, milliseconds: u64) {
        self.settle();
        let until = self.now + Duration::from_millis(milliseconds);
        loop {
            let next = self.sides.iter().filter_map(|side| side.endpoint.poll_timeout()).min();
            let Some(at) = next.map(|at| at.saturating_duration_since(crate::testing::start())) else { break };
            if at > until {
                break;
            }
            self.now = self.now.max(at);
            let now = self.now();
            for side in &mut self.sides {
                side.endpoint.handle_timeout(now);
            }
            self.settle();
        }
        self.now = until;
    }

    /// The flow by which a side sends to the other.
    pub(super) fn flow_from(&self, from: usize) -> Flow {
        let connection = u64::from(self.transport.is_reliable());
        Flow { transport: self.transport, interface: 0, connection, remote: self.sides[1 - from].address }
    }

    /// Both sides take these extensions.
    pub(super) fn support(&mut self, extensions: &[&str]) {
        for side in &mut self.sides {
            side.endpoint.support(extensions);
        }
    }

    /// A side refreshes sessions.
    pub(super) fn refresh_sessions(&mut self, who: usize, expires: u64, min: u64) {
        let (expires, min) = (Duration::from_secs(expires), Duration::from_secs(min));
        let endpoint = &mut self.sides[who].endpoint;
        endpoint.session = Some(SessionTimer { expires, min });
        endpoint.post.own.allow = "INVITE, UPDATE".into();
        endpoint.support(&[]);
    }

    pub(super) fn invite(&mut self) {
        let order = Invite {
            flow: self.flow_from(ALICE),
            uri: uri("sip:bob@10.0.0.2"),
            from: NameAddr::new(uri("sip:alice@10.0.0.1")),
            to: NameAddr::new(uri("sip:bob@10.0.0.2")),
            route: Vec::new(),
            headers: self.invite_headers.clone(),
            body: Some(Body::sdp(if self.big_offers { vec![b'x'; 1_200] } else { b"offer".to_vec() })),
            credentials: self.login.clone(),
            answer_within: self.answer_within,
            next_hop: self.next_hop,
        };
        let now = self.now();
        match self.sides[ALICE].endpoint.invite(now, 7, order) {
            Ok(dialog) => self.sides[ALICE].dialog = Some(dialog),
            Err(overload) => self.note(format!("alice * {overload}")),
        }
        self.settle();
    }

    pub(super) fn accept(&mut self) {
        let now = self.now();
        let incoming = self.sides[BOB].incoming.take().unwrap();
        match self.sides[BOB].endpoint.accept(now, 8, incoming, self.next_hop) {
            Ok(dialog) => self.sides[BOB].dialog = Some(dialog),
            Err(overload) => self.note(format!("bob * {overload}")),
        }
        self.settle();
    }

    pub(super) fn ring(&mut self) {
        self.step(BOB, |endpoint, now, dialog| endpoint.progress(now, dialog, Provisional::new(180)));
    }

    pub(super) fn progress(&mut self, status: u16, body: Option<&'static str>) {
        let body = body.map(Body::sdp);
        let provisional = Provisional { status, headers: Headers::new(), body };
        self.step(BOB, |endpoint, now, dialog| endpoint.progress(now, dialog, provisional));
    }

    pub(super) fn answer(&mut self) {
        self.step(BOB, |endpoint, now, dialog| {
            endpoint.answer(now, dialog, Headers::new(), Some(Body::sdp("answer")));
        });
    }

    pub(super) fn refuse(&mut self, status: u16) {
        self.step(BOB, |endpoint, now, dialog| endpoint.refuse(now, dialog, status, Headers::new()));
    }

    /// INVITE, 100, 180, 200, ACK; leaves no lines.
    pub(super) fn talk(&mut self) {
        self.invite();
        self.accept();
        self.ring();
        self.answer();
        self.lines.clear();
    }

    pub(super) fn cancel(&mut self) {
        self.step(ALICE, |endpoint, now, dialog| endpoint.cancel(now, dialog, Headers::new()));
    }

    pub(super) fn hang_up(&mut self, who: usize) {
        self.step(who, |endpoint, now, dialog| endpoint.bye(now, dialog, Headers::new()));
    }

    pub(super) fn reinvite(&mut self, who: usize) {
        self.reinvite_with(who, "offer again");
    }

    pub(super) fn reinvite_with(&mut self, who: usize, sdp: &'static str) {
        self.step(who, |endpoint, now, dialog| endpoint.reinvite(now, dialog, Headers::new(), Some(Body::sdp(sdp))));
    }

    /// An UPDATE: with an offer, or only with what its headers say.
    pub(super) fn update(&mut self, who: usize, sdp: Option<&'static str>) {
        self.step(who, |endpoint, now, dialog| endpoint.update(now, dialog, Headers::new(), sdp.map(Body::sdp)));
    }

    pub(super) fn request_in(&mut self, who: usize, method: Method) {
        self.step(who, |endpoint, now, dialog| endpoint.request_in(now, dialog, method, Headers::new(), None));
    }

    /// Answers the request in a dialog that waits.
    pub(super) fn respond(&mut self, who: usize, status: u16) {
        let now = self.now();
        let (server, request) = self.sides[who].request.take().unwrap();
        self.sides[who].endpoint.respond(now, server, request.response(status));
        self.settle();
    }

    /// Sends a request outside of a dialog from alice.
    pub(super) fn request(&mut self, method: Method) {
        let order = OutOfDialog {
            method,
            flow: self.flow_from(ALICE),
            uri: uri("sip:10.0.0.2"),
            from: NameAddr::new(uri("sip:alice@10.0.0.2")),
            to: NameAddr::new(uri("sip:alice@10.0.0.2")),
            route: Vec::new(),
            headers: Headers::new(),
            body: None,
            credentials: self.login.clone(),
            call_id: None,
        };
        let now = self.now();
        self.sides[ALICE].endpoint.request(now, 9, order);
        self.settle();
    }

    /// Opens and answers the request outside of a dialog that waits at bob's.
    pub(super) fn open_and_respond(&mut self, status: u16) {
        let now = self.now();
        let incoming = self.sides[BOB].incoming.take().unwrap();
        let response = incoming.request.response(status);
        match self.sides[BOB].endpoint.open(now, incoming) {
            Ok(server) => self.sides[BOB].endpoint.respond(now, server, response),
            Err(overload) => self.note(format!("bob * {overload}")),
        }
        self.settle();
    }

    pub(super) fn step(&mut self, who: usize, order: impl FnOnce(&mut Endpoint<u32>, Instant, DialogId)) {
        let now = self.now();
        let side = &mut self.sides[who];
        order(&mut side.endpoint, now, side.dialog.unwrap());
        self.settle();
    }

    /// The script answers alice's latest request of this method. `more` are header lines; behind an empty one, a body.
    pub(super) fn says(&mut self, method: &str, status: u16, tag: &str, more: &str) {
        let request = self.latest(BOB, method);
        let mut response = request.response(status);
        if status > 100 {
            response.set_to_tag(tag.to_owned()).unwrap();
        }
        let (more, body) = more.split_once("\n\n").unwrap_or((more, ""));
        response.body = Bytes::copy_from_slice(body.trim().as_bytes());
        for line in more.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            response.headers.push(HeaderName::from_token(name.to_owned().into()), value.to_owned());
        }
        self.post(BOB, Message::Response(response).print());
    }

    /// The script sends this text to alice. `{call}`, `{alice}` and `{contact}` stand for what alice's INVITE said, or
    /// what her 200 said.
    pub(super) fn sends(&mut self, text: &str) {
        let text = text.trim_start().lines().map(str::trim_start).collect::<Vec<_>>().join("\r\n");
        let text = match self.sides[BOB].got.iter().rev().find(|message| message.headers().has(&HeaderName::Contact)) {
            Some(message) => {
                let headers = message.headers();
                let ours = match message {
                    Message::Request(_) => headers.from().unwrap(),
                    Message::Response(_) => headers.to().unwrap(),
                };
                let tag = String::from_utf8_lossy(ours.tag().unwrap()).into_owned();
                let call_id = String::from_utf8_lossy(headers.call_id().unwrap()).into_owned();
                text.replace("{call}", &call_id).replace("{alice}", &tag)
            }
            None => text,
        };
        self.post(BOB, format!("{}\r\n\r\n", text.trim_end()).into());
    }

    pub(super) fn latest(&self, who: usize, method: &str) -> Request {
        let requests = self.sides[who].got.iter().rev().filter_map(|message| match message {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        });
        requests.into_iter().find(|request| request.method.as_bytes() == method.as_bytes()).unwrap().clone()
    }

    pub(super) fn latest_response(&self, who: usize) -> Response {
        let response = self.sides[who].got.iter().rev().find_map(|message| match message {
            Message::Response(response) => Some(response),
            Message::Request(_) => None,
        });
        response.unwrap().clone()
    }

    pub(super) fn loads(&self) -> [Load; 2] {
        [self.sides[ALICE].endpoint.load(), self.sides[BOB].endpoint.load()]
    }

    /// Delivers until nothing is on the wire.
    pub(super) fn settle(&mut self) {
        loop {
            for who in [ALICE, BOB] {
                while let Some(output) = self.sides[who].endpoint.poll_output() {
                    match output {
                        Output::Send { flow, bytes } => self.send(who, flow, bytes),
                        Output::News(news) => self.hear(who, news),
                    }
                }
            }
            let Some(parcel) = self.wire.pop_front() else { break };
            let message = parse(parcel.bytes, Framing::Datagram).unwrap();
            self.sides[parcel.to].got.push(message.clone());
            if parcel.to == ALICE || !self.is_scripted {
                let now = self.now();
                self.sides[parcel.to].endpoint.handle_message(now, parcel.flow, message);
            }
        }
    }

    /// Hangs up, waits for the end of every timer, and expects to find nothing.
    pub(super) fn end_everything(&mut self) {
        self.find_all();
        for who in [ALICE, BOB] {
            if self.sides[who].dialog.is_some() {
                self.hang_up(who);
            }
            if let Some((server, request)) = self.sides[who].request.take() {
                let now = self.now();
                self.sides[who].endpoint.respond(now, server, request.response(500));
            }
        }
        self.wait(500_000);
        assert_eq!(self.loads(), [Load::default(); 2], "something is left:\n{}", self.lines.join("\n"));
        assert!(self.sides.iter().all(|side| side.endpoint.poll_timeout().is_none()), "a timer is left");
    }

    pub(super) fn note(&mut self, line: String) {
        self.lines.push(format!("{}s {line}", self.now.as_millis() as f64 / 1_000.0));
    }

    fn post(&mut self, from: usize, bytes: Bytes) {
        let flow = self.flow_from(from);
        self.send(from, flow, bytes);
        self.settle();
    }

    fn send(&mut self, from: usize, flow: Flow, bytes: Bytes) {
        let message = parse(bytes.clone(), Framing::Datagram).unwrap();
        if from == ALICE {
            self.sent.push((flow, message.clone()));
        }
        let mut label = label(&message);
        if flow.transport != self.transport {
            label = format!("{label} [{}]", flow.transport.via_name());
        }
        let lost = match self.lose.iter().position(|lose| *lose == label) {
            Some(found) => {
                self.lose.remove(found);
                true
            }
            None => self.lose_all.contains(&label),
        };
        let mark = if lost { " (lost)" } else { "" };
        self.note(format!("{} -> {}  {label}{mark}", NAMES[from], NAMES[1 - from]));
        if !lost {
            let connection = if flow.transport.is_reliable() { flow.connection.max(1) } else { 0 };
            let flow = Flow { remote: self.sides[from].address, connection, ..flow };
            self.wire.push_back(Parcel { to: 1 - from, flow, bytes });
        }
    }

    fn hear(&mut self, who: usize, news: News<u32>) {
        let side = &mut self.sides[who];
        let text = match news {
            News::Incoming(incoming) => {
                let text = format!("incoming {}", incoming.request.method);
                side.incoming = Some(incoming);
                text
            }
            News::Progress { response, fork, .. } => format!("progress {}{}", response.status, of_fork(fork)),
            News::Answered { response, fork, .. } => format!("answered {}{}", response.status, of_fork(fork)),
            News::Refused { response, .. } => {
                side.dialog = None;
                format!("refused {}", response.status)
            }
            News::Failed { why, .. } => {
                side.dialog = None;
                format!("failed: {why}")
            }
            News::Cancelled { .. } => {
                side.dialog = None;
                "cancelled".into()
            }
            News::Acked { .. } => "acked".into(),
            News::NeverAcked { .. } => {
                side.dialog = None;
                "never acked".into()
            }
            News::Bye { .. } => {
                side.dialog = None;
                "bye".into()
            }
            News::Request { server, request, fork, .. } => {
                let text = format!("request {}{}", request.method, of_fork(fork));
                side.request = Some((server, request));
                text
            }
            News::ReinviteDone { method, result, wants_answer, .. } => {
                let method = if method == Method::Invite { "re-INVITE".into() } else { method.to_string() };
                let offered = if wants_answer { ", offered" } else { "" };
                match result {
                    Ok(response) => format!("{method} granted {}{offered}", response.status),
                    Err(response) => format!("{method} refused {}", response.status),
                }
            }
            News::Locate { uri, .. } => format!("locate {uri}"),
            News::Refresh { .. } => "refresh".into(),
            News::Expired { .. } => {
                side.dialog = None;
                "expired".into()
            }
            News::Response { response, .. } => format!("response {}", response.status),
            News::RequestFailed { why, .. } => format!("request failed: {why}"),
        };
        self.note(format!("{} * {text}", NAMES[who]));
    }
}

pub(super) fn side(address: &str, mark: &str, limit: usize) -> Side {
    let address: SocketAddr = address.parse().unwrap();
    let interface = Interface::at("main", address);
    let config = EndpointConfig {
        software: String::new(),
        mark: mark.into(),
        interfaces: vec![interface],
        allow: String::new(),
        session: None,
        max_transactions: limit,
        max_dialogs: limit,
    };
    let seed = [mark.as_bytes()[0]; 32];
    let endpoint = Endpoint::new(config, seed);
    Side { endpoint, address, dialog: None, incoming: None, request: None, got: Vec::new() }
}

pub(super) fn uri(text: &'static str) -> Uri {
    Uri::parse(Bytes::from_static(text.as_bytes())).unwrap()
}

/// Nothing for the first early dialog.
fn of_fork(fork: u64) -> String {
    if fork == 0 { String::new() } else { format!(" of fork {fork}") }
}

/// `INVITE`, `486`, `200 BYE`: the method of a response is shown unless it is INVITE.
fn label(message: &Message) -> String {
    match message {
        Message::Request(request) => request.method.to_string(),
        Message::Response(response) => match response.headers.cseq().unwrap().method {
            Method::Invite => response.status.to_string(),
            method => format!("{} {method}", response.status),
        },
    }
}
