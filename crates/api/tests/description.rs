//! The descriptions of the API that are served are those that are checked in under `docs/`.

mod support;

use std::path::PathBuf;

use reqwest::Method;
use serde_json::Value;
use support::World;

/// What is served, and the file in `docs/` that says the same.
const DESCRIPTIONS: &[(&str, &str)] = &[("/v1/openapi.json", "openapi.json")];

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

/// Without a token: descriptions are for everybody.
async fn served(world: &World, path: &str) -> String {
    let response = world.bare(Method::GET, path).send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().expect("a value"))
    );
    response.text().await.expect("text")
}
