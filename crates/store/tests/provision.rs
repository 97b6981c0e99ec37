//! The provision file: every key is read, and whatever is wrong gets one sentence with its line and a remedy.

use store::provision::{EXAMPLE, ProvisionError, parse};

#[test]
fn the_example_is_right() {
    assert_eq!(parse(EXAMPLE).map(|_| ()), Ok(()));
}

#[test]
fn what_is_left_out_has_its_default() {
    let short = "
tenants:
  - name: VPBX_DEMO
    keys: [{ kind: voip24h, voip: A, secret: S }, { kind: callone, secret_key: G }, { kind: native, token: T }]
    extensions: [{ number: \"101\", password: pw }]
    trunks: [{ name: carrier, address: \"127.0.0.1:5090\" }]
    outbound: [{ trunks: [carrier] }]
    numbers: [{ number: \"02873088088\", route: { extension: \"101\" } }]
    groups: [{ number: \"600\" }]
    queues: [{ number: \"700\" }]
    menus: [{ name: main, say: { vi: Xin chào } }]
    webhooks: [{ kind: events, url: \"http://127.0.0.1/\" }, { kind: feedback, url: \"http://127.0.0.1/\" }]
    devices: [{ name: Phone, key: G, pairing_code: \"482913\" }]
users:
  - { email: a@example.test, password: pw, role: operator }
";
    let whole = format!("{:?}", parse(short).expect("it is right"));

    for expected in [
        "display_name: \"VPBX_DEMO\", timezone: \"Asia/Ho_Chi_Minh\", language: Vi, country: \"84\", default: false, \
         sip_domains: [], digest: [Md5]",
        "keys: \"12345\" }",
        "limits: Limits { concurrent_calls: 100, calls_per_second: 20, destinations: [\"84\"], max_call_seconds: 14400, \
         silence_seconds: 60 }",
        "Switches { null_type_on_hangup: true, lower_case_states: false, feedback_md5_with_bars: true }",
        "webhook_private_addresses: false",
        "otp_requires_secret: false, allowed_addresses: [], socket_sessions: 20, hub: false",
        "monthly_quota: Some(10000), expires_at: None, enabled: true",
        "role: Owner }",
        "record: false, caller_id: None, ring_seconds: 30, lines: 2, auto_answer: false",
        "transport: \"udp\", username: None, password: None, register: false, accept_from: [], did_from: RequestUri, \
         outbound_proxy: None, media_from: [], srtp: \"none\", trusted: false, via: None, max_calls: 100, \
         max_calls_per_second: 20, codecs: [Pcma, Pcmu], dial_format: National, identity: From, forwarded_caller: Own, health_seconds: None }",
        "Outbound { prefix: \"0\", trunks: [\"carrier\"], strip: 0, prepend: \"\" }",
        "strategy: RingAll, members: [], ring_seconds: 30",
        "strategy: LongestIdle, members: [], max_wait_seconds: 300, announce_position: true, ring_seconds: 15, \
         misses_before_pause: 2, wrap_up_seconds: 10, service_level_seconds: None, answer_at_once: true, overflow: None",
        "Spoken { vi: \"Xin chào\", en: \"Xin chào\" }, keys: {}, timeout_seconds: 5, tries: 3, default: None",
        "kind: Events, url: \"http://127.0.0.1/\", method: PostJson, enabled: true }, secret: None",
        "kind: Feedback, url: \"http://127.0.0.1/\", method: GetQuery, enabled: true }, secret: None",
        "default_sim: 1, hang_up_after_seconds: 0, sms: None, voice_file: None }",
    ] {
        assert!(whole.contains(expected), "{expected}\nis not in\n{whole}");
    }
}

#[test]
fn no_secret_is_shown() {
    let whole = format!("{:?}", parse(EXAMPLE).expect("it is right"));

    for secret in ["SECRET_DEMO", "APISECRET_DEMO", "GKEY_DEMO", "NATIVE_DEMO", "pw-101", "482913", "change-me-please"]
    {
        assert!(!whole.contains(secret), "{secret}");
    }
}

/// What stands in the example, what is put in its place, and what is said then.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "language: vi   ",
        "language: [vi   ",
        "line 16: this is not YAML (illegal placement of ':' indicator): look at indentation, quotes and brackets here and just above",
    ),
    (
        "    country: \"84\"",
        "   country: \"84\"",
        "line 16: this is not YAML (while parsing a block collection, did not find expected '-' indicator): look at indentation, quotes and brackets here and just above",
    ),
    (
        "display_name: Demo company",
        "display_name: 'Demo company",
        "line 14: this is not YAML (invalid indentation in multiline quoted scalar): look at indentation, quotes and brackets here and just above",
    ),
    ("users:     ", "usres:     ", "line 139: `usres` is not a key of the file: use trunks, tenants or users"),
    (
        "    language: vi   ",
        "    langauge: vi   ",
        "line 15: `langauge` is not a key of a tenant: use name, display_name, timezone, language, country, default, sip_domains, digest, feedback, limits, switches, webhook_private_addresses, transfer_ring_back, keep, keys, extensions, trunks, outbound, numbers, groups, queues, menus, webhooks or devices",
    ),
    (
        "        name: Sales desk",
        "        nmae: Sales desk",
        "line 43: `nmae` is not a key of an extension: use number, name, password, record, caller_id, ring_seconds, lines or auto_answer",
    ),
    (
        "        lines: 2  ",
        "        lines: 2\n        lines: 3  ",
        "line 49: `lines` stands here twice: remove one of the two",
    ),
    (
        "name: VPBX_DEMO  ",
        "name: vpbx-demo  ",
        "line 12: `vpbx-demo` is no tenant name: use 3 to 32 of A-Z, 0-9 and _, as in VPBX_DEMO",
    ),
    (
        "name: VPBX_DEMO  ",
        "name: AB  ",
        "line 12: `AB` is no tenant name: use 3 to 32 of A-Z, 0-9 and _, as in VPBX_DEMO",
    ),
    (
        "  - name: VPBX_DEMO ",
        "  - display: x\n    name: VPBX_DEMO ",
        "line 12: `display` is not a key of a tenant: use name, display_name, timezone, language, country, default, sip_domains, digest, feedback, limits, switches, webhook_private_addresses, transfer_ring_back, keep, keys, extensions, trunks, outbound, numbers, groups, queues, menus, webhooks or devices",
    ),
    (
        "timezone: Asia/Ho_Chi_Minh",
        "timezone: Asia/Hanoi_City",
        "line 14: `Asia/Hanoi_City` is no time zone: write an IANA name, as in Asia/Ho_Chi_Minh",
    ),
    ("    language: vi   ", "    language: fr   ", "line 15: `fr` is no word for `language`: write vi or en"),
    ("country: \"84\"", "country: 84", "line 16: `country` must be text, not a number: put it in quotes"),
    ("country: \"84\"", "country: \"084\"", "line 16: no country code begins with 0: write one as in \"84\""),
    ("default: true  ", "default: \"yes\"  ", "line 17: `default` must be true or false, not text: write one of them"),
    (
        "sip_domains: [] ",
        "sip_domains: [\"pbx example\"] ",
        "line 18: `pbx example` is no domain for `sip_domains`: write one as in pbx.example.com",
    ),
    ("digest: [md5] ", "digest: [] ", "line 19: `digest` is empty: put in md5 or sha-256, or leave the key out"),
    ("digest: [md5] ", "digest: [sha-1] ", "line 19: `sha-1` is no word for `digest`: write md5 or sha-256"),
    ("digest: [md5] ", "digest: [md5, md5] ", "line 19: a word stands in `digest` twice: remove one of the two"),
    (
        "kind: voip24h  ",
        "kind: voip25h  ",
        "line 22: this is no kind of API key: write voip24h, vpbx, callone or native",
    ),
    ("        voip: VOIPKEY_DEMO\n", "", "line 22: a voip24h key needs `voip`: add it"),
    ("secret: SECRET_DEMO", "secret: \"\"", "line 24: `secret` is empty: write something"),
    (
        "socket_sessions: 20",
        "socket_sessions: 0",
        "line 27: `socket_sessions` must be a whole number from 1 to 100000: write one without quotes",
    ),
    (
        "allowed_addresses: []",
        "allowed_addresses: [192.0.2.0/33]",
        "line 26: `192.0.2.0/33` is no source for `allowed_addresses`: write an address, address:port or network, as in 192.0.2.0/24",
    ),
    (
        "expires_at: null ",
        "expires_at: tomorrow ",
        "line 35: `tomorrow` is no moment for `expires_at`: write one as in \"2030-12-31T23:59:59+07:00\", or null",
    ),
    (
        "        enabled: true",
        "        enabled: 1",
        "line 36: `enabled` must be true or false, not a number: write one of them",
    ),
    (
        "        role: owner  ",
        "        role: operator  ",
        "line 39: `operator` is no word for `role`: write owner, supervisor, agent or reader",
    ),
    (
        "        api_secret: APISECRET_DEMO",
        "        api_secret: APISECRET_DEMO\n        hub: true",
        "line 32: `hub` is not a key of a vpbx key: use kind, api_key or api_secret",
    ),
    (
        "      - number: \"101\"\n",
        "      - number: 101\n",
        "line 42: `number` must be text, not a number: put it in quotes",
    ),
    (
        "      - number: \"101\"\n",
        "      - number: \"1o1\"\n",
        "line 42: `1o1` is no number of an extension: use 2 to 8 digits in quotes, as in \"101\"",
    ),
    ("password: pw-101  ", "password: \"\"  ", "line 44: `password` is empty: write something"),
    ("password: pw-102, ", "", "line 50: an extension needs `password`: add it"),
    (
        "        caller_id: \"02873088088\"",
        "        caller_id: \"02873088099\"",
        "line 46: caller_id 842873088099 is none of the tenant's `numbers`: add it there, or use one of them",
    ),
    (
        "        ring_seconds: 30\n",
        "        ring_seconds: thirty\n",
        "line 47: `ring_seconds` must be a whole number from 1 to 600: write one without quotes",
    ),
    (
        "        ring_seconds: 30\n",
        "        ring_seconds: -1\n",
        "line 47: `ring_seconds` must be a whole number from 1 to 600: write one without quotes",
    ),
    (
        "{ number: \"102\", name: Support desk",
        "{ number: \"101\", name: Support desk",
        "line 50: extension, group or queue `101` stands on line 42 already: remove or change one of the two",
    ),
    ("record: true }", "record: maybe }", "line 50: `record` must be true or false, not text: write one of them"),
    (
        "address: 127.0.0.1:5090  ",
        "address: 127.0.0.1  ",
        "line 54: `127.0.0.1` is no address for `address`: write host:port, as in 127.0.0.1:5060",
    ),
    (
        "address: 127.0.0.1:5090  ",
        "address: 127.0.0.1:99999  ",
        "line 54: `127.0.0.1:99999` is no address for `address`: write host:port, as in 127.0.0.1:5060",
    ),
    (
        "transport: udp  ",
        "transport: sctp  ",
        "line 55: `sctp` is no word for `transport`: write udp, tcp, tls or auto",
    ),
    (
        "username: null  ",
        "username: me  ",
        "line 56: `username` and `password` of a trunk go together: write both, or leave both out",
    ),
    ("register: false", "register: true", "line 58: a trunk that registers needs `username` and `password`: add them"),
    (
        "accept_from: [127.0.0.1] ",
        "accept_from: [carrier] ",
        "line 59: `carrier` is no source for `accept_from`: write an address, address:port or network, as in 192.0.2.0/24",
    ),
    (
        "accept_from: [127.0.0.1] ",
        "accept_from: 127.0.0.1 ",
        "line 59: `accept_from` must be a list, not text: write `accept_from: [ … ]`",
    ),
    (
        "did_from: request_uri  ",
        "did_from: uri  ",
        "line 60: `uri` is no word for `did_from`: write request_uri, to or p_called_party_id",
    ),
    ("srtp: none ", "srtp: some ", "line 63: `some` is no word for `srtp`: write none, optional or required"),
    (
        "max_calls: 100",
        "max_calls: 1.5",
        "line 66: `max_calls` must be a whole number from 1 to 1000000: write one without quotes",
    ),
    (
        "codecs: [pcma, pcmu]\n",
        "codecs: [pcma, mp3]\n",
        "line 68: `mp3` is no word for `codecs`: write pcma, pcmu, g722 or opus",
    ),
    (
        "dial_format: national ",
        "dial_format: local ",
        "line 69: `local` is no word for `dial_format`: write national, e164 or international",
    ),
    ("identity: from  ", "identity: rpid  ", "line 70: `rpid` is no word for `identity`: write from or pai"),
    (
        "forwarded_caller: own  ",
        "forwarded_caller: theirs  ",
        "line 71: `theirs` is no word for `forwarded_caller`: write own or caller",
    ),
    (
        "health_seconds: null  ",
        "health_seconds: 86400  ",
        "line 72: `health_seconds` must be a whole number from 0 to 3600: write one without quotes",
    ),
    (
        "trunks: [carrier], strip",
        "trunks: [courier], strip",
        "line 76: trunk `courier` does not exist: add it to `trunks`, or name another",
    ),
    (
        "trunks: [carrier], strip: 0",
        "trunks: [], strip: 0",
        "line 76: an outbound rule needs `trunks`: name at least one",
    ),
    (
        "prefix: \"0\", trunks",
        "prefix: \"zero\", trunks",
        "line 76: `zero` cannot be dialled as `prefix`: use up to 32 digits, *, # and +, in quotes",
    ),
    (
        "trunks: []  ",
        "trunks: [{ name: carrier, address: \"127.0.0.1:5091\" }]  ",
        "line 53: trunk `carrier` is one of the operator's already: choose another name",
    ),
    (
        "- number: \"02873088089\"",
        "- number: \"02873088088\"",
        "line 81: number `842873088088` stands on line 79 already: remove or change one of the two",
    ),
    (
        "- number: \"02873088089\"",
        "- number: \"0287abc\"",
        "line 81: `0287abc` is not a phone number: use digits, with + in front at most, in quotes, as in \"02873088088\"",
    ),
    (
        "- number: \"02873088089\"",
        "- number: 02873088089",
        "line 81: `number` must be text, not a number: put it in quotes",
    ),
    (
        "route: { menu: main }",
        "route: { menu: mian }",
        "line 90: menu `mian` does not exist: add it to `menus`, or name another",
    ),
    (
        "route: { menu: main }",
        "route: { menu: main, queue: \"700\" }",
        "line 90: `route` must lead to one thing: write extension, group, queue, menu or crm with its value",
    ),
    (
        "route: { menu: main }",
        "route: main",
        "line 90: `route` cannot be text: write where it leads, as in `route: { extension: \"101\" }`",
    ),
    (
        "route: { queue: \"700\" }",
        "route: { voicemail: \"700\" }",
        "line 92: `voicemail` is not a key of a route: use extension, group, queue, menu or crm",
    ),
    (
        "url: http://127.0.0.1:9000/route?action=GetRouting",
        "url: 127.0.0.1:9000/route",
        "line 86: `127.0.0.1:9000/route` is no URL for `url`: write one that begins with http:// or https://",
    ),
    (
        "timeout_ms: 3000",
        "timeout_ms: 3",
        "line 87: `timeout_ms` must be a whole number from 100 to 30000: write one without quotes",
    ),
    (
        "            default: { group: \"600\" }",
        "            default: { crm: { url: \"http://a/\", default: { group: \"600\" } } }",
        "line 88: the default of a crm route cannot ask a CRM again: write extension, group, queue or menu",
    ),
    (
        "strategy: ring_all, members: [\"101\", \"102\"]",
        "strategy: ring_all, members: [\"101\", \"103\"]",
        "line 95: member `103` is no extension: add it to `extensions`, or remove it here",
    ),
    (
        "strategy: ring_all, members: [\"101\", \"102\"]",
        "strategy: ring_all, members: [\"101\", \"101\"]",
        "line 95: `101` stands in `members` twice: remove one of the two",
    ),
    (
        "strategy: ring_all",
        "strategy: loudest",
        "line 95: `loudest` is no word for `strategy`: write ring_all, in_order or least_recent",
    ),
    (
        "{ number: \"600\", name: Sales",
        "{ number: \"101\", name: Sales",
        "line 95: extension, group or queue `101` stands on line 42 already: remove or change one of the two",
    ),
    (
        "overflow: { extension: \"101\" }",
        "overflow: { queue: \"700\" }",
        "line 99: queue 700 overflows into itself: name another target",
    ),
    (
        "answer: at_once, overflow",
        "answer: later, overflow",
        "line 99: `later` is no word for `answer`: write at_once or by_agent",
    ),
    (
        "\"2\": { queue: \"700\" } }",
        "\"12\": { queue: \"700\" } }",
        "line 104: `12` is no key of a phone: use one of 0-9, * and #, in quotes",
    ),
    (
        "        default: { extension: \"101\" }\n\n    webhooks",
        "        default: { group: \"601\" }\n\n    webhooks",
        "line 107: group `601` does not exist: add it to `groups`, or name another",
    ),
    (
        "        tries: 3",
        "        tries: 0",
        "line 106: `tries` must be a whole number from 1 to 20: write one without quotes",
    ),
    (
        "url: \"http://127.0.0.1:9000/missed\"",
        "url: \"ftp://127.0.0.1:9000/missed\"",
        "line 111: `ftp://127.0.0.1:9000/missed` is no URL for `url`: write one that begins with http:// or https://",
    ),
    (
        "kind: autocall, url",
        "kind: autocalls, url",
        "line 112: `autocalls` is no word for `kind`: write events, missed, autocall, feedback or native",
    ),
    (
        "method: post_json, secret: null",
        "method: put, secret: null",
        "line 110: `put` is no word for `method`: write post_json, get_json, get_query or post_form",
    ),
    (
        "method: post_json, secret: null",
        "method: post_json, secret: hush",
        "line 110: `secret` of a webhook must be whsec_ and up to 64 bytes in base64: write null to have one made",
    ),
    (
        "url: \"http://127.0.0.1:9000/feedback\" ",
        "url: \"http://127.0.0.1:9000/feedback\", method: post_json ",
        "line 113: a feedback webhook is always sent by GET: remove `method`",
    ),
    (
        "kind: missed,   url: \"http://127.0.0.1:9000/missed\"",
        "kind: events,   url: \"http://127.0.0.1:9000/events\"",
        "line 111: webhook `events http://127.0.0.1:9000/events` stands on line 110 already: remove or change one of the two",
    ),
    (
        "      keys: \"12345\"",
        "      keys: \"12a\"",
        "line 118: `keys` of feedback must be different digits in quotes: write them as in \"12345\"",
    ),
    (
        "key: GKEY_DEMO, pairing",
        "key: OTHER_DEMO, pairing",
        "line 121: `key` of this device is no callone key of the tenant: use the `secret_key` of one in `keys`",
    ),
    (
        "pairing_code: \"482913\"",
        "pairing_code: \"48\"",
        "line 121: `pairing_code` is too short: write 4 to 12 digits in quotes",
    ),
    (
        "default_sim: 1",
        "default_sim: 0",
        "line 121: `default_sim` must be a whole number from 1 to 8: write one without quotes",
    ),
    (
        "destinations: [\"84\"]",
        "destinations: [84]",
        "line 126: `destinations` must be text, not a number: put each in quotes, as in \"84\"",
    ),
    (
        "destinations: [\"84\"]",
        "destinations: [moon]",
        "line 126: `moon` is no destination: write a country code, a prefix, mobile, landline, freephone, premium or short",
    ),
    (
        "silence_seconds: 60 ",
        "silence_seconds: \"60\" ",
        "line 128: `silence_seconds` must be a whole number from 1 to 86400: write one without quotes",
    ),
    (
        "null_type_on_hangup: true",
        "null_type_on_hangup: null_type",
        "line 131: `null_type_on_hangup` must be true or false, not text: write one of them",
    ),
    (
        "email: admin@example.test",
        "email: admin",
        "line 140: `admin` is no email address: write one as in owner@example.test",
    ),
    (
        "tenant: VPBX_DEMO, role: owner",
        "tenant: VPBX_OTHER, role: owner",
        "line 141: tenant `VPBX_OTHER` is not in the file: add it, or name another",
    ),
    (
        "tenant: VPBX_DEMO, role: owner",
        "role: owner",
        "line 141: this user needs `tenant`: add it, or write `role: operator`",
    ),
    (
        "password: change-me-please, role: operator",
        "password: change-me-please, role: operator, tenant: VPBX_DEMO",
        "line 140: an operator is of the whole server: remove `tenant`",
    ),
    (
        "password: change-me-please, role: operator",
        "password: change-me-please, role: boss",
        "line 140: `boss` is no word for `role`: write operator, owner, supervisor, agent or reader",
    ),
    (
        "email: owner@example.test",
        "email: ADMIN@example.test",
        "line 141: user `admin@example.test` stands on line 140 already: remove or change one of the two",
    ),
    (
        "\nusers:",
        "\n  - { name: VPBX_DEMO }\nusers:",
        "line 139: tenant `VPBX_DEMO` stands on line 12 already: remove or change one of the two",
    ),
    (
        "\nusers:",
        "\n  - { name: VPBX_MORE, default: true }\nusers:",
        "line 139: the tenant on line 12 is the default already: set `default: false` on one",
    ),
    (
        "\nusers:",
        "\n  - { name: VPBX_MORE, numbers: [{ number: \"+842873088088\", route: { extension: \"101\" } }], extensions: [{ number: \"101\", password: x }] }\nusers:",
        "line 139: number `842873088088` stands on line 79 already: remove or change one of the two",
    ),
    (
        "\nusers:",
        "\n  - { name: VPBX_MORE, keys: [{ kind: native, token: NATIVE_DEMO }] }\nusers:",
        "line 139: API key `native 47813d58d31bce34` stands on line 37 already: remove or change one of the two",
    ),
    ("\nusers:", "\n---\nusers:", "line 140: the file holds several documents: remove what follows `---`"),
];

#[test]
fn each_wrong_file_gets_its_line_and_a_sentence_that_says_what_to_do() {
    let mut wrong = Vec::new();
    for (was, is, expected) in WRONG {
        assert_eq!(EXAMPLE.matches(was).count(), 1, "`{was}` stands in the example once");
        let said = match parse(&EXAMPLE.replacen(was, is, 1)) {
            Ok(_) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        };
        if said != *expected {
            wrong.push(format!("{is}\n  said:     {said}\n  expected: {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_that_is_no_file_is_refused_too() {
    for (text, expected) in [
        ("", "the file is empty: write `tenants:` with a tenant"),
        ("# nothing\n", "the file is empty: write `tenants:` with a tenant"),
        ("- a\n- b\n", "line 1: the file must be a group of keys, not a list: write its keys below it"),
        ("\"a\\nb\": 1", "line 1: `a b` is not a key of the file: use trunks, tenants or users"),
        ("just text", "line 1: the file must be a group of keys, not text: write its keys below it"),
    ] {
        assert_eq!(parse(text).map_err(|error| error.to_string()).err().as_deref(), Some(expected), "{text:?}");
    }
    let deep = format!("tenants: {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(parse(&deep).is_err());
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
                c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
                tenants: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n";
    assert!(parse(bomb).is_err());
}

#[test]
fn a_large_file_is_read() {
    let extensions: String =
        (0..20_000).map(|at| format!("      - {{ number: \"{}\", password: pw }}\n", 100_000 + at)).collect();

    let read = parse(&format!("tenants:\n  - name: LARGE\n    extensions:\n{extensions}"));

    assert_eq!(read.map(|_| ()), Ok(()));
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_read_makes_it_panic(text in "(?s).{0,400}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_damage_to_the_example_makes_it_panic(
        from in 0..EXAMPLE.len(), length in 0..200_usize, text in "[\\PC\n\t]{0,20}",
    ) {
        let bytes = EXAMPLE.as_bytes();
        let damaged = [&bytes[..from], text.as_bytes(), &bytes[(from + length).min(bytes.len())..]].concat();

        if let Err(ProvisionError { line, sentence }) = parse(&String::from_utf8_lossy(&damaged)) {
            proptest::prop_assert!(!sentence.contains('\n') && sentence.len() < 600, "{}", sentence);
            proptest::prop_assert!(line.is_none_or(|line| line <= 160), "{:?}", line);
        }
    }
}
