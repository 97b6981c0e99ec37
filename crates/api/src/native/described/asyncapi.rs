//! The events in AsyncAPI 3.0: what a message of `/v1/events/socket`, of the event-stream and of a native hook holds.

use model::Reason;
use serde_json::{Map, Value, json};

use super::kinds::{Field, Kind, Of, has_callid, kinds};

/// The description.
pub(super) fn describe() -> Value {
    let messages: Map<String, Value> = kinds().map(|kind| (kind.name.to_owned(), message(kind))).collect();
    let of_channel: Map<String, Value> = kinds()
        .map(|kind| (kind.name.to_owned(), json!({ "$ref": format!("#/components/messages/{}", kind.name) })))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tongdai events",
            "version": "1",
            "description": "What happens to calls, recordings, extensions and trunks, in order. Each event has a \
                `position` within the tenant: whoever was away goes on behind the last one it has seen. The same \
                events are read as pages and as text/event-stream at /v1/events.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "self": {
                "host": "{host}",
                "protocol": "ws",
                "description": "The server that this description came from.",
                "variables": { "host": { "default": "127.0.0.1:8080" } },
                "security": [{ "$ref": "#/components/securitySchemes/bearer" }],
            },
        },
        "channels": {
            "events": {
                "address": "/v1/events/socket",
                "title": "The story of a tenant",
                "description": "One event a message. `?after=POSITION` says where it begins.",
                "messages": of_channel,
                "bindings": { "ws": { "query": {
                    "type": "object",
                    "properties": {
                        "after": { "type": "integer", "description": "The position after which the story is wanted; \
                            below zero: so many before the last event." },
                        "token": { "type": "string", "description": "The token, for browsers." },
                        "tenant": { "type": "string", "description": "With the admin token: the tenant's name." },
                    },
                } } },
            },
        },
        "operations": {
            "hearEvents": {
                "action": "receive",
                "channel": { "$ref": "#/channels/events" },
                "summary": "Hear what is stored, and then each event as it is stored.",
            },
        },
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "A native key of a tenant, or the admin token." },
            },
            "messages": messages,
            "schemas": {
                "Reason": {
                    "type": "string",
                    "description": "A code of /v1/reasons.",
                    "enum": Reason::ALL.iter().map(|reason| reason.code()).collect::<Vec<_>>(),
                },
                "Party": {
                    "type": "object",
                    "required": ["party", "number"],
                    "properties": {
                        "party": { "type": "string", "enum": model::Party::WORDS },
                        "number": { "type": "string" },
                        "shown": { "type": "string", "description": "As it was dialled or came in, where that differs." },
                        "trunk": { "type": "string", "description": "The trunk the leg runs over." },
                    },
                },
                "MeasuredLeg": measured_leg(),
            },
        },
    })
}

fn message(kind: &Kind) -> Value {
    let mut properties = Map::new();
    let mut required = vec!["position", "subject", "id", "seq", "at", "type"];
    properties.insert(
        "position".into(),
        json!({ "type": "integer", "minimum": 1, "description": "Its place in the tenant's story." }),
    );
    properties.insert("subject".into(), json!({ "const": kind.subject }));
    properties.insert("id".into(), json!({ "type": "string", "description": "The subject's id." }));
    properties.insert(
        "seq".into(),
        json!({ "type": "integer", "minimum": 1, "description": "Its place among the subject's events." }),
    );
    properties.insert("at".into(), json!({ "type": "string", "format": "date-time" }));
    properties.insert("type".into(), json!({ "const": kind.name }));
    if has_callid(kind) {
        properties.insert("callid".into(), json!({ "type": "string", "description": "The call it belongs to." }));
        required.push("callid");
    }
    for field in kind.fields {
        properties.insert(field.name.into(), schema(field));
        if field.always {
            required.push(field.name);
        }
    }
    json!({
        "name": kind.name,
        "title": kind.name,
        "summary": kind.says,
        "payload": { "type": "object", "required": required, "properties": properties },
    })
}

