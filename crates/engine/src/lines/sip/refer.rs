//! REFER within a call (RFC 3515): the party asks us to call somebody in its place, and hears by NOTIFY what becomes of it.
//!
//!   REFER ──► 202, NOTIFY 100 ──► NOTIFY with the result, which ends the subscription that the REFER has made
//!
//! A party that wants no subscription gets none (RFC 4488). Whom we call, and how that is told, is the call's business.

use bytes::Bytes;
use model::{Reason, Text};
use sip::{Body, Event, HeaderName, Headers, Method, Request, Response, Scheme, ServerId, Uri};

use super::state::{SipLine, State};
use crate::lines::{End, LegNews};
use crate::step::Step;

/// How long a party may expect to wait for the result, in seconds: longer than anybody rings.
const WAITING: &str = "300";

/// The longest number that anybody dials.
const LONGEST: usize = 64;

/// What a party that has asked us to call somebody waits to hear.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Referral {
    open: Option<Wish>,
    /// The dialog has had a subscription: a further one is told apart by an id (RFC 3515, 2.4.6).
    was_asked: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wish {
    id: Option<u32>,
    /// The party wants to hear of it.
    is_told: bool,
}

impl SipLine {
    /// The party asks us to call somebody in its place.
    pub(super) fn on_refer(&mut self, step: &mut Step<'_>, server: ServerId, request: &Request) -> Option<LegNews> {
        let to = match self.wanted(&request.headers) {
            Ok(to) => to,
            Err(status) => {
                step.endpoint.respond(step.now.mono, server, request.response(status));
                return None;
            }
        };
        let is_told = !request.headers.has_token(&refer_sub(), "false");
        let mut response = request.response(202);
        if !is_told {
            response.headers.push(refer_sub(), "false");
        }
        step.endpoint.respond(step.now.mono, server, response);
        let id = request.headers.cseq().ok().map(|cseq| cseq.number).filter(|_| self.referral.was_asked);
        self.referral = Referral { open: Some(Wish { id, is_told }), was_asked: true };
        self.notify(step, 100);
        Some(LegNews::AsksTransfer { to })
    }

    /// Nobody was reached whom the party has asked us to call; or somebody was, where the leg ends for that.
    pub(super) fn tell_referred(&mut self, step: &mut Step<'_>, end: End) {
        let status = match end.reason {
            Reason::Transferred => 200,
            _ if end.sip < 300 => 487,
            _ => end.sip,
        };
        self.notify(step, status);
        self.referral.open = None;
    }

    /// Whom a REFER wants us to call, as somebody would dial it. An error is the status that refuses it.
    fn wanted(&self, headers: &Headers) -> Result<String, u16> {
        // A carrier gives nobody away, and before an answer there is nobody to be given.
        if self.is_carrier() || !matches!(self.state, State::Up(_)) {
            return Err(403);
        }
        if self.referral.open.is_some() {
            return Err(491);
        }
        let Ok(Some(to)) = headers.refer_to() else { return Err(400) };
        if matches!(to.uri.scheme, Scheme::Other(_)) {
            return Err(416);
        }
        let is_call = to.uri.params.get("method").is_none_or(|method| method.eq_ignore_ascii_case(b"INVITE"));
        // In whose place the call would stand is not for us to say yet (RFC 3891).
        if !is_call || to.uri.header("Replaces").is_some() {
            return Err(403);
        }
        Ok(number_in(&to.uri))
    }

    fn notify(&mut self, step: &mut Step<'_>, status: u16) {
        let (State::Up(up), Some(Wish { id, is_told: true })) = (&self.state, self.referral.open) else { return };
        let event = match id {
            Some(id) => Event::of("refer").with_id(id.to_string()),
            None => Event::of("refer"),
        };
        let state =
            if status < 200 { format!("active;expires={WAITING}") } else { "terminated;reason=noresource".into() };
        let headers = Headers::new().with(HeaderName::Event, event).with(HeaderName::SubscriptionState, state);
        let body = Body {
            content_type: Bytes::from_static(b"message/sipfrag;version=2.0"),
            bytes: Bytes::from(format!("SIP/2.0 {status} {}\r\n", Response::status_phrase(status))),
        };
        step.endpoint.request_in(step.now.mono, up.dialog, Method::Notify, headers, Some(body));
    }
}

/// Whether a REFER makes a subscription (RFC 4488).
fn refer_sub() -> HeaderName {
    HeaderName::from_static("Refer-Sub")
}

/// The number of an address. Where that is, is not followed: the tenant's own rules say how it is reached.
fn number_in(uri: &Uri) -> String {
    let user = uri.user_text().unwrap_or_default();
    let user = Text::lossy(&user);
    // `0900000001;phone-context=…` and the like: the number is what stands before.
    user.as_str().split(';').next().unwrap_or_default().chars().take(LONGEST).collect()
}
