//! Where phones are reached: connections that are lost, bindings that end, phones that are asked whether they are there.

use model::{CallId, ExtensionEvent, TenantId, Text};
use sip::Flow;

use super::{Engine, Timer};
use crate::edge::{Now, Whose};
use crate::lines::Line;
use crate::lines::sip::{ask_phone, keep_bindings};
use crate::registrar::{First, WatchId};

impl Engine {
    pub(super) fn flow_lost(&mut self, now: Now, flow: Flow) {
        self.endpoint.handle_flow_lost(now.mono, flow);
        self.drain_endpoint(now, &Whose::Ours);
        self.trunks.flow_lost(now, flow);
        let tenants: Vec<TenantId> = self.tenants.keys().copied().collect();
        for id in tenants {
            let Some(mut step) = self.step(now, id) else { continue };
            for (extension, binding) in step.office.registrar.flow_lost(flow) {
                let what =
                    ExtensionEvent::Unregistered { address: binding.address(), why: Text::from("connection_lost") };
                step.office.tell_extension(now, &extension, what, step.out);
                keep_bindings(&mut step, &extension, false);
            }
        }
    }

    /// Calls of phones whose connection was lost go on by the one that they have opened anew.
    pub(super) fn reconnect(&mut self, now: Now, id: TenantId) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        for (extension, binding) in std::mem::take(&mut tenant.office.reconnected) {
            let Some(tenant) = self.tenants.get(&id) else { return };
            let calls: Vec<CallId> = tenant
                .calls
                .values()
                .map(|live| &live.call)
                .filter(|call| call.has(&extension))
                .map(|call| call.key())
                .collect();
            for call in calls {
                self.with_call(now, id, call, |live, step| {
                    for line in live.call.lines_of(&extension) {
                        let Line::Sip(line) = line;
                        line.reconnect(step, &binding.contact, binding.flow);
                    }
                });
            }
        }
    }

    /// The phones of extensions that are not in the settings any more are signed out.
    pub(super) fn sign_out_the_gone(&mut self, now: Now, tenant: TenantId) {
        let Some(mut step) = self.step(now, tenant) else { return };
        let settings = step.office.settings.clone();
        for (extension, binding) in step.office.registrar.end_others(|one| settings.extensions.contains_key(one)) {
            let what = ExtensionEvent::Unregistered { address: binding.address(), why: Text::from("deleted") };
            step.office.tell_extension(now, &extension, what, step.out);
            keep_bindings(&mut step, &extension, false);
        }
    }

    pub(super) fn expire_bindings(&mut self, now: Now, tenant: TenantId, extension: &str) {
        let Some(mut step) = self.step(now, tenant) else { return };
        let expired = step.office.registrar.expire(now.mono, extension);
        for binding in &expired {
            let what = ExtensionEvent::Unregistered { address: binding.address(), why: Text::from("expired") };
            step.office.tell_extension(now, extension, what, step.out);
        }
        if !expired.is_empty() {
            keep_bindings(&mut step, extension, false);
        }
        self.arm_bindings(tenant);
    }

    pub(super) fn arm_bindings(&mut self, id: TenantId) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        for (extension, at) in tenant.office.registrar.take_unarmed() {
            self.wheel.set(at, Timer::Bindings(id, extension));
        }
    }

    /// It is the turn of a phone behind NAT.
    pub(super) fn ask_phone(&mut self, now: Now, id: TenantId, watch: WatchId) {
        let (Some(every), Some(mut step)) = (self.nat_keepalive, self.step(now, id)) else { return };
        if ask_phone(&mut step, watch) {
            self.wheel.set(now.mono + every, Timer::KeepAlive(id, watch));
        }
        self.arm_bindings(id);
    }

    pub(super) fn arm_watches(&mut self, now: Now, id: TenantId) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        let fresh = tenant.office.registrar.take_unwatched();
        let Some(every) = self.nat_keepalive else { return };
        for First { watch, part } in fresh {
            self.wheel.set(now.mono + every.mul_f64(part), Timer::KeepAlive(id, watch));
        }
    }
}
