//! What is asked of a media worker, and what it tells.
//!
//! Orders come in from signalling and are carried out in their order; reports go back and name the session they are
//! about. Data only: what an order does stands in [`crate::Worker`].

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::Clip;

/// One party's sound: one stream to it and one from it. Chosen by the asker and never used twice on a worker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// One media worker of this server: a thread with its own sockets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WorkerId(pub u16);

/// One bound RTP port (and its RTCP port) of a worker; small and counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AddressId(pub u32);

/// One recording. Chosen by the asker and never used twice on a worker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordingKey(pub u64);

/// A codec that sound is decoded from and encoded to here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Codec {
    /// G.711 A-law, 8 kHz, static payload type 8.
    Pcma,
    /// G.711 µ-law, 8 kHz, static payload type 0.
    Pcmu,
    /// G.722 at 64 kbit/s, 16 kHz, static payload type 9. Its RTP clock runs at 8 kHz all the same.
    G722,
    /// Opus (RFC 7587), dynamic payload type, RTP clock at 48 kHz.
    Opus,
}

impl Codec {
    /// The static RTP payload type (RFC 3551, table 4). None: only a dynamic one, which an SDP has to name.
    pub fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcma => Some(8),
            Self::Pcmu => Some(0),
            Self::G722 => Some(9),
            Self::Opus => None,
        }
    }

    /// The rate of its RTP timestamps in Hz; for G.722 not the rate of its samples (RFC 3551, section 4.5.2).
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 => 8_000,
            Self::Opus => 48_000,
        }
    }
}

/// A bound pair of ports that may be named in an SDP: RTP at `port`, RTCP at `port + 1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SoundAddress {
    /// Whose socket it is; all sessions of a call are on one worker.
    pub worker: WorkerId,
    /// Its name in [`Order::Open`].
    pub id: AddressId,
    /// Index into the list of media interfaces the workers were started with.
    pub interface: u16,
    /// The RTP port; even.
    pub port: u16,
}

/// How sound travels to and from one party, as its SDP and ours have agreed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    /// The codec in both directions. What comes with static payload type 0 or 8 is understood besides.
    pub codec: Codec,
    /// The payload type the party wants sound with.
    pub payload_type: u8,
    /// The payload type our SDP told the party to send sound with.
    pub receive_payload_type: u8,
    /// The payload type the party wants keys with (telephone-event, RFC 4733). None: it takes no keys.
    pub keys: Option<u8>,
    /// The payload type our SDP told the party to send keys with.
    pub receive_keys: Option<u8>,
    /// The clock of keys in both directions, in Hz: 48 000 where telephone-event was agreed on so beside Opus, else 8 000.
    pub keys_clock: u32,
    /// Whether keys are played as tones to a party that takes none as events; false for one that signalling tells them.
    pub key_tones: bool,
    /// Where the party's SDP says it hears. None, port 0 and an unspecified address all mean: not known.
    pub remote: Option<SocketAddr>,
    /// Where its sound may come from besides.
    pub sources: Sources,
    /// Where it takes RTCP. None: the port above `remote`, or with `rtcp_mux` that port itself.
    pub remote_rtcp: Option<SocketAddr>,
    /// RTCP goes by the ports of sound (RFC 5761).
    pub rtcp_mux: bool,
    /// Both directions are secured with these keys (RFC 3711). None: plain RTP.
    pub crypto: Option<Crypto>,
    /// The payload type of comfort noise (RFC 3389) that both agreed on.
    pub comfort: Option<u8>,
    /// When nothing has come for so long although `receive` is true, [`Report::Silent`] tells. None: never.
    pub silence: Option<Duration>,
    /// Whether we send sound to the party; false while it holds us.
    pub send: bool,
    /// Whether what the party sends is heard; false drops it.
    pub receive: bool,
    /// Milliseconds of sound in a packet we make ourselves; 10 to 60 in steps of ten, 20 when the SDP says nothing.
    pub packet_ms: u16,
}

/// Where a party's sound may come from besides the address in its SDP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sources {
    /// One other address while the SDP's sends nothing. The one that signalling comes from is preferred.
    Any {
        /// Where the party's signalling comes from. None: not known, and the first sound that comes is the party's.
        signalling: Option<IpAddr>,
    },
    /// These networks only; empty: the SDP's address alone.
    Only(Arc<[SourceNet]>),
}

