//! Several who hear each other, and those who listen.

use std::collections::BTreeMap;

use super::transcoding::in_codec;
use super::{Floor, Got, got, to, voice};
use crate::codec::{Decoder, Encoder, LONGEST};
use crate::fixture::host;
use crate::keys::KeyEvent;
use crate::rtp::Header;
use crate::tone::{Tone, share};
use crate::{
    AddressId, Channel, Codec, Order, Output, Packet, RecordingKey, RecordingStep, Report, SessionId, Sound, Stream,
    Trouble,
};

/// The tone of the party with this number.
const TONES: [u16; 5] = [0, 500, 900, 1300, 1700];

/// Parties who each say a tone of their own.
struct Room {
    floor: Floor,
    parties: Vec<Party>,
    reports: Vec<Report>,
    /// What was written down, left and right.
    tape: [Vec<i16>; 2],
}

struct Party {
    stream: Stream,
    encoder: Encoder,
    tone: Tone,
    n: u32,
    got: Vec<Got>,
    speaks: bool,
}

impl Room {
    fn of(streams: impl IntoIterator<Item = Stream>) -> Self {
        let mut floor = Floor::new();
        let mut parties = Vec::new();
        for (index, stream) in streams.into_iter().enumerate() {
            floor.open(index as u8 + 1, stream.clone());
            let tone = Tone::new(Sound::Tone { hertz: TONES[index + 1] });
            let encoder = Encoder::new(stream.codec).unwrap();
            parties.push(Party { stream, encoder, tone, n: 0, got: Vec::new(), speaks: true });
        }
        Self { floor, parties, reports: Vec::new(), tape: [Vec::new(), Vec::new()] }
    }

    /// Three who speak A-law.
    fn of_three() -> Self {
        Self::of([to(1), to(2), to(3)])
    }

    fn hears(&mut self, party: u8, whom: &[u8]) {
        let hears = whom.iter().map(|party| SessionId((*party).into())).collect();
        self.floor.order(Order::Hear { session: SessionId(party.into()), hears });
    }

    /// Each of these hears all others of them.
    fn confer(&mut self, parties: &[u8]) {
        for party in parties {
            let others: Vec<u8> = parties.iter().copied().filter(|other| other != party).collect();
            self.hears(*party, &others);
        }
    }

    /// Everybody speaks for so many packets of 20 ms.
    fn talk(&mut self, packets: u32) {
        for _ in 0..packets {
            for index in 0..self.parties.len() {
                let party = &mut self.parties[index];
                let codec = party.stream.codec;
                let mut narrow = [0; 160];
                party.tone.fill_samples(&mut narrow);
                let mut wide = [0; 320];
                if codec.sample_rate() == 16_000 {
                    // Each sample twice: the tone, and a faint image of it that no test looks for.
                    wide.iter_mut().enumerate().for_each(|(at, sample)| *sample = narrow[at / 2]);
                }
                let sound = if codec.sample_rate() == 16_000 { &wide[..] } else { &narrow[..] };
                let mut payload = [0; 1000];
                let length = party.encoder.encode(sound, &mut payload).unwrap();
                let number = index as u8 + 1;
                let plain = voice(number, party.n);
                party.n += 1;
                let header = Header {
                    payload_type: party.stream.receive_payload_type,
                    timestamp: plain.timestamp.wrapping_mul(codec.clock_scale()),
                    ..plain
                };
                if party.speaks {
                    let sent = self.floor.send(number, host(number, 4000), header, &payload[..length]);
                    self.take(sent);
                }
            }
            self.pass(20);
        }
    }

