//! The tables of open and finished transactions, ours and theirs.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use bytes::Bytes;

use super::head::Head;
use super::ids::{ClientId, DialogId, ServerId, Timer};
use super::order::{Body, OutOfDialog};
use super::post::{Post, refreshes_target};
use super::sign_in::{Challenged, SignIn};
use super::spoken::Spoken;
use super::table::Table;
use crate::transaction::{InviteClient, InviteServer, PlainClient, PlainServer};
use crate::{Flow, Headers, Method};

/// A request of ours.
#[derive(Debug)]
pub(crate) struct Client<K> {
    pub machine: ClientMachine,
    /// Where its messages go.
    pub flow: Flow,
    /// Too long for UDP, so tried by TCP first; the dialog's or order's own flow is left if that fails.
    pub is_by_tcp: bool,
    pub purpose: Purpose<K>,
    armed: Option<Instant>,
}

#[derive(Debug)]
pub(crate) enum ClientMachine {
    Invite(InviteClient),
    Plain(PlainClient),
}

/// What a request of ours is for.
#[derive(Debug)]
pub(crate) enum Purpose<K> {
    /// The key is for forks that answer when the dialog is gone.
    Invite(DialogId, K),
    Reinvite(DialogId),
    Update(DialogId),
    /// Nobody waits for how it ends.
    Cancel,
    /// A BYE in a dialog that is not kept.
    Farewell,
    Bye(DialogId, Box<Asked>),
    InDialog(DialogId, Box<Asked>),
    Outside(Box<Outside<K>>),
}

/// A request in a dialog as it was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub method: Method,
    pub headers: Headers,
    pub body: Option<Body>,
    pub challenged: Challenged,
    /// The early dialog it belongs to; None: the one that was heard of last.
    pub fork: Option<usize>,
}

/// A request outside of a dialog as it was asked for.
#[derive(Debug)]
pub(crate) struct Outside<K> {
    pub key: K,
    pub order: OutOfDialog,
    pub call_id: Bytes,
    pub from: Bytes,
    pub sign_in: Option<SignIn>,
    pub challenged: Challenged,
}

/// A request of theirs.
#[derive(Debug)]
pub(crate) struct Server {
    pub machine: ServerMachine,
    /// Where it came from, and where answers go.
    pub flow: Flow,
    /// For answers; gone after the final one.
    pub head: Option<Box<Head>>,
    pub dialog: Option<DialogId>,
    /// Whether its answers carry a Contact.
    pub needs_contact: bool,
    /// What a 2xx to it grants.
    pub session: Option<Spoken>,
    pub cseq: u32,
    /// The number in the tag of answers whose request has none.
    pub tag: u64,
    /// None for a request in a dialog.
    pub merged: Option<u64>,
    armed: Option<Instant>,
}

#[derive(Debug)]
pub(crate) enum ServerMachine {
    Invite(InviteServer),
    Plain(PlainServer),
}

pub(crate) struct Transactions<K> {
    clients: Table<ClientId, Box<Client<K>>>,
    servers: Table<ServerId, Box<Server>>,
    /// Requests outside of dialogs, by what is equal in their copies.
    merged: Table<u64, ServerId>,
    /// Requests of ours that are under way on a connection.
    on_connections: BTreeSet<(Flow, ClientId)>,
    /// Answered ones, oldest first.
    finished: VecDeque<Timer>,
    /// How many have no final response.
    open: usize,
    limit: usize,
}

impl<K> Client<K> {
    pub(crate) fn new(machine: ClientMachine, flow: Flow, is_by_tcp: bool, purpose: Purpose<K>) -> Self {
        Self { machine, flow, is_by_tcp, purpose, armed: None }
    }
}

