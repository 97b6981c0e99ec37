//! Which section of a description is taken, with which codec, and with which key of theirs.

use media::Codec;
use sip::sdp::{Audio, Crypto, Format, Sdp};

use super::super::formats::known;
use super::{Negotiation, Secrecy};

impl Negotiation {
    /// The section of an offer to take, the codec in it, and the key of theirs: secured before plain, then as written;
    /// those with a preferred codec first.
    pub(super) fn choose(&self, sdp: &Sdp, prefer: &[Codec]) -> Option<(Audio, Codec, Option<Crypto>)> {
        let mut usable: Vec<(Audio, Codec, Option<Crypto>)> = sdp
            .audios()
            .filter_map(|audio| {
                let crypto = self.secured(&audio)?;
                let both: Vec<Codec> = self.spoken(&audio).map(|(codec, _)| codec).collect();
                let preferred = prefer.iter().copied().find(|wish| both.contains(wish));
                let codec = preferred.or_else(|| both.first().copied())?;
                Some((audio, codec, crypto))
            })
            .collect();
        let best = usable.iter().position(|(_, _, crypto)| crypto.is_some()).unwrap_or(0);
        (best < usable.len()).then(|| usable.swap_remove(best))
    }

    /// The codecs of a description that we would speak with this party, in its order.
    pub(super) fn spoken<'a>(&self, audio: &'a Audio) -> impl Iterator<Item = (Codec, &'a Format)> + use<'a, '_> {
        known(audio).filter(|(codec, _)| self.codecs.contains(codec))
    }

    /// The key of theirs that a section is taken with. The outer None: it is not taken at all.
    fn secured(&self, audio: &Audio) -> Option<Option<Crypto>> {
        // A key of the suite that is in use spares a change of it.
        let suite = self.agreed.as_ref().and_then(|agreed| agreed.crypto).map(|crypto| crypto.suite);
        let same = audio.cryptos.iter().find(|crypto| Some(crypto.suite) == suite);
        let crypto = same.or_else(|| audio.cryptos.first()).copied();
        match self.secrecy {
            Secrecy::None => (!audio.profile.is_secured()).then_some(None),
            Secrecy::Welcome | Secrecy::Offered => Some(crypto),
            Secrecy::Required => crypto.map(Some),
        }
    }

    /// The section of an answer, the key of theirs, and whether we offered one port for sound and reports. It stands where
    /// ours does, and is secured as ours is.
    pub(super) fn answered_section(&self, sdp: &Sdp) -> Option<(Audio, Option<Crypto>, bool)> {
        let (ours, index) = self.ours.as_ref()?;
        let mine = ours.audios().find(|audio| audio.index == *index)?;
        let audio = sdp.audios().find(|audio| audio.index == *index)?;
        let suite = mine.cryptos.first().map(|crypto| crypto.suite);
        let crypto = audio.cryptos.iter().find(|crypto| Some(crypto.suite) == suite).copied();
        match (self.secrecy == Secrecy::Required, audio.profile.is_secured()) {
            (true, _) => Some((audio, Some(crypto?), mine.rtcp_mux)),
            // Sound in the clear was offered; a key in the answer is good only where ours has one.
            (false, false) => Some((audio, crypto, mine.rtcp_mux)),
            (false, true) => crypto.map(|crypto| (audio, Some(crypto), mine.rtcp_mux)),
        }
    }
}
