//! Requests of theirs, as they come in.

use std::time::Instant;

use bytes::Bytes;

use super::Endpoint;
use super::facts::Facts;
use super::head::{Answer, Head};
use super::held::calling::Cancel;
use super::held::session::Grant;
use super::held::{Held, Stage, TheirOffer, Whose};
use super::ids::{DialogId, ServerId};
use super::news::News;
use super::order::Incoming;
use super::post::refreshes_target;
use super::transactions::{Server, ServerMachine};
use super::{identity, serving};
use crate::transaction::{InviteServer, PlainServer};
use crate::{Flow, HeaderName, Headers, Method, Request};

/// Requests of theirs in one dialog that may wait for an answer at a time.
const MAX_UNANSWERED: usize = 32;

impl<K: Copy> Endpoint<K> {
    pub(super) fn on_request(&mut self, now: Instant, flow: Flow, mut request: Request) {
        let Ok(via) = request.stamp(flow.remote) else { return };
        let Some(facts) = Facts::read(&self.post.identity, &request, &via) else { return };
        match request.method {
            Method::Ack => return self.on_ack(now, flow, request, &facts),
            Method::Cancel => return self.on_cancel(now, flow, &request, &facts),
            _ => {}
        }
        if let Some(server) = self.transactions.server(facts.server) {
            if let Some(bytes) = server.machine.on_request() {
                self.post.send(flow, bytes);
            }
        } else if facts.to_tag.is_some() {
            self.on_request_in_dialog(now, flow, request, &facts);
        } else {
            self.on_request_outside(flow, request, facts);
        }
    }

    /// RFC 3261, 8.2. What is refused here is refused alike when it is sent again, so nothing is kept.
    fn on_request_outside(&mut self, flow: Flow, request: Request, facts: Facts) {
        let needs_dialog = matches!(request.method, Method::Bye | Method::Prack | Method::Info | Method::Update);
        let status = if needs_dialog {
            481
        } else if self.transactions.is_merged(facts.merged) {
            482
        } else if may_travel(&request.method) && request.headers.max_forwards() == Ok(Some(0)) {
            483
        } else if request.method == Method::Invite && request.headers.contact().is_err() {
            400
        } else {
            0
        };
        if status != 0 {
            return self.answer_at_once(flow, &request, &facts, &Answer::new(status));
        }
        let unsupported = self.unsupported(&request);
        if !unsupported.is_empty() {
            let headers = Headers::new().with(HeaderName::Unsupported, unsupported);
            let answer = Answer { headers: Some(&headers), ..Answer::new(420) };
            return self.answer_at_once(flow, &request, &facts, &answer);
        }
        if request.method == Method::Invite
            && let Some(Grant::TooBrief(least)) = self.session.map(|session| session.grant(&request.headers, None))
        {
            let headers = Headers::new().with(HeaderName::MinSe, least.to_string());
            let answer = Answer { headers: Some(&headers), ..Answer::new(422) };
            return self.answer_at_once(flow, &request, &facts, &answer);
        }
        self.post.tell(News::Incoming(Incoming { flow, request, facts }));
    }

    fn on_request_in_dialog(&mut self, now: Instant, flow: Flow, request: Request, facts: &Facts) {
        let found = self.find(&request, facts);
        let Some((mut held, fork)) = found.and_then(|(id, fork)| Some((self.dialogs.take(id)?, fork))) else {
            return self.answer_at_once(flow, &request, facts, &Answer::new(481));
        };
        // RFC 3261 section 12.2.2.
        if held.remote_cseq(fork).is_some_and(|last| last >= facts.cseq) {
            self.put(now, held);
            return self.answer_at_once(flow, &request, facts, &Answer::new(500));
        }
        if request.method == Method::Bye {
            *held.remote_cseq(fork) = Some(facts.cseq);
            return self.on_bye(now, flow, held, request, facts);
        }
        if held.is_ending() {
            self.put(now, held);
            return self.answer_at_once(flow, &request, facts, &Answer::new(481));
        }
        if self.transactions.is_overfull() || held.unanswered.len() >= MAX_UNANSWERED {
            self.put(now, held);
            return self.refuse_at_once(flow, &request, facts);
        }
        *held.remote_cseq(fork) = Some(facts.cseq);
        held.follow(flow);
        let server = self.open_server(flow, &request, facts, held.id);
        if let Some((status, headers)) = self.refusal_in(&held, fork, server, &request) {
            self.answer_server(now, server, Answer { headers: Some(&headers), ..Answer::new(status) });
            return self.put(now, held);
        }
        if request.method == Method::Invite {
            held.their_invite = Some(server);
            held.their_offer = if request.body.is_empty() { TheirOffer::Missing } else { TheirOffer::Open };
        } else {
            held.unanswered.push(server);
            if request.method == Method::Update && !request.body.is_empty() {
                held.their_update = Some(server);
            }
        }
        if refreshes_target(&request.method) {
            held.note_allow(&request.headers);
            self.refresh_target(&mut held, fork, &request);
        }
        let request = match request.method {
            Method::Prack => self.on_prack(now, &mut held, server, request),
            _ => Some(request),
        };
        if let Some(request) = request {
            self.post.tell(News::Request { key: held.key, dialog: held.id, fork: fork as u64, server, request });
        }
        self.put(now, held);
    }

