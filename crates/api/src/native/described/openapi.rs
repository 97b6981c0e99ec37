//! OpenAPI 3.1: what the routes say of themselves, and what holds for all of them.

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

/// What the operations are about, in the order in which people read.
const TAGS: &[(&str, &str)] = &[
    ("calls", "Calls that are live: begun, looked at, steered; and why they end."),
    ("records", "The truth about each call, one row a call."),
    ("recordings", "The sound of calls."),
    ("events", "What happens, in order: as pages, as an event-stream, as a WebSocket."),
    ("registrations", "Phones that are signed in."),
    ("agents", "Agents and queues as they stand: who waits, and who takes calls."),
    ("trunks", "How carriers stand."),
    ("hooks", "What is sent to whom, and what came of it."),
    ("settings", "What the provision file holds, one thing at a time or whole."),
    ("audit", "Who changed what."),
    ("bans", "Sources that may not sign in."),
];

const ABOUT: &str = "Calls, records, recordings, events and settings of a switchboard.\n\n\
    Sign in with `Authorization: Bearer TOKEN`: a native key of a tenant, or the admin token, with which \
    `?tenant=NAME` chooses the tenant. Each operation's `x-role` is the least role that may: `reader`, `agent`, \
    `supervisor`, `owner` (each may what those before it may) or `operator` (the admin token).\n\n\
    Times are RFC 3339. A list is `{\"items\":[…],\"next\":cursor or null}`; give `next` as `after`. A refusal is a \
    problem (RFC 9457) with a `code` for machines and a `detail` for people. A POST with an `Idempotency-Key` is \
    carried out once. Each answer tells in `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` how many \
    requests are left; beyond them it is 429 with `Retry-After`.";

const RATE_HEADERS: &[(&str, &str)] = &[
    ("RateLimit-Limit", "Requests that may come at once with this key"),
    ("RateLimit-Remaining", "How many of them are left"),
    ("RateLimit-Reset", "Seconds until all of them are there again"),
];
const REPLAYED: &str = "Idempotency-Replayed";
const RETRY_AFTER: &str = "Retry-After";

/// The whole description.
pub(super) fn describe(routes: &OpenApi) -> Value {
    // A description has no keys that JSON cannot have.
    let mut whole = serde_json::to_value(routes).unwrap_or_default();
    whole["openapi"] = json!("3.1.0");
    whole["info"] = json!({
        "title": "Tongdai",
        "version": "1",
        "description": ABOUT,
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    whole["servers"] = json!([{ "url": "/", "description": "The server that this description came from" }]);
    whole["security"] = json!([{ "bearer": [] }]);
    whole["components"]["securitySchemes"] = json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "A native key of a tenant, or the admin token" },
    });
    whole["components"]["parameters"] = json!({ "IdempotencyKey": key_parameter(), "Tenant": tenant_parameter() });
    whole["components"]["headers"] = RATE_HEADERS
        .iter()
        .map(|(name, says)| ((*name).to_owned(), json!({ "description": says, "schema": { "type": "integer" } })))
        .collect::<Map<_, _>>()
        .into();
    whole["components"]["headers"][REPLAYED] = json!({
        "description": "The order with this `Idempotency-Key` was carried out before, and this was its answer",
        "schema": { "type": "string", "const": "true" },
    });
    whole["components"]["headers"][RETRY_AFTER] = json!({
        "description": "Seconds after which the request may come again: with 429 and 503",
        "schema": { "type": "integer" },
    });
    whole["components"]["responses"] = json!({ "Late": late_response() });
    let mut used = Vec::new();
    for (method, operation) in operations(&mut whole) {
        complete(method == "post", operation);
        used.extend(operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }
    let tags = TAGS.iter().filter(|(name, _)| used.iter().any(|tag| tag == name));
    whole["tags"] = tags.map(|(name, says)| json!({ "name": name, "description": says })).collect();
    whole
}

/// Each operation with its method.
fn operations(whole: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    let paths = whole["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let of_path = |path| Value::as_object_mut(path).into_iter().flat_map(Map::iter_mut);
    paths.flat_map(of_path).map(|(method, operation)| (method.clone(), operation))
}

/// Adds what holds for every operation.
fn complete(is_post: bool, operation: &mut Value) {
    let is_operators = operation["x-role"] == "operator";
    let has = |operation: &Value, name: &str| {
        operation["parameters"].as_array().is_some_and(|all| all.iter().any(|known| known["name"] == name))
    };
    let mut further = Vec::new();
    if is_post && !has(operation, "Idempotency-Key") {
        further.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    if !is_operators && !operation["x-role"].is_null() && !has(operation, "tenant") {
        further.push(json!({ "$ref": "#/components/parameters/Tenant" }));
    }
    if !further.is_empty() {
        let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        parameters.extend(further);
        operation["parameters"] = parameters.into();
    }
    if !operation["requestBody"].is_null() {
        operation["responses"]["408"] = json!({ "$ref": "#/components/responses/Late" });
    }
    for (status, response) in operation["responses"].as_object_mut().into_iter().flat_map(Map::iter_mut) {
        if status == "101" || !response["$ref"].is_null() {
            continue;
        }
        let of_all = RATE_HEADERS.iter().map(|(name, _)| *name);
        let of_some = [(REPLAYED, is_post), (RETRY_AFTER, status == "default")];
        for name in of_all.chain(of_some.iter().filter(|(_, has)| *has).map(|(name, _)| *name)) {
            response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
        }
    }
}

/// Nothing is known of the key's standing where the request did not come whole.
fn late_response() -> Value {
    json!({
        "description": "The body did not come in time",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}

fn key_parameter() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "A key of the client's choice for this order, kept for 24 hours for the token that was shown. \
            The same order with the same key is carried out once and answered the same again; another order with it is \
            refused (422). Answers 429 and 5xx are not kept: the order may come again",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
    })
}

fn tenant_parameter() -> Value {
    json!({
        "name": "tenant", "in": "query", "required": false,
        "description": "With the admin token: the tenant's name. Without it, the default tenant",
        "schema": { "type": "string" },
    })
}
