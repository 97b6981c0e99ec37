//! What callers and agents are told: words that are spoken, sounds that were uploaded, and the sentences of the
//! switchboard itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Language, Route, Spoken, TenantSettings};

/// Something that is played to a party.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// These words, spoken.
    Say(Spoken),
    /// One of the tenant's sounds.
    Sound(String),
}

/// Sound that is ready to be played: mono, 8 000 samples a second. Clones share it.
#[derive(Clone)]
pub struct Clip(Arc<[i16]>);

impl Clip {
    /// Samples a second.
    pub const RATE: u32 = 8_000;

    /// A clip of these samples.
    pub fn new(samples: impl Into<Arc<[i16]>>) -> Self {
        Self(samples.into())
    }

    /// Its samples.
    pub fn samples(&self) -> &[i16] {
        &self.0
    }

    /// How long it plays, in milliseconds.
    pub fn milliseconds(&self) -> u64 {
        self.0.len() as u64 * 1_000 / u64::from(Self::RATE)
    }
}

impl From<Clip> for Arc<[i16]> {
    fn from(clip: Clip) -> Self {
        clip.0
    }
}

/// The same samples in the same place: nobody compares a minute of sound to find out whether settings have changed.
impl PartialEq for Clip {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Clip {}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clip({} ms)", self.milliseconds())
    }
}

/// Everything of a tenant that is ready to be played.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Clips {
    /// Words in the tenant's language, spoken.
    pub words: BTreeMap<String, Clip>,
    /// The tenant's sounds by their names.
    pub sounds: BTreeMap<String, Clip>,
}

/// A sound of a tenant's own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NamedSound {
    /// `welcome`
    pub name: String,
    /// Spoken words. None: a file that is uploaded.
    #[serde(default)]
    pub say: Option<Spoken>,
}

/// What the switchboard itself says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phrase {
    /// What the caller pressed leads nowhere.
    InvalidKey,
    /// Nobody can take the call.
    NobodyFree,
    /// The caller's place in a queue, from 1.
    Place(u32),
    /// About how many minutes a caller will wait.
    Wait(u32),
    /// Nobody answers; a message may be left.
    LeaveMessage,
    /// So many messages are in the mailbox.
    Messages(u32),
    /// What can be done with the message that was played.
    MessageKeys,
    /// The message was deleted.
    MessageDeleted,
    /// There is no further message.
    NoMoreMessages,
    /// The call is recorded.
    Recorded,
    /// The call is parked at this place.
    ParkedAt(u32),
    /// It was switched on, or done.
    Done,
    /// It was switched off.
    Off,
    /// It could not be done.
    NotDone,
}

impl Phrase {
    /// The most places, minutes and messages that are told as a number.
    pub const MOST: u32 = 30;

    /// Its words.
    pub fn words(self, language: Language) -> String {
        let (vi, en) = match self {
            Self::InvalidKey => ("Lựa chọn không hợp lệ.".into(), "That is not a valid choice.".into()),
            Self::NobodyFree => (
                "Hiện không có ai nhận cuộc gọi. Xin quý khách vui lòng gọi lại sau.".into(),
                "Nobody can take your call right now. Please call again later.".into(),
            ),
            Self::Place(place) if place > Self::MOST => (
                format!("Có hơn {} người đang chờ trước quý khách.", Self::MOST),
                format!("More than {} callers are waiting before you.", Self::MOST),
            ),
            Self::Place(place) => (
                format!("Quý khách đang ở vị trí thứ {place} trong hàng chờ."),
                format!("You are number {place} in the queue."),
            ),
            Self::Wait(minutes) if minutes > Self::MOST => (
                format!("Thời gian chờ dự kiến hơn {} phút.", Self::MOST),
                format!("The expected wait is more than {} minutes.", Self::MOST),
            ),
            Self::Wait(0 | 1) => {
                ("Thời gian chờ dự kiến khoảng một phút.".into(), "The expected wait is about one minute.".into())
            }
            Self::Wait(minutes) => (
                format!("Thời gian chờ dự kiến khoảng {minutes} phút."),
                format!("The expected wait is about {minutes} minutes."),
            ),
            Self::LeaveMessage => (
                "Hiện không có người trả lời. Xin để lại lời nhắn sau tiếng bíp.".into(),
                "Nobody is available. Please leave a message after the tone.".into(),
            ),
            Self::Messages(0) => ("Bạn không có lời nhắn nào.".into(), "You have no messages.".into()),
            Self::Messages(count) if count > Self::MOST => {
                (format!("Bạn có hơn {} lời nhắn.", Self::MOST), format!("You have more than {} messages.", Self::MOST))
            }
            Self::Messages(1) => ("Bạn có một lời nhắn.".into(), "You have one message.".into()),
            Self::Messages(count) => (format!("Bạn có {count} lời nhắn."), format!("You have {count} messages.")),
            Self::MessageKeys => (
                "Bấm một để nghe lại, bấm hai để nghe lời nhắn tiếp theo, bấm ba để xóa.".into(),
                "Press one to listen again, two for the next message, three to delete it.".into(),
            ),
            Self::MessageDeleted => ("Đã xóa lời nhắn.".into(), "The message was deleted.".into()),
            Self::NoMoreMessages => ("Không còn lời nhắn nào.".into(), "There are no more messages.".into()),
            Self::Recorded => ("Cuộc gọi này được ghi âm.".into(), "This call is recorded.".into()),
            Self::ParkedAt(place) => {
                (format!("Cuộc gọi đang chờ ở số {place}."), format!("The call is parked at {place}."))
            }
            Self::Done => ("Đã thực hiện.".into(), "Done.".into()),
            Self::Off => ("Đã tắt.".into(), "Switched off.".into()),
            Self::NotDone => ("Không thực hiện được.".into(), "That could not be done.".into()),
        };
        match language {
            Language::Vi => vi,
            Language::En => en,
        }
    }
}

