//! Phones and carriers, spoken to by SIP: what comes from outside a dialog, registrations, and one leg's dialog and sound.

mod call_out;
mod gate;
mod keys;
mod line;
mod register;
mod sound;

pub use self::call_out::{CallPhone, CallTrunk, Shown};
pub use self::gate::{Gatekeeper, Visitor, extension_of};
pub use self::line::{SipLine, SipNews};
pub use self::register::{keep as keep_bindings, register};

use bytes::Bytes;
use sip::{HeaderName, Headers};

/// The methods that we take, for Allow.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, INFO";

/// Why a dialog is ended, for the other side (RFC 3326).
fn because(reason: model::Reason) -> Headers {
    let value = format!("SIP;cause={};text=\"{}\"", reason.sip(), reason.sentence(model::Language::En));
    Headers::new().with(HeaderName::Reason, Bytes::from(value))
}
