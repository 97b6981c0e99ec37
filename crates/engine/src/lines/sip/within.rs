//! What happens within a dialog that both sides know: new offers, keys, questions, and what becomes of our own offers.

use bytes::Bytes;
use media::Codec;
use model::Reason;
use sip::sdp::{self, BodyTrouble};
use sip::{Body, HeaderName, Headers, Method, Request, Response, ServerId};

use super::causes::because;
use super::formats::word;
use super::keys::{self, Form};
use super::negotiation::Change;
use super::party;
use super::state::{SipLine, State};
use crate::abilities::{ACCEPT, ALLOW};
use crate::lines::{End, LegNews};
use crate::step::Step;

/// The session description of a message; None: it has none. An error is the status that a request with such a body gets.
pub(super) fn description(headers: &Headers, body: &Bytes) -> Result<Option<Bytes>, u16> {
    sdp::of_body(headers, body).map_err(BodyTrouble::status)
}

/// Answers a re-INVITE or an UPDATE, or refuses it.
pub(super) fn respond(step: &mut Step<'_>, server: ServerId, request: &Request, answer: Result<Option<Body>, u16>) {
    let response = match answer {
        Ok(body) => {
            let mut response = request.response(200).with(HeaderName::Allow, ALLOW);
            if let Some(Body { content_type, bytes }) = body {
                response.set_body(content_type, bytes);
            }
            response
        }
        Err(415) => request.response(415).with(HeaderName::Accept, ACCEPT),
        Err(500) => request.response(500).with(HeaderName::RetryAfter, "2"),
        Err(status) => request.response(status),
    };
    step.endpoint.respond(step.now.mono, server, response);
}

impl SipLine {
    /// A request of the party.
    pub(super) fn on_request(
        &mut self,
        step: &mut Step<'_>,
        at: usize,
        fork: u64,
        server: ServerId,
        request: &Request,
    ) -> Option<LegNews> {
        match request.method {
            Method::Invite | Method::Update | Method::Prack if matches!(self.state, State::Inviting { .. }) => {
                self.on_early_request(step, at, fork, server, request);
                None
            }
            Method::Invite | Method::Update | Method::Prack => self.on_reoffer(step, server, request),
            Method::Info => self.on_info(step, server, request),
            Method::Refer => self.on_refer(step, server, request),
            Method::Options => {
                let response = request.response(200).with(HeaderName::Allow, ALLOW).with(HeaderName::Accept, ACCEPT);
                step.endpoint.respond(step.now.mono, server, response);
                None
            }
            _ => {
                let status = if matches!(request.method, Method::Other(_)) { 501 } else { 405 };
                let response = request.response(status).with(HeaderName::Allow, ALLOW);
                step.endpoint.respond(step.now.mono, server, response);
                None
            }
        }
    }

    /// The ACK to our 2xx: the answer to an offer of ours stands in it.
    pub(super) fn on_acked(&mut self, step: &mut Step<'_>, request: &Request) -> Option<LegNews> {
        let sound = self.sound.as_mut().filter(|sound| sound.talk().is_owed_answer())?;
        let before = sound.talk().codec();
        let answer = description(&request.headers, &request.body).ok().flatten();
        let change = match answer {
            Some(answer) => sound.talk_mut().take_answer(&answer),
            None => sound.talk_mut().take_answer(&Bytes::new()),
        };
        sound.tell(step);
        match (change, before, &self.state) {
            (Ok(change), _, _) => self.changed(change, before),
            // A session that was agreed on stays as it was.
            (Err(_), Some(_), _) | (Err(_), None, State::Invited { .. }) => None,
            (Err(_), None, _) => {
                let end = End::from(Reason::NoCommonCodec);
                if let State::Up(up) = &self.state {
                    step.endpoint.bye(step.now.mono, up.dialog, because(end));
                }
                self.gone(step, end, false)
            }
        }
    }

    /// What became of a re-INVITE or UPDATE of ours.
    pub(super) fn on_changed(&mut self, step: &mut Step<'_>, result: Result<Response, Response>) -> Option<LegNews> {
        let State::Up(up) = &self.state else { return None };
        let dialog = up.dialog;
        match result {
            Ok(response) => {
                // An offer of theirs may have been answered while ours was tried again: what they said last counts then too.
                let sound = self.sound.as_mut()?;
                let before = sound.talk().codec();
                let answer = description(&response.headers, &response.body).ok().flatten()?;
                let change = sound.talk_mut().take_answer(&answer);
                sound.tell(step);
                change.map_or(None, |change| self.changed(change, before))
            }
            // The party knows nothing of the call any more (RFC 3261, 12.2.1.2).
            Err(response) if matches!(response.status, 408 | 481) => {
                let end = End::from(Reason::Unreachable);
                step.endpoint.bye(step.now.mono, dialog, because(end));
                self.gone(step, end, false)
            }
            Err(_) => {
                if let Some(sound) = &mut self.sound {
                    sound.talk_mut().forget_offer();
                }
                None
            }
        }
    }

