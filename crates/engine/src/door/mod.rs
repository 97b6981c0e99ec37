//! Stands before the engine: limits by source, parses once, answers what needs no state, and says whose a message is.
//!
//! Before authentication almost nothing is allocated; nobody is told here which extensions exist.

mod bucket;
mod whose;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use model::{Directory, EngineNumber, Keyed};
use sip::{Flow, Framing, HeaderName, Message, Method, Request, Response, Scheme};

use self::bucket::Buckets;
use crate::edge::Whose;

/// The methods that we take, for Allow.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, INFO";

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
    /// Messages that are no SIP, or deserve no answer.
    pub dropped: u64,
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
        Self {
            config,
            directory: Arc::default(),
            buckets: Buckets::new(Keyed::new(&seed)),
            counts: DoorCounts::default(),
        }
    }

    /// Who is where, from here on.
    pub fn set_directory(&mut self, directory: Arc<Directory>) {
        self.directory = directory;
    }

    /// What it has done.
    pub fn counts(&self) -> DoorCounts {
        self.counts
    }

    /// Judges one datagram, or one message of a stream.
    pub fn receive(&mut self, now: Instant, flow: Flow, packet: Bytes) -> Knock {
        let source = flow.remote.ip();
        if !self.is_unlimited(source) && !self.buckets.take(now, source) {
            self.counts.limited += 1;
            return Knock::Drop;
        }
        // Keep-alives of phones behind NAT: blanks, or a few NULs.
        if packet.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0)) {
            return self.drop();
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
        // Nothing that a peer can require is supported (RFC 3261, 8.2.2.3).
        let mut required = request.headers.tokens(&HeaderName::Require).peekable();
        if required.peek().is_some() {
            let mut response = stamped(request, flow, 420);
            for option in required {
                response.headers.push(HeaderName::Unsupported, option.to_vec());
            }
            return response;
        }
        stamped(request, flow, 200)
            .with(HeaderName::Allow, ALLOW)
            .with(HeaderName::Accept, "application/sdp")
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

    fn is_unlimited(&self, source: IpAddr) -> bool {
        self.config.unlimited_from.iter().any(|(address, prefix)| {
            model::TrunkAddress { address: *address, prefix: *prefix, port: None }.contains((source, 0).into())
        })
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
    }

    #[test]
    fn options_is_answered_and_keep_alives_are_not() {
        let mut door = door();

        let answer = knock(&mut door, "198.51.100.1:5060", "OPTIONS sip:pbx.example", "sip:101@pbx.example", "");
        let Knock::Answer(bytes) = answer else { panic!("{answer:?}") };
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("SIP/2.0 200 OK\r\n"), "{text}");
        assert!(text.contains("received=198.51.100.1"), "{text}");

        let flow = Flow::udp(0, "198.51.100.1:5060".parse().unwrap());
        assert!(matches!(door.receive(crate::fixture::instant(), flow, Bytes::from("\r\n\r\n")), Knock::Drop));
    }
}
