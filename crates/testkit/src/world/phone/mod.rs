//! A phone or a carrier in the world: reads and writes SIP messages by hand.
//!
//! It shares the parser with the switchboard and nothing else. What it does about transactions and dialogs is written
//! here a second time, plainly, so that a mistake of `sip::Endpoint` does not meet itself on the other side.
//! It holds no socket and no clock; the world gives it messages and wakes it.

mod abilities;
mod by_hand;
mod dress;
mod ear;
mod freely;
mod incoming;
mod manner;
mod outgoing;
mod registrar;
mod secrecy;
mod sound;
mod talk;
mod update;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use model::TenantId;
use sip::digest::{Challenge, Login};
use sip::{CSeq, HeaderName, Headers, Message, Method, NameAddr, Request, Transport, Uri, Via};

pub use abilities::{Abilities, Reliably};
pub use dress::{Dress, Texts, say};
pub use ear::Ear;
pub use freely::Words;
pub use manner::{Manner, Then};
pub use outgoing::Calling;
pub use registrar::Counter;
pub use talk::{End, Session, State, Talk};

use outgoing::Asked;

/// RFC 3261, 17.1.1.1.
const T1: Duration = Duration::from_millis(500);
/// RFC 3261, 17.1.2.2.
const T2: Duration = Duration::from_secs(4);
/// How long anything is tried.
const PATIENCE: Duration = Duration::from_secs(32);

/// Who a phone is.
#[derive(Clone, Debug)]
pub struct Card {
    /// What ladders call it.
    pub name: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it calls itself in From and Contact: the extension, or a carrier's usual caller.
    pub user: String,
    /// None for a carrier.
    pub login: Option<Login>,
    /// Stands in From and To.
    pub domain: String,
    /// Where it is.
    pub address: SocketAddr,
    /// How it speaks.
    pub transport: Transport,
    /// The tone it says.
    pub hertz: u16,
}

/// One phone.
#[derive(Debug)]
pub struct Phone {
    /// Who it is.
    pub card: Card,
    /// Nothing reaches it and nothing leaves it.
    pub unplugged: bool,
    /// It says nothing to an INVITE.
    pub mute_to_invites: bool,
    /// It never acknowledges an answer.
    pub never_acks: bool,
    /// It acknowledges our offers without an answer.
    pub acks_emptily: bool,
    /// It asks who is calling, as carriers do that want a password.
    pub challenges: bool,
    /// It asks so within calls too.
    pub challenges_within: bool,
    /// What it answers outside of calls.
    pub counter: Counter,
    /// Stand in its refusals of calls.
    pub refuses_with: Headers,
    /// What it does when it is called.
    pub manner: Manner,
    /// The same for one called number; a carrier's numbers differ.
    pub manners: BTreeMap<String, Manner>,
    /// Payload type and name of what it can speak in its next calls, best first.
    pub codecs: Vec<(u8, String)>,
    /// Its calls, those that are over included.
    pub talks: Vec<Talk>,
    /// When its sign-in lasts until, as it was told.
    pub signed_in_until: Option<Duration>,
    /// What it was refused with last, outside of calls.
    pub refused_with: Option<u16>,
    /// The cause it gives for refusals and ends (Q.850).
    pub cause: Option<u8>,
    /// What it can do beyond the simple call.
    pub abilities: Abilities,
    /// How it words its messages; plainly if None.
    pub dress: Option<Dress>,
    /// The last description of sound that came.
    pub described: Option<Bytes>,
    switchboard: SocketAddr,
    sign_in: Option<SignIn>,
    challenge: Option<(Challenge, u32)>,
    asked: BTreeMap<AskKey, Asked>,
    answered: BTreeMap<AskKey, Answered>,
    /// Acknowledgements of refusals and answers, to be given again.
    acks: BTreeMap<Bytes, Bytes>,
    todo: BTreeMap<(Duration, u64), Todo>,
    out: Vec<Bytes>,
    now: Duration,
    count: u64,
}

