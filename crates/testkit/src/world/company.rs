//! The companies of the world, as settings for the engine and the directory for the door.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use model::{
    Codec, DialFormat, DidFrom, DigestAlgorithm, DigestSecret, Directory, Extension, Group, Language, Limits,
    NumberRoute, Outbound, Queue, Route, Strategy, Switches, TenantEntry, TenantId, TenantSettings, Trunk,
    TrunkAddress, TrunkContact,
};
use sip::digest::{Algorithm, ha1};

/// The digest realm of the world.
pub const REALM: &str = "tongdai";

/// One company, as it is set up.
#[derive(Clone, Debug)]
pub struct Company {
    /// What the engine knows.
    pub settings: TenantSettings,
    /// What its phones put behind the @.
    pub domain: String,
    /// Whether requests that name no company are its.
    pub default: bool,
}

impl Company {
    /// A company with these extensions; its number 0 is `number`, which reaches the first of them.
    pub fn new(id: i64, name: &str, extensions: &[&str], number: &str, carrier: (&str, SocketAddr)) -> Self {
        let extension = |number: &str| Extension {
            number: number.into(),
            // The name says whose it is, so that a display name seen elsewhere gives a leak away.
            name: format!("{name} desk {number}"),
            digests: digests(name, number),
            record: false,
            caller_id: None,
            ring_seconds: 30,
            lines: 2,
            auto_answer: false,
            forward: Default::default(),
            do_not_disturb: false,
            voicemail: None,
            pickup_group: None,
            supervisor: false,
            skills: Default::default(),
        };
        let settings = TenantSettings {
            id: TenantId(id),
            version: 1,
            name: name.into(),
            display_name: name.into(),
            timezone: "Asia/Ho_Chi_Minh".into(),
            zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(7)),
            language: Language::Vi,
            country: "84".into(),
            digest: vec![DigestAlgorithm::Md5],
            extensions: extensions.iter().map(|number| ((*number).to_owned(), extension(number))).collect(),
            trunks: vec![trunk(carrier)],
            outbound: vec![Outbound {
                prefix: "0".into(),
                trunks: vec![carrier.0.into()],
                strip: 0,
                prepend: String::new(),
            }],
            numbers: [(
                number.to_owned(),
                NumberRoute { number: number.into(), route: Route::Extension(extensions[0].into()) },
            )]
            .into(),
            groups: [(
                "600".to_owned(),
                Group {
                    number: "600".into(),
                    name: "Sales".into(),
                    strategy: Strategy::RingAll,
                    members: extensions.iter().map(|number| (*number).to_owned()).collect(),
                    ring_seconds: 30,
                    overflow: None,
                },
            )]
            .into(),
            queues: [(
                "700".to_owned(),
                Queue {
                    number: "700".into(),
                    name: "Support".into(),
                    strategy: Strategy::LongestIdle,
                    members: vec![extensions[0].into()],
                    max_wait_seconds: 300,
                    announce_position: false,
                    ring_seconds: 20,
                    misses_before_pause: 3,
                    wrap_up_seconds: 10,
                    service_level_seconds: None,
                    answer_at_once: true,
                    overflow: None,
                    priority: 0,
                    skills: BTreeMap::new(),
                    max_waiting: None,
                    wait_when_empty: false,
                    announce_wait: false,
                    announce_seconds: 60,
                    greeting: None,
                    music: None,
                },
            )]
            .into(),
            menus: BTreeMap::new(),
            limits: Limits {
                concurrent_calls: 100,
                calls_per_second: 50,
                destinations: vec!["84".into()],
                max_call_seconds: 14_400,
                // Phones of the world speak only while it is listened who hears whom.
                silence_seconds: 86_400,
                daily_minutes: None,
            },
            switches: Switches { null_type_on_hangup: true, lower_case_states: false, feedback_md5_with_bars: true },
            transfer_ring_back: true,
            hours: Default::default(),
            sounds: Default::default(),
            clips: Default::default(),
            music: None,
            announce_recording: None,
            parking: None,
            feature_codes: Default::default(),
        };
        Self { settings, domain: format!("{}.test", name.to_lowercase()), default: id == 1 }
    }

    fn entry(&self) -> TenantEntry {
        TenantEntry {
            id: self.settings.id,
            name: self.settings.name.clone(),
            default: self.default,
            sip_domains: vec![self.domain.clone()],
            timezone: self.settings.timezone.clone(),
            language: self.settings.language,
            country: self.settings.country.clone(),
            switches: self.settings.switches,
            private_urls: true,
        }
    }
}

/// What the door has to know of them all.
pub fn directory(companies: &[Company]) -> Directory {
    let mut extensions: BTreeMap<String, Vec<TenantId>> = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    let mut trunks = Vec::new();
    let mut contacts = BTreeMap::new();
    for company in companies {
        let settings = &company.settings;
        for number in settings.extensions.keys() {
            extensions.entry(number.clone()).or_default().push(settings.id);
        }
        numbers.extend(settings.numbers.keys().map(|number| (number.clone(), settings.id)));
        for trunk in &settings.trunks {
            let sources = trunk.accept_from.iter();
            let owner = (!trunk.shared).then_some(settings.id);
            trunks.extend(sources.map(|source| (*source, trunk.did_from, owner, trunk.name.clone())));
            if trunk.register {
                let account = trunk.username.clone().unwrap_or_default();
                let behind = TrunkContact { owner, trunk: trunk.name.clone(), did_from: trunk.did_from, account };
                contacts.insert(trunk.contact.clone(), behind);
            }
        }
    }
    Directory {
        version: 1,
        tenants: companies.iter().map(Company::entry).collect(),
        extensions,
        numbers,
        trunks,
        contacts,
        keys: Vec::new(),
    }
}

/// The password of an extension.
pub fn password(extension: &str) -> String {
    format!("pw-{extension}")
}

fn digests(tenant: &str, extension: &str) -> Vec<DigestSecret> {
    let names = [extension.to_owned(), format!("{tenant}_{extension}"), format!("{tenant}{extension}")];
    let algorithms = [(DigestAlgorithm::Md5, Algorithm::Md5), (DigestAlgorithm::Sha256, Algorithm::Sha256)];
    let mut digests = Vec::new();
    for username in names {
        for (algorithm, spelled) in &algorithms {
            let password = password(extension);
            let ha1 = ha1(spelled, username.as_bytes(), REALM.as_bytes(), password.as_bytes());
            let ha1 = ha1.expect("MD5 and SHA-256 are known");
            digests.push(DigestSecret { username: username.clone(), algorithm: *algorithm, ha1 });
        }
    }
    digests
}

pub(super) fn trunk((name, address): (&str, SocketAddr)) -> Trunk {
    Trunk {
        name: name.into(),
        shared: false,
        contact: format!("contact-{name}"),
        address: address.to_string(),
        resolved: vec![model::Target::only(address, model::Transport::Udp)],
        transport: "udp".into(),
        username: None,
        password: None,
        register: false,
        accept_from: vec![TrunkAddress { address: address.ip(), prefix: 32, port: None }],
        did_from: DidFrom::RequestUri,
        outbound_proxy: None,
        media_from: Vec::new(),
        srtp: "none".into(),
        trusted: false,
        via: None,
        max_calls: 100,
        max_calls_per_second: 50,
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        dial_format: DialFormat::National,
        identity: Default::default(),
        forwarded_caller: Default::default(),
        // Ladders that want to see the questions ask for them.
        health_seconds: Some(0),
    }
}
