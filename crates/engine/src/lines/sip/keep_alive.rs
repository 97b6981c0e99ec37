//! Asks phones behind NAT whether they are there, by OPTIONS: that keeps their place in the NAT, and tells who is gone.
//!
//! Whose turn it is, and after how many questions a phone is gone, is the registrar's.

use model::{ExtensionEvent, Text};
use sip::{Method, NameAddr, OutOfDialog, Uri};

use super::register::keep;
use crate::key::Key;
use crate::registrar::{Asked, Binding, WatchId};
use crate::step::Step;

/// Asks the phone whose turn it is. False: it will not have another.
pub fn ask(step: &mut Step<'_>, watch: WatchId) -> bool {
    match step.office.registrar.turn(step.now.mono, watch) {
        Asked::Phone(binding) => {
            let key = Key::Phone(step.tenant_id(), watch);
            let options = options(step, *binding);
            step.endpoint.request(step.now.mono, key, options);
            true
        }
        Asked::Dead(extension, binding) => {
            let what = ExtensionEvent::Unregistered { address: binding.address(), why: Text::from("unanswered") };
            step.office.tell_extension(step.now, &extension, what, step.out);
            keep(step, &extension, false);
            false
        }
        Asked::Nobody => false,
    }
}

fn options(step: &Step<'_>, binding: Binding) -> OutOfDialog {
    let ours = NameAddr::new(Uri::of(step.endpoint.address_towards(binding.flow)));
    OutOfDialog {
        method: Method::Options,
        flow: binding.flow,
        from: ours,
        to: NameAddr::new(binding.contact.clone()),
        uri: binding.contact,
        route: binding.path,
        headers: sip::Headers::new(),
        body: None,
        credentials: None,
        call_id: None,
    }
}
