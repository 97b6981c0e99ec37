//! A phone that offers sound by UPDATE (RFC 3311), as some do right after the answer.

use sip::Method;

use super::Phone;
use crate::world::World;

impl Phone {
    /// Offers sound as it stands, by UPDATE.
    pub fn update(&mut self, at: usize) {
        let sound = &self.talks[at].sound;
        let offer = self.describe(sound, sound.wish(), None);
        let mut update = self.request_within(at, Method::Update);
        self.keep_session(at, &mut update.headers);
        update.set_body("application/sdp", offer);
        self.ask(update, Some(at));
    }
}

impl World {
    /// The phone offers its sound again by UPDATE.
    pub fn updates(&mut self, name: &str) {
        let place = self.place(name);
        let phone = &mut self.phones[place];
        if let Some(talk) = phone.talks.iter().rposition(super::Talk::is_up) {
            phone.update(talk);
        }
        self.flush(place);
    }
}
