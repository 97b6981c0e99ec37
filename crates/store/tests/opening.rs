//! Opening the store: what is made, what is fixed, and what is refused in one sentence.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{Database, TWO_TENANTS, apply, for_both, open, options, two_tenants};
use store::{OpenError, Store, StoreOptions};

for_both! {
    an_engine_number_is_never_given_twice,
    the_realm_is_fixed_once_a_password_is_stored,
    the_key_of_another_folder_is_refused,
    only_its_owner_may_read_the_key,
    a_second_server_on_the_same_folder_is_refused,
}

async fn an_engine_number_is_never_given_twice(database: Database) {
    let store = open(&database).await;

    let first = [store.start_engine().await.unwrap().0, store.start_engine().await.unwrap().0];
    store.close().await;
    let store = open(&database).await;

    assert_eq!(first, [1, 2]);
    assert_eq!(store.start_engine().await.unwrap().0, 3);
}

async fn the_realm_is_fixed_once_a_password_is_stored(database: Database) {
    let other = || StoreOptions { realm: "other".into(), ..options(&database) };
    let store = open(&database).await;
    store.close().await;
    let store = Store::open(other()).await.expect("nothing is stored, so any realm will do");
    store.close().await;

    let store = open(&database).await;
    apply(&store, TWO_TENANTS).await;
    store.close().await;
    let error = Store::open(other()).await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "passwords are stored for the realm `tongdai`, not `other`: start with --realm tongdai"
    );
    assert_eq!(open(&database).await.realm(), "tongdai");
}

async fn the_key_of_another_folder_is_refused(database: Database) {
    let store = two_tenants(&database).await;
    let key = database.folder().join("secret.key");
    let derived = store.derived_key("links");
    assert_ne!(derived, store.derived_key("nonces"));
    store.close().await;
    let right = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();

    let error = Store::open(options(&database)).await.unwrap_err();
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error}");
    assert!(error.to_string().contains("is not the key of this database"), "{error}");

    std::fs::write(&key, right).unwrap();
    assert_eq!(open(&database).await.derived_key("links"), derived);
}

async fn only_its_owner_may_read_the_key(database: Database) {
    let _store = open(&database).await;

    let mode = std::fs::metadata(database.folder().join("secret.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

async fn a_second_server_on_the_same_folder_is_refused(database: Database) {
    let store = two_tenants(&database).await;

    let error = Store::open(options(&database)).await.unwrap_err();

    assert!(error.to_string().starts_with("another server runs on the data folder"), "{error}");
    drop(store);
    open(&database).await;
}

#[tokio::test]
async fn a_database_may_lie_elsewhere_and_others_are_refused() {
    let database = Database::sqlite();
    let elsewhere = tempfile::tempdir().unwrap();
    let at = |url: &str| StoreOptions { database: Some(url.into()), ..options(&database) };
    let file = elsewhere.path().join("calls.db");

    let store = Store::open(at(&format!("sqlite:{}", file.display()))).await.unwrap();
    store.close().await;
    let refused = Store::open(at("mysql://user:secret@db.example/tongdai")).await.unwrap_err();

    assert!(file.exists());
    assert_eq!(
        refused.to_string(),
        "`mysql://***@db.example/tongdai` is no database this program can use: leave --database out, or give \
         sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let database = Database::sqlite();
    let file = database.folder().join("tongdai.db");
    std::fs::write(&file, "not a database, but long enough to be looked at as if it were one".repeat(20)).unwrap();

    let error = Store::open(options(&database)).await.unwrap_err();

    assert!(error.to_string().contains("cannot be opened"), "{error}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("not a database"));
}
