//! Asks the system to run sound before everything else.

use std::io;

/// What the system has granted to a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Priority {
    /// It runs as soon as it can.
    RealTime,
    /// It runs before most.
    Nice,
    /// It waits its turn.
    Usual,
}

/// Asks for real time, else for niceness −10, for the thread that calls.
pub fn ask() -> Priority {
    let lowest = libc::sched_param { sched_priority: 1 };
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: 0 is the calling thread; the parameter lives through the call.
    if unsafe { libc::sched_setscheduler(0, policy, &raw const lowest) } == 0 {
        return Priority::RealTime;
    }
    // SAFETY: no pointers; 0 is the calling thread.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -10) } == 0 {
        return Priority::Nice;
    }
    let error = io::Error::last_os_error();
    tracing::debug!(%error, "neither real time nor a higher priority");
    Priority::Usual
}
