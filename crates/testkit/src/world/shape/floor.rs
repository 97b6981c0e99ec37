//! What a company has set up for calls that nobody takes at once: menus, hours, forwarding.

use model::{Forwarding, Hours, Menu, OpenHours, Prompt, Route, Spoken};

use super::play::{extension, route};
use crate::world::World;

/// What is set up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Setup {
    /// `menu main leads 1 to 102`: the menu is there, says something for two seconds, waits five, and is said three times.
    MenuKey(String, char, String),
    /// `menu main leads on to 600`: without a choice.
    MenuDefault(String, String),
    /// `menu main is said 2 times`
    MenuTries(String, u32),
    /// `prompts cannot be made`: nothing is said, and calls go on as if it had been.
    NoPrompts,
    /// `600 overflows to 102`
    Overflow(String, String),
    /// `102 forwards always to 103`; `busy`, `unanswered`, `unreachable`.
    Forwards(String, Forwarding, String),
    /// `102 takes no calls`
    DoNotDisturb(String),
    /// `102 has a mailbox`
    Mailbox(String),
    /// `number reaches 101 between 07:00-12:00 else prompt`; the world begins on New Year's Day 2026 at 7 in the morning.
    Hours(String, String, String),
    /// `number reaches prompt on 01-01`: a holiday.
    Holiday(String, String),
}

/// Reads a line.
pub fn parse(words: &[&str]) -> Option<Setup> {
    let own = |word: &str| word.to_owned();
    Some(match words {
        ["menu", menu, "leads", "on", "to", to] => Setup::MenuDefault(own(menu), own(to)),
        ["menu", menu, "leads", key, "to", to] => Setup::MenuKey(own(menu), key.chars().next()?, own(to)),
        ["menu", menu, "is", "said", times, "times"] => Setup::MenuTries(own(menu), times.parse().ok()?),
        ["prompts", "cannot", "be", "made"] => Setup::NoPrompts,
        [group, "overflows", "to", to] => Setup::Overflow(own(group), own(to)),
        [who, "forwards", when, "to", to] => Setup::Forwards(own(who), forwarding(when)?, own(to)),
        [who, "takes", "no", "calls"] => Setup::DoNotDisturb(own(who)),
        [who, "has", "a", "mailbox"] => Setup::Mailbox(own(who)),
        ["number", "reaches", to, "between", times, "else", other] => Setup::Hours(own(to), own(times), own(other)),
        ["number", "reaches", to, "on", day] => Setup::Holiday(own(to), own(day)),
        _ => return None,
    })
}

impl World {
    pub(super) fn set_up(&mut self, setup: &Setup) {
        match setup {
            Setup::MenuKey(menu, key, to) => self.menu(menu, |menu| {
                menu.keys.insert(key.to_string(), route(to));
            }),
            Setup::MenuDefault(menu, to) => self.menu(menu, |menu| menu.default = Some(route(to))),
            Setup::MenuTries(menu, times) => self.menu(menu, |menu| menu.tries = *times),
            Setup::NoPrompts => self.settings(|settings| settings.clips = Default::default()),
            Setup::Overflow(group, to) => self.settings(|settings| {
                let group = settings.groups.get_mut(group).unwrap_or_else(|| panic!("there is no group {group}"));
                group.overflow = Some(route(to));
            }),
            Setup::Forwards(who, why, to) => self.settings(|settings| {
                let forward = &mut extension(settings, who).forward;
                let slot = match why {
                    Forwarding::Always => &mut forward.always,
                    Forwarding::Busy | Forwarding::DoNotDisturb => &mut forward.busy,
                    Forwarding::NoAnswer => &mut forward.no_answer,
                    Forwarding::Unreachable => &mut forward.unreachable,
                };
                *slot = Some(to.clone());
            }),
            Setup::DoNotDisturb(who) => self.settings(|settings| extension(settings, who).do_not_disturb = true),
            Setup::Mailbox(who) => self.mailbox(who, |_| {}),
            Setup::Hours(to, times, other) => {
                let open: OpenHours = format!("mon-sun {times}").parse().expect("times of a day");
                let hours = Hours { name: "office".into(), open: vec![open], holidays: Vec::new() };
                self.number_has_hours(hours, to, other);
            }
            Setup::Holiday(to, day) => self.settings(|settings| {
                let hours = settings.hours.get_mut("office").expect("hours are given before their holidays");
                hours.holidays.push(day.parse().expect("a day"));
                for number in settings.numbers.values_mut() {
                    if let Route::Hours { holiday, .. } = &mut number.route {
                        *holiday = Some(Box::new(route(to)));
                    }
                }
            }),
        }
        if !matches!(setup, Setup::NoPrompts) {
            self.makes_prompts();
        }
    }

    fn number_has_hours(&mut self, hours: Hours, open: &str, closed: &str) {
        self.settings(|settings| {
            settings.hours.insert(hours.name.clone(), hours.clone());
            for number in settings.numbers.values_mut() {
                let (open, closed) = (Box::new(route(open)), Box::new(route(closed)));
                number.route = Route::Hours { hours: hours.name.clone(), open, closed, holiday: None };
            }
        });
    }

    /// The first company has this menu, changed like this.
    pub fn menu(&mut self, name: &str, change: impl FnOnce(&mut Menu)) {
        self.settings(|settings| {
            let menu = settings.menus.entry(name.to_owned()).or_insert_with(|| Menu {
                name: name.to_owned(),
                prompt: says(&format!("the menu {name}")),
                keys: Default::default(),
                timeout_seconds: 5,
                tries: 3,
                default: None,
            });
            change(menu);
        });
        self.makes_prompts();
    }

    /// An extension of the first company has a mailbox, changed like this.
    pub fn mailbox(&mut self, number: &str, change: impl FnOnce(&mut model::Mailbox)) {
        self.settings(|settings| {
            let mailbox = model::Mailbox { mail: None, greeting: None, max_seconds: 60, max_messages: 3 };
            change(extension(settings, number).voicemail.get_or_insert(mailbox));
        });
        self.makes_prompts();
    }
}

/// A prompt of these words.
pub fn says(words: &str) -> Prompt {
    Prompt::Say(Spoken { vi: words.into(), en: words.into() })
}

fn forwarding(word: &str) -> Option<Forwarding> {
    Some(match word {
        "always" => Forwarding::Always,
        "busy" => Forwarding::Busy,
        "unanswered" => Forwarding::NoAnswer,
        "unreachable" => Forwarding::Unreachable,
        _ => return None,
    })
}
