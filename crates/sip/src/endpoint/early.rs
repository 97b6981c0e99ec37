//! A call of ours before it is answered: its early dialogs, one for each fork, and the PRACKs that they want (RFC 3262, 4).

use std::time::Instant;

use super::Endpoint;
use super::held::calling::Early;
use super::held::{Held, Stage, takes_update};
use super::news::News;
use super::sign_in::Challenged;
use super::transactions::Asked;
use crate::dialog::{Remote, own};
use crate::{CSeq, HeaderName, Headers, Method, RAck, Response};

/// Early dialogs of one call that are listened to.
const MAX_FORKS: usize = 16;

impl<K: Copy> Endpoint<K> {
    /// 101 to 199 came for the INVITE of a call.
    pub(super) fn on_early(&mut self, now: Instant, held: &mut Held<K>, response: Response) {
        let Some(fork) = self.hear_fork(held, &response) else { return };
        let rseq = self.rseq_of(&response);
        let Stage::Calling(calling) = &mut held.stage else { return };
        if !calling.is_wanted() {
            return self.try_cancel(now, held);
        }
        if let Some(rseq) = rseq
            && let Some(early) = calling.forks.get_mut(fork)
        {
            // RFC 3262 section 4: a copy has been acknowledged; what overtook another one comes again in its turn.
            if early.rseq.is_some_and(|last| last.wrapping_add(1) != rseq) {
                return;
            }
            early.rseq = Some(rseq);
            early.is_answered |= calling.body.is_some() && !response.body.is_empty();
            self.send_prack(now, held, fork, rseq, &response);
        }
        self.post.tell(News::Progress { key: held.key, dialog: held.id, fork: fork as u64, response });
        self.try_change(now, held);
    }

    /// The early dialog a response belongs to; None if there are too many.
    fn hear_fork(&mut self, held: &mut Held<K>, response: &Response) -> Option<usize> {
        let tag = response.headers.to().ok().and_then(|to| to.tag().map(own));
        let Stage::Calling(calling) = &mut held.stage else { return None };
        // Without a tag there is no dialog, only progress.
        let Some(tag) = tag else { return Some(calling.latest) };
        let fork = calling.forks.iter().position(|early| early.remote.tag.as_ref() == Some(&tag));
        if fork.is_none() && calling.forks.len() == MAX_FORKS {
            return None;
        }
        let remote = Remote::of_callee(response, Some(tag), &held.dialog.remote.target);
        let (flow, _) = self.post.way(held.dialog.next_hop, held.dialog.flow, &remote);
        let flow = (flow != held.dialog.flow).then_some(flow);
        let takes_update = takes_update(&response.headers);
        let fork = fork.unwrap_or_else(|| {
            calling.forks.push(Early::new(remote.clone()));
            calling.forks.len() - 1
        });
        calling.latest = fork;
        let early = &mut calling.forks[fork];
        early.flow = flow;
        early.takes_update = takes_update.unwrap_or(early.takes_update);
        early.remote = remote;
        Some(fork)
    }

    /// The number of a response that wants to be acknowledged.
    fn rseq_of(&self, response: &Response) -> Option<u32> {
        let wants = response.headers.has_token(&HeaderName::Require, "100rel") && self.supports("100rel");
        wants.then(|| response.headers.rseq().ok().flatten()).flatten()
    }

    fn send_prack(&mut self, now: Instant, held: &mut Held<K>, fork: usize, rseq: u32, response: &Response) {
        let Ok(cseq) = response.headers.cseq() else { return };
        let rack = RAck { rseq, cseq: CSeq { number: cseq.number, method: Method::Invite } };
        let headers = Headers::new().with(HeaderName::RAck, rack);
        let asked =
            Asked { method: Method::Prack, headers, body: None, challenged: Challenged::default(), fork: Some(fork) };
        self.send_in_dialog(now, held, Box::new(asked), None);
    }
}
