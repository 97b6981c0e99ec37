//! Two parties who speak different codecs understand each other, on good networks and on bad ones.

use super::{Floor, Got, got, to, voice};
use crate::codec::{Decoder, Encoder, LONGEST};
use crate::fixture::{host, level, roughness, segmental_snr, speech};
use crate::rtp::Header;
use crate::{AddressId, Channel, Codec, Order, Output, Packet, RecordingKey, RecordingStep, Report, SessionId, Stream};

/// A stream in this codec to a party's usual address.
pub(super) fn in_codec(party: u8, codec: Codec) -> Stream {
    let payload_type = codec.static_payload_type().unwrap_or(96 + party);
    let keys_clock = if codec == Codec::Opus { 48_000 } else { 8_000 };
    Stream { codec, payload_type, receive_payload_type: payload_type, keys_clock, ..to(party) }
}

/// Two parties in a call, of whom the first speaks.
pub(super) struct Call {
    pub floor: Floor,
    codecs: [Codec; 2],
    encoder: Encoder,
    /// Packets that the first party has said.
    pub said: u32,
    /// What has come to the second.
    pub heard: Vec<Got>,
    pub reports: Vec<Report>,
}

impl Call {
    pub fn new(first: Stream, second: Stream) -> Self {
        let codecs = [first.codec, second.codec];
        let encoder = Encoder::new(first.codec).unwrap();
        Self { floor: Floor::joined(first, second), codecs, encoder, said: 0, heard: Vec::new(), reports: Vec::new() }
    }

    pub fn between(first: Codec, second: Codec) -> Self {
        Self::new(in_codec(1, first), in_codec(2, second))
    }

    /// The first party's next 20 ms, as a packet.
    pub fn packet(&mut self, sound: &[i16]) -> (Header, Vec<u8>) {
        let codec = self.codecs[0];
        let mut payload = [0; 1000];
        let length = self.encoder.encode(sound, &mut payload).unwrap();
        let header = self.header();
        assert_eq!(sound.len(), 20 * codec.samples_per_ms());
        self.said += 1;
        (header, payload[..length].to_vec())
    }

    /// The header of the first party's next packet.
    pub fn header(&self) -> Header {
        let payload_type = in_codec(1, self.codecs[0]).receive_payload_type;
        let plain = voice(1, self.said);
        Header { payload_type, timestamp: plain.timestamp * self.codecs[0].clock_scale(), ..plain }
    }

    pub fn send(&mut self, header: Header, payload: &[u8]) {
        let got = self.floor.send(1, host(1, 4000), header, payload);
        self.heard.extend(got);
    }

    /// Time passes; what we make for the second party comes to it.
    pub fn pass(&mut self, milliseconds: u64) {
        for (output, bytes) in self.floor.pass(milliseconds) {
            match output {
                Output::Packet(packet) if packet.address == AddressId(2) && packet.channel == Channel::Sound => {
                    self.heard.push(got(Packet { bytes: 0..bytes.len(), ..packet }, &bytes));
                }
                Output::Report(report) => self.reports.push(report),
                _ => {}
            }
        }
    }

    /// The first party says this, packet by packet, over an even network.
    pub fn say(&mut self, sound: &[i16]) {
        for piece in sound.chunks_exact(20 * self.codecs[0].samples_per_ms()) {
            let (header, payload) = self.packet(piece);
            self.send(header, &payload);
            self.pass(20);
        }
    }

    /// What the second party hears, laid by its timestamps.
    pub fn sound(&self) -> Vec<i16> {
        let codec = self.codecs[1];
        let mut decoder = Decoder::new(codec).unwrap();
        let mut sound = Vec::new();
        let begin = self.heard[0].header.timestamp;
        for got in &self.heard {
            if got.header.payload_type != in_codec(2, codec).payload_type {
                continue;
            }
            let at = got.header.timestamp.wrapping_sub(begin) / codec.clock_scale() * codec.sample_rate() / 8_000;
            let mut out = [0; LONGEST];
            let count = decoder.decode(&got.payload, &mut out).unwrap();
            sound.resize(at as usize, 0);
            sound.extend_from_slice(&out[..count]);
        }
        sound
    }
}

/// At the rate of the slower of both codecs: what was said and what was heard.
fn compared(first: Codec, second: Codec, seconds: u32) -> (f64, usize) {
    let said = speech(first.sample_rate(), seconds);
    let mut call = Call::between(first, second);

    call.say(&said);

    let mut heard = call.sound();
    let mut said = said;
    for (codec, sound) in [(first, &mut said), (second, &mut heard)] {
        if codec.sample_rate() == 16_000 {
            let mut narrow = vec![0; sound.len() / 2];
            crate::codec::resample::Down::default().process(sound, &mut narrow);
            *sound = narrow;
        }
    }
    let (late, ratio) = segmental_snr(&said, &heard, 8_000, 40);
    (ratio, late)
}

