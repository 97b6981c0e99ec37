//! Settings: each noun is made, listed, shown, changed and taken away; who may, and what is refused.

use model::KeyKind;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ADMIN, World, json as answer};

pub const EFFECTS: &[(&str, fn())] = &[
    ("list_tenants", tenants_come_and_go),
    ("create_tenant", tenants_come_and_go),
    ("get_tenant", tenants_come_and_go),
    ("update_tenant", tenants_come_and_go),
    ("delete_tenant", tenants_come_and_go),
    ("list_extensions", extensions_come_and_go),
    ("create_extension", extensions_come_and_go),
    ("get_extension", extensions_come_and_go),
    ("update_extension", extensions_come_and_go),
    ("delete_extension", extensions_come_and_go),
    ("list_trunks", trunks_and_rules_come_and_go),
    ("create_trunk", trunks_and_rules_come_and_go),
    ("get_trunk", trunks_and_rules_come_and_go),
    ("update_trunk", trunks_and_rules_come_and_go),
    ("delete_trunk", trunks_and_rules_come_and_go),
    ("list_outbound", trunks_and_rules_come_and_go),
    ("create_outbound_rule", trunks_and_rules_come_and_go),
    ("get_outbound_rule", trunks_and_rules_come_and_go),
    ("update_outbound_rule", trunks_and_rules_come_and_go),
    ("delete_outbound_rule", trunks_and_rules_come_and_go),
    ("list_numbers", numbers_come_and_go),
    ("create_number", numbers_come_and_go),
    ("get_number", numbers_come_and_go),
    ("update_number", numbers_come_and_go),
    ("delete_number", numbers_come_and_go),
    ("list_groups", groups_come_and_go),
    ("create_group", groups_come_and_go),
    ("get_group", groups_come_and_go),
    ("update_group", groups_come_and_go),
    ("delete_group", groups_come_and_go),
    ("list_queues", queues_come_and_go),
    ("create_queue", queues_come_and_go),
    ("get_queue", queues_come_and_go),
    ("update_queue", queues_come_and_go),
    ("delete_queue", queues_come_and_go),
    ("list_menus", menus_come_and_go),
    ("create_menu", menus_come_and_go),
    ("get_menu", menus_come_and_go),
    ("update_menu", menus_come_and_go),
    ("delete_menu", menus_come_and_go),
    ("list_hours", hours_and_sounds_come_and_go),
    ("create_hours", hours_and_sounds_come_and_go),
    ("get_hours", hours_and_sounds_come_and_go),
    ("update_hours", hours_and_sounds_come_and_go),
    ("delete_hours", hours_and_sounds_come_and_go),
    ("list_sounds", hours_and_sounds_come_and_go),
    ("create_sound", hours_and_sounds_come_and_go),
    ("get_sound", hours_and_sounds_come_and_go),
    ("update_sound", hours_and_sounds_come_and_go),
    ("delete_sound", hours_and_sounds_come_and_go),
    ("upload_sound", the_file_of_a_sound_comes_and_goes),
    ("get_sound_file", the_file_of_a_sound_comes_and_goes),
    ("delete_sound_file", the_file_of_a_sound_comes_and_goes),
    ("list_keys", keys_and_devices_come_and_go),
    ("create_key", keys_and_devices_come_and_go),
    ("get_key", keys_and_devices_come_and_go),
    ("update_key", keys_and_devices_come_and_go),
    ("delete_key", keys_and_devices_come_and_go),
    ("list_devices", keys_and_devices_come_and_go),
    ("create_device", keys_and_devices_come_and_go),
    ("get_device", keys_and_devices_come_and_go),
    ("update_device", keys_and_devices_come_and_go),
    ("delete_device", keys_and_devices_come_and_go),
    ("list_hooks", hooks_come_and_go),
    ("create_hook", hooks_come_and_go),
    ("get_hook", hooks_come_and_go),
    ("update_hook", hooks_come_and_go),
    ("delete_hook", hooks_come_and_go),
    ("list_users", users_come_and_go),
    ("create_user", users_come_and_go),
    ("get_user", users_come_and_go),
    ("update_user", users_come_and_go),
    ("delete_user", users_come_and_go),
    ("export_provision", all_settings_are_shown_as_one_file_without_secrets),
    ("list_audit", the_audit_log_is_the_owners_and_the_operators),
];

