//! The engine's edge: everything that goes in and everything that comes out.
//!
//! Whoever drives an engine gives it one [`Input`] or one time-out, takes [`Output`]s until there are none,
//! and sleeps until its `poll_timeout`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::{Order, Report, WorkerId};
use model::{Actor, Command, Forwarding, Kept, Target, TenantId, TenantSettings, Ticket, Timestamp, Told, Transport};
use sip::{Flow, Interface, Message};

/// The time, as it is handed in with each input.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For timers: never goes back.
    pub mono: Instant,
    /// For records and events.
    pub wall: Timestamp,
}

/// Whose message this is, as the door found out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    /// It belongs to something that this engine began: a response, or a request that carries its number.
    Ours,
    /// It comes from a phone of this tenant, or from somebody who claims to be one.
    Phone(TenantId),
    /// It comes from this trunk of this tenant, for the tenant's number (E.164 digits).
    Trunk {
        /// The tenant whose number was called.
        tenant: TenantId,
        /// The trunk's name.
        trunk: String,
        /// The number that was called.
        did: String,
    },
}

/// Everything that goes into an engine.
#[derive(Clone, Debug)]
pub enum Input {
    /// A SIP message, parsed once by the door.
    Message {
        /// How it came, and how an answer goes back.
        flow: Flow,
        /// Whose it is.
        whose: Whose,
        /// The message.
        message: Message,
    },
    /// A connection was closed.
    FlowLost(Flow),
    /// An order. Gets exactly one reply.
    Command {
        /// Names the reply.
        ticket: Ticket,
        /// Whose calls.
        tenant: TenantId,
        /// Who orders.
        actor: Actor,
        /// What.
        command: Command,
    },
    /// The answer to a question, or whether a batch is stored.
    Answer {
        /// Names the question, or the batch (`Batch::awaited`).
        ticket: Ticket,
        /// The answer.
        answer: Answer,
    },
    /// What a media worker tells.
    Media {
        /// Which one.
        worker: WorkerId,
        /// What.
        report: Report,
    },
    /// A tenant's settings, whole. Gets a reply.
    Settings {
        /// Names the reply.
        ticket: Ticket,
        /// The snapshot.
        settings: Arc<TenantSettings>,
    },
    /// Our addresses and routes have changed. The interfaces are those of the start, in their order.
    Interfaces {
        /// For SIP.
        sip: Vec<Interface>,
        /// For sound.
        rtp: Vec<Interface>,
    },
    /// A live fact of an earlier engine, before its tenant's first traffic.
    Kept(Kept),
    /// Whether records can be stored.
    Storage(Storage),
    /// No new calls from here on.
    Drain,
    /// Ends every call: the time for draining is over.
    EndAll,
}

/// Whether the store's writer keeps up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage {
    /// Commits succeed.
    Flowing,
    /// They fail or lag: new calls are refused.
    Stalled,
}

/// Something slow that the engine wants to know. It decides alone when the answer is late.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// Where a host met in a dialog is (RFC 3263).
    Addresses {
        /// Host name, as it stands in a URI.
        host: String,
        /// Port, where one was named.
        port: Option<u16>,
        /// The URI's `transport`, where it has one that is known. None: what DNS says.
        transport: Option<Transport>,
        /// Whether the URI is a `sips:` one: then nothing but TLS comes back.
        secure: bool,
    },
    /// Whom a call from outside reaches, as the customer's CRM decides (vendor V, part IX; readings 20).
    Routing {
        /// The CRM's own URL; its query is kept.
        url: String,
        /// Who calls: E.164 digits, or as the trunk gave it.
        phone: String,
        /// The number that was called, E.164 digits.
        did: String,
        /// How long the CRM may think.
        within: Duration,
    },
    /// A setting of an extension is to be changed, as its phone wishes.
    Wish {
        /// Whose.
        extension: String,
        /// What.
        wished: Wished,
    },
}

/// What a phone wishes of its extension's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wished {
    /// Such calls go there; or, without a target, nowhere else any more.
    Forward(Forwarding, Option<String>),
    /// No calls go elsewhere.
    NoForward,
    /// Whether it takes no calls.
    DoNotDisturb(bool),
}

/// The answer to a [`Question`], or what became of a batch that the engine waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// At least one; [`Target::in_turn`] gives the order to try them in.
    Addresses(Vec<Target>),
    /// An extension or a group, as the CRM wrote it.
    Target(String),
    /// The batch is stored.
    Stored,
    /// What was wished for is so.
    Done,
    /// It cannot be known: one sentence.
    Failed(String),
}

/// Everything that comes out of an engine.
#[derive(Clone, Debug)]
pub enum Output {
    /// Leaves at once.
    Wire(Wire),
    /// Goes through the store's one writer, in the order it was put out.
    Told(Told),
}

/// Somebody has answered a challenge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignIn {
    /// Whence.
    pub source: IpAddr,
    /// Whether rightly.
    pub right: bool,
}

/// What leaves at once: it never waits for the disk.
#[derive(Clone, Debug)]
pub enum Wire {
    /// Bytes for a peer: one whole message.
    Send {
        /// Where to.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// This connection is not wanted any more.
    Close(Flow),
    /// An order for a media worker.
    Media {
        /// Which one.
        worker: WorkerId,
        /// What.
        order: Order,
    },
    /// Somebody has answered a challenge: for the door's bans.
    SignIn(SignIn),
    /// A question; comes back as [`Input::Answer`].
    Ask {
        /// Names the answer.
        ticket: Ticket,
        /// Whose question.
        tenant: TenantId,
        /// What.
        question: Question,
    },
}
