//! What a script may say. Each word happens now; time passes only in [`World::run`] and its like.

use std::sync::Arc;
use std::time::Duration;

use engine::{Input, Storage};
use model::{
    Actor, CallId, ClaimedKey, Command, DialAnswer, Dialled, Originate, Problem, Reply, Role, TenantId, TenantSettings,
    Text, Ticket,
};
use sip::sdp::Direction;
use sip::{HeaderName, Headers, Method, Transport};

use super::nat::Nat;
use super::phone::{Calling, Manner, Phone, State, Talk};
use super::{Fate, Rule, Weather, World};

impl World {
    /// A phone calls a number.
    pub fn calls(&mut self, name: &str, number: &str) {
        self.calls_in_a_way(name, number, &Calling::default());
    }

    /// A phone calls a number, saying that it is somebody else.
    pub fn calls_as(&mut self, name: &str, user: &str, number: &str) {
        let calling = Calling { as_user: Some(user.to_owned()), ..Calling::default() };
        self.calls_in_a_way(name, number, &calling);
    }

    /// A phone calls a number and leaves it to the switchboard to offer sound.
    pub fn calls_without_offer(&mut self, name: &str, number: &str) {
        self.calls_in_a_way(name, number, &Calling { without_offer: true, ..Calling::default() });
    }

    /// A phone calls a number with an offer of its own, from the first `m=` on.
    pub fn calls_offering(&mut self, name: &str, number: &str, sound: &str) {
        self.calls_in_a_way(name, number, &Calling { sound: Some(sound.to_owned()), ..Calling::default() });
    }

    /// A phone calls a number, with headers of its own.
    pub fn calls_saying(&mut self, name: &str, number: &str, headers: &[(HeaderName, &str)]) {
        let mut said = Headers::new();
        for (header, value) in headers {
            said.push(header.clone(), (*value).to_owned());
        }
        self.calls_in_a_way(name, number, &Calling { headers: said, ..Calling::default() });
    }

    /// A carrier calls a number by the Contact that is registered there.
    pub fn calls_contact(&mut self, name: &str, number: &str) {
        let contact = self.phone(name).counter.registered.clone().map(|(contact, _)| contact.uri);
        self.calls_in_a_way(name, number, &Calling { uri: contact, ..Calling::default() });
    }

    fn calls_in_a_way(&mut self, name: &str, number: &str, calling: &Calling) {
        let place = self.place(name);
        self.phones[place].call(number, calling);
        self.flush(place);
    }

    /// The phone answers the call that rings there.
    pub fn answers(&mut self, name: &str) {
        self.with_talk(name, |talk| talk.state == State::Called, Phone::answer);
    }

    /// The phone refuses the call that rings there.
    pub fn refuses(&mut self, name: &str, status: u16) {
        self.with_talk(name, |talk| talk.state == State::Called, |phone, talk| phone.refuse(talk, status));
    }

    /// The phone asks for the call that rings there to go to somebody else.
    pub fn redirects(&mut self, name: &str, to: &str) {
        self.with_talk(name, |talk| talk.state == State::Called, |phone, talk| phone.redirect(talk, to));
    }

    /// The phone says that it rings, having been silent until now.
    pub fn rings(&mut self, name: &str) {
        self.with_talk(name, |talk| talk.state == State::Called, Phone::ring);
    }

    /// Whoever it is hangs up: gives up the call, refuses it or ends it, as is due.
    pub fn hangs_up(&mut self, name: &str) {
        self.with_talk(name, Talk::is_live, Phone::hang_up);
    }

    /// The phone holds the other side.
    pub fn holds(&mut self, name: &str) {
        self.reoffers(name, Direction::SendOnly);
    }

    /// The phone takes the other side back.
    pub fn resumes(&mut self, name: &str) {
        self.reoffers(name, Direction::SendRecv);
    }

    /// The phone offers sound in some direction within its call.
    pub fn reoffers(&mut self, name: &str, direction: Direction) {
        self.with_talk(name, Talk::is_up, |phone, talk| phone.reoffer(talk, direction));
    }

    /// The phone presses a key.
    pub fn presses(&mut self, name: &str, key: char) {
        self.with_talk(name, Talk::is_up, |phone, talk| phone.press(talk, key));
    }

    /// The phone sends a request of some kind within its call.
    pub fn asks_within(&mut self, name: &str, method: Method) {
        self.with_talk(name, Talk::is_up, |phone, talk| phone.ask_within(talk, method));
    }

    /// The phone asks for its call to be given to somebody.
    pub fn refers(&mut self, name: &str, to: &str) {
        self.with_talk(name, Talk::is_up, |phone, talk| phone.refer_to(talk, to));
    }

