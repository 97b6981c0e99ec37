//! When a message that did not arrive is sent again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::Timestamp;

/// The pauses between ten attempts: about three days in all.
pub(super) const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];
/// The longest that a receiver may put us off.
const LONGEST: Duration = Duration::from_hours(24);
/// The three ways in which HTTP has written dates (RFC 9110, section 5.6.7), all in UTC.
const DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// How long to wait after the `tries`th attempt has failed; None: it was the last.
///
/// Pauses vary by a tenth, so that what failed together does not come again together. A receiver may ask for a longer
/// pause, up to a day, never for a shorter one.
pub(super) fn pause(pauses: &[Duration], tries: u32, name: &str, asked: Option<Duration>) -> Option<Duration> {
    let pause = *pauses.get(usize::try_from(tries).ok()?.checked_sub(1)?)?;
    let mut hasher = DefaultHasher::new();
    (name, tries).hash(&mut hasher);
    let share = (hasher.finish() % 2_001) as f64 / 10_000.0;
    let pause = pause.mul_f64(0.9 + share);
    Some(asked.map_or(pause, |asked| pause.max(asked.min(LONGEST))))
}

/// What a `Retry-After` asks for: seconds, however many, or a moment, however far.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than a number holds are more than we wait.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    // Without a zone, because the last moments of the year 9999 are beyond what a timestamp holds.
    let moment = DATES.iter().find_map(|form| DateTime::strptime(form, text).ok())?;
    Duration::try_from(moment.duration_since(TimeZone::UTC.to_datetime(now))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_take_about_three_days() {
        let pauses: Vec<_> = (1..=10).map(|tries| pause(&PAUSES, tries, "msg_7_1_0", None)).collect();

        assert_eq!(pauses[9], None);
        for (pause, usual) in pauses.iter().flatten().zip(PAUSES) {
            let share = pause.as_secs_f64() / usual.as_secs_f64();
            assert!((0.9..=1.1001).contains(&share), "{pause:?} of {usual:?}");
        }
        assert_eq!(pauses.iter().flatten().count(), 9);
    }

    #[test]
    fn messages_that_failed_together_do_not_come_again_together() {
        let pauses: std::collections::BTreeSet<_> =
            (0..100).map(|nth| pause(&PAUSES, 2, &format!("msg_7_{nth}_0"), None)).collect();

        assert!(pauses.len() > 90, "{}", pauses.len());
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_but_for_no_shorter_one_and_for_a_day_at_most() {
        let asked = |seconds| pause(&PAUSES, 1, "msg_7_1_0", Some(Duration::from_secs(seconds)));

        assert_eq!(asked(60), Some(Duration::from_secs(60)));
        assert_eq!(asked(0), pause(&PAUSES, 1, "msg_7_1_0", None));
        assert_eq!(asked(u64::MAX), Some(LONGEST));
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_by_a_moment() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a moment");

        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Thu, 01 Jan 2026 00:02:00 GMT", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Thursday, 01-Jan-26 00:02:00 GMT", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Thu Jan  1 00:02:00 2026", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Wed, 31 Dec 2025 00:00:00 GMT", now), None);
        assert_eq!(retry_after("soon", now), None);
        for nothing in ["-1", "+1", "1.5", "", " ", "Thu, 01 Jan 10000 00:00:00 GMT", "Thu, 32 Jan 2026 00:00:00 GMT"] {
            assert_eq!(retry_after(nothing, now), None, "{nothing}");
        }
    }

    #[test]
    fn whoever_asks_for_more_than_a_day_gets_a_day() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a moment");

        for long in ["86401", "18446744073709551616", &"9".repeat(400), "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(pause(&PAUSES, 1, "msg_7_1_0", retry_after(long, now)), Some(LONGEST), "{long}");
        }
    }
}
