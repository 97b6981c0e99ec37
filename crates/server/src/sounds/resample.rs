//! Sound of any rate made into ours by a windowed sinc. Takes its time: it is never done on a call's path.

use std::f64::consts::PI;

use model::Clip;

/// How far the kernel reaches to each side, in zero crossings.
const REACH: usize = 16;
/// Places between two zero crossings at which the kernel is known.
const PLACES: usize = 512;
/// What is kept of the band, so that nothing folds back into it.
const KEPT: f64 = 0.94;

/// The same sound at 8 000 samples a second; full scale is 1.
pub fn to_ours(samples: &[f32], rate: u32) -> Vec<i16> {
    if rate == Clip::RATE {
        return samples.iter().map(|sample| whole(f64::from(*sample))).collect();
    }
    let step = f64::from(rate) / f64::from(Clip::RATE);
    // Above half of the lower rate nothing may be left.
    let stretch = step.max(1.0);
    let reach = REACH as f64 * stretch;
    let kernel: Vec<f64> = (0..=REACH * PLACES).map(|at| kernel(at as f64 / PLACES as f64)).collect();
    let count = (samples.len() as f64 / step).floor() as usize;
    let at = |at: usize| {
        let centre = at as f64 * step;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize + 1).min(samples.len());
        let near = samples.get(first..last).unwrap_or_default();
        let weighed = near.iter().enumerate().map(|(next, sample)| {
            let away = ((first + next) as f64 - centre).abs() / stretch;
            f64::from(*sample) * kernel.get((away * PLACES as f64).round() as usize).copied().unwrap_or_default()
        });
        whole(weighed.sum::<f64>() / stretch)
    };
    (0..count).map(at).collect()
}

fn kernel(away: f64) -> f64 {
    let window = 0.5 * (1.0 + (PI * away / REACH as f64).cos());
    let turn = PI * KEPT * away;
    let sinc = if turn == 0.0 { 1.0 } else { turn.sin() / turn };
    KEPT * sinc * window
}

fn whole(sample: f64) -> i16 {
    (sample * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_cannot_carry_does_not_fold_back() {
        let high: Vec<f32> =
            (0..48_000).map(|at| (at as f64 * 6_000.0 * 2.0 * PI / 48_000.0).sin() as f32 * 0.5).collect();

        let ours = to_ours(&high, 48_000);

        assert!(ours[100..7_900].iter().all(|sample| sample.abs() < 200), "6 kHz would be heard as 2 kHz");
    }
}
