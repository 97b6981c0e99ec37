//! What is still told of a call after its last event: how well its sound travelled, and what became of its recording.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::{Quality, RecordingKey};
use model::{LegId, LegQuality, MeasuredLeg, RecordingEvent, RecordingId, TenantId};

use crate::call::Call;
use crate::call::story::Story;
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
            measured.extend(self::measured(*leg, quality));
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

/// What a media worker measured, for a leg. None: no sound flowed.
pub fn measured(leg: LegId, quality: &Quality) -> Option<MeasuredLeg> {
    if quality.received == 0 && quality.sent == 0 {
        return None;
    }
    let milliseconds = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    let quality = LegQuality {
        received: quality.received,
        lost: quality.lost,
        jitter_ms: milliseconds(quality.jitter),
        ignored: quality.ignored,
        sent: quality.sent,
        far_lost: quality.far_lost,
        far_jitter_ms: milliseconds(quality.far_jitter),
        round_trip_ms: quality.round_trip.map(milliseconds),
        mos: quality.mos_hundredths.map(|hundredths| f32::from(hundredths) / 100.0),
    };
    Some(MeasuredLeg { leg, quality })
}
