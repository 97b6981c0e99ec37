//! JSON merge patch (RFC 7396), with two habits of settings: an empty key of the thing itself stays null, because for
//! some keys null is a wish of its own, and a route leads one way, so that another way takes its place.

use serde_json::{Map, Value};

/// The ways of a route; a route has one.
const WAYS: [&str; 9] = ["extension", "group", "queue", "menu", "crm", "voicemail", "play", "outside", "hours"];

/// Changes a thing's keys.
pub(super) fn merge(thing: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        if value.is_null() {
            thing.insert(key, Value::Null);
        } else {
            merge_value(thing.entry(key).or_insert(Value::Null), value);
        }
    }
}

fn merge_value(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    if is_route(target) && patch.iter().any(|(key, value)| WAYS.contains(&key.as_str()) && !value.is_null()) {
        target.retain(|way, _| patch.contains_key(way));
    }
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            merge_value(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

fn is_route(target: &Map<String, Value>) -> bool {
    target.len() == 1 && target.keys().all(|key| WAYS.contains(&key.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(thing: Value, patch: Value, merged: Value) {
        let (Value::Object(mut thing), Value::Object(patch)) = (thing, patch) else { panic!("objects") };

        merge(&mut thing, patch);

        assert_eq!(Value::Object(thing), merged);
    }

    #[test]
    fn it_merges_as_the_rfc_says() {
        check(json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"}));
        check(json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"}));
        check(json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"}));
        check(json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}}));
        check(json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]}));
        check(json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}}));
        check(json!({"a": "foo"}), json!({"a": {"b": 1}}), json!({"a": {"b": 1}}));
    }

    #[test]
    fn a_key_of_the_thing_itself_becomes_null() {
        check(json!({"monthly_quota": 5}), json!({"monthly_quota": null}), json!({"monthly_quota": null}));
    }

    #[test]
    fn another_way_takes_a_routes_place() {
        let crm = json!({"crm": {"url": "http://a", "timeout_ms": 100, "default": {"extension": "101"}}});

        check(
            json!({"route": {"extension": "101"}}),
            json!({"route": {"group": "600"}}),
            json!({"route": {"group": "600"}}),
        );
        check(
            json!({"route": {"extension": "101"}}),
            json!({"route": {"extension": null, "group": "600"}}),
            json!({"route": {"group": "600"}}),
        );
        check(
            json!({"route": crm}),
            json!({"route": {"crm": {"timeout_ms": 200, "default": {"queue": "700"}}}}),
            json!({"route": {"crm": {"url": "http://a", "timeout_ms": 200, "default": {"queue": "700"}}}}),
        );
        check(
            json!({"keys": {"1": {"extension": "101"}}}),
            json!({"keys": {"2": {"menu": "main"}}}),
            json!({"keys": {"1": {"extension": "101"}, "2": {"menu": "main"}}}),
        );
    }
}