fn schema(field: &Field) -> Value {
    let mut schema = match field.of {
        Of::Text => json!({ "type": "string" }),
        Of::Key => json!({ "type": "string", "pattern": "^[0-9A-D*#]$" }),
        Of::Whole => json!({ "type": "integer", "minimum": 0 }),
        Of::Truth => json!({ "type": "boolean" }),
        Of::Id => json!({ "type": "string", "pattern": "^[0-9]+\\.[0-9]+$" }),
        Of::Reason => return json!({ "$ref": "#/components/schemas/Reason" }),
        Of::Party => return json!({ "$ref": "#/components/schemas/Party" }),
        Of::Legs => json!({ "type": "array", "items": { "$ref": "#/components/schemas/MeasuredLeg" } }),
        Of::Words(words) => json!({ "type": "string", "enum": words }),
    };
    schema["description"] = json!(field.says);
    schema
}

fn measured_leg() -> Value {
    let counted = ["received", "lost", "jitter_ms", "ignored", "sent", "far_lost", "far_jitter_ms"];
    let mut properties: Map<String, Value> =
        counted.iter().map(|name| ((*name).to_owned(), json!({ "type": "integer", "minimum": 0 }))).collect();
    properties.insert("leg".into(), json!({ "type": "string" }));
    properties.insert("round_trip_ms".into(), json!({ "type": ["integer", "null"] }));
    properties.insert("mos".into(), json!({ "type": ["number", "null"] }));
    let required: Vec<&str> = counted.iter().copied().chain(["leg"]).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every word of an event's `type` stands in one of the model's files of events, as what a variant is renamed to.
    fn told() -> BTreeSet<String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/src/event");
        let files = std::fs::read_dir(folder).expect("the model's events").map(|file| file.expect("a file").path());
        let model: String = files.map(|file| std::fs::read_to_string(file).expect("a text")).collect();
        let words = model.split("#[serde(rename = \"").skip(1).filter_map(|rest| rest.split('"').next());
        words.filter(|word| word.contains('.')).map(str::to_owned).collect()
    }

    #[test]
    fn every_event_that_is_told_is_described() {
        let described: BTreeSet<_> = kinds().map(|kind| kind.name.to_owned()).collect();

        assert_eq!(described, told());
        assert_eq!(described.len(), kinds().count(), "each once");
    }

    #[test]
    fn the_fields_of_an_event_are_those_that_the_model_reads() {
        for kind in kinds() {
            let mut event = Map::new();
            for (name, value) in [("subject", json!(kind.subject)), ("seq", json!(1)), ("type", json!(kind.name))] {
                event.insert(name.into(), value);
            }
            event.insert("at".into(), json!("2026-01-31T01:00:00Z"));
            event.insert("id".into(), json!("1700000000.1000101"));
            for field in kind.fields {
                event.insert(field.name.into(), sample(field.of));
            }

            let read: model::Event = serde_json::from_value(Value::Object(event.clone())).expect(kind.name);

            assert_eq!(serde_json::to_value(&read).expect("it prints"), Value::Object(event), "{}", kind.name);
            for field in kind.fields {
                let Value::Object(mut without) = serde_json::to_value(&read).expect("it prints") else { continue };
                without.remove(field.name);
                let read = serde_json::from_value::<model::Event>(Value::Object(without));
                assert_eq!(read.is_err(), field.always, "{} {}", kind.name, field.name);
            }
        }
    }

    fn sample(of: Of) -> Value {
        match of {
            Of::Text => json!("A"),
            Of::Key => json!("5"),
            Of::Whole => json!(7),
            Of::Truth => json!(true),
            Of::Id => json!("1700000000.1000101"),
            Of::Reason => json!("busy"),
            Of::Party => json!({ "party": "group", "number": "600" }),
            Of::Legs => json!([]),
            // The last one, because a party outside may have everything.
            Of::Words(words) => json!(words.last().expect("a word")),
        }
    }
}
