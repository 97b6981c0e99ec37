//! Offers and answers of our own.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::{Connection, Crypto, Direction, Format, Line, Media, Origin, Profile, Sdp};

/// Who writes a description. The version goes up by one with each change of the same session (RFC 3264, 8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner {
    /// Names the session, the same in all its versions.
    pub session_id: u64,
    /// Which version this is.
    pub version: u64,
    /// Our address.
    pub address: IpAddr,
}

/// A section of sound as we want it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudioSection {
    /// Where we listen; reports come to the port above, or to the same with `rtcp_mux`.
    pub address: SocketAddr,
    /// How sound is carried; in an answer as the offer said.
    pub profile: Profile,
    /// The key with which we send. In an answer it has the tag and the suite of the offered one it takes.
    pub crypto: Option<Crypto>,
    /// Whether we take reports at the port of sound (RFC 5761); in an answer only where the offer has it.
    pub rtcp_mux: bool,
    /// The payload types under which we listen, best first; keys among them.
    pub formats: Vec<Format>,
    /// As seen by us.
    pub direction: Direction,
    /// Milliseconds of sound in a packet.
    pub packet_ms: Option<u16>,
}

impl Sdp {
    /// A description without sections.
    pub fn new(owner: Owner) -> Self {
        Sdp {
            origin: Origin {
                username: Bytes::from_static(b"-"),
                session_id: owner.session_id.to_string().into(),
                version: owner.version.to_string().into(),
                host: Connection::to(owner.address),
            },
            name: Bytes::from_static(b"-"),
            connection: Some(Connection::to(owner.address)),
            lines: vec![Line { letter: b't', value: Bytes::from_static(b"0 0") }],
            media: Vec::new(),
        }
    }

    /// An offer of one section of sound.
    pub fn offer(owner: Owner, section: &AudioSection) -> Self {
        Sdp::offer_of(owner, std::slice::from_ref(section))
    }

    /// An offer of several sections, best first: the other side takes one and refuses the others.
    pub fn offer_of(owner: Owner, sections: &[AudioSection]) -> Self {
        let mut sdp = Sdp::new(owner);
        sdp.media = sections.iter().map(|section| section.media(owner.address)).collect();
        sdp
    }

    /// An offer within a session whose description before this one is `self`: the section in its place, all others
    /// with port 0, since sections are never taken away (RFC 3264, 8).
    pub fn offer_again(&self, owner: Owner, index: usize, section: &AudioSection) -> Self {
        let mut sdp = self.answer(owner, index, section);
        if index >= sdp.media.len() {
            sdp.media.push(section.media(owner.address));
        }
        sdp
    }

    /// An answer to this offer: our section in the place of the one at `index`, the others refused (RFC 3264, 6).
    pub fn answer(&self, owner: Owner, index: usize, section: &AudioSection) -> Self {
        let mut sdp = Sdp::new(owner);
        // The times in an answer are those of the offer (RFC 3264, 6).
        if let Some(times) = self.lines.iter().find(|line| line.letter == b't') {
            sdp.lines = vec![times.clone()];
        }
        sdp.media = self.media.iter().map(Media::refused).collect();
        if let Some(place) = sdp.media.get_mut(index) {
            *place = section.media(owner.address);
        }
        sdp
    }
}

