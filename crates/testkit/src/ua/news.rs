//! What a user agent makes of the SIP machine's news.

use std::time::Instant;

use sip::{Body, HeaderName, Headers, Incoming, Method, News, NextHop, Request, Response, ServerId};

use super::agent::{allow, text};
use super::call::{Call, Hold, Stage};
use super::key::Key;
use super::talk::{Change, Talk};
use super::{CallNo, EndedBy, Event, UserAgent};

impl UserAgent {
    pub(crate) fn on_news(&mut self, now: Instant, news: News<Key>) {
        match news {
            News::Incoming(incoming) if incoming.request.method == Method::Invite => self.on_invite(now, incoming),
            News::Incoming(incoming) => self.on_question(&incoming),
            News::Progress { key: Key::Call(call), response, .. } => self.on_progress(call, &response),
            News::Answered { key: Key::Call(call), response, .. } => self.on_answered(now, call, &response),
            News::Refused { key: Key::Call(call), response, .. } => {
                self.finish(Event::Refused { call, status: response.status });
            }
            News::Failed { key: Key::Call(call), .. } => self.finish(Event::Failed { call }),
            News::Cancelled { key: Key::Call(call), .. } => self.finish(Event::Cancelled { call }),
            News::Acked { key: Key::Call(call), request, .. } => {
                if let Some(ours) = self.calls.get_mut(&call)
                    && !request.body.is_empty()
                    && ours.talk.take_answer(&request.body).is_ok()
                {
                    self.tell_sound(call);
                }
            }
            News::NeverAcked { key: Key::Call(call), .. } => {
                self.finish(Event::Ended { call, by: EndedBy::Nobody, reason: None });
            }
            News::Expired { key: Key::Call(call), .. } => {
                self.finish(Event::Ended { call, by: EndedBy::Nobody, reason: None });
            }
            News::Bye { key: Key::Call(call), request, .. } => self.on_bye(call, &request),
            News::Request { key: Key::Call(call), server, request, .. } => {
                self.on_request(now, call, server, &request);
            }
            News::ReinviteDone { key: Key::Call(call), result, .. } => self.on_reinvite_done(call, result),
            News::Response { key: Key::Registration, response, .. } => self.on_registered(now, &response),
            News::RequestFailed { key: Key::Registration, .. } => self.on_not_registered(now, None),
            // Dialogs carry the key of a call, requests outside of them that of the registration.
            _ => {}
        }
    }

    fn on_invite(&mut self, now: Instant, incoming: Incoming) {
        let request = incoming.request.clone();
        let Some(local) = self.free_addresses.pop_front() else {
            return self.endpoint.answer_stateless(&incoming, request.response(486));
        };
        let call = self.next_call();
        let mut talk = Talk::new(local, &self.config.codecs, call.0);
        if talk.take_offer(&request.body).is_err() {
            self.free_addresses.push_front(local);
            return self.endpoint.answer_stateless(&incoming, request.response(488));
        }
        let Ok(dialog) = self.endpoint.accept(now, Key::Call(call), incoming, NextHop::Flow) else {
            self.free_addresses.push_front(local);
            return;
        };
        let called = text(&request.uri.user_text().unwrap_or_default());
        let from = request.headers.from().ok();
        let from = from.and_then(|from| from.uri.user_text().map(|user| text(&user))).unwrap_or_default();
        let behaviour = self.behaviour_for(&called).clone();
        let steps = behaviour.on_call.clone();
        let stage = Stage::Invited;
        self.calls.insert(call, Call { dialog, stage, talk, behaviour, holding: None, is_holding: false });
        self.tell(Event::IncomingCall { call, from, called, headers: request.headers });
        self.plan(now, call, &steps);
    }

    /// A request outside of a dialog that is no INVITE.
    fn on_question(&mut self, incoming: &Incoming) {
        let status = if incoming.request.method == Method::Options { 200 } else { 405 };
        let mut response = incoming.request.response(status);
        response.headers.extend(&allow());
        self.endpoint.answer_stateless(incoming, response);
    }

    fn on_progress(&mut self, call: CallNo, response: &Response) {
        let Some(ours) = self.calls.get_mut(&call) else { return };
        let Stage::Calling { rang, heard } = &mut ours.stage else { return };
        let is_first_sound = !response.body.is_empty() && !*heard;
        let is_first_ring = response.status == 180 && !*rang;
        *rang |= is_first_ring;
        if is_first_sound && ours.talk.take_answer(&response.body).is_ok() {
            *heard = true;
            self.tell_sound(call);
            self.tell(Event::EarlyMedia { call });
        }
        if is_first_ring {
            self.tell(Event::Ringing { call });
        }
    }

    fn on_answered(&mut self, now: Instant, call: CallNo, response: &Response) {
        let Some(ours) = self.calls.get_mut(&call) else { return };
        ours.stage = Stage::Up;
        if ours.talk.take_answer(&response.body).is_ok() {
            return self.on_up(now, call);
        }
        // Nothing can be heard in it.
        self.endpoint.bye(now, ours.dialog, Headers::new());
        self.finish(Event::Ended { call, by: EndedBy::Us, reason: None });
    }

    fn on_bye(&mut self, call: CallNo, request: &Request) {
        let Some(ours) = self.calls.get(&call) else { return };
        if ours.stage != Stage::Up {
            return self.finish(Event::Cancelled { call });
        }
        let reason = request.headers.get(&HeaderName::Reason).map(|reason| text(reason));
        self.finish(Event::Ended { call, by: EndedBy::Them, reason });
    }

    fn on_request(&mut self, now: Instant, call: CallNo, server: ServerId, request: &Request) {
        let response = match request.method {
            Method::Invite => self.on_reoffer(call, request),
            Method::Update if !request.body.is_empty() => self.on_reoffer(call, request),
            Method::Update | Method::Info | Method::Options => request.response(200),
            _ => {
                let mut response = request.response(405);
                response.headers.extend(&allow());
                response
            }
        };
        self.endpoint.respond(now, server, response);
    }

    fn on_reoffer(&mut self, call: CallNo, request: &Request) -> Response {
        let Some(ours) = self.calls.get_mut(&call) else { return request.response(481) };
        let Ok((Body { content_type, bytes }, change)) = ours.talk.reoffer(&request.body) else {
            return request.response(488);
        };
        self.tell_sound(call);
        match change {
            Change::Held => self.tell(Event::HeldBy { call }),
            Change::Resumed => self.tell(Event::ResumedBy { call }),
            Change::Same => {}
        }
        let mut response = request.response(200);
        response.set_body(content_type, bytes);
        response
    }

    fn on_reinvite_done(&mut self, call: CallNo, result: Result<Response, Response>) {
        let Some(ours) = self.calls.get_mut(&call) else { return };
        let Some(hold) = ours.holding.take() else { return };
        let status = match result {
            Ok(response) if ours.talk.take_answer(&response.body).is_ok() => {
                ours.is_holding = hold == Hold::Hold;
                self.tell_sound(call);
                return self.tell(match hold {
                    Hold::Hold => Event::Held { call },
                    Hold::Resume => Event::Resumed { call },
                });
            }
            Ok(_) => 488,
            Err(response) => response.status,
        };
        ours.talk.withdraw_hold();
        self.tell(Event::HoldRefused { call, status });
    }
}
