//! Whose sound is taken, and where ours goes: the SDP's address, or, behind a NAT, where sound really comes from.
//!
//!   Open ──sound from where it may come──► Locked ──SDP: another address, port or direction──► Open
//!                                          Locked ──three seconds of silence──► the same address with another port
//!
//! How much an address is believed is its [`Rank`]. The SDP's own comes first and wins whenever it speaks, so that neither
//! a straggler from an old port nor a stranger's packet keeps it out; then come the party's own hosts, where its signalling
//! comes from and the networks of a trunk; all others come last, late, and only where the SDP says where a party hears and
//! nobody speaks. A packet that authenticates is the party's, wherever it comes from.

mod net;
#[cfg(test)]
mod tests;
mod voice;

use std::net::SocketAddr;

use crate::Sources;
use crate::clock::{MILLISECOND, Ticks};
use voice::Voice;

/// How long the party's own hosts have to be silent before others are listened to.
const PATIENCE: Ticks = 3_000 * MILLISECOND;

/// After its start a worker does not know who had its ports before; so long, sound from a third address may be a phone that
/// has not heard of the end of its call.
const UNKNOWN_OWNERS: Ticks = 60_000 * MILLISECOND;

/// One party's address, as told and as seen.
#[derive(Clone, Debug)]
pub(crate) struct Latch {
    /// From the SDP.
    told: Option<SocketAddr>,
    sources: Sources,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The next sound that may be the party's locks. `before`: where it came from until the latch opened.
    Open { since: Ticks, before: Option<SocketAddr> },
    /// Nothing else is taken.
    Locked(Lock),
}

#[derive(Clone, Copy, Debug)]
struct Lock {
    from: SocketAddr,
    rank: Rank,
    /// The last packet.
    heard: Ticks,
    /// The address was the party's before the latch opened, so this may be a straggler: another of the party's hosts and
    /// ports that speaks before this moment takes its place.
    doubted_until: Ticks,
    voice: Voice,
}

/// How much an address is believed to be the party's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    Stranger,
    Host,
    Told,
}

/// A packet as the latch looks at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sign {
    pub from: SocketAddr,
    pub ssrc: u32,
    pub sequence: u16,
    pub proof: Proof,
}

/// Whether a packet is known to be the party's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    None,
    /// It has authenticated; `newest`: and none that has is newer.
    Authentic {
        newest: bool,
    },
}

impl Default for Latch {
    fn default() -> Self {
        Self { told: None, sources: Sources::Any { signalling: None }, state: State::Open { since: 0, before: None } }
    }
}

impl Latch {
    /// The SDP says so; another address than before opens the latch.
    /// Signalling that comes from another host opens it too: the party has moved, perhaps to the same private address.
    pub fn tell(&mut self, at: Ticks, remote: Option<SocketAddr>, sources: &Sources) {
        if self.sources != *sources {
            self.sources = sources.clone();
            self.open(at);
        }
        let remote = remote.filter(|remote| remote.port() != 0 && !remote.ip().is_unspecified());
        if remote != self.told {
            self.told = remote;
            self.state = State::Open { since: at, before: None };
        }
    }

    /// The direction has changed. Until sound comes again, ours goes where it went.
    pub fn open(&mut self, at: Ticks) {
        if let State::Locked(Lock { from, .. }) = self.state {
            self.state = State::Open { since: at, before: Some(from) };
        }
    }