    /// The phone sends a REFER with these headers within its call.
    pub fn refers_saying(&mut self, name: &str, headers: &[(HeaderName, &str)]) {
        let mut said = Headers::new();
        for (header, value) in headers {
            said.push(header.clone(), (*value).to_owned());
        }
        self.with_talk(name, Talk::is_up, |phone, talk| phone.refer(talk, &said));
    }

    /// The phone sends a request of some kind outside of a call.
    pub fn asks(&mut self, name: &str, method: Method, user: &str) {
        let place = self.place(name);
        self.phones[place].ask_out_of_call(method, user);
        self.flush(place);
    }

    /// A phone signs in for an hour.
    pub fn registers(&mut self, name: &str) {
        self.registers_for(name, 3_600);
    }

    /// A phone signs in for so many seconds.
    pub fn registers_for(&mut self, name: &str, seconds: u32) {
        let place = self.place(name);
        self.phones[place].register(seconds, false);
        self.flush(place);
    }

    /// A phone signs in, and again before its time is over.
    pub fn stays_registered(&mut self, name: &str, seconds: u32) {
        let place = self.place(name);
        self.phones[place].register(seconds, true);
        self.flush(place);
    }

    /// A phone signs out.
    pub fn unregisters(&mut self, name: &str) {
        self.registers_for(name, 0);
    }

    /// What a phone does from here on when it is called.
    pub fn manner(&mut self, name: &str, manner: Manner) {
        self.phone(name).manner = manner;
    }

    /// What a carrier does from here on when this number is called.
    pub fn number(&mut self, name: &str, number: &str, manner: Manner) {
        self.phone(name).manners.insert(number.to_owned(), manner);
    }

    /// A phone answers so many seconds after it is called.
    pub fn answers_after(&mut self, name: &str, seconds: f64) {
        self.manner(name, Manner::answers(Duration::from_secs_f64(seconds)));
    }

    /// A phone takes no calls: busy.
    pub fn do_not_disturb(&mut self, name: &str) {
        self.manner(name, Manner::refuses(486));
    }

    /// A phone says nothing when it is called.
    pub fn is_silent(&mut self, name: &str) {
        self.phone(name).mute_to_invites = true;
    }

    /// A phone loses its network.
    pub fn unplug(&mut self, name: &str) {
        self.phone(name).unplugged = true;
    }

    /// A phone's network is there again.
    pub fn plug_in(&mut self, name: &str) {
        self.phone(name).unplugged = false;
    }

    /// A router stands before the phone from here on: outside it is known by an address of the router's, which a silence
    /// of 30 seconds takes away.
    pub fn behind_a_router(&mut self, name: &str) {
        let place = self.place(name);
        let octet = u8::try_from(place % 250).unwrap_or_default() + 1;
        self.nats.insert(place, Nat::new([203, 0, 113, octet].into()));
    }

    /// The router before the phone is switched off and on: the phone is known by other ports from here on.
    pub fn restarts_router(&mut self, name: &str) {
        let place = self.place(name);
        if let Some(nat) = self.nats.get_mut(&place) {
            nat.forget();
        }
    }

    /// A phone is in another network from here on, with another address of its own.
    pub fn moves(&mut self, name: &str) {
        let place = self.place(name);
        let address = &mut self.phones[place].card.address;
        if let std::net::IpAddr::V4(ip) = address.ip() {
            let [_, b, c, d] = ip.octets();
            address.set_ip([10, b.wrapping_add(100), c, d].into());
        }
    }

    /// One more carrier of the first company, for what its first one cannot take.
    pub fn add_second_carrier(&mut self, name: &str) {
        let address = std::net::SocketAddr::from(([198, 51, 100, 101], 5060));
        self.add_carrier(name, 1, address);
        self.settings(|settings| {
            settings.trunks.push(super::company::trunk((name, address)));
            for rule in &mut settings.outbound {
                rule.trunks.push(name.to_owned());
            }
        });
    }

    /// A phone that can speak only these from here on, in its calls too: payload type and name.
    pub fn speaks_only(&mut self, name: &str, codecs: &[(u8, &str)]) {
        let phone = self.phone(name);
        phone.codecs = codecs.iter().map(|(number, codec)| (*number, (*codec).to_owned())).collect();
        for talk in phone.talks.iter_mut().filter(|talk| talk.is_live()) {
            talk.sound.codecs.clone_from(&phone.codecs);
        }
    }

    /// A phone opens its connection.
    pub fn connects(&mut self, name: &str) {
        let place = self.place(name);
        self.last_connection += 1;
        self.connections.insert(place, self.last_connection);
    }

    /// A phone's connection is lost.
    pub fn disconnects(&mut self, name: &str) {
        let place = self.place(name);
        let Some(connection) = self.connections.remove(&place) else { return };
        self.network.cut(connection);
        let flow = self.flow_of(place, connection);
        self.give(Input::FlowLost(flow));
    }

