//! The words of Tongdai: data only, no behaviour that waits, reads a clock or opens a socket.
//!
//! # Glossary
//!
//! One word for each thing; the code uses no second one.
//!
//! | word | meaning |
//! |---|---|
//! | tenant | one company (a VPBX): its people, phones, numbers, calls and settings. Sees only itself |
//! | extension | a number inside a tenant that a person answers; signs in with a phone or a browser |
//! | phone | a device or program signed in as an extension |
//! | binding | the place where an extension's phone can be reached until it expires (RFC 3261, 10) |
//! | trunk | the tenant's (or operator's) connection to a carrier |
//! | carrier | whoever takes calls to, and brings calls from, the public network |
//! | number | a public number (DID) that belongs to a tenant and reaches a route |
//! | transfer | giving the other side of a conversation to somebody else, at once (blind) or after asking (attended) |
//! | consultation | the call in which the target of an attended transfer is asked |
//! | delivery | one message for a hook, with every attempt to hand it over |
//! | route | what a call to a number reaches: extension, group, queue, menu, the CRM's decision |
//! | group | extensions that ring together or in order |
//! | queue | callers who wait for agents |
//! | agent | an extension as a member of queues |
//! | menu | spoken choices answered by keys |
//! | call | one conversation, however many legs it has; one id (`callid`), one record, one story |
//! | leg | one party's part of a call: a phone, a trunk, a browser, an own phone |
//! | side | which side of the conversation a leg is on: the customer's or the agent's |
//! | record | the truth about a call in one row (a CDR) |
//! | recording | the sound of a call, kept |
//! | event | one thing that happened, told in order about one subject |
//! | subject | what an event is about: call, recording, extension, agent, trunk, job, device |
//! | position | an event's place in its tenant's story, given when it is stored |
//! | hook | a URL of the customer's that is told of events |
//! | key | what an API client signs in with |
//! | device | somebody's own phone that places calls with its SIM |
//! | job | a voice call that the switchboard itself places: OTP, autocall, rating |
//! | claim | a client's hold on a key of its choice, so that one order is carried out once |
//! | source | whence messages come: an IPv4 address, or the IPv6 network of 64 bits that one customer has |
//! | ban | a time in which a source may not sign in, after it tried wrong passwords |
//! | command | an order to the engine; gets exactly one reply |
//! | flow | how a peer is reached back: socket or connection, and its address |
//! | stage | what a call is doing: dial, talk, menu, wait, voicemail, park, conference, speak, ask |
//! | batch | events of one step and the record as it then stands, stored together |

mod ban;
mod command;
mod event;
mod feature;
mod hours;
mod ids;
mod kept;
mod map;
mod number;
mod problem;
mod prompt;
mod reason;
mod record;
mod settings;
mod sound;
mod target;
mod text;
mod told;
mod trunk;

pub use ban::{Ban, ParseSourceError, Source};
pub use command::{
    ActingLeg, Actor, AgentAction, ClaimedKey, Command, DialAnswer, Originate, PlayedSound, RecordAction, Reply, Role,
    Transfer, TransferMode,
};
pub use event::{
    AgentEvent, CallEvent, Event, ExtensionEvent, Forwarding, LegQuality, MeasuredLeg, Origin, Part, Party,
    RecordingEvent, RoutedBy, Side, SoundEvent, Subject, TrunkEvent, Unqueued, What,
};
pub use feature::{Feature, FeatureCodes};
pub use hours::{Holiday, Hours, OpenHours, OpenState, ParseHoursError};
pub use ids::{CallId, EngineNumber, LegId, ParseIdError, RecordingId, TenantId, Ticket};
pub use kept::{AgentPause, AgentStands, Kept, KeptKind};
pub use map::{Keyed, Map, Set};
pub use number::{Dialled, Number, NumberClass, NumberError};
pub use problem::Problem;
pub use prompt::{Clip, Clips, NamedSound, Phrase, Prompt};
pub use reason::Reason;
pub use record::{
    Direction, EndedBy, LegRecord, NotStarted, QueueRecord, Record, RecordingRecord, Status, TransferRecord,
};
pub use settings::{
    DialFormat, DidFrom, DigestAlgorithm, DigestSecret, Directory, DirectoryKey, Extension, Forward, ForwardedCaller,
    Group, KeyKind, Language, Limits, Mailbox, Menu, NumberRoute, Outbound, Parking, Queue, Route, Spoken, Strategy,
    Switches, TenantEntry, TenantSettings, Trunk, TrunkAddress, TrunkContact, TrunkIdentity,
};
pub use sound::{Codec, SoundOffer};
pub use target::{Target, Transport};
pub use text::Text;
pub use told::{Batch, StoredEvent, Told};
pub use trunk::{TrunkHealth, TrunkRegistration, TrunkState};

/// A moment on the wall clock, UTC. Printed as RFC 3339 by the native API, in the tenant's zone by vendors.
pub type Timestamp = jiff::Timestamp;
