//! What a running server is asked to show on a terminal: records, events, live calls.
//!
//! Each is one request of the native API, or a few pages of one; this file has the flags and who is asked, its neighbours
//! what is asked and how it looks.

mod calls;
mod cdr;
mod events;
mod table;

use clap::{Arg, ArgAction, ArgMatches, Command};
use model::Timestamp;

use crate::Failure;
use crate::config::Layers;
use crate::remote::Server;
use crate::unusable::Unusable;

/// What is to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Records, newest first.
    Records(cdr::Search),
    /// Events, in order.
    Events(events::Whence),
    /// Live calls.
    Calls,
}

/// Whose, and how it looks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// The tenant's name. None: the default one.
    tenant: Option<String>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// RFC 4180, with a line of names.
    Csv,
}

/// The commands.
pub fn commands() -> [Command; 3] {
    let shown = |command: Command| {
        command
            .arg(value("tenant", "NAME", "The tenant [default: the default one]"))
            .arg(flag("json", "One JSON object a line"))
    };
    [
        shown(cdr::command()).arg(flag("csv", "All of them as CSV").conflicts_with("json")),
        shown(events::command()),
        shown(Command::new("calls").about("Shows the live calls")),
    ]
}

/// What a command line asks for, if it is one of these.
pub fn asked(name: &str, matches: &ArgMatches) -> Option<(Shown, View)> {
    let shown = match name {
        "cdr" => Shown::Records(cdr::Search::of(matches)),
        "events" => Shown::Events(events::Whence::of(matches)),
        "calls" => Shown::Calls,
        _ => return None,
    };
    let form = match shown {
        _ if matches.get_flag("json") => Form::Json,
        Shown::Records(_) if matches.get_flag("csv") => Form::Csv,
        _ => Form::Text,
    };
    Some((shown, View { tenant: matches.get_one::<String>("tenant").cloned(), form }))
}

/// Asks the server and prints what it says.
pub async fn run(layers: &Layers, shown: &Shown, view: &View) -> Result<(), Failure> {
    let server = Server::load(layers)?;
    match shown {
        Shown::Records(search) => cdr::show(&server, search, view).await,
        Shown::Events(whence) => events::show(&server, whence, view).await,
        Shown::Calls => calls::show(&server, view).await,
    }
}

impl View {
    fn query(&self) -> Vec<(&'static str, String)> {
        self.tenant.iter().map(|tenant| ("tenant", tenant.clone())).collect()
    }
}

fn value(name: &'static str, what: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(what).help(help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

/// Prints a line at once. False: nobody reads any more.
fn say(line: &str) -> bool {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
}

/// A moment, as RFC 3339 or as a time back from now: `90m`, `2h`, `7d`.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Unusable> {
    let wrong =
        || Unusable(format!("`{text}` is no moment: write 2026-01-31T08:00:00+07:00, or 90m, 2h, 7d for so long ago"));
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let back = number.parse::<u32>().map_err(|_| wrong())?;
    Timestamp::from_second(now.as_second() - i64::from(back) * seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_whole_or_as_a_time_back() {
        let now: Timestamp = "2026-01-31T08:00:00Z".parse().expect("a moment");
        let back = |text| moment(text, now).expect(text).to_string();

        assert_eq!(back("2026-01-30T08:00:00+07:00"), "2026-01-30T01:00:00Z");
        assert_eq!(back("90m"), "2026-01-31T06:30:00Z");
        assert_eq!(back("7d"), "2026-01-24T08:00:00Z");
        for wrong in ["", "h", "2w", "yesterday", "-1h", "€"] {
            assert!(moment(wrong, now).is_err(), "{wrong}");
        }
    }
}
