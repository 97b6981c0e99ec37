//! What a description says about sound, ready for a relay: addresses, codecs, keys, direction.

use std::net::SocketAddr;

use bytes::Bytes;

use super::{Direction, Media, Sdp};
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
    /// 1 unless written.
    pub channels: u8,
    /// What `fmtp` says.
    pub parameters: Option<Bytes>,
}

impl Format {
    /// A format of one channel without parameters.
    pub fn new(payload_type: u8, name: &str, clock_rate: u32) -> Self {
        Format { payload_type, name: name.into(), clock_rate, channels: 1, parameters: None }
    }

    /// Keys as events (RFC 4733): 0 to 9, star, hash, A to D.
    pub fn keys(payload_type: u8) -> Self {
        let parameters = Some(Bytes::from_static(b"0-16"));
        Format { parameters, ..Format::new(payload_type, "telephone-event", 8000) }
    }

    /// Whether it is a format by that name and clock rate.
    pub fn is(&self, name: &str, clock_rate: u32) -> bool {
        self.name.eq_ignore_ascii_case(name) && self.clock_rate == clock_rate
    }

    /// Whether it carries keys rather than sound.
    pub fn is_keys(&self) -> bool {
        self.name.eq_ignore_ascii_case("telephone-event")
    }
}

/// A section with sound that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audio {
    /// Which section it is, from 0.
    pub index: usize,
    /// Where to send sound. `None` when only a name is given, or the old way of holding, address 0.0.0.0.
    pub rtp: Option<SocketAddr>,
    /// Where to send reports: as `rtcp` says, else the port above; the same port with `rtcp-mux`.
    pub rtcp: Option<SocketAddr>,
    /// Whether sound and reports may share a port.
    pub rtcp_mux: bool,
    /// As seen by whoever wrote it. An address of 0.0.0.0 listens to nothing.
    pub direction: Direction,
    /// All formats that say what they are, in their order of preference.
    pub formats: Vec<Format>,
    /// Milliseconds of sound in a packet, when a sensible number is asked for.
    pub packet_ms: Option<u16>,
}

impl Audio {
    /// The codecs, in order of preference.
    pub fn codecs(&self) -> impl Iterator<Item = &Format> {
        self.formats.iter().filter(|format| !format.is_keys())
    }

    /// The payload type for keys at a clock rate.
    pub fn keys(&self, clock_rate: u32) -> Option<u8> {
        self.formats.iter().find(|format| format.is_keys() && format.clock_rate == clock_rate).map(|it| it.payload_type)
    }
}

impl Sdp {
    /// The first section of plain sound over RTP that is not refused.
    pub fn audio(&self) -> Option<Audio> {
        self.audio_over("RTP/AVP")
    }

    /// The first section of sound over a protocol, such as `UDP/TLS/RTP/SAVPF`, that is not refused.
    pub fn audio_over(&self, protocol: &str) -> Option<Audio> {
        let usable = |media: &Media| {
            media.kind.eq_ignore_ascii_case(b"audio")
                && media.port != 0
                && media.protocol.eq_ignore_ascii_case(protocol.as_bytes())
        };
        let index = self.media.iter().position(usable)?;
        let media = self.media.get(index)?;
        let written = self.connection_of(media);
        let address = written.filter(|address| !address.is_unspecified());
        let rtp = address.map(|address| SocketAddr::new(address, media.port));
        let rtcp_mux = media.attribute("rtcp-mux").is_some();
        let mut direction = self.direction_of(media);
        if written.is_some_and(|address| address.is_unspecified()) {
            direction = Direction::of(direction.sends(), false);
        }
        Some(Audio {
            index,
            rtp,
            rtcp: if rtcp_mux { rtp } else { rtp.and_then(|rtp| rtcp_address(media, rtp)) },
            rtcp_mux,
            direction,
            formats: read_formats(media),
            packet_ms: media.attribute("ptime").and_then(|value| read_packet_ms(value.trim_ascii())),
        })
    }
}

/// `a=rtcp:53020 IN IP4 192.0.2.1` (RFC 3605), else the port above.
fn rtcp_address(media: &Media, rtp: SocketAddr) -> Option<SocketAddr> {
    let Some(value) = media.attribute("rtcp") else {
        return rtp.port().checked_add(1).map(|port| SocketAddr::new(rtp.ip(), port));
    };
    let mut words = std::str::from_utf8(value).ok()?.split_ascii_whitespace();
    let port: u16 = words.next()?.parse().ok().filter(|port| *port != 0)?;
    let address = match words.nth(2) {
        Some(address) => address.parse().ok()?,
        None => rtp.ip(),
    };
    Some(SocketAddr::new(address, port))
}

