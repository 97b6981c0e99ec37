//! Digest authentication (RFC 3261, 22; RFC 7616; RFC 8760): what is asked, what is answered, and whether it is right.
//!
//! Leaves to others who is who: it is handed the HA1 of a user and says whether an answer was made with it.

mod challenge;
mod credentials;
mod fields;
mod hash;
mod nonces;
mod window;

pub use challenge::Challenge;
pub use credentials::{Credentials, Login};
pub use hash::{Algorithm, ha1, is_right, response};
pub use nonces::{Nonces, Verdict};
pub use window::{NcWindow, Seen};
