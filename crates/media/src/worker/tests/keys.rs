//! Keys reach the other side in the form that it speaks, once a press.

use super::to;
use super::transcoding::{Call, in_codec};
use crate::codec::Decoder;
use crate::keys::{KeyDetector, KeyEvent, KeyPress, KeyTone};
use crate::rtp::Header;
use crate::{Codec, Order, Report, SessionId, Stream};

/// The keys that were reported.
fn reported(call: &mut Call) -> String {
    let key = |report| match report {
        Report::Key { session: SessionId(1), key } => Some(key),
        _ => None,
    };
    call.pass(0);
    call.reports.drain(..).filter_map(key).collect()
}

/// The keys that came to the second party as events, with their lengths in milliseconds; each told by the rules.
fn events(call: &Call, clock: u32) -> Vec<(char, u32)> {
    let mut pressed: Vec<(u32, Vec<(KeyEvent, bool)>)> = Vec::new();
    for got in call.heard.iter().filter(|got| got.header.payload_type == 101) {
        let event = KeyEvent::parse(&got.payload).unwrap();
        match pressed.last_mut().filter(|(timestamp, _)| *timestamp == got.header.timestamp) {
            Some((_, packets)) => packets.push((event, got.header.marker)),
            None => pressed.push((got.header.timestamp, vec![(event, got.header.marker)])),
        }
    }
    let length = |(_, packets): &(u32, Vec<(KeyEvent, bool)>)| {
        let (last, _) = *packets.last().unwrap();
        assert!(packets[0].1 && packets[1..].iter().all(|(_, marker)| !marker));
        assert_eq!(packets.iter().filter(|(event, _)| event.end).count(), 3);
        assert!(packets.windows(2).all(|two| two[0].0.duration <= two[1].0.duration));
        (last.key().unwrap(), u32::from(last.duration) * 1000 / clock)
    };
    pressed.iter().map(length).collect()
}

/// The keys that the second party hears as tones.
fn tones(call: &Call, codec: Codec) -> String {
    let mut decoder = Decoder::new(codec).unwrap();
    let mut detector = KeyDetector::default();
    let mut down = crate::codec::resample::Down::default();
    let mut keys = String::new();
    for got in &call.heard {
        let mut out = [0; crate::codec::LONGEST];
        let count = decoder.decode(&got.payload, &mut out).unwrap();
        let mut narrow = [0; crate::codec::LONGEST];
        let sound = if codec.sample_rate() == 16_000 {
            down.process(&out[..count], &mut narrow[..count / 2]);
            &narrow[..count / 2]
        } else {
            &out[..count]
        };
        keys.extend(detector.listen(sound));
    }
    keys
}

/// The first party presses a key for so long, as events of this clock; `loses` says which packets are lost.
fn press(call: &mut Call, key: char, milliseconds: u16, clock: u32, loses: impl Fn(usize) -> bool) {
    let begin = call.header();
    let scale = (clock / 8_000) as u16;
    for (n, event) in KeyPress::new(key, milliseconds * 8).unwrap().enumerate() {
        let event = KeyEvent { duration: event.duration * scale, ..event };
        let header = Header { payload_type: 101, marker: n == 0, timestamp: begin.timestamp, ..call.header() };
        call.said += 1;
        if !loses(n) {
            call.send(header, &event.print());
        }
        call.pass(20);
    }
}

/// The first party says nothing for so long.
fn pause(call: &mut Call, milliseconds: usize, codec: Codec) {
    call.say(&vec![0; milliseconds * codec.samples_per_ms()]);
}

#[test]
fn events_are_told_by_the_clock_of_the_party_that_hears_them() {
    for (first, second, clock) in [(Codec::Opus, Codec::Pcma, 8_000), (Codec::Pcma, Codec::Opus, 48_000)] {
        let mut call = Call::between(first, second);
        pause(&mut call, 500, first);
        let theirs = if first == Codec::Opus { 48_000 } else { 8_000 };
        for key in ['1', '#', '1'] {
            press(&mut call, key, 120, theirs, |_| false);
            pause(&mut call, 300, first);
        }
        call.pass(500);

        let keys = events(&call, clock);
        assert_eq!(keys.iter().map(|(key, _)| *key).collect::<String>(), "1#1");
        assert!(keys.iter().all(|(_, length)| (100..=180).contains(length)), "{keys:?}");
        assert_eq!(reported(&mut call), "1#1");
    }
}

