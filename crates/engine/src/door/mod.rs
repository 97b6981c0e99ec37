//! Stands before the engine: limits and bans by source, parses once, answers what needs no state, and says whose a
//! message is.
//!
//! Before authentication almost nothing is allocated; nobody is told here which extensions exist.
//!
//! ```text
//! packet ─admit─► waits by urgency ─read─► engine
//!    └─ too many, banned: dropped            └─ OPTIONS, broken: answered
//! engine ─note_sign_in─► bans ─poll_kept─► store
//! ```

mod bans;
mod bucket;
mod stun;
mod urgency;
mod whose;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use model::{Ban, Directory, EngineNumber, Kept, KeptKind, Keyed, Source, TenantId, TrunkAddress};
use sip::{Flow, Framing, HeaderName, Message, Method, Request, Response, Scheme, Transport};

use self::bans::Bans;
use self::bucket::Buckets;
pub use self::urgency::Urgency;
use crate::abilities::{ACCEPT, ALLOW, EXTENSIONS};
use crate::edge::{Now, SignIn, Whose};

/// How many seconds a request is put off for.
const PUT_OFF_FOR: std::ops::RangeInclusive<u64> = 5..=15;

/// How a door is set up.
#[derive(Clone, Debug)]
pub struct DoorConfig {
    /// Networks that no limit by source touches: address and how many leading bits count.
    pub unlimited_from: Vec<(IpAddr, u8)>,
    /// The engine behind it.
    pub engine: EngineNumber,
    /// Shown in Server.
    pub software: String,
}

/// The door of one engine.
#[derive(Debug)]
pub struct Door {
    config: DoorConfig,
    directory: Arc<Directory>,
    buckets: Buckets,
    bans: Bans,
    /// What stands before the dot in names that the engine makes.
    mark: String,
    /// Bans and their ends, for the store.
    kept: VecDeque<Kept>,
    counts: DoorCounts,
}

/// What a door has done, since its start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct DoorCounts {
    /// Messages handed on.
    pub passed: u64,
    /// Messages answered here.
    pub answered: u64,
    /// Messages over their source's rate.
    pub limited: u64,
    /// Messages of banned sources.
    pub banned: u64,
    /// Messages that are no SIP, or deserve no answer.
    pub dropped: u64,
    /// Requests that were asked to come back later, because too many waited.
    pub put_off: u64,
    /// Wrong answers to challenges.
    pub wrong_sign_ins: u64,
    /// Bans that were made.
    pub bans_made: u64,
}

/// What becomes of a message.
#[derive(Debug)]
pub enum Knock {
    /// For the engine.
    Pass(Whose, Message),
    /// Answered here: send this back.
    Answer(Bytes),
    /// Nothing.
    Drop,
}

impl Door {
    /// A door that knows no tenant.
    pub fn new(config: DoorConfig, seed: [u8; 32]) -> Self {
        let keyed = Keyed::new(&seed);
        Self {
            mark: config.engine.0.to_string(),
            config,
            directory: Arc::default(),
            buckets: Buckets::new(keyed),
            bans: Bans::new(keyed),
            kept: VecDeque::new(),
            counts: DoorCounts::default(),
        }
    }

    /// Who is where, from here on.
    pub fn set_directory(&mut self, directory: Arc<Directory>) {
        self.directory = directory;
    }

    /// Judges one datagram, or one message of a stream.
    pub fn receive(&mut self, now: Instant, flow: Flow, packet: Bytes) -> Knock {
        match self.admit(now, flow, &packet) {
            Some(_) => self.read(flow, packet),
            None => Knock::Drop,
        }
    }

