//! SIP's one machine: every transaction, every dialog, what has to be sent again, and the wheel that says when.
//!
//! Takes parsed messages with the flow they came by, and orders that carry the asker's own key; gives messages to send
//! and news with that key. Branches, tags and CSeq are seen nowhere else. Knows no calls, no users and no sound, and
//! resolves no names: requests go to the flow they are given.
//!
//! | file | holds |
//! |---|---|
//! | `requests` | what comes in: copies, CANCEL, ACK, BYE, requests in dialogs |
//! | `serving` | answers, as ordered |
//! | `calling` | our requests, as ordered |
//! | `early` | early dialogs of our calls, and their PRACKs |
//! | `reliable` | provisional answers of ours that want a PRACK |
//! | `changes` | our re-INVITEs and UPDATEs |
//! | `session` | session timers |
//! | `sending` | our requests, as sent |
//! | `responses` | what comes back |
//! | `strays` | 2xx to INVITEs that nobody knows any more |
//! | `timers` | what time and lost connections bring |
//! | `held/` | one dialog, with the small machines inside it: they know no endpoint |
//! | `writing`, `head`, `draft` | what is written: in common, of an answer, of a request |

mod calling;
mod changes;
mod dialogs;
mod draft;
mod early;
mod facts;
mod head;
mod held;
mod identity;
mod ids;
mod news;
mod order;
mod post;
mod reliable;
mod requests;
mod responses;
mod sending;
mod serving;
mod session;
mod sign_in;
mod spoken;
mod strays;
mod table;
mod timers;
mod transactions;
mod writing;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use self::dialogs::Dialogs;
use self::held::{Held, Stage};
use self::identity::Identity;
pub use self::identity::mark_of;
pub use self::ids::{DialogId, ServerId};
pub use self::news::{Failure, Load, News, Output, Overload};
pub use self::order::{Body, EndpointConfig, Incoming, Invite, OutOfDialog, Provisional, SessionTimer};
use self::post::Post;
use self::sign_in::SignIn;
use self::strays::Strays;
use self::transactions::Transactions;
use self::writing::Own;
use crate::dialog::{Dialog, DialogSnapshot, may_follow};
use crate::digest::Login;
use crate::{Flow, Interface, Message, Uri, Wheel};

/// Extensions that only a REGISTER may ask for: the messages of dialogs do not offer them.
const OF_REGISTRARS: [&str; 2] = ["path", "outbound"];

/// Transactions and dialogs. `K` is the asker's name for whatever a dialog or request belongs to.
pub struct Endpoint<K> {
    post: Post<K>,
    transactions: Transactions<K>,
    dialogs: Dialogs<K>,
    /// Extensions that a request may require.
    supported: Vec<String>,
    session: Option<SessionTimer>,
    strays: Strays,
    /// CSeq of the latest request outside of a dialog.
    outside_cseq: u32,
}

impl<K: Copy> Endpoint<K> {
    /// An endpoint that makes its names and random numbers of `seed`.
    pub fn new(config: EndpointConfig, seed: [u8; 32]) -> Self {
        let post = Post {
            interfaces: config.interfaces,
            own: Own { software: config.software, allow: config.allow, supported: String::new() },
            identity: Identity::new(&config.mark, seed),
            wheel: Wheel::new(),
            out: VecDeque::new(),
        };
        let mut endpoint = Self {
            post,
            transactions: Transactions::new(config.max_transactions),
            dialogs: Dialogs::new(config.max_dialogs),
            supported: Vec::new(),
            session: config.session,
            strays: Strays::default(),
            outside_cseq: 0,
        };
        endpoint.support(&[]);
        endpoint
    }

    /// Takes requests that require these extensions (RFC 3261, 8.2.2.3), and says so in Supported; others get 420. None are
    /// taken at first but `timer`, if sessions are refreshed. With `100rel` provisional answers are acknowledged.
    pub fn support(&mut self, extensions: &[&str]) {
        let timer = self.session.is_some().then_some("timer").filter(|timer| !extensions.contains(timer));
        self.supported = extensions.iter().copied().chain(timer).map(str::to_owned).collect();
        let in_dialogs = self.supported.iter().filter(|extension| !OF_REGISTRARS.contains(&extension.as_str()));
        self.post.own.supported = in_dialogs.map(String::as_str).collect::<Vec<_>>().join(", ");
    }

    /// Something came.
    pub fn handle_message(&mut self, now: Instant, flow: Flow, message: Message) {
        match message {
            Message::Request(request) => self.on_request(now, flow, request),
            Message::Response(response) => self.on_response(now, flow, response),
        }
    }

    /// What to send and what to know, in order.
    pub fn poll_output(&mut self) -> Option<Output<K>> {
        self.post.out.pop_front()
    }

