//! Asks the kernel for its addresses and routes, and hears when they change (rtnetlink, RFC 3549).
//!
//! Knows bytes; which of our addresses a peer sees is decided in `routes.rs`.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// How long the kernel may take to answer. It never does.
const WITHIN: Duration = Duration::from_secs(2);
/// The kernel's answers come in parts of at most this.
const PART: usize = 32 * 1024;
/// Length of `struct nlmsghdr`.
const HEAD: usize = 16;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;

const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;

/// Addresses and routes of both families, and links that come and go.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

/// An address of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// How many leading bits its network shares.
    pub prefix: u8,
    /// The device that has it.
    pub device: u32,
    /// Whether the kernel uses it without being asked to: it is neither secondary, temporary, tentative nor deprecated.
    pub is_first_choice: bool,
}

/// A route as the kernel has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KernelRoute {
    /// Where to; unspecified with prefix 0: everywhere else.
    pub network: IpAddr,
    /// How many leading bits count.
    pub prefix: u8,
    /// By which device.
    pub device: u32,
    /// By which neighbour, if not directly.
    pub gateway: Option<IpAddr>,
    /// The address of ours that the route asks for.
    pub source: Option<IpAddr>,
    /// Of two routes to one network the one with less is taken.
    pub metric: u32,
    /// Whether the network is this machine itself.
    pub is_local: bool,
}

/// All addresses.
pub fn addresses() -> io::Result<Vec<Address>> {
    // struct ifaddrmsg, all zero: every family.
    dump(RTM_GETADDR, &[0; 8], |kind, body| (kind == RTM_NEWADDR).then(|| address(body)).flatten())
}

/// The routes of the main, default and local tables. Rules that choose other tables are not followed.
pub fn routes() -> io::Result<Vec<KernelRoute>> {
    // struct rtmsg, all zero: every family.
    dump(RTM_GETROUTE, &[0; 12], |kind, body| (kind == RTM_NEWROUTE).then(|| route(body)).flatten())
}

/// Hears of changes.
pub struct Changes(Socket);

impl Changes {
    /// Hears from here on.
    pub fn hear() -> io::Result<Self> {
        let socket = open()?;
        socket.set_nonblocking(true)?;
        // SAFETY: a sockaddr_nl is written whole into the storage, which is larger, and its length is told.
        let (_, group_address) = unsafe {
            SockAddr::try_init(|storage, length| {
                let address = storage.cast::<libc::sockaddr_nl>();
                (*address).nl_family = libc::AF_NETLINK as libc::sa_family_t;
                (*address).nl_groups = GROUPS;
                *length = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
                Ok(())
            })
        }?;
        socket.bind(&group_address)?;
        Ok(Self(socket))
    }

    /// Takes in what has been told so far; what it says does not matter, everything is read anew.
    pub fn drain(&self) -> io::Result<()> {
        let mut part = [0; 4_096];
        loop {
            match (&self.0).read(&mut part) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // So much has changed that the kernel could not tell all of it.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsRawFd for Changes {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

fn open() -> io::Result<Socket> {
    Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(Protocol::from(libc::NETLINK_ROUTE)))
}

fn dump<T>(kind: u16, body: &[u8], read: impl Fn(u16, &[u8]) -> Option<T>) -> io::Result<Vec<T>> {
    let socket = open()?;
    socket.set_read_timeout(Some(WITHIN))?;
    let mut request = Vec::with_capacity(HEAD + body.len());
    request.extend_from_slice(&((HEAD + body.len()) as u32).to_ne_bytes());
    request.extend_from_slice(&kind.to_ne_bytes());
    request.extend_from_slice(&(NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    request.extend_from_slice(body);
    socket.send(&request)?;
    let mut all = Vec::new();
    let mut part = vec![0; PART];
    loop {
        let length = (&socket).read(&mut part)?;
        for (kind, body) in messages(&part[..length]) {
            match kind {
                NLMSG_DONE => return Ok(all),
                NLMSG_ERROR => {
                    let code = number(body, 0).map_or(libc::EPROTO, |code| (code as i32).wrapping_neg());
                    return Err(io::Error::from_raw_os_error(code));
                }
                _ => all.extend(read(kind, body)),
            }
        }
    }
}

/// The messages of one part, by kind, as far as they are whole.
fn messages(mut part: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = number(part, 0)? as usize;
        let kind = u16::from_ne_bytes(part.get(4..6)?.try_into().ok()?);
        let body = part.get(HEAD..length)?;
        part = part.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    })
}

/// The attributes behind a message's fixed part, by kind, as far as they are whole.
fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let half = |at: usize| Some(usize::from(u16::from_ne_bytes(rest.get(at..at + 2)?.try_into().ok()?)));
        let (length, kind) = (half(0)?, half(2)?);
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind as u16 & 0x3fff, value))
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::V4(Ipv4Addr::from(four)));
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| IpAddr::V6(Ipv6Addr::from(sixteen)))
}

