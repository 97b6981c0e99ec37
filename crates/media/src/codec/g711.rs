//! G.711: A-law and µ-law to and from 16-bit samples, and from one law to the other without samples in between.

use crate::Codec;

/// One of the two laws of G.711. Both have a byte for each sample at 8 kHz.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Law {
    /// A-law.
    A,
    /// µ-law.
    U,
}

impl Codec {
    /// The law of a G.711 codec. None: it is another.
    pub fn law(self) -> Option<Law> {
        match self {
            Self::Pcma => Some(Law::A),
            Self::Pcmu => Some(Law::U),
            Self::G722 | Self::Opus => None,
        }
    }

    /// The sample that `byte` stands for in a codec with a byte for each sample; silence in another.
    pub fn decode(self, byte: u8) -> i16 {
        self.law().map_or(0, |law| law.decode(byte))
    }

    /// The byte that stands nearest to `sample` in a codec with a byte for each sample; zero in another.
    pub fn encode(self, sample: i16) -> u8 {
        self.law().map_or(0, |law| law.encode(sample))
    }
}

impl Law {
    /// The sample that `byte` stands for.
    pub fn decode(self, byte: u8) -> i16 {
        self.samples()[byte as usize]
    }

    /// The byte that stands nearest to `sample`.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::A => encode_a(sample),
            Self::U => encode_u(sample),
        }
    }

    /// All 256 bytes' samples, for loops that decode a whole packet.
    pub fn samples(self) -> &'static [i16; 256] {
        match self {
            Self::A => &A_TO_SAMPLE,
            Self::U => &U_TO_SAMPLE,
        }
    }

    /// The byte for silence.
    pub fn silence(self) -> u8 {
        match self {
            Self::A => 0xd5,
            Self::U => 0xff,
        }
    }

    /// Turns sound of this law into sound of another, in place.
    pub fn transcode(self, to: Self, sound: &mut [u8]) {
        let table = match (self, to) {
            (Self::A, Self::U) => &A_TO_U,
            (Self::U, Self::A) => &U_TO_A,
            (Self::A, Self::A) | (Self::U, Self::U) => return,
        };
        for byte in sound {
            *byte = table[*byte as usize];
        }
    }
}

static A_TO_SAMPLE: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = decode_a(byte as u8);
        byte += 1;
    }
    table
};

static U_TO_SAMPLE: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = decode_u(byte as u8);
        byte += 1;
    }
    table
};

static A_TO_U: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = encode_u(decode_a(byte as u8));
        byte += 1;
    }
    table
};

static U_TO_A: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = encode_a(decode_u(byte as u8));
        byte += 1;
    }
    table
};

/// Added to a µ-law magnitude before its segment is found (G.711, table 2), in 16-bit steps.
const U_BIAS: i32 = 132;

const fn decode_a(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let segment = (byte >> 4) & 7;
    let step = ((byte & 0x0f) as i16) << 4;
    let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if byte & 0x80 == 0 { -magnitude } else { magnitude }
}

const fn encode_a(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 { (0, !sample) } else { (0x80, sample) };
    let segment = if magnitude < 256 { 0 } else { 8 - magnitude.leading_zeros() as u8 };
    let step = if segment == 0 { magnitude >> 4 } else { magnitude >> (segment + 3) } as u8 & 0x0f;
    (sign | (segment << 4) | step) ^ 0x55
}

const fn decode_u(byte: u8) -> i16 {
    let byte = !byte;
    let segment = (byte >> 4) & 7;
    let magnitude = (((((byte & 0x0f) as i32) << 3) + U_BIAS) << segment) - U_BIAS;
    if byte & 0x80 == 0 { magnitude as i16 } else { -magnitude as i16 }
}

const fn encode_u(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 { (0x80, -(sample as i32)) } else { (0, sample as i32) };
    let magnitude = if magnitude > i16::MAX as i32 - U_BIAS { i16::MAX as i32 } else { magnitude + U_BIAS };
    let segment = (24 - magnitude.leading_zeros()) as u8;
    let step = (magnitude >> (segment + 3)) as u8 & 0x0f;
    !(sign | (segment << 4) | step)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Law; 2] = [Law::A, Law::U];

    #[test]
    fn samples_are_those_of_the_recommendation() {
        assert_eq!(Law::A.decode(0xd5), 8);
        assert_eq!(Law::A.decode(0x55), -8);
        assert_eq!(Law::A.decode(0xaa), 32256);
        assert_eq!(Law::A.decode(0x2a), -32256);
        assert_eq!(Law::U.decode(0xff), 0);
        assert_eq!(Law::U.decode(0x7f), 0);
        assert_eq!(Law::U.decode(0x80), 32124);
        assert_eq!(Law::U.decode(0x00), -32124);
    }

    #[test]
    fn a_decoded_byte_encodes_to_itself() {
        for law in BOTH {
            for byte in 0..=255 {
                let again = law.encode(law.decode(byte));

                // µ-law has two bytes for zero.
                assert!(again == byte || (law, byte, again) == (Law::U, 0x7f, 0xff), "{law:?} {byte:#x} {again:#x}");
            }
        }
    }

    #[test]
    fn every_sample_is_kept_to_a_thirty_second_of_its_size() {
        for law in BOTH {
            for sample in i16::MIN..=i16::MAX {
                let sample = i32::from(sample);
                let kept = i32::from(law.decode(law.encode(sample as i16)));

                assert!((kept - sample).abs() <= (sample.abs() + U_BIAS) / 32 + 8, "{law:?} {sample} {kept}");
            }
        }
    }

    #[test]
    fn from_law_to_law_keeps_thirty_decibels_and_the_same_law_keeps_every_bit() {
        for (from, to) in [(Law::A, Law::U), (Law::U, Law::A)] {
            let (mut signal, mut noise) = (0.0, 0.0);
            for n in 0..8000 {
                let sample = (f64::from(n) * 0.37).sin() * 12_000.0 * (f64::from(n) / 8000.0);
                let mut sound = [from.encode(sample as i16)];
                let before = f64::from(from.decode(sound[0]));
                from.transcode(to, &mut sound);
                signal += before * before;
                noise += (before - f64::from(to.decode(sound[0]))).powi(2);
            }

            assert!(10.0 * (signal / noise).log10() > 30.0, "{}", 10.0 * (signal / noise).log10());
        }
        let mut sound: Vec<u8> = (0..=255).collect();
        Law::A.transcode(Law::A, &mut sound);
        assert_eq!(sound, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn silence_stays_silence_in_the_other_law() {
        let mut sound = [Law::A.silence()];

        Law::A.transcode(Law::U, &mut sound);

        assert!(Law::U.decode(sound[0]).abs() <= 8);
    }
}
