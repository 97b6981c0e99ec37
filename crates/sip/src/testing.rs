//! What the tests of several files share.

use std::sync::OnceLock;
use std::time::Instant;

/// The moment at which every test begins.
#[allow(clippy::disallowed_methods, reason = "virtual time needs a first moment; no test asks what time it is again")]
pub(crate) fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}