    /// The next message whose line begins so is lost.
    pub fn lose_next(&mut self, title: &str) {
        self.lose(title, 1);
    }

    /// The next messages whose lines begin so are lost.
    pub fn lose(&mut self, title: &str, times: u32) {
        self.network.rule(Rule { from: None, title: title.into(), fate: Fate::Lost, times });
    }

    /// The next message of this sender whose line begins so has this fate.
    pub fn next_from(&mut self, from: &str, title: &str, fate: Fate) {
        self.network.rule(Rule { from: Some(from.into()), title: title.into(), fate, times: 1 });
    }

    /// The next message whose line begins so comes twice.
    pub fn double_next(&mut self, title: &str) {
        self.network.rule(Rule { from: None, title: title.into(), fate: Fate::Doubled, times: 1 });
    }

    /// The next message whose line begins so comes so many seconds late.
    pub fn delay_next(&mut self, title: &str, seconds: f64) {
        let fate = Fate::Late(Duration::from_secs_f64(seconds));
        self.network.rule(Rule { from: None, title: title.into(), fate, times: 1 });
    }

    /// What happens to messages by chance.
    pub fn weather(&mut self, weather: Weather) {
        self.network.weather = weather;
    }

    /// Settings of the first company change.
    pub fn settings(&mut self, change: impl FnOnce(&mut TenantSettings)) {
        self.settings_of(1, change);
    }

    /// Settings of a company change.
    pub fn settings_of(&mut self, tenant: i64, change: impl FnOnce(&mut TenantSettings)) {
        let id = self.company(tenant).settings.id;
        let Some(company) = self.companies.iter_mut().find(|company| company.settings.id == id) else { return };
        change(&mut company.settings);
        company.settings.version += 1;
        let settings = Arc::new(company.settings.clone());
        let ticket = self.ticket();
        self.give(Input::Settings { ticket, settings });
        if let Some(switchboard) = &mut self.switchboard {
            switchboard.know(&self.companies);
        }
    }

    /// A client of the first company orders a call, and hears of it when the agent's phone responds.
    pub fn clicks(&mut self, extension: &str, number: &str) -> Ticket {
        self.orders_call(1, extension, number, DialAnswer::WhenPhoneResponds)
    }

    /// A client of a company orders a call.
    pub fn orders_call(&mut self, tenant: i64, extension: &str, number: &str, answer: DialAnswer) -> Ticket {
        let to = Dialled::parse(number).expect("a script dials what can be dialled");
        let line = format!("crm -> pbx  dial {extension} {number}");
        self.ladder.note(self.now, &line);
        self.command(tenant, Command::Originate(Originate { from: extension.into(), to, answer, claim: None }))
    }

    /// A client of the first company orders a call under a key that is free, and hears of it when it is accepted.
    pub fn orders_once(&mut self, extension: &str, number: &str, key: &str) -> Ticket {
        self.orders_once_and(extension, number, key, DialAnswer::WhenAccepted)
    }

    /// A client of the first company orders a call under a key that is free.
    pub fn orders_once_and(&mut self, extension: &str, number: &str, key: &str, answer: DialAnswer) -> Ticket {
        let to = Dialled::parse(number).expect("a script dials what can be dialled");
        self.ladder.note(self.now, &format!("crm -> pbx  dial {extension} {number} under {key}"));
        let claim = Some(ClaimedKey { owner: "crm".into(), key: key.into() });
        self.command(1, Command::Originate(Originate { from: extension.into(), to, answer, claim }))
    }

    /// The call that a key of a client of the first company has had.
    pub fn call_of_key(&self, key: &str) -> Option<CallId> {
        self.store.call_of(TenantId(1), &ClaimedKey { owner: "crm".into(), key: key.into() })
    }

    /// A client of the first company ends its newest call.
    pub fn orders_hang_up(&mut self) -> Ticket {
        let newest = self.live_call().or(self.rows(1).and_then(|rows| rows.calls().last()));
        self.orders_hang_up_of(1, newest.expect("there is a call to be ended"))
    }

    /// A client of a company ends a call.
    pub fn orders_hang_up_of(&mut self, tenant: i64, call: CallId) -> Ticket {
        self.ladder.note(self.now, "crm -> pbx  hang up");
        self.command(tenant, Command::HangUp { call })
    }

    /// What came of a command, if it is known.
    pub fn reply(&self, ticket: Ticket) -> Option<&Result<Reply, Problem>> {
        self.store.reply(ticket)
    }

    /// The disk does not take records.
    pub fn storage_stalls(&mut self) {
        self.store.stalled = true;
        self.give(Input::Storage(Storage::Stalled));
    }

