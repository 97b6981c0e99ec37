//! WAV files, read into what is played and written from it.

use std::io::Cursor;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use model::Clip;

use super::{MOST_SECONDS, SoundError, resample};

/// What a WAV of any rate and number of channels sounds like. One whose header promises more than there is, as programs
/// write that do not know the length beforehand, ends where it ends.
pub fn read(file: &[u8]) -> Result<Vec<i16>, SoundError> {
    let wrong = |error: hound::Error| SoundError::Wav(error.to_string());
    let reader = WavReader::new(Cursor::new(file)).map_err(wrong)?;
    let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
    if !(1..=8).contains(&channels) || !(4_000..=192_000).contains(&sample_rate) {
        return Err(SoundError::Wav(format!("{channels} channels at {sample_rate} samples a second")));
    }
    let channels = usize::from(channels);
    let there = file.len() / (channels * usize::from(bits_per_sample.div_ceil(8)).max(1));
    let frames = there.min(reader.duration() as usize);
    if frames / sample_rate as usize > MOST_SECONDS {
        return Err(SoundError::TooLong);
    }
    let samples: Vec<f32> = match sample_format {
        SampleFormat::Float => reader.into_samples::<f32>().map_while(Result::ok).collect(),
        SampleFormat::Int => {
            let full = (1_i64 << (bits_per_sample.clamp(1, 32) - 1)) as f32;
            reader.into_samples::<i32>().map_while(Result::ok).map(|sample| sample as f32 / full).collect()
        }
    };
    let mono: Vec<f32> =
        samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    Ok(resample::to_ours(&mono, sample_rate))
}

/// A mono WAV at 8 000 samples a second, 16 bits each.
pub fn write(samples: &[i16]) -> Vec<u8> {
    let spec = WavSpec { channels: 1, sample_rate: Clip::RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut file = Cursor::new(Vec::with_capacity(44 + samples.len() * 2));
    let written = WavWriter::new(&mut file, spec).and_then(|mut writer| {
        samples.iter().try_for_each(|sample| writer.write_sample(*sample))?;
        writer.finalize()
    });
    written.expect("memory takes everything");
    file.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(spec: WavSpec, seconds: f32) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut file, spec).expect("a writer");
        for at in 0..(spec.sample_rate as f32 * seconds) as usize {
            let value = (at as f32 * 440.0 * std::f32::consts::TAU / spec.sample_rate as f32).sin() * 0.5;
            for _ in 0..spec.channels {
                match spec.sample_format {
                    SampleFormat::Float => writer.write_sample(value),
                    SampleFormat::Int => {
                        writer.write_sample((value * ((1_i64 << (spec.bits_per_sample - 1)) - 1) as f32) as i32)
                    }
                }
                .expect("written");
            }
        }
        writer.finalize().expect("written");
        file.into_inner()
    }

    #[test]
    fn each_rate_width_and_number_of_channels_sounds_the_same() {
        let tone: Vec<f32> =
            (0..8_000).map(|at| (at as f32 * 440.0 * std::f32::consts::TAU / 8_000.0).sin() * 16_384.0).collect();
        for (sample_rate, channels, bits_per_sample, sample_format) in [
            (8_000, 1, 16, SampleFormat::Int),
            (8_000, 2, 8, SampleFormat::Int),
            (16_000, 1, 24, SampleFormat::Int),
            (22_050, 1, 16, SampleFormat::Int),
            (44_100, 2, 32, SampleFormat::Int),
            (48_000, 2, 32, SampleFormat::Float),
        ] {
            let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format };

            let read = read(&wav(spec, 1.0)).expect("a sound");

            assert!(read.len().abs_diff(8_000) <= 1, "{spec:?}: {}", read.len());
            let error: f32 =
                read[100..7_900].iter().zip(&tone[100..]).map(|(is, was)| (f32::from(*is) - was).powi(2)).sum();
            let energy: f32 = tone[100..7_900].iter().map(|was| was.powi(2)).sum();
            assert!(error < energy / 1_000.0, "{spec:?}: {} of {}", error, energy);
        }
    }

    #[test]
    fn a_file_whose_length_was_not_known_ends_where_it_ends() {
        let mut file = write(&[100; 8_000]);
        file[4..8].copy_from_slice(&0x7fff_f024_u32.to_le_bytes());
        file[40..44].copy_from_slice(&0x7fff_f000_u32.to_le_bytes());

        let read = read(&file).expect("a sound");

        assert_eq!(read, [100; 8_000]);
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let samples: Vec<i16> = (0..2_000).map(|at| at * 16).collect();

        assert_eq!(read(&write(&samples)), Ok(samples));
    }
}
