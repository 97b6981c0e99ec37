//! What the tests of this crate begin with.

use std::time::Instant;

use model::{
    Codec, DialFormat, DidFrom, DigestAlgorithm, Extension, Group, Language, Limits, NumberRoute, Outbound, Queue,
    Route, Strategy, Switches, TenantId, TenantSettings, Trunk,
};

/// The moment at which tests begin. Only differences to it count.
#[allow(
    clippy::disallowed_methods,
    reason = "an Instant can only be had from the clock; tests look at differences alone"
)]
pub fn instant() -> Instant {
    Instant::now()
}

/// The demo tenant: extensions 101 and 102, a carrier, two numbers and a group.
pub fn demo() -> TenantSettings {
    let extension = |number: &str| Extension {
        number: number.into(),
        name: format!("Desk {number}"),
        digests: Vec::new(),
        record: true,
        caller_id: Some("842873088088".into()),
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
    let number = |number: &str, route| (number.to_owned(), NumberRoute { number: number.into(), route });
    TenantSettings {
        id: TenantId(1),
        version: 1,
        name: "VPBX_DEMO".into(),
        display_name: "Demo company".into(),
        timezone: "Asia/Ho_Chi_Minh".into(),
        zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(7)),
        language: Language::Vi,
        country: "84".into(),
        digest: vec![DigestAlgorithm::Md5],
        extensions: ["101", "102"].into_iter().map(|n| (n.to_owned(), extension(n))).collect(),
        trunks: vec![Trunk {
            name: "carrier".into(),
            shared: false,
            contact: String::new(),
            address: "127.0.0.1:5090".into(),
            resolved: vec![model::Target::only(([127, 0, 0, 1], 5090).into(), model::Transport::Udp)],
            transport: "udp".into(),
            username: None,
            password: None,
            register: false,
            accept_from: Vec::new(),
            did_from: DidFrom::RequestUri,
            outbound_proxy: None,
            media_from: Vec::new(),
            srtp: "none".into(),
            trusted: false,
            via: None,
            max_calls: 100,
            max_calls_per_second: 20,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            dial_format: DialFormat::National,
            identity: Default::default(),
            forwarded_caller: Default::default(),
            health_seconds: None,
        }],
        outbound: vec![Outbound {
            prefix: "0".into(),
            trunks: vec!["carrier".into()],
            strip: 0,
            prepend: String::new(),
        }],
        numbers: [
            number("842873088088", Route::Extension("101".into())),
            number("842873088089", Route::Group("600".into())),
        ]
        .into(),
        groups: [(
            "600".to_owned(),
            Group {
                number: "600".into(),
                name: "Sales".into(),
                strategy: Strategy::RingAll,
                members: vec!["101".into(), "102".into()],
                ring_seconds: 30,
                overflow: None,
            },
        )]
        .into(),
        queues: Default::default(),
        menus: Default::default(),
        limits: Limits {
            concurrent_calls: 100,
            calls_per_second: 20,
            destinations: vec!["84".into()],
            max_call_seconds: 14_400,
            silence_seconds: 60,
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
    }
}

/// A queue of these agents, who are offered callers by how long they have been idle.
pub fn queue(number: &str, members: &[&str]) -> Queue {
    Queue {
        number: number.into(),
        name: "Support".into(),
        strategy: Strategy::LongestIdle,
        members: members.iter().map(|member| (*member).to_owned()).collect(),
        max_wait_seconds: 300,
        announce_position: false,
        ring_seconds: 20,
        misses_before_pause: 2,
        wrap_up_seconds: 10,
        service_level_seconds: None,
        answer_at_once: true,
        overflow: None,
        priority: 0,
        skills: Default::default(),
        max_waiting: None,
        wait_when_empty: false,
        announce_wait: false,
        announce_seconds: 60,
        greeting: None,
        music: None,
    }
}
