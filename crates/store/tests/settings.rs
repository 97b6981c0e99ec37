//! A provision file makes the store match it: whole or not at all, and the second time nothing changes.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use common::{Database, ONE, Outsider, TWO, TWO_TENANTS, TestCall, apply, for_both, open};
use model::{
    DidFrom, DigestAlgorithm, ForwardedCaller, KeyKind, Language, Role, Route, TenantId, Trunk, TrunkIdentity,
};
use store::provision::{EXAMPLE, parse};
use store::{ApplyError, Changes, Snapshot};

for_both! {
    the_example_applies_and_the_second_time_nothing_changes,
    the_snapshot_has_what_the_file_says,
    no_secret_lies_in_the_data_folder_or_the_database_in_the_clear,
    a_trunks_password_comes_back_and_stays_sealed_as_it_was,
    a_trunk_that_registers_has_a_contact_of_its_own_which_outlives_a_restart,
    the_keys_of_a_trunk_come_back_and_one_stored_without_them_is_as_they_are_left_out,
    things_stored_before_their_keys_were_known_are_as_they_are_left_out,
    a_hooks_secret_is_made_once_and_one_that_is_given_replaces_it,
    a_users_password_is_hashed_again_only_when_it_changes,
    a_change_raises_the_version_of_its_own_tenant_and_an_operators_trunk_that_of_all,
    nothing_is_deleted_unless_it_is_asked_for,
    a_tenant_that_comes_back_has_its_id_and_its_records,
    a_file_that_goes_against_the_store_changes_nothing_and_says_why,
    rules_of_the_file_come_first_and_those_that_it_leaves_out_stay_behind_them,
    settings_change_while_calls_are_stored,
}

async fn the_example_applies_and_the_second_time_nothing_changes(database: Database) {
    let store = open(&database).await;

    let first = apply(&store, EXAMPLE).await;
    let before = store.settings().load().await.unwrap();
    let second = apply(&store, EXAMPLE).await;
    let after = store.settings().load().await.unwrap();

    assert_eq!(first, Changes { created: 28, ..Changes::default() });
    assert_eq!(second, Changes { unchanged: 28, ..Changes::default() });
    assert!(first.any() && !second.any());
    assert_eq!(second.to_string(), "0 created, 0 updated, 0 deleted, 28 unchanged");
    assert_eq!(before, after);
    assert_eq!((before.directory.version, before.tenants[0].version), (1, 1));
}

async fn the_snapshot_has_what_the_file_says(database: Database) {
    let store = open(&database).await;
    apply(&store, EXAMPLE).await;

    let Snapshot { directory, tenants } = store.settings().load().await.unwrap();

    let [tenant] = tenants.as_slice() else { panic!("one tenant") };
    assert_eq!((tenant.name.as_str(), tenant.display_name.as_str()), ("VPBX_DEMO", "Demo company"));
    assert_eq!(
        (tenant.timezone.as_str(), tenant.language, tenant.country.as_str()),
        ("Asia/Ho_Chi_Minh", Language::Vi, "84")
    );
    let sales = &tenant.extensions["101"];
    assert!(sales.record && sales.caller_id.as_deref() == Some("842873088088") && sales.lines == 2);
    let digests: Vec<_> = sales.digests.iter().map(|digest| (digest.username.as_str(), digest.algorithm)).collect();
    assert_eq!(
        digests,
        ["101", "VPBX_DEMO_101", "VPBX_DEMO101"]
            .into_iter()
            .flat_map(|name| [(name, DigestAlgorithm::Md5), (name, DigestAlgorithm::Sha256)])
            .collect::<Vec<_>>()
    );
    // printf 101:tongdai:pw-101 | md5sum
    assert_eq!(sales.digests[0].ha1, "4bfcdbea06c34c0170436a2d416590bb");
    assert_eq!(tenant.numbers.keys().next().map(String::as_str), Some("842873088088"));
    assert_eq!(tenant.numbers["842873088091"].route, Route::Menu("main".into()));
    assert_eq!(tenant.outbound[0].trunks, ["carrier"]);
    assert_eq!((tenant.groups.len(), tenant.queues.len(), tenant.menus.len()), (1, 1, 1));
    assert_eq!((tenant.hours.len(), tenant.sounds.len(), tenant.music.as_deref()), (1, 2, Some("jazz")));
    assert_eq!(tenant.hours["office"].open[2].to_string(), "sat 08:00-12:00");
    let mailbox = tenant.extensions["102"].voicemail.as_ref().unwrap();
    assert_eq!((mailbox.mail.as_deref(), mailbox.max_seconds), (Some("support@example.test"), 180));
    assert_eq!(tenant.groups["600"].overflow, Some(Route::Voicemail("102".into())));
    assert!(matches!(&tenant.numbers["842873088093"].route, Route::Hours { hours, .. } if hours == "office"));
    assert_eq!(
        tenant.parking.as_ref().map(|parking| (parking.first, parking.places, parking.seconds)),
        Some((801, 10, 120))
    );
    assert_eq!(tenant.feature_codes, model::FeatureCodes::default());
    assert!(tenant.words().contains("Cảm ơn quý khách đã gọi."), "in the tenant's language");
    assert_eq!(tenant.trunks[0].address, "127.0.0.1:5090");
    assert_eq!(directory.numbers["842873088092"], tenant.id);
    assert_eq!(directory.extensions["102"], [tenant.id]);
    let (source, did_from, owner, name) = &directory.trunks[0];
    assert!(source.contains("127.0.0.1:9".parse().unwrap()));
    assert_eq!((*did_from, *owner, name.as_str()), (DidFrom::RequestUri, Some(tenant.id), "carrier"));
    assert_eq!(directory.keys.len(), 4);
    // printf NATIVE_DEMO | sha256sum
    let hash = "47813d58d31bce34852631047f19065cc4f6a6a8249bafa955d5be2542b9f38c";
    let native = directory.keys.iter().find_map(|key| match &key.kind {
        KeyKind::Native { token_hash, role } => Some((token_hash, *role)),
        _ => None,
    });
    assert_eq!(native, Some((&hash.to_owned(), Role::Owner)));
    assert!(directory.tenants[0].default && directory.tenants[0].switches.null_type_on_hangup);
}

