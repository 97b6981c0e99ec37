//! What clients order of a live call: who hears whom, what is on the recording, and how keys arrive.

use model::{NamedSound, PlayedSound, RecordAction};
use testkit::world::prompts::{VOICE, clip};
use testkit::world::{World, check};

#[test]
fn whoever_a_client_puts_aside_hears_music_and_the_other_nothing() {
    check(
        |world| {
            connected(world);
            world.orders_hold(None);
            world.run(0.5);
            world.listen();
            world.orders_resume(None);
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx hold
        0.0s pbx -> crm done
        0.5s ~ carrier hears music
        1.0s crm -> pbx resume
        1.0s pbx -> crm done
        1.5s ~ 101 hears carrier, carrier hears 101
        2.0s 101 -> pbx BYE
        2.0s pbx -> 101 200 OK to BYE
        2.0s pbx -> carrier BYE
        2.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_tenant_s_own_music_is_heard_once_it_is_ready_and_ours_until_then() {
    check(
        |world| {
            world.settings(|settings| {
                settings.music = Some("jingle".into());
                settings.sounds.insert("jingle".into(), NamedSound { name: "jingle".into(), say: None });
            });
            connected(world);
            world.orders_hold(None);
            world.run(0.5);
            assert_eq!(world.who_hears_whom(), [("carrier".to_owned(), vec!["music".to_owned()])]);
            world.hangs_up("101");
            world.run(1.0);
            world.settings(|settings| {
                settings.clips.sounds.insert("jingle".into(), clip(VOICE, 1));
            });
            connected(world);
            world.orders_hold(None);
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx hold
        0.0s pbx -> crm done
        2.0s ~ carrier hears a prompt
        2.5s 101 -> pbx BYE
        2.5s pbx -> 101 200 OK to BYE
        2.5s pbx -> carrier BYE
        2.5s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn hold_by_phone_and_by_client_lasts_until_both_have_ended() {
    check(
        |world| {
            connected(world);
            world.show_events();
            world.holds("101");
            world.run(0.5);
            world.orders_hold(None);
            world.resumes("101");
            world.run(0.5);
            world.listen();
            world.orders_resume(None);
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx re-INVITE sendonly
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 200 OK recvonly
        0.0s 101 -> pbx ACK
        0.0s * leg.held 101
        0.5s crm -> pbx hold
        0.5s 101 -> pbx re-INVITE
        0.5s pbx -> 101 100 Trying
        0.5s pbx -> 101 200 OK
        0.5s 101 -> pbx ACK
        0.5s pbx -> crm done
        1.0s ~ carrier hears music
        1.5s crm -> pbx resume
        1.5s * leg.resumed 101
        1.5s pbx -> crm done
        2.0s ~ 101 hears carrier, carrier hears 101
        2.5s carrier -> pbx BYE
        2.5s pbx -> carrier 200 OK to BYE
        2.5s pbx -> 101 BYE
        2.5s 101 -> pbx 200 OK to BYE
        2.5s * leg.ended +84900000009 hung_up 200 by customer
        2.5s * leg.ended 101 hung_up 200 by switchboard
        2.5s * call.ended hung_up 200 by customer
        2.5s * sound.measured +84900000009 101
        ",
    );
}

#[test]
fn two_who_hold_each_other_both_hear_music() {
    check(
        |world| {
            inside(world);
            world.orders_hold(Some("101"));
            world.orders_hold(Some("102"));
            world.run(0.5);
            world.listen();
            world.orders_resume(Some("101"));
            world.run(0.5);
            world.listen();
            world.orders_resume(Some("102"));
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx hold for 101
        0.0s crm -> pbx hold for 102
        0.0s pbx -> crm done
        0.0s pbx -> crm done
        0.5s ~ 101 hears music, 102 hears music
        1.0s crm -> pbx resume for 101
        1.0s pbx -> crm done
        1.5s ~ 101 hears music
        2.0s crm -> pbx resume for 102
        2.0s pbx -> crm done
        2.5s ~ 101 hears 102, 102 hears 101
        3.0s 101 -> pbx BYE
        3.0s pbx -> 101 200 OK to BYE
        3.0s pbx -> 102 BYE
        3.0s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn whoever_is_muted_hears_and_is_not_heard() {
    check(
        |world| {
            connected(world);
            world.orders_mute(None, true);
            world.run(0.5);
            world.listen();
            world.orders_mute(None, false);
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx mute
        0.0s pbx -> crm done
        0.5s ~ 101 hears carrier
        1.0s crm -> pbx unmute
        1.0s pbx -> crm done
        1.5s ~ 101 hears carrier, carrier hears 101
        2.0s 101 -> pbx BYE
        2.0s pbx -> 101 200 OK to BYE
        2.0s pbx -> carrier BYE
        2.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_mute_outlasts_a_hold() {
    check(
        |world| {
            connected(world);
            world.orders_mute(None, true);
            world.orders_hold(None);
            world.run(0.5);
            world.listen();
            world.orders_resume(None);
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx mute
        0.0s crm -> pbx hold
        0.0s pbx -> crm done
        0.0s pbx -> crm done
        0.5s ~ carrier hears music
        1.0s crm -> pbx resume
        1.0s pbx -> crm done
        1.5s ~ 101 hears carrier
        2.0s 101 -> pbx BYE
        2.0s pbx -> 101 200 OK to BYE
        2.0s pbx -> carrier BYE
        2.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_sound_is_heard_in_place_of_the_other_side_which_hears_on() {
    check(
        |world| {
            connected(world);
            world.orders_sound(Some("101"), Some(PlayedSound::Busy), Some(2));
            world.run(0.2);
            world.listen();
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx play busy for 101
        0.0s pbx -> crm done
        0.2s ~ 101 hears a tone, carrier hears 101
        2.7s ~ 101 hears carrier, carrier hears 101
        3.2s 101 -> pbx BYE
        3.2s pbx -> 101 200 OK to BYE
        3.2s pbx -> carrier BYE
        3.2s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_sound_for_everybody_ends_when_it_is_ended() {
    check(
        |world| {
            connected(world);
            world.orders_sound(None, Some(PlayedSound::Music), None);
            world.run(0.2);
            world.listen();
            world.orders_sound(None, None, None);
            world.run(0.2);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx play music
        0.0s pbx -> crm done
        0.2s ~ 101 hears music, carrier hears music
        0.7s crm -> pbx play nothing
        0.7s pbx -> crm done
        0.9s ~ 101 hears carrier, carrier hears 101
        1.4s 101 -> pbx BYE
        1.4s pbx -> 101 200 OK to BYE
        1.4s pbx -> carrier BYE
        1.4s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn what_is_ordered_to_be_played_goes_before_the_music_of_a_hold() {
    check(
        |world| {
            connected(world);
            world.orders_hold(None);
            world.orders_sound(None, Some(PlayedSound::Busy), Some(2));
            world.run(0.2);
            world.listen();
            world.run(2.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s crm -> pbx hold
        0.0s crm -> pbx play busy
        0.0s pbx -> crm done
        0.0s pbx -> crm done
        0.2s ~ 101 hears a tone, carrier hears a tone
        2.7s ~ carrier hears music
        3.2s carrier -> pbx BYE
        3.2s pbx -> carrier 200 OK to BYE
        3.2s pbx -> 101 BYE
        3.2s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn keys_go_in_signalling_to_a_phone_that_knows_nothing_else_one_after_the_other() {
    check(
        |world| {
            world.answers_after("102", 0.5);
            world.calls_offering("101", "102", "m=audio {port} RTP/AVP 8");
            world.run(1.0);
            world.presses("101", '7');
            world.run(0.5);
            world.begin();
            world.show_events();
            world.orders_keys(Some("102"), "12#");
            world.run(2.0);
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx press 12# for 102
        0.0s pbx -> 101 INFO
        0.0s 101 -> pbx 200 OK to INFO
        0.0s * leg.key 102 1
        0.0s pbx -> crm done
        0.2s pbx -> 101 INFO
        0.2s 101 -> pbx 200 OK to INFO
        0.2s * leg.key 102 2
        0.5s pbx -> 101 INFO
        0.5s 101 -> pbx 200 OK to INFO
        0.5s * leg.key 102 #
        2.0s 101 -> pbx BYE
        2.0s pbx -> 101 200 OK to BYE
        2.0s pbx -> 102 BYE
        2.0s 102 -> pbx 200 OK to BYE
        2.0s * leg.ended 101 hung_up 200 by customer
        2.0s * leg.ended 102 hung_up 200 by switchboard
        2.0s * call.ended hung_up 200 by customer
        2.0s * sound.measured 102
        ",
    );
}

#[test]
fn keys_go_with_the_sound_to_a_phone_that_takes_them_so() {
    let mut world = World::new(1);
    world.speaks_only("101", &[(8, "PCMA"), (101, "telephone-event")]);
    inside(&mut world);

    world.orders_keys(Some("102"), "0123456789*#ABCD");
    world.talk_for(6);

    assert_eq!(world.phone("101").talks[0].sound.keys, "0123456789*#ABCD");
    world.hangs_up("101");
    world.end();
}

#[test]
fn who_is_put_aside_by_a_client_is_not_recorded_meanwhile() {
    let mut world = World::new(1);
    world.settings(|settings| settings.extensions.get_mut("101").expect("a desk").record = true);
    connected(&mut world);
    world.orders_hold(None);
    world.run(0.1);
    world.talk_for(2);

    world.hangs_up("101");
    world.settle();

    assert_eq!(world.on_the_recording(), (vec![], vec![]));
    world.end();
}

#[test]
fn whoever_is_muted_is_not_recorded_and_the_other_is() {
    let mut world = World::new(1);
    world.settings(|settings| settings.extensions.get_mut("101").expect("a desk").record = true);
    connected(&mut world);
    world.orders_mute(None, true);
    world.run(0.1);
    world.talk_for(2);

    world.hangs_up("101");
    world.settle();

    assert_eq!(world.on_the_recording(), (vec!["carrier".to_owned()], vec![]));
    world.end();
}

#[test]
fn what_is_said_in_a_pause_is_not_on_the_recording_which_is_as_long() {
    let mut world = World::new(1);
    world.settings(|settings| settings.extensions.get_mut("101").expect("a desk").record = true);
    connected(&mut world);
    world.orders_recording(RecordAction::Pause);
    world.run(0.1);
    world.talk_for(3);
    let paused = world.now();

    world.hangs_up("101");
    world.settle();

    assert_eq!(world.on_the_recording(), (vec![], vec![]));
    let record = world.rows(1).expect("a company").records.values().last().expect("a call").clone();
    let milliseconds = record.recordings[0].milliseconds.expect("it is whole");
    let lasted = record.bill_seconds().expect("it is over");
    assert!((lasted * 1_000..=lasted * 1_000 + 1_000).contains(&i64::try_from(milliseconds).expect("short")));
    assert!(record.recordings[0].paused && paused.as_secs() > 3);
    world.end();
}

#[test]
fn a_second_recording_is_another_file_with_an_id_of_its_own() {
    let mut world = World::new(1);
    connected(&mut world);
    for action in [RecordAction::Start, RecordAction::Stop, RecordAction::Start] {
        world.orders_recording(action);
        world.run(1.0);
    }

    world.hangs_up("101");
    world.settle();

    let record = world.rows(1).expect("a company").records.values().last().expect("a call").clone();
    let [first, second] = &record.recordings[..] else { panic!("two recordings: {record:?}") };
    assert_eq!(first.recording, record.callid.first_recording());
    assert_ne!(first.recording, second.recording);
    assert!(first.file.ends_with(&format!("{}.wav", record.callid)), "{}", first.file);
    assert!(second.file.ends_with(&format!("{}-2.wav", record.callid)), "{}", second.file);
    assert!([first, second].iter().all(|recording| recording.milliseconds.is_some_and(|length| length > 900)));
    world.end();
}

#[test]
fn what_is_recorded_by_order_is_what_is_said() {
    let mut world = World::new(1);
    connected(&mut world);
    world.orders_recording(RecordAction::Start);
    world.run(0.1);
    world.talk_for(1);

    world.hangs_up("101");
    world.settle();

    assert_eq!(world.on_the_recording(), (vec!["carrier".to_owned()], vec!["101".to_owned()]));
    world.end();
}

/// A customer talks with 101; the ladder begins there.
fn connected(world: &mut World) {
    world.answers_after("101", 0.5);
    world.calls("carrier", "02873088088");
    world.run(1.0);
    world.begin();
}

/// 101 talks with 102, whom it has called; the ladder begins there.
fn inside(world: &mut World) {
    world.answers_after("102", 0.5);
    world.calls("101", "102");
    world.run(1.0);
    world.begin();
}
