//! When a company is open: hours of the week, and days that are not like others. In the tenant's zone.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Hours by which numbers are routed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Hours {
    /// `office`
    pub name: String,
    /// When somebody is there. Empty: never.
    pub open: Vec<OpenHours>,
    /// Days on which nobody is there, whatever the hours say.
    pub holidays: Vec<Holiday>,
}

/// On some days of each week, from one time to another: `mon-fri 08:00-12:00`, `sat 09:00-24:00`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OpenHours {
    /// The first day: 0 Monday to 6 Sunday.
    pub first_day: u8,
    /// The last day, which may stand before the first one: Friday to Monday.
    pub last_day: u8,
    /// Minutes after midnight.
    pub from: u16,
    /// Minutes after midnight, up to 1 440; not in the hours any more. Before `from`: on the next day.
    pub until: u16,
}

/// A day, or days, on which nobody is there: `2027-01-01`, `2027-02-05..2027-02-11`, or `09-02` of each year.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Holiday {
    /// From one day to another, both included.
    Days {
        /// The first one.
        first: Date,
        /// The last one.
        last: Date,
    },
    /// The same day each year.
    Yearly {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
}

/// Whether somebody is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenState {
    /// Yes.
    Open,
    /// It is not the time.
    Closed,
    /// It is a holiday.
    Holiday,
}

impl Hours {
    /// Whether somebody is there at this moment. Hours that last beyond midnight belong to the day on which they begin.
    pub fn at(&self, at: Timestamp, zone: &TimeZone) -> OpenState {
        let there = at.to_zoned(zone.clone()).datetime();
        let (today, minute) = (there.date(), minute_of(there.time()));
        let is_open = |date: Date, minute: u16| self.open.iter().any(|hours| hours.contains(date.weekday(), minute));
        let since_yesterday = today
            .yesterday()
            .is_ok_and(|yesterday| !self.is_holiday(yesterday) && is_open(yesterday, minute + MINUTES_OF_A_DAY));
        if since_yesterday {
            return OpenState::Open;
        }
        match (self.is_holiday(today), is_open(today, minute)) {
            (true, _) => OpenState::Holiday,
            (false, true) => OpenState::Open,
            (false, false) => OpenState::Closed,
        }
    }

    fn is_holiday(&self, date: Date) -> bool {
        self.holidays.iter().any(|holiday| match *holiday {
            Holiday::Days { first, last } => (first..=last).contains(&date),
            Holiday::Yearly { month, day } => (date.month(), date.day()) == (month, day),
        })
    }
}

const MINUTES_OF_A_DAY: u16 = 1_440;

impl OpenHours {
    /// Whether a minute of a day is meant; those after midnight of hours that last so long are counted on.
    fn contains(self, day: Weekday, minute: u16) -> bool {
        let day = day.to_monday_zero_offset() as u8;
        let is_day = if self.first_day <= self.last_day {
            (self.first_day..=self.last_day).contains(&day)
        } else {
            day >= self.first_day || day <= self.last_day
        };
        let until = if self.until <= self.from { self.until + MINUTES_OF_A_DAY } else { self.until };
        is_day && (self.from..until).contains(&minute)
    }
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Text that tells no hours and no holiday.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseHoursError {
    /// No hours of the week.
    #[error("`{0}` tells no hours: write days and times, as in `mon-fri 08:00-17:30` or `sat 09:00-12:00`")]
    Hours(String),
    /// No day.
    #[error(
        "`{0}` is no holiday: write a day (2027-01-01), days (2027-02-05..2027-02-11), or a day of each year (09-02)"
    )]
    Holiday(String),
}

impl FromStr for OpenHours {
    type Err = ParseHoursError;

    fn from_str(text: &str) -> Result<Self, ParseHoursError> {
        let read = || {
            let (days, times) = text.split_once(' ')?;
            let day = |name: &str| DAYS.iter().position(|day| *day == name).map(|day| day as u8);
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let (from, until) = times.split_once('-')?;
            let (from, until) = (minutes(from)?, minutes(until)?);
            (from < MINUTES_OF_A_DAY && from != until).then_some(Self {
                first_day: day(first)?,
                last_day: day(last)?,
                from,
                until,
            })
        };
        read().ok_or_else(|| ParseHoursError::Hours(text.chars().take(60).collect()))
    }
}

impl fmt::Display for OpenHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |day: u8| DAYS[usize::from(day) % DAYS.len()];
        write!(f, "{}", day(self.first_day))?;
        if self.last_day != self.first_day {
            write!(f, "-{}", day(self.last_day))?;
        }
        let Self { from, until, .. } = self;
        write!(f, " {:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
    }
}

impl FromStr for Holiday {
    type Err = ParseHoursError;

    fn from_str(text: &str) -> Result<Self, ParseHoursError> {
        let date = |text: &str| text.parse::<Date>().ok().filter(|_| text.len() == 10);
        let read = || {
            if let Some((first, last)) = text.split_once("..") {
                let (first, last) = (date(first)?, date(last)?);
                return (first <= last).then_some(Self::Days { first, last });
            }
            if let Some(day) = date(text) {
                return Some(Self::Days { first: day, last: day });
            }
            // The year of no matter has a 29 February.
            let day = date(&format!("2024-{text}"))?;
            Some(Self::Yearly { month: day.month(), day: day.day() })
        };
        read().ok_or_else(|| ParseHoursError::Holiday(text.chars().take(60).collect()))
    }
}