#[test]
fn one_codec_is_relayed_bit_by_bit() {
    for codec in [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus] {
        let mut call = Call::between(codec, codec);
        let mut sent = Vec::new();
        for piece in speech(codec.sample_rate(), 3).chunks_exact(20 * codec.samples_per_ms()) {
            let (header, payload) = call.packet(piece);
            call.send(header, &payload);
            call.pass(20);
            sent.push(payload);
        }

        let heard: Vec<_> = call.heard.iter().map(|got| got.payload.clone()).collect();
        assert!(heard == sent, "{codec:?}");
        let step = 160 * codec.clock_scale();
        assert!(call.heard.windows(2).all(|two| two[1].header.timestamp == two[0].header.timestamp.wrapping_add(step)));
    }
}

#[test]
fn speech_keeps_its_shape_from_any_codec_to_any_other() {
    use Codec::{G722, Opus, Pcma, Pcmu};
    let floors = [
        (Pcma, Pcmu, 30.0),
        (Pcmu, Pcma, 30.0),
        (G722, Pcma, 28.0),
        (Pcma, G722, 28.0),
        (Opus, Pcma, 11.0),
        (Pcma, Opus, 11.0),
        (Opus, Pcmu, 11.0),
        (Pcmu, Opus, 11.0),
        (G722, Opus, 11.0),
        (Opus, G722, 11.0),
    ];
    for (first, second, floor) in floors {
        let (ratio, late) = compared(first, second, 5);

        assert!(ratio > floor, "{first:?} to {second:?}: {ratio:.1} dB, {late} samples late");
    }
}

#[test]
fn packets_are_as_long_as_the_party_wants_them() {
    for (second, packet_ms, made_ms) in [
        (Codec::Pcma, 10, 10),
        (Codec::Pcma, 30, 30),
        (Codec::G722, 60, 60),
        (Codec::Opus, 40, 40),
        (Codec::Opus, 30, 20),
    ] {
        let first = if second == Codec::Opus { Codec::Pcmu } else { Codec::Opus };
        let mut call = Call::new(in_codec(1, first), Stream { packet_ms, ..in_codec(2, second) });

        call.say(&speech(first.sample_rate(), 3));

        let step = made_ms * 8 * second.clock_scale();
        let even =
            call.heard.windows(2).filter(|two| two[1].header.timestamp.wrapping_sub(two[0].header.timestamp) == step);
        assert_eq!(even.count(), call.heard.len() - 1, "{second:?} {packet_ms}");
        assert!((2_800..=3_000).contains(&(call.heard.len() as u32 * made_ms)), "{second:?} {packet_ms}");
        let numbers = call.heard.windows(2).all(|two| two[1].header.sequence == two[0].header.sequence.wrapping_add(1));
        assert!(numbers);
    }
}

#[test]
fn a_bad_network_is_heard_as_little_as_can_be() {
    for (first, second) in [(Codec::Opus, Codec::Pcma), (Codec::Pcma, Codec::Opus), (Codec::G722, Codec::Pcmu)] {
        let said = speech(first.sample_rate(), 20);
        let mut even = Call::between(first, second);
        even.say(&said);
        let mut call = Call::between(first, second);
        let mut state = 3u32;
        let mut number = |below: u64| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u64::from(state >> 8) % below
        };
        let mut packets = Vec::new();
        for (n, piece) in (0u64..).zip(said.chunks_exact(20 * first.samples_per_ms())) {
            let packet = call.packet(piece);
            if number(100) >= 5 {
                packets.push((n * 20 + number(50), packet));
            }
        }
        packets.sort_by_key(|(at, _)| *at);
        let mut now = 0;
        for (at, (header, payload)) in packets {
            call.pass(at - now);
            now = at;
            call.send(header, &payload);
        }

        // What we send is as even as if nothing had happened.
        let packet_ms = 20 * 8 * second.clock_scale();
        assert!(call.heard.windows(2).all(|two| {
            let [before, after] = [two[0].header, two[1].header];
            after.sequence == before.sequence.wrapping_add(1)
                && after.timestamp == before.timestamp.wrapping_add(packet_ms)
        }));
        assert!(call.heard.len() >= 980, "{}", call.heard.len());
        let (rough, smooth) = (roughness(&call.sound()), roughness(&even.sound()));
        assert!(rough < smooth * 1.4, "{first:?} to {second:?}: {rough} {smooth}");
        assert!((level(&call.sound()) - level(&even.sound())).abs() < 2.0);
    }
}

#[test]
fn half_an_hour_of_g722_and_g711_loses_nothing_and_ends_as_late_as_it_began() {
    talk_for_half_an_hour(Codec::Pcmu, Codec::G722);
}

