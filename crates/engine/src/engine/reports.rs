//! What the media workers tell: keys, silence, recordings that are whole, and how well sound travelled, of calls that
//! are live and of those that are over.

use media::{Quality, RecordingKey, Report, SessionId};
use model::{CallId, Reason, RecordingEvent, TenantId, Text};

use super::{Engine, Timer};
use crate::call::consultation::Past;
use crate::call::{Call, measured};
use crate::closing::Closing;
use crate::edge::Now;
use crate::key::LegKey;
use crate::lines::LegNews;

impl Engine {
    pub(super) fn report(&mut self, now: Now, report: Report) {
        match report {
            Report::Addresses(addresses) => self.sounds.put(addresses),
            Report::Key { session, key } => self.key_heard(now, session, key),
            Report::RecordingClosed { recording, milliseconds, gap_milliseconds, bytes, sha256 } => {
                let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
                let what = RecordingEvent::Closed { milliseconds, gap_milliseconds, bytes, sha256 };
                self.recording_done(now, recording, what);
            }
            Report::RecordingFailed { recording, why } => {
                let what = RecordingEvent::Failed { why: Text::from(why.to_string()) };
                self.recording_done(now, recording, what);
            }
            Report::Failed { session, .. } => {
                if let Some(key) = self.sounds.leg_of(session) {
                    self.with_call(now, key.tenant, key.call, |live, step| live.end(step, Reason::NoSoundAddress));
                }
            }
            Report::Said { session, say } => self.said(now, session, say),
            Report::Silent { session } => self.session_news(now, session, LegNews::Silent),
            Report::Quality { session, quality } => self.measured(now, session, &quality),
            Report::FirstPacket { .. } => {}
        }
    }

    pub(super) fn key_heard(&mut self, now: Now, session: SessionId, pressed: char) {
        let Some(key) = self.sounds.leg_of(session) else { return };
        self.with_call(now, key.tenant, key.call, |live, step| {
            if let Some(news) = live.call.leg_mut(key.leg).line.on_key(step, pressed) {
                live.on_news(step, key.leg, news);
            }
        });
    }

    /// A leg has heard all that was being said to it.
    fn said(&mut self, now: Now, session: SessionId, say: u32) {
        let Some(key) = self.sounds.leg_of(session) else { return };
        self.with_call(now, key.tenant, key.call, |live, step| {
            if live.call.on_said(key.leg, say) {
                live.on_news(step, key.leg, LegNews::Said);
            }
        });
    }

    pub(super) fn session_news(&mut self, now: Now, session: SessionId, news: LegNews) {
        if let Some(key) = self.sounds.leg_of(session) {
            self.with_call(now, key.tenant, key.call, |live, step| live.on_news(step, key.leg, news));
        }
    }

    /// The last event of a recording: of a live call, or of one that is over.
    pub(super) fn recording_done(&mut self, now: Now, recording: RecordingKey, what: RecordingEvent) {
        let Some((tenant, call, id)) = self.sounds.recording_done(recording) else { return };
        let Some(owner) = self.tenants.get_mut(&tenant) else { return };
        if let Some(closing) = owner.closing.get_mut(&call) {
            closing.tell_recording(now, tenant, (recording, id), what, &mut self.out);
            self.end_closing(tenant, call);
            return;
        }
        let key = owner.key_of(call);
        self.with_call(now, tenant, key, |live, _| live.call.recording_done(now, recording, id, what));
    }

    /// How well the sound of a leg travelled: of a live call, or of one that is over.
    pub(super) fn measured(&mut self, now: Now, session: SessionId, quality: &Quality) {
        let Some(LegKey { tenant, call, leg }) = self.sounds.measured(session) else { return };
        let Some(owner) = self.tenants.get_mut(&tenant) else { return };
        if let Some(live) = owner.calls.get_mut(&call) {
            if let Some((told_in, measured)) = live.call.measure(leg, quality)
                && let Some(closing) = owner.closing.get_mut(&told_in)
            {
                closing.measure(measured);
            }
            return;
        }
        let last = owner.key_of(call);
        let Some((id, told_in)) = owner.closing.get(&last).and_then(|closing| closing.leg(leg)) else { return };
        if let Some(closing) = owner.closing.get_mut(&told_in)
            && let Some(measured) = measured::of(id, quality)
        {
            closing.measure(measured);
        }
        if self.sounds.unmeasured(tenant, call) == 0
            && let Some(closing) = owner.closing.get_mut(&last)
        {
            closing.tell_sound(now, tenant, &mut self.out);
            self.sounds.forget(tenant, call);
            self.end_closing(tenant, last);
        }
    }

    /// The media workers had time enough to tell of a call that is over.
    pub(super) fn closing_timeout(&mut self, now: Now, tenant: TenantId, call: CallId) {
        let Some(owner) = self.tenants.get_mut(&tenant) else { return };
        if let Some(closing) = owner.closing.get_mut(&call).filter(|closing| closing.give_up_at <= now.mono) {
            closing.tell_sound(now, tenant, &mut self.out);
            if let Some(key) = closing.key() {
                self.sounds.forget(tenant, key);
            }
            self.end_closing(tenant, call);
        }
    }

    pub(super) fn end_closing(&mut self, tenant: TenantId, call: CallId) {
        let Some(owner) = self.tenants.get_mut(&tenant) else { return };
        if owner.closing.get(&call).is_some_and(Closing::is_done)
            && let Some(closing) = owner.closing.remove(&call)
            && let Some(key) = closing.key().filter(|key| *key != call)
        {
            owner.names.remove(&key);
        }
    }

    /// Keeps of a story that is over, while its call goes on, what there is still to tell.
    pub(super) fn close_past(&mut self, now: Now, id: TenantId, past: Past) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        let closing = Closing::new(now, past, None);
        self.wheel.set(closing.give_up_at, Timer::Closing(id, closing.id()));
        tenant.closing.insert(closing.id(), closing);
    }

    /// Keeps of a call that is over what there is still to tell.
    pub(super) fn close(&mut self, now: Now, id: TenantId, call: Call) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        let (key, name) = (call.key(), call.id);
        let legs = call.leg_ids();
        let mut closing = Closing::new(now, call.into_past(), Some((key, legs)));
        if self.sounds.unmeasured(id, key) == 0 {
            closing.tell_sound(now, id, &mut self.out);
            self.sounds.forget(id, key);
        } else {
            self.wheel.set(closing.give_up_at, Timer::Closing(id, name));
        }
        if !closing.is_done() {
            if key != name {
                // Its legs go on being called by its key until all is told of them.
                tenant.names.insert(key, name);
            }
            tenant.closing.insert(name, closing);
        }
    }
}