/// Makes a thing, finds it in the list, by its id and by its name, changes it, and takes it away again.
async fn comes_and_goes(world: &World, token: &str, path: &str, given: Value, called: &str, patch: Value) {
    let asked = async |method: Method, path: &str, body: Option<&Value>| {
        let request = world.with(token, method, path);
        let response = body.map_or(request.try_clone().expect("a request"), |body| request.json(body)).send().await;
        response.expect("an answer")
    };
    let here = format!("/v1/{path}");

    let made = asked(Method::POST, &here, Some(&given)).await;
    assert_eq!(made.status(), StatusCode::CREATED, "{path}");
    let (place, tag) = (made.headers()["location"].clone(), made.headers()["etag"].clone());
    let place = place.to_str().expect("text").to_owned();
    let made: Value = made.json().await.expect("JSON");
    let by_name = format!("{here}/{}", called.replace('/', "%2F").replace(' ', "%20"));
    for place in [&place, &by_name] {
        let shown = asked(Method::GET, place, None).await;
        assert_eq!((shown.status(), &shown.headers()["etag"]), (StatusCode::OK, &tag), "{place}");
        let shown: Value = shown.json().await.expect("JSON");
        assert_eq!(shown["id"], made["id"]);
        let (_, list) = answer(world.with(token, Method::GET, &here)).await;
        assert!(list["items"].as_array().expect("items").contains(&shown), "{path}: {list}");
    }
    for (key, value) in given.as_object().expect("an object") {
        let secret = ["password", "token", "secret_key", "pairing_code", "key"].contains(&key.as_str());
        let shown: Value = asked(Method::GET, &place, None).await.json().await.expect("JSON");
        assert_eq!(shown.get(key).is_none(), secret, "{path}: {key}");
        if !secret && !value.is_object() {
            assert_eq!(&shown[key], value, "{path}: {key}");
        }
    }

    let stale = world.with(token, Method::PATCH, &place).header("if-match", "\"0\"").json(&patch).send().await;
    assert_eq!(stale.expect("an answer").status(), StatusCode::PRECONDITION_FAILED);
    let request = world.with(token, Method::PATCH, &place).header("if-match", &tag);
    let request = request.header("content-type", "application/merge-patch+json").body(patch.to_string());
    let changed = request.send().await.expect("an answer");
    assert_eq!(changed.status(), StatusCode::OK, "{path}");
    let changed: Value = changed.json().await.expect("JSON");
    for (key, value) in patch.as_object().expect("an object") {
        assert!(changed.get(key).is_none_or(|now| now == value || value.is_object()), "{path}: {key} is {changed}");
    }
    let unknown = asked(Method::PATCH, &place, Some(&json!({"colour": "red"}))).await;
    assert_eq!(unknown.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let unknown: Value = unknown.json().await.expect("JSON");
    assert_eq!((&unknown["field"], &unknown["code"]), (&json!("colour"), &json!("setting")), "{unknown}");

    let other = world.with("NATIVE_OTHER", Method::GET, &place).send().await.expect("an answer");
    assert_eq!(other.status(), StatusCode::NOT_FOUND, "{path} of another tenant");
    assert_eq!(asked(Method::DELETE, &place, None).await.status(), StatusCode::NO_CONTENT, "{path}");
    assert_eq!(asked(Method::GET, &place, None).await.status(), StatusCode::NOT_FOUND, "{path}");
    assert_eq!(asked(Method::DELETE, &place, None).await.status(), StatusCode::NOT_FOUND, "{path}");
}

#[tokio::test]
async fn extensions_come_and_go() {
    let world = World::start().await;
    let given = json!({"number": "105", "name": "Night desk", "password": "pw-105", "record": true});

    let there = |world: &World| world.directory.borrow().extensions.contains_key("105");
    comes_and_goes(&world, "NATIVE_DEMO", "extensions", given.clone(), "105", json!({"lines": 3, "record": false}))
        .await;
    assert!(!there(&world));
    made(&world, "extensions", given).await;

    assert!(there(&world), "the engine and the door know of it");
    let (status, problem) = answer(post(&world, "extensions", &json!({"number": "106"}))).await;
    assert_eq!((status, &problem["field"]), (422, &json!("password")), "{problem}");
    let (status, problem) = answer(world.with("NATIVE_DEMO", Method::DELETE, "/v1/extensions/101")).await;
    assert_eq!((status, &problem["code"]), (409, &json!("in_use")), "{problem}");
}

#[tokio::test]
async fn trunks_and_rules_come_and_go() {
    let world = World::start().await;
    let given =
        json!({"name": "second", "address": "127.0.0.1:5091", "accept_from": ["192.0.2.0/24"], "codecs": ["pcmu"]});
    comes_and_goes(&world, "NATIVE_DEMO", "trunks", given, "second", json!({"max_calls": 5, "health_seconds": 0}))
        .await;
    made(&world, "trunks", json!({"name": "carrier", "address": "127.0.0.1:5090"})).await;
    made(&world, "outbound", json!({"prefix": "0", "trunks": ["carrier"]})).await;

    let rule = json!({"prefix": "09", "trunks": ["carrier"], "position": 1});
    comes_and_goes(&world, "NATIVE_DEMO", "outbound", rule, "09", json!({"strip": 1, "prepend": "17", "position": 2}))
        .await;

    let shared = json!({"name": "big", "address": "192.0.2.1:5060", "shared": true});
    let (status, big) = answer(world.with(ADMIN, Method::POST, "/v1/trunks").json(&shared)).await;
    assert_eq!((status, &big["shared"]), (201, &json!(true)));
    let (status, _) = answer(world.get("/v1/trunks/big")).await;
    assert_eq!(status, 404, "the operator's trunks are not shown to tenants");
    let snapshot = world.store.settings().load().await.expect("settings");
    let demo = snapshot.tenants.iter().find(|tenant| tenant.id == world.demo).expect("the tenant");
    assert_eq!((demo.outbound.len(), demo.trunks.len()), (1, 2));
}

#[tokio::test]
async fn numbers_come_and_go() {
    let world = World::start().await;
    let given = json!({"number": "02873088095", "route": {"extension": "101"}});
    let crm = json!({"route": {"crm": {"url": "http://a/", "default": {"extension": "102"}}}});

    comes_and_goes(&world, "NATIVE_DEMO", "numbers", given.clone(), "+842873088095", crm).await;
    made(&world, "numbers", given).await;

    assert_eq!(world.directory.borrow().numbers.get("842873088095"), Some(&world.demo));
    let taken = json!({"number": "02873088088", "route": {"extension": "101"}});
    let (status, problem) = answer(world.with("NATIVE_OTHER", Method::POST, "/v1/numbers").json(&taken)).await;
    assert_eq!((status, &problem["code"]), (409, &json!("taken")), "{problem}");
    assert!(!problem.to_string().contains("VPBX_DEMO"), "whose it is, is nobody else's business");
}

#[tokio::test]
async fn the_secrets_of_a_crms_url_are_for_those_who_may_change_it() {
    let world = World::start().await;
    let url = "https://crm:PASSWORD_DEMO@crm.example.test/route?action=GetRouting&k=SECRET_DEMO";
    let route = json!({"crm": {"url": url, "timeout_ms": 3000, "default": {"extension": "101"}}});
    made(&world, "numbers", json!({"number": "02873088095", "route": route})).await;
    made(&world, "menus", json!({"name": "evening", "say": {"en": "Press one."}, "keys": {"1": route}})).await;
    let shown = async |token: &str, path: &str| {
        let (status, body) = answer(world.with(token, Method::GET, &format!("/v1/{path}"))).await;
        assert_eq!(status, 200, "{body}");
        body.to_string()
    };

    for path in ["numbers", "numbers/02873088095", "menus", "menus/evening"] {
        for token in ["NATIVE_READER", "NATIVE_AGENT", "NATIVE_SUPERVISOR"] {
            let seen = shown(token, path).await;
            assert!(seen.contains("https://***@crm.example.test/route?action=***&k=***"), "{path}: {seen}");
            assert!(!seen.contains("_DEMO"), "{path}: {seen}");
        }
        for token in ["NATIVE_DEMO", ADMIN] {
            assert!(shown(token, path).await.contains(url), "{path}");
        }
    }
    let log = shown("NATIVE_DEMO", "audit").await;
    assert!(log.contains("https://***@crm.example.test/route?action=***&k=***"), "{log}");
    assert!(!log.contains("PASSWORD_DEMO") && !log.contains("SECRET_DEMO"), "{log}");
}

#[tokio::test]
async fn a_url_with_a_private_address_is_refused_where_the_tenant_may_not() {
    let world = World::start().await;
    let hook = |url: &str| json!({"kind": "events", "url": url});
    let route = |url: &str| json!({"crm": {"url": url, "default": {"extension": "101"}}});
    let made = made(&world, "hooks", hook("http://localhost:9/named")).await;
    let own = format!("/v1/hooks/{}", made["id"].as_str().expect("an id"));
    let ask = async |method: Method, path: &str, body: Value| {
        answer(world.with("NATIVE_DEMO", method, path).json(&body)).await
    };

    for url in [
        "http://127.0.0.1:9/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:192.168.0.1]/",
        "http://2130706433/",
    ] {
        for (method, path, body, field) in [
            (Method::POST, "/v1/hooks", hook(url), "url"),
            (Method::PATCH, own.as_str(), json!({"url": url}), "url"),
            (Method::POST, "/v1/numbers", json!({"number": "02873088095", "route": route(url)}), "route.crm.url"),
            (Method::PATCH, "/v1/numbers/02873088088", json!({"route": route(url)}), "route.crm.url"),
            (Method::POST, "/v1/queues", json!({"number": "701", "overflow": route(url)}), "overflow.crm.url"),
        ] {
            let (status, problem) = ask(method, path, body).await;
            assert_eq!(
                (status, &problem["code"], &problem["field"]),
                (422, &json!("setting"), &json!(field)),
                "{problem}"
            );
            let detail = problem["detail"].as_str().expect("a sentence");
            assert!(detail.contains("private address") && detail.contains("webhook_private_addresses"), "{detail}");
        }
    }
    let may = json!({"webhook_private_addresses": true});
    let allowed = world.with(ADMIN, Method::PATCH, "/v1/tenants/VPBX_DEMO").json(&may);
    assert_eq!(answer(allowed).await.0, 200);
    assert_eq!(ask(Method::POST, "/v1/hooks", hook("http://127.0.0.1:9/")).await.0, 201);
    assert_eq!(ask(Method::PATCH, "/v1/numbers/02873088088", json!({"route": route("http://[::1]/")})).await.0, 200);
}

#[tokio::test]
async fn groups_come_and_go() {
    let world = World::start().await;
    let given = json!({"number": "601", "name": "Sales", "strategy": "in_order", "members": ["101"]});

    comes_and_goes(&world, "NATIVE_SUPERVISOR", "groups", given, "601", json!({"members": ["102", "101"]})).await;

    let (status, _) =
        answer(world.with("NATIVE_AGENT", Method::POST, "/v1/groups").json(&json!({"number": "602"}))).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn queues_come_and_go() {
    let world = World::start().await;
    let given = json!({"number": "701", "members": ["101"], "overflow": {"extension": "102"}, "answer": "by_agent"});

    comes_and_goes(&world, "NATIVE_SUPERVISOR", "queues", given, "701", json!({"max_wait_seconds": 60})).await;
}

#[tokio::test]
async fn menus_come_and_go() {
    let world = World::start().await;
    let given = json!({"name": "evening", "say": {"en": "Press one."}, "keys": {"1": {"extension": "101"}}});

    comes_and_goes(&world, "NATIVE_SUPERVISOR", "menus", given, "evening", json!({"keys": {"1": null}, "tries": 2}))
        .await;
}

#[tokio::test]
async fn hours_and_sounds_come_and_go() {
    let world = World::start().await;
    let hours = json!({"name": "evenings", "open": ["mon-fri 17:30-22:00"], "holidays": ["2027-01-01"]});
    let sound = json!({"name": "closed", "say": {"en": "Please call tomorrow."}});

    comes_and_goes(&world, "NATIVE_SUPERVISOR", "hours", hours, "evenings", json!({"open": ["sat 09:00-12:00"]})).await;
    comes_and_goes(&world, "NATIVE_SUPERVISOR", "sounds", sound, "closed", json!({"say": null})).await;
}

#[tokio::test]
async fn the_file_of_a_sound_comes_and_goes() {
    let world = World::start().await;
    made(&world, "sounds", json!({"name": "tune"})).await;
    let file = crate::support::story::wav();
    let path = "/v1/sounds/tune/file";
    let ask = |method: Method| world.with("NATIVE_SUPERVISOR", method, path);

    let before = answer(ask(Method::GET)).await;
    let no_sound = answer(ask(Method::PUT).body("something else")).await;
    let too_much = answer(ask(Method::PUT).body(vec![0; 21 * 1024 * 1024])).await;
    let uploaded = answer(ask(Method::PUT).header("content-type", "audio/wav").body(file.clone())).await;
    let shown = world.with("NATIVE_READER", Method::GET, path).send().await.expect("an answer");
    let by_reader = answer(world.with("NATIVE_READER", Method::PUT, path).body(file.clone())).await;
    let elsewhere = answer(world.with("NATIVE_OTHER", Method::GET, path)).await;
    let unknown = answer(world.with("NATIVE_DEMO", Method::PUT, "/v1/sounds/none/file").body(file.clone())).await;

    assert_eq!((before.0, no_sound.0, too_much.0), (404, 422, 413));
    assert_eq!((uploaded.0, &uploaded.1["milliseconds"]), (200, &json!(1_250)));
    assert_eq!(shown.headers()["content-type"], "audio/wav");
    assert_eq!(shown.bytes().await.expect("a body"), file);
    assert_eq!((by_reader.0, elsewhere.0, unknown.0), (403, 404, 404));
    let gone = ask(Method::DELETE).send().await.expect("an answer").status();
    assert_eq!((gone, answer(ask(Method::GET)).await.0), (StatusCode::NO_CONTENT, 404));
    let log = answer(world.with("NATIVE_DEMO", Method::GET, "/v1/audit?noun=sound")).await.1;
    let told: Vec<_> = log["items"].as_array().expect("rows").iter().map(|row| row["action"].clone()).collect();
    assert_eq!(told, ["delete_file", "upload", "create"]);
}

#[tokio::test]
async fn keys_and_devices_come_and_go() {
    let world = World::start().await;
    let key = json!({"kind": "voip24h", "voip": "VOIPKEY_NEW", "socket_sessions": 3});
    comes_and_goes(&world, "NATIVE_DEMO", "keys", key, "VOIPKEY_NEW", json!({"hub": true})).await;
    made(&world, "keys", json!({"kind": "callone", "secret_key": "GKEY_DEMO"})).await;
    let device = json!({"name": "Sales phone", "key": "GKEY_DEMO", "pairing_code": "482914"});
    comes_and_goes(&world, "NATIVE_DEMO", "devices", device, "Sales phone", json!({"default_sim": 2})).await;

    let made = made(&world, "keys", json!({"kind": "native", "role": "reader"})).await;

    let (token, id) = (made["token"].as_str().expect("a token"), made["id"].as_str().expect("an id"));
    let with = |token: &str| world.with(token, Method::GET, "/v1/calls");
    assert_eq!(answer(with(token)).await.0, 200, "it opens at once");
    assert!(world.directory.borrow().keys.iter().any(|key| matches!(&key.kind, KeyKind::Native { token_hash, .. } if made["name"] == format!("native {}", &token_hash[..16]))));
    let gone = world.with("NATIVE_DEMO", Method::DELETE, &format!("/v1/keys/{id}")).send().await.expect("an answer");
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(answer(with(token)).await.0, 401, "and at once no more");
    assert_eq!(answer(world.with("NATIVE_SUPERVISOR", Method::GET, "/v1/keys")).await.0, 403);
}

#[tokio::test]
async fn hooks_come_and_go() {
    let world = World::start().await;
    let given = json!({"kind": "events", "url": "http://192.0.2.9/hook", "method": "post_form"});

    let called = "events http://192.0.2.9/hook";
    comes_and_goes(&world, "NATIVE_DEMO", "hooks", given.clone(), called, json!({"url": "http://192.0.2.9/other"}))
        .await;
    let made = made(&world, "hooks", given).await;

    let secret = made["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("whsec_"));
    let (_, shown) = answer(world.get(&format!("/v1/hooks/{}", made["id"].as_str().expect("an id")))).await;
    assert_eq!(shown["secret"], secret, "an owner may look at it");
    assert_eq!(answer(world.with("NATIVE_SUPERVISOR", Method::GET, "/v1/hooks")).await.0, 403);
}

#[tokio::test]
async fn users_come_and_go() {
    let world = World::start().await;
    let given = json!({"email": "new@example.test", "password": "change-me-please", "role": "agent"});

    comes_and_goes(&world, "NATIVE_DEMO", "users", given, "New@example.test", json!({"role": "reader"})).await;

    let operator = json!({"email": "op@example.test", "password": "p", "role": "operator"});
    let (status, problem) = answer(post(&world, "users", &operator)).await;
    assert_eq!((status, &problem["field"]), (422, &json!("role")), "{problem}");
    assert_eq!(answer(world.with(ADMIN, Method::POST, "/v1/users").json(&operator)).await.0, 201);
    let (_, all) = answer(world.with(ADMIN, Method::GET, "/v1/users")).await;
    assert_eq!(all["items"][0]["tenant"], Value::Null);
    let (_, own) = answer(world.get("/v1/users")).await;
    assert_eq!(own["items"], json!([]));
}

#[tokio::test]
async fn tenants_come_and_go() {
    let world = World::start().await;
    let given = json!({"name": "VPBX_NEW", "display_name": "New company", "limits": {"concurrent_calls": 10}});
    let patch = json!({"limits": {"calls_per_second": 5}, "transfer_ring_back": false});

    comes_and_goes(&world, ADMIN, "tenants", given, "VPBX_NEW", patch).await;

    let own = async |patch: Value| {
        let request = world.with("NATIVE_DEMO", Method::PATCH, "/v1/tenants/VPBX_DEMO").json(&patch);
        answer(request).await.0
    };
    assert_eq!(own(json!({"display_name": "Mine", "switches": {"lower_case_states": true}})).await, 200);
    assert!(world.directory.borrow().tenants[0].switches.lower_case_states);
    for patch in [
        json!({"limits": {"concurrent_calls": 1_000}}),
        json!({"webhook_private_addresses": true}),
        json!({"default": false}),
    ] {
        assert_eq!(own(patch.clone()).await, 403, "{patch}");
    }
    assert_eq!(own(json!({"name": "VPBX_B"})).await, 422);
    let (_, list) = answer(world.get("/v1/tenants")).await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    let (_, all) = answer(world.with(ADMIN, Method::GET, "/v1/tenants?limit=1")).await;
    assert_eq!((all["items"].as_array().map(Vec::len), all["next"].is_string()), (Some(1), true));
    let next = format!("/v1/tenants?limit=1&after={}", all["next"].as_str().expect("a cursor"));
    assert_eq!(answer(world.with(ADMIN, Method::GET, &next)).await.1["items"][0]["name"], "VPBX_OTHER");
}

#[tokio::test]
async fn the_audit_log_is_the_owners_and_the_operators() {
    let world = World::start().await;
    made(&world, "groups", json!({"number": "601", "members": ["101"]})).await;
    let patch = json!({"members": []});
    answer(world.with(ADMIN, Method::PATCH, "/v1/groups/601?tenant=VPBX_DEMO").json(&patch)).await;

    let (status, log) = answer(world.get("/v1/audit?noun=group")).await;

    assert_eq!(status, 200);
    let [update, create] = log["items"].as_array().expect("items").as_slice() else { panic!("two rows: {log}") };
    assert_eq!(
        (&update["actor"], &update["action"], &update["changed"]),
        (&json!("admin"), &json!("update"), &json!(["members"]))
    );
    assert_eq!((&update["before"]["members"], &update["after"]["members"]), (&json!(["101"]), &json!([])));
    assert_eq!((&create["actor"], &create["address"]), (&json!("key:native 47813d58d31bce34"), &json!("127.0.0.1")));
    assert_eq!((&create["tenant"], &create["before"]), (&json!("VPBX_DEMO"), &Value::Null));
    assert_eq!(answer(world.with("NATIVE_SUPERVISOR", Method::GET, "/v1/audit")).await.0, 403);
    let (_, other) = answer(world.with("NATIVE_OTHER", Method::GET, "/v1/audit?noun=group")).await;
    assert_eq!(other["items"], json!([]));
    let (_, page) = answer(world.with(ADMIN, Method::GET, "/v1/audit?limit=1")).await;
    let next = format!("/v1/audit?limit=1&after={}", page["next"].as_str().expect("a cursor"));
    assert_eq!(answer(world.with(ADMIN, Method::GET, &next)).await.1["items"][0]["action"], "create");
}

#[tokio::test]
async fn all_settings_are_shown_as_one_file_without_secrets() {
    let world = World::start().await;
    made(&world, "groups", json!({"number": "601", "members": ["101"]})).await;

    let (status, own) = answer(world.get("/v1/provision")).await;
    let (_, all) = answer(world.with(ADMIN, Method::GET, "/v1/provision")).await;

    assert_eq!((status, own["tenants"].as_array().map(Vec::len)), (200, Some(1)));
    assert_eq!(own["tenants"][0]["groups"][0]["members"], json!(["101"]));
    assert_eq!((&own["tenants"][0]["name"], own.get("trunks")), (&json!("VPBX_DEMO"), None));
    assert_eq!(all["tenants"].as_array().map(Vec::len), Some(2));
    for secret in ["pw-101", "SECRET_DEMO", "NATIVE_DEMO", "ha1", "hash", "\"id\""] {
        assert!(!all.to_string().contains(secret), "{secret} is shown");
    }
    // With its secrets put in it is a file that changes nothing.
    let mut file = own;
    for extension in file["tenants"][0]["extensions"].as_array_mut().expect("extensions") {
        extension["password"] = format!("pw-{}", extension["number"].as_str().expect("a number")).into();
    }
    file["tenants"][0]["keys"] = json!([]);
    let file = store::provision::parse(&file.to_string()).expect("it is a file");
    let changes = world.store.settings().apply(file, false).await.expect("it applies");
    assert!(!changes.any(), "{changes}");
    assert_eq!(answer(world.with("NATIVE_SUPERVISOR", Method::GET, "/v1/provision")).await.0, 403);
}

#[tokio::test]
async fn a_body_that_is_no_object_or_of_another_type_is_refused() {
    let world = World::start().await;
    for (kind, body, status) in [
        ("application/json", "[]", 422),
        ("application/json", "{", 400),
        ("text/plain", "{}", 415),
        ("application/merge-patch+json", "{}", 415),
    ] {
        let request = world.with("NATIVE_DEMO", Method::POST, "/v1/groups").header("content-type", kind).body(body);
        assert_eq!(answer(request).await.0, status, "{kind} {body}");
    }
    assert_eq!(answer(world.get("/v1/groups?after=%00")).await.0, 400);
    assert_eq!(answer(world.get("/v1/groups?colour=red")).await.0, 400);
}

fn post(world: &World, path: &str, given: &Value) -> reqwest::RequestBuilder {
    world.with("NATIVE_DEMO", Method::POST, &format!("/v1/{path}")).json(given)
}

async fn made(world: &World, path: &str, given: Value) -> Value {
    let (status, made) = answer(post(world, path, &given)).await;
    assert_eq!(status, 201, "{made}");
    made
}
