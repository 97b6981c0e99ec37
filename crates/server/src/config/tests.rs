use std::collections::BTreeMap;

use super::*;

fn layers(flags: &[(&'static str, &str)], environment: &[(&str, &str)], file: &str) -> Result<Layers, Unusable> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tongdai.toml");
    std::fs::write(&path, file).expect("written");
    let mut map: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (name, value) in flags {
        map.entry(name).or_default().push((*value).to_owned());
    }
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Layers::read(map, environment, Some(&path))
}

fn load(flags: &[(&'static str, &str)], environment: &[(&str, &str)], file: &str) -> Result<Settings, Unusable> {
    Settings::load(&layers(flags, environment, file)?)
}

#[test]
fn without_settings_the_defaults_of_the_contract_hold() {
    let settings = load(&[], &[], "").expect("defaults");

    assert_eq!(settings.data_dir, PathBuf::from("data"));
    assert_eq!(settings.http, ["127.0.0.1:8080".parse().expect("an address")]);
    assert_eq!(settings.sip.len(), 1);
    assert_eq!(settings.sip[0].address, "0.0.0.0:5060".parse().expect("an address"));
    assert_eq!(settings.rtp[0].address, "0.0.0.0:0".parse().expect("an address"));
    assert_eq!(settings.rtp_ports, PortRange { first: 20_000, last: 29_999 });
    assert_eq!(settings.recordings, PathBuf::from("data/recordings"));
    assert_eq!(settings.min_free_mb, 500);
    assert_eq!(settings.realm, "tongdai");
    assert_eq!(settings.drain, Duration::from_secs(30));
    assert_eq!(settings.durability, Durability::Process);
    assert_eq!(settings.local_nets, None);
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let file = "realm = \"file\"\nhttp = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\ndrain_seconds = 7\n";
    let environment = [("TONGDAI_REALM", "environment"), ("TONGDAI_HTTP", "127.0.0.1:3 127.0.0.1:4")];

    let all = load(&[("realm", "flag"), ("http", "127.0.0.1:5")], &environment, file).expect("all");
    let two = load(&[], &environment, file).expect("two");
    let one = load(&[], &[], file).expect("one");

    let ports = |settings: &Settings| settings.http.iter().map(SocketAddr::port).collect::<Vec<_>>();
    assert_eq!((all.realm.as_str(), ports(&all)), ("flag", vec![5]));
    assert_eq!((two.realm.as_str(), ports(&two)), ("environment", vec![3, 4]));
    assert_eq!((one.realm.as_str(), ports(&one), one.drain.as_secs()), ("file", vec![1, 2], 7));
}

#[test]
fn an_interface_has_a_name_an_address_and_one_to_advertise() {
    let table = [
        ("192.0.2.1", "sip", "192.0.2.1:5060", None),
        ("192.0.2.1:5070", "sip", "192.0.2.1:5070", None),
        ("wan=192.0.2.1:0", "wan", "192.0.2.1:0", None),
        ("wan=192.0.2.1,advertise=203.0.113.9", "wan", "192.0.2.1:5060", Some("203.0.113.9:0")),
        ("192.0.2.1:5070,advertise=203.0.113.9:5061", "sip", "192.0.2.1:5070", Some("203.0.113.9:5061")),
        ("[2001:db8::1]:5070", "sip", "[2001:db8::1]:5070", None),
        ("2001:db8::1", "sip", "[2001:db8::1]:5060", None),
        ("localhost:0", "sip", "127.0.0.1:0", None),
    ];
    for (text, name, address, advertise) in table {
        let settings = load(&[("sip", text)], &[], "").expect(text);

        let sip = &settings.sip[0];
        assert_eq!(sip.name, name, "{text}");
        assert_eq!(sip.address, address.parse().expect("an address"), "{text}");
        assert_eq!(sip.advertise, advertise.map(|told| told.parse().expect("an address")), "{text}");
        assert_eq!(settings.rtp[0].address.ip(), sip.address.ip(), "{text}");
        assert_eq!(settings.rtp[0].address.port(), 0, "{text}");
    }
}

#[test]
fn two_sip_interfaces_on_one_address_share_its_sound() {
    let settings =
        load(&[("sip", "192.0.2.1:5060"), ("sip", "192.0.2.1:5070"), ("sip", "192.0.2.2")], &[], "").expect("three");

    let addresses: Vec<_> = settings.rtp.iter().map(|listen| listen.address.to_string()).collect();

    assert_eq!(addresses, ["192.0.2.1:0", "192.0.2.2:0"]);
}

#[test]
fn networks_stand_alone_or_in_a_list() {
    let settings = load(
        &[("unlimited-from", "127.0.0.0/8,192.0.2.7"), ("unlimited-from", "2001:db8::/32")],
        &[],
        "local-nets = \"none\"",
    )
    .expect("networks");

    let net = |text: &str| Network::parse(text).expect(text);
    assert_eq!(settings.unlimited_from, [net("127.0.0.0/8"), net("192.0.2.7/32"), net("2001:db8::/32")]);
    assert_eq!(settings.local_nets, Some(Vec::new()));
}

#[test]
fn links_begin_with_an_address_that_goes_on_by_a_path() {
    for (text, kept) in [
        ("https://pbx.example.test/", "https://pbx.example.test"),
        ("http://[2001:db8::1]:8080/pbx", "http://[2001:db8::1]:8080/pbx"),
    ] {
        assert_eq!(load(&[("public-url", text)], &[], "").expect(text).public_url.as_deref(), Some(kept));
    }
    for text in [
        "pbx.example.test",
        "https://",
        "https:///x",
        "https://a@b.test",
        "https://b.test/?x=",
        "https://b\"onload=.test",
    ] {
        assert!(load(&[("public-url", text)], &[], "").is_err(), "{text}");
    }
}

#[test]
fn listeners_for_tls_have_their_own_port_and_their_addresses_carry_sound_too() {
    let file = "sip = \"192.0.2.1\"\nsips = [\"192.0.2.1\", \"safe=192.0.2.2:5071\"]\ntls-unchecked = \"192.0.2.0/24\"\ndns = \"192.0.2.53\"\n";

    let settings = load(&[], &[], file).expect("settings");

    let sips: Vec<_> = settings.sips.iter().map(|listen| (listen.name.as_str(), listen.address.to_string())).collect();
    assert_eq!(sips, [("sips", "192.0.2.1:5061".into()), ("safe", "192.0.2.2:5071".into())]);
    let rtp: Vec<_> = settings.rtp.iter().map(|listen| listen.address.ip().to_string()).collect();
    assert_eq!(rtp, ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(settings.trust.unchecked, [Network::parse("192.0.2.0/24").expect("a network")]);
    assert_eq!(settings.dns, Some(vec!["192.0.2.53:53".parse().expect("an address")]));
    assert_eq!(settings.tls_files, None);
}

#[test]
fn a_wrong_value_is_one_sentence_with_its_place_and_the_remedy() {
    type Row<'a> = (&'a [(&'static str, &'a str)], &'a [(&'a str, &'a str)], &'a str, &'a str);
    let table: &[Row<'_>] = &[
        (
            &[("http", "127.0.0.1:99999")],
            &[],
            "",
            "--http 127.0.0.1:99999: this is no address: write ADDR or ADDR:PORT with a port from 0 to 65535, as 127.0.0.1:8080",
        ),
        (
            &[],
            &[("TONGDAI_RTP_PORTS", "5-4")],
            "",
            "TONGDAI_RTP_PORTS=5-4: write two ports from 1024 to 65535, the lower one first, as 20000-29999",
        ),
        (
            &[],
            &[],
            "# ours\n\ndrain-seconds = \"soon\"\n",
            "tongdai.toml:3: drain-seconds = \"soon\": write a whole number of seconds, 0 to 86400",
        ),
        (&[], &[], "realm = true", "tongdai.toml:1: realm takes text: write realm = \"NAME\""),
        (
            &[],
            &[],
            "realm = \"a\"\nrealm = \"b\"",
            "tongdai.toml:2: this is no TOML (duplicate key): write name = \"value\"",
        ),
        (
            &[("tls-key", "ours.key")],
            &[],
            "",
            "--tls-key ours.key: certificate and key go together: set tls-certificate too",
        ),
        (
            &[],
            &[],
            "tls_certificate = \"ours.crt\"",
            "tls_certificate = \"ours.crt\": certificate and key go together: set tls-key too",
        ),
        (
            &[("https", "anywhere:443")],
            &[],
            "",
            "--https anywhere:443: this is no address: write ADDR or ADDR:PORT with a port from 0 to 65535, as 127.0.0.1:8080",
        ),
        (
            &[("database", "mysql://me:hunter2@db.example/tongdai?password=hunter3")],
            &[],
            "",
            "--database mysql://***@db.example/tongdai: records are kept in SQLite or PostgreSQL: write sqlite, \
             sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME",
        ),
        (
            &[("min-free-mb", "much")],
            &[],
            "",
            "--min-free-mb much: write a whole number of megabytes, 0 to 100000000; 0 means that nobody looks",
        ),
        (
            &[("recordings", "s3://bucket")],
            &[],
            "",
            "--recordings s3://bucket: recordings are kept in a folder: name one",
        ),
        (&[("durability", "high")], &[], "", "--durability high: there are two kinds: write process or power"),
        (
            &[("sip", "192.0.2.1,advertize=192.0.2.2")],
            &[],
            "",
            "--sip 192.0.2.1,advertize=192.0.2.2: `advertize=192.0.2.2` is unknown: after the comma comes advertise=ADDR[:PORT]",
        ),
        (
            &[("sip", "192.0.2.1,advertise=0.0.0.0")],
            &[],
            "",
            "--sip 192.0.2.1,advertise=0.0.0.0: nobody can be told to send to 0.0.0.0: advertise an address of ours",
        ),
        (
            &[("sip", "192.0.2.1"), ("sip", "192.0.2.1:5060")],
            &[],
            "",
            "--sip: 192.0.2.1:5060 is given twice: leave one out",
        ),
        (
            &[("sip", "a=192.0.2.1"), ("sip", "a=192.0.2.2")],
            &[],
            "",
            "--sip: two interfaces are named `a`: name each NAME=ADDR",
        ),
        (
            &[("rtp", "192.0.2.1:4000")],
            &[],
            "",
            "--rtp 192.0.2.1:4000: sound has no one port: leave it out and set --rtp-ports",
        ),
        (
            &[("admin-token", "short")],
            &[],
            "",
            "--admin-token …: a token is 8 to 256 letters, digits and signs without spaces: choose another",
        ),
        (
            &[("unlimited-from", "192.0.2.0/33")],
            &[],
            "",
            "--unlimited-from 192.0.2.0/33: this is no network: write it as 192.0.2.0/24, or one address",
        ),
    ];
    for (flags, environment, file, sentence) in table {
        let error = load(flags, environment, file).expect_err(sentence);

        assert!(error.0.ends_with(sentence), "{error}\n instead of\n{sentence}");
    }
}

#[test]
fn an_unknown_key_of_the_file_is_refused_with_its_line() {
    let error = load(&[], &[], "realm = \"x\"\nsipp = \"0.0.0.0\"\n").expect_err("unknown");

    assert!(error.0.contains("/tongdai.toml:2: there is no setting `sipp`: use one of data-dir, http,"), "{error}");
}

#[test]
fn broken_toml_names_the_line() {
    let error = load(&[], &[], "realm = \"x\"\nhttp 5\n").expect_err("broken");

    assert!(error.0.contains("/tongdai.toml:2: this is no TOML ("), "{error}");
    assert_eq!(error.0.lines().count(), 1);
}

#[test]
fn a_named_file_that_is_missing_is_refused() {
    let error =
        Layers::read(BTreeMap::new(), [], Some(std::path::Path::new("/nowhere/tongdai.toml"))).expect_err("missing");

    assert!(error.0.starts_with("/nowhere/tongdai.toml: ") && error.0.contains("--config"), "{error}");
}

#[test]
fn the_address_of_a_running_server_is_one_that_can_be_reached() {
    let table = [
        ("127.0.0.1:1", "http://127.0.0.1:1"),
        ("0.0.0.0:1", "http://127.0.0.1:1"),
        ("[::]:1", "http://[::1]:1"),
        ("https://pbx.example.test/", "https://pbx.example.test"),
    ];
    for (given, url) in table {
        let remote = Remote::load(&layers(&[("http", given), ("admin-token", "ADMIN_DEMO")], &[], "").expect(given));

        assert_eq!(remote.expect(given), Remote { url: url.into(), admin_token: "ADMIN_DEMO".into() });
    }
}

#[test]
fn prompts_are_spoken_by_a_program_a_service_or_not_at_all() {
    use crate::speech::SpeechDriver;

    let usual = load(&[], &[], "").expect("defaults").speech;
    let flags = [
        ("speech", "http"),
        ("speech-url", "https://speech.example.test/v1/text:synthesize"),
        ("speech-key", "SPEECHKEY_DEMO"),
        ("speech-voice", "vi=vi-VN-Standard-A"),
        ("speech-rate", "90"),
    ];
    let service = load(&flags, &[], "").expect("a service").speech;
    let none = load(&[("speech", "none")], &[], "").expect("nothing").speech;

    assert_eq!((usual.driver, usual.voices.len(), usual.rate), (SpeechDriver::Espeak, 0, 100));
    assert!(!format!("{service:?}").contains("SPEECHKEY"));
    assert!(matches!(service.driver, SpeechDriver::Http { key: Some(_), .. }) && service.rate == 90);
    assert_eq!(service.voices[&model::Language::Vi], "vi-VN-Standard-A");
    assert_eq!(none.driver, SpeechDriver::None);
    for wrong in [
        ("speech", "http"),
        ("speech", "loud"),
        ("speech-url", "speech.example.test"),
        ("speech-key", ""),
        ("speech-voice", "fr=fr"),
        ("speech-voice", "vi=-w"),
        ("speech-rate", "10"),
    ] {
        assert!(load(&[wrong], &[], "").is_err(), "{wrong:?}");
    }
}
