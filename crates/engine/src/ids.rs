//! The names that one engine gives: ids of calls, legs and recordings, and keys towards the media workers.

use media::{RecordingKey, SessionId};
use model::{CallId, EngineNumber, LegId, Timestamp};

/// Gives each name once.
#[derive(Debug)]
pub struct Ids {
    engine: EngineNumber,
    stamps: u32,
    sessions: u64,
    recordings: u64,
}

impl Ids {
    /// Names that carry this engine's number.
    pub fn new(engine: EngineNumber) -> Self {
        Self { engine, stamps: 0, sessions: 0, recordings: 0 }
    }

    /// A call that begins now.
    pub fn call(&mut self, now: Timestamp) -> CallId {
        CallId::new(now.as_second(), self.engine, self.stamp())
    }

    /// A leg, other than a call's first, that begins now.
    pub fn leg(&mut self, now: Timestamp) -> LegId {
        LegId::new(now.as_second(), self.engine, self.stamp())
    }

    /// A media session.
    pub fn session(&mut self) -> SessionId {
        self.sessions += 1;
        SessionId(self.sessions)
    }

    /// A recording, as the media workers know it.
    pub fn recording(&mut self) -> RecordingKey {
        self.recordings += 1;
        RecordingKey(self.recordings)
    }

    fn stamp(&mut self) -> u32 {
        self.stamps = self.stamps.wrapping_add(1);
        self.stamps
    }
}
