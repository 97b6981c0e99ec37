//! What survives a restart: tenants and settings, events, records, recordings, live facts, claimed keys.
//!
//! Everybody writes through one [`Writer`] and reads through a tenant ([`Store::tenant`]) or the [`Feed`].
//! The database is SQLite in the data folder, or PostgreSQL. Knows no call logic: it saves events and records as they come.
//!
//! ```text
//! engine ─push(Told)─► Writer ─one transaction a group─► database ─► Feed ─► readers
//!                                                               └──► replies
//! ```

mod audit;
mod bans;
mod calls;
mod claims;
#[cfg(test)]
#[path = "../tests/common/database.rs"]
mod databases;
mod db;
mod error;
mod events;
mod feed;
mod floor;
mod hooks;
mod lock;
mod mask;
mod migrations;
mod open;
pub mod provision;
mod recordings;
mod records;
mod recovery;
mod registrations;
mod retention;
mod secrets;
mod settings;
mod tenant;
mod trunks;
mod writer;

pub use audit::{Audit, AuditFilter, AuditNote, AuditRow};
pub use calls::Calls;
pub use claims::{Claim, ClaimAnswer, Claims};
pub use error::StoreError;
pub use events::Events;
pub use feed::Feed;
pub use floor::{AgentCall, AgentRow, Floor, QueueCounts, QueueRow, WaitingRow};
pub use hooks::{
    Attempt, AttemptRow, Claimed, Deliveries, Delivery, DeliveryFilter, DeliveryRow, DeliveryState, Draft, Hook,
    HookId, HookOrderError, HookStatus, Hooks, Made, Outcome, Place, Settled, Spell, Whence,
};
pub use mask::{mask_urls, masked_url};
pub use open::{Durability, OpenError, Store, StoreOptions};
pub use recordings::{RecordingRow, Recordings};
pub use records::{
    BadCursor, RecordCount, RecordCursor, RecordFilter, RecordOrder, RecordPage, RecordRow, RecordState, RecordStream,
    Records,
};
pub use recovery::{OpenCall, OpenRecording};
pub use registrations::{Registration, RegistrationPage};
pub use retention::Swept;
pub use settings::stored::{HookKind, HookMethod};
pub use settings::{
    ApplyError, Author, Change, ChangeError, Changed, Changes, Deed, Noun, Reach, Settings, Snapshot, Thing, ThingPage,
};
pub use tenant::TenantStore;
pub use trunks::{TrunkRow, Trunks};
pub use writer::{Awaited, Replies, SetAside, Writer, WriterFigures, WriterState};
