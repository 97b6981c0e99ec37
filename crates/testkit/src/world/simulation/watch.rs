//! What must be true all the time: nobody is left in a call that is over, and nobody hears another company.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{CallId, LegRecord, Reason, Record, TenantId, Timestamp};

use super::clients::{goes_on_as, is_of};
use super::{GROUPS, HEARD_OF, Simulation};
use crate::world::World;
use crate::world::phone::{End, Phone, State, Talk};

/// By then a message that is sent again has come, once none is lost any more.
const CALM: Duration = Duration::from_secs(8);

/// A phone, and the place of a call among its calls.
type Place = (usize, usize);

impl Simulation {
    /// Nobody talks in a call that is over, or of which somebody else took the call: its BYE must have come by now. Phones that ring do not count, because one
    /// that we have not heard of cannot be cancelled; nor do calls from before a crash, of which only answered legs are
    /// known to the next engine.
    pub(super) fn nobody_is_left_hanging(&self) {
        let world = &self.world;
        let long_ago = |at: Duration| world.now.saturating_sub(at) > 2 * HEARD_OF;
        for (place, phone) in world.phones.iter().enumerate() {
            let was_there = self.lost_at.get(&place).is_none_or(|at| long_ago(*at));
            let was_there = was_there && !phone.unplugged && !phone.never_acks;
            let may_be_out_of_reach = world.nats.contains_key(&place);
            if !was_there || may_be_out_of_reach || phone.card.transport.is_reliable() {
                continue;
            }
            let called = phone.talks.iter().filter(|talk| !talk.caller);
            let called = called.filter(|talk| talk.began > self.died_at);
            for talk in called.filter(|talk| talk.is_up() && talk.acked) {
                let call = talk.named();
                let rows = world.store.tenant(phone.card.tenant);
                let record = call.and_then(|call| goes_on_as(rows?, call));
                // Who hears of a call after its end may still ring when our patience is over.
                let ended = record.and_then(|record| ended_of(record, phone));
                let ended = ended.filter(|at| *at > world.wall_at(talk.began));
                let since = ended.map(|at| world.wall().duration_since(at));
                let left = since.is_some_and(|since| since.unsigned_abs() > HEARD_OF);
                assert!(!left, "{} is left hanging in {call:?}, which ended at {ended:?}", phone.card.name);
            }
        }
    }

    /// A call is ended for its silence only if one of its phones was out of reach, or had heard of its end.
    pub(super) fn nobody_is_called_silent_who_speaks(&mut self) {
        let world = &self.world;
        let Some(rows) = world.store.tenant(TenantId(2)) else { return };
        let silent = rows.records.values().filter(|record| record.reason == Some(Reason::Silent));
        let fresh: Vec<&Record> = silent.filter(|record| !self.silent.contains(&record.callid)).collect();
        for record in &fresh {
            let own = world.phones.iter().enumerate().filter(|(_, phone)| {
                phone.card.tenant == TenantId(2) && record.legs.iter().any(|leg| is_of(phone, leg))
            });
            let long_ago = |at: Duration| world.now.saturating_sub(at) > 6 * HEARD_OF;
            let mut lost = own.map(|(place, phone)| {
                let was_lost = self.lost_at.get(&place).is_some_and(|at| !long_ago(*at));
                phone.unplugged || was_lost || world.nats.contains_key(&place) || was_refused(world, phone, record)
            });
            assert!(lost.any(|lost| lost), "who is silent in {record:?}?");
        }
        let fresh: Vec<CallId> = fresh.into_iter().map(|record| record.callid).collect();
        self.silent.extend(fresh);
    }

    /// Those who have talked for a while, whom nothing keeps from hearing each other: phone and call of both.
    fn pairs(&self) -> Vec<(Place, Place)> {
        let world = &self.world;
        let long_ago = |at: Duration| world.now.saturating_sub(at) > 2 * HEARD_OF;
        // What has happened since is not known while nothing is stored.
        let is_stored = !world.store.stalled && world.store.commit_takes < HEARD_OF / 200;
        if !is_stored || !self.is_calm() || world.switchboard.is_none() || !long_ago(self.died_at) {
            return Vec::new();
        }
        let mut calls: BTreeMap<CallId, Vec<Place>> = BTreeMap::new();
        for (place, phone) in world.phones.iter().enumerate() {
            let lost = self.lost_at.get(&place).is_some_and(|at| !long_ago(*at));
            if phone.unplugged || phone.never_acks || lost {
                continue;
            }
            for (at, talk) in phone.talks.iter().enumerate().filter(|(_, talk)| talk.is_up() && talk.acked) {
                if talk.sound.is_open() && talk.began > self.died_at {
                    let call = if talk.caller { self.call_of(place, at) } else { talk.named() };
                    let rows = world.store.tenant(phone.card.tenant);
                    let call = call.and_then(|call| Some(goes_on_as(rows?, call)?.callid));
                    if let Some(call) = call {
                        calls.entry(call).or_default().push((place, at));
                    }
                }
            }
        }
        let pairs = calls.into_iter().filter_map(|(call, who)| <[Place; 2]>::try_from(who).ok().map(|who| (call, who)));
        let live = pairs.filter(|(call, [one, _])| {
            let rows = world.store.tenant(world.phones[one.0].card.tenant);
            let record = rows.and_then(|rows| rows.records.get(call));
            record.is_some_and(|record| {
                let legs: Vec<_> = record.legs.iter().filter(|leg| leg.ended_at.is_none()).collect();
                let begun = record.answered_at.map(|at| world.wall().duration_since(at).unsigned_abs());
                let long = begun.is_some_and(|begun| begun > Duration::from_secs(5));
                long && self.is_left_alone(record)
                    && legs.len() == 2
                    && legs.iter().all(|leg| !leg.held && leg.answered_at.is_some())
            })
        });
        live.map(|(_, [one, other])| (one, other)).collect()
    }

