//! Whether a party that should be heard is silent: no sound and no RTCP for as long as its leg may be.

use crate::clock::Ticks;

/// One party's silence.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Silence {
    /// How long it may last. None: nothing is expected of the party.
    allowed: Option<Ticks>,
    /// The last that came, or when something was expected first.
    since: Ticks,
    /// The moment for which a look is asked for.
    look_at: Option<Ticks>,
}

impl Silence {
    /// So much silence is allowed from now on. What was expected before and still is, is expected since then.
    pub fn expect(&mut self, at: Ticks, allowed: Option<Ticks>) {
        if self.allowed.is_none() {
            self.since = at;
        }
        self.allowed = allowed;
    }

    /// Something has come.
    pub fn end(&mut self, at: Ticks) {
        self.since = at;
    }

    /// The moment to look at it, if it has not been asked for yet.
    pub fn watch(&mut self) -> Option<Ticks> {
        let look_at = self.since.saturating_add(self.allowed?);
        if self.look_at.is_some_and(|asked| asked <= look_at) {
            return None;
        }
        self.look_at = Some(look_at);
        Some(look_at)
    }

    /// A moment that was asked for has come. Gives whether the party is silent; again after each further silence of that
    /// length, because whoever hears of it may have had a reason to wait.
    pub fn look(&mut self, at: Ticks) -> bool {
        if self.look_at.take_if(|asked| *asked <= at).is_none() {
            return false;
        }
        let Some(allowed) = self.allowed else { return false };
        if self.since.saturating_add(allowed) > at {
            return false;
        }
        // The next look is a whole silence away.
        self.since = at;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks whenever that is asked for, until then; gives when silence was told.
    fn told(silence: &mut Silence, until: Ticks) -> Vec<Ticks> {
        let mut told = Vec::new();
        while let Some(at) = silence.watch().or(silence.look_at).filter(|at| *at <= until) {
            told.extend(silence.look(at).then_some(at));
        }
        told
    }

    #[test]
    fn silence_is_told_again_after_each_whole_silence_until_something_comes() {
        let mut silence = Silence::default();
        silence.expect(5, Some(100));

        let first = told(&mut silence, 320);
        silence.end(350);

        assert_eq!((first, told(&mut silence, 460)), (vec![105, 205, 305], vec![450]));
    }

    #[test]
    fn what_comes_in_time_puts_it_off() {
        let mut silence = Silence::default();
        silence.expect(0, Some(100));
        for at in (50..1000).step_by(90) {
            assert_eq!(told(&mut silence, at), []);
            silence.end(at);
        }
    }

    #[test]
    fn nothing_is_told_while_nothing_is_expected() {
        let mut silence = Silence::default();
        silence.expect(0, Some(100));
        silence.expect(50, None);
        let held = told(&mut silence, 500);

        silence.expect(500, Some(100));

        assert_eq!((held, told(&mut silence, 650)), (vec![], vec![600]));
    }

    #[test]
    fn a_shorter_silence_is_looked_at_earlier() {
        let mut silence = Silence::default();
        silence.expect(0, Some(1000));
        silence.watch();

        silence.expect(10, Some(100));

        assert_eq!(silence.watch(), Some(100));
        assert!(silence.look(100));
        assert!(!silence.look(1000));
    }
}