    /// The first half of [`Door::receive`], where messages have to wait between the halves: how urgent it is. None: it is
    /// dropped, because its source sends too much or is banned.
    pub fn admit(&mut self, now: Instant, flow: Flow, packet: &[u8]) -> Option<Urgency> {
        // Keep-alives by STUN are no SIP and are answered all the same; those of blanks are not.
        let urgency =
            urgency::of(packet, self.mark.as_bytes()).or_else(|| stun::is_request(packet).then_some(Urgency::Rest));
        let Some(urgency) = urgency else {
            self.counts.dropped += 1;
            return None;
        };
        if self.is_unlimited(flow.remote.ip()) {
            return Some(urgency);
        }
        // What a banned source has begun goes on: its calls, and those to its phones.
        let source = || Source::of(flow.remote.ip());
        if urgency != Urgency::Begun && self.bans.is_banned(now, source) && !self.is_trunk(flow) {
            self.counts.banned += 1;
            return None;
        }
        if !self.buckets.take(now, source(), urgency) {
            self.counts.limited += 1;
            return None;
        }
        Some(urgency)
    }

    /// The answer to a message that was admitted, but that there is no room for: 503 with a Retry-After that differs from
    /// one to the next, so that not all come back at once. None for what gets no answer.
    pub fn put_off(&mut self, flow: Flow, packet: Bytes) -> Option<Bytes> {
        self.counts.put_off += 1;
        let framing = if flow.transport.is_reliable() { Framing::Stream } else { Framing::Datagram };
        let Ok(Message::Request(request)) = sip::parse(packet, framing) else { return None };
        if request.method == Method::Ack {
            return None;
        }
        let seconds = PUT_OFF_FOR.start() + self.counts.put_off % (PUT_OFF_FOR.end() - PUT_OFF_FOR.start() + 1);
        let response = stamped(&request, flow, 503).with(HeaderName::RetryAfter, seconds.to_string());
        Some(response.print())
    }

    /// Somebody has answered a challenge of the engine's.
    pub fn note_sign_in(&mut self, now: Now, sign_in: SignIn) {
        if self.is_unlimited(sign_in.source) {
            return;
        }
        let source = Source::of(sign_in.source);
        if sign_in.right {
            if self.bans.right(now.mono, source) {
                self.keep(source, None);
            }
            return;
        }
        self.counts.wrong_sign_ins += 1;
        if self.is_whole_trunk(sign_in.source) {
            return;
        }
        if let Some(ban) = self.bans.wrong(now, source) {
            self.counts.bans_made += 1;
            tracing::warn!(%source, until = %ban.until, times = ban.times, "banned: too many wrong passwords");
            self.keep(source, Some(&ban));
        }
        while let Some(forgotten) = self.bans.poll_forgotten() {
            self.keep(forgotten, None);
        }
    }

    /// Lets a source sign in again. False: it is not banned.
    pub fn lift_ban(&mut self, now: Instant, source: Source) -> bool {
        let lifted = self.bans.lift(now, source);
        if lifted {
            self.keep(source, None);
        }
        lifted
    }

    /// Takes back a ban that an earlier start kept. Other facts are the engine's.
    pub fn take_back(&mut self, now: Now, kept: &Kept) {
        let value = kept.value.as_deref().filter(|_| kept.kind == KeptKind::Ban);
        if let Some(ban) = value.and_then(|value| serde_json::from_str::<Ban>(value).ok()) {
            self.bans.take_back(now, &ban);
        }
    }

    /// A ban, or a ban's end, for the store.
    pub fn poll_kept(&mut self) -> Option<Kept> {
        self.kept.pop_front()
    }

    /// What it has done.
    pub fn counts(&self) -> DoorCounts {
        self.counts
    }

    /// How many sources are banned.
    pub fn banned(&self, now: Instant) -> usize {
        self.bans.len(now)
    }

