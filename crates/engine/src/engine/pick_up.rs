//! A phone that takes a call which rings elsewhere: its INVITE becomes a leg of that call.

use model::{CallId, ExtensionEvent, Language, Reason, TenantId, TenantSettings, Text};

use super::Engine;
use crate::arrivals::PickUp;
use crate::edge::Now;
use crate::key::LegIndex;

impl Engine {
    /// Lets a phone take the oldest call that it may take. Where nothing rings it is refused, and there is no call.
    pub(super) fn pick_up(&mut self, now: Now, id: TenantId, pick_up: PickUp) {
        let Some((call, from)) = self.ringing(id, &pick_up) else {
            return self.refuse_pick_up(now, id, pick_up);
        };
        self.with_call(now, id, call, |live, step| live.pick_up(step, from, pick_up));
    }

    fn ringing(&self, id: TenantId, pick_up: &PickUp) -> Option<(CallId, LegIndex)> {
        let tenant = self.tenants.get(&id)?;
        let settings = &tenant.office.settings;
        let is_wanted = |rung: &str| may_take(settings, &pick_up.extension, pick_up.from.as_deref(), rung);
        // The table has no order that could be seen; ids have that of their calls.
        tenant.calls.iter().filter_map(|(call, live)| Some((*call, live.rings(is_wanted)?))).min()
    }

    fn refuse_pick_up(&mut self, now: Now, id: TenantId, PickUp { extension, uses, incoming, .. }: PickUp) {
        let Some(mut step) = self.step(now, id) else { return };
        let reason = Reason::NothingThere;
        step.free(&uses);
        let response = incoming.request.response(reason.sip());
        step.endpoint.answer_stateless(&incoming, response);
        let why = Text::from(reason.sentence(Language::En));
        step.office.tell_extension(now, &extension, ExtensionEvent::Refused { why, reason: Some(reason) }, step.out);
    }
}

/// Whether an extension may take what rings at another: the one that it names, else those of its own pick-up group.
fn may_take(settings: &TenantSettings, extension: &str, named: Option<&str>, rung: &str) -> bool {
    let group = |number: &str| settings.extensions.get(number).and_then(|extension| extension.pickup_group.as_deref());
    match named {
        Some(named) => named == rung,
        None => group(extension).is_some_and(|own| group(rung) == Some(own)),
    }
}
