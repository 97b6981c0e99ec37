//! The phones of the agents and the carrier: they register, ring, answer, and hang up when told to.

use std::net::SocketAddrV4;
use std::os::fd::AsRawFd;

use crate::load::{HangsUp, Load, Timer};
use crate::net::{self, MS, Received, now};
use crate::sip::{self, Message};

/// RFC 3261, T1 and how often a message is sent again at most.
const T1: u64 = 500 * MS;
const MOST_RESENDS: u32 = 4;

/// An agent's registration.
pub struct Agent {
    user: String,
    call_id: String,
    sequence: u32,
    /// The request under way.
    sent: Vec<u8>,
    pub registered: bool,
    /// The status that refused it, or 408.
    pub refused: Option<u16>,
}

/// One call as a phone sees it. Times are 0 until they have come.
pub struct Leg {
    click: usize,
    /// Whether it is the carrier's, rather than an agent's.
    customer: bool,
    pub invited_at: u64,
    pub rang_at: u64,
    pub answered_at: u64,
    acked: bool,
    ended: bool,
    sequence: u32,
    call_id: String,
    /// From and To of requests that we send.
    own: String,
    other: String,
    target: String,
    routes: Vec<String>,
    server: SocketAddrV4,
    /// Our 200, then our BYE.
    answer: Vec<u8>,
    goodbye: Vec<u8>,
}

impl Load {
    /// Signs all agents in, ten at a time. Gives how many were refused.
    pub fn register_agents(&mut self) -> usize {
        for number in 0..self.plan.agents {
            let user = (self.plan.first_agent + number).to_string();
            let call_id = format!("{}-r{number}", self.run);
            let agent = Agent { user, call_id, sequence: 0, sent: Vec::new(), registered: false, refused: None };
            self.agents.push(agent);
            self.register(number as usize, None);
            let waiting =
                |load: &Self| load.agents.iter().filter(|agent| !agent.registered && agent.refused.is_none()).count();
            self.step_until(5_000 * MS, |load| waiting(load) < 10);
        }
        self.step_until(10_000 * MS, |load| {
            load.agents.iter().all(|agent| agent.registered || agent.refused.is_some())
        });
        self.agents.iter().filter(|agent| !agent.registered).count()
    }

    /// Takes what lies at the agents' socket or the carrier's.
    pub fn on_packets(&mut self, carrier: bool, buffer: &mut [u8]) {
        let fd = if carrier { self.carrier.as_raw_fd() } else { self.phones.as_raw_fd() };
        while let Received::Data { len, from, at } = net::receive(fd, buffer) {
            let Some(message) = sip::parse(&buffer[..len]) else { continue };
            match message.status() {
                Some(status) => self.on_answer(&message, status, at),
                None => self.on_request(&message, carrier, from, at),
            }
        }
    }

    /// The phone is picked up.
    pub fn pick_up(&mut self, leg: usize) {
        if self.legs[leg].ended {
            return;
        }
        let at = now();
        self.legs[leg].answered_at = at;
        self.send(leg, |leg| &leg.answer);
        self.set(at + T1, Timer::Answer(leg, 0));
    }

    pub fn answer_again(&mut self, at: u64, leg: usize, times: u32) {
        if self.legs[leg].acked || self.legs[leg].ended || times == MOST_RESENDS {
            return;
        }
        self.oddities.resent += 1;
        self.send(leg, |leg| &leg.answer);
        self.set(at + (T1 << (times + 1)), Timer::Answer(leg, times + 1));
    }

    /// The talk of a click is over: one side hangs up.
    pub fn hang_up(&mut self, click: usize) {
        let found = &mut self.clicks[click];
        let customer = match self.plan.hangs_up {
            HangsUp::Agent => false,
            HangsUp::Customer => true,
            HangsUp::InTurn => click.is_multiple_of(2),
        };
        let Some(leg) = (if customer { found.customer_leg } else { found.agent_leg }) else { return };
        if found.failure.is_none() && !self.legs[leg].ended {
            found.hung_up_at = now();
            self.bye(leg);
        }
    }