#[test]
fn half_an_hour_of_opus_and_g711_loses_nothing_and_ends_as_late_as_it_began() {
    talk_for_half_an_hour(Codec::Opus, Codec::Pcma);
}

#[test]
fn a_pause_of_one_is_a_pause_for_the_other() {
    let mut call = Call::between(Codec::Opus, Codec::Pcma);
    let said = speech(16_000, 1);
    call.say(&said);
    call.pass(2_000);
    let during = call.heard.len();
    call.said += 100;
    call.say(&said);

    assert!(during <= 75, "{during}");
    let again = &call.heard[during].header;
    let before = &call.heard[during - 1].header;
    assert!(again.marker);
    assert_eq!(again.sequence, before.sequence.wrapping_add(1));
    let passed = again.timestamp.wrapping_sub(before.timestamp) / 8;
    assert!((1_500..=2_100).contains(&passed), "{passed}");
}

#[test]
fn comfort_noise_is_told_to_one_who_knows_it_and_made_for_one_who_does_not() {
    let noise = |second: Stream| {
        let mut call = Call::new(in_codec(1, Codec::G722), second);
        call.say(&speech(16_000, 1));
        let header = Header { payload_type: 13, ..call.header() };
        call.send(header, &[40]);
        call.pass(200);
        call.heard.clear();
        call.pass(1_000);
        call.heard
    };

    let told = noise(Stream { comfort: Some(13), ..in_codec(2, Codec::Pcma) });
    let made = noise(in_codec(2, Codec::Pcma));

    assert!(told.is_empty());
    assert_eq!(made.len(), 50);
    let sound: Vec<i16> =
        made.iter().flat_map(|got| got.payload.iter().map(|&byte| Codec::Pcma.decode(byte))).collect();
    assert!((level(&sound) - (20.0 * 32_768f64.log10() - 40.0)).abs() < 2.0, "{}", level(&sound));
}

#[test]
fn comfort_noise_passes_between_two_who_know_it() {
    let comfort = |party| Stream { comfort: Some(13), ..in_codec(party, Codec::Pcma) };
    let mut call = Call::new(comfort(1), comfort(2));
    call.say(&speech(8_000, 1));
    let header = Header { payload_type: 13, ..call.header() };

    call.send(header, &[40, 7]);

    let last = call.heard.last().unwrap();
    assert_eq!((last.header.payload_type, &last.payload[..]), (13, &[40, 7][..]));
}

#[test]
fn a_change_of_codec_in_a_call_is_followed_under_one_ssrc() {
    let mut call = Call::between(Codec::Pcma, Codec::Pcma);
    call.say(&speech(8_000, 1));
    call.floor.change(2, in_codec(2, Codec::Opus));
    call.codecs[1] = Codec::Opus;
    call.say(&speech(8_000, 1));
    call.floor.change(2, in_codec(2, Codec::Pcma));
    call.say(&speech(8_000, 1));

    let numbers: Vec<_> = call.heard.iter().map(|got| got.header.sequence).collect();
    assert!(numbers.windows(2).all(|two| two[1] == two[0].wrapping_add(1)));
    assert!(call.heard.iter().all(|got| got.header.ssrc == call.heard[0].header.ssrc));
    let types: Vec<_> = call.heard.iter().map(|got| got.header.payload_type).collect();
    assert!(types[..50].iter().all(|known| *known == 8) && types.ends_with(&[8; 50]));
    assert!(types.iter().filter(|known| **known == 98).count() >= 45);
}

#[test]
fn a_party_that_speaks_another_codec_than_agreed_on_is_understood() {
    let mut call = Call::between(Codec::G722, Codec::G722);
    let said = speech(8_000, 2);
    for piece in said.chunks_exact(160) {
        let payload: Vec<u8> = piece.iter().map(|&sample| Codec::Pcma.encode(sample)).collect();
        let header = Header { payload_type: 8, ..call.header() };
        call.send(header, &payload);
        call.said += 1;
        call.pass(20);
    }

    let heard = call.sound();
    assert!(heard.len() > 30_000);
    assert!((level(&heard[3_200..]) - level(&said[1_600..])).abs() < 2.0);
}

#[test]
fn a_muted_party_is_silent_in_every_codec() {
    for (first, second) in [(Codec::Opus, Codec::Opus), (Codec::G722, Codec::G722), (Codec::Opus, Codec::Pcma)] {
        let mut call = Call::between(first, second);
        call.floor.order(Order::Mute { session: SessionId(1), muted: true });

        call.say(&speech(first.sample_rate(), 2));

        assert!(call.heard.len() >= 95);
        assert!(level(&call.sound()[8_000..]) < 36.0, "{first:?} {second:?}");
    }
}

