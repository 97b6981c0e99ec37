//! What goes wrong: weather, crashes, cables, networks that change, disks.

use std::time::Duration;

use sip::sdp::Direction;

use super::{Plan, Simulation};
use crate::world::Weather;
use crate::world::phone::State;

impl Simulation {
    pub(super) fn now_and_then(&mut self) {
        self.nobody_is_left_hanging();
        self.nobody_is_called_silent_who_speaks();
        if self.world.chance.per_mille(6) {
            self.crash();
        }
        let often = if self.is_calm() { 150 } else { 30 };
        if self.world.chance.per_mille(often) {
            self.listen();
        }
        if self.world.chance.per_mille(700) {
            self.client_orders();
        }
        if self.world.chance.per_mille(50) {
            self.weather();
        }
        if self.world.chance.per_mille(20) {
            let tenant = if self.world.chance.per_mille(500) { 1 } else { 2 };
            let phone = self.one_of(tenant);
            self.world.phones[phone].unplugged = true;
            self.lost_at.insert(phone, self.world.now);
            let after = self.world.chance.within(Duration::from_secs(40));
            self.plan(after, Plan::PlugIn { phone });
        }
        if self.world.chance.per_mille(10) {
            self.cut();
        }
        if self.world.chance.per_mille(10) {
            self.moves();
        }
        if self.world.chance.per_mille(10) {
            self.router_restarts();
        }
        if self.world.chance.per_mille(150) {
            self.changes();
        }
        if self.world.chance.per_mille(10) {
            self.world.storage_stalls();
            let after = self.world.chance.within(Duration::from_secs(4));
            self.plan(after, Plan::Store);
        }
    }

    pub(super) fn weather(&mut self) {
        if self.world.network.weather.lost > 0 {
            self.calm_since = self.world.now;
        }
        let chance = &mut self.world.chance;
        self.world.network.weather = match chance.below(4) {
            0 => Weather { latency: Duration::from_millis(5), ..Weather::default() },
            1 => Weather {
                lost: 150,
                doubled: 50,
                late: 100,
                late_by: Duration::from_secs(2),
                latency: Duration::from_millis(60),
            },
            _ => Weather {
                lost: 20,
                doubled: 20,
                late: 50,
                late_by: Duration::from_millis(800),
                latency: Duration::from_millis(20),
            },
        };
        let sound = Weather {
            lost: 50,
            doubled: 10,
            late: 940,
            late_by: Duration::from_millis(50),
            latency: Duration::from_millis(20),
        };
        self.world.air.weather = chance.per_mille(300).then_some(sound);
        let slow = chance.per_mille(200);
        self.world.store.commit_takes = Duration::from_millis(if slow { 400 } else { 5 });
    }

    fn crash(&mut self) {
        self.tally.crashes += 1;
        self.world.crash();
        self.died_at = self.world.now;
        let down = self.world.chance.within(Duration::from_secs(3));
        self.pass(down);
        self.world.restart();
        self.repeat_orders();
        self.sign_in(|transport| transport.is_reliable());
    }

    /// A connection is lost, and opened again a moment later.
    fn cut(&mut self) {
        let connected: Vec<usize> = self.world.connections.keys().copied().collect();
        if connected.is_empty() {
            return;
        }
        let place = *self.world.chance.one_of(&connected);
        let name = self.world.phones[place].card.name.clone();
        self.world.disconnects(&name);
        self.lost_at.insert(place, self.world.now);
        self.pass(Duration::from_millis(700));
        if self.is_cut_off(place) {
            self.world.connects(&name);
        }
        self.world.stays_registered(&name, 600);
    }

    /// A phone comes into another network, and says so a moment later.
    fn moves(&mut self) {
        let phones = self.places(|phone| phone.card.login.is_some() && !phone.card.transport.is_reliable());
        let place = *self.world.chance.one_of(&phones);
        let name = self.world.phones[place].card.name.clone();
        self.world.moves(&name);
        self.lost_at.insert(place, self.world.now);
        let after = self.world.chance.within(Duration::from_secs(3));
        self.plan(after, Plan::Return { phone: place });
    }

    fn router_restarts(&mut self) {
        let places: Vec<usize> = self.world.nats.keys().copied().collect();
        if places.is_empty() {
            return;
        }
        let place = *self.world.chance.one_of(&places);
        let name = self.world.phones[place].card.name.clone();
        self.world.restarts_router(&name);
        self.lost_at.insert(place, self.world.now);
        if self.world.chance.per_mille(500) {
            let after = self.world.chance.within(Duration::from_secs(20));
            self.plan(after, Plan::Return { phone: place });
        }
    }

    /// A phone signs in from where it is now, and offers its sound in the calls it is in.
    pub(super) fn come_back(&mut self, place: usize) {
        let name = self.world.phones[place].card.name.clone();
        if self.is_cut_off(place) {
            return;
        }
        self.world.stays_registered(&name, 600);
        for talk in 0..self.world.phones[place].talks.len() {
            if self.world.phones[place].talks[talk].state == State::Up {
                self.world.phones[place].reoffer(talk, Direction::SendRecv);
            }
        }
        self.world.flush(place);
    }

    /// Somebody who talks holds, takes back or changes; whether called or calling.
    fn changes(&mut self) {
        let talking = self.places(|phone| phone.talks.iter().any(|talk| talk.is_up()));
        if talking.is_empty() {
            return;
        }
        let phone = *self.world.chance.one_of(&talking);
        let Some(talk) = self.world.phones[phone].talks.iter().rposition(|talk| talk.is_up()) else { return };
        let directions = [Direction::SendOnly, Direction::Inactive, Direction::RecvOnly, Direction::SendRecv];
        let direction = *self.world.chance.one_of(&directions);
        let after = self.world.chance.within(Duration::from_millis(100));
        match self.world.chance.below(4) {
            0 => self.plan(after, Plan::Update { phone, talk }),
            1 => self.world.phones[phone].talks[talk].sound.dial("15"),
            _ => self.plan(after, Plan::Reoffer { phone, talk, direction }),
        }
    }
}
