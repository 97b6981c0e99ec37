//! One thing at a time is made, changed and taken away, and the store is then as a provision file would have made it.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use std::net::IpAddr;

use common::{Database, ONE, TWO, apply, for_both, open};
use serde_json::{Map, Value, json};
use store::provision::EXAMPLE;
use store::{AuditFilter, Author, Change, ChangeError, Changed, Deed, Noun, Reach, Store, Thing};

for_both! {
    a_thing_is_found_by_its_number_its_name_and_its_id,
    secrets_stay_where_none_is_given_also_under_another_name,
    secrets_are_made_where_none_is_given_and_shown_once,
    what_others_name_stays_until_nobody_names_it,
    what_cannot_be_is_refused_and_changes_nothing,
    anothers_things_do_not_exist,
    rules_are_tried_in_the_order_that_is_asked_for,
    a_change_of_what_somebody_else_has_changed_is_refused,
    tenants_and_their_users_come_and_go,
    the_operators_trunks_are_the_operators,
    lists_come_in_pages,
    the_audit_log_says_who_changed_what_and_no_secret,
    what_phones_change_stays_when_a_file_leaves_it_out,
}

/// As far as the owner of the first tenant sees.
const OWNER: Reach = Reach { tenant: Some(ONE), whole_server: false };
const OPERATOR: Reach = Reach { tenant: Some(ONE), whole_server: true };

async fn a_thing_is_found_by_its_number_its_name_and_its_id(database: Database) {
    let store = example(&database).await;

    for (noun, called) in [
        (Noun::Extension, vec!["101"]),
        (Noun::Trunk, vec!["carrier"]),
        (Noun::Outbound, vec!["0"]),
        (Noun::Number, vec!["02873088088", "842873088088", "+84 28 7308 8088", "00842873088088"]),
        (Noun::Group, vec!["600"]),
        (Noun::Queue, vec!["700"]),
        (Noun::Menu, vec!["main"]),
        (Noun::Hours, vec!["office"]),
        (Noun::Sound, vec!["welcome"]),
        (Noun::Key, vec!["VOIPKEY_DEMO", "voip24h VOIPKEY_DEMO"]),
        (Noun::Hook, vec!["events http://127.0.0.1:9000/events"]),
        (Noun::Device, vec!["Sales phone"]),
        (Noun::User, vec!["owner@example.test", "Owner@Example.test"]),
    ] {
        let first = get(&store, OWNER, noun, called[0]).await.expect(called[0]);
        for name in called.iter().copied().chain([first.id.as_str()]) {
            assert_eq!(get(&store, OWNER, noun, name).await.as_ref(), Some(&first), "{name}");
        }
        assert_eq!(first.body["id"], first.id.as_str());
        for none in ["", "~", "~0", "~99999", "9", "~x", "no such thing", "~18446744073709551616"] {
            assert_eq!(get(&store, OWNER, noun, none).await, None, "{none}");
        }
    }
}

async fn secrets_stay_where_none_is_given_also_under_another_name(database: Database) {
    let store = example(&database).await;
    let hook = get(&store, OWNER, Noun::Hook, "events http://127.0.0.1:9000/events").await.unwrap();
    update(&store, Noun::Trunk, "carrier", json!({"username": "u", "password": "pw-carrier"})).await.unwrap();
    let before = store.settings().load().await.unwrap();

    update(&store, Noun::Extension, "101", json!({"name": "Front desk", "password": null})).await.unwrap();
    make(&store, Noun::Outbound, json!({"prefix": "00", "trunks": ["carrier"]})).await.unwrap();
    update(&store, Noun::Outbound, "0", json!({"trunks": ["carrier"], "strip": 1})).await.unwrap();
    let moved = update(&store, Noun::Hook, &hook.id, json!({"url": "http://127.0.0.1:9000/other", "secret": null}))
        .await
        .unwrap()
        .thing;
    update(&store, Noun::Device, "Sales phone", json!({"name": "Front phone"})).await.unwrap();
    update(&store, Noun::Key, "VOIPKEY_DEMO", json!({"hub": true, "secret": null})).await.unwrap();
    update(&store, Noun::User, "owner@example.test", json!({"email": "other@example.test"})).await.unwrap();
    for rule in ["0", "00"] {
        delete(&store, Noun::Outbound, rule).await.unwrap();
    }
    update(&store, Noun::Trunk, "carrier", json!({"name": "carrier-b"})).await.unwrap();

    let after = store.settings().load().await.unwrap();
    assert_eq!(after.tenants[0].extensions["101"].digests, before.tenants[0].extensions["101"].digests);
    assert_eq!(after.tenants[0].extensions["101"].name, "Front desk");
    assert_eq!((moved.id.as_str(), &moved.body["secret"]), (hook.id.as_str(), &hook.body["secret"]));
    assert_eq!(after.tenants[0].trunks[0].name, "carrier-b");
    assert_eq!(after.tenants[0].trunks[0].password.as_deref(), Some("pw-carrier"));
    let gone = update(&store, Noun::Trunk, "carrier-b", json!({"username": null})).await.unwrap().thing;
    assert_eq!((&gone.body["has_password"], &gone.body["username"]), (&json!(false), &Value::Null));
}

