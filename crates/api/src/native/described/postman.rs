//! A Postman collection (v2.1) of the same operations, with an example of each body.

use serde_json::{Map, Value, json};

/// Schemas within schemas that are followed; examples need no more.
const DEEPEST: usize = 8;

/// The collection, made of the OpenAPI description.
pub(super) fn collection(openapi: &Value) -> Value {
    let folders = openapi["tags"].as_array().into_iter().flatten();
    let items: Vec<Value> = folders.map(|tag| folder(openapi, tag)).collect();
    json!({
        "info": {
            "name": openapi["info"]["title"],
            "description": openapi["info"]["description"],
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": { "type": "bearer", "bearer": [{ "key": "token", "value": "{{token}}", "type": "string" }] },
        "variable": [
            { "key": "base", "value": "http://127.0.0.1:8080" },
            { "key": "token", "value": "NATIVE_DEMO" },
        ],
        "item": items,
    })
}

fn folder(openapi: &Value, tag: &Value) -> Value {
    let mut requests = Vec::new();
    for (path, operations) in openapi["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            if operation["tags"].get(0) == Some(&tag["name"]) {
                requests.push(request(openapi, path, method, operation));
            }
        }
    }
    json!({ "name": tag["name"], "description": tag["description"], "item": requests })
}

fn request(openapi: &Value, path: &str, method: &str, operation: &Value) -> Value {
    let parameters: Vec<&Value> =
        operation["parameters"].as_array().into_iter().flatten().map(|given| resolved(openapi, given)).collect();
    let of = |place: &'static str| parameters.iter().copied().filter(move |parameter| parameter["in"] == place);
    let segments: Vec<String> = path.split('/').skip(1).map(colon).collect();
    let variables: Vec<Value> = of("path")
        .map(|given| json!({ "key": given["name"], "value": example_of(openapi, given), "description": given["description"] }))
        .collect();
    let query: Vec<Value> = of("query")
        .map(|given| {
            json!({
                "key": given["name"], "value": example_of(openapi, given), "description": given["description"],
                "disabled": given["required"] != true,
            })
        })
        .collect();
    let mut headers: Vec<Value> = of("header")
        .map(|given| {
            json!({
                "key": given["name"], "value": example_of(openapi, given), "description": given["description"],
                "disabled": true,
            })
        })
        .collect();
    let mut request = json!({
        "method": method.to_uppercase(),
        "description": operation["description"],
        "url": {
            "raw": format!("{{{{base}}}}/{}", segments.join("/")),
            "host": ["{{base}}"],
            "path": segments,
            "query": query,
            "variable": variables,
        },
    });
    if let Some((media_type, body)) = operation["requestBody"]["content"].as_object().and_then(|all| all.iter().next())
    {
        headers.push(json!({ "key": "Content-Type", "value": media_type }));
        let example = body.get("example").cloned().unwrap_or_else(|| example(openapi, &body["schema"], 0));
        let raw = match example {
            Value::String(text) if media_type != "application/json" => text,
            other => format!("{other:#}"),
        };
        request["body"] = json!({ "mode": "raw", "raw": raw, "options": { "raw": { "language": "json" } } });
    }
    request["header"] = headers.into();
    json!({ "name": operation["operationId"], "request": request, "response": [] })
}

/// `{id}` as Postman has it: `:id`.
fn colon(segment: &str) -> String {
    match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => format!(":{name}"),
        None => segment.to_owned(),
    }
}

fn resolved<'a>(openapi: &'a Value, given: &'a Value) -> &'a Value {
    let pointer = given["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| openapi.pointer(pointer)).unwrap_or(given)
}

fn example_of(openapi: &Value, parameter: &Value) -> String {
    let example = parameter.get("example").cloned().unwrap_or_else(|| example(openapi, &parameter["schema"], 0));
    match example {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What a schema says by its examples; where it has none, only what must be there.
fn example(openapi: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(openapi, schema);
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)).or_else(|| schema.get("default"))
    {
        return example.clone();
    }
    if depth >= DEEPEST {
        return Value::Null;
    }
    let mut choices = ["oneOf", "anyOf"].iter().filter_map(|word| schema[*word].as_array()).flatten();
    if let Some(choice) = choices.find(|choice| choice["type"] != "null") {
        return example(openapi, choice, depth + 1);
    }
    if let Some(all) = schema["allOf"].as_array() {
        let parts = all.iter().map(|part| example(openapi, part, depth + 1));
        let whole = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return Value::Object(whole.collect());
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].get(0).and_then(Value::as_str)).unwrap_or("");
    match kind {
        "object" => Value::Object(object(openapi, schema, depth)),
        "array" => json!([]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(false),
        "string" => json!(""),
        _ => Value::Null,
    }
}

fn object(openapi: &Value, schema: &Value, depth: usize) -> Map<String, Value> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let shown = properties.filter(|(name, _)| required.contains(&name.as_str()));
    shown.map(|(name, property)| (name.clone(), example(openapi, property, depth + 1))).collect()
}