    /// Whether this packet is taken. What it tells of where the party is, is remembered.
    pub fn admit(&mut self, at: Ticks, sign: Sign) -> bool {
        if let Proof::Authentic { newest } = sign.proof {
            return self.admit_authentic(at, sign, newest);
        }
        if let State::Locked(lock) = &mut self.state
            && lock.from == sign.from
        {
            return lock.goes_on(at, &sign);
        }
        let rank = self.rank(sign.from);
        let lock = match &mut self.state {
            State::Locked(lock) => {
                let takes_over = rank > lock.rank
                    || rank == Rank::Told
                    || (rank == Rank::Host && at < lock.doubted_until)
                    || (at - lock.heard >= PATIENCE && lock.from.ip() == sign.from.ip());
                takes_over.then(|| Lock::new(at, sign, rank))
            }
            State::Open { since, before } => match before {
                Some(before) if *before == sign.from => {
                    Some(Lock { doubted_until: at + PATIENCE, ..Lock::new(at, sign, rank) })
                }
                _ => {
                    let waited = at - *since >= PATIENCE && at >= UNKNOWN_OWNERS;
                    (rank > Rank::Stranger || waited).then(|| Lock::new(at, sign, rank))
                }
            },
        };
        let Some(lock) = lock.filter(|_| self.allows(sign.from)) else { return false };
        self.state = State::Locked(lock);
        true
    }

    /// The source says that it has ended (BYE): another is heard at once.
    pub fn forget(&mut self, ssrc: u32) {
        if let State::Locked(lock) = &mut self.state
            && lock.voice.ssrc == ssrc
        {
            lock.voice.forget();
        }
    }

    /// Where sound comes from.
    pub fn locked(&self) -> Option<SocketAddr> {
        match self.state {
            State::Locked(lock) => Some(lock.from),
            State::Open { .. } => None,
        }
    }

    /// The SSRC that is heard, once it is known.
    pub fn ssrc(&self) -> Option<u32> {
        match self.state {
            State::Locked(lock) => Some(lock.voice.ssrc),
            State::Open { .. } => None,
        }
    }

    /// The SDP's address.
    pub fn told(&self) -> Option<SocketAddr> {
        self.told
    }

    /// Whether that is the SDP's address.
    pub fn is_told(&self, from: SocketAddr) -> bool {
        self.told.is_some_and(|told| told.port() == from.port() && told.ip().to_canonical() == from.ip().to_canonical())
    }

    /// Whether the party's signalling is known to come from that host.
    pub fn is_signalling(&self, from: SocketAddr) -> bool {
        matches!(self.sources, Sources::Any { signalling: Some(known) } if known.to_canonical() == from.ip().to_canonical())
    }

    /// Where ours goes.
    pub fn target(&self) -> Option<SocketAddr> {
        match self.state {
            State::Locked(lock) => Some(lock.from),
            State::Open { before, .. } => before.or(self.told),
        }
    }

    fn admit_authentic(&mut self, at: Ticks, sign: Sign, newest: bool) -> bool {
        match &mut self.state {
            State::Locked(lock) if lock.from == sign.from => {
                lock.heard = at;
                lock.voice = Voice::new(&sign);
            }
            // A late packet from where the party was is heard, and takes the lock nowhere.
            State::Locked(_) if !newest => {}
            _ => self.state = State::Locked(Lock::new(at, sign, self.rank(sign.from))),
        }
        true
    }

    fn rank(&self, from: SocketAddr) -> Rank {
        if self.is_told(from) {
            return Rank::Told;
        }
        let is_host = match &self.sources {
            Sources::Any { signalling: None } => true,
            Sources::Any { .. } => {
                let told = self.told.is_some_and(|told| told.ip().to_canonical() == from.ip().to_canonical());
                told || self.is_signalling(from)
            }
            Sources::Only(nets) => nets.iter().any(|net| net.contains(from)),
        };
        if is_host { Rank::Host } else { Rank::Stranger }
    }

    /// Whether sound may come from there at all.
    fn allows(&self, from: SocketAddr) -> bool {
        matches!(self.sources, Sources::Any { .. }) || self.rank(from) > Rank::Stranger
    }
}

impl Lock {
    fn new(at: Ticks, sign: Sign, rank: Rank) -> Self {
        Self { from: sign.from, rank, heard: at, doubted_until: 0, voice: Voice::new(&sign) }
    }

    /// A packet from the address that is locked.
    fn goes_on(&mut self, at: Ticks, sign: &Sign) -> bool {
        let silent = at - self.heard >= PATIENCE;
        let taken = self.voice.goes_on(sign, silent);
        if taken {
            self.heard = at;
        }
        taken
    }
}