    /// Sends a BYE, once, if the leg stands.
    pub fn bye(&mut self, leg: usize) {
        let found = &mut self.legs[leg];
        if !found.acked || found.ended || !found.goodbye.is_empty() {
            return;
        }
        let via = if found.customer { self.plan.carrier } else { self.plan.phones };
        let (target, own, other, call_id) = (&found.target, &found.own, &found.other, &found.call_id);
        let mut head =
            format!("BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKb{}x{leg};rport\r\n", self.run);
        for route in &found.routes {
            head.push_str(&format!("Route: {route}\r\n"));
        }
        head.push_str(&format!(
            "Max-Forwards: 70\r\nFrom: {own}\r\nTo: {other}\r\nCall-ID: {call_id}\r\nCSeq: 1 BYE\r\n"
        ));
        found.goodbye = sip::without_body(head);
        self.send(leg, |leg| &leg.goodbye);
        self.set(now() + T1, Timer::Bye(leg, 0));
    }

    pub fn bye_again(&mut self, at: u64, leg: usize, times: u32) {
        if self.legs[leg].ended || times == MOST_RESENDS {
            return;
        }
        self.oddities.resent += 1;
        self.send(leg, |leg| &leg.goodbye);
        self.set(at + (T1 << (times + 1)), Timer::Bye(leg, times + 1));
    }

    pub fn register_again(&mut self, at: u64, agent: usize, times: u32) {
        let found = &mut self.agents[agent];
        if found.registered || found.refused.is_some() {
            return;
        }
        if times == MOST_RESENDS {
            found.refused = Some(408);
            return;
        }
        self.oddities.resent += 1;
        let _ = self.phones.send_to(&found.sent, self.plan.sip);
        self.set(at + (T1 << (times + 1)), Timer::Register(agent, times + 1));
    }

    /// The click is over once both phones are down and its order was answered.
    pub fn finish_if_over(&mut self, click: usize, at: u64) {
        let found = &self.clicks[click];
        let down = |leg: Option<usize>| leg.is_some_and(|leg| self.legs[leg].ended);
        if found.replied_at != 0 && down(found.agent_leg) && down(found.customer_leg) {
            self.finish(click, at);
        }
    }

    fn register(&mut self, index: usize, challenge: Option<&str>) {
        let (run, domain, phones) = (self.run, &self.plan.domain, self.plan.phones);
        let agent = &mut self.agents[index];
        agent.sequence += 1;
        let (user, call_id, sequence) = (&agent.user, &agent.call_id, agent.sequence);
        let mut head = format!(
            "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {phones};branch=z9hG4bKr{run}x{index}x{sequence};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag=r{index}\r\nTo: <sip:{user}@{domain}>\r\n\
             Call-ID: {call_id}\r\nCSeq: {sequence} REGISTER\r\nContact: <sip:{user}@{phones}>\r\nExpires: 3600\r\n"
        );
        if let Some(challenge) = challenge {
            let (password, uri) = (format!("{}{user}", self.plan.password_prefix), format!("sip:{domain}"));
            let value = sip::authorization(challenge, user, &password, "REGISTER", &uri);
            head.push_str(&format!("Authorization: {value}\r\n"));
        }
        agent.sent = sip::without_body(head);
        let _ = self.phones.send_to(&agent.sent, self.plan.sip);
        if challenge.is_none() {
            self.set(now() + T1, Timer::Register(index, 0));
        }
    }

    fn on_answer(&mut self, message: &Message<'_>, status: u16, at: u64) {
        let call_id = message.get("Call-ID");
        match message.cseq() {
            _ if status < 200 => {}
            (sequence, "REGISTER") => {
                let Some(index) = self.agents.iter().position(|agent| agent.call_id == call_id) else { return };
                let agent = &mut self.agents[index];
                match (status, message.challenge()) {
                    _ if agent.sequence != sequence => {}
                    (200, _) => agent.registered = true,
                    (401, Some(challenge)) if sequence == 1 => self.register(index, Some(challenge)),
                    _ => agent.refused = Some(status),
                }
            }
            (_, "BYE") => {
                let Some(&leg) = self.leg_of.get(call_id) else { return };
                self.legs[leg].ended = true;
                let click = self.legs[leg].click;
                match status {
                    200 => self.finish_if_over(click, at),
                    status => self.fail(click, format!("our BYE was answered {status}")),
                }
            }
            _ => {}
        }
    }

