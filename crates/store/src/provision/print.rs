//! A stored thing as the file would have it, without its secrets.

use model::{Number, TrunkAddress};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::StoreError;
use crate::settings::Noun;

/// A thing in the file's own words.
pub(crate) type Printed = Map<String, Value>;

/// Prints what is stored of a thing. Every key of the file is there but secrets.
pub(crate) fn print(noun: Noun, name: &str, body: &Value, country: &str) -> Result<Printed, StoreError> {
    let Value::Object(mut printed) = body.clone() else {
        return Err(StoreError::unreadable(format!("{} {name}", noun.word()))("the body is no group of keys"));
    };
    match noun {
        Noun::Tenant => {
            printed.insert("name".into(), name.into());
            // Tenants that were stored without these keys.
            for key in ["music", "announce_recording", "parking"] {
                printed.entry(key).or_insert(Value::Null);
            }
            printed.entry("feature_codes").or_insert_with(|| serde_json::json!(model::FeatureCodes::default()));
        }
        Noun::Key => {
            for hash in ["secret_hash", "api_secret_hash", "secret_key_hash", "token_hash"] {
                printed.remove(hash);
            }
            sources(&mut printed, "allowed_addresses", name)?;
        }
        Noun::Extension => {
            printed.remove("digests");
            national(&mut printed, "caller_id", country);
            // Extensions that were stored without these keys.
            printed.entry("forward").or_insert_with(|| serde_json::json!(model::Forward::default()));
            for (key, usual) in [("do_not_disturb", false), ("supervisor", false)] {
                printed.entry(key).or_insert(usual.into());
            }
            for key in ["voicemail", "pickup_group"] {
                printed.entry(key).or_insert(Value::Null);
            }
            printed.entry("skills").or_insert_with(|| Map::new().into());
        }
        Noun::Trunk => {
            sources(&mut printed, "accept_from", name)?;
            sources(&mut printed, "media_from", name)?;
            // Trunks that were stored without these keys.
            for (key, usual) in [("identity", "from"), ("forwarded_caller", "own")] {
                printed.entry(key).or_insert_with(|| usual.into());
            }
            printed.entry("health_seconds").or_insert(Value::Null);
        }
        Noun::Number => national(&mut printed, "number", country),
        Noun::Queue => {
            let at_once = printed.remove("answer_at_once") != Some(Value::Bool(false));
            printed.insert("answer".into(), if at_once { "at_once" } else { "by_agent" }.into());
            // Queues that were stored without these keys.
            printed.entry("priority").or_insert(0.into());
            printed.entry("announce_seconds").or_insert(60.into());
            for key in ["wait_when_empty", "announce_wait"] {
                printed.entry(key).or_insert(false.into());
            }
            for key in ["max_waiting", "greeting", "music"] {
                printed.entry(key).or_insert(Value::Null);
            }
            printed.entry("skills").or_insert_with(|| Map::new().into());
        }
        Noun::Device => {
            printed.remove("key_hash");
        }
        Noun::Group => {
            printed.entry("overflow").or_insert(Value::Null);
        }
        Noun::Menu => {
            for key in ["say", "sound"] {
                printed.entry(key).or_insert(Value::Null);
            }
        }
        Noun::Outbound | Noun::Hours | Noun::Sound | Noun::Hook | Noun::User => {}
    }
    Ok(printed)
}

/// A public number as people of the country write it.
fn national(printed: &mut Printed, key: &str, country: &str) {
    if let Some(Value::String(digits)) = printed.get_mut(key) {
        *digits = Number::of_digits(digits, country).national(country);
    }
}

fn sources(printed: &mut Printed, key: &str, name: &str) -> Result<(), StoreError> {
    let Some(stored) = printed.get_mut(key) else { return Ok(()) };
    let addresses = Vec::<TrunkAddress>::deserialize(&*stored).map_err(StoreError::unreadable(name))?;
    *stored = addresses.iter().map(source).map(Value::from).collect();
    Ok(())
}

/// `192.0.2.1`, `192.0.2.1:5060`, `[2001:db8::1]:5060` or `192.0.2.0/24`.
fn source(TrunkAddress { address, prefix, port }: &TrunkAddress) -> String {
    let whole = if address.is_ipv4() { 32 } else { 128 };
    match port {
        Some(port) => std::net::SocketAddr::new(*address, *port).to_string(),
        None if *prefix == whole => address.to_string(),
        None => format!("{address}/{prefix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    #[test]
    fn a_source_is_printed_as_it_is_read() {
        for text in
            ["192.0.2.1", "192.0.2.1:5060", "192.0.2.0/24", "2001:db8::1", "[2001:db8::1]:5060", "2001:db8::/32"]
        {
            assert_eq!(words::source(text).as_ref().map(source).as_deref(), Some(text));
        }
    }
}