/// A transaction: the branch and the method.
type AskKey = (Bytes, Bytes);

#[derive(Debug)]
struct SignIn {
    call_id: String,
    cseq: u32,
    seconds: u32,
    /// Whether it is made longer by itself before its time is over.
    kept_up: bool,
}

/// What was answered to a request, for when it comes again.
#[derive(Debug)]
struct Answered {
    bytes: Bytes,
    until: Duration,
    /// For answers to INVITE: sent again until the ACK comes.
    every: Option<Duration>,
    /// Call-ID and CSeq, by which an ACK with a branch of its own finds it.
    of: (Bytes, u32),
}

/// What is to be done at a time.
#[derive(Clone, Debug)]
enum Todo {
    AskAgain(AskKey),
    AnswerAgain(AskKey),
    Ring(usize),
    RingAgain(usize),
    Session(usize, u32),
    Then(usize),
    HangUp(usize),
    SignIn,
}

impl Phone {
    /// A phone that has done nothing.
    pub fn new(card: Card, switchboard: SocketAddr) -> Self {
        Self {
            card,
            unplugged: false,
            mute_to_invites: false,
            never_acks: false,
            acks_emptily: false,
            challenges: false,
            challenges_within: false,
            counter: Counter::default(),
            refuses_with: Headers::new(),
            manner: Manner::default(),
            manners: BTreeMap::new(),
            codecs: vec![(8, "PCMA".into()), (0, "PCMU".into())],
            talks: Vec::new(),
            signed_in_until: None,
            refused_with: None,
            cause: None,
            abilities: Abilities::default(),
            dress: None,
            described: None,
            switchboard,
            sign_in: None,
            challenge: None,
            asked: BTreeMap::new(),
            answered: BTreeMap::new(),
            acks: BTreeMap::new(),
            todo: BTreeMap::new(),
            out: Vec::new(),
            now: Duration::ZERO,
            count: 0,
        }
    }

    /// The time from here on.
    pub fn set_now(&mut self, now: Duration) {
        self.now = now;
    }

    /// Takes in a message.
    pub fn receive(&mut self, message: Message) {
        if message.headers().is_content_type("application/sdp") {
            self.described = Some(message.body().clone());
        }
        match message {
            Message::Request(request) => self.on_request(request),
            Message::Response(response) => self.on_response(response),
        }
    }

