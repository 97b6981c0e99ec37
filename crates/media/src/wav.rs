//! The header of a recording's file: WAV, 16-bit samples, 8 kHz, two channels.
//!
//! The header states lengths that grow while the file does. Whoever writes the file replaces the header now and then,
//! and after a crash makes it true again from the file's length.

/// Samples a second, in each channel.
pub const RATE: u32 = 8_000;

/// Bytes that one moment takes: a 16-bit sample for each of two channels.
pub const MOMENT: usize = 4;

/// A WAV header of a stereo recording.
pub struct WavHeader;

impl WavHeader {
    /// Its length; sound begins here.
    pub const LENGTH: usize = 44;

    /// The header for a file with `sound` bytes of sound. What a WAV file cannot count (4 GiB, 37 hours) is left out.
    pub fn print(sound: u64) -> [u8; Self::LENGTH] {
        let most = u64::from(u32::MAX) - Self::LENGTH as u64;
        let sound = (sound.min(most) / MOMENT as u64 * MOMENT as u64) as u32;
        let mut header = [0; Self::LENGTH];
        header[0..4].copy_from_slice(b"RIFF");
        header[4..8].copy_from_slice(&(sound + Self::LENGTH as u32 - 8).to_le_bytes());
        header[8..16].copy_from_slice(b"WAVEfmt ");
        header[16..20].copy_from_slice(&16u32.to_le_bytes());
        header[20..22].copy_from_slice(&1u16.to_le_bytes());
        header[22..24].copy_from_slice(&2u16.to_le_bytes());
        header[24..28].copy_from_slice(&RATE.to_le_bytes());
        header[28..32].copy_from_slice(&(RATE * MOMENT as u32).to_le_bytes());
        header[32..34].copy_from_slice(&(MOMENT as u16).to_le_bytes());
        header[34..36].copy_from_slice(&16u16.to_le_bytes());
        header[36..40].copy_from_slice(b"data");
        header[40..44].copy_from_slice(&sound.to_le_bytes());
        header
    }

    /// How a file of `length` bytes, whose writer died, is made whole: the header to put at its start, and the length
    /// to cut it to (or, for a file without a whole header, to bring it to).
    pub fn repair(length: u64) -> ([u8; Self::LENGTH], u64) {
        let sound = length.saturating_sub(Self::LENGTH as u64) / MOMENT as u64 * MOMENT as u64;
        (Self::print(sound), sound + Self::LENGTH as u64)
    }

    /// How long `sound` bytes of sound play.
    pub fn milliseconds(sound: u64) -> u64 {
        sound / (u64::from(RATE) * MOMENT as u64 / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &[u8]) -> (hound::WavSpec, Vec<i16>) {
        let mut reader = hound::WavReader::new(file).unwrap();
        (reader.spec(), reader.samples::<i16>().map(Result::unwrap).collect())
    }

    #[test]
    fn a_file_is_read_by_others_as_it_was_written() {
        let samples: Vec<i16> = (0..400).collect();
        let sound: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let file = [&WavHeader::print(sound.len() as u64)[..], &sound].concat();

        let (spec, again) = read(&file);

        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 8000, 16));
        assert_eq!(again, samples);
    }

    #[test]
    fn a_file_cut_anywhere_is_repaired_up_to_its_last_whole_moment() {
        let whole = [&WavHeader::print(0)[..], &[7; 1000]].concat();
        for length in 0..whole.len() {
            let (header, cut) = WavHeader::repair(length as u64);
            let mut file = whole[..length].to_vec();
            file.resize(cut as usize, 0);
            file[..WavHeader::LENGTH].copy_from_slice(&header);

            let (_, samples) = read(&file);

            assert_eq!(samples.len(), length.saturating_sub(44) / 4 * 2);
        }
    }

    #[test]
    fn lengths_are_told_in_milliseconds() {
        assert_eq!(WavHeader::milliseconds(32_000), 1000);
    }

    #[test]
    fn a_file_too_long_for_its_format_keeps_a_header_that_can_be_read() {
        let header = WavHeader::print(u64::MAX);

        assert_eq!(&header[..4], b"RIFF");
    }
}