fn read_formats(media: &Media) -> Vec<Format> {
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
        let Some(blank) = value.iter().position(|byte| *byte == b' ') else { continue };
        let Some(payload_type) = read_payload_type(&value[..blank]) else { continue };
        found[usize::from(payload_type)].get_or_insert(value[blank..].trim_ascii());
    }
    found
}

fn read_payload_type(digits: &[u8]) -> Option<u8> {
    parse_number(digits).and_then(|number| u8::try_from(number).ok()).filter(|number| *number < 128)
}

fn read_packet_ms(value: &[u8]) -> Option<u16> {
    parse_number(value).and_then(|ms| u16::try_from(ms).ok()).filter(|ms| (10..=200).contains(ms))
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
    use crate::sdp::parse;

    #[test]
    fn a_phones_offer_is_read() {
        let audio = audio(
            "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8 0 9 101 120\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=rtpmap:120 opus/48000/2\r\na=ptime:20\r\n",
        );

        let names: Vec<_> = audio.codecs().map(|format| (format.payload_type, format.name.as_str())).collect();
        assert_eq!(names, [(8, "PCMA"), (0, "PCMU"), (9, "G722"), (120, "opus")]);
        assert_eq!((audio.index, audio.keys(8000), audio.keys(48000)), (1, Some(101), None));
        assert_eq!(audio.rtp, Some("192.0.2.1:4000".parse().unwrap()));
        assert_eq!(audio.rtcp, Some("192.0.2.1:4001".parse().unwrap()));
        assert_eq!((audio.direction, audio.packet_ms), (Direction::SendRecv, Some(20)));
    }

    #[test]
    fn a_sections_own_words_go_before_the_sessions() {
        let audio = audio(
            "c=IN IP4 192.0.2.1\r\na=inactive\r\nm=audio 4000 RTP/AVP 8\r\nc=IN IP6 2001:db8::1\r\n\
             a=sendonly\r\na=rtcp:5000 IN IP4 192.0.2.3\r\n",
        );

        assert_eq!(audio.rtp, Some("[2001:db8::1]:4000".parse().unwrap()));
        assert_eq!(audio.rtcp, Some("192.0.2.3:5000".parse().unwrap()));
        assert_eq!(audio.direction, Direction::SendOnly);
    }

    #[test]
    fn the_sessions_direction_counts_when_the_section_has_none() {
        assert_eq!(audio("c=IN IP4 192.0.2.1\r\na=recvonly\r\nm=audio 4 RTP/AVP 8\r\n").direction, Direction::RecvOnly);
    }

    #[test]
    fn an_address_of_zeros_is_the_old_way_of_holding() {
        let audio = audio("c=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 8\r\n");

        assert_eq!((audio.rtp, audio.rtcp), (None, None));
        assert_eq!(audio.direction, Direction::SendOnly);
    }

    #[test]
    fn reports_share_the_port_when_both_may() {
        let audio = audio("c=IN IP4 192.0.2.1\r\nm=audio 65535 RTP/AVP 8\r\na=rtcp-mux\r\na=rtcp:7\r\n");

        assert_eq!(audio.rtcp, audio.rtp);
    }

    #[test]
    fn odd_formats_are_passed_over() {
        let audio = audio(
            "c=IN IP4 host.example.com\r\nm=audio 65535 RTP/AVP 8 128 x 99 98 97 96\r\na=rtpmap:99 X\r\n\
             a=rtpmap:98 /8000\r\na=rtpmap:97 Y/0\r\na=rtpmap:96 Z/8000/many\r\na=ptime:0\r\n",
        );

        assert_eq!(audio.formats, [Format::new(8, "PCMA", 8000)]);
        assert_eq!((audio.rtp, audio.rtcp, audio.packet_ms), (None, None, None));
    }

    #[test]
    fn refused_sections_and_other_protocols_are_no_plain_sound() {
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 8\r\n\
            m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
        let sdp = parse(&Bytes::from_static(text.as_bytes())).unwrap();

        assert_eq!(sdp.audio(), None);
        assert_eq!(sdp.audio_over("UDP/TLS/RTP/SAVPF").map(|audio| audio.index), Some(1));
    }

    fn audio(lines: &str) -> Audio {
        let text = format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n{lines}");
        parse(&text.into()).unwrap().audio().unwrap()
    }
}
