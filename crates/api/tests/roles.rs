//! Each operation of `docs/openapi.json`, asked by strangers, by each role, and by another tenant.

mod support;

use model::{CallId, EngineNumber, Timestamp};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use support::story::{ToldCall, wav};
use support::{ADMIN, World};

/// The roles from the least on, with the key of the demo tenant that has it.
const ROLES: &[(&str, &str)] = &[
    ("reader", "NATIVE_READER"),
    ("agent", "NATIVE_AGENT"),
    ("supervisor", "NATIVE_SUPERVISOR"),
    ("owner", "NATIVE_DEMO"),
    ("operator", ADMIN),
];

/// What only the demo tenant has, where the example of the description is everybody's.
const OWN: &[(&str, &str)] = &[("/v1/extensions/{id}", "102"), ("/v1/numbers/{id}", "02873088088")];

/// One operation, with a path and a body that its description gives as examples.
struct Operation {
    id: String,
    role: String,
    method: Method,
    path: String,
    /// Where it names something of a tenant.
    names: bool,
    body: Option<(String, String)>,
}

#[tokio::test]
async fn who_shows_no_key_or_a_wrong_one_is_asked_for_one() {
    let world = world().await;
    for operation in operations(&world).await {
        for token in [None, Some("WRONG"), Some("SECRET_DEMO")] {
            let response = operation.asked(&world, token).send().await.expect("an answer");

            assert_eq!(response.status(), 401, "{} {token:?}", operation.id);
            assert_eq!(response.headers()["www-authenticate"], "Bearer", "{}", operation.id);
            assert_eq!(response.headers()["content-type"], "application/problem+json", "{}", operation.id);
        }
    }
    assert!(world.switchboard.reached().is_empty());
}

#[tokio::test]
async fn each_role_may_what_the_description_says_and_nothing_more() {
    let world = world().await;
    let rank = |role: &str| ROLES.iter().position(|(name, _)| *name == role).expect("a role");
    for operation in operations(&world).await {
        for (role, token) in ROLES {
            let response = operation.asked(&world, Some(token)).send().await.expect("an answer");

            let status = response.status().as_u16();
            let may = rank(role) >= rank(&operation.role);
            assert_eq!(may, status != 403, "{} as {role}: {status}", operation.id);
            assert_ne!(status, 401, "{} as {role}", operation.id);
            if !may {
                let problem: Value = response.json().await.expect("JSON");
                assert_eq!(problem["code"], "role", "{} as {role}", operation.id);
            }
        }
    }
}