/// A network that sound may come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourceNet {
    /// Its first address, or any other of it.
    pub ip: IpAddr,
    /// How many leading bits of `ip` name the network: at most 32 or 128.
    pub prefix: u8,
    /// The only port. None: every port.
    pub port: Option<u16>,
}

/// The keys of a secured stream, as the SDPs have exchanged them (RFC 4568).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crypto {
    /// What we send with.
    pub ours: SrtpKey,
    /// What the party sends with.
    pub theirs: SrtpKey,
}

/// The master key and salt of one direction. Shown without them.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKey {
    /// The transforms it is used in.
    pub suite: SrtpSuite,
    /// 16 bytes of key, 14 bytes of salt.
    pub key: [u8; 30],
}

impl fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// How packets are encrypted and authenticated (RFC 4568, section 6.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SrtpSuite {
    /// AES in counter mode, tags of 10 bytes.
    AesCm128HmacSha1_80,
    /// AES in counter mode, tags of 4 bytes for RTP and of 10 for RTCP.
    AesCm128HmacSha1_32,
}

/// A sound that the worker makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sound {
    /// 425 Hz, one second on, four seconds off.
    Ringback,
    /// 425 Hz, half a second on, half a second off.
    Busy,
    /// One tone without a break.
    Tone {
        /// Its frequency in Hz, below 4 000.
        hertz: u16,
    },
    /// Packets without sound.
    Silence,
    /// What somebody hears who waits: a soft melody over one chord, without an end.
    Music,
    /// This, over and over.
    Clip(Clip),
}