    /// When to call `handle_timeout`.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.post.wheel.poll_timeout()
    }

    /// The address of ours that this peer should see, in messages and in session descriptions.
    pub fn address_towards(&self, flow: Flow) -> SocketAddr {
        self.post.address_towards(flow)
    }

    /// Our interfaces.
    pub fn interfaces(&self) -> &[Interface] {
        &self.post.interfaces
    }

    /// What they are from here on: as many as before, in the same order.
    pub fn set_interfaces(&mut self, interfaces: Vec<Interface>) {
        self.post.interfaces = interfaces;
    }

    /// A Call-ID for requests that belong together without a dialog: a REGISTER and its refreshes.
    pub fn new_call_id(&mut self) -> Bytes {
        self.post.identity.call_id()
    }

    /// What has to be stored so that the dialog can be ended after a restart. None until it is answered.
    pub fn snapshot(&self, dialog: DialogId) -> Option<DialogSnapshot> {
        let held = self.dialogs.get(dialog)?;
        let is_answered = match &held.stage {
            Stage::Calling(_) => false,
            // The answer may wait for a PRACK, and go out long after the asker has stored what it was given.
            Stage::Offered(_) => held.reliable.as_ref().is_some_and(|reliable| reliable.has_answer()),
            _ => true,
        };
        is_answered.then(|| held.dialog.snapshot())
    }

    /// Takes a stored dialog up again.
    pub fn restore(&mut self, now: Instant, key: K, snapshot: DialogSnapshot) -> DialogId {
        let dialog = Dialog::from_snapshot(snapshot);
        // Requests find it by the number in its tag.
        let id = identity::number_in(&dialog.local_tag).map(DialogId).filter(|id| !self.dialogs.contains(*id));
        let id = id.unwrap_or_else(|| self.new_dialog_id());
        self.put(now, Box::new(Held::new(key, id, dialog, Stage::Confirmed)));
        id
    }

    /// What the dialog's challenges are answered with from now on, for one that was restored.
    pub fn set_login(&mut self, dialog: DialogId, login: Login) {
        if let Some(held) = self.dialogs.get_mut(dialog) {
            held.sign_in = Some(Box::new(SignIn::new(login)));
        }
    }

    /// Sends the dialog's requests this way from now on. Requests of theirs do the same by themselves.
    pub fn set_flow(&mut self, now: Instant, dialog: DialogId, flow: Flow) {
        if let Some(mut held) = self.dialogs.take(dialog) {
            held.dialog.flow = flow;
            self.put(now, held);
        }
    }

    /// Whether the connection is gone by which the dialog's peer was reached, whose Contact in it is this one.
    pub fn is_adrift(&self, dialog: DialogId, contact: &Uri) -> bool {
        self.dialogs.get(dialog).is_some_and(|held| {
            let Dialog { flow, remote, .. } = &held.dialog;
            let is_lost = flow.transport.is_reliable() && flow.connection == 0;
            is_lost && Uri::parse(remote.target.clone()).is_ok_and(|target| target.is_same_as(contact))
        })
    }

    /// Sends the dialog's requests to where the host that `News::Locate` named was found. A place that is private where the
    /// peer's is not, or not secured where the way so far is, is passed over.
    pub fn located(&mut self, now: Instant, dialog: DialogId, flow: Flow) {
        if self.dialogs.get(dialog).is_some_and(|held| may_follow(held.dialog.flow, flow)) {
            self.set_flow(now, dialog, flow);
        }
    }

    /// Whether the other side says that it takes an UPDATE (RFC 3311).
    pub fn takes_update(&self, dialog: DialogId) -> bool {
        self.dialogs.get(dialog).is_some_and(|held| match &held.stage {
            Stage::Calling(calling) => calling.forks.get(calling.latest).is_some_and(|early| early.takes_update),
            _ => held.takes_update,
        })
    }

    /// What is kept, for metrics and leak checks.
    pub fn load(&self) -> Load {
        Load { transactions: self.transactions.len(), dialogs: self.dialogs.len() }
    }

    fn new_dialog_id(&mut self) -> DialogId {
        loop {
            let id = DialogId(self.post.identity.fresh());
            if !self.dialogs.contains(id) {
                return id;
            }
        }
    }

    fn supports(&self, extension: &str) -> bool {
        self.supported.iter().any(|supported| supported.eq_ignore_ascii_case(extension))
    }

    /// Finds out where the dialog's requests go now that its routes or its target are fresh.
    fn find_way(&mut self, held: &mut Held<K>) {
        let (flow, unknown) = self.post.way(held.dialog.next_hop, held.dialog.flow, &held.dialog.remote);
        held.dialog.flow = flow;
        let Some(uri) = unknown.filter(|_| !held.is_ending()) else { return };
        let located = self.post.identity.fingerprint([&uri.print()[..]]);
        if std::mem::replace(&mut held.located, located) != located {
            self.post.tell(News::Locate { key: held.key, dialog: held.id, uri });
        }
    }

    /// Ends a step of a dialog.
    fn put(&mut self, now: Instant, held: Box<Held<K>>) {
        if matches!(held.stage, Stage::Lingering) && held.our_invite.is_none() {
            return;
        }
        self.dialogs.put(now, held, &mut self.post);
    }
}

#[cfg(test)]
mod tests;
