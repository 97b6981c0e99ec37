//! How sound is carried: the protocol word of an `m=` line (RFC 3551, RFC 3711, RFC 4585, RFC 5124, RFC 5764).

/// A way to carry sound in RTP.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Profile {
    /// `RTP/AVP`: in the clear.
    Avp,
    /// `RTP/SAVP`: SRTP with keys in `a=crypto`.
    Savp,
    /// `RTP/AVPF`: in the clear, with feedback.
    Avpf,
    /// `RTP/SAVPF`: SRTP with keys in `a=crypto`, with feedback.
    Savpf,
    /// `UDP/TLS/RTP/SAVPF` and `UDP/TLS/RTP/SAVP`: SRTP with keys from a handshake, as browsers speak it.
    Dtls,
}

impl Profile {
    /// The profile that a protocol word names.
    pub fn of(protocol: &[u8]) -> Option<Self> {
        const ALL: [(&str, Profile); 6] = [
            ("RTP/AVP", Profile::Avp),
            ("RTP/SAVP", Profile::Savp),
            ("RTP/AVPF", Profile::Avpf),
            ("RTP/SAVPF", Profile::Savpf),
            ("UDP/TLS/RTP/SAVPF", Profile::Dtls),
            ("UDP/TLS/RTP/SAVP", Profile::Dtls),
        ];
        ALL.into_iter().find(|(word, _)| protocol.eq_ignore_ascii_case(word.as_bytes())).map(|(_, profile)| profile)
    }

    /// The protocol word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Profile::Avp => "RTP/AVP",
            Profile::Savp => "RTP/SAVP",
            Profile::Avpf => "RTP/AVPF",
            Profile::Savpf => "RTP/SAVPF",
            Profile::Dtls => "UDP/TLS/RTP/SAVPF",
        }
    }

    /// Whether sound is enciphered.
    pub const fn is_secured(self) -> bool {
        matches!(self, Profile::Savp | Profile::Savpf | Profile::Dtls)
    }
}
