//! Codecs as session descriptions name them: what we write into our own, and what we understand of theirs.

use media::Codec;
use sip::sdp::{Audio, Format};

/// The payload type under which we take Opus in our own offers.
const OPUS: u8 = 96;

/// The payload types under which we take keys in our own offers: beside codecs with a clock of 8 kHz, and beside Opus.
const KEYS: u8 = 101;
const WIDE_KEYS: u8 = 102;

/// The clock of keys where nothing else is said.
pub(super) const CLOCK: u32 = 8_000;

/// The codecs that media workers speak. What a carrier is likely to speak comes first, so that a call that goes outside
/// later need not be translated for.
pub(super) const SPOKEN: [Codec; 4] = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];

/// What stands in our own offers for these codecs: each, then keys on each clock that occurs.
pub(super) fn offered(codecs: &[Codec]) -> Vec<Format> {
    let mut formats: Vec<Format> = codecs.iter().map(|codec| own(*codec)).collect();
    let has = |clock: u32| codecs.iter().any(|codec| codec.clock_rate() == clock);
    if has(CLOCK) || codecs.is_empty() {
        formats.push(Format::keys_at(KEYS, CLOCK));
    }
    if has(Codec::Opus.clock_rate()) {
        formats.push(Format::keys_at(WIDE_KEYS, Codec::Opus.clock_rate()));
    }
    formats
}

/// The codecs of a description that we know, in its order, with their formats.
pub(super) fn known(audio: &Audio) -> impl Iterator<Item = (Codec, &Format)> {
    audio.codecs().filter_map(|format| Some((codec_of(format)?, format)))
}

/// The codec that a format stands for.
pub(super) fn codec_of(format: &Format) -> Option<Codec> {
    let has_its_channels = |codec| match codec {
        Codec::Opus => format.channels == 2,
        // Some phones write its one channel as two.
        Codec::G722 => true,
        Codec::Pcma | Codec::Pcmu => format.channels == 1,
    };
    SPOKEN.into_iter().find(|codec| format.is(word(*codec).name(), codec.clock_rate()) && has_its_channels(*codec))
}

/// The payload type and clock of keys beside a codec: on its own clock, else on the other (RFC 4733, 2.1 asks for the
/// first; many phones only know 8 kHz).
pub(super) fn keys_beside(codec: Codec, formats: &[Format]) -> Option<(u8, u32)> {
    let known = |format: &&Format| format.is_keys() && matches!(format.clock_rate, CLOCK | 48_000);
    let on = |clock: u32| formats.iter().filter(known).find(|format| format.clock_rate == clock);
    let found = on(codec.clock_rate()).or_else(|| formats.iter().find(known))?;
    Some((found.payload_type, found.clock_rate))
}

/// The same codec in the words of calls.
pub(super) fn word(codec: Codec) -> model::Codec {
    match codec {
        Codec::Pcma => model::Codec::Pcma,
        Codec::Pcmu => model::Codec::Pcmu,
        Codec::G722 => model::Codec::G722,
        Codec::Opus => model::Codec::Opus,
    }
}

/// The same codec in the words of media workers.
pub(super) fn sound_codec(codec: model::Codec) -> Codec {
    match codec {
        model::Codec::Pcma => Codec::Pcma,
        model::Codec::Pcmu => Codec::Pcmu,
        model::Codec::G722 => Codec::G722,
        model::Codec::Opus => Codec::Opus,
    }
}

fn own(codec: Codec) -> Format {
    match codec {
        Codec::Pcma => Format::new(8, "PCMA", CLOCK),
        Codec::Pcmu => Format::new(0, "PCMU", CLOCK),
        Codec::G722 => Format::g722(),
        Codec::Opus => Format::opus(OPUS, Some("useinbandfec=1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_on_the_clock_of_their_codec_where_they_can() {
        let both = offered(&[Codec::Pcma, Codec::Opus]);
        let narrow = offered(&[Codec::Pcma]);

        assert_eq!(keys_beside(Codec::Pcma, &both), Some((101, 8_000)));
        assert_eq!(keys_beside(Codec::Opus, &both), Some((102, 48_000)));
        assert_eq!(keys_beside(Codec::Opus, &narrow), Some((101, 8_000)));
        assert_eq!(keys_beside(Codec::Pcma, &[]), None);
    }

    #[test]
    fn what_we_offer_is_what_we_understand() {
        for codec in SPOKEN {
            assert_eq!(codec_of(&own(codec)), Some(codec));
        }
    }
}