    /// What is refused before the asker hears of it: what asks for things unknown, offers that meet (RFC 3261, 14.2; RFC 3311, 5.2; RFC 6337, 2.3), and
    /// sessions that are too brief.
    fn refusal_in(
        &mut self,
        held: &Held<K>,
        fork: usize,
        server: ServerId,
        request: &Request,
    ) -> Option<(u16, Headers)> {
        let later = |endpoint: &mut Self| {
            let seconds = endpoint.post.identity.below(11).to_string();
            Some((500, Headers::new().with(HeaderName::RetryAfter, seconds)))
        };
        let unsupported = self.unsupported(request);
        if !unsupported.is_empty() {
            return Some((420, Headers::new().with(HeaderName::Unsupported, unsupported)));
        }
        let offers = !request.body.is_empty();
        match request.method {
            Method::Invite if held.their_invite.is_some() || held.their_update.is_some() => return later(self),
            Method::Invite if held.our_invite.is_some() => return Some((491, Headers::new())),
            Method::Invite | Method::Update if offers || request.method == Method::Invite => {
                match held.open_offer(fork) {
                    Some(Whose::Ours) => return Some((491, Headers::new())),
                    Some(Whose::Theirs) => return later(self),
                    None => {}
                }
            }
            Method::Update => {}
            _ => return None,
        }
        if !matches!(held.stage, Stage::Confirmed) {
            return None;
        }
        let current = held.session.as_ref().map(|session| session.we_refresh);
        match self.session?.grant(&request.headers, current) {
            Grant::TooBrief(least) => Some((422, Headers::new().with(HeaderName::MinSe, least.to_string()))),
            Grant::Session(spoken) => {
                if let Some(server) = self.transactions.server(server) {
                    server.session = Some(spoken);
                }
                None
            }
            Grant::Nothing => None,
        }
    }

    /// Takes over the Contact of a request of theirs.
    fn refresh_target(&mut self, held: &mut Held<K>, fork: usize, request: &Request) {
        match &mut held.stage {
            Stage::Calling(calling) => {
                let Some(early) = calling.forks.get_mut(fork) else { return };
                early.remote.refresh_target(&request.headers);
                let (flow, _) = self.post.way(held.dialog.next_hop, held.dialog.flow, &early.remote);
                early.flow = (flow != held.dialog.flow).then_some(flow);
            }
            _ => {
                held.dialog.refresh_target(&request.headers);
                self.find_way(held);
            }
        }
    }

    fn on_bye(&mut self, now: Instant, flow: Flow, mut held: Box<Held<K>>, request: Request, facts: &Facts) {
        let server = self.open_server(flow, &request, facts, held.id);
        self.answer_server(now, server, Answer::new(200));
        let (key, dialog) = (held.key, held.id);
        match &held.stage {
            // Only a caller may end an early dialog by BYE; a callee that does will not answer any more.
            Stage::Calling(calling) => {
                if matches!(calling.cancel, Cancel::NotAsked) {
                    self.cancel_invite(now, &mut held, Headers::new());
                }
                self.put(now, held);
            }
            Stage::Forked | Stage::Ending | Stage::Lingering => self.put(now, held),
            Stage::Hanging { .. } => self.close(now, &held),
            Stage::Offered(_) | Stage::Confirmed => {
                self.linger(now, held);
                self.post.tell(News::Bye { key, dialog, request });
            }
        }
    }