#[tokio::test]
async fn a_role_that_is_too_small_is_refused_before_the_body_is_read() {
    let world = world().await;
    let rank = |role: &str| ROLES.iter().position(|(name, _)| *name == role).expect("a role");
    let mut refused = 0;
    for operation in operations(&world).await.into_iter().filter(|operation| operation.body.is_some()) {
        for (role, token) in ROLES.iter().filter(|(role, _)| rank(role) < rank(&operation.role)) {
            for (media_type, body) in [("application/json", "{"), ("application/json", "[1]"), ("text/plain", "\0")] {
                let asked = world.with(token, operation.method.clone(), &operation.path);
                let asked = asked.header("content-type", media_type).body(body);
                for asked in [asked.try_clone().expect("a request"), asked.header("idempotency-key", "order-1")] {
                    let response = asked.send().await.expect("an answer");

                    assert_eq!(response.status(), 403, "{} as {role}: {body}", operation.id);
                    let problem: Value = response.json().await.expect("JSON");
                    assert_eq!(problem["code"], "role", "{} as {role}", operation.id);
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 200, "{refused} requests");
    assert!(world.switchboard.reached().is_empty());
}

#[tokio::test]
async fn who_is_refused_for_a_small_role_is_counted_too() {
    let world = World::start_with(|settings| settings.requests_per_second = 1).await;
    let asked = async || {
        let asked = world.with("NATIVE_READER", Method::POST, "/v1/calls").body("{");
        asked.send().await.expect("an answer").status().as_u16()
    };

    let statuses = [asked().await, asked().await, asked().await];

    assert_eq!(statuses, [403, 403, 429]);
}

#[tokio::test]
async fn what_is_another_tenants_does_not_exist() {
    let world = world().await;
    for operation in operations(&world).await.into_iter().filter(|operation| operation.names) {
        if operation.role == "operator" {
            continue;
        }
        let response = operation.asked(&world, Some("NATIVE_OTHER")).send().await.expect("an answer");

        let status = response.status().as_u16();
        // An order to a call goes to the engine, as one of the asker's tenant, which has no such call.
        let ordered = world.switchboard.reached();
        assert!(ordered.iter().all(|(tenant, ..)| *tenant == world.other), "{}", operation.id);
        assert!(status == 404 || !ordered.is_empty(), "{}: {status}", operation.id);
    }
}

#[tokio::test]
async fn another_tenant_that_is_named_does_not_exist_for_a_key() {
    let world = world().await;
    for operation in operations(&world).await.into_iter().filter(|operation| operation.role != "operator") {
        let joint = if operation.path.contains('?') { '&' } else { '?' };
        let path = format!("{}{joint}tenant=VPBX_OTHER", operation.path);
        let named = Operation { path, ..operation };

        let response = named.asked(&world, Some("NATIVE_DEMO")).send().await.expect("an answer");

        assert_eq!(response.status(), 404, "{}", named.id);
    }
    assert!(world.switchboard.reached().is_empty());
}

impl Operation {
    fn asked(&self, world: &World, token: Option<&str>) -> RequestBuilder {
        let asked = match token {
            None => world.bare(self.method.clone(), &self.path),
            Some(token) => world.with(token, self.method.clone(), &self.path),
        };
        match &self.body {
            Some((media_type, body)) => asked.header("content-type", media_type).body(body.clone()),
            None => asked,
        }
    }
}

/// A world whose demo tenant has the call and the recording that the description names.
async fn world() -> World {
    let world = World::start_with(|settings| settings.requests_per_second = 0).await;
    let call = CallId::new(1_700_000_000, EngineNumber(1), 101);
    let mut told = ToldCall::new(&world.writer, world.demo, call, Timestamp::now());
    told.inbound("0900000001").ringing(2).connected(2, 2, 1).recording("a.wav", true);
    std::fs::write(world.recordings().join("a.wav"), wav()).expect("a recording");
    world.writer.flush().await;
    world
}

async fn operations(world: &World) -> Vec<Operation> {
    let read = async |path: &str| -> Value {
        let response = world.bare(Method::GET, path).send().await.expect("an answer");
        response.json().await.expect("JSON")
    };
    let (described, collection) = (read("/v1/openapi.json").await, read("/v1/postman.json").await);
    let mut operations = Vec::new();
    for (path, of_path) in described["paths"].as_object().expect("paths") {
        for (method, operation) in of_path.as_object().expect("operations") {
            let id = operation["operationId"].as_str().expect("an id").to_owned();
            let media_type = operation["requestBody"]["content"].as_object().and_then(|all| all.keys().next().cloned());
            let body = media_type.map(|media_type| (media_type, example_body(&collection, &id)));
            operations.push(Operation {
                role: operation["x-role"].as_str().expect("a role").to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                path: example_path(path, operation),
                names: path.contains('{'),
                body,
                id,
            });
        }
    }
    assert!(operations.len() > 20, "the description is read");
    // What takes away comes last, tenants after everything else: nobody would be known afterwards.
    operations.sort_by_key(|operation| (operation.method == Method::DELETE, operation.path.contains("/tenants/")));
    operations
}

fn example_path(path: &str, operation: &Value) -> String {
    let own = OWN.iter().find(|(known, _)| path.starts_with(known)).map(|(_, own)| *own);
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.filter(|given| given["in"] == "path").fold(path.to_owned(), |path, given| {
        let name = given["name"].as_str().expect("a name");
        let example = match &given["example"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let value = own.filter(|_| name == "id").unwrap_or(&example);
        path.replace(&format!("{{{name}}}"), value)
    })
}

fn example_body(collection: &Value, id: &str) -> String {
    let folders = collection["item"].as_array().expect("folders").iter();
    let mut requests = folders.flat_map(|folder| folder["item"].as_array().expect("requests"));
    let named = requests.find(|request| request["name"] == id).expect("every operation is in the collection");
    named["request"]["body"]["raw"].as_str().expect("a body").to_owned()
}