    fn take(&mut self, sent: Option<Got>) {
        if let Some(sent) = sent {
            self.parties[sent.packet.address.0 as usize - 1].got.push(sent);
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        for (output, bytes) in self.floor.pass(milliseconds) {
            match output {
                Output::Packet(packet) if packet.channel == Channel::Sound => {
                    self.take(Some(got(Packet { bytes: 0..bytes.len(), ..packet }, &bytes)));
                }
                Output::Report(report) => self.reports.push(report),
                Output::Recording(RecordingStep::Sound { sound, .. }) => {
                    for moment in sound.chunks(4) {
                        self.tape[0].push(i16::from_le_bytes([moment[0], moment[1]]));
                        self.tape[1].push(i16::from_le_bytes([moment[2], moment[3]]));
                    }
                    self.floor.worker.give_back(sound);
                }
                Output::Packet(_) | Output::Freed(_) | Output::Recording(_) => {}
            }
        }
    }

    /// Everybody speaks for a second; gives whom each has heard in its second half.
    fn heard(&mut self) -> BTreeMap<u8, Vec<u8>> {
        self.talk(25);
        self.parties.iter_mut().for_each(|party| party.got.clear());
        self.talk(25);
        let heard = (1..).zip(&self.parties).map(|(number, party)| (number, tones(&party.sound())));
        heard.filter(|(_, heard)| !heard.is_empty()).collect()
    }

    /// What has come to a party, as it hears it.
    fn got(&self, party: u8) -> &[Got] {
        &self.parties[usize::from(party) - 1].got
    }
}

impl Party {
    fn sound(&self) -> Vec<i16> {
        let codec = self.stream.codec;
        let mut decoder = Decoder::new(codec).unwrap();
        let mut sound = Vec::new();
        for got in self.got.iter().filter(|got| got.header.payload_type == self.stream.payload_type) {
            let mut out = [0; LONGEST];
            let count = decoder.decode(&got.payload, &mut out).unwrap();
            let step = if codec.sample_rate() == 16_000 { 2 } else { 1 };
            sound.extend(out[..count].iter().step_by(step));
        }
        sound
    }
}

/// Whose tones are in sound: each of them makes a good part of most of it.
fn tones(sound: &[i16]) -> Vec<u8> {
    let is_loud = |piece: &&[i16]| piece.iter().any(|sample| sample.unsigned_abs() > 1_000);
    let pieces = sound.len() / 320;
    let is_in = |hertz: u16| {
        let heard = sound.chunks_exact(320).filter(is_loud).filter(|piece| share(piece, hertz) > 0.15);
        pieces > 0 && heard.count() * 2 > pieces
    };
    (1..).zip(&TONES[1..]).filter(|(_, hertz)| is_in(**hertz)).map(|(party, _)| party).collect()
}

fn all(heard: &[(u8, &[u8])]) -> BTreeMap<u8, Vec<u8>> {
    heard.iter().map(|(party, whom)| (*party, whom.to_vec())).collect()
}

#[test]
fn each_of_three_hears_the_two_others_and_not_itself() {
    let mut room = Room::of_three();

    room.confer(&[1, 2, 3]);

    assert_eq!(room.heard(), all(&[(1, &[2, 3]), (2, &[1, 3]), (3, &[1, 2])]));
}

#[test]
fn every_codec_meets_every_other_in_packets_of_any_length() {
    let codecs = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];
    for (turn, packet_ms) in [10, 20, 40, 60].into_iter().enumerate() {
        let stream = |party: usize| Stream {
            packet_ms: if party == 1 { packet_ms } else { 20 },
            ..in_codec(party as u8, codecs[(turn + party - 1) % 4])
        };
        let mut room = Room::of((1..=4).map(stream));

        room.confer(&[1, 2, 3, 4]);

        let expected = all(&[(1, &[2, 3, 4]), (2, &[1, 3, 4]), (3, &[1, 2, 4]), (4, &[1, 2, 3])]);
        assert_eq!(room.heard(), expected, "turn {turn}");
        let packets = room.got(1).len();
        assert!(packets.abs_diff(500 / usize::from(packet_ms)) <= 1, "{packets} packets of {packet_ms} ms");
    }
}

#[test]
fn a_pair_becomes_a_room_and_a_pair_again_under_one_ssrc_and_without_a_jump() {
    let mut room = Room::of_three();
    room.floor.join(1, 2);
    room.talk(25);

    room.confer(&[1, 2, 3]);
    room.talk(25);
    room.floor.order(Order::Part { session: SessionId(3) });
    room.floor.join(1, 2);
    room.talk(25);

    for party in [1, 2] {
        let got = room.got(party);
        assert!(got.len() >= 72, "{}", got.len());
        assert!(got.iter().all(|packet| packet.header.ssrc == got[0].header.ssrc));
        for two in got.windows(2) {
            assert_eq!(two[1].header.sequence, two[0].header.sequence.wrapping_add(1));
            let step = two[1].header.timestamp.wrapping_sub(two[0].header.timestamp);
            assert!((1..=160 * 4).contains(&step), "a step of {step}");
        }
    }
    assert_eq!(room.heard(), all(&[(1, &[2]), (2, &[1])]));
}

#[test]
fn a_listener_hears_both_sides_of_a_pair_that_goes_on_untouched() {
    let mut room = Room::of_three();
    room.floor.join(1, 2);
    room.talk(5);

    room.hears(3, &[1, 2]);

    assert_eq!(room.heard(), all(&[(1, &[2]), (2, &[1]), (3, &[1, 2])]));
    room.hears(3, &[]);
    assert_eq!(room.heard(), all(&[(1, &[2]), (2, &[1])]));
}

