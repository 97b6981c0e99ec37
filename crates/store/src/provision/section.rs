//! A group of keys, read one by one. Every complaint is a sentence with a line and a remedy.

use std::ops::RangeInclusive;

use super::shown::shown;
use super::yaml::{Node, Value};
use super::{Lined, Proof, ProvisionError, wrong};
use crate::secrets::Secret;

/// The longest name or other short text, in bytes.
const MOST_TEXT: usize = 1_024;

/// A group of keys: one extension, one trunk.
#[derive(Debug)]
pub(super) struct Section {
    /// Where it begins.
    pub line: u32,
    /// What it is: `an extension`.
    what: &'static str,
    entries: Vec<(String, u32, Node)>,
}

impl Section {
    /// Takes a group of keys that may have only `keys`.
    pub fn of(node: Node, what: &'static str, keys: &[&str]) -> Result<Self, ProvisionError> {
        let entries = match node.value {
            Value::Map(entries) => entries,
            other => {
                let sentence = format!("{what} must be a group of keys, not {}: write its keys below it", other.kind());
                return Err(wrong(node.line, sentence));
            }
        };
        if let Some((key, line, _)) = entries.iter().find(|(key, _, _)| !keys.contains(&key.as_str())) {
            let sentence = format!("`{}` is not a key of {what}: use {}", shown(key), one_of(keys));
            return Err(wrong(*line, sentence));
        }
        // A group written over several lines begins with its first key.
        let line = entries.first().map_or(node.line, |(_, line, _)| node.line.min(*line));
        Ok(Self { line, what, entries })
    }

    /// The value of a key; None when it is left out or null.
    pub fn take(&mut self, key: &str) -> Option<Node> {
        let place = self.entries.iter().position(|(name, _, _)| name == key)?;
        let (_, _, node) = self.entries.swap_remove(place);
        (node.value != Value::Null).then_some(node)
    }

    /// The value of a key that must be there.
    pub fn need(&mut self, key: &str) -> Result<Node, ProvisionError> {
        self.take(key).ok_or_else(|| {
            let what = self.what;
            wrong(self.line, format!("{what} needs `{key}`: add it"))
        })
    }

    /// The line on which a key stands; the section's own when it is left out. To be asked before the key is taken.
    pub fn line_of(&self, key: &str) -> u32 {
        self.entries.iter().find(|(name, _, _)| name == key).map_or(self.line, |(_, line, _)| *line)
    }