    /// The second half of [`Door::receive`].
    pub fn read(&mut self, flow: Flow, packet: Bytes) -> Knock {
        if flow.transport == Transport::Udp
            && let Some(answer) = stun::answer(&packet, flow.remote)
        {
            self.counts.answered += 1;
            return Knock::Answer(answer);
        }
        let framing = if flow.transport.is_reliable() { Framing::Stream } else { Framing::Datagram };
        let message = match sip::parse(packet, framing) {
            Ok(message) => message,
            Err(malformed) => {
                return match malformed.reply {
                    Some(reply) => self.answer(reply),
                    None => self.drop(),
                };
            }
        };
        let whose = match &message {
            Message::Response(_) => Whose::Ours,
            Message::Request(request) if belongs_to_a_dialog(request) => Whose::Ours,
            Message::Request(request) if matches!(request.uri.scheme, Scheme::Other(_)) => {
                let response = stamped(request, flow, 416);
                return self.answer(response);
            }
            Message::Request(request) if request.method == Method::Options => {
                let response = self.options(request, flow);
                return self.answer(response);
            }
            Message::Request(request) => match whose::find(&self.directory, flow, request) {
                Some(whose) => whose,
                None => {
                    let response = stamped(request, flow, 403);
                    return self.answer(response);
                }
            },
        };
        self.counts.passed += 1;
        Knock::Pass(whose, message)
    }

    fn options(&self, request: &Request, flow: Flow) -> Response {
        // RFC 3261 section 8.2.2.3.
        let known = |option: &[u8]| EXTENSIONS.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(option));
        let mut unknown = request.headers.tokens(&HeaderName::Require).filter(|option| !known(option)).peekable();
        if unknown.peek().is_some() {
            let mut response = stamped(request, flow, 420);
            for option in unknown {
                response.headers.push(HeaderName::Unsupported, option.to_vec());
            }
            return response;
        }
        stamped(request, flow, 200)
            .with(HeaderName::Allow, ALLOW)
            .with(HeaderName::Accept, ACCEPT)
            .with(HeaderName::Supported, EXTENSIONS.join(", "))
            .with(HeaderName::Server, self.config.software.clone())
    }

    fn answer(&mut self, response: Response) -> Knock {
        self.counts.answered += 1;
        Knock::Answer(response.print())
    }

    fn drop(&mut self) -> Knock {
        self.counts.dropped += 1;
        Knock::Drop
    }

    fn keep(&mut self, source: Source, ban: Option<&Ban>) {
        let value = ban.and_then(|ban| serde_json::to_string(ban).ok());
        let expires = ban.map(|ban| ban.until);
        let (tenant, kind, key) = (TenantId::SERVER, KeptKind::Ban, source.to_string());
        self.kept.push_back(Kept { tenant, kind, key, value, expires });
    }

    fn is_unlimited(&self, source: IpAddr) -> bool {
        self.config.unlimited_from.iter().any(|(address, prefix)| {
            TrunkAddress { address: *address, prefix: *prefix, port: None }.contains((source, 0).into())
        })
    }

    /// A carrier that is cut off costs its customers their calls: no ban touches what comes from its addresses.
    fn is_trunk(&self, flow: Flow) -> bool {
        self.directory.trunks.iter().any(|(address, ..)| address.contains(flow.remote))
    }

    /// Whether every port of the address is a carrier's.
    fn is_whole_trunk(&self, source: IpAddr) -> bool {
        let trunks = self.directory.trunks.iter().map(|(address, ..)| address);
        trunks.into_iter().any(|address| address.port.is_none() && address.contains((source, 0).into()))
    }
}

/// Whether it is about something that has begun already: its answer is the SIP machine's business.
fn belongs_to_a_dialog(request: &Request) -> bool {
    matches!(request.method, Method::Ack | Method::Cancel) || request.headers.to().is_ok_and(|to| to.tag().is_some())
}

