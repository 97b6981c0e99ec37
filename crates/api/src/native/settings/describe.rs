//! What the description of the API says of settings: the schemas of a noun, and its five operations.
//!
//! A noun's keys are described once, by a type. From it are made what is shown (every key but secrets), what a new thing
//! may have, and what a change may.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{HttpMethod, Paths, RefOr, Schema};

use super::Page;
use crate::actions::role_name;
use crate::actions::settings::{role_of_making, roles};

/// Schemas with their names.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// A noun's keys, and whatever they refer to.
pub(super) struct Shape {
    name: String,
    schema: RefOr<Schema>,
    others: Schemas,
}

impl Shape {
    /// As the type has them.
    pub fn of<T: ToSchema>() -> Self {
        let mut others = Vec::new();
        T::schemas(&mut others);
        Self { name: T::name().into_owned(), schema: T::schema(), others }
    }
}

/// The schemas of a noun: `Extension`, `ExtensionPage`, `NewExtension` and `ExtensionPatch`.
pub(super) fn schemas(page: &Page) -> Schemas {
    let Shape { name, schema, others } = (page.shape)();
    let whole = serde_json::to_value(&schema).unwrap_or_default();
    let shown = edited(whole.clone(), &|object| {
        remove(object, page.only_given);
        let keys = properties(object).map(|keys| keys.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        object.insert("required".into(), keys.into());
    });
    let mut given = edited(whole.clone(), &|object| {
        remove(object, page.only_shown);
        require(object, page.needed);
        object.insert("additionalProperties".into(), false.into());
    });
    given["example"] = (page.given)();
    let mut patch = edited(whole, &|object| {
        remove(object, page.only_shown);
        require(object, &[]);
        object.insert("additionalProperties".into(), false.into());
    });
    // A change of a key need not say of which kind it is.
    if let Some(object) = patch.as_object_mut()
        && let Some(kinds) = object.remove("oneOf")
    {
        object.insert("anyOf".into(), kinds);
    }
    patch["example"] = (page.patch)();
    let mut schemas = others;
    let list = json!({
        "type": "object",
        "description": "A page of a list.",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference(&name), "description": "The rows."},
            "next": {"type": ["string", "null"],
                "description": "What to give as `after` for the next page; null after the last one."},
        },
    });
    for (name, schema) in [
        (name.clone(), shown),
        (format!("New{name}"), given),
        (format!("{name}Patch"), patch),
        (format!("{name}Page"), list),
    ] {
        schemas.push((name, serde_json::from_value(schema).expect("a schema that was printed reads")));
    }
    schemas
}