/// What signalling asks of a worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Begins a session at an address of the stock.
    Open {
        /// Its name from here on.
        session: SessionId,
        /// The address that our SDP names.
        address: AddressId,
        /// None: the address is offered and nothing is known of the party yet; what comes is counted and dropped.
        stream: Option<Stream>,
    },
    /// The party's SDP or ours has changed.
    Change {
        /// Which.
        session: SessionId,
        /// As it is now.
        stream: Stream,
    },
    /// Ends a session: its partner hears nobody, its quality is reported, its address rests and is given out again.
    Close {
        /// Which.
        session: SessionId,
    },
    /// Each hears the other; whoever they heard before is parted from them.
    Join {
        /// One.
        a: SessionId,
        /// The other.
        b: SessionId,
    },
    /// From here on the party hears the sum of these, whoever it heard before; empty: nobody. One direction: whether any of
    /// them hears the party is told apart, and a partner goes on hearing it. Ends with the next [`Order::Join`] or
    /// [`Order::Part`] of the party; of one of those it hears, that one is heard no more.
    Hear {
        /// Who hears.
        session: SessionId,
        /// Whom.
        hears: Vec<SessionId>,
    },
    /// Hears nobody, and nobody hears it.
    Part {
        /// Which.
        session: SessionId,
    },
    /// Plays to the party until [`Order::Stop`]; its partner is not heard meanwhile.
    Play {
        /// To whom.
        session: SessionId,
        /// What.
        sound: Sound,
    },
    /// Plays clips to the party once, one after the other, and then nothing; its partner is not heard meanwhile. Ends what
    /// played before. [`Report::Said`] follows when the last of it went out, or would have to a party that cannot hear:
    /// at once when there is nothing to say.
    Say {
        /// To whom.
        session: SessionId,
        /// What the asker calls it.
        say: u32,
        /// What.
        clips: Vec<Clip>,
    },
    /// Ends what is played or said.
    Stop {
        /// To whom.
        session: SessionId,
    },
    /// Writes what both sides say to each other into a stereo WAV file; the voices of a side are added. A party that nobody
    /// hears is not recorded, unless a side is empty: then there is nobody to hear the other, which is recorded alone.
    /// Ends with [`Order::StopRecording`] or when all sessions have ended. One that has lost a side waits for another:
    /// [`Order::RecordSides`].
    Record {
        /// Its name from here on.
        recording: RecordingKey,
        /// The file, which must not exist; a relative path starts at the folder of recordings.
        file: PathBuf,
        /// Heard on the left; empty: silence.
        customer: Vec<SessionId>,
        /// Heard on the right; empty: silence.
        agent: Vec<SessionId>,
    },
    /// From here on a recording hears these, or what it heard if these are none: somebody was given to somebody else. One that has ended is no error.
    RecordSides {
        /// Which.
        recording: RecordingKey,
        /// Heard on the left; empty: silence.
        customer: Vec<SessionId>,
        /// Heard on the right; empty: silence.
        agent: Vec<SessionId>,
    },
    /// Whether silence is written in place of what is said; the recording grows as it would. One that has ended is no
    /// error.
    PauseRecording {
        /// Which.
        recording: RecordingKey,
        /// True: silence is written.
        paused: bool,
    },
    /// Ends a recording; [`Report::RecordingClosed`] follows when the file is whole. One that has ended is no error.
    StopRecording {
        /// Which.
        recording: RecordingKey,
    },
    /// The party pressed a key in its signalling (SIP INFO): whoever hears it gets the key in the form it speaks, unless
    /// the same press has come with the sound within the last second. Not reported back, in either form.
    Key {
        /// Who pressed it.
        session: SessionId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
    /// A key is pressed for the party, for a usual time, in the form it takes. Keys that come faster than they can be
    /// told wait for their turn; while something is played to the party it gets none.
    Press {
        /// Who gets it.
        session: SessionId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
    /// Whether others hear silence in place of what the party says. Keys still pass.
    Mute {
        /// Which.
        session: SessionId,
        /// True: others hear silence.
        muted: bool,
    },
}

/// What a worker tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// These may be named in an SDP and opened, each once; sent at start, and as sessions use up the stock.
    Addresses(Vec<SoundAddress>),
    /// The first sound from this party has come.
    FirstPacket {
        /// From whom.
        session: SessionId,
    },
    /// The party pressed a key; told once a press.
    Key {
        /// Who.
        session: SessionId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
    /// All clips of an [`Order::Say`] have been played. Not told of one that was stopped, or that another sound ended.
    Said {
        /// To whom.
        session: SessionId,
        /// What the asker calls it.
        say: u32,
    },
    /// Neither sound nor RTCP has come for [`Stream::silence`] although the party should send. Told again after each
    /// further silence of that length.
    Silent {
        /// Who.
        session: SessionId,
    },
    /// How well sound travelled; told once, when the session has closed.
    Quality {
        /// Whose.
        session: SessionId,
        /// How well.
        quality: Quality,
    },
    /// A recording's file is whole.
    RecordingClosed {
        /// Which.
        recording: RecordingKey,
        /// How long it plays.
        milliseconds: u64,
        /// How much is missing from it, because the disk could not keep up.
        gap_milliseconds: u64,
        /// The size of the file.
        bytes: u64,
        /// Of the whole file.
        sha256: [u8; 32],
    },
    /// A recording could not be begun, or not be gone on with; what its file holds until then plays.
    RecordingFailed {
        /// Which.
        recording: RecordingKey,
        /// Why.
        why: Trouble,
    },
    /// An order for this session could not be carried out.
    Failed {
        /// Whose.
        session: SessionId,
        /// Why.
        why: Trouble,
    },
}

/// How one party's sound travelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quality {
    /// Packets that came from the party and were taken.
    pub received: u64,
    /// Packets the party sent that never came, as the sequence numbers tell.
    pub lost: u64,
    /// How unevenly they came (RFC 3550, section 6.4.1), as it was last.
    pub jitter: Duration,
    /// Packets that came to the address and were not taken: from strangers, broken, or before the SDP.
    pub ignored: u64,
    /// Packets we sent to the party.
    pub sent: u64,
    /// Packets of ours that did not reach the party, as its RTCP tells.
    pub far_lost: u64,
    /// How unevenly ours reached it, as its RTCP tells.
    pub far_jitter: Duration,
    /// There and back, as its RTCP tells.
    pub round_trip: Option<Duration>,
    /// What listeners would say of the sound that came from the party: a mean opinion score of 100 to 450 hundredths
    /// (ITU-T G.107, from loss, jitter and delay). None: too little sound came.
    pub mos_hundredths: Option<u16>,
}

/// Why an order could not be carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Trouble {
    /// The session never was, or has ended.
    #[error("there is no such session")]
    NoSuchSession,
    /// A session of that name is there.
    #[error("a session of that name is open")]
    SessionExists,
    /// The address was not in the stock.
    #[error("the address is not free to be opened")]
    AddressNotFree,
    /// A session cannot hear itself, or be in a recording twice.
    #[error("both sides are one session")]
    SameSession,
    /// The worker has as many as it may have.
    #[error("the media worker is full")]
    Full,
    /// One of the sessions is being recorded, or the recording's name is taken.
    #[error("it is being recorded already")]
    AlreadyRecorded,
    /// The recording's file could not be written.
    #[error("writing the recording: {0}")]
    File(String),
}