    /// The database refuses calls that begin from here on, for what they say.
    pub fn storage_refuses(&mut self) {
        self.store.refuses = true;
    }

    /// The disk takes records again.
    pub fn storage_flows(&mut self) {
        self.store.stalled = false;
        self.give(Input::Storage(Storage::Flowing));
    }

    /// The disk takes no recordings: those that are being written fail.
    pub fn recordings_fail(&mut self) {
        let brought = self.floor.fail_recordings();
        self.take_in(brought);
    }

    /// The newest sound session cannot be gone on with.
    pub fn sound_fails(&mut self) {
        let Some((worker, session)) = self.last_session else { return };
        let brought = self.floor.fail_session(worker, session);
        self.take_in(brought);
    }

    /// After the next start there are so many addresses for sound, on each of two workers.
    pub fn has_addresses(&mut self, addresses: u32) {
        self.floor.stock_only(addresses);
    }

    /// How long a commit takes from here on.
    pub fn commits_take(&mut self, seconds: f64) {
        self.store.commit_takes = Duration::from_secs_f64(seconds);
    }

    /// No new calls from here on.
    pub fn drain_calls(&mut self) {
        self.give(Input::Drain);
    }

    /// The time for draining is over.
    pub fn end_all(&mut self) {
        self.give(Input::EndAll);
    }

    /// Events stand in the ladder from here on.
    pub fn show_events(&mut self) {
        self.show_events = true;
    }

    /// Nothing stands in the ladder from here on.
    pub fn hush(&mut self) {
        self.ladder.open = false;
    }

    /// The ladder and its time begin here.
    pub fn begin(&mut self) {
        self.ladder.begin(self.now);
    }

    /// A phone.
    pub fn phone(&mut self, name: &str) -> &mut Phone {
        let place = self.place(name);
        &mut self.phones[place]
    }

    /// The names of all phones of a company.
    pub fn phone_names(&self) -> Vec<String> {
        self.phones.iter().map(|phone| phone.card.name.clone()).collect()
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.unreplied.insert(Ticket(self.tickets));
        Ticket(self.tickets)
    }

    pub(super) fn command(&mut self, tenant: i64, command: Command) -> Ticket {
        let ticket = self.ticket();
        self.commands.insert(ticket, "crm".into());
        let actor = Actor { name: Text::from("key:test"), role: Role::Owner };
        let tenant = self.company(tenant).settings.id;
        if self.switchboard.is_none() {
            // Nobody is there to reply.
            self.unreplied.remove(&ticket);
        }
        self.give(Input::Command { ticket, tenant, actor, command });
        ticket
    }

    /// Does something to the newest call of a phone that is as asked for; nothing if there is none.
    pub(super) fn with_talk(&mut self, name: &str, is_it: impl Fn(&Talk) -> bool, act: impl FnOnce(&mut Phone, usize)) {
        let place = self.place(name);
        let phone = &mut self.phones[place];
        if let Some(talk) = phone.talks.iter().rposition(is_it) {
            act(phone, talk);
        }
        self.flush(place);
    }

    pub(super) fn place(&self, name: &str) -> usize {
        let found = self.phones.iter().position(|phone| phone.card.name == name);
        found.unwrap_or_else(|| panic!("there is no phone {name}"))
    }

    /// Whether a phone speaks over a connection.
    pub(super) fn is_connected(&self, place: usize) -> bool {
        self.phones[place].card.transport != Transport::Udp
    }
}

/// A reply in a few words.
pub(super) fn reply_words(reply: &Result<Reply, Problem>) -> String {
    match reply {
        Ok(Reply::Originated { .. }) => "accepted".into(),
        Ok(Reply::HungUp { .. }) => "hung up".into(),
        Ok(Reply::Transferring { .. }) => "transferring".into(),
        Ok(Reply::Supervising { .. }) => "supervising".into(),
        Ok(Reply::Parked { place, .. }) => format!("parked at {place}"),
        Ok(Reply::AgentStands { .. } | Reply::Done { .. }) => "done".into(),
        Ok(Reply::BanLifted { .. }) => "ban lifted".into(),
        Ok(Reply::SettingsTaken { .. }) => "settings taken".into(),
        Err(Problem::CallFailed { reason, sip: Some(sip), .. }) => format!("failed: {} {sip}", reason.code()),
        Err(Problem::CallFailed { reason, sip: None, .. }) => format!("failed: {}", reason.code()),
        Err(Problem::NotNow { .. }) => "failed: not now".into(),
        Err(Problem::NoSuchLeg { leg, .. }) => format!("failed: no leg {leg}"),
        Err(Problem::WhichLeg { candidates, .. }) => format!("failed: which of {} legs", candidates.len()),
        Err(problem) => format!("failed: {problem}"),
    }
}
