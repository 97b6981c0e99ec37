//! The sorts of settings there are.

/// What sort of setting something is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Noun {
    /// A tenant's own keys.
    Tenant,
    /// What API clients sign in with.
    Key,
    /// A number inside that a person answers.
    Extension,
    /// A connection to a carrier.
    Trunk,
    /// A rule for calls to the public network.
    Outbound,
    /// A public number.
    Number,
    /// Extensions that ring together or in order.
    Group,
    /// Callers who wait for agents.
    Queue,
    /// Spoken choices.
    Menu,
    /// When a company is open.
    Hours,
    /// A prompt or a piece of music.
    Sound,
    /// A URL that is told of events.
    Hook,
    /// An own phone that places calls.
    Device,
    /// Somebody who signs in to the console.
    User,
}

impl Noun {
    const ALL: [(Self, &'static str); 14] = [
        (Self::Tenant, "tenant"),
        (Self::Key, "key"),
        (Self::Extension, "extension"),
        (Self::Trunk, "trunk"),
        (Self::Outbound, "outbound"),
        (Self::Number, "number"),
        (Self::Group, "group"),
        (Self::Queue, "queue"),
        (Self::Menu, "menu"),
        (Self::Hours, "hours"),
        (Self::Sound, "sound"),
        (Self::Hook, "webhook"),
        (Self::Device, "device"),
        (Self::User, "user"),
    ];

    /// The word in the store and in the audit log.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(noun, _)| *noun == self).map_or("", |(_, word)| word)
    }

    /// Reads the word in the store.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(noun, _)| *noun)
    }
}
