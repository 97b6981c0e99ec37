//! Where values of settings are looked for: flags, environment, file; the first that has a setting gives all of it.
//!
//! Knows where each value stood, so that an error can name the place. What the values mean is not known here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{KEYS, Key};
use crate::unusable::Unusable;

/// Where a value stood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// `--http`
    Flag(&'static str),
    /// `TONGDAI_HTTP`
    Environment(String),
    /// A line of the file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The key as it stands there.
        key: String,
    },
}

/// A value and where it stood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// As it was written.
    pub value: String,
    /// Where.
    pub source: Source,
}

/// All values that were given, from the three places.
#[derive(Debug, Default)]
pub struct Layers {
    flags: BTreeMap<&'static str, Vec<String>>,
    environment: BTreeMap<String, String>,
    file: BTreeMap<&'static str, Vec<Given>>,
}

impl Given {
    /// The sentence for a value that cannot be used. Secrets are not repeated.
    pub fn wrong(&self, sentence: &str) -> Unusable {
        let shown = |name: &str| match name.to_ascii_lowercase().rsplit(['-', '_']).next() {
            Some("token") => "…".to_owned(),
            Some("database" | "smtp") => without_password(&self.value),
            _ => self.value.clone(),
        };
        Unusable(match &self.source {
            Source::Flag(name) => format!("--{name} {}: {sentence}", shown(name)),
            Source::Environment(name) => format!("{name}={}: {sentence}", shown(name)),
            Source::File { path, line, key } => {
                format!("{}:{line}: {key} = \"{}\": {sentence}", path.display(), shown(key))
            }
        })
    }
}

/// An address without who signs in there, and without what stands behind a question mark.
fn without_password(url: &str) -> String {
    let shown = url.split_once('?').map_or(url, |(url, _)| url);
    match (shown.split_once("://"), shown.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        _ => shown.to_owned(),
    }
}

impl Layers {
    /// Layers of given flags (by name, without dashes) and environment; reads the file that `config` names, or
    /// `tongdai.toml` in the working folder if there is one.
    pub fn read(
        flags: BTreeMap<&'static str, Vec<String>>,
        environment: impl IntoIterator<Item = (String, String)>,
        config: Option<&Path>,
    ) -> Result<Self, Unusable> {
        let environment: BTreeMap<_, _> =
            environment.into_iter().filter(|(name, _)| name.starts_with("TONGDAI_")).collect();
        let named = config.map(Path::to_owned).or_else(|| environment.get("TONGDAI_CONFIG").map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| "tongdai.toml".into());
        let file = match std::fs::read_to_string(&path) {
            Ok(text) => parse_file(&path, &text)?,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(Unusable(format!(
                    "{}: {error}: name a settings file that can be read with --config",
                    path.display()
                )));
            }
        };
        Ok(Self { flags, environment, file })
    }

    /// Variables named `TONGDAI_…` that are no setting.
    pub fn unknown_environment(&self) -> impl Iterator<Item = &str> {
        let known = |name: &str| name == "TONGDAI_CONFIG" || KEYS.iter().any(|key| variable(key.name) == name);
        self.environment.keys().map(String::as_str).filter(move |name| !known(name))
    }

    /// The values of a setting, from the first place that has it.
    pub fn given(&self, name: &'static str) -> Result<Vec<Given>, Unusable> {
        if let Some(values) = self.flags.get(name) {
            let source = Source::Flag(name);
            return Ok(values.iter().map(|value| Given { value: value.clone(), source: source.clone() }).collect());
        }
        let variable = variable(name);
        if let Some(value) = self.environment.get(&variable).filter(|value| !value.is_empty()) {
            let source = Source::Environment(variable);
            let give = |value: &str| Given { value: value.to_owned(), source: source.clone() };
            return Ok(match key(name) {
                Some(Key { many: true, .. }) => value.split_whitespace().map(give).collect(),
                _ => vec![give(value)],
            });
        }
        Ok(self.file.get(name).cloned().unwrap_or_default())
    }

    /// The one value of a setting, as `parse` reads it.
    pub fn one<T>(&self, name: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Unusable> {
        let given = self.given(name)?;
        // With flags as everywhere: the last one counts.
        let Some(given) = given.last() else { return Ok(None) };
        parse(&given.value).map(Some).map_err(|sentence| given.wrong(&sentence))
    }

    /// All values of a setting, as `parse` reads each; None if it is not given.
    pub fn all<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Vec<T>>, Unusable> {
        let given = self.given(name)?;
        if given.is_empty() {
            return Ok(None);
        }
        let read = |given: &Given| parse(&given.value).map_err(|sentence| given.wrong(&sentence));
        given.iter().map(read).collect::<Result<_, _>>().map(Some)
    }
}

fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

fn variable(name: &str) -> String {
    format!("TONGDAI_{}", name.to_ascii_uppercase().replace('-', "_"))
}

fn parse_file(path: &Path, text: &str) -> Result<BTreeMap<&'static str, Vec<Given>>, Unusable> {
    let line_at = |at: usize| text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
    let wrong = |at: usize, sentence: &str| Unusable(format!("{}:{}: {sentence}", path.display(), line_at(at)));
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        wrong(at, &format!("this is no TOML ({}): write name = \"value\"", error.message()))
    })?;
    let mut values = BTreeMap::new();
    for (written, value) in table.get_ref() {
        let at = written.span().start;
        let Some(key) = key(&written.get_ref().replace('_', "-")) else {
            return Err(wrong(at, &unknown(written.get_ref())));
        };
        let given = |value: &Spanned<DeValue<'_>>| {
            let source = Source::File {
                path: path.to_owned(),
                line: line_at(value.span().start),
                key: written.get_ref().to_string(),
            };
            let value = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.to_string(),
                _ => {
                    return Err(wrong(
                        value.span().start,
                        &format!("{} takes text: write {} = \"{}\"", key.name, key.name, key.value),
                    ));
                }
            };
            Ok(Given { value, source })
        };
        let list = match value.get_ref() {
            DeValue::Array(items) if key.many => items.iter().map(given).collect::<Result<_, _>>()?,
            _ => vec![given(value)?],
        };
        if values.insert(key.name, list).is_some() {
            return Err(wrong(at, &format!("{} is given twice: keep one", key.name)));
        }
    }
    Ok(values)
}

fn unknown(written: &str) -> String {
    let names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    format!("there is no setting `{written}`: use one of {}", names.join(", "))
}