/// The operations at `/v1/…` and at `/v1/…/{id}`.
pub(super) fn paths(page: &Page) -> (Paths, Paths) {
    let Page { path, one, a, .. } = page;
    let name = (page.shape)().name;
    let (reads, writes) = roles(page.noun);
    let makes = role_of_making(page.noun);
    let here = format!("/v1/{path}");
    let mut list = Paths::new();
    let operation = json!({
        "operationId": format!("list_{path}"), "tags": ["settings"],
        "summary": format!("{}, a page at a time.", capital(path)),
        "parameters": [
            tenant(),
            {"name": "limit", "in": "query", "required": false, "description": "Rows of a page, 1 to 1 000 (100).",
                "schema": {"type": "integer", "minimum": 1, "maximum": 1000}},
            {"name": "after", "in": "query", "required": false, "description": "`next` of the page before.", "schema": {"type": "string"}},
        ],
        "responses": {"200": answer("A page", &format!("{name}Page"), &[]), "default": problem()},
    });
    add(&mut list, &here, HttpMethod::Get, operation, role_name(reads));
    let operation = json!({
        "operationId": format!("create_{one}"), "tags": ["settings"],
        "summary": format!("Makes {a}. Answers when every engine runs with it."),
        "parameters": [tenant()],
        "requestBody": body(&format!("New{name}"), (page.given)(), &["application/json"]),
        "responses": {
            "201": answer("It is there; secrets that were made for it are shown this once", &name,
                &[("Location", "Where it can be looked at"), ("ETag", "Its tag")]),
            "default": problem(),
        },
    });
    add(&mut list, &here, HttpMethod::Post, operation, role_name(makes));

    let here = format!("/v1/{path}/{{id}}");
    let mut single = Paths::new();
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}, "example": page.example,
        "description": "Its number, its name or its `id`"});
    let operation = json!({
        "operationId": format!("get_{one}"), "tags": ["settings"],
        "summary": format!("Shows {a}."),
        "parameters": [id, tenant()],
        "responses": {"200": answer("As it stands", &name, &[("ETag", "Its tag")]), "default": problem()},
    });
    add(&mut single, &here, HttpMethod::Get, operation, role_name(reads));
    let operation = json!({
        "operationId": format!("update_{one}"), "tags": ["settings"],
        "summary": format!("Changes some keys of {a} (RFC 7396). Answers when every engine runs with it."),
        "description": "A key that is left out stays, null takes it out. A secret that is left out or null stays. A route \
            leads one way: another way takes its place.",
        "parameters": [id, tenant(), if_match()],
        "requestBody": body(&format!("{name}Patch"), (page.patch)(), &["application/merge-patch+json", "application/json"]),
        "responses": {"200": answer("As it stands now", &name, &[("ETag", "Its tag")]), "default": problem()},
    });
    add(&mut single, &here, HttpMethod::Patch, operation, role_name(writes));
    let operation = json!({
        "operationId": format!("delete_{one}"), "tags": ["settings"],
        "summary": format!("Takes {a} away. Answers when every engine runs without it."),
        "parameters": [id, tenant(), if_match()],
        "responses": {"204": {"description": "It is gone"}, "default": problem()},
    });
    add(&mut single, &here, HttpMethod::Delete, operation, role_name(makes));
    (list, single)
}

fn add(paths: &mut Paths, path: &str, method: HttpMethod, operation: Value, role: &str) {
    let mut operation: Operation = serde_json::from_value(operation).expect("an operation of our own reads");
    operation.extensions = Some(Extensions::builder().add("x-role", role).build());
    paths.add_path_operation(path, vec![method], operation);
}

fn answer(description: &str, name: &str, headers: &[(&str, &str)]) -> Value {
    let mut answer = json!({
        "description": description,
        "content": {"application/json": {"schema": reference(name)}},
    });
    for (header, description) in headers {
        answer["headers"][*header] = json!({"description": description, "schema": {"type": "string"}});
    }
    answer
}

fn body(name: &str, example: Value, types: &[&str]) -> Value {
    let content: Map<String, Value> =
        types.iter().map(|kind| ((*kind).to_owned(), json!({"schema": reference(name), "example": example}))).collect();
    json!({"required": true, "content": content})
}

fn problem() -> Value {
    json!({"description": "A problem", "content": {"application/problem+json": {"schema": reference("Problem")}}})
}

fn tenant() -> Value {
    json!({"name": "tenant", "in": "query", "required": false, "description": "With the admin token: the tenant's name.",
        "schema": {"type": "string"}})
}

fn if_match() -> Value {
    json!({"name": "If-Match", "in": "header", "required": false, "schema": {"type": "string"},
        "description": "The `ETag` of what is meant: it is done only if nobody has changed it meanwhile (else 412)."})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object, or each of its kinds, with something done to it.
fn edited(mut schema: Value, edit: &dyn Fn(&mut Map<String, Value>)) -> Value {
    if let Some(kinds) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        kinds.iter_mut().filter_map(Value::as_object_mut).for_each(edit);
    } else if let Some(object) = schema.as_object_mut() {
        edit(object);
    }
    schema
}

fn properties(object: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    object.get_mut("properties").and_then(Value::as_object_mut)
}

fn remove(object: &mut Map<String, Value>, keys: &[&str]) {
    if let Some(properties) = properties(object) {
        properties.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

fn require(object: &mut Map<String, Value>, keys: &[&str]) {
    let there: Vec<&str> = match properties(object) {
        Some(properties) => keys.iter().copied().filter(|key| properties.contains_key(*key)).collect(),
        None => Vec::new(),
    };
    if there.is_empty() {
        object.remove("required");
    } else {
        object.insert("required".into(), json!(there));
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