#[test]
fn a_whisper_is_heard_by_the_agent_alone_and_a_barge_by_all() {
    let mut room = Room::of_three();
    room.floor.join(1, 2);
    room.hears(3, &[1, 2]);

    room.hears(2, &[1, 3]);
    assert_eq!(room.heard(), all(&[(1, &[2]), (2, &[1, 3]), (3, &[1, 2])]));

    room.confer(&[1, 2, 3]);
    assert_eq!(room.heard(), all(&[(1, &[2, 3]), (2, &[1, 3]), (3, &[1, 2])]));
}

#[test]
fn whoever_leaves_is_heard_no_more_and_the_others_go_on() {
    for leave in [Order::Close { session: SessionId(2) }, Order::Part { session: SessionId(2) }] {
        let mut room = Room::of([to(1), to(2), to(3), to(4)]);
        room.confer(&[1, 2, 3, 4]);
        room.talk(10);

        room.floor.order(leave);

        assert_eq!(room.heard(), all(&[(1, &[3, 4]), (3, &[1, 4]), (4, &[1, 3])]));
    }
}

#[test]
fn a_muted_party_hears_and_is_not_heard() {
    let mut room = Room::of_three();
    room.confer(&[1, 2, 3]);

    room.floor.order(Order::Mute { session: SessionId(1), muted: true });

    assert_eq!(room.heard(), all(&[(1, &[2, 3]), (2, &[3]), (3, &[2])]));
}

#[test]
fn whoever_is_played_to_hears_the_others_again_when_it_ends() {
    let mut room = Room::of_three();
    room.confer(&[1, 2, 3]);
    room.talk(10);

    room.floor.order(Order::Play { session: SessionId(1), sound: Sound::Tone { hertz: 3000 } });
    let during = room.heard();
    room.floor.order(Order::Stop { session: SessionId(1) });

    assert_eq!(during, all(&[(2, &[1, 3]), (3, &[1, 2])]));
    assert_eq!(room.heard(), all(&[(1, &[2, 3]), (2, &[1, 3]), (3, &[1, 2])]));
}

#[test]
fn nothing_is_sent_while_nobody_speaks_and_who_begins_is_heard_from_the_beginning() {
    let mut room = Room::of_three();
    room.confer(&[1, 2, 3]);
    room.talk(10);
    room.pass(2_000);
    let before: Vec<usize> = (1..=3).map(|party| room.got(party).len()).collect();

    room.pass(1_000);
    let after: Vec<usize> = (1..=3).map(|party| room.got(party).len()).collect();
    room.parties[1].speaks = false;
    room.parties[2].speaks = false;
    room.parties[0].n += 50;
    room.talk(20);

    assert_eq!(before, after);
    assert!(room.got(2).len() >= after[1] + 17, "{} packets", room.got(2).len() - after[1]);
}

#[test]
fn the_sum_of_loud_voices_is_as_loud_as_sound_can_be() {
    let mut room = Room::of([to(1), to(2), to(3), to(4)]);
    room.confer(&[1, 2, 3, 4]);
    let mut loud = [0; 160];
    loud.iter_mut().for_each(|byte| *byte = Codec::Pcma.encode(30_000));

    for n in 0..25 {
        for party in 2..=4 {
            room.floor.send(party, host(party, 4000), voice(party, n), &loud);
        }
        room.pass(20);
    }

    let sound = room.parties[0].sound();
    assert!(sound[sound.len() / 2..].iter().all(|sample| *sample > 30_000), "it wraps around");
}

#[test]
fn a_key_reaches_everybody_who_hears_it_in_the_form_it_takes() {
    let mut room = Room::of([to(1), to(2), Stream { keys: None, key_tones: true, ..to(3) }]);
    room.confer(&[1, 2, 3]);
    room.talk(10);
    room.parties.iter_mut().for_each(|party| party.got.clear());

    let event = KeyEvent { event: 5, end: false, volume: 10, duration: 160 };
    let header = Header { payload_type: to(1).receive_keys.unwrap(), ..voice(1, 10) };
    room.floor.send(1, host(1, 4000), header, &event.print());
    room.parties.iter_mut().for_each(|party| party.speaks = false);
    room.talk(20);

    let events = |party: u8| room.got(party).iter().filter(|got| Some(got.header.payload_type) == to(2).keys).count();
    assert!(room.reports.contains(&Report::Key { session: SessionId(1), key: '5' }));
    assert_eq!((events(1), events(2) > 3, events(3)), (0, true, 0));
    let tones = room.parties[2].sound();
    assert!(tones.chunks_exact(320).any(|piece| share(piece, 770) > 0.3 && share(piece, 1336) > 0.3));
}

