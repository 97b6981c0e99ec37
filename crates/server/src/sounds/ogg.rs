//! Ogg files with Opus (RFC 7845), read into what is played.

use std::io::Cursor;

use model::Clip;
use ogg::PacketReader;
use opus::{Channels, Decoder};

use super::{MOST_SECONDS, SoundError};

/// The most that one packet holds: 120 ms.
const PACKET: usize = Clip::RATE as usize * 120 / 1_000;
/// Positions and the sound to leave out are told at 48 000 a second, whatever the rate of the sound was.
const PER_SAMPLE: u64 = 48_000 / Clip::RATE as u64;

/// What the first stream of an Ogg file sounds like.
pub fn read(file: &[u8]) -> Result<Vec<i16>, SoundError> {
    let mut reader = PacketReader::new(Cursor::new(file));
    let wrong = |error: String| SoundError::Ogg(error);
    let mut next = || reader.read_packet().map_err(|error| wrong(error.to_string()));
    let first = next()?.ok_or(SoundError::Empty)?;
    let head = Head::parse(&first.data).map_err(|error| wrong(error.to_owned()))?;
    // A decoder at our rate and with one channel mixes and resamples by itself.
    let mut decoder = Decoder::new(Clip::RATE, Channels::Mono).map_err(|error| wrong(error.to_string()))?;
    let (mut samples, mut out) = (Vec::new(), [0; PACKET]);
    let (mut end, mut is_tags) = (None, true);
    while let Some(packet) = next()? {
        if packet.stream_serial() != first.stream_serial() || std::mem::take(&mut is_tags) {
            continue;
        }
        let made = decoder.decode(&packet.data, &mut out, false).map_err(|error| wrong(error.to_string()))?;
        samples.extend_from_slice(&out[..made]);
        if samples.len() > (MOST_SECONDS + 1) * Clip::RATE as usize {
            return Err(SoundError::TooLong);
        }
        end = packet.last_in_stream().then(|| packet.absgp_page() / PER_SAMPLE);
    }
    // The position of the last page says where within its packets the sound ends.
    if let Some(end) = end.and_then(|end| usize::try_from(end).ok())
        && samples.len().saturating_sub(end) < Clip::RATE as usize
    {
        samples.truncate(end);
    }
    samples.drain(..head.skipped.min(samples.len()));
    if head.gain != 0 {
        let factor = 10_f32.powf(f32::from(head.gain) / 256.0 / 20.0);
        samples.iter_mut().for_each(|sample| *sample = (f32::from(*sample) * factor) as i16);
    }
    Ok(samples)
}

/// The first packet.
struct Head {
    /// Samples at the beginning that the decoder makes up.
    skipped: usize,
    /// In 256ths of a decibel.
    gain: i16,
}

impl Head {
    fn parse(packet: &[u8]) -> Result<Self, &'static str> {
        let Some(body) = packet.strip_prefix(b"OpusHead") else { return Err("it holds no Opus") };
        let &[version, channels, skipped_low, skipped_high, _, _, _, _, gain_low, gain_high, family, ..] = body else {
            return Err("its head is cut off");
        };
        if version & 0xf0 != 0 {
            return Err("its version is unknown");
        }
        if family != 0 || !(1..=2).contains(&channels) {
            return Err("it has more than two channels");
        }
        let skipped = u16::from_le_bytes([skipped_low, skipped_high]);
        Ok(Self {
            skipped: usize::from(skipped) / PER_SAMPLE as usize,
            gain: i16::from_le_bytes([gain_low, gain_high]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ogg::{PacketWriteEndInfo, PacketWriter};
    use opus::{Application, Encoder};

    /// A tone of 440 Hz in an Ogg file, 48 kHz, with 312 samples to skip.
    fn tone(seconds: usize, channels: u8) -> Vec<u8> {
        let mode = if channels == 1 { Channels::Mono } else { Channels::Stereo };
        let mut encoder = Encoder::new(48_000, mode, Application::Audio).expect("an encoder");
        let mut file = Vec::new();
        let mut writer = PacketWriter::new(&mut file);
        let mut head = b"OpusHead\x01".to_vec();
        head.extend([channels, 0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 0, 0]);
        writer.write_packet(head, 9, PacketWriteEndInfo::EndPage, 0).expect("written");
        let tags = b"OpusTags\0\0\0\0\0\0\0\0".to_vec();
        writer.write_packet(tags, 9, PacketWriteEndInfo::EndPage, 0).expect("written");
        let packets = seconds * 50 + 1;
        for at in 0..packets {
            let sample = |at: usize| (at as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin() * 0.5;
            let frame: Vec<f32> = (at * 960..(at + 1) * 960)
                .flat_map(|at| std::iter::repeat_n(sample(at), usize::from(channels)))
                .collect();
            let packet = encoder.encode_vec_float(&frame, 1_500).expect("encoded");
            let (how, position) = match at + 1 == packets {
                true => (PacketWriteEndInfo::EndStream, seconds * 48_000 + 312),
                false => (PacketWriteEndInfo::NormalPacket, (at + 1) * 960),
            };
            writer.write_packet(packet, 9, how, position as u64).expect("written");
        }
        drop(writer);
        file
    }

    #[test]
    fn opus_of_one_and_two_channels_becomes_our_sound_of_the_same_length() {
        for channels in [1, 2] {
            let samples = read(&tone(2, channels)).expect("a sound");

            assert_eq!(samples.len(), 16_000, "{channels} channels");
            assert!(is_tone(&samples[800..15_200]), "{channels} channels");
        }
    }

    #[test]
    fn no_damage_makes_it_panic() {
        let whole = tone(1, 1);
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;

            let _ = read(&damaged);
            let _ = read(&whole[..at]);
        }
    }

    #[test]
    fn another_codec_is_refused() {
        let mut file = Vec::new();
        let vorbis = b"\x01vorbis and so on".to_vec();
        PacketWriter::new(&mut file).write_packet(vorbis, 1, PacketWriteEndInfo::EndStream, 0).expect("written");

        let error = read(&file).expect_err("no Opus").to_string();

        assert!(error.contains("it holds no Opus"), "{error}");
    }

    /// Whether 440 Hz is nearly all that is heard.
    fn is_tone(samples: &[i16]) -> bool {
        let turn = |at: usize| at as f64 * 440.0 * std::f64::consts::TAU / 8_000.0;
        let part = |wave: fn(f64) -> f64| {
            samples.iter().enumerate().map(|(at, sample)| f64::from(*sample) * wave(turn(at))).sum::<f64>()
        };
        let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        let at_440 = (part(f64::sin).powi(2) + part(f64::cos).powi(2)) * 2.0 / samples.len() as f64;
        energy > samples.len() as f64 * 4e6 && at_440 > 0.9 * energy
    }
}
