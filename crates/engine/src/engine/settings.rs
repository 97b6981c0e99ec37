//! What an engine is told of its tenants: their settings, the addresses of names, and what an earlier engine kept.

use std::sync::Arc;

use model::{Kept, KeptKind, Reply, TenantId, TenantSettings, Ticket, Told};
use sip::Headers;

use super::{Engine, Timer};
use crate::edge::{Answer, Now, Output};
use crate::key::Key;
use crate::lines::sip::stub;
use crate::tenant::Tenant;
use crate::trunks::Settled;

impl Engine {
    pub(super) fn settings(&mut self, now: Now, ticket: Ticket, settings: Arc<TenantSettings>) {
        let version = settings.version;
        self.trunks.take_settings(now, &mut self.endpoint, &settings);
        match self.tenants.get_mut(&settings.id) {
            Some(tenant) => {
                let id = settings.id;
                tenant.office.settings = settings;
                self.sign_out_the_gone(now, id);
                self.touched.insert(id);
            }
            None => {
                let _ = self.tenants.insert(settings.id, Tenant::new(settings, self.keyed));
            }
        }
        self.reply(ticket, Ok(Reply::SettingsTaken { version }));
    }

    /// What a call has asked is known, or a host that a dialog names is there. Whoever does not wait any more is not told.
    pub(super) fn answered(&mut self, now: Now, ticket: Ticket, answer: Answer) {
        if let Some((tenant, call)) = self.questions.answered(ticket) {
            self.with_call(now, tenant, call, |live, step| live.on_answer(step, answer));
            return;
        }
        let interfaces = self.endpoint.interfaces();
        let found = self.whereabouts.answered(ticket, answer, interfaces, &mut self.trunks);
        if let Some((dialog, flow)) = found {
            self.endpoint.located(now.mono, dialog, flow);
        }
    }

    /// Tells and keeps what has become different of trunks, and sets their timers.
    pub(super) fn settle_trunks(&mut self, now: Now) {
        let Settled { told, keep, wake } = self.trunks.settle(now);
        for (tenant, trunk, what) in told {
            if let Some(tenant) = self.tenants.get_mut(&tenant) {
                tenant.office.tell_trunk(now, &trunk, what, &mut self.out);
            }
        }
        self.out.extend(keep.into_iter().map(|kept| Output::Told(Told::Keep(kept))));
        for (trunk, at) in wake {
            self.wheel.set(at, Timer::Trunk(trunk));
        }
    }

    /// Keeps what a tenant's calls to the public network have used, and sets its timer.
    pub(super) fn settle_minutes(&mut self, now: Now, id: TenantId) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        let office = &mut tenant.office;
        let (kept, wake_at) = office.limits.minutes.settle(now, &office.settings);
        self.out.extend(kept.map(|kept| Output::Told(Told::Keep(kept))));
        if let Some(at) = wake_at {
            self.wheel.set(at, Timer::Minutes(id));
        }
    }

    pub(super) fn kept(&mut self, now: Now, kept: Kept) {
        if kept.kind == KeptKind::Trunk {
            return self.trunks.take_back(now, &kept);
        }
        let Kept { tenant, kind, key, value: Some(value), .. } = kept else { return };
        match kind {
            KeptKind::Bindings => {
                // An extension may have been taken out while no engine ran.
                if let Some(tenant) = self.tenants.get_mut(&tenant)
                    && tenant.office.settings.extensions.contains_key(&key)
                {
                    tenant.office.registrar.take_back(now, &key, &value);
                }
                self.touched.insert(tenant);
                self.arm_bindings(tenant);
                self.arm_watches(now, tenant);
            }
            KeptKind::Seq => {
                if let Some(tenant) = self.tenants.get_mut(&tenant) {
                    tenant.office.take_seq(&key, &value);
                }
            }
            KeptKind::Agent => {
                if let Some(owner) = self.tenants.get_mut(&tenant) {
                    owner.office.floor.take_back(now, &key, &value);
                    self.touched.insert(tenant);
                }
            }
            KeptKind::Minutes => {
                if let Some(owner) = self.tenants.get_mut(&tenant) {
                    let office = &mut owner.office;
                    office.limits.minutes.take_back(now, &office.settings.zone, &key, &value);
                }
            }
            KeptKind::Subscription => {}
            // The door's facts, and those that have gone to the trunks.
            KeptKind::Ban | KeptKind::Trunk => {}
            KeptKind::Dialog => {
                self.end_orphan(now, &value);
                let over = Kept { tenant, kind, key, value: None, expires: None };
                self.out.push_back(Output::Told(Told::Keep(over)));
            }
        }
    }

    /// Ends a dialog that a dead engine left behind, so that no carrier goes on billing.
    pub(super) fn end_orphan(&mut self, now: Now, snapshot: &str) {
        let Some((snapshot, login)) = stub::read(snapshot, &self.trunks) else { return };
        let dialog = self.endpoint.restore(now.mono, Key::Orphan, snapshot);
        if let Some(login) = login {
            self.endpoint.set_login(dialog, login);
        }
        let reason = Headers::new().with(sip::HeaderName::Reason, "SIP;cause=500;text=\"The server was restarted\"");
        self.endpoint.bye(now.mono, dialog, reason);
    }
}
