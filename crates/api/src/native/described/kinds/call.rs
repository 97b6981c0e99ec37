//! What is told of calls and their legs.

use model::{Party, RoutedBy, Unqueued};

use super::{Field, Kind, Of, always, maybe};

const ENDED_BY: Of = Of::Words(&["agent", "customer", "switchboard"]);
const MODE: Of = Of::Words(&["blind", "attended"]);
const LEG: Field = always("leg", Of::Id, "The leg.");
const CAUSE: Field = maybe("cause", Of::Whole, "The Q.850 cause that a party gave.");

const QUEUE: Field = always("queue", Of::Text, "The queue.");
const PLACE: Field = always("place", Of::Whole, "Where: the number to dial.");

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
            always("by", Of::Words(RoutedBy::WORDS), "Who decided."),
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
            always("party", Of::Words(Party::WORDS), "What sort of party it is."),
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
        fields: &[LEG, always("key", Of::Key, "0-9, *, # or A-D.")],
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
        name: "call.reached",
        subject: "call",
        says: "The caller has reached an end that is no person: a mailbox, or a prompt after which the call ends.",
        fields: &[LEG, always("end", Of::Party, "What.")],
    },
    Kind {
        name: "call.menu_key",
        subject: "call",
        says: "The caller of a menu pressed a key, or none in time.",
        fields: &[
            always("menu", Of::Text, "The menu."),
            maybe("key", Of::Key, "0-9, * or #; left out: nothing in time."),
            always("valid", Of::Truth, "Whether it leads somewhere."),
        ],
    },
    Kind {
        name: "call.queued",
        subject: "call",
        says: "The caller waits in a queue.",
        fields: &[QUEUE, always("place", Of::Whole, "The caller's place, from 1.")],
    },
    Kind {
        name: "call.offered",
        subject: "call",
        says: "An agent's phone is rung for a caller who waits.",
        fields: &[QUEUE, LEG],
    },
    Kind {
        name: "call.offer_missed",
        subject: "call",
        says: "An agent did not take the caller.",
        fields: &[QUEUE, LEG, always("reason", Of::Reason, "Why.")],
    },
    Kind {
        name: "call.unqueued",
        subject: "call",
        says: "The caller waits no more.",
        fields: &[QUEUE, always("why", Of::Words(Unqueued::WORDS), "Why.")],
    },
    Kind {
        name: "call.forwarded",
        subject: "call",
        says: "Who was called has calls go elsewhere.",
        fields: &[
            always("from", Of::Party, "Who was called."),
            always("to", Of::Party, "Where the call goes."),
            always("why", Of::Words(&["always", "busy", "no_answer", "unreachable", "do_not_disturb"]), "Why."),
        ],
    },
    Kind {
        name: "call.picked_up",
        subject: "call",
        says: "Somebody takes a call that rings elsewhere.",
        fields: &[LEG, always("from", Of::Id, "The leg that rang.")],
    },
    Kind {
        name: "call.parked",
        subject: "call",
        says: "A party was parked.",
        fields: &[LEG, always("by", Of::Id, "The leg of whoever parked it."), PLACE],
    },
    Kind {
        name: "call.unparked",
        subject: "call",
        says: "A parked party is taken by somebody, or rings back.",
        fields: &[LEG, PLACE, maybe("by", Of::Id, "The leg of whoever took it; left out: nobody did in time.")],
    },
    Kind {
        name: "call.joined",
        subject: "call",
        says: "Somebody more takes part in the conversation, or takes part otherwise than before.",
        fields: &[LEG, always("part", Of::Words(&["conference", "listen", "whisper", "barge"]), "How.")],
    },
    Kind {
        name: "call.message_left",
        subject: "call",
        says: "Somebody left a message.",
        fields: &[
            always("mailbox", Of::Text, "Whose mailbox: the extension."),
            always("recording", Of::Id, "The message."),
            always("milliseconds", Of::Whole, "Its length."),
        ],
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
];
