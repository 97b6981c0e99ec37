//! Opus by libopus: mono at 16 kHz, whatever the other side makes of it (RFC 6716, RFC 7587).

use opus::{Application, Bitrate, Channels, Decoder, Encoder, Signal, packet};

/// The rate at which libopus gives us samples and takes them, in Hz.
const RATE: u32 = 16_000;

/// Bits a second that we spend: wideband speech without audible loss.
const BIT_RATE: i32 = 28_000;

/// How much work libopus puts into a frame, of 10.
const COMPLEXITY: i32 = 1;

/// How many packets of a hundred the encoder reckons with losing.
const LOSS: i32 = 5;

/// 2.5 ms, the shortest frame.
const SHORTEST: usize = RATE as usize / 400;

pub(super) struct OpusDecoder(Decoder);

impl OpusDecoder {
    pub fn new() -> Option<Self> {
        Decoder::new(RATE, Channels::Mono).ok().map(Self)
    }

    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Option<usize> {
        self.0.decode(payload, out, false).ok()
    }

    pub fn conceal(&mut self, next: Option<&[u8]>, out: &mut [i16]) -> bool {
        let whole = out.len() / SHORTEST * SHORTEST;
        let Some(sound) = out.get_mut(..whole).filter(|sound| !sound.is_empty()) else { return false };
        let next = next.filter(|next| !next.is_empty());
        self.0.decode(next.unwrap_or_default(), sound, next.is_some()).is_ok_and(|count| count == whole) && {
            out[whole..].fill(0);
            true
        }
    }

    pub fn reset(&mut self) {
        // Only a broken promise of libopus could fail here, and the decoder would go on from its last state.
        let _ = self.0.reset_state();
    }
}

pub(super) struct OpusEncoder(Encoder);

impl OpusEncoder {
    pub fn new() -> Option<Self> {
        let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Voip).ok()?;
        encoder.set_complexity(COMPLEXITY).ok()?;
        encoder.set_bitrate(Bitrate::Bits(BIT_RATE)).ok()?;
        encoder.set_signal(Signal::Voice).ok()?;
        // Frames lean less on those before them then: else one that is lost can make those behind it burst out.
        encoder.set_packet_loss_perc(LOSS).ok()?;
        Some(Self(encoder))
    }

    pub fn encode(&mut self, sound: &[i16], out: &mut [u8]) -> Option<usize> {
        // libopus takes as long as there is room; a packet of speech never needs more.
        let most = out.len().min(1000);
        self.0.encode(sound, &mut out[..most]).ok()
    }
}

/// How many samples a payload holds; 0 if it is broken.
pub(super) fn duration(payload: &[u8]) -> usize {
    packet::get_nb_samples(payload, RATE).unwrap_or(0)
}

/// Makes a payload silent, as long as it was: frames of the CELT layer that say nothing.
pub(super) fn silence(payload: &mut [u8]) -> usize {
    /// Mono frames of 2.5 ms, alone in their packet; the next three are of 5, 10 and 20 ms (RFC 6716, section 3.1).
    const CELT: u8 = 28;
    /// Any number of frames of one length (section 3.2.5).
    const SEVERAL: u8 = 3;
    /// What a silent frame says.
    const NOTHING: [u8; 2] = [0xff, 0xfe];
    let shortest = (duration(payload) / SHORTEST).max(1);
    let longer = shortest.trailing_zeros().min(3);
    let frames = shortest >> longer;
    let toc = (CELT + longer as u8) << 3;
    let head: &[u8] = if frames == 1 { &[toc] } else { &[toc | SEVERAL, frames as u8] };
    let length = head.len() + frames * NOTHING.len();
    match payload.get_mut(..length) {
        Some(silent) => {
            silent[..head.len()].copy_from_slice(head);
            silent[head.len()..].as_chunks_mut().0.fill(NOTHING);
            length
        }
        None => {
            // Too short for that: a frame without a byte is a pause.
            payload.iter_mut().take(1).for_each(|first| *first = toc);
            payload.len().min(1)
        }
    }
}