impl fmt::Display for Holiday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days { first, last } if first == last => write!(f, "{first}"),
            Self::Days { first, last } => write!(f, "{first}..{last}"),
            Self::Yearly { month, day } => write!(f, "{month:02}-{day:02}"),
        }
    }
}

impl From<OpenHours> for String {
    fn from(hours: OpenHours) -> Self {
        hours.to_string()
    }
}

impl TryFrom<String> for OpenHours {
    type Error = ParseHoursError;

    fn try_from(text: String) -> Result<Self, ParseHoursError> {
        text.parse()
    }
}

impl From<Holiday> for String {
    fn from(holiday: Holiday) -> Self {
        holiday.to_string()
    }
}

impl TryFrom<String> for Holiday {
    type Error = ParseHoursError;

    fn try_from(text: String) -> Result<Self, ParseHoursError> {
        text.parse()
    }
}

/// `08:30` as minutes after midnight, up to `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| text.parse::<u16>().ok().filter(|_| text.len() == 2 && !text.starts_with('+'));
    let all = number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
    (all <= MINUTES_OF_A_DAY).then_some(all)
}

fn minute_of(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn office() -> Hours {
        let weekdays =
            |from: u16, until: u16| OpenHours { first_day: 0, last_day: 4, from: from * 60, until: until * 60 };
        let new_year = Holiday::Yearly { month: 1, day: 1 };
        let tet = Holiday::Days { first: date(2027, 2, 5), last: date(2027, 2, 11) };
        Hours { name: "office".into(), open: vec![weekdays(8, 12), weekdays(13, 17)], holidays: vec![new_year, tet] }
    }

    fn hanoi(at: &str) -> Timestamp {
        format!("{at}+07:00").parse().expect("a moment")
    }

    fn zone() -> TimeZone {
        TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone")
    }

    #[test]
    fn an_office_is_open_in_its_hours_in_its_own_zone() {
        let office = office();

        let at = |at: &str| office.at(hanoi(at), &zone());

        assert_eq!(at("2026-11-20T07:59:59"), OpenState::Closed);
        assert_eq!(at("2026-11-20T08:00:00"), OpenState::Open);
        assert_eq!(at("2026-11-20T12:00:00"), OpenState::Closed);
        assert_eq!(at("2026-11-20T16:59:59"), OpenState::Open);
        assert_eq!(at("2026-11-21T09:00:00"), OpenState::Closed, "a Saturday");
    }

    #[test]
    fn holidays_are_told_from_closing_time() {
        let office = office();

        let at = |at: &str| office.at(hanoi(at), &zone());

        assert_eq!(at("2027-01-01T09:00:00"), OpenState::Holiday);
        assert_eq!(at("2028-01-01T09:00:00"), OpenState::Holiday, "each year");
        assert_eq!(at("2027-02-05T00:00:00"), OpenState::Holiday);
        assert_eq!(at("2027-02-11T23:59:59"), OpenState::Holiday);
        assert_eq!(at("2027-02-12T09:00:00"), OpenState::Open);
    }

    #[test]
    fn hours_beyond_midnight_belong_to_the_day_on_which_they_begin() {
        let bar = Hours {
            open: vec![OpenHours { first_day: 4, last_day: 5, from: 20 * 60, until: 2 * 60 }],
            holidays: vec![Holiday::Days { first: date(2026, 11, 28), last: date(2026, 11, 28) }],
            ..office()
        };

        let at = |at: &str| bar.at(hanoi(at), &zone());

        assert_eq!(at("2026-11-21T01:59:00"), OpenState::Open, "since Friday");
        assert_eq!(at("2026-11-22T01:00:00"), OpenState::Open, "since Saturday");
        assert_eq!(at("2026-11-23T01:00:00"), OpenState::Closed, "Sunday has no hours");
        assert_eq!(at("2026-11-28T01:00:00"), OpenState::Open, "since the Friday before the holiday");
        assert_eq!(at("2026-11-29T01:00:00"), OpenState::Closed, "the holiday has no evening");
    }

    #[test]
    fn hours_and_holidays_are_printed_as_they_are_written() {
        for text in ["mon-fri 08:00-17:30", "sat 09:00-24:00", "fri-mon 20:00-02:00"] {
            assert_eq!(text.parse::<OpenHours>().expect(text).to_string(), text);
        }
        for text in ["2027-01-01", "2027-02-05..2027-02-11", "09-02", "02-29"] {
            assert_eq!(text.parse::<Holiday>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_tells_no_hours_is_refused() {
        for text in
            ["", "mon", "mon 8:00-12:00", "mon 08:00-08:00", "day 08:00-12:00", "mon 08:00-24:01", "mon 24:00-02:00"]
        {
            assert!(text.parse::<OpenHours>().is_err(), "{text}");
        }
        for text in ["", "2027-02-30", "2027-02-11..2027-02-05", "13-01", "1-1", "tet"] {
            assert!(text.parse::<Holiday>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_may_run_over_the_end_of_the_week() {
        let hours = OpenHours { first_day: 5, last_day: 0, from: 0, until: 1_440 };
        let days = [Weekday::Saturday, Weekday::Sunday, Weekday::Monday, Weekday::Tuesday, Weekday::Friday];

        assert_eq!(days.map(|day| hours.contains(day, 600)), [true, true, true, false, false]);
        assert!(hours.contains(Weekday::Monday, 1_439));
    }
}
