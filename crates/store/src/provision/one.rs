//! One thing of the file by itself, given as JSON: the same keys, read by the same code, with sentences that name a
//! field instead of a line.

use std::collections::BTreeMap;

use model::{Group, Hours, KeyKind, Menu, NamedSound, NumberRoute, Outbound, Queue};
use serde_json::{Map, Value as Json};

use super::yaml::{Node, Value};
use super::{
    DeviceDraft, ExtensionDraft, HookDraft, ProvisionError, Reference, TrunkDraft, UserDraft, floor, keys, lines,
    people, prompts, tenant,
};
use crate::settings::Noun;
use crate::settings::stored::TenantBody;

/// A thing that was read and checked by itself.
#[derive(Clone, Debug)]
pub(crate) enum Draft {
    Tenant { name: String, body: TenantBody },
    Key(KeyKind),
    Extension(ExtensionDraft),
    Trunk(TrunkDraft),
    Outbound(Outbound),
    Number(NumberRoute),
    Group(Group),
    Queue(Queue),
    Menu(Menu),
    Hours(Hours),
    Sound(NamedSound),
    Hook(HookDraft),
    Device(DeviceDraft),
    User(UserDraft),
}

/// A draft and the things of its tenant that it names, each with the field that names it.
#[derive(Clone, Debug)]
pub(crate) struct One {
    pub draft: Draft,
    pub references: Vec<(Reference, Option<String>)>,
}

/// What is wrong with a thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WrongField {
    /// Which of its keys, as in `route.crm.url`; None: the thing as a whole.
    pub field: Option<String>,
    pub sentence: String,
}

/// Reads one thing. `stored`: its secrets that are stored already, by their key, with the hash where that is all there
/// is; they count where none is given. `country`: what its tenant's national numbers belong to.
pub(crate) fn read_one(
    noun: Noun,
    given: &Map<String, Json>,
    stored: &BTreeMap<&'static str, String>,
    country: &str,
) -> Result<One, WrongField> {
    let mut places = Places::default();
    let mut node = places.node(String::new(), &Json::Object(given.clone()));
    if let Value::Map(entries) = &mut node.value {
        for (key, hash) in stored {
            let secret = Node { line: places.place(key), value: Value::Stored(hash.clone()) };
            entries.retain(|(name, _, node)| name != key || node.value != Value::Null);
            if !entries.iter().any(|(name, _, _)| name == key) {
                entries.push(((*key).to_owned(), secret.line, secret));
            }
        }
    }
    let mut named = Vec::new();
    let draft = read(noun, node, country, &mut named).map_err(|error| places.explain(error))?;
    let references = named.into_iter().map(|named| (named.value, places.field(named.line))).collect();
    Ok(One { draft, references })
}

fn read(noun: Noun, node: Node, country: &str, named: &mut floor::Named) -> Result<Draft, ProvisionError> {
    Ok(match noun {
        Noun::Tenant => {
            let (name, body) = tenant::alone(node, named)?;
            Draft::Tenant { name, body }
        }
        Noun::Key => Draft::Key(keys::key(node)?.value),
        Noun::Extension => Draft::Extension(people::extension(node, country, named)?.value),
        Noun::Trunk => Draft::Trunk(lines::trunk(node)?.value),
        Noun::Outbound => Draft::Outbound(lines::outbound(node, named)?.value),
        Noun::Number => Draft::Number(lines::number(node, country, named)?.value),
        Noun::Group => Draft::Group(floor::group(node, named)?.value),
        Noun::Queue => Draft::Queue(floor::queue(node, named)?.value),
        Noun::Menu => Draft::Menu(floor::menu(node, named)?.value),
        Noun::Hours => Draft::Hours(prompts::hours(node)?.value),
        Noun::Sound => Draft::Sound(prompts::named_sound(node)?.value),
        Noun::Hook => Draft::Hook(keys::hook(node)?.value),
        Noun::Device => Draft::Device(keys::device(node, named)?.value),
        Noun::User => Draft::User(people::user(node)?.value),
    })
}

/// Where each value stands. A place is what a line is in a file.
#[derive(Default)]
struct Places(Vec<String>);

impl Places {
    fn node(&mut self, path: String, json: &Json) -> Node {
        let line = self.place(&path);
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Flag(*flag),
            Json::Number(number) => number.as_i64().map_or(Value::Fraction, Value::Whole),
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(|item| self.node(path.clone(), item)).collect()),
            Json::Object(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, json)| {
                        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                        let node = self.node(path, json);
                        (key.clone(), node.line, node)
                    })
                    .collect(),
            ),
        };
        Node { line, value }
    }

    fn place(&mut self, path: &str) -> u32 {
        self.0.push(path.to_owned());
        u32::try_from(self.0.len()).unwrap_or(0)
    }

    fn field(&self, place: u32) -> Option<String> {
        let path = self.0.get(usize::try_from(place).ok()?.checked_sub(1)?)?;
        (!path.is_empty()).then(|| path.chars().take(200).collect())
    }

    fn explain(&self, ProvisionError { line, sentence }: ProvisionError) -> WrongField {
        let field = line.and_then(|place| self.field(place));
        // A key that is missing stands nowhere: the sentence names it.
        let missing = || sentence.split_once(" needs `")?.1.split_once('`').map(|(key, _)| key.to_owned());
        WrongField { field: field.or_else(missing), sentence }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(noun: Noun, given: Json, field: Option<&str>, sentence: &str) {
        let given = given.as_object().expect("an object");

        let wrong = read_one(noun, given, &BTreeMap::new(), "84").expect_err("a sentence");

        assert_eq!((wrong.field.as_deref(), wrong.sentence.as_str()), (field, sentence));
    }

    #[test]
    fn what_is_wrong_is_said_as_of_a_file_with_the_field_for_the_line() {
        check(Noun::Extension, json!({"number": "101"}), Some("password"), "an extension needs `password`: add it");
        check(
            Noun::Extension,
            json!({"number": "101", "password": "pw", "lines": 0}),
            Some("lines"),
            "`lines` must be a whole number from 1 to 100: write one without quotes",
        );
        check(
            Noun::Number,
            json!({"number": "02873088088", "route": {"crm": {"url": "ftp://a", "default": {"extension": "101"}}}}),
            Some("route.crm.url"),
            "`ftp://a` is no URL for `url`: write one that begins with http:// or https://",
        );
        check(
            Noun::Group,
            json!({"number": "600", "colour": "red"}),
            Some("colour"),
            "`colour` is not a key of a group: use number, name, strategy, members, ring_seconds or overflow",
        );
        check(
            Noun::Group,
            json!({"number": 600}),
            Some("number"),
            "`number` must be text, not a number: put it in quotes",
        );
        check(
            Noun::Menu,
            json!({"name": "main", "say": {"en": "a\u{0}b"}}),
            Some("say.en"),
            "`en` holds a sign that cannot be stored: remove it",
        );
    }

    #[test]
    fn a_stored_secret_counts_where_none_is_given() {
        let given = json!({"number": "101", "password": null});
        let stored = BTreeMap::from([("password", String::new())]);

        let one = read_one(Noun::Extension, given.as_object().expect("an object"), &stored, "84").expect("it reads");

        let Draft::Extension(draft) = one.draft else { panic!("an extension") };
        assert_eq!(draft.password, super::super::Proof::Stored);
    }
}
