//! More than a thousand random calls with lost, doubled and late messages and a crash now and then.
//!
//! The seed is printed. `TONGDAI_SEED=…` plays a world again; `TONGDAI_CALLS=…` makes it longer,
//! `TONGDAI_LADDER=1` prints every message and event.

use std::time::{SystemTime, UNIX_EPOCH};

use testkit::world::simulation;

#[test]
fn after_a_thousand_random_calls_nothing_is_left_and_every_call_has_its_record() {
    let seed = number("TONGDAI_SEED").unwrap_or_else(fresh_seed);
    let calls = number("TONGDAI_CALLS").and_then(|calls| u32::try_from(calls).ok()).unwrap_or(1_500);
    println!("TONGDAI_SEED={seed} TONGDAI_CALLS={calls}");

    let tally = simulation::run(seed, calls, number("TONGDAI_LADDER").is_some());

    println!("{tally}");
    assert!(tally.records > calls / 2 && tally.answered > calls / 5, "hardly anything happened: {tally}");
    assert!(tally.queued > calls / 50, "hardly anybody waited: {tally}");
    assert!(tally.transferred > calls / 100 && tally.asked > calls / 100, "hardly anybody was transferred: {tally}");
}

#[test]
fn a_phone_that_a_crash_has_orphaned_is_heard_in_nobody_elses_call() {
    println!("TONGDAI_SEED=2 TONGDAI_CALLS=400");

    simulation::run(2, 400, number("TONGDAI_LADDER").is_some());
}

#[allow(clippy::disallowed_methods, reason = "whoever looks for a bug chooses the world")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[allow(clippy::disallowed_methods, reason = "every run is another world; its seed is printed")]
fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) << 20 ^ now.as_secs()
}
