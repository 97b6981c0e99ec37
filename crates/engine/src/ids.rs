//! The names that one engine gives: ids of calls, legs and recordings, and keys towards the media workers.

use media::{RecordingKey, SessionId};
use model::{CallId, EngineNumber, LegId, RecordingId, Ticket, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Gives each name once, and keys that nobody can guess.
pub struct Ids {
    engine: EngineNumber,
    random: ChaCha20Rng,
    stamps: u32,
    tickets: u64,
    sessions: u64,
    recordings: u64,
}

impl Ids {
    /// Names that carry this engine's number, and keys made of a seed.
    pub fn new(engine: EngineNumber, seed: [u8; 32]) -> Self {
        Self { engine, random: ChaCha20Rng::from_seed(seed), stamps: 0, tickets: 0, sessions: 0, recordings: 0 }
    }

    /// A master key and salt for secured sound (RFC 4568).
    pub fn sound_key(&mut self) -> [u8; 30] {
        let mut key = [0; 30];
        self.random.fill_bytes(&mut key);
        key
    }

    /// A call that begins now.
    pub fn call(&mut self, now: Timestamp) -> CallId {
        CallId::new(now.as_second(), self.engine, self.stamp())
    }

    /// A leg, other than a call's first, that begins now.
    pub fn leg(&mut self, now: Timestamp) -> LegId {
        LegId::new(now.as_second(), self.engine, self.stamp())
    }

    /// A recording, other than a call's first, that begins now.
    pub fn recording_id(&mut self, now: Timestamp) -> RecordingId {
        RecordingId::new(now.as_second(), self.engine, self.stamp())
    }

    /// A question.
    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
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

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ids").field("engine", &self.engine).field("stamps", &self.stamps).finish_non_exhaustive()
    }
}