#[test]
fn between_two_of_one_codec_with_different_clocks_of_keys_lengths_are_scaled() {
    let second = Stream { keys_clock: 8_000, ..in_codec(2, Codec::Opus) };
    let mut call = Call::new(in_codec(1, Codec::Opus), second);
    pause(&mut call, 200, Codec::Opus);
    press(&mut call, '7', 160, 48_000, |_| false);
    pause(&mut call, 400, Codec::Opus);

    let keys = events(&call, 8_000);
    assert_eq!(keys.len(), 1);
    assert!(keys[0].0 == '7' && (140..=220).contains(&keys[0].1), "{keys:?}");
    // Sound goes on bit by bit behind it.
    assert_eq!(call.heard.last().map(|got| got.header.payload_type), Some(98));
}

#[test]
fn whatever_is_lost_of_a_press_it_arrives_once() {
    let patterns: [fn(usize) -> bool; 4] = [|n| n < 3, |n| n >= 4, |n| n % 2 == 0, |n| n != 5];
    for loses in patterns {
        let mut call = Call::between(Codec::Opus, Codec::Pcma);
        pause(&mut call, 500, Codec::Opus);
        press(&mut call, '9', 100, 48_000, loses);
        pause(&mut call, 2_000, Codec::Opus);

        assert_eq!(events(&call, 8_000).iter().map(|(key, _)| *key).collect::<String>(), "9");
        assert_eq!(reported(&mut call), "9");
    }
}

#[test]
fn a_short_press_becomes_long_enough() {
    let mut call = Call::between(Codec::Opus, Codec::Pcmu);
    pause(&mut call, 200, Codec::Opus);
    press(&mut call, '*', 20, 48_000, |_| false);
    pause(&mut call, 500, Codec::Opus);

    assert_eq!(events(&call, 8_000), [('*', 80)]);
}

#[test]
fn events_become_tones_for_a_party_that_takes_none() {
    for second in [Codec::Pcma, Codec::G722, Codec::Opus] {
        for first in [Codec::Pcma, Codec::Opus] {
            let mut call = Call::new(in_codec(1, first), Stream { keys: None, ..in_codec(2, second) });
            pause(&mut call, 500, first);
            let clock = in_codec(1, first).keys_clock;
            for key in ['5', '0', 'D'] {
                press(&mut call, key, 100, clock, |_| false);
                pause(&mut call, 300, first);
            }

            assert_eq!(tones(&call, second), "50D", "{first:?} {second:?}");
            assert_eq!(reported(&mut call), "50D");
        }
    }
}

#[test]
fn a_key_in_signalling_becomes_an_event_or_a_tone_and_is_not_told_back() {
    for (second, keys) in [(Codec::Pcma, Some(101)), (Codec::Pcma, None), (Codec::Opus, Some(101)), (Codec::Opus, None)]
    {
        let mut call = Call::new(in_codec(1, Codec::Pcma), Stream { keys, ..in_codec(2, second) });
        pause(&mut call, 500, Codec::Pcma);
        for key in ['3', '3', '#'] {
            call.floor.order(Order::Key { session: SessionId(1), key });
        }
        pause(&mut call, 1_500, Codec::Pcma);

        match keys {
            Some(_) => {
                let told = events(&call, in_codec(2, second).keys_clock);
                assert_eq!(told, [('3', 100), ('3', 100), ('#', 100)]);
            }
            None => assert_eq!(tones(&call, second), "33#"),
        }
        assert_eq!(reported(&mut call), "");
    }
}

#[test]
fn a_key_in_signalling_reaches_one_who_hears_nothing_at_all() {
    let mut call = Call::between(Codec::Pcma, Codec::Pcma);
    call.floor.order(Order::Key { session: SessionId(1), key: '4' });

    call.pass(1_000);

    assert_eq!(events(&call, 8_000), [('4', 100)]);
    assert_eq!(call.heard.len(), 5);
}