async fn no_secret_lies_in_the_data_folder_or_the_database_in_the_clear(database: Database) {
    let store = open(&database).await;
    let file = EXAMPLE.replace("password: null", "password: TRUNK_SECRET").replace("username: null", "username: me");

    apply(&store, &file.replace("secret: null", "secret: whsec_SE9PS1NFQ1JFVEhPT0tTRUNSRVQ=")).await;
    store.close().await;

    let mut stored = Vec::new();
    for entry in std::fs::read_dir(database.folder()).unwrap() {
        stored.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    if database.is_postgres() {
        for table in ["meta", "tenants", "settings"] {
            let rows: Vec<(String,)> = Outsider::connect(&database)
                .await
                .fetch_all(&format!("SELECT CAST({table} AS TEXT) FROM {table}"))
                .await;
            stored.extend(rows.into_iter().flat_map(|(row,)| row.into_bytes()));
        }
    }
    assert!(contains(&stored, "VPBX_DEMO"));
    for secret in ["SECRET_DEMO", "GKEY_DEMO", "NATIVE_DEMO", "pw-101", "TRUNK_SECRET", "whsec_", "482913", "change-me"]
    {
        assert!(!contains(&stored, secret), "{secret}");
    }
}

async fn a_trunks_password_comes_back_and_stays_sealed_as_it_was(database: Database) {
    let store = open(&database).await;
    let file = EXAMPLE.replace("password: null", "password: TRUNK_SECRET").replace("username: null", "username: me");
    apply(&store, &file).await;
    let sealed = secrets(&database, "trunk", "carrier").await;
    store.close().await;

    let store = open(&database).await;
    let again = apply(&store, &file).await;
    let snapshot = store.settings().load().await.unwrap();
    assert_eq!(snapshot.tenants[0].trunks[0].password.as_deref(), Some("TRUNK_SECRET"));
    assert_eq!((again.any(), secrets(&database, "trunk", "carrier").await), (false, sealed.clone()));

    let changed = apply(&store, &file.replace("TRUNK_SECRET", "ANOTHER")).await;
    assert_eq!(changed.updated, 1);
    assert_ne!(secrets(&database, "trunk", "carrier").await, sealed);
}

async fn a_trunk_that_registers_has_a_contact_of_its_own_which_outlives_a_restart(database: Database) {
    let store = open(&database).await;
    let file = EXAMPLE
        .replace("password: null", "password: TRUNK_SECRET")
        .replace("username: null", "username: me")
        .replace("register: false", "register: true");
    apply(&store, &file).await;
    let before = store.settings().load().await.unwrap();
    store.close().await;

    let store = open(&database).await;
    let Snapshot { directory, tenants } = store.settings().load().await.unwrap();

    let trunk = &tenants[0].trunks[0];
    let behind = directory.contacts.get(&trunk.contact).unwrap();
    assert_eq!((trunk.contact.len(), trunk.shared), (32, false));
    assert_eq!(trunk.contact, before.tenants[0].trunks[0].contact);
    assert_eq!((behind.owner, behind.trunk.as_str(), behind.account.as_str()), (Some(tenants[0].id), "carrier", "me"));
    assert_eq!(directory.contacts.len(), 1);
}

async fn the_keys_of_a_trunk_come_back_and_one_stored_without_them_is_as_they_are_left_out(database: Database) {
    let store = open(&database).await;
    let file = EXAMPLE
        .replace("identity: from ", "identity: pai ")
        .replace("forwarded_caller: own ", "forwarded_caller: caller ")
        .replace("health_seconds: null ", "health_seconds: 10 ");
    apply(&store, &file).await;
    let written = store.settings().load().await.unwrap().tenants.remove(0).trunks.remove(0);
    let without = if database.is_postgres() {
        "CAST(CAST(body AS JSONB) - 'identity' - 'forwarded_caller' - 'health_seconds' AS TEXT)"
    } else {
        "json_remove(body, '$.identity', '$.forwarded_caller', '$.health_seconds')"
    };
    Outsider::connect(&database).await.execute(&format!("UPDATE settings SET body = {without}")).await;
    let left_out = store.settings().load().await.unwrap().tenants.remove(0).trunks.remove(0);

    let keys = |trunk: &Trunk| (trunk.identity, trunk.forwarded_caller, trunk.health_seconds);
    assert_eq!(keys(&written), (TrunkIdentity::Pai, ForwardedCaller::Caller, Some(10)));
    assert_eq!(keys(&left_out), (TrunkIdentity::From, ForwardedCaller::Own, None));
}

async fn things_stored_before_their_keys_were_known_are_as_they_are_left_out(database: Database) {
    let store = open(&database).await;
    let short = "tenants:\n  - name: VPBX_ONE\n    extensions: [{ number: \"101\", password: pw }]\n    \
                 groups: [{ number: \"600\" }]\n    queues: [{ number: \"700\" }]\n";
    apply(&store, short).await;
    let written = store.settings().load().await.unwrap();
    let newer = "forward do_not_disturb voicemail pickup_group supervisor skills priority max_waiting \
                 wait_when_empty announce_wait announce_seconds greeting music";
    let keys = |one: fn(&str) -> String| newer.split_whitespace().map(one).collect::<Vec<_>>();
    let without = if database.is_postgres() {
        format!("CAST(CAST(body AS JSONB) {} AS TEXT)", keys(|key| format!("- '{key}'")).join(" "))
    } else {
        format!("json_remove(body, {})", keys(|key| format!("'$.{key}'")).join(", "))
    };
    Outsider::connect(&database).await.execute(&format!("UPDATE settings SET body = {without}")).await;
    let left_out = store.settings().load().await.unwrap();

    assert_eq!(left_out, written);
}

async fn a_hooks_secret_is_made_once_and_one_that_is_given_replaces_it(database: Database) {
    let store = open(&database).await;
    let name = "events http://127.0.0.1:9000/events";
    apply(&store, EXAMPLE).await;
    let made = secrets(&database, "webhook", name).await;

    apply(&store, EXAMPLE).await;
    let kept = secrets(&database, "webhook", name).await;
    let changes = apply(&store, &EXAMPLE.replace("secret: null", "secret: whsec_c2VjcmV0c2VjcmV0")).await;
    let given = secrets(&database, "webhook", name).await;

    assert!(made.len() > 60 && made == kept && made != given);
    assert_eq!((changes.updated, changes.unchanged), (1, 27));
}

async fn a_users_password_is_hashed_again_only_when_it_changes(database: Database) {
    let store = open(&database).await;
    apply(&store, EXAMPLE).await;
    let before = secrets(&database, "user", "admin@example.test").await;

    let same = apply(&store, EXAMPLE).await;
    let kept = secrets(&database, "user", "admin@example.test").await;
    let changes =
        apply(&store, &EXAMPLE.replace("change-me-please, role: operator", "another-one, role: operator")).await;
    let after = secrets(&database, "user", "admin@example.test").await;

    assert!(before.contains("$argon2id$") && before == kept && before != after);
    assert_eq!((same.updated, changes.updated), (0, 1));
}

async fn a_change_raises_the_version_of_its_own_tenant_and_an_operators_trunk_that_of_all(database: Database) {
    let store = open(&database).await;
    let versions = async || {
        let snapshot = store.settings().load().await.unwrap();
        (snapshot.directory.version, snapshot.tenants.iter().map(|tenant| tenant.version).collect::<Vec<_>>())
    };
    apply(&store, TWO_TENANTS).await;
    assert_eq!(versions().await, (1, vec![1, 1]));

    let two = TWO_TENANTS.find("VPBX_TWO").unwrap();
    let changed = format!("{}{}", &TWO_TENANTS[..two], TWO_TENANTS[two..].replace("pw-102 }", "pw-102, lines: 5 }"));
    assert_eq!(apply(&store, &changed).await, Changes { updated: 1, unchanged: 5, ..Changes::default() });
    assert_eq!(versions().await, (2, vec![1, 2]));

    let shared =
        format!("trunks: [{{ name: shared, address: \"127.0.0.1:5091\", accept_from: [127.0.0.2] }}]\n{changed}");
    assert_eq!(apply(&store, &shared).await.created, 1);
    assert_eq!(versions().await, (3, vec![3, 3]));
    let snapshot = store.settings().load().await.unwrap();
    assert!(snapshot.tenants.iter().all(|tenant| tenant.trunks.len() == 1 && tenant.trunks[0].name == "shared"));
    assert_eq!(snapshot.directory.trunks.len(), 1);
    assert_eq!(snapshot.directory.trunks[0].2, None);
    assert_eq!(snapshot.directory.extensions["101"], [ONE, TWO]);
    assert!(snapshot.directory.tenants.iter().all(|tenant| !tenant.default));
}

async fn nothing_is_deleted_unless_it_is_asked_for(database: Database) {
    let store = open(&database).await;
    apply(&store, TWO_TENANTS).await;
    let less = "tenants:\n  - name: VPBX_ONE\n    extensions: [{ number: \"101\", password: pw-101 }]\n";

    let kept = apply(&store, less).await;
    assert_eq!(kept, Changes { unchanged: 2, ..Changes::default() });
    assert_eq!(store.settings().load().await.unwrap().tenants.len(), 2);

    let pruned = store.settings().apply(parse(less).unwrap(), true).await.unwrap();
    let snapshot = store.settings().load().await.unwrap();
    assert_eq!(pruned, Changes { deleted: 4, unchanged: 2, ..Changes::default() });
    assert_eq!(snapshot.tenants.len(), 1);
    assert_eq!(snapshot.tenants[0].extensions.keys().collect::<Vec<_>>(), ["101"]);
    assert!(snapshot.directory.tenants[0].default, "a single tenant is the default anyway");
}

async fn a_tenant_that_comes_back_has_its_id_and_its_records(database: Database) {
    let store = open(&database).await;
    apply(&store, TWO_TENANTS).await;
    let call = TestCall::new(TWO, 1);
    for told in call.clone().whole("101", "0900000001") {
        store.writer().push(told);
    }
    store.writer().flush().await;
    let less = parse("tenants: [{ name: VPBX_ONE }]").unwrap();

    store.settings().apply(less, true).await.unwrap();
    apply(&store, &TWO_TENANTS.replace("VPBX_ONE", "VPBX_NEW")).await;

    let tenants: Vec<_> =
        store.settings().load().await.unwrap().tenants.into_iter().map(|tenant| (tenant.id, tenant.name)).collect();
    let named = |id: i64, name: &str| (TenantId(id), name.to_owned());
    assert_eq!(tenants, [named(1, "VPBX_ONE"), named(2, "VPBX_TWO"), named(3, "VPBX_NEW")]);
    assert!(store.tenant(TWO).records().get(call.id).await.unwrap().is_some());
}

async fn a_file_that_goes_against_the_store_changes_nothing_and_says_why(database: Database) {
    let store = open(&database).await;
    let stored = "tenants: [{ name: VPBX_ONE, default: true, sip_domains: [one.example],\n\
                  extensions: [{ number: \"101\", password: x }], trunks: [{ name: carrier, address: \"127.0.0.1:5090\" }],\n\
                  numbers: [{ number: \"02873088088\", route: { extension: \"101\" } }], keys: [{ kind: vpbx, api_key: A, api_secret: B }] }]";
    apply(&store, stored).await;
    let before = store.settings().load().await.unwrap();
    let take = "take it from there first, or apply the whole file with --prune";

    for (file, expected) in [
        (
            "tenants:\n  - name: VPBX_TWO\n    default: true\n",
            format!("line 2: the default tenant is VPBX_ONE's in the store: {take}"),
        ),
        (
            "tenants:\n  - name: VPBX_TWO\n    sip_domains: [ONE.example]\n",
            format!("line 2: SIP domain `one.example` is VPBX_ONE's in the store: {take}"),
        ),
        (
            "tenants:\n  - name: VPBX_TWO\n    extensions: [{ number: \"101\", password: x }]\n    numbers:\n      - { number: \"842873088088\", route: { extension: \"101\" } }\n",
            format!("line 5: number 842873088088 is VPBX_ONE's in the store: {take}"),
        ),
        (
            "tenants:\n  - name: VPBX_TWO\n    keys:\n      - { kind: vpbx, api_key: A, api_secret: C }\n",
            format!("line 4: API key `vpbx A` is VPBX_ONE's in the store: {take}"),
        ),
        (
            "tenants:\n  - name: VPBX_ONE\n    default: true\n    groups:\n      - { number: \"101\" }\n",
            format!("line 5: the inside number 101 is VPBX_ONE's in the store: {take}"),
        ),
        (
            "trunks: [{ name: carrier, address: \"127.0.0.1:5099\" }]\n",
            "line 1: the operator and a tenant both have a trunk `carrier`: choose another name for one of them".into(),
        ),
        (
            "tenants:\n  - name: VPBX_TWO\n    extensions: [{ number: \"21\", password: x }]\n  - name: VPBX_TWO2\n    extensions: [{ number: \"221\", password: x }, { number: \"10\", password: x }]\n  - name: VPBX_TWO22\n    extensions:\n      - { number: \"21\", password: x }\n",
            "line 8: the sign-in name VPBX_TWO2221 is VPBX_TWO2's too: change one of the two".into(),
        ),
    ] {
        let error = store.settings().apply(parse(file).unwrap(), false).await.unwrap_err();
        assert!(matches!(error, ApplyError::Conflict(_)));
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(store.settings().load().await.unwrap(), before);
}

async fn rules_of_the_file_come_first_and_those_that_it_leaves_out_stay_behind_them(database: Database) {
    let store = open(&database).await;
    let file = |rules: &str| {
        format!(
            "tenants: [{{ name: VPBX_ONE, trunks: [{{ name: carrier, address: \"127.0.0.1:5090\" }}], outbound: [{rules}] }}]"
        )
    };
    let rule = |prefix: &str| format!("{{ prefix: \"{prefix}\", trunks: [carrier] }}");
    let order = async || {
        let snapshot = store.settings().load().await.unwrap();
        snapshot.tenants[0].outbound.iter().map(|rule| rule.prefix.clone()).collect::<Vec<_>>()
    };
    apply(&store, &file(&[rule(""), rule("0"), rule("00")].join(", "))).await;
    assert_eq!(order().await, ["", "0", "00"]);

    let changes = apply(&store, &file(&[rule("00"), rule("09")].join(", "))).await;
    let again = apply(&store, &file(&[rule("00"), rule("09")].join(", "))).await;

    assert_eq!(order().await, ["00", "09", "", "0"]);
    assert_eq!((changes.created, changes.updated), (1, 1));
    assert!(!again.any());
}

async fn settings_change_while_calls_are_stored(database: Database) {
    let store = open(&database).await;
    apply(&store, TWO_TENANTS).await;
    let telling = tokio::spawn({
        let store = store.clone();
        async move {
            for count in 0..300 {
                for told in TestCall::new(ONE, count).whole("101", "0900000001") {
                    store.writer().push(told);
                    tokio::task::yield_now().await;
                }
            }
            store.writer().flush().await;
        }
    });

    for lines in 1..20 {
        apply(&store, &TWO_TENANTS.replace("pw-101 }", &format!("pw-101, lines: {lines} }}"))).await;
    }
    telling.await.unwrap();

    assert_eq!(store.feed().head(ONE), 2_700);
    assert_eq!(store.settings().load().await.unwrap().tenants[0].extensions["101"].lines, 19);
    assert_eq!(store.writer().figures().failures, 0);
}

async fn secrets(database: &Database, noun: &str, name: &str) -> String {
    let sql = format!("SELECT secrets FROM settings WHERE noun = '{noun}' AND name = '{name}'");
    let rows: Vec<(String,)> = Outsider::connect(database).await.fetch_all(&sql).await;
    rows.into_iter().next().unwrap().0
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
