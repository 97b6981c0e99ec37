//! What is given of a thing beside the provision file's keys, and the secrets that belong to it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ChangeError;
use super::noun::Noun;
use super::rows::Row;
use crate::StoreError;
use crate::secrets::{Secret, digits_secret, token_secret};

/// The secret of each kind of key, and where its hash stands.
const KEY_SECRETS: [(&str, &str, &str); 4] = [
    ("voip24h", "secret", "secret_hash"),
    ("vpbx", "api_secret", "api_secret_hash"),
    ("callone", "secret_key", "secret_key_hash"),
    ("native", "token", "token_hash"),
];
/// Digits of a pairing code that the server makes.
const PAIRING_DIGITS: usize = 8;

/// Keys of the API alone.
#[derive(Debug, Default)]
pub(super) struct Extras {
    /// Whether a trunk is the operator's.
    pub shared: Option<bool>,
    /// Where a rule stands among the others, from 1.
    pub position: Option<usize>,
}

/// Takes out what is no key of the file: what is only shown, and what only the API knows.
pub(super) fn take_extras(noun: Noun, given: &mut Map<String, Value>) -> Result<Extras, ChangeError> {
    given.remove("id");
    let mut extras = Extras::default();
    match noun {
        Noun::Key => drop(given.remove("name")),
        Noun::Trunk => {
            given.remove("has_password");
            extras.shared = match given.remove("shared") {
                None | Some(Value::Null) => None,
                Some(Value::Bool(shared)) => Some(shared),
                Some(_) => {
                    return Err(ChangeError::wrong("shared", "`shared` must be true or false: write one of them"));
                }
            };
        }
        Noun::Outbound => {
            extras.position = match given.remove("position") {
                None | Some(Value::Null) => None,
                Some(position) => match position.as_u64().and_then(|number| usize::try_from(number).ok()) {
                    Some(position @ 1..) => Some(position),
                    _ => {
                        return Err(ChangeError::wrong(
                            "position",
                            "`position` must be a whole number from 1: write one",
                        ));
                    }
                },
            };
        }
        _ => {}
    }
    Ok(extras)
}

/// Makes what a new thing needs to prove itself and was not given. Everything of it that is secret comes back, given or
/// made: whoever makes the thing is shown it once.
pub(super) fn make_secrets(noun: Noun, given: &mut Map<String, Value>) -> Result<Map<String, Value>, StoreError> {
    let mut shown = Map::new();
    let mut need = |given: &mut Map<String, Value>, key: &str, make: &dyn Fn() -> std::io::Result<Secret>| {
        if given.get(key).is_none_or(Value::is_null) {
            let made = make().map_err(StoreError::unreadable("the system's random numbers"))?;
            given.insert(key.into(), made.reveal().into());
        }
        shown.insert(key.into(), given[key].clone());
        Ok::<_, StoreError>(())
    };
    match noun {
        Noun::Key => {
            let kind = given.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
            match kind.as_str() {
                "voip24h" => need(given, "voip", &|| token_secret("voip_"))?,
                "vpbx" => need(given, "api_key", &|| token_secret("key_"))?,
                _ => {}
            }
            if let Some((_, secret, _)) = KEY_SECRETS.iter().find(|(known, ..)| *known == kind) {
                let prefix = if kind == "native" { "tdk_" } else { "tds_" };
                need(given, secret, &|| token_secret(prefix))?;
            }
        }
        Noun::Device => need(given, "pairing_code", &|| digits_secret(PAIRING_DIGITS))?,
        _ => {}
    }
    Ok(shown)
}

/// The secrets that a stored thing keeps where none is given, by their key, with the hash where that is all there is.
pub(super) fn stored_secrets(noun: Noun, row: &Row, given: &Map<String, Value>) -> BTreeMap<&'static str, String> {
    let hash = |key: &str| row.body[key].as_str().map(str::to_owned);
    let mut stored = BTreeMap::new();
    match noun {
        Noun::Extension | Noun::User => drop(stored.insert("password", String::new())),
        // Without a name there is no password.
        Noun::Trunk => {
            let has_name = given.get("username").is_some_and(|name| !name.is_null());
            if has_name && row.secrets.contains_key("password") {
                stored.insert("password", String::new());
            }
        }
        Noun::Device => {
            stored.insert("pairing_code", String::new());
            stored.extend(hash("key_hash").map(|hash| ("key", hash)));
        }
        Noun::Key => {
            for (kind, secret, place) in KEY_SECRETS {
                if row.body["kind"] == kind && given.get("kind").and_then(Value::as_str) == Some(kind) {
                    stored.extend(hash(place).map(|hash| (secret, hash)));
                }
            }
        }
        _ => {}
    }
    stored
}

/// The secrets that are others than before, by the name of their key.
pub(super) fn changed_secrets(
    before: &Row,
    body: &Value,
    secrets: &BTreeMap<String, String>,
    same_name: bool,
) -> Vec<&'static str> {
    let mut changed = Vec::new();
    let hashes = KEY_SECRETS.iter().map(|(_, secret, place)| (*secret, *place));
    for (secret, place) in hashes.chain([("password", "digests"), ("key", "key_hash")]) {
        if before.body[place] != body[place] && !changed.contains(&secret) {
            changed.push(secret);
        }
    }
    // A thing with another name has its secrets sealed anew.
    for secret in ["password", "secret", "pairing_code"] {
        let (was, is) = (before.secrets.get(secret), secrets.get(secret));
        if was != is && (same_name || was.is_some() != is.is_some()) && !changed.contains(&secret) {
            changed.push(secret);
        }
    }
    changed
}