#[test]
fn a_key_pressed_for_a_party_comes_in_the_form_it_takes_whatever_else_is_pressed() {
    for (second, keys) in [(Codec::Pcma, Some(101)), (Codec::Pcma, None), (Codec::G722, Some(101))] {
        let mut call = Call::new(in_codec(1, Codec::Pcma), Stream { keys, ..in_codec(2, second) });
        pause(&mut call, 500, Codec::Pcma);

        // The first party presses the same key itself: that is a press of its own.
        call.floor.order(Order::Press { session: SessionId(2), key: '5' });
        signal(&mut call, '5');
        pause(&mut call, 1_500, Codec::Pcma);

        match keys {
            Some(_) => assert_eq!(events(&call, 8_000), [('5', 100), ('5', 100)]),
            None => assert_eq!(tones(&call, second), "55"),
        }
        assert_eq!(reported(&mut call), "");
    }
}

#[test]
fn a_party_that_is_played_to_gets_no_keys() {
    let mut call = Call::between(Codec::Pcma, Codec::Pcma);
    call.floor.order(Order::Play { session: SessionId(2), sound: crate::Sound::Music });

    call.floor.order(Order::Press { session: SessionId(2), key: '5' });
    call.pass(1_000);

    assert_eq!(events(&call, 8_000), []);
}

#[test]
fn tones_of_a_party_without_events_become_events_and_are_not_heard_besides() {
    for first in [Codec::Pcmu, Codec::G722] {
        for second in [Codec::Pcmu, Codec::Opus] {
            let mut call =
                Call::new(Stream { receive_keys: None, keys: None, ..in_codec(1, first) }, in_codec(2, second));
            pause(&mut call, 500, first);
            for key in ['2', '8', '8'] {
                let mut sound = vec![0; 8 * 120];
                KeyTone::new(key).unwrap().fill(&mut sound, true);
                if first.sample_rate() == 16_000 {
                    let mut wide = vec![0; 16 * 120];
                    crate::codec::resample::Up::default().process(&sound, &mut wide);
                    sound = wide;
                }
                call.say(&sound);
                pause(&mut call, 200, first);
            }
            pause(&mut call, 500, first);

            let clock = in_codec(2, second).keys_clock;
            let keys = events(&call, clock);
            assert_eq!(keys.iter().map(|(key, _)| *key).collect::<String>(), "288", "{first:?} {second:?}");
            assert_eq!(reported(&mut call), "288");
            call.heard.retain(|got| got.header.payload_type != 101);
            assert_eq!(tones(&call, second), "", "{first:?} {second:?}");
        }
    }
}

#[test]
fn tones_of_a_party_without_events_reach_another_such_party_as_they_are() {
    let plain = |party| Stream { receive_keys: None, keys: None, ..to(party) };
    let mut call = Call::new(plain(1), plain(2));
    let mut sound = vec![0; 8 * 120];
    KeyTone::new('6').unwrap().fill(&mut sound, true);
    call.say(&sound);
    pause(&mut call, 200, Codec::Pcma);

    assert_eq!(tones(&call, Codec::Pcma), "6");
    assert_eq!(reported(&mut call), "6");
}

#[test]
fn tones_of_a_party_with_events_are_not_looked_for() {
    let mut call = Call::new(to(1), to(2));
    let mut sound = vec![0; 8 * 120];
    KeyTone::new('6').unwrap().fill(&mut sound, true);

    call.say(&sound);

    assert_eq!(reported(&mut call), "");
}

#[test]
fn a_key_of_one_who_is_alone_is_told() {
    let mut call = Call::new(Stream { receive_keys: None, ..to(1) }, to(2));
    call.floor.order(Order::Part { session: SessionId(1) });
    let mut sound = vec![0; 8 * 120];
    KeyTone::new('6').unwrap().fill(&mut sound, true);

    call.say(&sound);

    assert_eq!(reported(&mut call), "6");
    assert!(call.heard.is_empty());
}

/// The first party of calls in which keys are looked for in the sound.
fn without_events() -> Stream {
    Stream { receive_keys: None, keys: None, ..to(1) }
}

/// The tones of a key, for so long.
fn tone(key: char, milliseconds: usize) -> Vec<i16> {
    let mut sound = vec![0; 8 * milliseconds];
    KeyTone::new(key).unwrap().fill(&mut sound, true);
    sound
}