async fn secrets_are_made_where_none_is_given_and_shown_once(database: Database) {
    let store = example(&database).await;

    for (given, secret) in [
        (json!({"kind": "native", "role": "reader"}), "token"),
        (json!({"kind": "voip24h"}), "secret"),
        (json!({"kind": "vpbx", "api_key": "AK"}), "api_secret"),
        (json!({"kind": "callone", "secret_key": "GIVEN"}), "secret_key"),
    ] {
        let made = make(&store, Noun::Key, given).await.unwrap().thing;
        assert!(made.body[secret].as_str().is_some_and(|secret| secret.len() >= 5), "{secret}");
        let again = get(&store, OWNER, Noun::Key, &made.id).await.unwrap();
        assert!(!again.body.contains_key(secret), "{secret} is shown again");
        assert_eq!(get(&store, OWNER, Noun::Key, &made.name).await, Some(again));
    }
    let device = make(&store, Noun::Device, json!({"name": "Second", "key": "GKEY_DEMO"})).await.unwrap().thing;
    assert!(device.body["pairing_code"].as_str().is_some_and(|code| code.len() == 8));
    let hook = make(&store, Noun::Hook, json!({"kind": "events", "url": "http://a/"})).await.unwrap().thing;
    assert!(hook.body["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    assert_eq!(get(&store, OWNER, Noun::Hook, &hook.id).await.unwrap().body["secret"], hook.body["secret"]);
    let shown = everything(&store, OPERATOR).await.to_string();
    for secret in ["pw-101", "482913", "change-me", "SECRET_DEMO", "NATIVE_DEMO", "argon2", "ha1", "_hash"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

async fn what_others_name_stays_until_nobody_names_it(database: Database) {
    let store = example(&database).await;

    for (noun, called, sentence) in [
        (
            Noun::Extension,
            "101",
            "extension 101 is named by number 02873088088, group 600, queue 700 and 1 more: take it out there first",
        ),
        (
            Noun::Trunk,
            "carrier",
            "trunk `carrier` is named by the outbound rule with the prefix `0`: take it out there first",
        ),
        (Noun::Number, "02873088088", "number 02873088088 is named by extension 101: take it out there first"),
        (Noun::Menu, "main", "menu `main` is named by number 02873088091: take it out there first"),
        (Noun::Hours, "office", "hours `office` is named by number 02873088093: take it out there first"),
        (Noun::Sound, "welcome", "sound `welcome` is named by queue 700: take it out there first"),
        (Noun::Sound, "jazz", "sound `jazz` is named by tenant VPBX_DEMO: take it out there first"),
    ] {
        let error = delete(&store, noun, called).await.unwrap_err();
        assert!(matches!(error, ChangeError::InUse { .. }) && error.to_string() == sentence, "{error}");
    }
    let renamed = update(&store, Noun::Group, "600", json!({"number": "601"})).await.unwrap_err();
    assert!(matches!(renamed, ChangeError::InUse { .. }), "{renamed}");
    let callone = everything(&store, OWNER).await["key"].as_array().unwrap().clone();
    let callone = callone.iter().find(|key| key["kind"] == "callone").unwrap()["id"].as_str().unwrap().to_owned();
    assert!(matches!(delete(&store, Noun::Key, &callone).await, Err(ChangeError::InUse { .. })));

    delete(&store, Noun::Device, "Sales phone").await.unwrap();
    delete(&store, Noun::Key, &callone).await.unwrap();
    delete(&store, Noun::Outbound, "0").await.unwrap();
    delete(&store, Noun::Trunk, "carrier").await.unwrap();

    assert!(get(&store, OWNER, Noun::Trunk, "carrier").await.is_none());
    let none = delete(&store, Noun::Trunk, "carrier").await.unwrap_err();
    assert_eq!(none.to_string(), "trunk carrier does not exist");
}

async fn what_cannot_be_is_refused_and_changes_nothing(database: Database) {
    let store = example(&database).await;
    let before = (everything(&store, OPERATOR).await, store.settings().load().await.unwrap());

    for (noun, given, field, sentence) in [
        (Noun::Extension, json!({"number": "105"}), Some("password"), "an extension needs `password`: add it"),
        (
            Noun::Extension,
            json!({"number": "105", "password": "p", "caller_id": "0900000001"}),
            Some("caller_id"),
            "caller_id 84900000001 is none of the tenant's `numbers`: add it there, or use one of them",
        ),
        (
            Noun::Number,
            json!({"number": "02873088099", "route": {"group": "999"}}),
            Some("route.group"),
            "group `999` does not exist: add it to `groups`, or name another",
        ),
        (
            Noun::Number,
            json!({"number": "02873088099", "route": {"voicemail": "101"}}),
            Some("route.voicemail"),
            "extension `101` has no mailbox: add `voicemail: {}` to it, or name another",
        ),
        (
            Noun::Queue,
            json!({"number": "701", "music": "pop"}),
            Some("music"),
            "sound `pop` does not exist: add it to `sounds`, or name another",
        ),
        (
            Noun::Hours,
            json!({"name": "shop", "open": ["mon 9-5"]}),
            Some("open"),
            "`mon 9-5` tells no hours: write days and times, as in `mon-fri 08:00-17:30` or `sat 09:00-12:00`",
        ),
        (
            Noun::Group,
            json!({"number": "601", "members": ["101", "999"]}),
            Some("members"),
            "member `999` is no extension: add it to `extensions`, or remove it here",
        ),
        (
            Noun::Outbound,
            json!({"prefix": "1", "trunks": ["carrier"], "position": 0}),
            Some("position"),
            "`position` must be a whole number from 1: write one",
        ),
        (
            Noun::User,
            json!({"email": "a@example.test", "password": "p", "role": "operator"}),
            Some("role"),
            "operators are the operator's: write owner, supervisor, agent or reader",
        ),
        (
            Noun::User,
            json!({"email": "a@example.test", "password": "p", "role": "owner", "tenant": "VPBX_X"}),
            Some("tenant"),
            "there is no such tenant: name another",
        ),
        (
            Noun::Trunk,
            json!({"name": "b", "address": "h:1", "shared": true}),
            Some("shared"),
            "a shared trunk is the operator's: leave `shared` out",
        ),
    ] {
        match make(&store, noun, given).await {
            Err(ChangeError::Wrong { field: wrong, sentence: said }) => {
                assert_eq!((wrong.as_deref(), said.as_str()), (field, sentence));
            }
            other => panic!("{other:?}"),
        }
    }
    for (noun, given) in [
        (Noun::Extension, json!({"number": "101", "password": "p"})),
        (Noun::Extension, json!({"number": "600", "password": "p"})),
        (Noun::Queue, json!({"number": "102"})),
        (Noun::Menu, json!({"name": "main", "say": {"en": "x"}})),
        (Noun::Hours, json!({"name": "office"})),
        (Noun::Sound, json!({"name": "jazz"})),
        (Noun::Key, json!({"kind": "native", "token": "NATIVE_DEMO"})),
    ] {
        let error = make(&store, noun, given).await.unwrap_err();
        assert!(matches!(error, ChangeError::Taken { .. }), "{error:?}");
    }
    let error = update(&store, Noun::Extension, "102", json!({"number": "109"})).await.unwrap_err();
    assert!(matches!(&error, ChangeError::Wrong { field: Some(field), .. } if field == "password"), "{error:?}");
    let renamed = json!({"number": "109", "password": "p"});
    let error = update(&store, Noun::Extension, "102", renamed).await.unwrap_err();
    assert!(matches!(error, ChangeError::InUse { .. }), "{error:?}");
    let error = change(
        &store,
        OPERATOR,
        Noun::Tenant,
        Deed::Update { called: "VPBX_DEMO".into(), patch: object(json!({"name": "VPBX_B"})) },
    );
    assert!(matches!(error.await, Err(ChangeError::Wrong { field: Some(field), .. }) if field == "name"));
    let same = update(&store, Noun::Extension, "101", json!({"lines": 2})).await.unwrap();
    assert!(!same.different);

    assert_eq!((everything(&store, OPERATOR).await, store.settings().load().await.unwrap()), before);
}

async fn anothers_things_do_not_exist(database: Database) {
    let store = example(&database).await;
    apply(&store, "tenants: [{ name: VPBX_TWO, extensions: [{ number: '201', password: p }] }]\nusers: [{ email: two@example.test, password: p, tenant: VPBX_TWO, role: owner }]").await;
    let two = Reach { tenant: Some(TWO), whole_server: false };

    for (noun, called) in [
        (Noun::Extension, "101"),
        (Noun::Trunk, "carrier"),
        (Noun::Number, "02873088088"),
        (Noun::User, "owner@example.test"),
        (Noun::Tenant, "VPBX_DEMO"),
    ] {
        let id = get(&store, OPERATOR, noun, called).await.unwrap().id;
        for called in [called, &id] {
            assert_eq!(get(&store, two, noun, called).await, None, "{called}");
            let deeds =
                [Deed::Update { called: called.into(), patch: Map::new() }, Deed::Delete { called: called.into() }];
            for deed in deeds {
                assert!(matches!(change(&store, two, noun, deed).await, Err(ChangeError::NotFound { .. })), "{called}");
            }
        }
    }
    let number = json!({"number": "02873088088", "route": {"extension": "201"}});
    let taken = change(&store, two, Noun::Number, Deed::Create(object(number))).await.unwrap_err();
    assert_eq!(taken.to_string(), "number 842873088088 is taken on this server: choose another");
    assert_eq!(names(&store, two, Noun::User).await, ["two@example.test"]);
    assert_eq!(names(&store, two, Noun::Tenant).await, ["VPBX_TWO"]);
    assert_eq!(names(&store, two, Noun::Extension).await, ["201"]);
}

async fn rules_are_tried_in_the_order_that_is_asked_for(database: Database) {
    let store = example(&database).await;

    for (prefix, position) in [("09", json!(1)), ("1", json!(null)), ("028", json!(2))] {
        let given = json!({"prefix": prefix, "trunks": ["carrier"], "position": position});
        make(&store, Noun::Outbound, given).await.unwrap();
    }
    assert_eq!(names(&store, OWNER, Noun::Outbound).await, ["09", "028", "0", "1"]);
    let moved = update(&store, Noun::Outbound, "09", json!({"position": 99})).await.unwrap();

    assert!(moved.different);
    assert_eq!(moved.thing.body["position"], 4);
    assert_eq!(names(&store, OWNER, Noun::Outbound).await, ["028", "0", "1", "09"]);
    let snapshot = store.settings().load().await.unwrap();
    let prefixes: Vec<_> = snapshot.tenants[0].outbound.iter().map(|rule| rule.prefix.as_str()).collect();
    assert_eq!(prefixes, ["028", "0", "1", "09"]);
    assert!(!update(&store, Noun::Outbound, "09", json!({"position": 4})).await.unwrap().different);
}

async fn a_change_of_what_somebody_else_has_changed_is_refused(database: Database) {
    let store = example(&database).await;
    let seen = get(&store, OWNER, Noun::Extension, "101").await.unwrap();
    let change_if =
        |tag: &str, deed| Change { if_match: Some(vec![tag.to_owned()]), ..changing(OWNER, Noun::Extension, deed) };
    let patch = |name: &str| Deed::Update { called: "101".into(), patch: object(json!({"name": name})) };

    let first = store.settings().change(change_if(&seen.tag, patch("First"))).await.unwrap();
    let second = store.settings().change(change_if(&seen.tag, patch("Second"))).await;
    let gone = store.settings().change(change_if(&seen.tag, Deed::Delete { called: "101".into() })).await;

    assert!(matches!(second, Err(ChangeError::Stale { .. })) && matches!(gone, Err(ChangeError::Stale { .. })));
    assert_ne!(first.thing.tag, seen.tag);
    let password = update(&store, Noun::Extension, "101", json!({"password": "another"})).await.unwrap();
    assert_ne!(password.thing.tag, first.thing.tag, "a secret counts");
    store.settings().change(change_if(&password.thing.tag, patch("Third"))).await.unwrap();
}

async fn tenants_and_their_users_come_and_go(database: Database) {
    let store = example(&database).await;
    let all = Reach { tenant: None, whole_server: true };
    let tenant =
        json!({"name": "VPBX_NEW", "limits": {"concurrent_calls": 7}, "switches": {"lower_case_states": true}});

    let made = change(&store, all, Noun::Tenant, Deed::Create(object(tenant))).await.unwrap().thing;
    assert_eq!((made.id.as_str(), &made.body["limits"]["calls_per_second"]), ("VPBX_NEW", &json!(20)));
    let patch = json!({"limits": {"calls_per_second": 3}, "timezone": "UTC", "transfer_ring_back": false});
    let deed = Deed::Update { called: "VPBX_NEW".into(), patch: object(patch) };
    let patched = change(&store, all, Noun::Tenant, deed).await.unwrap().thing;
    assert_eq!(
        (&patched.body["limits"]["calls_per_second"], &patched.body["limits"]["concurrent_calls"]),
        (&json!(3), &json!(7))
    );
    let snapshot = store.settings().load().await.unwrap();
    let new = snapshot.tenants.iter().find(|tenant| tenant.name == "VPBX_NEW").unwrap();
    assert!(!new.transfer_ring_back && new.switches.lower_case_states && new.timezone == "UTC");
    let reach = Reach { tenant: Some(new.id), whole_server: false };
    let user = json!({"email": "New@example.test", "password": "p", "role": "agent"});
    let user = change(&store, reach, Noun::User, Deed::Create(object(user))).await.unwrap().thing;
    assert_eq!((&user.body["tenant"], &user.body["email"]), (&json!("VPBX_NEW"), &json!("new@example.test")));
    let default = json!({"default": true});
    let deed = Deed::Update { called: "VPBX_NEW".into(), patch: object(default) };
    assert!(matches!(change(&store, all, Noun::Tenant, deed).await, Err(ChangeError::Taken { .. })));

    change(&store, all, Noun::Tenant, Deed::Delete { called: "VPBX_NEW".into() }).await.unwrap();

    assert_eq!(names(&store, all, Noun::Tenant).await, ["VPBX_DEMO"]);
    assert_eq!(names(&store, all, Noun::User).await, ["admin@example.test", "owner@example.test"]);
    assert_eq!(store.settings().load().await.unwrap().tenants.len(), 1);
}

async fn the_operators_trunks_are_the_operators(database: Database) {
    let store = example(&database).await;
    let shared = json!({"name": "big", "address": "192.0.2.1:5060", "shared": true});

    let made = change(&store, OPERATOR, Noun::Trunk, Deed::Create(object(shared.clone()))).await.unwrap().thing;
    make(&store, Noun::Outbound, json!({"prefix": "00", "trunks": ["big"]})).await.unwrap();

    assert_eq!(made.body["shared"], true);
    assert_eq!(names(&store, OPERATOR, Noun::Trunk).await, ["carrier", "big"]);
    assert_eq!(names(&store, OWNER, Noun::Trunk).await, ["carrier"]);
    assert!(matches!(delete(&store, Noun::Trunk, "big").await, Err(ChangeError::NotFound { .. })));
    let named = change(&store, OPERATOR, Noun::Trunk, Deed::Delete { called: "big".into() }).await.unwrap_err();
    assert_eq!(
        named.to_string(),
        "trunk `big` is named by the outbound rule with the prefix `00` of VPBX_DEMO: take it out there first"
    );
    let taken = make(&store, Noun::Trunk, json!({"name": "big", "address": "h:1"})).await.unwrap_err();
    assert!(matches!(taken, ChangeError::Taken { .. }), "{taken:?}");
    assert!(store.settings().load().await.unwrap().tenants[0].trunks.iter().any(|trunk| trunk.shared));
}

async fn lists_come_in_pages(database: Database) {
    let store = example(&database).await;
    for number in 200..213 {
        make(&store, Noun::Extension, json!({"number": number.to_string(), "password": "p"})).await.unwrap();
        make(&store, Noun::Outbound, json!({"prefix": number.to_string(), "trunks": ["carrier"]})).await.unwrap();
    }

    for noun in [Noun::Extension, Noun::Outbound, Noun::Key, Noun::User, Noun::Tenant] {
        let whole = names(&store, OPERATOR, noun).await;
        let mut paged = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = store.settings().list(OPERATOR, noun, after.as_deref(), 4).await.unwrap();
            assert!(page.things.len() <= 4);
            paged.extend(page.things.into_iter().map(|thing| thing.name));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(paged, whole);
    }
}

async fn the_audit_log_says_who_changed_what_and_no_secret(database: Database) {
    let store = example(&database).await;
    let first = store.audit(None).list(&AuditFilter::default(), None, 1_000).await.unwrap();
    apply(&store, EXAMPLE).await;
    let second = store.audit(None).list(&AuditFilter::default(), None, 1_000).await.unwrap();
    assert_eq!((first.len(), second.len()), (28, 28), "one for each thing, none where nothing changes");
    assert!(first.iter().all(|row| row.actor == "provision file" && row.action == "create"));

    make(&store, Noun::Extension, json!({"number": "105", "password": "pw-very-secret"})).await.unwrap();
    let patch = json!({"password": "pw-more-secret", "lines": 5});
    update(&store, Noun::Extension, "105", patch).await.unwrap();
    update(&store, Noun::Extension, "105", json!({"lines": 5})).await.unwrap();
    delete(&store, Noun::Extension, "105").await.unwrap();
    make(&store, Noun::Key, json!({"kind": "native", "token": "pw-token-secret"})).await.unwrap();
    make(&store, Noun::User, json!({"email": "x@example.test", "password": "pw-user-secret", "role": "reader"}))
        .await
        .unwrap();
    let hook = json!({"kind": "missed", "url": "https://crm:pw-url@crm.example.test/hook?k=pw-query"});
    let hook = make(&store, Noun::Hook, hook).await.unwrap().thing;
    let moved = json!({"url": "https://crm:pw-url@crm.example.test/hook?k=pw-other"});
    update(&store, Noun::Hook, &hook.id, moved).await.unwrap();
    let crm = json!({"crm": {"url": "https://crm.example.test/?k=pw-query", "default": {"extension": "101"}}});
    make(&store, Noun::Number, json!({"number": "02873088077", "route": crm})).await.unwrap();
    let of_urls = store.audit(Some(ONE)).list(&AuditFilter::default(), None, 3).await.unwrap();
    delete(&store, Noun::Number, "02873088077").await.unwrap();
    delete(&store, Noun::Hook, &hook.id).await.unwrap();
    let refused = make(&store, Noun::Extension, json!({"number": "101", "password": "p"})).await;

    assert!(refused.is_err());
    let shown = json!("https://***@crm.example.test/hook?k=***");
    assert_eq!(of_urls[0].after.as_ref().unwrap()["route"]["crm"]["url"], "https://crm.example.test/?k=***");
    assert_eq!(of_urls[1].changed, ["url"], "that it is another one is told");
    assert_eq!(
        (&of_urls[1].before.as_ref().unwrap()["url"], &of_urls[1].after.as_ref().unwrap()["url"]),
        (&shown, &shown)
    );
    assert_eq!(of_urls[1].name, "missed https://***@crm.example.test/hook?k=***");
    let rows = store.audit(Some(ONE)).list(&AuditFilter::default(), Some(of_urls[2].id), 5).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.action.as_str(), row.noun.as_str(), row.name.as_str())).collect();
    assert_eq!(told[..1], [("create", "user", "x@example.test")], "a tenant's user stands in the tenant's log");
    assert_eq!(
        told[2..],
        [("delete", "extension", "105"), ("update", "extension", "105"), ("create", "extension", "105")]
    );
    let updated = &rows[3];
    assert_eq!(updated.changed, ["lines", "password"]);
    assert_eq!((updated.actor.as_str(), updated.address.as_deref()), ("key:native 0123", Some("192.0.2.7")));
    assert_eq!(
        (&updated.before.as_ref().unwrap()["lines"], &updated.after.as_ref().unwrap()["lines"]),
        (&json!(2), &json!(5))
    );
    let all = format!("{:?}", store.audit(None).list(&AuditFilter::default(), None, 1_000).await.unwrap());
    for secret in ["pw-", "whsec_", "argon2", "ha1", "482913", "SECRET_DEMO"] {
        assert!(!all.contains(secret), "{secret} is in the log");
    }
    let filter =
        AuditFilter { noun: Some("extension".into()), action: Some("update".into()), ..AuditFilter::default() };
    assert_eq!(store.audit(Some(ONE)).list(&filter, None, 10).await.unwrap().len(), 1);
    let older = store.audit(Some(ONE)).list(&AuditFilter::default(), Some(rows[4].id), 1_000).await.unwrap();
    assert!(older.iter().all(|row| row.id < rows[4].id && row.tenant == ONE));
    assert!(store.audit(Some(TWO)).list(&AuditFilter::default(), None, 10).await.unwrap().is_empty());
}

async fn example(database: &Database) -> Store {
    let store = open(database).await;
    apply(&store, EXAMPLE).await;
    store
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn changing(reach: Reach, noun: Noun, deed: Deed) -> Change {
    let author = Author { name: "key:native 0123".into(), address: Some(IpAddr::from([192, 0, 2, 7])) };
    Change { reach, noun, deed, if_match: None, author }
}

async fn change(store: &Store, reach: Reach, noun: Noun, deed: Deed) -> Result<Changed, ChangeError> {
    store.settings().change(changing(reach, noun, deed)).await
}

async fn make(store: &Store, noun: Noun, given: Value) -> Result<Changed, ChangeError> {
    change(store, OWNER, noun, Deed::Create(object(given))).await
}

async fn what_phones_change_stays_when_a_file_leaves_it_out(database: Database) {
    const FILE: &str =
        "tenants:\n  - name: VPBX_DEMO\n    extensions:\n      - { number: \"101\", password: pw-101 }\n";
    let store = open(&database).await;
    apply(&store, FILE).await;
    let patch = json!({ "forward": { "busy": "102" }, "do_not_disturb": true });
    update(&store, Noun::Extension, "101", patch).await.expect("changed");

    apply(&store, FILE).await;
    let left_out = get(&store, OWNER, Noun::Extension, "101").await.expect("101").body;
    apply(&store, &FILE.replace("pw-101 }", "pw-101, forward: {}, do_not_disturb: false }")).await;
    let written = get(&store, OWNER, Noun::Extension, "101").await.expect("101").body;

    assert_eq!((&left_out["forward"]["busy"], &left_out["do_not_disturb"]), (&json!("102"), &json!(true)));
    assert_eq!((&written["forward"]["busy"], &written["do_not_disturb"]), (&Value::Null, &json!(false)));
}

async fn update(store: &Store, noun: Noun, called: &str, patch: Value) -> Result<Changed, ChangeError> {
    change(store, OWNER, noun, Deed::Update { called: called.into(), patch: object(patch) }).await
}

async fn delete(store: &Store, noun: Noun, called: &str) -> Result<Changed, ChangeError> {
    change(store, OWNER, noun, Deed::Delete { called: called.into() }).await
}

async fn get(store: &Store, reach: Reach, noun: Noun, called: &str) -> Option<Thing> {
    store.settings().get(reach, noun, called).await.unwrap()
}

async fn names(store: &Store, reach: Reach, noun: Noun) -> Vec<String> {
    let page = store.settings().list(reach, noun, None, 1_000).await.unwrap();
    page.things.into_iter().map(|thing| thing.name).collect()
}

async fn everything(store: &Store, reach: Reach) -> Value {
    let mut all = Map::new();
    for noun in NOUNS {
        let page = store.settings().list(reach, noun, None, 1_000).await.unwrap();
        let things: Vec<Value> = page.things.into_iter().map(|thing| Value::Object(thing.body)).collect();
        all.insert(noun.word().into(), things.into());
    }
    Value::Object(all)
}

const NOUNS: [Noun; 12] = [
    Noun::Tenant,
    Noun::Key,
    Noun::Extension,
    Noun::Trunk,
    Noun::Outbound,
    Noun::Number,
    Noun::Group,
    Noun::Queue,
    Noun::Menu,
    Noun::Hook,
    Noun::Device,
    Noun::User,
];