/// Reads a `struct ifaddrmsg`.
fn address(body: &[u8]) -> Option<Address> {
    const IFA_ADDRESS: u16 = 1;
    const IFA_LOCAL: u16 = 2;
    const IFA_FLAGS: u16 = 8;
    // Secondary or temporary, optimistic, duplicate, deprecated, tentative.
    const NOT_FIRST: u32 = 0x01 | 0x04 | 0x08 | 0x20 | 0x40;
    let [_, prefix, flags, ..] = *body else { return None };
    let device = number(body, 4)?;
    let (mut given, mut local, mut flags) = (None, None, u32::from(flags));
    for (kind, value) in attributes(body.get(8..)?) {
        match kind {
            IFA_ADDRESS => given = ip(value),
            IFA_LOCAL => local = ip(value),
            IFA_FLAGS => flags = number(value, 0)?,
            _ => {}
        }
    }
    // Between two points IFA_ADDRESS is the other one.
    let ip = local.or(given)?;
    Some(Address { ip, prefix, device, is_first_choice: flags & NOT_FIRST == 0 })
}

/// Reads a `struct rtmsg`; None for what no packet of ours takes.
fn route(body: &[u8]) -> Option<KernelRoute> {
    const RTA_DST: u16 = 1;
    const RTA_OIF: u16 = 4;
    const RTA_GATEWAY: u16 = 5;
    const RTA_PRIORITY: u16 = 6;
    const RTA_PREFSRC: u16 = 7;
    const RTA_MULTIPATH: u16 = 9;
    const RTA_TABLE: u16 = 15;
    const RTN_UNICAST: u8 = 1;
    const RTN_LOCAL: u8 = 2;
    const TABLES: [u32; 3] = [253, 254, 255];
    const RTM_F_CLONED: u32 = 0x200;
    let [family, prefix, _, _, table, _, _, kind, ..] = *body else { return None };
    let everywhere = match i32::from(family) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return None,
    };
    if !matches!(kind, RTN_UNICAST | RTN_LOCAL) || number(body, 8)? & RTM_F_CLONED != 0 {
        return None;
    }
    let is_local = kind == RTN_LOCAL;
    let mut table = u32::from(table);
    let mut route =
        KernelRoute { network: everywhere, prefix, device: 0, gateway: None, source: None, metric: 0, is_local };
    for (kind, value) in attributes(body.get(12..)?) {
        match kind {
            RTA_DST => route.network = ip(value)?,
            RTA_OIF => route.device = number(value, 0)?,
            RTA_GATEWAY => route.gateway = ip(value),
            RTA_PRIORITY => route.metric = number(value, 0)?,
            RTA_PREFSRC => route.source = ip(value),
            RTA_TABLE => table = number(value, 0)?,
            // Several ways at once: the first stands for all. A struct rtnexthop, then its own attributes.
            RTA_MULTIPATH => {
                let length = u16::from_ne_bytes(value.get(..2)?.try_into().ok()?);
                route.device = number(value, 4)?;
                let inner = value.get(8..usize::from(length))?;
                route.gateway = attributes(inner).find(|(kind, _)| *kind == RTA_GATEWAY).and_then(|(_, way)| ip(way));
            }
            _ => {}
        }
    }
    TABLES.contains(&table).then_some(route)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_of_the_loopback() {
        let (addresses, routes) = (addresses().expect("addresses"), routes().expect("routes"));

        let loopback = addresses.iter().find(|address| address.ip == IpAddr::from([127, 0, 0, 1])).expect("there");
        assert_eq!(loopback.prefix, 8);
        let local = routes.iter().find(|route| route.network == IpAddr::from([127, 0, 0, 1])).expect("there");
        assert!(local.is_local && local.device == loopback.device);
    }

    #[test]
    fn broken_bytes_are_read_as_far_as_they_go() {
        let mut message = 20_u32.to_ne_bytes().to_vec();
        message.extend_from_slice(&[24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);

        assert_eq!(messages(&message).collect::<Vec<_>>(), [(24, &[1, 2, 3, 4][..])]);
        for cut in 0..message.len() {
            assert_eq!(messages(&message[..cut]).count(), 0, "{cut}");
        }
        assert_eq!(messages(&[0; 64]).count(), 0, "a length of nothing ends it");
        assert_eq!(attributes(&[1, 0, 1, 0]).count(), 0);
        assert_eq!(route(&[2; 5]), None);
        assert_eq!(address(&[2; 5]), None);
    }
}
