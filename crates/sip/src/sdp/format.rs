//! Payload types and what they stand for (RFC 3551, RFC 8866, 6.6 and 6.15).

use bytes::Bytes;

use super::Media;
use crate::message::parse_number;

/// A payload type and what it stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Format {
    /// 0 to 127.
    pub payload_type: u8,
    /// `PCMA`, `opus`, `telephone-event` …; compare without case.
    pub name: String,
    /// In Hz, as written: 8000 for G.722 (RFC 3551, 4.5.2).
    pub clock_rate: u32,
    /// 1 unless written. Opus always says 2, whatever it carries (RFC 7587, 7).
    pub channels: u8,
    /// What `fmtp` says.
    pub parameters: Option<Bytes>,
}

impl Format {
    /// A format of one channel without parameters.
    pub fn new(payload_type: u8, name: &str, clock_rate: u32) -> Self {
        Format { payload_type, name: name.into(), clock_rate, channels: 1, parameters: None }
    }

    /// Opus, with what its `fmtp` shall say (RFC 7587): `useinbandfec=1`, for one.
    pub fn opus(payload_type: u8, parameters: Option<&'static str>) -> Self {
        Format { channels: 2, parameters: parameters.map(Bytes::from), ..Format::new(payload_type, "opus", 48_000) }
    }

    /// G.722 under its own payload type 9, with the clock of 8000 that history gave it.
    pub fn g722() -> Self {
        Format::new(9, "G722", 8000)
    }

    /// Comfort noise under its own payload type 13 (RFC 3389).
    pub fn noise() -> Self {
        Format::new(13, "CN", 8000)
    }

    /// Keys as events (RFC 4733): 0 to 9, star, hash, A to D.
    pub fn keys(payload_type: u8) -> Self {
        Format::keys_at(payload_type, 8000)
    }

    /// Keys as events on the clock of the codec they stand beside: 8000, or 48000 beside Opus.
    pub fn keys_at(payload_type: u8, clock_rate: u32) -> Self {
        let parameters = Some(Bytes::from_static(b"0-16"));
        Format { parameters, ..Format::new(payload_type, "telephone-event", clock_rate) }
    }

    /// Whether it is a format by that name and clock rate.
    pub fn is(&self, name: &str, clock_rate: u32) -> bool {
        self.name.eq_ignore_ascii_case(name) && self.clock_rate == clock_rate
    }

    /// Whether it carries keys rather than sound.
    pub fn is_keys(&self) -> bool {
        self.name.eq_ignore_ascii_case("telephone-event")
    }

    /// Whether it only says how silence sounds.
    pub fn is_noise(&self) -> bool {
        self.name.eq_ignore_ascii_case("CN")
    }

    /// The value of one parameter of `fmtp`, such as `useinbandfec`, `maxaveragebitrate` or `mode`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let text = std::str::from_utf8(self.parameters.as_deref()?).ok()?;
        text.split(';').find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// All formats of a section that say what they are, in its order.
pub(super) fn read_formats(media: &Media) -> Vec<Format> {
    let (maps, parameters) = (by_payload_type(media, "rtpmap"), by_payload_type(media, "fmtp"));
    let read = |format: &Bytes| {
        let payload_type = read_payload_type(format)?;
        let index = usize::from(payload_type);
        let parameters = parameters[index].map(Bytes::copy_from_slice);
        let Some(map) = maps[index] else {
            let (_, name, clock_rate) = STATIC.into_iter().find(|(number, ..)| *number == payload_type)?;
            return Some(Format { parameters, ..Format::new(payload_type, name, clock_rate) });
        };
        let mut parts = std::str::from_utf8(map).ok()?.trim().split('/');
        let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
        let clock_rate = parts.next()?.parse().ok().filter(|rate| *rate > 0)?;
        let channels = match parts.next() {
            Some(channels) => channels.parse().ok()?,
            None => 1,
        };
        Some(Format { payload_type, name, clock_rate, channels, parameters })
    };
    media.formats.iter().filter_map(read).collect()
}

/// What the attributes of a name say of each payload type; the first word on it counts.
fn by_payload_type<'a>(media: &'a Media, name: &str) -> [Option<&'a [u8]>; 128] {
    let mut found = [None; 128];
    for value in media.attributes(name) {
        // Some equipment leaves a blank behind the colon.
        let value = value.trim_ascii_start();
        let Some(blank) = value.iter().position(|byte| *byte == b' ') else { continue };
        let Some(payload_type) = read_payload_type(&value[..blank]) else { continue };
        found[usize::from(payload_type)].get_or_insert(value[blank..].trim_ascii());
    }
    found
}

fn read_payload_type(digits: &[u8]) -> Option<u8> {
    parse_number(digits).and_then(|number| u8::try_from(number).ok()).filter(|number| *number < 128)
}

/// Payload types that need no `rtpmap` (RFC 3551, 6).
const STATIC: [(u8, &str, u32); 8] = [
    (0, "PCMU", 8000),
    (3, "GSM", 8000),
    (4, "G723", 8000),
    (8, "PCMA", 8000),
    (9, "G722", 8000),
    (13, "CN", 8000),
    (15, "G728", 8000),
    (18, "G729", 8000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_by_its_name() {
        let opus = Format::opus(96, Some("maxplaybackrate=16000; UseInbandFEC = 1;stereo=0"));

        assert_eq!(opus.parameter("useinbandfec"), Some("1"));
        assert_eq!(opus.parameter("maxplaybackrate"), Some("16000"));
        assert_eq!(opus.parameter("usedtx"), None);
        assert_eq!(Format::keys(101).parameter("0-16"), None);
    }

    #[test]
    fn keys_and_noise_are_no_codecs() {
        assert!(Format::keys_at(102, 48_000).is_keys());
        assert!(Format::noise().is_noise());
        assert!(!Format::g722().is_noise() && !Format::g722().is_keys());
    }
}