    /// Does what is due.
    pub fn wake(&mut self) {
        while let Some(entry) = self.todo.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                Todo::AskAgain(key) => self.ask_again(key),
                Todo::AnswerAgain(key) => self.answer_again(key),
                Todo::Ring(talk) => self.ring(talk),
                Todo::RingAgain(talk) => self.ring_again(talk),
                Todo::Session(talk, round) => self.on_session(talk, round),
                Todo::Then(talk) => self.do_then(talk),
                Todo::HangUp(talk) => self.hang_up(talk),
                Todo::SignIn => self.sign_in_again(),
            }
        }
    }

    /// When it wants to be woken.
    pub fn poll_wake(&self) -> Option<Duration> {
        self.todo.first_key_value().map(|((at, _), _)| *at)
    }

    /// Whether it waits for something other than the time to sign in again.
    pub fn is_busy(&self) -> bool {
        let waits = |todo: &Todo| match todo {
            Todo::SignIn => false,
            Todo::Session(talk, _) => self.talks[*talk].is_live(),
            _ => true,
        };
        self.todo.values().any(waits)
    }

    /// What it sends.
    pub fn take_out(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.out).into_iter().map(|bytes| self.worded(bytes)).collect()
    }

    /// Signs in for so many seconds; zero signs out. `kept_up`: again and again, before the time is over.
    pub fn register(&mut self, seconds: u32, kept_up: bool) {
        let call_id = format!("{}@phones.test", self.fresh("register-"));
        let sign_in = self.sign_in.get_or_insert(SignIn { call_id, cseq: 0, seconds, kept_up });
        sign_in.seconds = seconds;
        sign_in.kept_up = kept_up;
        self.sign_in_again();
    }

    /// Sends a request of any kind outside of a call.
    pub fn ask_out_of_call(&mut self, method: Method, user: &str) {
        let uri = Uri::sip(sip::Host::Name(Bytes::from(self.card.domain.clone()))).with_user(user);
        let (from, to) = (self.own_address(), NameAddr::new(uri.clone()));
        let call_id = format!("{}@phones.test", self.fresh("ask-"));
        let request = self.request(method, uri, from, to, &call_id, 1);
        self.ask(request, None);
    }

    fn sign_in_again(&mut self) {
        let Some(sign_in) = &mut self.sign_in else { return };
        sign_in.cseq += 1;
        let (call_id, cseq, seconds) = (sign_in.call_id.clone(), sign_in.cseq, sign_in.seconds);
        let uri = Uri::sip(sip::Host::Name(Bytes::from(self.card.domain.clone())));
        let to = NameAddr::new(uri.clone().with_user(&self.card.user));
        let from = self.own_address();
        let mut request = self.request(Method::Register, uri, from, to, &call_id, cseq);
        request.headers.set(HeaderName::Expires, seconds.to_string());
        self.sign(&mut request);
        self.ask(request, None);
    }

    /// A request with all it needs. Its branch is fresh.
    fn request(&mut self, method: Method, uri: Uri, from: NameAddr, to: NameAddr, call_id: &str, cseq: u32) -> Request {
        let mut request = Request::new(method.clone(), uri);
        request.headers.push(HeaderName::Via, self.via());
        request.headers.push(HeaderName::MaxForwards, "70");
        request.headers.push(HeaderName::From, &from);
        request.headers.push(HeaderName::To, &to);
        request.headers.push(HeaderName::CallId, call_id.to_owned());
        request.headers.push(HeaderName::CSeq, CSeq { number: cseq, method });
        request.headers.push(HeaderName::Contact, self.contact());
        request.headers.push(HeaderName::UserAgent, "World phone");
        request
    }

    /// Adds an answer to the last challenge, where there was one.
    fn sign(&mut self, request: &mut Request) {
        let (Some((challenge, count)), Some(login)) = (&mut self.challenge, &self.card.login) else { return };
        *count += 1;
        let cnonce = Bytes::from(format!("c{count}"));
        if let Some(credentials) = challenge.answer(login, &request.method, &request.uri, cnonce, *count) {
            request.headers.set(HeaderName::Authorization, &credentials);
        }
    }

    fn own_address(&mut self) -> NameAddr {
        let uri = Uri::sip(sip::Host::Name(Bytes::from(self.card.domain.clone()))).with_user(&self.card.user);
        NameAddr::new(uri).with_tag(self.fresh("t"))
    }

    /// A Via with a fresh branch.
    fn via(&mut self) -> Via {
        let branch = self.fresh("z9hG4bK");
        let mut via = Via::new(self.card.transport.via_name(), self.card.address, branch);
        via.params.set_flag("rport");
        via
    }

    /// A text that nobody else has.
    fn fresh(&mut self, kind: &str) -> String {
        let count = self.next();
        format!("{kind}{}x{count}", self.card.name)
    }

    fn contact(&self) -> NameAddr {
        let mut uri = Uri::of(self.card.address).with_user(&self.card.user);
        if let Some(transport) = self.card.transport.uri_parameter() {
            uri = uri.with_param("transport", transport);
        }
        NameAddr::new(uri)
    }

    fn later(&mut self, wait: Duration, todo: Todo) {
        let count = self.next();
        self.todo.insert((self.now + wait, count), todo);
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn is_lossy(&self) -> bool {
        !self.card.transport.is_reliable()
    }
}

fn tag_of(address: Result<NameAddr, sip::HeaderError>) -> Option<Bytes> {
    address.ok()?.tag().cloned()
}
