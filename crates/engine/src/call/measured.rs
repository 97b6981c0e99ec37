//! What a media worker measured of a leg's sound, as it is told.

use std::time::Duration;

use media::Quality;
use model::{LegId, LegQuality, MeasuredLeg};

/// What a media worker measured, for a leg. None: no sound flowed.
pub fn of(leg: LegId, quality: &Quality) -> Option<MeasuredLeg> {
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