impl Spoken {
    /// The words in one language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Vi => &self.vi,
            Language::En => &self.en,
        }
    }
}

impl TenantSettings {
    /// A prompt, ready to be played. None: it could not be made, or has not been uploaded.
    pub fn clip(&self, prompt: &Prompt) -> Option<&Clip> {
        match prompt {
            Prompt::Say(spoken) => self.clips.words.get(spoken.in_language(self.language)),
            Prompt::Sound(name) => self.sound(name),
        }
    }

    /// What the switchboard says, ready to be played. None: it could not be made.
    pub fn phrase(&self, phrase: Phrase) -> Option<&Clip> {
        self.clips.words.get(&phrase.words(self.language))
    }

    /// One of the tenant's sounds, ready to be played.
    pub fn sound(&self, name: &str) -> Option<&Clip> {
        let spoken = || self.sounds.get(name)?.say.as_ref();
        self.clips.sounds.get(name).or_else(|| self.clips.words.get(spoken()?.in_language(self.language)))
    }

    /// Everything that may have to be said to anybody under these settings, in the tenant's language.
    pub fn words(&self) -> BTreeSet<String> {
        let mut prompts: Vec<&Prompt> = Vec::new();
        let mut routes: Vec<&Route> = self.numbers.values().map(|number| &number.route).collect();
        let mut phrases: BTreeSet<Phrase> = BTreeSet::new();
        for menu in self.menus.values() {
            prompts.push(&menu.prompt);
            phrases.insert(Phrase::InvalidKey);
            routes.extend(menu.keys.values().chain(&menu.default));
        }
        for queue in self.queues.values() {
            prompts.extend(&queue.greeting);
            phrases.insert(Phrase::NobodyFree);
            routes.extend(&queue.overflow);
            if queue.announce_position {
                phrases.extend((1..=Phrase::MOST + 1).map(Phrase::Place));
            }
            if queue.announce_wait {
                phrases.extend((1..=Phrase::MOST + 1).map(Phrase::Wait));
            }
        }
        routes.extend(self.groups.values().filter_map(|group| group.overflow.as_ref()));
        for mailbox in self.extensions.values().filter_map(|extension| extension.voicemail.as_ref()) {
            prompts.extend(&mailbox.greeting);
            phrases.extend([Phrase::NobodyFree, Phrase::LeaveMessage, Phrase::MessageKeys]);
            phrases.extend([Phrase::MessageDeleted, Phrase::NoMoreMessages]);
            phrases.extend((0..=Phrase::MOST + 1).map(Phrase::Messages));
        }
        if let Some(parking) = &self.parking {
            phrases.extend((parking.first..parking.first + parking.places).map(Phrase::ParkedAt));
        }
        prompts.extend(&self.announce_recording);
        phrases.extend([Phrase::Done, Phrase::Off, Phrase::NotDone]);
        routes.iter().for_each(|route| prompts_of(route, &mut prompts));
        let spoken = prompts.into_iter().filter_map(|prompt| match prompt {
            Prompt::Say(spoken) => Some(spoken),
            Prompt::Sound(_) => None,
        });
        let named = self.sounds.values().filter_map(|sound| sound.say.as_ref());
        let words = spoken.chain(named).map(|spoken| spoken.in_language(self.language).to_owned());
        words.chain(phrases.into_iter().map(|phrase| phrase.words(self.language))).collect()
    }
}

/// The prompts that stand in a route itself.
fn prompts_of<'a>(route: &'a Route, prompts: &mut Vec<&'a Prompt>) {
    match route {
        Route::Play(prompt) => prompts.push(prompt),
        Route::Crm { default, .. } => prompts_of(default, prompts),
        Route::Hours { open, closed, holiday, .. } => {
            for route in [Some(open), Some(closed), holiday.as_ref()].into_iter().flatten() {
                prompts_of(route, prompts);
            }
        }
        Route::Extension(_)
        | Route::Group(_)
        | Route::Queue(_)
        | Route::Menu(_)
        | Route::Voicemail(_)
        | Route::Outside(_) => {}
    }
}
