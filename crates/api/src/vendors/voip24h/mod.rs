//! Voip24h's call-center API: click-to-call, hang up, history, recording links, and the bodies of its live events.
//! What its documents leave open is settled in `docs/voip24h.md`.

pub(crate) mod events;
pub(crate) mod missed;
pub(crate) mod routes;
mod states;
mod translate;
pub(crate) mod wire;
