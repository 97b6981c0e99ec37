//! Two endpoints over a bad link, whose askers do whatever comes to their minds. However it goes, every call ends, each
//! end is told once, and nothing is left.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::world::{ALICE, BOB, Side, World, side, uri};
use crate::endpoint::{Body, DialogId, Incoming, Invite, Load, News, Output, Provisional, ServerId, SessionTimer};
use crate::{Flow, Framing, HeaderName, Headers, Method, NameAddr, NextHop, Request, Transport, parse};

const CALLS: u64 = 8;
/// What a tampered message gets in places.
const LETTERS: &[u8] = b"0129az<>;:=\r\n\"@. ,\0\xff";

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_call_over_a_bad_link_ends_once_and_leaves_nothing(seed: u64) {
        Chaos::new(seed, Transport::Udp).run();
    }

    #[test]
    fn every_call_over_connections_that_break_ends_once_and_leaves_nothing(seed: u64) {
        Chaos::new(seed, Transport::Tcp).run();
    }

    #[test]
    fn messages_that_were_tampered_with_leave_nothing_either(seed: u64) {
        let mut world = World::new(Transport::Udp);
        for who in [ALICE, BOB] {
            world.refresh_sessions(who, 1_800, 90);
        }
        world.support(&["100rel"]);
        world.invite();
        world.accept();
        world.progress(183, Some("answer"));
        world.answer();
        world.update(BOB, Some("offer"));
        world.respond(ALICE, 200);
        world.reinvite(ALICE);
        let seen: Vec<_> = world.sides.iter().flat_map(|side| side.got.clone()).map(|message| message.print()).collect();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut below = |limit: usize| (random.next_u64() % limit as u64) as usize;

        for _ in 0..200 {
            let mut bytes = seen[below(seen.len())].to_vec();
            for _ in 0..below(4) {
                let at = below(bytes.len());
                bytes[at] = LETTERS[below(LETTERS.len())];
            }
            if let Ok(message) = parse(bytes.into(), Framing::Datagram) {
                let (now, to) = (world.now(), below(2));
                let flow = world.flow_from(to);
                world.sides[to].endpoint.handle_message(now, flow, message);
                while world.sides[to].endpoint.poll_output().is_some() {}
            }
        }

        for side in &mut world.sides {
            if let Some((server, request)) = side.request.take() {
                side.endpoint.respond(crate::testing::start(), server, request.response(200));
            }
        }
        world.end_everything();
    }
}

struct Chaos {
    sides: [Side; 2],
    random: ChaCha8Rng,
    now: Duration,
    events: BTreeMap<(Duration, u64), Event>,
    count: u64,
    transport: Transport,
    /// The connection that lives.
    connection: u64,
    /// What the askers know of each dialog of theirs.
    stories: [BTreeMap<DialogId, Story>; 2],
}

enum Event {
    Arrive { to: usize, flow: Flow, bytes: Bytes },
    Call,
    Break,
    Ponder { who: usize, dialog: DialogId },
    Acknowledge { who: usize, dialog: DialogId },
    Respond { who: usize, server: ServerId, request: Request },
}

#[derive(Debug, Default)]
struct Story {
    is_answered: bool,
    /// How it ended, each time it was told.
    ends: Vec<&'static str>,
    /// The asker itself ended it.
    was_ended: bool,
    was_cancelled: bool,
    began: Duration,
}

impl Chaos {
    fn new(seed: u64, transport: Transport) -> Self {
        let mut chaos = Self {
            sides: [side("10.0.0.1:5060", "1", 100), side("10.0.0.2:5060", "2", 100)],
            random: ChaCha8Rng::seed_from_u64(seed),
            now: Duration::ZERO,
            events: BTreeMap::new(),
            count: 0,
            transport,
            connection: 1,
            stories: Default::default(),
        };
        for side in &mut chaos.sides {
            let (expires, min) = (Duration::from_secs(100), Duration::from_secs(90));
            side.endpoint.session = Some(SessionTimer { expires, min });
            side.endpoint.post.own.allow = "INVITE, UPDATE".into();
            side.endpoint.support(&["100rel"]);
        }
        for _ in 0..CALLS {
            chaos.later(20_000, Event::Call);
        }
        if transport == Transport::Tcp {
            for _ in 0..5 {
                chaos.later(120_000, Event::Break);
            }
        }
        chaos
    }

    fn run(mut self) {
        let end = Duration::from_secs(1_500);
        while self.now < end {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let timer = self.sides.iter().filter_map(|side| side.endpoint.poll_timeout()).min();
            let timer = timer.map(|at| at.saturating_duration_since(crate::testing::start()));
            let Some(next) = event.into_iter().chain(timer).min() else { break };
            self.now = self.now.max(next);
            let now = self.instant();
            if event.is_some_and(|at| at <= self.now)
                && let Some((_, event)) = self.events.pop_first()
            {
                self.happen(event);
            }
            for who in [ALICE, BOB] {
                self.sides[who].endpoint.handle_timeout(now);
                self.drain(who);
            }
        }
        self.judge();
    }

