//! What is still told of a call after its last event: how well its sound travelled, and what became of its recording.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::{Quality, RecordingKey};
use model::{LegId, MeasuredLeg, RecordingEvent, RecordingId, TenantId};

use crate::call::story::Story;
use crate::call::{Call, measured};
use crate::edge::{Now, Output};
use crate::key::LegIndex;

/// How long the media workers may take to tell how well the sound of a call that is over travelled.
const PATIENCE: Duration = Duration::from_secs(5);

/// A call that is over.
#[derive(Debug)]
pub struct Closing {
    story: Story,
    /// Its legs by their index.
    legs: Vec<LegId>,
    /// What was measured so far; None once it is told.
    measured: Option<Vec<MeasuredLeg>>,
    /// The recording that is still being written.
    recording: Option<RecordingKey>,
    /// When what was measured is told as it stands.
    pub give_up_at: Instant,
}

impl Closing {
    /// A call that has told its last event.
    pub fn new(now: Now, call: Call) -> Self {
        let (recording, legs) = (call.recording(), call.leg_ids());
        let (story, measured) = call.into_story();
        Self { story, legs, measured: Some(measured), recording, give_up_at: now.mono + PATIENCE }
    }

    /// The sound of one more leg was measured.
    pub fn measure(&mut self, leg: LegIndex, quality: &Quality) {
        let leg = self.legs.get(usize::from(leg.0));
        if let (Some(measured), Some(leg)) = (&mut self.measured, leg) {
            measured.extend(measured::of(*leg, quality));
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

    /// The recording is whole, or has failed.
    pub fn tell_recording(
        &mut self,
        now: Now,
        tenant: TenantId,
        id: RecordingId,
        what: RecordingEvent,
        out: &mut VecDeque<Output>,
    ) {
        self.recording = None;
        self.story.tell_recording(now.wall, id, what);
        self.story.flush(tenant, out);
    }

    /// Whether nothing is left to tell.
    pub fn is_done(&self) -> bool {
        self.measured.is_none() && self.recording.is_none()
    }
}
