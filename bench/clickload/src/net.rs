//! Sockets, the clock and the poll loop. Arrivals are stamped by the kernel, so that our own scheduling does not count.

use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

/// Nanoseconds in a millisecond; all times are in nanoseconds of the real-time clock, as the kernel's stamps are.
pub const MS: u64 = 1_000_000;

/// What lies at a socket.
pub enum Received {
    /// `len` bytes, which arrived `at`. The sender of a stream is `0.0.0.0:0`.
    Data { len: usize, from: SocketAddrV4, at: u64 },
    /// Nothing now.
    Nothing,
    /// The stream has ended.
    Closed,
}

/// The time now.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec to a valid place.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &mut time) };
    nanoseconds(time)
}

/// A UDP socket with arrival stamps and room for a burst.
pub fn bind(address: SocketAddrV4) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    stamp_arrivals(socket.as_raw_fd())?;
    let room: libc::c_int = 16 << 20;
    // Needs a privilege; without it the usual room has to do, and drops are counted anyway.
    let _ = set_option(socket.as_raw_fd(), libc::SO_RCVBUFFORCE, room);
    Ok(socket)
}

/// Asks the kernel for the arrival time of everything that comes to this socket.
pub fn stamp_arrivals(fd: RawFd) -> io::Result<()> {
    set_option(fd, libc::SO_TIMESTAMPNS, 1)
}

/// Takes a datagram, or what a stream has. Of several pieces of a stream the last one's arrival counts.
pub fn receive(fd: RawFd, buffer: &mut [u8]) -> Received {
    // SAFETY: all pointers in the header are to live memory of the stated sizes; the control buffer is aligned for its
    // headers, and the kernel's stamp is read unaligned.
    unsafe {
        let mut sender: libc::sockaddr_in = std::mem::zeroed();
        let mut control = [0u64; 16];
        let mut piece = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_name = (&raw mut sender).cast();
        header.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
        header.msg_iov = &mut piece;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&control);
        let len = libc::recvmsg(fd, &mut header, libc::MSG_DONTWAIT);
        if len < 0 {
            return match io::Error::last_os_error().kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Received::Nothing,
                _ => Received::Closed,
            };
        }
        let mut at = None;
        let mut next = libc::CMSG_FIRSTHDR(&header);
        while !next.is_null() {
            if (*next).cmsg_level == libc::SOL_SOCKET && (*next).cmsg_type == libc::SCM_TIMESTAMPNS {
                at = Some(nanoseconds(std::ptr::read_unaligned(libc::CMSG_DATA(next).cast::<libc::timespec>())));
            }
            next = libc::CMSG_NXTHDR(&header, next);
        }
        let from = SocketAddrV4::new(u32::from_be(sender.sin_addr.s_addr).into(), u16::from_be(sender.sin_port));
        Received::Data { len: len as usize, from, at: at.unwrap_or_else(now) }
    }
}

/// Waits for sockets, exact to microseconds.
pub struct Poll {
    fd: RawFd,
}

impl Poll {
    pub fn new() -> io::Result<Self> {
        // SAFETY: plain system calls without pointers.
        unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_000) };
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(Self { fd }) }
    }

    /// Tells of this socket by `token` whenever something lies at it. Closing the socket takes it out.
    pub fn add(&self, fd: RawFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        // SAFETY: the event lives through the call.
        let done = unsafe { libc::epoll_ctl(self.fd, libc::EPOLL_CTL_ADD, fd, &mut event) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Tokens of the sockets at which something lies; none when `until` has come.
    pub fn wait(&self, until: u64) -> Vec<u64> {
        let left = until.saturating_sub(now()).min(100 * MS);
        let time = libc::timespec { tv_sec: 0, tv_nsec: left as i64 };
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
        // SAFETY: the kernel fills at most as many events as the array has; no signal mask is given.
        let count = unsafe {
            let none = std::ptr::null::<libc::c_void>();
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.fd,
                events.as_mut_ptr(),
                events.len() as i32,
                &raw const time,
                none,
                0,
            )
        };
        events.iter().take(count.max(0) as usize).map(|event| event.u64).collect()
    }
}

fn nanoseconds(time: libc::timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn set_option(fd: RawFd, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let size = size_of::<libc::c_int>() as u32;
    // SAFETY: the value lives through the call and has the stated size.
    let done = unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, (&raw const value).cast(), size) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
