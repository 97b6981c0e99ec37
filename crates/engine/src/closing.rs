//! What is still told of a call after its last event: how well its sound travelled, and what became of its recording.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::RecordingKey;
use model::{CallId, LegId, MeasuredLeg, RecordingEvent, RecordingId, TenantId};

use crate::call::consultation::Past;
use crate::call::story::Story;
use crate::edge::{Now, Output};
use crate::key::LegIndex;

/// How long the media workers may take to tell how well the sound of a call that is over travelled.
const PATIENCE: Duration = Duration::from_secs(5);

/// A call that is over.
#[derive(Debug)]
pub struct Closing {
    story: Story,
    /// What the engine called it, and its legs by their index with the call that tells of each. None: its legs are those
    /// of a call that goes on.
    legs: Option<(CallId, Vec<(LegId, CallId)>)>,
    /// What was measured so far; None once it is told.
    measured: Option<Vec<MeasuredLeg>>,
    /// The recordings that are still being written.
    recordings: Vec<RecordingKey>,
    /// When what was measured is told as it stands.
    pub give_up_at: Instant,
}

impl Closing {
    /// A call that has told its last event. `legs` where all that the engine called so is over with it.
    pub fn new(now: Now, past: Past, legs: Option<(CallId, Vec<(LegId, CallId)>)>) -> Self {
        let Past { story, measured, recordings } = past;
        Self { story, legs, measured: Some(measured), recordings, give_up_at: now.mono + PATIENCE }
    }

    /// Its id.
    pub fn id(&self) -> CallId {
        self.story.callid()
    }

    /// What the engine called it, where all of that is over with it.
    pub fn key(&self) -> Option<CallId> {
        self.legs.as_ref().map(|(key, _)| *key)
    }

    /// A leg, and the call that tells of it.
    pub fn leg(&self, index: LegIndex) -> Option<(LegId, CallId)> {
        self.legs.as_ref()?.1.get(usize::from(index.0)).copied()
    }

    /// The sound of one more leg was measured.
    pub fn measure(&mut self, measured: MeasuredLeg) {
        if let Some(all) = &mut self.measured {
            all.push(measured);
        }
    }

    /// All that will be measured is known.
    pub fn tell_sound(&mut self, now: Now, tenant: TenantId, out: &mut VecDeque<Output>) {
        if let Some(mut legs) = self.measured.take()
            && !legs.is_empty()
        {
            legs.sort_by_key(|measured| measured.leg);
            self.story.tell_sound(now.wall, legs);
            self.story.flush(tenant, out);
        }
    }

    /// A recording is whole, or has failed.
    pub fn tell_recording(
        &mut self,
        now: Now,
        tenant: TenantId,
        (recording, id): (RecordingKey, RecordingId),
        what: RecordingEvent,
        out: &mut VecDeque<Output>,
    ) {
        self.recordings.retain(|open| *open != recording);
        self.story.tell_recording(now.wall, id, what);
        self.story.flush(tenant, out);
    }

    /// Whether nothing is left to tell.
    pub fn is_done(&self) -> bool {
        self.measured.is_none() && self.recordings.is_empty()
    }
}
