//! Who behaves how: when a phone rings and answers, what it can do, whom it sends calls on to.

use std::time::Duration;

use sip::{HeaderName, Headers, NameAddr, Transport, Uri};

use super::{EVER, EXTENSIONS, GROUPS, LONGEST, Simulation};
use crate::world::phone::{Abilities, Manner, Reliably, Session, Then};

impl Simulation {
    /// Somebody of the company treats the next calls in another way.
    pub(super) fn mood(&mut self, tenant: i64) {
        let place = self.one_of(tenant);
        let chance = &mut self.world.chance;
        let rings_after = match chance.below(10) {
            0 => None,
            1 => Some(chance.within(Duration::from_secs(7))),
            _ => Some(chance.within(Duration::from_millis(300))),
        };
        let status = *chance.one_of(&[486, 603, 480, 404, 500, 503, 415, 302]);
        let then = match chance.below(10) {
            0..8 => Then::Answer(chance.within(Duration::from_secs(7))),
            8 => Then::Refuse(status, chance.within(Duration::from_secs(5))),
            // Nobody picks up; the phone itself gives up when nobody else does.
            _ => Then::Refuse(408, Duration::from_secs(200)),
        };
        let long = chance.per_mille(40);
        let manner = Manner {
            rings_after,
            early_sound: chance.per_mille(200),
            then,
            hangs_up_after: Some(chance.within(if long { EVER } else { LONGEST })),
            presses: chance.per_mille(50).then_some('5'),
        };
        let codecs: &[(u8, &str)] = match chance.below(20) {
            0 => &[(18, "G729")],
            1..6 => &[(0, "PCMU")],
            6..11 => &[(8, "PCMA")],
            _ => &[(8, "PCMA"), (0, "PCMU")],
        };
        let abilities = self.abilities(place);
        let refuses_with = self.besides(status);
        let phone = &mut self.world.phones[place];
        phone.abilities = abilities;
        phone.refuses_with = refuses_with;
        phone.manner = manner;
        phone.codecs = codecs.iter().map(|(number, name)| (*number, (*name).to_owned())).collect();
        phone.mute_to_invites = self.world.chance.per_mille(30);
        let never_acks = self.world.chance.per_mille(20);
        let never_acked = std::mem::replace(&mut phone.never_acks, never_acks);
        if never_acked || never_acks {
            // RFC 3261, 15: whoever's answer is not acknowledged says its BYE half a minute later.
            self.lost_at.insert(place, self.world.now);
        }
    }

    /// The CRM treats the next questions in another way, and may answer one that it has left open.
    pub(super) fn crm_mood(&mut self) {
        let chance = &mut self.world.chance;
        let (extension, group) = (*chance.one_of(&EXTENSIONS), *chance.one_of(&GROUPS));
        let takes = if chance.per_mille(700) { 300 } else { 5_000 };
        let takes = chance.within(Duration::from_millis(takes));
        let (drawn, answers) = (chance.below(20), chance.per_mille(50));
        match drawn {
            0..8 => self.world.crm_routes_to(extension),
            8..12 => self.world.crm_routes_to(group),
            12 => self.world.crm_routes_to("199"),
            13 => self.world.crm_routes_to("700"),
            14 => self.world.crm_routes_to(""),
            15 => self.world.crm_fails("connection refused"),
            _ => self.world.crm_is_silent(),
        }
        self.world.crm_takes(takes.as_secs_f64());
        if answers {
            self.world.crm_answers(extension);
        }
    }

    fn abilities(&mut self, place: usize) -> Abilities {
        let secured = self.world.phones[place].card.transport == Transport::Tls;
        let chance = &mut self.world.chance;
        let session = Session { seconds: *chance.one_of(&[90, 180, 1_800]), by_phone: chance.per_mille(500) };
        Abilities {
            reliably: *chance.one_of(&[Reliably::Never, Reliably::Never, Reliably::Can, Reliably::Insists]),
            updates: chance.per_mille(500),
            session: chance.per_mille(300).then_some(session),
            secured: secured.then(|| chance.per_mille(500)),
        }
    }

    /// What a refusal says besides: where to call instead, and how long nobody need come again.
    fn besides(&mut self, status: u16) -> Headers {
        let mut headers = Headers::new();
        let chance = &mut self.world.chance;
        match status {
            302 => {
                let number = if chance.per_mille(700) { *chance.one_of(&EXTENSIONS) } else { "0900000077" };
                let uri = Uri::sip(sip::Host::Name("elsewhere.test".into())).with_user(number);
                headers.push(HeaderName::Contact, NameAddr::new(uri));
            }
            503 if chance.per_mille(500) => {
                headers.push(HeaderName::RetryAfter, (1 + chance.below(30)).to_string());
            }
            _ => {}
        }
        headers
    }
}