    fn judge(&self) {
        for (who, stories) in self.stories.iter().enumerate() {
            for story in stories.values() {
                let told = story.ends.len();
                assert!(told <= 1, "{who} was told of more than one end: {story:?}");
                assert!(told == 1 || story.was_ended, "{who} was told of no end: {story:?}");
            }
        }
        assert_eq!(self.sides.each_ref().map(|side| side.endpoint.load()), [Load::default(); 2]);
        assert!(self.sides.iter().all(|side| side.endpoint.poll_timeout().is_none()));
    }

    fn happen(&mut self, event: Event) {
        let now = self.instant();
        match event {
            Event::Arrive { to, flow, bytes } => {
                let message = parse(bytes, Framing::Datagram).unwrap();
                self.sides[to].endpoint.handle_message(now, flow, message);
            }
            Event::Call => self.call(),
            Event::Break => {
                let lost = self.connection;
                self.connection += 1;
                let arrives = |event: &Event| matches!(event, Event::Arrive { .. });
                self.events.retain(|_, event| !arrives(event));
                for who in [ALICE, BOB] {
                    let flow = Flow { connection: lost, ..self.flow_from(who) };
                    self.sides[who].endpoint.handle_flow_lost(now, flow);
                }
            }
            Event::Ponder { who, dialog } => self.ponder(who, dialog),
            Event::Acknowledge { who, dialog } => {
                self.sides[who].endpoint.acknowledge(now, dialog, Some(Body::sdp("answer")));
            }
            Event::Respond { who, server, request } => {
                let status = [100, 200, 200, 200, 488][self.below(5)];
                let mut response = request.response(status);
                if status == 200 && matches!(request.method, Method::Invite | Method::Update | Method::Prack) {
                    response.set_body("application/sdp", "answer or offer");
                }
                self.sides[who].endpoint.respond(now, server, response);
                if status == 100 {
                    self.later(3_000, Event::Respond { who, server, request });
                }
            }
        }
    }

    fn call(&mut self) {
        let headers = match self.below(3) {
            0 => Headers::new().with(HeaderName::Require, "100rel"),
            _ => Headers::new(),
        };
        let answer_within = (self.below(2) == 0).then_some(Duration::from_secs(2));
        let order = Invite {
            flow: self.flow_from(ALICE),
            uri: uri("sip:bob@10.0.0.2"),
            from: NameAddr::new(uri("sip:alice@10.0.0.1")),
            to: NameAddr::new(uri("sip:bob@10.0.0.2")),
            route: Vec::new(),
            headers,
            body: Some(Body::sdp("offer")),
            credentials: None,
            answer_within,
            next_hop: NextHop::Flow,
        };
        let now = self.instant();
        let dialog = self.sides[ALICE].endpoint.invite(now, 7, order).unwrap();
        self.begin(ALICE, dialog);
    }

    fn begin(&mut self, who: usize, dialog: DialogId) {
        let story = Story { began: self.now, ..Story::default() };
        self.stories[who].insert(dialog, story);
        self.later(10_000, Event::Ponder { who, dialog });
    }

    /// The asker does something about a dialog, more and more surely its end.
    fn ponder(&mut self, who: usize, dialog: DialogId) {
        let now = self.instant();
        let choice = self.below(10);
        let story = self.stories[who].get_mut(&dialog).unwrap();
        if !story.ends.is_empty() || story.was_ended {
            return;
        }
        let is_old = self.now - story.began > Duration::from_secs(60);
        let endpoint = &mut self.sides[who].endpoint;
        match (who, story.is_answered, choice) {
            (_, true, 0..3) | (_, true, _) if choice < 3 || is_old => {
                story.was_ended = true;
                endpoint.bye(now, dialog, Headers::new());
            }
            (_, true, 3..5) => endpoint.reinvite(now, dialog, Headers::new(), Some(Body::sdp("offer again"))),
            (_, true, 5) => endpoint.reinvite(now, dialog, Headers::new(), None),
            (_, true, 6) => endpoint.update(now, dialog, Headers::new(), Some(Body::sdp("offer again"))),
            (_, true, 7) => endpoint.update(now, dialog, Headers::new(), None),
            (_, true, _) => endpoint.request_in(now, dialog, Method::Info, Headers::new(), None),
            (ALICE, false, _) if choice < 4 || is_old => {
                story.was_cancelled = true;
                endpoint.cancel(now, dialog, Headers::new());
            }
            (ALICE, false, 4) => endpoint.update(now, dialog, Headers::new(), Some(Body::sdp("offer again"))),
            (ALICE, false, _) => {}
            (_, false, 0..2) => endpoint.progress(now, dialog, Provisional::new(180)),
            (_, false, 2) => {
                let body = Some(Body::sdp("answer"));
                endpoint.progress(now, dialog, Provisional { status: 183, headers: Headers::new(), body });
            }
            (_, false, 3) => endpoint.update(now, dialog, Headers::new(), Some(Body::sdp("offer again"))),
            (_, false, 4..8) => {
                story.is_answered = true;
                endpoint.answer(now, dialog, Headers::new(), Some(Body::sdp("answer")));
            }
            (_, false, 8) => {
                story.was_ended = true;
                endpoint.refuse(now, dialog, 486, Headers::new());
            }
            (_, false, _) => {
                story.was_ended = true;
                endpoint.bye(now, dialog, Headers::new());
            }
        }
        self.later(10_000, Event::Ponder { who, dialog });
    }