    /// Whether the key is written at all. To be asked before it is taken.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _, _)| name == key)
    }

    /// Whether the key is written as null.
    pub fn is_null(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _, node)| name == key && node.value == Value::Null)
    }

    /// Short text, if it is there.
    pub fn text(&mut self, key: &str) -> Result<Option<Lined<String>>, ProvisionError> {
        self.take(key).map(|node| text_of(node, key)).transpose()
    }

    /// Short text that must be there.
    pub fn need_text(&mut self, key: &str) -> Result<Lined<String>, ProvisionError> {
        text_of(self.need(key)?, key)
    }

    /// A secret, if it is there.
    pub fn secret(&mut self, key: &str) -> Result<Option<Proof>, ProvisionError> {
        self.take(key).map(|node| proof_of(node, key)).transpose()
    }

    /// A secret that must be there.
    pub fn need_secret(&mut self, key: &str) -> Result<Proof, ProvisionError> {
        proof_of(self.need(key)?, key)
    }

    /// A whole number within `range`.
    pub fn number(&mut self, key: &str, range: RangeInclusive<u32>, default: u32) -> Result<u32, ProvisionError> {
        Ok(self.optional_number(key, range)?.unwrap_or(default))
    }

    /// A whole number within `range`, if it is there.
    pub fn optional_number(&mut self, key: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, ProvisionError> {
        let Some(node) = self.take(key) else { return Ok(None) };
        let number = match node.value {
            Value::Whole(whole) => u32::try_from(whole).ok().filter(|number| range.contains(number)),
            _ => None,
        };
        number.map(Some).ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            wrong(node.line, format!("`{key}` must be a whole number from {low} to {high}: write one without quotes"))
        })
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, default: bool) -> Result<bool, ProvisionError> {
        match self.take(key) {
            None => Ok(default),
            Some(Node { value: Value::Flag(flag), .. }) => Ok(flag),
            Some(node) => Err(wrong(
                node.line,
                format!("`{key}` must be true or false, not {}: write one of them", node.value.kind()),
            )),
        }
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)], default: T) -> Result<T, ProvisionError> {
        Ok(self.optional_word(key, words)?.unwrap_or(default))
    }

    /// One of a few words that must be there.
    pub fn need_word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Result<Lined<T>, ProvisionError> {
        word_of(self.need(key)?, key, words)
    }

    /// One of a few words, if it is there.
    pub fn optional_word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, ProvisionError> {
        Ok(self.take(key).map(|node| word_of(node, key, words)).transpose()?.map(|word| word.value))
    }

    /// The items of a list; none when it is left out.
    pub fn list(&mut self, key: &str) -> Result<Vec<Node>, ProvisionError> {
        self.take(key).map_or(Ok(Vec::new()), |node| node.into_list(key))
    }

    /// Texts of a list, none twice.
    pub fn texts(&mut self, key: &str) -> Result<Vec<Lined<String>>, ProvisionError> {
        let texts = self.list(key)?.into_iter().map(|node| text_of(node, key)).collect::<Result<Vec<_>, _>>()?;
        for (place, text) in texts.iter().enumerate() {
            if texts[..place].iter().any(|other| other.value == text.value) {
                let sentence = format!("`{}` stands in `{key}` twice: remove one of the two", shown(&text.value));
                return Err(wrong(text.line, sentence));
            }
        }
        Ok(texts)
    }

    /// Words of a list, none twice and at least one; `default` when it is left out.
    pub fn words<T: Copy + PartialEq>(
        &mut self,
        key: &str,
        words: &[(&str, T)],
        default: &[T],
    ) -> Result<Vec<T>, ProvisionError> {
        let Some(node) = self.take(key) else { return Ok(default.to_vec()) };
        let line = node.line;
        let mut found = Vec::new();
        for node in node.into_list(key)? {
            let word = word_of(node, key, words)?;
            if found.contains(&word.value) {
                return Err(wrong(word.line, format!("a word stands in `{key}` twice: remove one of the two")));
            }
            found.push(word.value);
        }
        if found.is_empty() {
            let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
            return Err(wrong(line, format!("`{key}` is empty: put in {}, or leave the key out", one_of(&names))));
        }
        Ok(found)
    }

    /// A group of keys; an empty one when it is left out.
    pub fn section(&mut self, key: &str, what: &'static str, keys: &[&str]) -> Result<Section, ProvisionError> {
        match self.take(key) {
            Some(node) => Section::of(node, what, keys),
            None => Ok(Section { line: self.line, what, entries: Vec::new() }),
        }
    }
}

fn proof_of(node: Node, key: &str) -> Result<Proof, ProvisionError> {
    match node.value {
        Value::Stored(_) => Ok(Proof::Stored),
        _ => Ok(Proof::Given(Secret::new(text_of(node, key)?.value))),
    }
}

/// Short text: something in it, nothing that cannot be shown.
pub(super) fn text_of(node: Node, key: &str) -> Result<Lined<String>, ProvisionError> {
    let text = long_text_of(node, key, MOST_TEXT)?;
    if text.value.contains(char::is_control) {
        let sentence = format!("`{key}` holds a line break or a sign that cannot be shown: remove it");
        return Err(wrong(text.line, sentence));
    }
    Ok(text)
}

/// Text of up to `most` bytes; may have several lines.
pub(super) fn long_text_of(node: Node, key: &str, most: usize) -> Result<Lined<String>, ProvisionError> {
    let line = node.line;
    match node.value {
        Value::Text(text) if text.trim().is_empty() => Err(wrong(line, format!("`{key}` is empty: write something"))),
        Value::Text(text) if text.len() > most => {
            Err(wrong(line, format!("`{key}` is longer than {most} bytes: shorten it")))
        }
        Value::Text(text) if text.contains('\0') => {
            Err(wrong(line, format!("`{key}` holds a sign that cannot be stored: remove it")))
        }
        Value::Text(value) => Ok(Lined { line, value }),
        Value::Whole(_) | Value::Fraction | Value::Flag(_) => {
            Err(wrong(line, format!("`{key}` must be text, not {}: put it in quotes", node.value.kind())))
        }
        other => Err(wrong(line, format!("`{key}` must be text, not {}: write it in quotes", other.kind()))),
    }
}

fn word_of<T: Copy>(node: Node, key: &str, words: &[(&str, T)]) -> Result<Lined<T>, ProvisionError> {
    let found = match &node.value {
        Value::Text(text) => words.iter().find(|(name, _)| name == text),
        _ => None,
    };
    match found {
        Some((_, value)) => Ok(Lined { line: node.line, value: *value }),
        None => {
            let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
            let was = match &node.value {
                Value::Text(text) => format!("`{}`", shown(text)),
                other => other.kind().to_owned(),
            };
            Err(wrong(node.line, format!("{was} is no word for `{key}`: write {}", one_of(&names))))
        }
    }
}

/// `a, b or c`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".into(),
        [word] => (*word).into(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
