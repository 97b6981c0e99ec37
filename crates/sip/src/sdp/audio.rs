//! What a description says about sound, ready for a relay: addresses, codecs, keys, direction.

use std::net::{IpAddr, SocketAddr};

use super::format::read_formats;
use super::{Crypto, Direction, Format, Media, Profile, Sdp};
use crate::message::parse_number;

/// A section with sound that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audio {
    /// Which section it is, from 0.
    pub index: usize,
    /// How sound is carried; an answer repeats it.
    pub profile: Profile,
    /// The keys that can be used, in their order of preference. A section in the clear may have some too: it would
    /// rather be secured.
    pub cryptos: Vec<Crypto>,
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
    /// Milliseconds of sound in a packet, when a sensible number is asked for: 10 to 60, in whole tens, and no more
    /// than may be. A longer wish is met with 60: `ptime` is a wish, `maxptime` is not (RFC 8866, 6.4 and 6.5).
    pub packet_ms: Option<u16>,
}

impl Audio {
    /// The codecs, in order of preference.
    pub fn codecs(&self) -> impl Iterator<Item = &Format> {
        self.formats.iter().filter(|format| !format.is_keys() && !format.is_noise())
    }

    /// The payload type for keys at a clock rate.
    pub fn keys(&self, clock_rate: u32) -> Option<u8> {
        self.formats.iter().find(|format| format.is_keys() && format.clock_rate == clock_rate).map(|it| it.payload_type)
    }
}

impl Sdp {
    /// The section of sound to take: the first that can be used, one with keys before one in the clear.
    pub fn audio(&self) -> Option<Audio> {
        let mut audios: Vec<Audio> = self.audios().collect();
        let best = audios.iter().position(|audio| audio.profile.is_secured()).unwrap_or(0);
        (best < audios.len()).then(|| audios.swap_remove(best))
    }

    /// All sections of sound over `RTP/AVP`, `RTP/SAVP` and their kin with feedback that are not refused, in their
    /// order. A secured section without a key that can be used is left out.
    pub fn audios(&self) -> impl Iterator<Item = Audio> {
        self.media.iter().enumerate().filter_map(|(index, media)| {
            let profile = Profile::of(&media.protocol).filter(|profile| *profile != Profile::Dtls)?;
            let audio = self.read_audio(index, media, profile)?;
            (!profile.is_secured() || !audio.cryptos.is_empty()).then_some(audio)
        })
    }

    /// The first section of sound over a protocol, such as `UDP/TLS/RTP/SAVPF`, that is not refused.
    pub fn audio_over(&self, protocol: &str) -> Option<Audio> {
        let profile = Profile::of(protocol.as_bytes())?;
        self.media.iter().enumerate().find_map(|(index, media)| {
            let is_meant = media.protocol.eq_ignore_ascii_case(protocol.as_bytes());
            is_meant.then(|| self.read_audio(index, media, profile)).flatten()
        })
    }

    fn read_audio(&self, index: usize, media: &Media, profile: Profile) -> Option<Audio> {
        if !media.kind.eq_ignore_ascii_case(b"audio") || media.port == 0 {
            return None;
        }
        let written = self.connection_of(media);
        // We speak to one party, not to whoever listens.
        if written.is_some_and(is_of_many) {
            return None;
        }
        let address = written.filter(|address| !address.is_unspecified());
        let rtp = address.map(|address| SocketAddr::new(address, media.port));
        let rtcp_mux = media.attribute("rtcp-mux").is_some();
        let mut direction = self.direction_of(media);
        if written.is_some_and(|address| address.is_unspecified()) {
            direction = Direction::of(direction.sends(), false);
        }
        Some(Audio {
            index,
            profile,
            cryptos: read_cryptos(media),
            rtp,
            rtcp: if rtcp_mux { rtp } else { rtp.and_then(|rtp| rtcp_address(media, rtp)) },
            rtcp_mux,
            direction,
            formats: read_formats(media),
            packet_ms: read_packet_ms(media),
        })
    }
}

/// How many keys of a section are read; phones write two to eight.
const CRYPTO_LIMIT: usize = 16;

/// The usable keys; of two with the same tag the first counts.
fn read_cryptos(media: &Media) -> Vec<Crypto> {
    let mut cryptos: Vec<Crypto> = Vec::new();
    for crypto in media.attributes("crypto").take(CRYPTO_LIMIT).filter_map(Crypto::parse) {
        if cryptos.iter().all(|earlier| earlier.tag != crypto.tag) {
            cryptos.push(crypto);
        }
    }
    cryptos
}

/// An address that is not one host's.
fn is_of_many(address: IpAddr) -> bool {
    address.is_multicast() || matches!(address, IpAddr::V4(ip) if ip.is_broadcast())
}

/// `a=rtcp:53020 IN IP4 192.0.2.1` (RFC 3605), else the port above.
fn rtcp_address(media: &Media, rtp: SocketAddr) -> Option<SocketAddr> {
    let Some(value) = media.attribute("rtcp") else {
        return rtp.port().checked_add(1).map(|port| SocketAddr::new(rtp.ip(), port));
    };
    let mut words = std::str::from_utf8(value).ok()?.split_ascii_whitespace();
    let port: u16 = words.next()?.parse().ok().filter(|port| *port != 0)?;
    let address: IpAddr = match words.nth(2) {
        Some(address) => address.parse().ok()?,
        None => rtp.ip(),
    };
    // Browsers write an address of zeros where they do not know yet.
    (!address.is_unspecified()).then(|| SocketAddr::new(address, port))
}