    fn on_request(&mut self, message: &Message<'_>, carrier: bool, from: SocketAddrV4, at: u64) {
        let leg = self.leg_of.get(message.get("Call-ID")).copied();
        match (message.method(), leg) {
            ("INVITE", None) => self.on_invite(message, carrier, from, at),
            ("INVITE", Some(leg)) if message.cseq().0 == self.legs[leg].sequence => {
                self.oddities.repeated += 1;
                if self.legs[leg].answered_at != 0 {
                    self.send(leg, |leg| &leg.answer);
                }
            }
            ("INVITE", Some(leg)) => {
                self.oddities.reinvites += 1;
                self.legs[leg].sequence = message.cseq().0;
                self.legs[leg].answer = self.ok(message, carrier, leg);
                self.send(leg, |leg| &leg.answer);
            }
            ("ACK", Some(leg)) => self.on_ack(leg),
            ("ACK", None) => {}
            ("BYE" | "CANCEL", Some(leg)) => {
                self.reply(carrier, sip::without_body(message.answer("200 OK", "x")), from);
                let found = &mut self.legs[leg];
                found.ended = true;
                let click = found.click;
                if self.clicks[click].hung_up_at == 0 {
                    let side = if carrier { "customer" } else { "agent" };
                    self.fail(click, format!("the server sent the {side} a {}", message.method()));
                }
                self.finish_if_over(click, at);
            }
            _ => self.reply(carrier, sip::without_body(message.answer("200 OK", "x")), from),
        }
    }

    fn on_invite(&mut self, message: &Message<'_>, carrier: bool, from: SocketAddrV4, at: u64) {
        // An agent's phone is shown the customer's number; the carrier is asked for it.
        let number = if carrier { message.target() } else { sip::user(message.get("From")) };
        let leg = self.legs.len();
        let tag = format!("c{leg}");
        let Some(click) = self.click(number) else {
            self.oddities.strange_invites += 1;
            self.reply(carrier, sip::without_body(message.answer("404 Not Found", &tag)), from);
            return;
        };
        let answer = self.ok(message, carrier, leg);
        let ringing = format!(
            "{}Contact: <sip:{}@{}>\r\n",
            message.answer("180 Ringing", &tag),
            message.target(),
            self.own(carrier)
        );
        self.legs.push(Leg {
            click,
            customer: carrier,
            invited_at: at,
            rang_at: now(),
            answered_at: 0,
            acked: false,
            ended: false,
            sequence: message.cseq().0,
            call_id: message.get("Call-ID").to_owned(),
            own: format!("{};tag={tag}", message.get("To")),
            other: message.get("From").to_owned(),
            target: sip::uri(message.get("Contact")).to_owned(),
            routes: message.routes(),
            server: from,
            answer,
            goodbye: Vec::new(),
        });
        self.reply(carrier, sip::without_body(ringing), from);
        self.leg_of.insert(message.get("Call-ID").to_owned(), leg);
        let place = if carrier { &mut self.clicks[click].customer_leg } else { &mut self.clicks[click].agent_leg };
        if place.replace(leg).is_some() {
            self.fail(click, "a phone was called twice".to_owned());
        }
        match self.plan.ring {
            0 => self.pick_up(leg),
            ring => self.set(now() + ring, Timer::PickUp(leg)),
        }
    }

    fn on_ack(&mut self, leg: usize) {
        if std::mem::replace(&mut self.legs[leg].acked, true) {
            return;
        }
        let click = self.legs[leg].click;
        let acked = |leg: Option<usize>| leg.is_some_and(|leg| self.legs[leg].acked);
        let found = &self.clicks[click];
        if found.failure.is_some() {
            self.bye(leg);
        } else if acked(found.agent_leg) && acked(found.customer_leg) {
            self.set(now() + self.plan.hold, Timer::HangUp(click));
        }
    }

    fn ok(&self, message: &Message<'_>, carrier: bool, leg: usize) -> Vec<u8> {
        let head = message.answer("200 OK", &format!("c{leg}"));
        let head = format!("{head}Contact: <sip:{}@{}>\r\n", message.target(), self.own(carrier));
        sip::with_sound(head, self.plan.sound)
    }

    fn own(&self, carrier: bool) -> SocketAddrV4 {
        if carrier { self.plan.carrier } else { self.plan.phones }
    }

    fn send(&self, leg: usize, what: impl Fn(&Leg) -> &Vec<u8>) {
        let leg = &self.legs[leg];
        self.reply(leg.customer, what(leg), leg.server);
    }

    fn reply(&self, carrier: bool, bytes: impl AsRef<[u8]>, to: SocketAddrV4) {
        let socket = if carrier { &self.carrier } else { &self.phones };
        // A datagram that the kernel does not take is sent again like one that got lost.
        let _ = socket.send_to(bytes.as_ref(), to);
    }
}
