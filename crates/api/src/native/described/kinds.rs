//! Every kind of event there is, with its fields: what the description of the events is made of.

mod call;

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
    /// A key of a phone.
    Key,
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

pub(super) const fn always(name: &'static str, of: Of, says: &'static str) -> Field {
    Field { name, of, always: true, says }
}

pub(super) const fn maybe(name: &'static str, of: Of, says: &'static str) -> Field {
    Field { name, of, always: false, says }
}

/// All of them.
pub(super) fn kinds() -> impl Iterator<Item = &'static Kind> {
    call::KINDS.iter().chain(OTHERS)
}

const OTHERS: &[Kind] = &[
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
        says: "A phone that signed in rightly, or a client on behalf of the extension, asked for something that is \
               refused before it becomes a call.",
        fields: &[
            always("why", Of::Text, "What it may not do."),
            maybe("reason", Of::Reason, "The same by a code of the catalogue."),
        ],
    },
    Kind { name: "agent.signed_in", subject: "agent", says: "An agent takes calls of its queues.", fields: &[] },
    Kind {
        name: "agent.signed_out",
        subject: "agent",
        says: "An agent takes no calls of queues any more.",
        fields: &[],
    },
    Kind {
        name: "agent.paused",
        subject: "agent",
        says: "An agent takes no calls of queues for now.",
        fields: &[always("reason", Of::Text, "Why; `no answer` where it missed too many.")],
    },
    Kind { name: "agent.resumed", subject: "agent", says: "An agent takes calls again after a pause.", fields: &[] },
    Kind {
        name: "agent.wrap_up",
        subject: "agent",
        says: "An agent has time to write down what was talked about.",
        fields: &[always("seconds", Of::Whole, "For how long.")],
    },
    Kind { name: "agent.ready", subject: "agent", says: "The time for writing down is over.", fields: &[] },
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
