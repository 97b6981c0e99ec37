//! The command line: what is to be done, and the flags, which are made from the table of settings.
//!
//! Anything that cannot be understood becomes one sentence. What flags mean is `config.rs`'s business.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::{KEYS, Layers};
use crate::show::{self, Shown, View};
use crate::unusable::Unusable;

/// What the program is asked to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// The server with a demo tenant, simulated phones and a simulated carrier.
    Demo,
    /// The server.
    Serve,
    /// Makes a running server match a file.
    Provision {
        /// The file.
        file: PathBuf,
        /// Whether what the file leaves out is deleted.
        prune: bool,
    },
    /// Something of a running server is shown.
    Show(Shown, View),
}

/// What was understood of a command line.
#[derive(Debug)]
pub enum Asked {
    /// Something to do, with settings.
    Do(Task, Layers),
    /// Only a text for standard output: help, version.
    Say(String),
}

/// Reads arguments (the program's name first) and environment.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Asked, Unusable> {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Asked::Say(error.render().to_string()));
        }
        Err(error) => return Err(Unusable(sentence(&error))),
    };
    let (task, matches) = match matches.subcommand() {
        Some(("demo", matches)) => (Task::Demo, matches),
        Some(("serve", matches)) => (Task::Serve, matches),
        Some(("provision", matches)) => (provision(matches), matches),
        Some((name, matches)) if let Some((shown, view)) = show::asked(name, matches) => {
            (Task::Show(shown, view), matches)
        }
        _ => return Err(Unusable(format!("what is to be done is missing: {TASKS}"))),
    };
    let config = matches.get_one::<PathBuf>("config");
    let layers = Layers::read(flags(matches), readable(environment)?, config.map(PathBuf::as_path))?;
    Ok(Asked::Do(task, layers))
}

const TASKS: &str =
    "write tongdai serve, tongdai demo, tongdai provision FILE, tongdai cdr, tongdai events or tongdai calls";

fn command() -> Command {
    let file = || clap::value_parser!(PathBuf);
    let flag = |key: &'static crate::config::Key| {
        Arg::new(key.name)
            .long(key.name)
            .value_name(key.value)
            .help(key.help)
            .global(true)
            .allow_hyphen_values(false)
            .action(ArgAction::Append)
    };
    Command::new("tongdai")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A switchboard and call center in one program")
        .after_help(
            "Each flag is also read from the environment (TONGDAI_DATA_DIR) and from tongdai.toml (data-dir = \"…\").",
        )
        .disable_help_subcommand(true)
        .args(KEYS.iter().map(flag))
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .help("Settings file [default: tongdai.toml in the working folder, if there is one]")
                .value_parser(file())
                .global(true),
        )
        .subcommand(Command::new("serve").about("Starts the server"))
        .subcommand(
            Command::new("demo")
                .about("Starts a server with a demo tenant, two simulated phones and a simulated carrier"),
        )
        .subcommand(
            Command::new("provision")
                .about("Makes a running server match a file")
                .arg(Arg::new("FILE").required(true).value_parser(file()).help("What the server is to be"))
                .arg(
                    Arg::new("prune").long("prune").action(ArgAction::SetTrue).help("Delete what the file leaves out"),
                ),
        )
        .subcommands(show::commands())
}

fn provision(matches: &ArgMatches) -> Task {
    Task::Provision {
        file: matches.get_one::<PathBuf>("FILE").cloned().unwrap_or_default(),
        prune: matches.get_flag("prune"),
    }
}

fn flags(matches: &ArgMatches) -> BTreeMap<&'static str, Vec<String>> {
    let values = |name| matches.get_many::<String>(name).map(|values| values.cloned().collect());
    KEYS.iter().filter_map(|key| Some((key.name, values(key.name)?))).collect()
}

fn readable(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Vec<(String, String)>, Unusable> {
    let ours = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
    let named = environment.into_iter().filter_map(ours).filter(|(name, _)| name.starts_with("TONGDAI_"));
    named
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(Unusable(format!("{name}: the value is no UTF-8 text: write it anew"))),
        })
        .collect()
}

/// What clap found wrong, in one sentence.
fn sentence(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let what = context(ContextKind::InvalidArg).unwrap_or_default();
    let instead = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand].into_iter().find_map(context);
    match error.kind() {
        ErrorKind::UnknownArgument => match instead {
            Some(instead) => format!("{what} is unknown: did you mean {instead}?"),
            None => format!("{what} is unknown: tongdai --help lists what there is"),
        },
        ErrorKind::InvalidSubcommand => {
            let what = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("`{what}` is unknown: {TASKS}")
        }
        ErrorKind::MissingRequiredArgument => format!("{what} is missing: tongdai --help shows how it is written"),
        ErrorKind::InvalidValue => format!("{what} needs a value: tongdai --help shows how it is written"),
        _ => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, Unusable> {
        parse(line.split_whitespace().map(OsString::from), [])
    }

    #[test]
    fn flags_stand_before_or_after_the_task() {
        for line in ["tongdai --http 127.0.0.1:1 serve", "tongdai serve --http 127.0.0.1:1"] {
            let Asked::Do(task, layers) = asked(line).expect(line) else { panic!("{line} is a task") };

            assert_eq!(task, Task::Serve);
            assert_eq!(layers.given("http").expect("given")[0].value, "127.0.0.1:1");
        }
    }

    #[test]
    fn what_is_not_understood_is_one_sentence() {
        let missing = format!("what is to be done is missing: {TASKS}");
        let unknown = format!("`sing` is unknown: {TASKS}");
        let table = [
            ("tongdai", missing.as_str()),
            ("tongdai sing", unknown.as_str()),
            ("tongdai serve --htp 1", "--htp is unknown: did you mean --http?"),
            ("tongdai serve --xyzzy", "--xyzzy is unknown: tongdai --help lists what there is"),
            ("tongdai serve now", "now is unknown: tongdai --help lists what there is"),
            ("tongdai provision", "<FILE> is missing: tongdai --help shows how it is written"),
        ];
        for (line, sentence) in table {
            let error = asked(line).expect_err(line);

            assert_eq!(error.0, sentence, "{line}");
        }
    }

    #[test]
    fn a_flag_without_its_value_says_so() {
        let error = asked("tongdai serve --http").expect_err("no value");

        assert!(error.0.starts_with("--http <ADDR[:PORT]>"), "{error}");
        assert!(!error.0.contains('\n'));
    }
}
