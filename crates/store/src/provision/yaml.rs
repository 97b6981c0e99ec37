//! YAML as a tree in which every value knows its line.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Spanned};

use super::shown::shown;
use super::{ProvisionError, wrong};

/// Larger files are refused unread: a hundred thousand extensions fit in.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A value and its line.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Node {
    pub line: u32,
    pub value: Value,
}

/// What a value is.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Whole(i64),
    Fraction,
    Text(String),
    /// A secret that is stored already and is not said again; its hash, where only that is stored. No text reads so.
    Stored(String),
    List(Vec<Node>),
    /// In the order of the file; no key stands in it twice.
    Map(Vec<(String, u32, Node)>),
}

impl Value {
    /// What it is, for a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "true or false",
            Self::Whole(_) | Self::Fraction => "a number",
            Self::Text(_) | Self::Stored(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a group of keys",
        }
    }
}

/// Reads the one document of a file.
pub(super) fn read(text: &str) -> Result<Node, ProvisionError> {
    if text.len() > MOST_BYTES {
        return Err(ProvisionError { line: None, sentence: "the file is larger than 64 MiB: split it".into() });
    }
    let budget = serde_saphyr::budget! {
        max_events: 16_000_000,
        max_nodes: 8_000_000,
        max_depth: 24,
        max_documents: 8,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        with_snippet: false,
        strict_booleans: true,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| explain(&error))
}

fn explain(error: &Error) -> ProvisionError {
    let line = error.location().map(|location| line(location.line())).filter(|line| *line > 0);
    let sentence = match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("`{}` stands here twice: remove one of the two", shown(key))
        }
        Error::DuplicateMappingKey { .. } => "a key stands here twice: remove one of the two".into(),
        Error::MultipleDocuments { .. } => "the file holds several documents: remove what follows `---`".into(),
        Error::Budget { .. } => "the file is nested too deep or too long: split it".into(),
        other => {
            let whole = other.to_string();
            // The library puts the place into the text, and some texts have several lines.
            let detail = whole.lines().next().unwrap_or_default();
            let detail = detail.split(" at line ").next().unwrap_or_default().trim().trim_end_matches(['.', ':']);
            let detail: String = detail.chars().filter(|c| !c.is_control()).take(160).collect();
            format!("this is not YAML ({detail}): look at indentation, quotes and brackets here and just above")
        }
    };
    ProvisionError { line, sentence }
}

fn line(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { line: line(spanned.referenced.line()), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Value, E> {
        Ok(Value::Whole(whole))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Value, E> {
        Ok(i64::try_from(whole).map_or(Value::Fraction, Value::Whole))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
        Ok(Value::Fraction)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(Value::Fraction)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Fraction)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = map.next_entry::<Spanned<Key>, Node>()? {
            entries.push((key.value.0, line(key.referenced.line()), node));
        }
        Ok(Value::Map(entries))
    }
}

/// A key as text: `1` and `"1"` are the same key.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl Node {
    /// The items of a list; nothing counts as an empty one.
    pub fn into_list(self, key: &str) -> Result<Vec<Node>, ProvisionError> {
        match self.value {
            Value::List(list) => Ok(list),
            Value::Null => Ok(Vec::new()),
            other => {
                Err(wrong(self.line, format!("`{key}` must be a list, not {}: write `{key}: [ … ]`", other.kind())))
            }
        }
    }
}