    fn drain(&mut self, who: usize) {
        while let Some(output) = self.sides[who].endpoint.poll_output() {
            match output {
                Output::Send { flow, bytes } => self.send(who, flow, bytes),
                Output::News(news) => self.hear(who, news),
            }
        }
    }

    fn send(&mut self, from: usize, flow: Flow, bytes: Bytes) {
        let arrival = Flow { remote: self.sides[from].address, connection: self.connection, ..flow };
        if self.transport == Transport::Tcp {
            if flow.connection == 0 || flow.connection == self.connection {
                let at = self.now + Duration::from_millis(20);
                self.at(at, Event::Arrive { to: 1 - from, flow: arrival, bytes });
            }
            return;
        }
        let flow = Flow { connection: 0, ..arrival };
        let copies = [0, 0, 0, 1, 1, 1, 1, 1, 1, 2][self.below(10)];
        for _ in 0..copies {
            self.later(700, Event::Arrive { to: 1 - from, flow, bytes: bytes.clone() });
        }
    }

    fn hear(&mut self, who: usize, news: News<u32>) {
        match news {
            News::Incoming(incoming) => self.on_incoming(incoming),
            News::Answered { dialog, .. } => {
                let story = self.story(who, dialog);
                assert!(
                    !story.is_answered && !story.was_cancelled,
                    "answered twice, or in spite of a cancel: {story:?}"
                );
                story.is_answered = true;
            }
            News::Refused { dialog, .. } => self.end(who, dialog, false, "refused"),
            News::Failed { dialog, .. } => self.end(who, dialog, false, "failed"),
            // Our answer may have waited for a PRACK.
            News::Cancelled { dialog, .. } => {
                let is_answered = who == BOB && self.story(who, dialog).is_answered;
                self.end(who, dialog, is_answered, "cancelled");
            }
            News::NeverAcked { dialog, .. } => {
                let is_answered = self.story(who, dialog).is_answered;
                self.end(who, dialog, is_answered, "never acked");
            }
            News::Expired { dialog, .. } => self.end(who, dialog, true, "expired"),
            News::Bye { dialog, .. } => {
                let is_answered = self.story(who, dialog).is_answered;
                self.end(who, dialog, is_answered, "bye");
            }
            News::Request { dialog, server, request, .. } => {
                self.story(who, dialog);
                self.later(3_000, Event::Respond { who, server, request });
            }
            News::ReinviteDone { dialog, wants_answer: true, .. } => {
                self.story(who, dialog);
                self.later(15_000, Event::Acknowledge { who, dialog });
            }
            News::Progress { dialog, .. }
            | News::Acked { dialog, .. }
            | News::ReinviteDone { dialog, .. }
            | News::Locate { dialog, .. }
            | News::Refresh { dialog, .. } => {
                self.story(who, dialog);
            }
            News::Response { .. } | News::RequestFailed { .. } => {}
        }
    }

    fn on_incoming(&mut self, incoming: Incoming) {
        let now = self.instant();
        if self.below(10) == 0 {
            let response = incoming.request.response(403);
            return self.sides[BOB].endpoint.answer_stateless(&incoming, response);
        }
        let dialog = self.sides[BOB].endpoint.accept(now, 8, incoming, NextHop::Flow).unwrap();
        self.begin(BOB, dialog);
    }

    fn end(&mut self, who: usize, dialog: DialogId, is_answered: bool, how: &'static str) {
        let story = self.story(who, dialog);
        assert_eq!(story.is_answered, is_answered, "{how}: {story:?}");
        story.ends.push(how);
    }

    /// News come only of dialogs that have not ended.
    fn story(&mut self, who: usize, dialog: DialogId) -> &mut Story {
        let story = self.stories[who].get_mut(&dialog).unwrap();
        assert!(story.ends.is_empty() && !story.was_ended, "news after the end: {story:?}");
        story
    }

    fn flow_from(&self, who: usize) -> Flow {
        let connection = if self.transport.is_reliable() { self.connection } else { 0 };
        Flow { transport: self.transport, interface: 0, connection, remote: self.sides[1 - who].address }
    }

    fn later(&mut self, within: u64, event: Event) {
        let at = self.now + Duration::from_millis(self.below(within as usize) as u64);
        self.at(at, event);
    }

    fn at(&mut self, at: Duration, event: Event) {
        self.count += 1;
        self.events.insert((at, self.count), event);
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.random.next_u64() % limit as u64) as usize
    }

    fn instant(&self) -> Instant {
        crate::testing::start() + self.now
    }
}
