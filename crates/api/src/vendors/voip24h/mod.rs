//! Voip24h's call-center API: click-to-call, hang up, history, recording links, and the bodies of its live events.
//! What its documents leave open is settled in `docs/voip24h.md`.

mod documents;
pub(crate) mod events;
pub(crate) mod example;
pub(crate) mod greetings;
mod look;
pub(crate) mod missed;
pub(crate) mod number;
mod playing;
pub(crate) mod routes;
pub(crate) mod routing;
mod search;
mod sign_in;
mod states;
mod translate;
pub(crate) mod wire;
