//! What the switchboard of the world says: a tone for each sentence, as long as a sentence is.

use media::{Sound, tone::Tone};
use model::Clip;

use super::World;

/// The tone of all that is said.
pub const VOICE: u16 = 525;

/// How long each sentence is.
const SECONDS: u32 = 2;

impl World {
    /// Everything that the first company may have to say is made. Nothing is, before; what is there stays.
    pub fn makes_prompts(&mut self) {
        let clip = clip(VOICE, SECONDS);
        self.settings(|settings| {
            for words in settings.words() {
                settings.clips.words.entry(words).or_insert_with(|| clip.clone());
            }
        });
    }
}

/// A tone, made ready.
pub fn clip(hertz: u16, seconds: u32) -> Clip {
    let mut tone = Tone::new(Sound::Tone { hertz });
    let samples: Vec<i16> = (0..seconds * Clip::RATE).map(|_| tone.sample()).collect();
    Clip::new(samples)
}