    /// Whether whatever was lost has been sent again by now.
    pub(super) fn is_calm(&self) -> bool {
        let world = &self.world;
        world.network.weather.lost == 0 && world.now.saturating_sub(self.calm_since) > CALM
    }

    /// The call that a phone has begun, if there can be no doubt: the only one of its extension to that number.
    fn call_of(&self, place: usize, at: usize) -> Option<CallId> {
        let phone = &self.world.phones[place];
        let called = &phone.talks[at].called;
        if GROUPS.contains(&called.as_str()) {
            return self.call_to_group(phone, called);
        }
        let rings = |talk: &&Talk| !talk.caller && talk.is_up() && talk.called == *called;
        let own = |other: &&Phone| other.card.tenant == phone.card.tenant;
        let calls = |talk: &&Talk| talk.caller && talk.is_live() && talk.called == *called;
        let phones = || self.world.phones.iter().filter(own);
        if phones().flat_map(|phone| &phone.talks).filter(calls).count() != 1 {
            return None;
        }
        let mut called = phones().flat_map(|phone| &phone.talks).filter(rings);
        let call = called.next().and_then(Talk::named);
        let rows = self.world.store.tenant(phone.card.tenant)?;
        let record = rows.records.get(&call?)?;
        // A client's call to the same number is not the phone's, nor is one that another phone has given there.
        let user = Some(phone.card.user.as_str());
        let by_phone = record.legs.iter().any(|leg| leg.caller && leg.party.extension() == user);
        call.filter(|_| called.next().is_none() && by_phone)
    }

    /// The call that an extension has begun to a group, if there can be no doubt: its only one that is live.
    fn call_to_group(&self, phone: &Phone, called: &str) -> Option<CallId> {
        let rows = self.world.store.tenant(phone.card.tenant)?;
        let is_its = |leg: &LegRecord| leg.caller && leg.party.extension() == Some(phone.card.user.as_str());
        let mut own = rows.records.values().filter(|record| {
            record.ended_at.is_none() && record.to.number() == called && record.legs.iter().any(is_its)
        });
        let call = own.next()?.callid;
        own.next().is_none().then_some(call)
    }

    /// Nobody may hear anybody of another company.
    pub(super) fn listen(&mut self) {
        self.tally.listened += 1;
        let talking = self.pairs();
        let heard = self.world.who_hears_whom();
        let talk_on = self.pairs();
        for (one, other) in talking.into_iter().filter(|pair| talk_on.contains(pair)) {
            self.tally.conversations += 1;
            for (one, other) in [(one, other), (other, one)] {
                let [own, theirs] = [one, other].map(|(place, _)| &self.world.phones[place].card.name);
                let hears = heard.iter().any(|(who, whom)| who == own && whom.contains(theirs));
                let [one, other] = [one, other].map(|(place, talk)| self.world.phones[place].talks[talk].sound.about());
                let at = self.world.now;
                assert!(hears, "{own} does not hear {theirs} at {at:?}: {heard:?}\n{own} {one}\n{theirs} {other}");
            }
        }
        let tenant_of = |world: &World, name: &str| {
            world.phones.iter().find(|phone| phone.card.name == name).map(|phone| phone.card.tenant)
        };
        // What is not stored is known to nobody.
        let is_stored = !self.world.store.stalled && self.world.store.commit_takes < HEARD_OF / 200;
        let is_certain = is_stored && self.is_calm() && self.world.now.saturating_sub(self.died_at) > 2 * HEARD_OF;
        for (who, whom) in heard {
            let own = tenant_of(&self.world, &who);
            for other in whom {
                let theirs = tenant_of(&self.world, &other);
                assert!(theirs.is_none() || theirs == own, "{who} hears {other} of another company");
                if theirs.is_some() && is_certain {
                    let [one, two] = [&who, &other].map(|name| &self.world.phones[self.world.place(name)]);
                    let at = self.world.now;
                    assert!(self.may_hear(one, two), "{who} hears {other} at {at:?}, and is in no call with it");
                }
            }
        }
    }
}

/// Whether whoever called was told no: a copy of its call was refused, and the call itself came later than its copy.
fn was_refused(world: &World, phone: &Phone, record: &Record) -> bool {
    let mut own = phone.talks.iter().filter(|talk| talk.caller && matches!(talk.state, State::Gone(End::Refused(_))));
    own.any(|talk| record.started_at.duration_since(world.wall_at(talk.began)).unsigned_abs() < CALM)
}

/// When the last leg of a phone's extension ended; for a carrier, when the call did.
fn ended_of(record: &Record, phone: &Phone) -> Option<Timestamp> {
    let own: Vec<&LegRecord> =
        record.legs.iter().filter(|leg| leg.party.extension() == Some(phone.card.user.as_str())).collect();
    if phone.card.login.is_none() || own.is_empty() {
        return record.ended_at;
    }
    own.iter().map(|leg| leg.ended_at).collect::<Option<Vec<Timestamp>>>()?.into_iter().max()
}