#[test]
fn tones_are_played_in_every_codec() {
    for codec in [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus] {
        let mut call = Call::between(Codec::Pcma, codec);
        call.floor.order(Order::Play { session: SessionId(2), sound: crate::Sound::Busy });

        call.pass(4_000);

        assert_eq!(call.heard.len(), 200);
        let sound = call.sound();
        let half = sound.len() / 8;
        let first_half = level(&sound[half / 4..half * 3 / 4]);
        let second_half = level(&sound[half + half / 4..half + half * 3 / 4]);
        assert!(first_half > 75.0 && second_half < 35.0, "{codec:?} {first_half} {second_half}");
    }
}

#[test]
fn a_tone_that_began_before_the_party_was_known_is_heard_when_it_is() {
    let mut floor = Floor::new();
    let session = SessionId(1);
    floor.order(Order::Open { session, address: AddressId(1), stream: None });
    floor.order(Order::Play { session, sound: crate::Sound::Ringback });
    let before = floor.played(500);

    floor.change(1, in_codec(1, Codec::Opus));

    assert!(before.is_empty());
    assert_eq!(floor.played(500).len(), 25);
}

#[test]
fn recordings_hear_every_codec() {
    for codec in [Codec::Pcmu, Codec::G722, Codec::Opus] {
        let mut call = Call::between(codec, Codec::Pcma);
        let (customer, agent) = (vec![SessionId(1)], vec![SessionId(2)]);
        let recording = RecordingKey(1);
        call.floor.order(Order::Record { recording, file: "a.wav".into(), customer, agent });
        let said = speech(codec.sample_rate(), 5);
        let mut file = Vec::new();
        for piece in said.chunks_exact(20 * codec.samples_per_ms()) {
            let (header, payload) = call.packet(piece);
            call.floor.send(1, host(1, 4000), header, &payload);
            for (output, _) in call.floor.pass(20) {
                if let Output::Recording(RecordingStep::Sound { sound, .. }) = output {
                    file.extend(sound.chunks_exact(4).map(|moment| i16::from_le_bytes([moment[0], moment[1]])));
                    call.floor.worker.give_back(sound);
                }
            }
        }

        let mut narrow = said.clone();
        if codec.sample_rate() == 16_000 {
            narrow.truncate(said.len() / 2);
            crate::codec::resample::Down::default().process(&said, &mut narrow);
        }
        let (late, ratio) = segmental_snr(&narrow, &file, 8_000, 40);
        assert!(ratio > 8.0, "{codec:?}: {ratio} dB, {late}");
    }
}

#[test]
fn a_hold_in_between_costs_nothing_afterwards() {
    let mut call = Call::between(Codec::Opus, Codec::Pcma);
    let said = speech(16_000, 1);
    call.say(&said);
    call.floor.change(2, Stream { send: false, ..in_codec(2, Codec::Pcma) });
    let before = call.heard.len();
    call.say(&said);
    let during = call.heard.len() - before;
    call.floor.change(2, in_codec(2, Codec::Pcma));
    call.say(&said);

    assert_eq!(during, 0);
    assert!(call.heard.len() - before >= 47);
    let numbers = call.heard.windows(2).all(|two| two[1].header.sequence == two[0].header.sequence.wrapping_add(1));
    assert!(numbers);
}

fn talk_for_half_an_hour(first: Codec, second: Codec) {
    let said = speech(first.sample_rate(), 4);
    let mut call = Call::between(first, second);
    let mut sent: u32 = 0;
    let mut last: Option<Header> = None;
    let mut first_timestamp = None;
    // The same speech over and over; what was encoded once need not be again.
    let packets: Vec<_> = said.chunks_exact(20 * first.samples_per_ms()).map(|piece| call.packet(piece)).collect();
    for n in 0..30 * 60 * 50u32 {
        let (_, payload) = &packets[n as usize % packets.len()];
        call.said = n;
        let header = call.header();
        call.send(header, payload);
        call.pass(20);
        for got in call.heard.drain(..) {
            let step = 160 * second.clock_scale();
            if let Some(last) = last {
                assert_eq!(got.header.sequence, last.sequence.wrapping_add(1));
                assert_eq!(got.header.timestamp, last.timestamp.wrapping_add(step));
            }
            first_timestamp.get_or_insert(got.header.timestamp);
            last = Some(got.header);
            sent += 1;
        }
    }

    let packets = 30 * 60 * 50;
    assert!((packets - 3..=packets).contains(&sent), "{sent}");
    call.floor.close(1);
    let quality = call.floor.reports().into_iter().find_map(|report| match report {
        Report::Quality { quality, .. } => Some(quality),
        _ => None,
    });
    assert_eq!(quality.map(|quality| (quality.received, quality.lost)), Some((u64::from(packets), 0)));
}