impl AudioSection {
    fn media(&self, session_address: IpAddr) -> Media {
        let mut lines = Vec::with_capacity(self.formats.len() * 2 + 4);
        if let Some(crypto) = &self.crypto {
            lines.push(Line::value("crypto", &crypto.print()));
        }
        for format in &self.formats {
            let Format { payload_type, name, clock_rate, channels, parameters } = format;
            let channels = if *channels > 1 { format!("/{channels}") } else { String::new() };
            lines.push(Line::value("rtpmap", &format!("{payload_type} {name}/{clock_rate}{channels}")));
            if let Some(parameters) = parameters {
                let parameters = String::from_utf8_lossy(parameters);
                lines.push(Line::value("fmtp", &format!("{payload_type} {parameters}")));
            }
        }
        if let Some(packet_ms) = self.packet_ms {
            lines.push(Line::value("ptime", &packet_ms.to_string()));
        }
        if self.rtcp_mux {
            lines.push(Line::flag("rtcp-mux"));
        }
        lines.push(Line::flag(self.direction.as_str()));
        Media {
            kind: Bytes::from_static(b"audio"),
            port: self.address.port(),
            ports: None,
            protocol: Bytes::from_static(self.profile.as_str().as_bytes()),
            formats: self.formats.iter().map(|format| format.payload_type.to_string().into()).collect(),
            connection: (self.address.ip() != session_address).then(|| Connection::to(self.address.ip())),
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::parse;

    #[test]
    fn an_offer_says_where_and_how_we_listen() {
        let offer = Sdp::offer(owner(), &section());

        assert_eq!(
            offer.print(),
            "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
        );
        assert_eq!(parse(&offer.print()), Ok(offer));
    }

    #[test]
    fn an_answer_has_the_offers_sections_and_refuses_what_it_does_not_take() {
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
            m=video 5000 RTP/AVP 31\r\na=sendonly\r\nm=audio 5002 RTP/AVP 8 101\r\nm=audio 5004 RTP/SAVP 8\r\n";
        let offer = parse(&Bytes::from_static(text.as_bytes())).unwrap();
        let audio = offer.audio().unwrap();

        let answer = offer.answer(owner(), audio.index, &section());

        let sections: Vec<_> = answer.media.iter().map(|media| (media.kind.as_ref(), media.port)).collect();
        assert_eq!(sections, [(&b"video"[..], 0), (b"audio", 4000), (b"audio", 0)]);
        assert_eq!(answer.audio().and_then(|audio| audio.keys(8000)), Some(101));
        assert!(answer.media[0].lines.is_empty());
    }

    #[test]
    fn an_answer_keeps_the_offers_times_and_refuses_pictures_and_strange_protocols() {
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=3034423619 3042462419\r\n\
            m=audio 5002 RTP/AVP 8\r\nm=image 5004 udptl t38\r\nm=application 5006 UDP/BFCP *\r\nm=video 5008/2 RTP/AVP 99\r\n";
        let offer = parse(&Bytes::from_static(text.as_bytes())).unwrap();

        let answer =
            offer.answer(owner(), 0, &AudioSection { formats: vec![Format::new(8, "PCMA", 8000)], ..section() });

        assert_eq!(
            answer.print(),
            "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=3034423619 3042462419\r\n\
             m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n\
             m=image 0 udptl t38\r\nm=application 0 UDP/BFCP *\r\nm=video 0 RTP/AVP 99\r\n"
        );
    }

    #[test]
    fn a_secured_section_gives_its_key() {
        let crypto = Crypto { tag: 1, suite: crate::sdp::Suite::AesCm128HmacSha1_80, key: [7; 30] };
        let secured = AudioSection { profile: Profile::Savp, crypto: Some(crypto), rtcp_mux: true, ..section() };

        let offer = Sdp::offer_of(owner(), &[secured, section()]);

        let audios: Vec<_> = offer.audios().map(|audio| (audio.profile, audio.cryptos, audio.rtcp_mux)).collect();
        assert_eq!(audios, [(Profile::Savp, vec![crypto], true), (Profile::Avp, vec![], false)]);
        assert_eq!(parse(&offer.print()), Ok(offer.clone()));
        assert!(!format!("{offer:?}").contains("inline"));
    }

    #[test]
    fn a_later_offer_keeps_the_places_of_the_sections() {
        let before = Sdp::offer_of(owner(), &[AudioSection { profile: Profile::Savp, ..section() }, section()]);

        let again = before.offer_again(Owner { version: 2, ..owner() }, 1, &section());

        assert_eq!(again.media.iter().map(|media| media.port).collect::<Vec<_>>(), [0, 4000]);
        assert_eq!(Sdp::new(owner()).offer_again(owner(), 0, &section()).media.len(), 1);
    }

    #[test]
    fn a_section_elsewhere_says_where() {
        let section = AudioSection { address: "192.0.2.2:4000".parse().unwrap(), ..section() };

        let audio = Sdp::offer(owner(), &section).audio().unwrap();

        assert_eq!(audio.rtp, Some(section.address));
    }

    fn owner() -> Owner {
        Owner { session_id: 7, version: 1, address: IpAddr::from([192, 0, 2, 1]) }
    }

    fn section() -> AudioSection {
        AudioSection {
            address: "192.0.2.1:4000".parse().unwrap(),
            profile: Profile::Avp,
            crypto: None,
            rtcp_mux: false,
            formats: vec![Format::new(8, "PCMA", 8000), Format::keys(101)],
            direction: Direction::SendRecv,
            packet_ms: Some(20),
        }
    }
}
