//! What listeners would say of sound: a mean opinion score, reckoned by the E-model (ITU-T G.107).
//!
//!   R = 93.2 − Id − Ie,eff                               all that is not told below at its default
//!   Id = 0.024·d + 0.11·(d − 177.3) if d > 177.3         the delay d in ms (Cole and Rosenbluth's form of G.107, 7.4)
//!   Ie,eff = Ie + (95 − Ie)·P / (P + Bpl)                the loss P in percent, not in bursts (G.107, 7.5)
//!   MOS = 1 + 0.035·R + 7·10⁻⁶·R·(R − 60)·(100 − R)      G.107, annex B
//!
//! Ie = 0 and Bpl = 25.1 are G.711's with concealment of lost packets (G.113, appendix I), which phones have. For G.722 and
//! Opus no values on this scale are published; they are taken to be no worse.

use std::time::Duration;

/// What a score is reckoned from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Journey {
    pub received: u64,
    pub lost: u64,
    /// On the average.
    pub jitter: Duration,
    /// There and back. None: not known, and taken for none.
    pub round_trip: Option<Duration>,
    /// Milliseconds of sound in a packet.
    pub packet_ms: u16,
}

/// Fewer packets do not tell anything: a second of sound.
const ENOUGH: u64 = 50;

/// With loss alone, R begins here.
const BEST: f64 = 93.2;

/// How well loss is concealed.
const ROBUSTNESS: f64 = 25.1;

impl Journey {
    /// The score in hundredths, 100 to 450. None: too little sound came.
    pub fn mos_hundredths(&self) -> Option<u16> {
        let expected = self.received.saturating_add(self.lost);
        if expected < ENOUGH || self.received == 0 {
            return None;
        }
        let percent = self.lost as f64 * 100.0 / expected as f64;
        let impairment = 95.0 * percent / (percent + ROBUSTNESS);
        // A packet is whole before it leaves, and waits at the listener's for twice the jitter.
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let round_trip = self.round_trip.map_or(0.0, milliseconds);
        let delay = round_trip / 2.0 + f64::from(self.packet_ms) + 2.0 * milliseconds(self.jitter);
        let delayed = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
        Some((score(BEST - delayed - impairment) * 100.0).round() as u16)
    }
}

fn score(rating: f64) -> f64 {
    let rating = rating.clamp(0.0, 100.0);
    (1.0 + 0.035 * rating + 7e-6 * rating * (rating - 60.0) * (100.0 - rating)).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Journey = Journey { received: 1000, lost: 0, jitter: Duration::ZERO, round_trip: None, packet_ms: 20 };

    fn mos(journey: Journey) -> u16 {
        journey.mos_hundredths().unwrap()
    }

    #[test]
    fn sound_without_loss_is_as_good_as_the_model_allows() {
        assert_eq!(mos(GOOD), 440);
    }

    #[test]
    fn loss_jitter_and_delay_each_cost_something() {
        let lossy = mos(Journey { received: 950, lost: 50, ..GOOD });
        let uneven = mos(Journey { jitter: Duration::from_millis(100), ..GOOD });
        let far = mos(Journey { round_trip: Some(Duration::from_millis(600)), ..GOOD });

        assert!((380..400).contains(&lossy), "{lossy}");
        assert!((405..425).contains(&uneven), "{uneven}");
        assert!((350..385).contains(&far), "{far}");
    }

    #[test]
    fn the_worst_is_one_and_nothing_makes_it_less() {
        let endless = Journey { jitter: Duration::MAX, round_trip: Some(Duration::MAX), lost: u64::MAX, ..GOOD };

        assert_eq!(mos(endless), 100);
    }

    #[test]
    fn too_little_sound_tells_nothing() {
        assert_eq!(Journey { received: 49, ..GOOD }.mos_hundredths(), None);
        assert_eq!(Journey { received: 0, lost: 5000, ..GOOD }.mos_hundredths(), None);
    }
}