/// A response that finds its way back (RFC 3581), with the To tag that every response but 100 has.
fn stamped(request: &Request, flow: Flow, status: u16) -> Response {
    let mut request =
        Request { headers: request.headers.clone(), ..Request::new(request.method.clone(), request.uri.clone()) };
    // The parser has read the Via; a response without a stamp would still go back by the flow it came by.
    let _ = request.stamp(flow.remote);
    let mut response = request.response(status);
    let _ = response.set_to_tag("door");
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{TenantEntry, TenantId};

    fn door() -> Door {
        let config = DoorConfig { unlimited_from: Vec::new(), engine: EngineNumber(1), software: "Tongdai".into() };
        let mut door = Door::new(config, [7; 32]);
        door.set_directory(Arc::new(directory()));
        door
    }

    fn directory() -> Directory {
        let entry = |id: i64, name: &str, default| TenantEntry {
            id: TenantId(id),
            name: name.into(),
            default,
            sip_domains: vec![format!("{}.example", name.to_lowercase())],
            timezone: "Asia/Ho_Chi_Minh".into(),
            language: model::Language::Vi,
            country: "84".into(),
            switches: model::Switches {
                null_type_on_hangup: true,
                lower_case_states: false,
                feedback_md5_with_bars: true,
            },
            private_urls: false,
        };
        Directory {
            version: 1,
            tenants: vec![entry(1, "VPBX_DEMO", true), entry(2, "VPBX_OTHER", false)],
            extensions: [("101".to_owned(), vec![TenantId(1), TenantId(2)]), ("201".to_owned(), vec![TenantId(2)])]
                .into(),
            numbers: [("842873088088".to_owned(), TenantId(2))].into(),
            trunks: vec![(
                model::TrunkAddress { address: [192, 0, 2, 9].into(), prefix: 32, port: None },
                model::DidFrom::RequestUri,
                Some(TenantId(2)),
                "carrier".into(),
            )],
            keys: Vec::new(),
            contacts: [(
                "ours".to_owned(),
                model::TrunkContact {
                    owner: Some(TenantId(2)),
                    trunk: "registered".into(),
                    did_from: model::DidFrom::RequestUri,
                    account: "02873088088".into(),
                },
            )]
            .into(),
        }
    }

    fn knock(door: &mut Door, source: &str, start: &str, from: &str, more: &str) -> Knock {
        let text = format!(
            "{start} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx;rport\r\nMax-Forwards: 70\r\n\
             From: <{from}>;tag=a\r\nTo: <sip:someone@pbx.example>\r\nCall-ID: c\r\nCSeq: 1 {}\r\n{more}Content-Length: 0\r\n\r\n",
            start.split(' ').next().unwrap(),
        );
        let flow = Flow::udp(0, source.parse().unwrap());
        door.receive(crate::fixture::instant(), flow, Bytes::from(text))
    }

    fn whose(knock: Knock) -> Whose {
        match knock {
            Knock::Pass(whose, _) => whose,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_phone_belongs_to_the_tenant_that_its_signing_in_names() {
        let mut door = door();
        let sign_in = "Authorization: Digest username=\"VPBX_OTHER_101\", realm=\"tongdai\", nonce=\"n\", uri=\"sip:x\", response=\"r\"\r\n";

        let found =
            whose(knock(&mut door, "198.51.100.1:5060", "REGISTER sip:pbx.example", "sip:101@pbx.example", sign_in));

        assert_eq!(found, Whose::Phone(TenantId(2)));
    }

    #[test]
    fn else_the_domain_decides_then_an_extension_that_only_one_has_then_the_default() {
        let mut door = door();
        let source = "198.51.100.1:5060";

        let by_domain = knock(&mut door, source, "INVITE sip:102@pbx.example", "sip:101@vpbx_other.example", "");
        let by_extension = knock(&mut door, source, "INVITE sip:102@pbx.example", "sip:201@pbx.example", "");
        let by_default = knock(&mut door, source, "INVITE sip:102@pbx.example", "sip:101@pbx.example", "");

        assert_eq!(whose(by_domain), Whose::Phone(TenantId(2)));
        assert_eq!(whose(by_extension), Whose::Phone(TenantId(2)));
        assert_eq!(whose(by_default), Whose::Phone(TenantId(1)));
    }

    #[test]
    fn a_trunk_is_believed_only_from_its_address_for_an_own_number_and_never_as_an_extension() {
        let mut door = door();
        let number = "INVITE sip:02873088088@pbx.example";

        let from_trunk = knock(&mut door, "192.0.2.9:5060", number, "sip:0900000001@carrier.example", "");
        let from_elsewhere = knock(&mut door, "192.0.2.10:5060", number, "sip:0900000001@carrier.example", "");
        let other_number =
            knock(&mut door, "192.0.2.9:5060", "INVITE sip:101@pbx.example", "sip:0900000001@carrier.example", "");
        let as_extension = knock(&mut door, "192.0.2.9:5060", number, "sip:101@carrier.example", "");

        let trunk = Whose::Trunk { tenant: TenantId(2), trunk: "carrier".into(), did: "842873088088".into() };
        assert_eq!(whose(from_trunk), trunk);
        assert_eq!(whose(from_elsewhere), Whose::Phone(TenantId(1)));
        assert_eq!(whose(other_number), Whose::Phone(TenantId(1)));
        assert_eq!(whose(as_extension), Whose::Phone(TenantId(1)));
    }

    #[test]
    fn a_call_to_our_contact_at_a_carrier_is_the_carriers_wherever_it_comes_from() {
        let mut door = door();
        let from = "sip:0900000001@carrier.example";

        // The called number stands nowhere in it: the account is the number.
        let to_contact = knock(&mut door, "203.0.113.7:5060", "INVITE sip:ours@pbx.example", from, "");
        let to_another = knock(&mut door, "203.0.113.7:5060", "INVITE sip:theirs@pbx.example", from, "");

        let trunk = Whose::Trunk { tenant: TenantId(2), trunk: "registered".into(), did: "842873088088".into() };
        assert_eq!(whose(to_contact), trunk);
        assert_eq!(whose(to_another), Whose::Phone(TenantId(1)));
    }

    #[test]
    fn a_call_to_our_contact_for_a_number_that_nobody_has_is_the_carriers_too() {
        let mut door = door();
        let mut directory = directory();
        for contact in directory.contacts.values_mut() {
            contact.account = "0999999999".into();
        }
        door.set_directory(Arc::new(directory));

        let found = knock(&mut door, "203.0.113.7:5060", "INVITE sip:ours@pbx.example", "sip:0900000001@x.example", "");

        assert!(matches!(whose(found), Whose::Trunk { tenant: TenantId(2), .. }), "it is no phone to be challenged");
    }

    #[test]
    fn what_cannot_be_met_is_said_to_be_so() {
        let mut door = door();
        let source = "198.51.100.1:5060";

        let scheme = knock(&mut door, source, "INVITE http://pbx.example/", "sip:101@pbx.example", "");
        let option =
            knock(&mut door, source, "OPTIONS sip:pbx.example", "sip:101@pbx.example", "Require: sun, moon\r\n");

        let text = |knock| match knock {
            Knock::Answer(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => panic!("{other:?}"),
        };
        assert!(text(scheme).starts_with("SIP/2.0 416 "));
        let option = text(option);
        assert!(option.starts_with("SIP/2.0 420 "), "{option}");
        assert!(option.contains("Unsupported: sun\r\nUnsupported: moon\r\n"), "{option}");
        let known = knock(&mut door, source, "OPTIONS sip:pbx.example", "sip:101@pbx.example", "Require: 100rel\r\n");
        assert!(text(known).starts_with("SIP/2.0 200 "), "what calls may require is known here too");
    }

    #[test]
    fn options_is_answered_and_keep_alives_are_not() {
        let mut door = door();

        let answer = knock(&mut door, "198.51.100.1:5060", "OPTIONS sip:pbx.example", "sip:101@pbx.example", "");
        let Knock::Answer(bytes) = answer else { panic!("{answer:?}") };
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("SIP/2.0 200 OK\r\n"), "{text}");
        assert!(text.contains("received=198.51.100.1"), "{text}");
        assert!(
            text.contains("UPDATE, INFO, PRACK, REFER\r\n") && text.contains("\r\nSupported: 100rel, timer"),
            "{text}"
        );

        let flow = Flow::udp(0, "198.51.100.1:5060".parse().unwrap());
        assert!(matches!(door.receive(crate::fixture::instant(), flow, Bytes::from("\r\n\r\n")), Knock::Drop));
    }

    /// Ten wrong passwords from there.
    fn ban(door: &mut Door, now: Now, source: &str) {
        let source = source.parse().unwrap();
        (0..10).for_each(|_| door.note_sign_in(now, SignIn { source, right: false }));
    }

    fn now() -> Now {
        Now { mono: crate::fixture::instant(), wall: "2026-01-01T00:00:00Z".parse().unwrap() }
    }

    #[test]
    fn of_a_banned_source_only_what_it_has_begun_is_heard() {
        let mut door = door();
        let now = now();
        ban(&mut door, now, "198.51.100.1");
        let mut admit = |source: &str, text: &str| {
            door.admit(now.mono, Flow::udp(0, source.parse().unwrap()), text.as_bytes()).is_some()
        };

        let new =
            ["REGISTER sip:a SIP/2.0\r\n", "INVITE sip:a SIP/2.0\r\n", "OPTIONS sip:a SIP/2.0\r\n", "GET / HTTP/1.1"];
        assert_eq!(new.map(|text| admit("198.51.100.1:5060", text)), [false; 4]);
        assert_eq!(new.map(|text| admit("198.51.100.2:5060", text)), [true; 4]);
        let begun =
            ["SIP/2.0 200 OK\r\n", "ACK sip:a SIP/2.0\r\n", "BYE sip:a SIP/2.0\r\nTo: <sip:b>;tag=1.0123456789abcdef"];
        assert_eq!(begun.map(|text| admit("198.51.100.1:5060", text)), [true; 3]);
        assert_eq!((door.counts().banned, door.counts().bans_made, door.banned(now.mono)), (4, 1, 1));
    }

    #[test]
    fn a_ban_is_kept_until_it_is_lifted_and_taken_back_after_a_restart() {
        let mut before = door();
        let now = now();
        ban(&mut before, now, "198.51.100.1");
        let kept = before.poll_kept().expect("a ban to keep");
        let request = b"REGISTER sip:a SIP/2.0\r\n";
        let flow = Flow::udp(0, "198.51.100.1:5060".parse().unwrap());

        let mut after = door();
        after.take_back(now, &kept);

        assert_eq!((kept.tenant, &kept.key[..]), (TenantId::SERVER, "198.51.100.1"));
        assert_eq!(kept.expires.map(|at| at.to_string()).as_deref(), Some("2026-01-01T00:01:00Z"));
        assert_eq!(after.admit(now.mono, flow, request), None);
        assert!(after.lift_ban(now.mono, "198.51.100.1".parse().unwrap()));
        assert_eq!(after.poll_kept(), Some(Kept { value: None, expires: None, ..kept }));
        assert_eq!(after.admit(now.mono, flow, request), Some(Urgency::Rest));
        assert!(!after.lift_ban(now.mono, "198.51.100.1".parse().unwrap()));
    }

    #[test]
    fn neither_carriers_nor_networks_without_limits_are_banned() {
        let config = DoorConfig {
            unlimited_from: vec![([203, 0, 113, 0].into(), 24)],
            engine: EngineNumber(1),
            software: "Tongdai".into(),
        };
        let mut door = Door::new(config, [7; 32]);
        door.set_directory(Arc::new(directory()));

        for source in ["192.0.2.9", "203.0.113.7"] {
            ban(&mut door, now(), source);
        }

        assert_eq!((door.banned(now().mono), door.poll_kept()), (0, None));
    }

    #[test]
    fn who_is_put_off_hears_when_to_come_back() {
        let mut door = door();
        let flow = Flow::udp(0, "198.51.100.1:5060".parse().unwrap());
        let request = |method: &str| {
            Bytes::from(format!(
                "{method} sip:pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;rport\r\n\
                 From: <sip:101@pbx.example>;tag=a\r\nTo: <sip:101@pbx.example>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n\r\n"
            ))
        };

        let answers: Vec<String> = ["REGISTER", "INVITE"]
            .iter()
            .filter_map(|method| door.put_off(flow, request(method)))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect();

        assert!(answers.iter().all(|text| text.starts_with("SIP/2.0 503 ")), "{answers:?}");
        assert!(answers[0].contains("Retry-After: 6\r\n") && answers[1].contains("Retry-After: 7\r\n"), "{answers:?}");
        assert_eq!((door.put_off(flow, request("ACK")), door.put_off(flow, Bytes::from("junk"))), (None, None));
    }
}