    /// A sign of life is due: our description as it stands.
    pub(super) fn refresh(&mut self, step: &mut Step<'_>, headers: Headers) {
        let (State::Up(up), Some(sound)) = (&self.state, &mut self.sound) else { return };
        let body = Body::sdp(sound.talk_mut().present());
        step.endpoint.reinvite(step.now.mono, up.dialog, headers, Some(body));
    }

    /// The party learns whom it talks with now (RFC 3325): by UPDATE where it takes one, else by re-INVITE.
    pub(super) fn identify(&mut self, step: &mut Step<'_>, number: &str, name: Option<&str>) {
        let State::Up(up) = &self.state else { return };
        let dialog = up.dialog;
        let headers = Headers::new().with(HeaderName::PAssertedIdentity, party(step, up.flow, number, name));
        if step.endpoint.takes_update(dialog) {
            step.endpoint.update(step.now.mono, dialog, headers, None);
        } else {
            self.refresh(step, headers);
        }
    }

    /// Goes over to the codec of the other side, if the party can: nothing need be translated then.
    pub(super) fn speak(&mut self, step: &mut Step<'_>, codec: Codec) {
        let (State::Up(up), Some(sound)) = (&self.state, &mut self.sound) else { return };
        if let Some(offer) = sound.talk_mut().offer_of(codec) {
            step.endpoint.reinvite(step.now.mono, up.dialog, Headers::new(), Some(Body::sdp(offer)));
        }
    }

    fn on_reoffer(&mut self, step: &mut Step<'_>, server: ServerId, request: &Request) -> Option<LegNews> {
        let source = request.headers.via().ok().and_then(|via| via.received());
        let Some(sound) = &mut self.sound else {
            respond(step, server, request, Err(488));
            return None;
        };
        let before = sound.talk().codec();
        let offer = match description(&request.headers, &request.body) {
            Ok(offer) => offer,
            Err(status) => {
                respond(step, server, request, Err(status));
                return None;
            }
        };
        if let Some(source) = source {
            sound.set_source(source);
        }
        let (answer, change) = match offer {
            // Before our answer to the INVITE there is nothing that could be changed (RFC 3311, 5.2).
            Some(_) if sound.talk().owes_answer() => (Err(500), Change::Same),
            Some(offer) => match sound.talk_mut().reoffer(&offer) {
                Ok((answer, change)) => (Ok(Some(Body::sdp(answer))), change),
                Err(_) => (Err(488), Change::Same),
            },
            // Without an offer an INVITE asks for ours (RFC 3261, 14.2); an UPDATE only says that its sender is there.
            None if request.method == Method::Invite => (Ok(Some(Body::sdp(sound.talk_mut().offer()))), Change::Same),
            None => (Ok(None), Change::Same),
        };
        sound.tell(step);
        respond(step, server, request, answer);
        self.changed(change, before)
    }

    fn on_info(&mut self, step: &mut Step<'_>, server: ServerId, request: &Request) -> Option<LegNews> {
        let key = keys::in_info(request);
        let status = if key.is_some() || request.body.is_empty() { 200 } else { 415 };
        step.endpoint.respond(step.now.mono, server, request.response(status));
        let key = key?;
        if !self.presses.is_new(step.now.mono, key, Form::Signalling) {
            return None;
        }
        if let Some(sound) = &mut self.sound {
            sound.key(step, key);
            if !sound.talk().takes_keys() {
                sound.tell_keys_in_signalling(step);
            }
        }
        Some(LegNews::Key(key))
    }

    /// What a change of the agreement means for the call.
    fn changed(&self, change: Change, before: Option<Codec>) -> Option<LegNews> {
        if !matches!(self.state, State::Up(_)) {
            return None;
        }
        let now = self.sound.as_ref().and_then(|sound| sound.talk().codec());
        match change {
            Change::Held => Some(LegNews::Held),
            Change::Resumed => Some(LegNews::Resumed),
            Change::Same if before.is_some() && now != before => now.map(|codec| LegNews::Speaks(word(codec))),
            Change::Same => None,
        }
    }
}