    fn on_ack(&mut self, now: Instant, flow: Flow, request: Request, facts: &Facts) {
        if let Some(server) = self.transactions.server(facts.server)
            && let ServerMachine::Invite(machine) = &mut server.machine
            && machine.wants_ack()
        {
            machine.on_ack(now);
            return self.transactions.settle_server(facts.server, false, &mut self.post);
        }
        let found = self.find(&request, facts).and_then(|(id, _)| self.dialogs.take(id));
        let Some(mut held) = found else { return };
        if let Some(acked) = held.resending.iter().position(|resending| resending.cseq == facts.cseq) {
            held.resending.swap_remove(acked);
            held.follow(flow);
            match &mut held.stage {
                Stage::Confirmed => {
                    self.post.tell(News::Acked { key: held.key, dialog: held.id, request });
                    self.try_change(now, &mut held);
                }
                Stage::Hanging { headers } if held.resending.is_empty() => {
                    let headers = std::mem::take(headers);
                    self.send_bye(now, &mut held, headers);
                }
                _ => {}
            }
        }
        self.put(now, held);
    }

    /// RFC 3261, 9.2.
    fn on_cancel(&mut self, now: Instant, flow: Flow, request: &Request, facts: &Facts) {
        let Some(server) = self.transactions.server(facts.server) else {
            return self.answer_at_once(flow, request, facts, &Answer::new(481));
        };
        let (dialog, is_open) = (server.dialog, server.machine.is_open());
        let answer = Answer { tag: Some(server.tag), ..Answer::new(200) };
        self.answer_at_once(flow, request, facts, &answer);
        if !is_open {
            return;
        }
        self.answer_server(now, facts.server, Answer::new(487));
        let Some(mut held) = dialog.and_then(|dialog| self.dialogs.take(dialog)) else { return };
        held.their_invite = None;
        if matches!(held.stage, Stage::Offered(_)) {
            self.close(now, &held);
            let request = Some(request.clone());
            self.post.tell(News::Cancelled { key: held.key, dialog: held.id, request });
        } else {
            self.try_change(now, &mut held);
            self.put(now, held);
        }
    }

    /// The dialog a request names, and which of its early ones.
    fn find(&self, request: &Request, facts: &Facts) -> Option<(DialogId, usize)> {
        let to_tag = facts.to_tag.as_ref()?;
        let id = DialogId(identity::number_in(to_tag)?);
        let held = self.dialogs.get(id)?;
        let call_id = request.headers.call_id().ok()?;
        Some((id, held.is_addressed(call_id, to_tag, facts.from_tag.as_ref())?))
    }

    /// Opens the transaction of a request in a dialog.
    fn open_server(&mut self, flow: Flow, request: &Request, facts: &Facts, dialog: DialogId) -> ServerId {
        let head = Head::of(request, true);
        let machine = match request.method {
            Method::Invite => {
                let trying = self.post.answer(&head, &Answer::new(100));
                self.post.send(flow, trying.clone());
                ServerMachine::Invite(InviteServer::start(trying))
            }
            _ => ServerMachine::Plain(PlainServer::start()),
        };
        let server = Server::new(machine, flow, head, &request.method, facts.cseq, 0);
        self.transactions.insert_server(facts.server, server.in_dialog(dialog), &mut self.post);
        facts.server
    }

    /// Answers without keeping anything; a request that is sent again gets the same tag.
    pub(super) fn answer_at_once(&mut self, flow: Flow, request: &Request, facts: &Facts, answer: &Answer<'_>) {
        let head = Head::of(request, facts.to_tag.is_some());
        let tag = answer.tag.or(Some(facts.stateless_tag()));
        let bytes = self.post.answer(&head, &Answer { tag, ..*answer });
        self.post.send(flow, bytes);
    }

    /// Too much is going on.
    pub(super) fn refuse_at_once(&mut self, flow: Flow, request: &Request, facts: &Facts) {
        let headers = Headers::new().with(HeaderName::RetryAfter, serving::RETRY_AFTER);
        self.answer_at_once(flow, request, facts, &Answer { headers: Some(&headers), ..Answer::new(503) });
    }

    fn unsupported(&self, request: &Request) -> Bytes {
        let is_unknown = |extension: &&[u8]| {
            !self.supported.iter().any(|supported| supported.as_bytes().eq_ignore_ascii_case(extension))
        };
        let required = request.headers.tokens(&HeaderName::Require);
        required.filter(is_unknown).collect::<Vec<_>>().join(&b", "[..]).into()
    }
}

/// Whether a request of this method may be sent on by us: only those count hops.
fn may_travel(method: &Method) -> bool {
    !matches!(method, Method::Options | Method::Register)
}
