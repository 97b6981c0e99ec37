//! Who hears whom in a call, and what is played: what its media worker is told of it.

use media::{Order, Sound};
use model::{Clip, Codec};

use super::Call;
use super::leg::Playing;
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

    /// Plays a sound to a leg until it is stopped. What plays already goes on. Music is the tenant's own, if it has any.
    pub fn play(&mut self, step: &mut Step<'_>, index: LegIndex, sound: Sound) {
        let own = || self.settings.sound(self.settings.music.as_ref()?).map(sound_of);
        let sound = if sound == Sound::Music { own().unwrap_or(sound) } else { sound };
        let leg = self.leg_mut(index);
        let playing = Some(Playing::Sound(sound.clone()));
        if leg.voice.playing != playing {
            leg.voice.playing = playing;
            if let Some((worker, session)) = leg.line.session() {
                step.media(worker, Order::Play { session, sound });
            }
        }
    }

    /// Says clips to a leg once, one after the other; [`crate::lines::LegNews::Said`] comes when the last is over, unless
    /// something else is played or said to it before, or it is stopped.
    pub fn say(&mut self, step: &mut Step<'_>, index: LegIndex, clips: Vec<Clip>) {
        let leg = self.leg_mut(index);
        leg.voice.says = leg.voice.says.wrapping_add(1);
        let say = leg.voice.says;
        leg.voice.playing = Some(Playing::Said(say));
        if let Some((worker, session)) = leg.line.session() {
            let clips = clips.into_iter().map(media::Clip::new).collect();
            step.media(worker, Order::Say { session, say, clips });
        }
    }

    /// The media worker has said it all. Gives whether that is what the leg was hearing.
    pub fn on_said(&mut self, index: LegIndex, say: u32) -> bool {
        self.leg_mut(index).voice.playing.take_if(|playing| *playing == Playing::Said(say)).is_some()
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

/// A clip, played over and over.
pub fn sound_of(clip: &Clip) -> Sound {
    Sound::Clip(media::Clip::new(clip.clone()))
}