#[test]
fn a_conference_is_recorded_with_its_voices_added_on_each_side() {
    let mut room = Room::of_three();
    room.floor.join(1, 2);
    let recording = RecordingKey(1);
    let sessions = |parties: &[u64]| parties.iter().copied().map(SessionId).collect::<Vec<_>>();
    let file = "call.wav".into();
    room.floor.order(Order::Record { recording, file, customer: sessions(&[1]), agent: sessions(&[2]) });
    room.talk(50);

    room.confer(&[1, 2, 3]);
    room.floor.order(Order::RecordSides { recording, customer: sessions(&[1]), agent: sessions(&[2, 3]) });
    room.talk(50);
    room.floor.order(Order::StopRecording { recording });
    room.pass(0);

    let [left, right] = &room.tape;
    assert_eq!(left.len(), 16_000);
    assert_eq!((tones(&left[..8000]), tones(&right[..8000])), (vec![1], vec![2]));
    assert_eq!((tones(&left[8000..]), tones(&right[8000..])), (vec![1], vec![2, 3]));
    assert!(share(&left[8000..], TONES[1]) > 0.99);
}

#[test]
fn a_party_is_recorded_alone_when_the_other_side_is_nobody() {
    let mut room = Room::of([to(1)]);
    let recording = RecordingKey(1);
    let customer = vec![SessionId(1)];
    room.floor.order(Order::Record { recording, file: "message.wav".into(), customer, agent: vec![] });

    room.talk(50);
    room.floor.order(Order::Close { session: SessionId(1) });
    room.pass(0);

    let [left, right] = &room.tape;
    assert_eq!(left.len(), 8_000);
    assert!(share(left, TONES[1]) > 0.99);
    assert!(right.iter().all(|sample| *sample == 0));
    assert_eq!(room.floor.worker.load().recordings, 0);
}

#[test]
fn what_cannot_be_heard_is_reported_and_changes_nothing() {
    let mut room = Room::of_three();
    room.confer(&[1, 2, 3]);

    room.hears(1, &[1, 2]);
    room.hears(1, &[2, 9]);
    room.hears(9, &[1]);
    room.hears(2, &[1, 3, 1, 3]);
    room.pass(0);

    let failed = |session, why| Report::Failed { session: SessionId(session), why };
    let (same, none) = (Trouble::SameSession, Trouble::NoSuchSession);
    assert_eq!(room.reports, [failed(1, same), failed(9, none.clone()), failed(9, none)]);
    assert_eq!(room.heard(), all(&[(1, &[2, 3]), (2, &[1, 3]), (3, &[1, 2])]));
}

#[test]
fn whoever_speaks_another_codec_from_now_on_goes_on_hearing_and_being_heard() {
    let mut room = Room::of_three();
    room.confer(&[1, 2, 3]);
    room.talk(10);

    let opus = in_codec(2, Codec::Opus);
    room.floor.change(2, opus.clone());
    room.parties[1].stream = opus;
    room.parties[1].encoder = Encoder::new(Codec::Opus).unwrap();
    room.parties[1].got.clear();

    assert_eq!(room.heard(), all(&[(1, &[2, 3]), (2, &[1, 3]), (3, &[1, 2])]));
}

#[test]
fn a_room_is_heard_without_a_break_over_an_uneven_network() {
    let mut room = Room::of_three();
    room.confer(&[1, 2, 3]);
    let mut tones = [2u16, 3].map(|party| Tone::new(Sound::Tone { hertz: TONES[usize::from(party)] }));
    let mut waiting = Vec::new();

    for n in 0..200u32 {
        for (party, tone) in [2u8, 3].into_iter().zip(&mut tones) {
            let mut sound = [0; 160];
            tone.fill(Codec::Pcma, &mut sound);
            waiting.push((n + (n * 7 + u32::from(party)) % 3, party, n, sound));
        }
        waiting.retain(|(at, party, number, sound)| {
            if *at <= n {
                room.floor.send(*party, host(*party, 4000), voice(*party, *number), sound);
            }
            *at > n
        });
        room.pass(20);
    }

    let sound = room.parties[0].sound();
    let late = &sound[sound.len() / 2..];
    let good = late.chunks_exact(320).filter(|piece| {
        let both = share(piece, TONES[2]) + share(piece, TONES[3]);
        both > 0.8
    });
    let (good, pieces) = (good.count(), late.len() / 320);
    assert!(good * 100 >= pieces * 95, "{good} of {pieces}");
    assert_eq!(room.got(1)[0].packet.address, AddressId(1));
}