/// The first party presses a key in its signalling.
fn signal(call: &mut Call, key: char) {
    call.floor.order(Order::Key { session: SessionId(1), key });
}

#[test]
fn a_press_stays_one_event_when_its_party_s_stream_changes_while_it_lasts() {
    let mut call = Call::new(without_events(), to(2));
    pause(&mut call, 500, Codec::Pcma);

    signal(&mut call, '6');
    call.floor.change(1, Stream { key_tones: false, ..without_events() });
    pause(&mut call, 60, Codec::Pcma);
    call.floor.change(2, Stream { key_tones: false, ..to(2) });
    pause(&mut call, 500, Codec::Pcma);

    assert_eq!(events(&call, 8_000), [('6', 100)]);
}

#[test]
fn a_press_in_signalling_and_in_the_sound_is_forwarded_once_whichever_comes_first() {
    for before in [None, Some(0), Some(60), Some(120), Some(400)] {
        let mut call = Call::new(without_events(), to(2));
        pause(&mut call, 500, Codec::Pcma);

        for key in ['5', '5', '#'] {
            let sound = [tone(key, 120), vec![0; 8 * 280]].concat();
            let (first, second) = sound.split_at(8 * before.unwrap_or(0));
            call.say(first);
            signal(&mut call, key);
            if before.is_none() {
                pause(&mut call, 200, Codec::Pcma);
            }
            call.say(second);
        }
        pause(&mut call, 500, Codec::Pcma);

        let told: String = events(&call, 8_000).iter().map(|(key, _)| *key).collect();
        assert_eq!(told, "55#", "{before:?}");
        let is_first = before.is_some_and(|before| before > 40);
        assert_eq!(reported(&mut call), if is_first { "55#" } else { "" }, "{before:?}");
        call.heard.retain(|got| got.header.payload_type != 101);
        assert_eq!(tones(&call, Codec::Pcma), "", "{before:?}");
    }
}

#[test]
fn a_press_that_is_signalled_when_a_long_tone_ends_is_forwarded_once() {
    let mut call = Call::new(without_events(), to(2));
    pause(&mut call, 500, Codec::Pcma);

    call.say(&tone('8', 3_000));
    pause(&mut call, 200, Codec::Pcma);
    signal(&mut call, '8');
    pause(&mut call, 500, Codec::Pcma);

    assert_eq!(events(&call, 8_000).len(), 1);
}

#[test]
fn a_press_in_signalling_and_in_the_sound_is_one_tone_to_a_party_that_takes_no_events() {
    let mut call = Call::new(without_events(), Stream { keys: None, ..to(2) });
    pause(&mut call, 500, Codec::Pcma);

    signal(&mut call, '4');
    pause(&mut call, 300, Codec::Pcma);
    call.say(&tone('4', 400));
    pause(&mut call, 500, Codec::Pcma);

    assert_eq!(tones(&call, Codec::Pcma), "4");
}

#[test]
fn a_press_in_signalling_and_in_events_is_forwarded_once() {
    let mut call = Call::new(to(1), to(2));
    pause(&mut call, 500, Codec::Pcma);

    signal(&mut call, '9');
    press(&mut call, '9', 120, 8_000, |_| false);
    pause(&mut call, 300, Codec::Pcma);
    press(&mut call, '1', 120, 8_000, |_| false);
    signal(&mut call, '1');
    pause(&mut call, 500, Codec::Pcma);

    assert_eq!(events(&call, 8_000).iter().map(|(key, _)| *key).collect::<String>(), "91");
    assert_eq!(reported(&mut call), "1");
}

#[test]
fn another_key_and_the_same_key_much_later_are_other_presses() {
    let mut call = Call::new(without_events(), to(2));
    pause(&mut call, 500, Codec::Pcma);

    signal(&mut call, '1');
    call.say(&tone('2', 120));
    pause(&mut call, 1_500, Codec::Pcma);
    call.say(&tone('1', 120));
    pause(&mut call, 1_500, Codec::Pcma);
    signal(&mut call, '1');
    pause(&mut call, 500, Codec::Pcma);

    assert_eq!(events(&call, 8_000).iter().map(|(key, _)| *key).collect::<String>(), "1211");
    assert_eq!(reported(&mut call), "21");
}
