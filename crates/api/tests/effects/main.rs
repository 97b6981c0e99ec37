//! What each operation of the native API does: at the switchboard, in the store, or to whoever listens.
//!
//! Every operation of `docs/openapi.json` stands in one of the lists below, with the test that shows its effect.

#[path = "../support/mod.rs"]
mod support;

mod floor;
mod hooks;
mod native;
mod orders;
mod records;
mod settings;
mod shown;
mod sockets;
mod told;

use std::collections::BTreeSet;

use serde_json::Value;

/// Operations and the tests that show what they do. A list cannot name a test that is not there.
type Effects = &'static [(&'static str, fn())];

const ALL: &[Effects] = &[
    floor::EFFECTS,
    hooks::EFFECTS,
    native::EFFECTS,
    orders::EFFECTS,
    records::EFFECTS,
    settings::EFFECTS,
    shown::EFFECTS,
    sockets::EFFECTS,
];

#[test]
fn every_operation_of_the_description_has_a_test_that_shows_its_effect() {
    let description = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json"));
    let description: Value = serde_json::from_str(&description.expect("docs/openapi.json")).expect("JSON");

    let paths = description["paths"].as_object().expect("paths");
    let operations = paths.values().flat_map(|path| path.as_object().expect("operations").values());
    let described: BTreeSet<&str> =
        operations.map(|operation| operation["operationId"].as_str().expect("an id")).collect();
    let shown: BTreeSet<&str> =
        ALL.iter().flat_map(|effects| effects.iter().map(|(operation, _)| *operation)).collect();

    let unshown: Vec<_> = described.difference(&shown).collect();
    assert!(unshown.is_empty(), "no test shows what these do: {unshown:?}");
    let unknown: Vec<_> = shown.difference(&described).collect();
    assert!(unknown.is_empty(), "docs/openapi.json has no such operations: {unknown:?}");
}
