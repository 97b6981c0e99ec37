//! Every kind of event there is, with its fields: what the description of the events is made of.

/// One kind of event.
pub(super) struct Kind {
    /// `call.ended`
    pub name: &'static str,
    /// What it is about: `call`.
    pub subject: &'static str,
    /// When it is told.
    pub says: &'static str,
    /// What it has besides what every event has.
    pub fields: &'static [Field],
}

/// A field of an event.
pub(super) struct Field {
    pub name: &'static str,
    pub of: Of,
    /// Whether it is always there.
    pub always: bool,
    pub says: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Text,
    Whole,
    Truth,
    /// The id of a call, leg or recording.
    Id,
    /// A code of `/v1/reasons`.
    Reason,
    /// Somebody who takes part.
    Party,
    /// How well the sound of each leg travelled.
    Legs,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// Whether the call belongs to an event.
pub(super) fn has_callid(kind: &Kind) -> bool {
    matches!(kind.subject, "call" | "recording" | "sound")
}

const fn always(name: &'static str, of: Of, says: &'static str) -> Field {
    Field { name, of, always: true, says }
}

const fn maybe(name: &'static str, of: Of, says: &'static str) -> Field {
    Field { name, of, always: false, says }
}

const ENDED_BY: Of = Of::Words(&["agent", "customer", "switchboard"]);
const MODE: Of = Of::Words(&["blind", "attended"]);
const LEG: Field = always("leg", Of::Id, "The leg.");
const CAUSE: Field = maybe("cause", Of::Whole, "The Q.850 cause that a party gave.");

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "call.started",
        subject: "call",
        says: "The call was accepted; its record exists from here on.",
        fields: &[
            always("origin", Of::Words(&["phone", "trunk", "click", "consultation"]), "Where it comes from."),
            always("direction", Of::Words(&["inbound", "outbound", "local"]), "Which way it goes."),
            always("from", Of::Party, "Who calls."),
            always("to", Of::Party, "Who is called."),
            maybe("did", Of::Text, "The tenant's own number that it shows or came in on."),
            maybe("about", Of::Id, "The customer's call, where this is a consultation about it."),
        ],
    },
    Kind {
        name: "call.routed",
        subject: "call",
        says: "It was decided whom the call reaches.",
        fields: &[
            always("to", Of::Party, "Whom."),
            always("by", Of::Words(&["crm", "default"]), "Who decided."),
            maybe("why", Of::Text, "Why the CRM's decision was not followed."),
        ],
    },
    Kind {
        name: "leg.started",
        subject: "call",
        says: "A leg was begun: a phone called us, or we call one.",
        fields: &[
            LEG,
            always("side", Of::Words(&["agent", "customer"]), "Its side of the conversation."),
            always("party", Of::Words(&["extension", "group", "outside"]), "What sort of party it is."),
            always("number", Of::Text, "The party's number."),
            maybe("shown", Of::Text, "The number as it was dialled or came in, where that differs."),
            maybe("trunk", Of::Text, "The trunk it runs over."),
            always("caller", Of::Truth, "Whether this party called us."),
        ],
    },
    Kind {
        name: "leg.rerouted",
        subject: "call",
        says: "The trunk of a leg could not take the call; the next one of the route is tried.",
        fields: &[
            LEG,
            always("trunk", Of::Text, "The trunk it runs over now."),
            always("reason", Of::Reason, "Why the one before did not take it."),
            always("sip", Of::Whole, "The SIP status that said so."),
        ],
    },
    Kind {
        name: "leg.ringing",
        subject: "call",
        says: "A leg that we call is ringing.",
        fields: &[LEG, always("early_sound", Of::Truth, "Whether it sends sound before the answer.")],
    },
    Kind {
        name: "leg.answered",
        subject: "call",
        says: "A leg that we called was answered, or we answered the caller.",
        fields: &[LEG],
    },
    Kind { name: "leg.held", subject: "call", says: "A party put the other on hold.", fields: &[LEG] },
    Kind { name: "leg.resumed", subject: "call", says: "A party took the other back from hold.", fields: &[LEG] },
    Kind { name: "leg.muted", subject: "call", says: "What a party says is not heard any more.", fields: &[LEG] },
    Kind { name: "leg.unmuted", subject: "call", says: "What a party says is heard again.", fields: &[LEG] },
    Kind {
        name: "leg.key",
        subject: "call",
        says: "A party pressed a key.",
        fields: &[LEG, always("key", Of::Text, "0-9, *, # or A-D.")],
    },
    Kind {
        name: "leg.ended",
        subject: "call",
        says: "A leg is over. Once for each leg.",
        fields: &[
            LEG,
            always("reason", Of::Reason, "Why."),
            always("sip", Of::Whole, "The SIP status that said so."),
            CAUSE,
            always("by", ENDED_BY, "Who ended it."),
        ],
    },
    Kind {
        name: "call.connected",
        subject: "call",
        says: "Both sides are connected and hear each other.",
        fields: &[
            always("agent", Of::Id, "The leg on the company's side."),
            always("customer", Of::Id, "The leg on the other side."),
        ],
    },
    Kind {
        name: "call.transferring",
        subject: "call",
        says: "A party is about to be given to somebody else.",
        fields: &[
            LEG,
            always("to", Of::Party, "Whom to."),
            always("mode", MODE, "How."),
            maybe("consultation", Of::Id, "The call in which the target is asked first."),
        ],
    },
    Kind {
        name: "call.transferred",
        subject: "call",
        says: "The transfer is done: the other side talks with the target.",
        fields: &[LEG, always("target", Of::Id, "The leg of the target."), always("mode", MODE, "How.")],
    },
    Kind {
        name: "call.transfer_failed",
        subject: "call",
        says: "The transfer came to nothing.",
        fields: &[LEG, always("reason", Of::Reason, "Why."), always("sip", Of::Whole, "The SIP status that said so.")],
    },
    Kind {
        name: "call.ended",
        subject: "call",
        says: "The call is over. Exactly once, and the call's last event.",
        fields: &[
            always("reason", Of::Reason, "Why."),
            always("sip", Of::Whole, "The SIP status that decided it."),
            CAUSE,
            always("by", ENDED_BY, "Who ended it."),
            maybe("merged_into", Of::Id, "The customer's call that this consultation became a part of."),
        ],
    },
    Kind {
        name: "recording.started",
        subject: "recording",
        says: "A recording is being written.",
        fields: &[always("file", Of::Text, "The file's name within the recordings folder.")],
    },
    Kind {
        name: "recording.paused",
        subject: "recording",
        says: "From here on silence is written in place of what is said.",
        fields: &[],
    },
    Kind { name: "recording.resumed", subject: "recording", says: "What is said is written again.", fields: &[] },
    Kind {
        name: "recording.closed",
        subject: "recording",
        says: "The recording is whole; nothing is added any more.",
        fields: &[
            always("milliseconds", Of::Whole, "Length of sound."),
            always("gap_milliseconds", Of::Whole, "Milliseconds lost by the server."),
            always("bytes", Of::Whole, "Size of the file."),
            always("sha256", Of::Text, "SHA-256 of the file, in hex."),
        ],
    },
    Kind {
        name: "recording.failed",
        subject: "recording",
        says: "Nothing usable was written.",
        fields: &[always("why", Of::Text, "Why.")],
    },
    Kind {
        name: "sound.measured",
        subject: "sound",
        says: "How well the sound of a call travelled. Once a call, when the sound of its last leg has ended.",
        fields: &[always("legs", Of::Legs, "Each leg that had sound.")],
    },
    Kind {
        name: "extension.registered",
        subject: "extension",
        says: "A phone signed in from a place where none was.",
        fields: &[
            always("address", Of::Text, "Where it can be reached."),
            always("user_agent", Of::Text, "What it calls itself."),
            always("expires", Of::Whole, "Seconds that it lasts unless refreshed."),
        ],
    },
    Kind {
        name: "extension.unregistered",
        subject: "extension",
        says: "A phone signed out, its binding expired, or its connection was closed.",
        fields: &[
            always("address", Of::Text, "Where it was reached."),
            always("why", Of::Words(&["signed_out", "expired", "connection_lost", "unanswered", "deleted"]), "Why."),
        ],
    },
    Kind {
        name: "extension.refused",
        subject: "extension",
        says: "A phone that signed in rightly asked for something it may not do.",
        fields: &[always("why", Of::Text, "What it may not do.")],
    },
    Kind {
        name: "trunk.refused",
        subject: "trunk",
        says: "A call from the carrier was refused before it became a call.",
        fields: &[always("reason", Of::Reason, "Why."), always("to", Of::Text, "The number it was for.")],
    },
    Kind {
        name: "trunk.down",
        subject: "trunk",
        says: "A trunk takes no calls for now.",
        fields: &[always("why", Of::Text, "Why.")],
    },
    Kind { name: "trunk.up", subject: "trunk", says: "A trunk takes calls again.", fields: &[] },
    Kind {
        name: "trunk.registered",
        subject: "trunk",
        says: "We are registered at the carrier.",
        fields: &[
            always("address", Of::Text, "Where."),
            always("expires", Of::Whole, "Seconds that it lasts unless refreshed."),
        ],
    },
    Kind {
        name: "trunk.unregistered",
        subject: "trunk",
        says: "We are not registered at the carrier any more, by our own doing.",
        fields: &[always("why", Of::Words(&["removed", "changed", "draining"]), "Why.")],
    },
    Kind {
        name: "trunk.registration_failed",
        subject: "trunk",
        says: "An attempt to register at the carrier failed.",
        fields: &[
            always("why", Of::Text, "What is wrong."),
            maybe("sip", Of::Whole, "The status that the carrier gave."),
            always("retry", Of::Whole, "Seconds until it is tried again."),
        ],
    },
];
