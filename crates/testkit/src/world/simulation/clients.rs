//! What clients order of live calls, at any moment and often in vain; and who may hear whom meanwhile.

use std::time::Duration;

use model::{
    ActingLeg, CallId, Command, Dialled, LegId, LegRecord, Origin, Originate, Party, PlayedSound, Record, RecordAction,
    TenantId, Transfer, TransferMode,
};

use super::{EXTENSIONS, HEARD_OF, Simulation};
use crate::world::phone::Phone;
use crate::world::store::Tenant;

/// A call that clients have just changed is left alone for so long before it is listened to.
const CHANGED: Duration = Duration::from_secs(5);

impl Simulation {
    /// A client of some company orders something of one of its calls.
    pub(super) fn client_orders(&mut self) {
        let tenant = if self.world.chance.per_mille(500) { 1 } else { 2 };
        if self.world.chance.per_mille(200) {
            return self.client_orders_agent();
        }
        let Some((call, legs)) = self.one_call(tenant) else { return };
        let leg = match self.world.chance.below(10) {
            0..5 => ActingLeg::OnlyExtension,
            5..8 => ActingLeg::Leg(*self.world.chance.one_of(&legs)),
            _ => ActingLeg::Extension((*self.world.chance.one_of(&EXTENSIONS)).to_owned()),
        };
        let to = Dialled::parse(&self.number()).expect("a number that can be dialled");
        let chance = &mut self.world.chance;
        let command = match chance.below(30) {
            0..7 => Command::Transfer(Transfer { call, leg, to, mode: TransferMode::Blind }),
            7..14 => Command::Transfer(Transfer { call, leg, to, mode: TransferMode::Attended }),
            14..17 => Command::Hold { call, leg },
            17..21 => Command::Resume { call, leg },
            21 => Command::Mute { call, leg, muted: true },
            22 => Command::Mute { call, leg, muted: false },
            23 => Command::PressKeys { call, leg, keys: "19#".into() },
            24 => {
                self.played.insert(call, self.world.now);
                Command::Play { call, leg: None, sound: Some(PlayedSound::Busy), seconds: Some(1) }
            }
            25 => Command::HangUp { call },
            _ => {
                let actions = [RecordAction::Start, RecordAction::Pause, RecordAction::Resume, RecordAction::Stop];
                Command::Record { call, action: *chance.one_of(&actions) }
            }
        };
        self.world.command(tenant, command);
    }

    /// A client of a company orders a call.
    pub(super) fn order_call(&mut self, tenant: i64, order: Originate) {
        let ticket = self.world.command(tenant, Command::Originate(order.clone()));
        if order.claim.is_some() {
            self.keyed.push((tenant, order, ticket));
        }
    }

    /// Whoever has had no reply from a process that died gives the same order again, under the same key: it is carried
    /// out unless the key has had its call.
    pub(super) fn repeat_orders(&mut self) {
        for (tenant, order, ticket) in std::mem::take(&mut self.keyed) {
            let is_answered = |key| self.world.store.call_of(TenantId(tenant), key).is_some();
            if self.world.reply(ticket).is_none() && !order.claim.as_ref().is_some_and(is_answered) {
                self.tally.repeated += 1;
                self.order_call(tenant, order);
            }
        }
    }

    /// Whether two who talk are kept from hearing each other by nobody: by no client, no transfer, and not just now.
    pub(super) fn is_left_alone(&self, record: &Record) -> bool {
        let world = &self.world;
        let since = |at| world.wall().duration_since(at).unsigned_abs();
        let is_played_to = self.played.get(&record.callid).is_some_and(|at| world.now.saturating_sub(*at) < CHANGED);
        let is_given_away = record.transfers.iter().any(|transfer| {
            let undecided = transfer.target.is_none() && transfer.failed.is_none();
            // When one was decided that gave the customer back to the same leg nobody has noted.
            let has_back = transfer.mode == TransferMode::Attended || transfer.failed.is_some();
            undecided || (has_back && since(transfer.at) < 3 * HEARD_OF)
        });
        let live = || record.legs.iter().filter(|leg| leg.ended_at.is_none());
        let is_fresh = live().any(|leg| leg.answered_at.is_some_and(|at| since(at) < CHANGED));
        !is_played_to && !is_given_away && !is_fresh && live().all(|leg| !leg.muted)
    }

    /// Whether one phone may hear another of its company: they take part in one call, or have just done so, and the one
    /// is not the customer of a consultation that the other takes part in.
    pub(super) fn may_hear(&self, one: &Phone, other: &Phone) -> bool {
        let world = &self.world;
        let since = |at| world.wall().duration_since(at).unsigned_abs();
        let rows = world.store.tenant(one.card.tenant);
        let records = rows.iter().flat_map(|rows| rows.records.values());
        let recent = records.filter(|record| record.ended_at.is_none_or(|at| since(at) < HEARD_OF));
        recent.into_iter().any(|record| {
            let is_in = |phone: &Phone| {
                let legs = record.legs.iter().filter(|leg| leg.ended_at.is_none_or(|at| since(at) < HEARD_OF));
                legs.into_iter().any(|leg| is_of(phone, leg))
            };
            let asks = record.transfers.last().is_some_and(|transfer| {
                let undecided = transfer.target.is_none() && transfer.failed.is_none();
                undecided && transfer.mode == TransferMode::Attended && since(transfer.at) > HEARD_OF
            });
            // Whoever has several calls is in the one while it asks in the other.
            let waits = asks && record.ended_at.is_none();
            !waits && is_in(one) && is_in(other)
        })
    }

    /// A call of a company, most often one in which somebody talks; and its legs.
    fn one_call(&mut self, tenant: i64) -> Option<(CallId, Vec<LegId>)> {
        let drawn = self.world.chance.below(100);
        let is_fit = |record: &&Record| match drawn {
            0..3 => true,
            3..20 => record.ended_at.is_none(),
            _ => record.ended_at.is_none() && record.answered_at.is_some(),
        };
        let records = self.world.rows(tenant)?.records.values().filter(is_fit).filter(|record| !record.legs.is_empty());
        let legs = |record: &Record| record.legs.iter().map(|leg| leg.leg).collect();
        let all: Vec<(CallId, Vec<LegId>)> = records.map(|record| (record.callid, legs(record))).collect();
        if all.is_empty() { None } else { Some(self.world.chance.one_of(&all).clone()) }
    }
}

/// The record of what a call goes on as: the customer's call that a consultation became a part of, or the consultation
/// that goes on without the customer.
pub(super) fn goes_on_as(rows: &Tenant, call: CallId) -> Option<&Record> {
    let record = rows.records.get(&call)?;
    if let Some(into) = record.merged_into {
        return rows.records.get(&into);
    }
    let asked = record.transfers.iter().filter_map(|transfer| rows.records.get(&transfer.consultation?));
    let goes_on = asked.into_iter().find(|asked| {
        let later = asked.ended_at.is_none() || asked.ended_at > record.ended_at;
        asked.origin == Origin::Consultation && asked.merged_into.is_none() && record.ended_at.is_some() && later
    });
    Some(goes_on.unwrap_or(record))
}

/// Whether a leg is this phone's.
pub(super) fn is_of(phone: &Phone, leg: &LegRecord) -> bool {
    match &leg.party {
        Party::Extension { number } => phone.card.login.is_some() && phone.card.user == *number,
        Party::Outside { trunk, .. } => trunk.as_deref() == Some(phone.card.name.as_str()),
        _ => false,
    }
}
