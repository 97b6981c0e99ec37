//! Who hears whom in a call, and what is played: what its media worker is told of it.

use media::{Order, Sound};
use model::Codec;

use super::Call;
use crate::key::LegIndex;
use crate::lines::LegOrder;
use crate::step::Step;

impl Call {
    /// Lets two legs hear each other.
    pub fn join(&mut self, step: &mut Step<'_>, a: LegIndex, b: LegIndex) {
        if let (Some((worker, a)), Some((_, b))) = (self.leg(a).line.session(), self.leg(b).line.session()) {
            step.media(worker, Order::Join { a, b });
        }
    }

    /// A leg hears nobody, and nobody hears it.
    pub fn part(&mut self, step: &mut Step<'_>, index: LegIndex) {
        if let Some((worker, session)) = self.leg(index).line.session() {
            step.media(worker, Order::Part { session });
        }
    }

    /// Whether others hear silence in place of what a leg says; the recording does too.
    pub fn mute(&mut self, step: &mut Step<'_>, index: LegIndex, muted: bool) {
        let leg = self.leg_mut(index);
        if std::mem::replace(&mut leg.voice.muted, muted) != muted
            && let Some((worker, session)) = leg.line.session()
        {
            step.media(worker, Order::Mute { session, muted });
        }
    }

    /// Plays a sound to a leg until it is stopped. What plays already goes on.
    pub fn play(&mut self, step: &mut Step<'_>, index: LegIndex, sound: Sound) {
        let leg = self.leg_mut(index);
        if leg.voice.playing.replace(sound) != Some(sound)
            && let Some((worker, session)) = leg.line.session()
        {
            step.media(worker, Order::Play { session, sound });
        }
    }

    /// Ends what is played to a leg.
    pub fn stop_playing(&mut self, step: &mut Step<'_>, index: LegIndex) {
        let leg = self.leg_mut(index);
        if leg.voice.playing.take().is_some()
            && let Some((worker, session)) = leg.line.session()
        {
            step.media(worker, Order::Stop { session });
        }
    }

    /// Whoever waits hears the one that is rung: its own sound, or our ringing in place of what was heard before.
    pub fn let_hear(&mut self, step: &mut Step<'_>, who: LegIndex, rung: LegIndex, early: Option<Codec>) {
        match early {
            Some(_) => {
                self.stop_playing(step, who);
                self.join(step, who, rung);
            }
            None => {
                self.part(step, who);
                self.play(step, who, Sound::Ringback);
            }
        }
    }

    /// Presses a key for a party, in the form it takes: with its sound or in signalling.
    pub fn press_for(&mut self, step: &mut Step<'_>, index: LegIndex, key: char) {
        // A key that cannot be told in signalling goes with the sound.
        let _ = self.order(step, index, LegOrder::Key(key));
        if let Some((worker, session)) = self.leg(index).line.session() {
            step.media(worker, Order::Press { session, key });
        }
    }
}
