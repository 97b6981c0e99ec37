//! Sound that is ready to be played, and several pieces of it said once, one after the other.

use std::fmt;
use std::sync::Arc;

/// Mono sound at 8 000 samples a second. Clones share it.
#[derive(Clone)]
pub struct Clip(Arc<[i16]>);

impl Clip {
    /// A clip of these samples.
    pub fn new(samples: impl Into<Arc<[i16]>>) -> Self {
        Self(samples.into())
    }

    /// Its samples.
    pub fn samples(&self) -> &[i16] {
        &self.0
    }

    /// The sample at a position of the clip played over and over; one without samples is silent.
    pub(crate) fn looped(&self, position: u64) -> i16 {
        let length = self.0.len().max(1) as u64;
        self.0.get((position % length) as usize).copied().unwrap_or_default()
    }
}

/// The same samples in the same place: a minute of sound is compared by nobody.
impl PartialEq for Clip {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Clip {}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clip({} ms)", self.0.len() / 8)
    }
}

/// Clips being said.
#[derive(Clone, Debug)]
pub(crate) struct Saying {
    /// What the asker calls it.
    pub say: u32,
    clips: Vec<Clip>,
    /// The clip that is being said, and how many of its samples were.
    clip: usize,
    position: usize,
}

impl Saying {
    /// None: there is nothing to be said.
    pub fn new(say: u32, clips: Vec<Clip>) -> Option<Self> {
        clips.iter().any(|clip| !clip.samples().is_empty()).then_some(Self { say, clips, clip: 0, position: 0 })
    }

    /// The next piece of it; behind its end is silence.
    pub fn fill_samples(&mut self, piece: &mut [i16]) {
        let mut rest = piece;
        while let Some(clip) = self.clips.get(self.clip).filter(|_| !rest.is_empty()) {
            let left = &clip.samples()[self.position..];
            let count = left.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(&left[..count]);
            rest = later;
            self.go_on(count);
        }
        rest.fill(0);
    }

    /// So many samples pass unheard.
    pub fn pass(&mut self, mut samples: usize) {
        while let Some(clip) = self.clips.get(self.clip).filter(|_| samples > 0) {
            let count = (clip.samples().len() - self.position).min(samples);
            samples -= count;
            self.go_on(count);
        }
    }

    /// Whether the last sample has been taken.
    pub fn is_over(&self) -> bool {
        self.clip >= self.clips.len()
    }

    /// So many samples of the clip were said, at most as many as it has.
    fn go_on(&mut self, samples: usize) {
        self.position += samples;
        while self.clips.get(self.clip).is_some_and(|clip| self.position >= clip.samples().len()) {
            self.clip += 1;
            self.position = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_follow_each_other_without_a_gap_and_end_in_silence() {
        let clips = [vec![], vec![1; 5], vec![], vec![2; 3], vec![]].map(Clip::new);
        let mut saying = Saying::new(1, clips.to_vec()).unwrap();
        let mut piece = [9; 6];

        saying.fill_samples(&mut piece);
        assert_eq!((piece, saying.is_over()), ([1, 1, 1, 1, 1, 2], false));

        saying.fill_samples(&mut piece);
        assert_eq!((piece, saying.is_over()), ([2, 2, 0, 0, 0, 0], true));
    }

    #[test]
    fn what_passes_unheard_is_not_said_later() {
        let mut saying = Saying::new(1, vec![Clip::new([1; 5]), Clip::new([2; 3])]).unwrap();
        let mut piece = [9; 1];

        saying.pass(6);
        saying.fill_samples(&mut piece);
        assert_eq!((piece, saying.is_over()), ([2], false));

        saying.pass(100);
        assert!(saying.is_over());
    }

    #[test]
    fn clips_without_samples_are_nothing_to_say() {
        assert!(Saying::new(1, vec![]).is_none());
        assert!(Saying::new(1, vec![Clip::new([]), Clip::new([])]).is_none());
    }

    #[test]
    fn a_looped_clip_begins_again_where_it_ends() {
        let clip = Clip::new([1, 2, 3]);

        assert_eq!([0, 2, 3, 5, 3_000_000].map(|at| clip.looped(at)), [1, 3, 1, 3, 1]);
        assert_eq!(Clip::new([]).looped(7), 0);
    }
}
