//! The descriptions of the API that are served are those that are checked in under `docs/`.

mod support;

use std::path::PathBuf;

use model::{Language, Reason};
use reqwest::Method;
use serde_json::Value;
use support::World;

/// What is served, and the file in `docs/` that says the same.
const DESCRIPTIONS: &[(&str, &str)] = &[
    ("/v1/openapi.json", "openapi.json"),
    ("/v1/asyncapi.json", "asyncapi.json"),
    ("/v1/postman.json", "postman.json"),
];

#[tokio::test]
async fn each_description_is_the_one_that_is_checked_in() {
    let world = World::start().await;
    for (path, file) in DESCRIPTIONS {
        let served = served(&world, path).await;
        let place = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).join(file);
        if std::env::var_os("TONGDAI_WRITE_OPENAPI").is_some() {
            std::fs::write(&place, &served).expect("docs can be written");
        }

        let checked_in = std::fs::read_to_string(&place).unwrap_or_default();

        assert!(
            checked_in == served,
            "docs/{file} is stale: run TONGDAI_WRITE_OPENAPI=1 cargo test -p api description"
        );
    }
}

#[test]
fn the_page_of_reasons_is_the_catalogue() {
    let place = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reasons.md"));
    let page = page_of_reasons();
    if std::env::var_os("TONGDAI_WRITE_OPENAPI").is_some() {
        std::fs::write(&place, &page).expect("docs can be written");
    }

    let checked_in = std::fs::read_to_string(&place).unwrap_or_default();

    assert_eq!(checked_in, page, "docs/reasons.md is stale: run TONGDAI_WRITE_OPENAPI=1 cargo test -p api description");
}

#[tokio::test]
async fn everything_that_a_description_refers_to_is_in_it() {
    let world = World::start().await;
    for (path, _) in DESCRIPTIONS {
        let served = served(&world, path).await;
        let whole: Value = serde_json::from_str(&served).expect("JSON");

        for reference in served.split("\"#/").skip(1) {
            let pointer = reference.split('"').next().expect("a reference");
            assert!(whole.pointer(&format!("/{pointer}")).is_some(), "{path}: {pointer} is missing");
        }
    }
}

#[tokio::test]
async fn every_operation_is_described_with_words_examples_and_the_role_it_needs() {
    let world = World::start().await;
    let whole: Value = serde_json::from_str(&served(&world, "/v1/openapi.json").await).expect("JSON");
    let roles = ["reader", "agent", "supervisor", "owner", "operator"];

    for (path, operations) in whole["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let named = format!("{method} {path}");
            assert!(operation["operationId"].is_string(), "{named} has no operationId");
            assert!(operation["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{named}: no summary");
            assert!(operation["tags"][0].is_string(), "{named} has no tag");
            assert!(operation["x-role"].as_str().is_some_and(|role| roles.contains(&role)), "{named} has no x-role");
            assert!(operation["responses"]["default"].is_object(), "{named} does not say how it refuses");
            for given in operation["parameters"].as_array().into_iter().flatten() {
                let described = given["$ref"].is_string() || given["description"].is_string();
                assert!(described, "{named}: {} is not described", given["name"]);
                assert!(
                    given["in"] != "path" || !given["example"].is_null(),
                    "{named}: {} has no example",
                    given["name"]
                );
            }
        }
    }
}

#[tokio::test]
async fn what_holds_for_every_order_stands_at_every_order() {
    let world = World::start().await;
    let whole: Value = serde_json::from_str(&served(&world, "/v1/openapi.json").await).expect("JSON");
    let named = |given: &Value| {
        let reference = given["$ref"].as_str().and_then(|at| whole.pointer(at.strip_prefix('#')?)).unwrap_or(given);
        reference["name"].as_str().unwrap_or_default().to_owned()
    };

    for (path, operations) in whole["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let takes_key = operation["parameters"].as_array().into_iter().flatten().any(|given| {
                named(given) == "Idempotency-Key" && (given["in"] == "header" || given["$ref"].is_string())
            });
            assert_eq!(takes_key, method == "post", "{method} {path}");
            let reads_body = operation["requestBody"].is_object();
            assert_eq!(operation["responses"]["408"].is_object(), reads_body, "{method} {path}");
            for (status, response) in operation["responses"].as_object().expect("responses") {
                if status == "101" || status == "408" {
                    continue;
                }
                let has = |header: &str| response["headers"][header].is_object();
                assert_eq!(has("Idempotency-Replayed"), method == "post", "{method} {path} {status}");
                assert_eq!(has("Retry-After"), status == "default", "{method} {path} {status}");
                assert!(
                    ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"].iter().all(|header| has(header)),
                    "{method} {path} {status}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_page_shows_the_description_and_asks_nothing_of_another_host() {
    let world = World::start().await;
    let get = async |path: &str| {
        let response = world.bare(Method::GET, path).send().await.expect("an answer");
        let policy =
            response.headers().get("content-security-policy").map(|value| value.to_str().expect("text").to_owned());
        (response.status().as_u16(), policy, response.text().await.expect("text"))
    };

    let (status, policy, page) = get("/docs").await;

    assert_eq!(status, 200);
    assert!(policy.expect("a policy").contains("connect-src 'self'"));
    assert!(!page.contains("//"), "nothing is named by a host");
    for address in page.split('"').filter(|word| word.starts_with("/docs/")) {
        let (status, _, file) = get(address).await;
        assert!(status == 200 && !file.is_empty(), "{address}: {status}");
    }
    assert!(get("/docs/start.js").await.2.contains("validatorUrl: null"));
    assert_eq!(get("/docs/nothing.js").await.0, 404);
    assert_eq!(get("/docs/..%2Fsecret.key").await.0, 404);
}

/// Without a token: descriptions are for everybody.
/// The catalogue as it stands in `docs/`.
fn page_of_reasons() -> String {
    let mut page = String::from(
        "# Why calls end\n\nOne catalogue for records, events, answers of the API and the console; also at `GET /v1/reasons`. \
         The status is what a caller by SIP hears\nwho has not been answered. Printed from the catalogue by \
         `TONGDAI_WRITE_OPENAPI=1 cargo test -p api description`.\n\n\
         | code | SIP | what happened | chuyện gì đã xảy ra | what to do | cách khắc phục |\n|---|---|---|---|---|---|\n",
    );
    for reason in Reason::ALL {
        let (vi, en) = (Language::Vi, Language::En);
        page += &format!(
            "| `{}` | {} | {} | {} | {} | {} |\n",
            reason.code(),
            reason.sip(),
            reason.sentence(en),
            reason.sentence(vi),
            reason.remedy(en),
            reason.remedy(vi),
        );
    }
    page
}

async fn served(world: &World, path: &str) -> String {
    let response = world.bare(Method::GET, path).send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().expect("a value"))
    );
    response.text().await.expect("text")
}