fn read_packet_ms(media: &Media) -> Option<u16> {
    let number = |name: &str| {
        let ms = media.attribute(name).and_then(|value| parse_number(value.trim_ascii()))?;
        (10..=1000).contains(&ms).then_some(ms.min(60) as u16 / 10 * 10)
    };
    match (number("ptime"), number("maxptime")) {
        (Some(wish), Some(most)) => Some(wish.min(most)),
        // Our usual 20 ms are meant unless that is too long for them.
        (None, Some(10)) => Some(10),
        (wish, _) => wish,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::sdp::{Suite, parse};

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
    fn reports_go_where_the_section_says() {
        let rtcp = |line: &str| audio(&format!("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\n{line}")).rtcp;

        assert_eq!(rtcp("a=rtcp:5000\r\n"), Some("192.0.2.1:5000".parse().unwrap()));
        assert_eq!(rtcp("a=rtcp:5000 IN IP6 2001:db8::1\r\n"), Some("[2001:db8::1]:5000".parse().unwrap()));
        assert_eq!([rtcp("a=rtcp:9 IN IP4 0.0.0.0\r\n"), rtcp("a=rtcp:0\r\n"), rtcp("a=rtcp:x\r\n")], [None; 3]);
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

    #[test]
    fn ipv6_zeros_hold_too_and_a_section_may_hold_alone() {
        let v6 = audio("c=IN IP6 ::\r\nm=audio 4000 RTP/AVP 8\r\n");
        let own = audio("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n");

        assert_eq!((v6.rtp, v6.direction), (None, Direction::SendOnly));
        assert_eq!((own.rtp, own.direction), (None, Direction::Inactive));
    }

    #[test]
    fn packets_are_as_long_as_asked_within_ten_and_sixty() {
        let ms = |lines: &str| audio(&format!("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\n{lines}")).packet_ms;

        assert_eq!([ms("a=ptime:10\r\n"), ms("a=ptime:30\r\n"), ms("a=ptime:60\r\n")], [Some(10), Some(30), Some(60)]);
        assert_eq!([ms("a=ptime:25\r\n"), ms("a=ptime:200\r\n")], [Some(20), Some(60)]);
        assert_eq!([ms("a=ptime:0\r\n"), ms("a=ptime:5\r\n"), ms("a=ptime:x\r\n"), ms("")], [None; 4]);
        assert_eq!([ms("a=maxptime:150\r\n"), ms("a=maxptime:10\r\n")], [None, Some(10)]);
        assert_eq!(ms("a=ptime:40\r\na=maxptime:20\r\n"), Some(20));
    }

    #[test]
    fn a_secured_section_goes_before_one_in_the_clear() {
        let audio = audio(&format!(
            "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/SAVP 8\r\n\
             a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:x\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n\
             a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:{KEY}\r\na=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:{KEY}\r\n"
        ));

        let cryptos: Vec<_> = audio.cryptos.iter().map(|crypto| (crypto.tag, crypto.suite)).collect();
        assert_eq!((audio.index, audio.profile), (1, Profile::Savp));
        assert_eq!(cryptos, [(2, Suite::AesCm128HmacSha1_80), (3, Suite::AesCm128HmacSha1_32)]);
    }

    #[test]
    fn a_secured_section_without_a_usable_key_is_none() {
        let lines = "c=IN IP4 192.0.2.1\r\nm=audio 4002 RTP/SAVPF 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n";

        assert_eq!(read(lines).audio(), None);
        assert_eq!(
            read(&format!("{lines}m=audio 4000 RTP/AVPF 8\r\n")).audio().map(|it| it.profile),
            Some(Profile::Avpf)
        );
    }

    #[test]
    fn a_section_in_the_clear_may_bring_keys_along() {
        let audio = audio(&format!(
            "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n"
        ));

        assert_eq!((audio.profile, audio.cryptos.len()), (Profile::Avp, 1));
    }

    #[test]
    fn sound_for_many_is_not_ours() {
        let to = |address: &str| {
            let text = format!(
                "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
            );
            crate::sdp::parse(&Bytes::from(text)).unwrap().audio().is_some()
        };

        assert_eq!(["192.0.2.1", "224.0.0.1", "255.255.255.255"].map(to), [true, false, false]);
    }

    #[test]
    fn keys_stand_at_both_clocks_and_noise_is_no_codec() {
        let audio = audio(
            "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 96 9 0 13 97 98\r\na=rtpmap:96 opus/48000/2\r\n\
             a=fmtp:96 useinbandfec=1\r\na=rtpmap:97 telephone-event/48000\r\na=rtpmap: 98 telephone-event/8000\r\n",
        );

        let names: Vec<_> = audio.codecs().map(|format| format.name.as_str()).collect();
        assert_eq!(names, ["opus", "G722", "PCMU"]);
        assert_eq!((audio.keys(48_000), audio.keys(8000)), (Some(97), Some(98)));
        assert_eq!(audio.formats[0], Format::opus(96, Some("useinbandfec=1")));
        assert_eq!(audio.formats[1], Format::g722());
    }

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";

    fn audio(lines: &str) -> Audio {
        read(lines).audio().unwrap()
    }

    fn read(lines: &str) -> Sdp {
        let text = format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n{lines}");
        parse(&text.into()).unwrap()
    }
}
