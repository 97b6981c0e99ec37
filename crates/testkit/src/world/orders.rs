//! What a client of the first company orders of live calls. Each order stands in the ladder, and so does its reply.

use model::{
    ActingLeg, CallId, Command, Dialled, Origin, PlayedSound, Record, RecordAction, Ticket, Transfer, TransferMode,
};

use super::World;

impl World {
    /// A client has an extension give the other side away at once; without an extension, the only one of the call does.
    pub fn transfers(&mut self, extension: Option<&str>, to: &str) -> Ticket {
        self.orders_transfer(extension, to, TransferMode::Blind)
    }

    /// A client has an extension ask the target before it gives the other side away.
    pub fn transfers_attended(&mut self, extension: Option<&str>, to: &str) -> Ticket {
        self.orders_transfer(extension, to, TransferMode::Attended)
    }

    /// A client has an extension put the other side aside.
    pub fn orders_hold(&mut self, extension: Option<&str>) -> Ticket {
        let (call, leg) = self.acting(extension);
        self.orders(&named("hold", extension), Command::Hold { call, leg })
    }

    /// A client has an extension take the other side back.
    pub fn orders_resume(&mut self, extension: Option<&str>) -> Ticket {
        let (call, leg) = self.acting(extension);
        self.orders(&named("resume", extension), Command::Resume { call, leg })
    }

    /// A client has it that an extension is not heard, or is heard again.
    pub fn orders_mute(&mut self, extension: Option<&str>, muted: bool) -> Ticket {
        let (call, leg) = self.acting(extension);
        let word = if muted { "mute" } else { "unmute" };
        self.orders(&named(word, extension), Command::Mute { call, leg, muted })
    }

    /// A client presses keys in the place of an extension.
    pub fn orders_keys(&mut self, extension: Option<&str>, keys: &str) -> Ticket {
        let (call, leg) = self.acting(extension);
        let line = named(&format!("press {keys}"), extension);
        self.orders(&line, Command::PressKeys { call, leg, keys: keys.to_owned() })
    }

    /// A client has a sound played to an extension, or to everybody in the newest call.
    pub fn orders_sound(
        &mut self,
        extension: Option<&str>,
        sound: Option<PlayedSound>,
        seconds: Option<u32>,
    ) -> Ticket {
        let (call, leg) = self.acting(extension);
        let line = named(&format!("play {}", sound_word(sound)), extension);
        let leg = extension.map(|_| leg);
        self.orders(&line, Command::Play { call, leg, sound, seconds })
    }

    /// A client has the newest call recorded, or not.
    pub fn orders_recording(&mut self, action: RecordAction) -> Ticket {
        let (call, _) = self.acting(None);
        self.orders(&format!("record {action:?}"), Command::Record { call, action })
    }

    /// A client ends the newest consultation.
    pub fn hangs_up_consultation(&mut self) -> Ticket {
        let newest = self.newest(|record| record.origin == Origin::Consultation);
        self.orders("hang up the consultation", Command::HangUp { call: newest.expect("somebody is being asked") })
    }

    /// A client orders anything.
    pub fn orders(&mut self, line: &str, command: Command) -> Ticket {
        self.ladder.note(self.now, &format!("crm -> pbx  {line}"));
        self.command(1, command)
    }

    /// The newest call of the first company that is live and is no consultation.
    pub fn live_call(&self) -> Option<CallId> {
        self.newest(|record| record.origin != Origin::Consultation)
    }

    fn orders_transfer(&mut self, extension: Option<&str>, to: &str, mode: TransferMode) -> Ticket {
        let (call, leg) = self.acting(extension);
        let way = if mode == TransferMode::Attended { " attended" } else { "" };
        let line = named(&format!("transfer to {to}{way}"), extension);
        let to = Dialled::parse(to).expect("a script dials what can be dialled");
        self.orders(&line, Command::Transfer(Transfer { call, leg, to, mode }))
    }

    /// The newest live call in which an extension takes part, or the newest of all; and who acts.
    fn acting(&self, extension: Option<&str>) -> (CallId, ActingLeg) {
        let Some(extension) = extension else {
            return (self.live_call().expect("there is a live call"), ActingLeg::OnlyExtension);
        };
        let takes_part = |record: &Record| {
            let live = record.legs.iter().filter(|leg| leg.ended_at.is_none());
            live.filter_map(|leg| leg.party.extension()).any(|own| own == extension)
        };
        let own = self.newest(|record| record.origin != Origin::Consultation && takes_part(record));
        let call = own.or(self.live_call()).expect("there is a live call");
        (call, ActingLeg::Extension(extension.to_owned()))
    }

    fn newest(&self, is_it: impl Fn(&Record) -> bool) -> Option<CallId> {
        let records = self.rows(1)?.records.values().rev();
        records.filter(|record| record.ended_at.is_none()).find(|record| is_it(record)).map(|record| record.callid)
    }
}

fn named(what: &str, extension: Option<&str>) -> String {
    extension.map_or_else(|| what.to_owned(), |extension| format!("{what} for {extension}"))
}

fn sound_word(sound: Option<PlayedSound>) -> &'static str {
    match sound {
        Some(PlayedSound::Music) => "music",
        Some(PlayedSound::Ringback) => "ringback",
        Some(PlayedSound::Busy) => "busy",
        Some(PlayedSound::Silence) => "silence",
        None => "nothing",
    }
}