impl Server {
    pub(crate) fn new(machine: ServerMachine, flow: Flow, head: Head, method: &Method, cseq: u32, tag: u64) -> Self {
        let needs_contact = refreshes_target(method);
        Self {
            machine,
            flow,
            head: Some(Box::new(head)),
            dialog: None,
            needs_contact,
            session: None,
            cseq,
            tag,
            merged: None,
            armed: None,
        }
    }

    pub(crate) fn in_dialog(self, dialog: DialogId) -> Self {
        Self { dialog: Some(dialog), ..self }
    }

    /// One that came outside of a dialog, and what it has in common with its copies.
    pub(crate) fn with_copies(self, merged: u64) -> Self {
        Self { merged: Some(merged), ..self }
    }
}

impl ClientMachine {
    fn deadline(&self) -> Option<Instant> {
        match self {
            ClientMachine::Invite(machine) => machine.deadline(),
            ClientMachine::Plain(machine) => machine.deadline(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        match self {
            ClientMachine::Invite(machine) => machine.is_open(),
            ClientMachine::Plain(machine) => machine.is_open(),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            ClientMachine::Invite(machine) => machine.is_over(),
            ClientMachine::Plain(machine) => machine.is_over(),
        }
    }
}

impl ServerMachine {
    pub(crate) fn on_request(&self) -> Option<Bytes> {
        match self {
            ServerMachine::Invite(machine) => machine.on_request(),
            ServerMachine::Plain(machine) => machine.on_request(),
        }
    }

    pub(crate) fn on_answer(&mut self, now: Instant, status: u16, response: Bytes, reliable: bool) {
        match self {
            ServerMachine::Invite(machine) => machine.on_answer(now, status, response, reliable),
            ServerMachine::Plain(machine) => machine.on_answer(now, status, response, reliable),
        }
    }

    pub(crate) fn on_timeout(&mut self, now: Instant) -> Option<Bytes> {
        match self {
            ServerMachine::Invite(machine) => machine.on_timeout(now),
            ServerMachine::Plain(machine) => {
                machine.on_timeout(now);
                None
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            ServerMachine::Invite(machine) => machine.deadline(),
            ServerMachine::Plain(machine) => machine.deadline(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        match self {
            ServerMachine::Invite(machine) => machine.is_open(),
            ServerMachine::Plain(machine) => machine.is_open(),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            ServerMachine::Invite(machine) => machine.is_over(),
            ServerMachine::Plain(machine) => machine.is_over(),
        }
    }
}

impl<K> Transactions<K> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            clients: Table::new(),
            servers: Table::new(),
            merged: Table::new(),
            on_connections: BTreeSet::new(),
            finished: VecDeque::new(),
            open: 0,
            limit,
        }
    }

    pub(crate) fn insert_client(&mut self, id: ClientId, client: Client<K>, post: &mut Post<K>) {
        let mut client = Box::new(client);
        self.note_open(id, &client);
        post.arm(&mut client.armed, client.machine.deadline(), Timer::Client(id));
        self.clients.insert(id, client);
    }

    pub(crate) fn insert_server(&mut self, id: ServerId, server: Server, post: &mut Post<K>) {
        if let Some(merged) = server.merged {
            self.merged.insert(merged, id);
        }
        self.open += 1;
        self.servers.insert(id, Box::new(server));
        self.settle_server(id, true, post);
    }

    /// Takes a request of ours out, for good or for a step; `put_client` brings it back.
    pub(crate) fn take_client(&mut self, id: ClientId) -> Option<Box<Client<K>>> {
        let client = self.clients.remove(&id)?;
        if client.machine.is_open() {
            self.open -= 1;
            if client.flow.transport.is_reliable() {
                self.on_connections.remove(&(client.flow, id));
            }
        }
        Some(client)
    }

    /// Ends the step: wakes it when it has to be woken, forgets it if it is over.
    pub(crate) fn put_client(&mut self, now: Instant, id: ClientId, mut client: Box<Client<K>>, post: &mut Post<K>) {
        if client.machine.is_over() {
            return;
        }
        self.note_open(id, &client);
        client.armed = client.armed.filter(|at| *at > now);
        post.arm(&mut client.armed, client.machine.deadline(), Timer::Client(id));
        self.clients.insert(id, client);
    }

    fn note_open(&mut self, id: ClientId, client: &Client<K>) {
        if client.machine.is_open() {
            self.open += 1;
            if client.flow.transport.is_reliable() {
                self.on_connections.insert((client.flow, id));
            }
        }
    }

    /// Notes that one has got its final response, so that it may be forgotten early if there are too many.
    pub(crate) fn note_finished(&mut self, timer: Timer) {
        self.finished.push_back(timer);
        if self.finished.len() > self.limit {
            match self.finished.pop_front() {
                Some(Timer::Client(id)) => drop(self.take_client(id)),
                Some(Timer::Server(id)) => drop(self.remove_server(id)),
                _ => {}
            }
        }
    }

    pub(crate) fn remove_server(&mut self, id: ServerId) -> Option<Box<Server>> {
        let server = self.servers.remove(&id)?;
        self.open -= usize::from(server.machine.is_open());
        if let Some(merged) = server.merged {
            self.merged.remove(&merged);
        }
        Some(server)
    }

    /// To be looked at, and stepped between a look at `is_open` and `settle_server`.
    pub(crate) fn server(&mut self, id: ServerId) -> Option<&mut Server> {
        self.servers.get_mut(&id).map(Box::as_mut)
    }

    pub(crate) fn client(&self, id: ClientId) -> Option<&Client<K>> {
        self.clients.get(&id).map(Box::as_ref)
    }

    /// Ends a step of a request of theirs that was open before it or not.
    pub(crate) fn settle_server(&mut self, id: ServerId, was_open: bool, post: &mut Post<K>) {
        let Some(server) = self.servers.get_mut(&id) else { return };
        if server.machine.is_over() {
            self.open -= usize::from(was_open);
            let merged = server.merged;
            self.servers.remove(&id);
            if let Some(merged) = merged {
                self.merged.remove(&merged);
            }
            return;
        }
        post.arm(&mut server.armed, server.machine.deadline(), Timer::Server(id));
        if was_open && !server.machine.is_open() {
            server.head = None;
            self.open -= 1;
            self.note_finished(Timer::Server(id));
        }
    }

    /// Something woke up at `now`: earlier waits are over.
    pub(crate) fn woken_server(&mut self, now: Instant, id: ServerId) -> Option<&mut Server> {
        let server = self.servers.get_mut(&id)?;
        server.armed = server.armed.filter(|at| *at > now);
        Some(server)
    }

    /// Drops the names of those that have been forgotten since.
    pub(crate) fn tidy(&mut self) {
        while let Some(oldest) = self.finished.front() {
            let is_gone = match oldest {
                Timer::Client(id) => !self.clients.contains(id),
                Timer::Server(id) => !self.servers.contains(id),
                Timer::Dialog(_) => true,
            };
            if !is_gone {
                break;
            }
            self.finished.pop_front();
        }
        if self.finished.is_empty() && self.finished.capacity() > 4_096 {
            self.finished = VecDeque::new();
        }
    }

    /// Requests of ours under way on a connection.
    pub(crate) fn on_connection(&self, flow: Flow) -> Vec<ClientId> {
        let range = (flow, ClientId(0))..=(flow, ClientId(u64::MAX));
        self.on_connections.range(range).map(|(_, id)| *id).collect()
    }

    pub(crate) fn is_merged(&self, merged: u64) -> bool {
        self.merged.contains(&merged)
    }

    /// Whether no request outside of a dialog should be taken on.
    pub(crate) fn is_full(&self) -> bool {
        self.open >= self.limit
    }

    /// Whether not even requests in dialogs should be.
    pub(crate) fn is_overfull(&self) -> bool {
        self.open >= self.limit.saturating_mul(2)
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }
}
