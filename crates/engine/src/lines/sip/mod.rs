//! Phones and carriers, spoken to by SIP: what comes from outside a dialog, registrations, and one leg's dialog and sound.

mod branch;
mod call_out;
mod causes;
mod formats;
mod gate;
mod identity;
mod inviting;
mod keep_alive;
mod keys;
mod line;
mod negotiation;
mod refer;
mod register;
mod sound;
mod state;
pub mod stub;
mod tries;
mod within;

pub use self::call_out::CallPhone;
pub use self::gate::{Gatekeeper, Visitor, extension_of};
pub use self::identity::{Said, hides_caller, said_by};
pub use self::keep_alive::ask as ask_phone;
pub use self::line::SipNews;
pub use self::register::{keep as keep_bindings, register};
pub use self::sound::Peer;
pub use self::state::SipLine;
pub use self::tries::{Errand, TrunkPlan};

use sip::{Flow, NameAddr, Uri};

use crate::step::Step;

/// Somebody's address as we show it to a peer: the number at our own address.
fn party(step: &Step<'_>, flow: Flow, number: &str, name: Option<&str>) -> NameAddr {
    let address = NameAddr::new(Uri::of(step.endpoint.address_towards(flow)).with_user(number));
    match name {
        Some(name) => address.with_display(name.as_bytes().to_vec()),
        None => address,
    }
}
