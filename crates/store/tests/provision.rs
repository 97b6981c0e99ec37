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
    extensions: [{ number: \"101\", password: pw }, { number: \"102\", password: pw, voicemail: {} }]
    trunks: [{ name: carrier, address: \"127.0.0.1:5090\" }]
    outbound: [{ trunks: [carrier] }]
    numbers: [{ number: \"02873088088\", route: { extension: \"101\" } }]
    groups: [{ number: \"600\" }]
    queues: [{ number: \"700\" }]
    menus: [{ name: main, say: { vi: Xin chào } }]
    hours: [{ name: office }]
    sounds: [{ name: jazz }]
    webhooks: [{ kind: events, url: \"http://127.0.0.1/\" }, { kind: feedback, url: \"http://127.0.0.1/\" }]
    devices: [{ name: Phone, key: G, pairing_code: \"482913\" }]
  - { name: VPBX_PARKING, parking: { first: \"801\" } }
users:
  - { email: a@example.test, password: pw, role: operator }
";
    let whole = format!("{:?}", parse(short).expect("it is right"));

    for expected in [
        "display_name: \"VPBX_DEMO\", timezone: \"Asia/Ho_Chi_Minh\", language: Vi, country: \"84\", default: false, \
         sip_domains: [], digest: [Md5]",
        "keys: \"12345\" }",
        "limits: Limits { concurrent_calls: 100, calls_per_second: 20, destinations: [\"84\"], max_call_seconds: 14400, \
         silence_seconds: 60, daily_minutes: None }",
        "music: None, announce_recording: None, parking: None, feature_codes: FeatureCodes({Record: \"*1\", \
         Conference: \"*3\", PickUp: \"*8\",",
        "Voicemail: \"*97\"})",
        "Switches { null_type_on_hangup: true, lower_case_states: false, feedback_md5_with_bars: true }",
        "webhook_private_addresses: false",
        "otp_requires_secret: false, allowed_addresses: [], socket_sessions: 20, hub: false",
        "monthly_quota: Some(10000), expires_at: None, enabled: true",
        "role: Owner }",
        "record: false, caller_id: None, ring_seconds: 30, lines: 2, auto_answer: false, forward: Forward { always: None, \
         busy: None, no_answer: None, unreachable: None }, do_not_disturb: false, voicemail: None, pickup_group: None, \
         supervisor: false, skills: {} }",
        "voicemail: Some(Mailbox { mail: None, greeting: None, max_seconds: 180, max_messages: 100 })",
        "transport: \"udp\", username: None, password: None, register: false, accept_from: [], did_from: RequestUri, \
         outbound_proxy: None, media_from: [], srtp: \"none\", trusted: false, via: None, max_calls: 100, \
         max_calls_per_second: 20, codecs: [Pcma, Pcmu], dial_format: National, identity: From, forwarded_caller: Own, health_seconds: None }",
        "Outbound { prefix: \"0\", trunks: [\"carrier\"], strip: 0, prepend: \"\" }",
        "strategy: RingAll, members: [], ring_seconds: 30, overflow: None }",
        "strategy: LongestIdle, members: [], max_wait_seconds: 300, announce_position: true, ring_seconds: 15, \
         misses_before_pause: 2, wrap_up_seconds: 10, service_level_seconds: None, answer_at_once: true, overflow: None, priority: 0, \
         skills: {}, max_waiting: None, wait_when_empty: false, announce_wait: false, announce_seconds: 60, \
         greeting: None, music: None }",
        "prompt: Say(Spoken { vi: \"Xin chào\", en: \"Xin chào\" }), keys: {}, timeout_seconds: 5, tries: 3, default: None",
        "Hours { name: \"office\", open: [], holidays: [] }",
        "NamedSound { name: \"jazz\", say: None }",
        "parking: Some(Parking { first: 801, places: 10, seconds: 120 })",
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
    ("users:     ", "usres:     ", "line 168: `usres` is not a key of the file: use trunks, tenants or users"),
    (
        "    language: vi   ",
        "    langauge: vi   ",
        "line 15: `langauge` is not a key of a tenant: use name, display_name, timezone, language, country, default, sip_domains, digest, feedback, limits, switches, webhook_private_addresses, transfer_ring_back, keep, music, announce_recording, parking, feature_codes, keys, extensions, trunks, outbound, numbers, groups, queues, menus, hours, sounds, webhooks or devices",
    ),
    (
        "        name: Sales desk",
        "        nmae: Sales desk",
        "line 43: `nmae` is not a key of an extension: use number, name, password, record, caller_id, ring_seconds, lines, auto_answer, forward, do_not_disturb, voicemail, pickup_group, supervisor or skills",
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
        "line 12: `display` is not a key of a tenant: use name, display_name, timezone, language, country, default, sip_domains, digest, feedback, limits, switches, webhook_private_addresses, transfer_ring_back, keep, music, announce_recording, parking, feature_codes, keys, extensions, trunks, outbound, numbers, groups, queues, menus, hours, sounds, webhooks or devices",
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
    ("password: pw-102, ", "", "line 56: an extension needs `password`: add it"),
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
        "line 56: extension, group or queue `101` stands on line 42 already: remove or change one of the two",
    ),
    (
        "record: true, voice",
        "record: maybe, voice",
        "line 56: `record` must be true or false, not text: write one of them",
    ),
    (
        "address: 127.0.0.1:5090  ",
        "address: 127.0.0.1  ",
        "line 60: `127.0.0.1` is no address for `address`: write host:port, as in 127.0.0.1:5060",
    ),
    (
        "address: 127.0.0.1:5090  ",
        "address: 127.0.0.1:99999  ",
        "line 60: `127.0.0.1:99999` is no address for `address`: write host:port, as in 127.0.0.1:5060",
    ),
    (
        "transport: udp  ",
        "transport: sctp  ",
        "line 61: `sctp` is no word for `transport`: write udp, tcp, tls or auto",
    ),
    (
        "username: null  ",
        "username: me  ",
        "line 62: `username` and `password` of a trunk go together: write both, or leave both out",
    ),
    ("register: false", "register: true", "line 64: a trunk that registers needs `username` and `password`: add them"),
    (
        "accept_from: [127.0.0.1] ",
        "accept_from: [carrier] ",
        "line 65: `carrier` is no source for `accept_from`: write an address, address:port or network, as in 192.0.2.0/24",
    ),
    (
        "accept_from: [127.0.0.1] ",
        "accept_from: 127.0.0.1 ",
        "line 65: `accept_from` must be a list, not text: write `accept_from: [ … ]`",
    ),
    (
        "did_from: request_uri  ",
        "did_from: uri  ",
        "line 66: `uri` is no word for `did_from`: write request_uri, to or p_called_party_id",
    ),
    ("srtp: none ", "srtp: some ", "line 69: `some` is no word for `srtp`: write none, optional or required"),
    (
        "max_calls: 100",
        "max_calls: 1.5",
        "line 72: `max_calls` must be a whole number from 1 to 1000000: write one without quotes",
    ),
    (
        "codecs: [pcma, pcmu]\n",
        "codecs: [pcma, mp3]\n",
        "line 74: `mp3` is no word for `codecs`: write pcma, pcmu, g722 or opus",
    ),
    (
        "dial_format: national ",
        "dial_format: local ",
        "line 75: `local` is no word for `dial_format`: write national, e164 or international",
    ),
    ("identity: from  ", "identity: rpid  ", "line 76: `rpid` is no word for `identity`: write from or pai"),
    (
        "forwarded_caller: own  ",
        "forwarded_caller: theirs  ",
        "line 77: `theirs` is no word for `forwarded_caller`: write own or caller",
    ),
    (
        "health_seconds: null  ",
        "health_seconds: 86400  ",
        "line 78: `health_seconds` must be a whole number from 0 to 3600: write one without quotes",
    ),
    (
        "trunks: [carrier], strip",
        "trunks: [courier], strip",
        "line 82: trunk `courier` does not exist: add it to `trunks`, or name another",
    ),
    (
        "trunks: [carrier], strip: 0",
        "trunks: [], strip: 0",
        "line 82: an outbound rule needs `trunks`: name at least one",
    ),
    (
        "prefix: \"0\", trunks",
        "prefix: \"zero\", trunks",
        "line 82: `zero` cannot be dialled as `prefix`: use up to 32 digits, *, # and +, in quotes",
    ),
    (
        "trunks: []  ",
        "trunks: [{ name: carrier, address: \"127.0.0.1:5091\" }]  ",
        "line 59: trunk `carrier` is one of the operator's already: choose another name",
    ),
    (
        "- number: \"02873088089\"",
        "- number: \"02873088088\"",
        "line 87: number `842873088088` stands on line 85 already: remove or change one of the two",
    ),
    (
        "- number: \"02873088089\"",
        "- number: \"0287abc\"",
        "line 87: `0287abc` is not a phone number: use digits, with + in front at most, in quotes, as in \"02873088088\"",
    ),
    (
        "- number: \"02873088089\"",
        "- number: 02873088089",
        "line 87: `number` must be text, not a number: put it in quotes",
    ),
    (
        "route: { menu: main }",
        "route: { menu: mian }",
        "line 96: menu `mian` does not exist: add it to `menus`, or name another",
    ),
    (
        "route: { menu: main }",
        "route: { menu: main, queue: \"700\" }",
        "line 96: `route` must lead to one thing: write extension, group, queue, menu, crm, voicemail, play, outside or hours with its value",
    ),
    (
        "route: { menu: main }",
        "route: main",
        "line 96: `route` cannot be text: write where it leads, as in `route: { extension: \"101\" }`",
    ),
    (
        "route: { queue: \"700\" }",
        "route: { mailbox: \"700\" }",
        "line 98: `mailbox` is not a key of a route: use extension, group, queue, menu, crm, voicemail, play, outside or hours",
    ),
    (
        "url: http://127.0.0.1:9000/route?action=GetRouting",
        "url: 127.0.0.1:9000/route",
        "line 92: `127.0.0.1:9000/route` is no URL for `url`: write one that begins with http:// or https://",
    ),
    (
        "timeout_ms: 3000",
        "timeout_ms: 3",
        "line 93: `timeout_ms` must be a whole number from 100 to 30000: write one without quotes",
    ),
    (
        "            default: { group: \"600\" }",
        "            default: { crm: { url: \"http://a/\", default: { group: \"600\" } } }",
        "line 94: the default of a crm route cannot ask a CRM again: write extension, group, queue or menu",
    ),
    (
        "strategy: ring_all, members: [\"101\", \"102\"]",
        "strategy: ring_all, members: [\"101\", \"103\"]",
        "line 108: member `103` is no extension: add it to `extensions`, or remove it here",
    ),
    (
        "strategy: ring_all, members: [\"101\", \"102\"]",
        "strategy: ring_all, members: [\"101\", \"101\"]",
        "line 108: `101` stands in `members` twice: remove one of the two",
    ),
    (
        "strategy: ring_all",
        "strategy: loudest",
        "line 108: `loudest` is no word for `strategy`: write ring_all, in_order or least_recent",
    ),
    (
        "{ number: \"600\", name: Sales",
        "{ number: \"101\", name: Sales",
        "line 108: extension, group or queue `101` stands on line 42 already: remove or change one of the two",
    ),
    (
        "overflow: { extension: \"101\" }",
        "overflow: { queue: \"700\" }",
        "line 112: `overflow` leads to the same again: name another target",
    ),
    (
        "answer: at_once, overflow",
        "answer: later, overflow",
        "line 112: `later` is no word for `answer`: write at_once or by_agent",
    ),
    (
        "\"2\": { queue: \"700\" } }",
        "\"12\": { queue: \"700\" } }",
        "line 118: `12` is no key of a phone: use one of 0-9, * and #, in quotes",
    ),
    (
        "        default: { extension: \"101\" }\n\n    hours:",
        "        default: { group: \"601\" }\n\n    hours:",
        "line 121: group `601` does not exist: add it to `groups`, or name another",
    ),
    (
        "        tries: 3",
        "        tries: 0",
        "line 120: `tries` must be a whole number from 1 to 20: write one without quotes",
    ),
    (
        "url: \"http://127.0.0.1:9000/missed\"",
        "url: \"ftp://127.0.0.1:9000/missed\"",
        "line 139: `ftp://127.0.0.1:9000/missed` is no URL for `url`: write one that begins with http:// or https://",
    ),
    (
        "kind: autocall, url",
        "kind: autocalls, url",
        "line 140: `autocalls` is no word for `kind`: write events, missed, autocall, feedback or native",
    ),
    (
        "method: post_json, secret: null",
        "method: put, secret: null",
        "line 138: `put` is no word for `method`: write post_json, get_json, get_query or post_form",
    ),
    (
        "method: post_json, secret: null",
        "method: post_json, secret: hush",
        "line 138: `secret` of a webhook must be whsec_ and up to 64 bytes in base64: write null to have one made",
    ),
    (
        "url: \"http://127.0.0.1:9000/feedback\" ",
        "url: \"http://127.0.0.1:9000/feedback\", method: post_json ",
        "line 141: a feedback webhook is always sent by GET: remove `method`",
    ),
    (
        "kind: missed,   url: \"http://127.0.0.1:9000/missed\"",
        "kind: events,   url: \"http://127.0.0.1:9000/events\"",
        "line 139: webhook `events http://127.0.0.1:9000/events` stands on line 138 already: remove or change one of the two",
    ),
    (
        "      keys: \"12345\"",
        "      keys: \"12a\"",
        "line 146: `keys` of feedback must be different digits in quotes: write them as in \"12345\"",
    ),
    (
        "key: GKEY_DEMO, pairing",
        "key: OTHER_DEMO, pairing",
        "line 149: `key` of this device is no callone key of the tenant: use the `secret_key` of one in `keys`",
    ),
    (
        "pairing_code: \"482913\"",
        "pairing_code: \"48\"",
        "line 149: `pairing_code` is too short: write 4 to 12 digits in quotes",
    ),
    (
        "default_sim: 1",
        "default_sim: 0",
        "line 149: `default_sim` must be a whole number from 1 to 8: write one without quotes",
    ),
    (
        "destinations: [\"84\"]",
        "destinations: [84]",
        "line 154: `destinations` must be text, not a number: put each in quotes, as in \"84\"",
    ),
    (
        "destinations: [\"84\"]",
        "destinations: [moon]",
        "line 154: `moon` is no destination: write a country code, a prefix, mobile, landline, freephone, premium or short",
    ),
    (
        "silence_seconds: 60 ",
        "silence_seconds: \"60\" ",
        "line 156: `silence_seconds` must be a whole number from 1 to 86400: write one without quotes",
    ),
    (
        "null_type_on_hangup: true",
        "null_type_on_hangup: null_type",
        "line 160: `null_type_on_hangup` must be true or false, not text: write one of them",
    ),
    (
        "email: admin@example.test",
        "email: admin",
        "line 169: `admin` is no email address: write one as in owner@example.test",
    ),
    (
        "tenant: VPBX_DEMO, role: owner",
        "tenant: VPBX_OTHER, role: owner",
        "line 170: tenant `VPBX_OTHER` is not in the file: add it, or name another",
    ),
    (
        "tenant: VPBX_DEMO, role: owner",
        "role: owner",
        "line 170: this user needs `tenant`: add it, or write `role: operator`",
    ),
    (
        "password: change-me-please, role: operator",
        "password: change-me-please, role: operator, tenant: VPBX_DEMO",
        "line 169: an operator is of the whole server: remove `tenant`",
    ),
    (
        "password: change-me-please, role: operator",
        "password: change-me-please, role: boss",
        "line 169: `boss` is no word for `role`: write operator, owner, supervisor, agent or reader",
    ),
    (
        "email: owner@example.test",
        "email: ADMIN@example.test",
        "line 170: user `admin@example.test` stands on line 169 already: remove or change one of the two",
    ),
    (
        "\nusers:",
        "\n  - { name: VPBX_DEMO }\nusers:",
        "line 168: tenant `VPBX_DEMO` stands on line 12 already: remove or change one of the two",
    ),
    (
        "\nusers:",
        "\n  - { name: VPBX_MORE, default: true }\nusers:",
        "line 168: the tenant on line 12 is the default already: set `default: false` on one",
    ),
    (
        "\nusers:",
        "\n  - { name: VPBX_MORE, numbers: [{ number: \"+842873088088\", route: { extension: \"101\" } }], extensions: [{ number: \"101\", password: x }] }\nusers:",
        "line 168: number `842873088088` stands on line 85 already: remove or change one of the two",
    ),
    (
        "\nusers:",
        "\n  - { name: VPBX_MORE, keys: [{ kind: native, token: NATIVE_DEMO }] }\nusers:",
        "line 168: API key `native 47813d58d31bce34` stands on line 37 already: remove or change one of the two",
    ),
    (
        "{ mail: support@example.test }",
        "{ mail: support }",
        "line 56: `support` is no email address: write one as in owner@example.test",
    ),
    (
        "{ mail: support@example.test }",
        "{ max_seconds: 4 }",
        "line 56: `max_seconds` must be a whole number from 5 to 3600: write one without quotes",
    ),
    (
        "{ mail: support@example.test }",
        "{ max_messages: 0 }",
        "line 56: `max_messages` must be a whole number from 1 to 1000: write one without quotes",
    ),
    (
        "{ mail: support@example.test }",
        "{ greeting: { sound: hello } }",
        "line 56: sound `hello` does not exist: add it to `sounds`, or name another",
    ),
    (
        "{ mail: support@example.test }",
        "{ male: support@example.test }",
        "line 56: `male` is not a key of a mailbox: use mail, greeting, max_seconds or max_messages",
    ),
    (
        "forward: { always: null, busy",
        "forward: { always: voicemail, busy",
        "line 42: extension 101 has no mailbox to forward to: add `voicemail: {}`",
    ),
    (
        "forward: { always: null, busy",
        "forward: { always: somebody, busy",
        "line 50: `somebody` cannot be dialled for `always`: write a number in quotes",
    ),
    (
        "forward: { always: null, busy",
        "forward: { allways: null, busy",
        "line 50: `allways` is not a key of forward: use always, busy, no_answer or unreachable",
    ),
    (
        "do_not_disturb: false  ",
        "do_not_disturb: off-duty  ",
        "line 51: `do_not_disturb` must be true or false, not text: write one of them",
    ),
    (
        "pickup_group: null  ",
        "pickup_group: \"front desk\"  ",
        "line 53: `front desk` is no name of a pick-up group: use up to 64 of a-z, A-Z, 0-9, `_`, `-` and `.`",
    ),
    (
        "supervisor: false  ",
        "supervisor: 1  ",
        "line 54: `supervisor` must be true or false, not a number: write one of them",
    ),
    (
        "        skills: {}  ",
        "        skills: [english]  ",
        "line 55: `skills` must give levels to skills: write `skills: { english: 3 }`",
    ),
    (
        "        skills: {}  ",
        "        skills: { english: 101 }  ",
        "line 55: `english` must have a level: write a whole number from 0 to 100",
    ),
    (
        "open: { queue: \"700\" }",
        "open: { queue: \"701\" }",
        "line 103: queue `701` does not exist: add it to `queues`, or name another",
    ),
    (
        "closed: { voicemail: \"102\" }",
        "closed: { voicemail: \"101\" }",
        "line 104: extension `101` has no mailbox: add `voicemail: {}` to it, or name another",
    ),
    (
        "closed: { voicemail: \"102\" }",
        "closed: { hours: { name: office, open: { group: \"600\" }, closed: { group: \"600\" } } }",
        "line 104: `closed` cannot go by hours again: write where the call goes then",
    ),
    (
        "closed: { voicemail: \"102\" }",
        "closed: { outside: nobody }",
        "line 104: `nobody` cannot be dialled for `outside`: write a number in quotes",
    ),
    ("            closed: { voicemail: \"102\" }\n", "", "line 102: a route by hours needs `closed`: add it"),
    (
        "            name: office\n            open",
        "            name: shop\n            open",
        "line 102: hours `shop` does not exist: add it to `hours`, or name another",
    ),
    (
        "holiday: { play: { say: { vi: \"Hôm nay công ty nghỉ lễ.\", en: \"We are closed for the holiday.\" } } }",
        "holiday: { play: {} }",
        "line 105: `play` plays nothing: write `say` with words, or `sound` with the name of one",
    ),
    (
        "holiday: { play: { say: { vi: \"Hôm nay công ty nghỉ lễ.\", en: \"We are closed for the holiday.\" } } }",
        "holiday: { play: { say: { vi: Nghỉ lễ }, sound: jazz } }",
        "line 105: `say` and `sound` cannot both be played: remove one of the two",
    ),
    (
        "holiday: { play: { say: { vi: \"Hôm nay công ty nghỉ lễ.\", en: \"We are closed for the holiday.\" } } }",
        "holiday: { play: { say: {} } }",
        "line 105: `say` says nothing: write `vi`, `en` or both",
    ),
    (
        "holiday: { play: { say: { vi: \"Hôm nay công ty nghỉ lễ.\", en: \"We are closed for the holiday.\" } } }",
        "holiday: { play: { say: { fr: Fermé } } }",
        "line 105: `fr` is not a key of what is spoken: use vi or en",
    ),
    (
        "overflow: { voicemail: \"102\" }",
        "overflow: { group: \"600\" }",
        "line 108: `overflow` leads to the same again: name another target",
    ),
    (
        "priority: 0,",
        "priority: high,",
        "line 113: `priority` must be a whole number from 0 to 100: write one without quotes",
    ),
    (
        "max_waiting: null",
        "max_waiting: -1",
        "line 113: `max_waiting` must be a whole number from 0 to 10000: write one without quotes",
    ),
    (
        "wait_when_empty: false",
        "wait_when_empty: never",
        "line 113: `wait_when_empty` must be true or false, not text: write one of them",
    ),
    (
        "announce_wait: false",
        "announce_wait: 60",
        "line 113: `announce_wait` must be true or false, not a number: write one of them",
    ),
    (
        "announce_seconds: 60",
        "announce_seconds: 1",
        "line 113: `announce_seconds` must be a whole number from 10 to 3600: write one without quotes",
    ),
    (
        "greeting: { sound: welcome }",
        "greeting: { sound: hello }",
        "line 113: sound `hello` does not exist: add it to `sounds`, or name another",
    ),
    (
        "greeting: { sound: welcome }",
        "greeting: welcome",
        "line 113: a prompt must be a group of keys, not text: write its keys below it",
    ),
    (
        "{ sound: welcome }, music: null",
        "{ sound: welcome }, music: pop",
        "line 113: sound `pop` does not exist: add it to `sounds`, or name another",
    ),
    (
        "        say: { vi: \"Xin chào. Bấm một",
        "        sound: welcome\n        say: { vi: \"Xin chào. Bấm một",
        "line 117: `say` and `sound` cannot both be played: remove one of the two",
    ),
    (
        "\"mon-fri 08:00-12:00\"",
        "\"mon-fri 8-12\"",
        "line 125: `mon-fri 8-12` tells no hours: write days and times, as in `mon-fri 08:00-17:30` or `sat 09:00-12:00`",
    ),
    (
        "\"2027-02-05..2027-02-11\"",
        "\"2027-02-30\"",
        "line 126: `2027-02-30` is no holiday: write a day (2027-01-01), days (2027-02-05..2027-02-11), or a day of each year (09-02)",
    ),
    (
        "      - { name: jazz }",
        "      - { name: welcome }",
        "line 130: sound `welcome` stands on line 129 already: remove or change one of the two",
    ),
    (
        "      - { name: jazz }",
        "      - { name: cool jazz }",
        "line 130: `cool jazz` is no name of a sound: use up to 64 of a-z, A-Z, 0-9, `_`, `-` and `.`",
    ),
    ("music: jazz ", "music: pop ", "line 132: sound `pop` does not exist: add it to `sounds`, or name another"),
    (
        "announce_recording: null ",
        "announce_recording: true ",
        "line 133: a prompt must be a group of keys, not true or false: write its keys below it",
    ),
    (
        "announce_recording: null ",
        "announce_recording: { sound: hello } ",
        "line 133: sound `hello` does not exist: add it to `sounds`, or name another",
    ),
    (
        "parking: { first: \"801\", places: 10,",
        "parking: { first: \"801\", places: 0,",
        "line 134: `places` must be a whole number from 1 to 100: write one without quotes",
    ),
    (
        "parking: { first: \"801\", places: 10,",
        "parking: { first: \"995\", places: 10,",
        "line 134: `first` and the places after it must have as many digits and begin with no 0: write \"801\"",
    ),
    (
        "parking: { first: \"801\",",
        "parking: { first: 801,",
        "line 134: `first` must be text, not a number: put it in quotes",
    ),
    (
        "feature_codes: {} ",
        "feature_codes: { pickup: \"*8\" } ",
        "line 135: `pickup` is not a key of feature_codes: use record, conference, pick_up, sign_in, sign_out, pause, resume, listen, whisper, barge, park, forward_always, forward_off, forward_busy, forward_no_answer, forward_unreachable, do_not_disturb, do_not_disturb_off or voicemail",
    ),
    ("feature_codes: {} ", "feature_codes: { pick_up: \"78\" } ", "line 135: `78` is no code: write one as in \"*78\""),
    (
        "feature_codes: {} ",
        "feature_codes: { pick_up: \"*97\" } ",
        "line 135: `*97` is the code of voicemail too: choose another",
    ),
    (
        "daily_minutes: null ",
        "daily_minutes: 1h ",
        "line 157: `daily_minutes` must be a whole number from 0 to 100000000: write one without quotes",
    ),
    ("\nusers:", "\n---\nusers:", "line 169: the file holds several documents: remove what follows `---`"),
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
            proptest::prop_assert!(line.is_none_or(|line| line as usize <= EXAMPLE.lines().count() + 20), "{:?}", line);
        }
    }
}
