//! Waiting for many sockets at once (epoll), and a bell to be woken by (eventfd).
//!
//! Level-triggered, so that one packet costs one receive: what is left in a socket is told again.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The most that is told at once.
const EVENTS: usize = 128;

/// An epoll instance.
pub struct Poller {
    epoll: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Poller {
    /// Opens one that waits for nothing yet.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked.
        let fd = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the descriptor has just been made and is nobody else's.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS) })
    }

    /// Waits for `source` from here on, until it is closed; it is told by `token`.
    pub fn add(&self, source: impl AsFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        let fd = source.as_fd().as_raw_fd();
        // SAFETY: both descriptors are open, and the event lives through the call, which copies it.
        checked(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event) })?;
        Ok(())
    }

    /// Waits for `source` no more.
    pub fn remove(&self, source: impl AsFd) -> io::Result<()> {
        let fd = source.as_fd().as_raw_fd();
        // SAFETY: both descriptors are open; a null event is allowed for removal.
        checked(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, std::ptr::null_mut()) })?;
        Ok(())
    }

    /// Waits until something can be read or the time is over; gives how many are told.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        // Rounded up: waking a little early would mean waking twice.
        let milliseconds = timeout.map_or(-1, |timeout| {
            libc::c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX)
        });
        let events = self.events.as_mut_ptr();
        // SAFETY: there is room for EVENTS events behind the pointer.
        let told = unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events, EVENTS as libc::c_int, milliseconds) };
        let told = match checked(told) {
            Ok(told) => told as usize,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        // SAFETY: the kernel has written so many events, at most EVENTS, which is the capacity.
        unsafe { self.events.set_len(told) };
        Ok(told)
    }

    /// The token of the `index`th that was told by the last wait.
    pub fn token(&self, index: usize) -> u64 {
        self.events[index].u64
    }
}

/// Wakes a poller from other threads.
pub struct Bell {
    event: OwnedFd,
    /// It was rung and not yet heard; ringing again would be a system call for nothing.
    rung: AtomicBool,
}

impl Bell {
    /// A bell that hangs nowhere yet.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked.
        let fd = checked(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the descriptor has just been made and is nobody else's.
        let event = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { event, rung: AtomicBool::new(false) })
    }

    /// Rings, unless it rings already.
    pub fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            let one = 1_u64.to_ne_bytes();
            // SAFETY: eight readable bytes. It fails only when the counter is full, and then the bell rings anyway.
            let _ = unsafe { libc::write(self.event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
        }
    }

    /// Silences it. Whoever rang has to be looked after from now on, or he is not heard.
    pub fn hear(&self) {
        let mut count = [0_u8; 8];
        // SAFETY: eight writable bytes. When the bell does not ring, nothing is read.
        let _ = unsafe { libc::read(self.event.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
        self.rung.store(false, Ordering::SeqCst);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.event.as_fd()
    }
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_wakes_until_it_is_heard() {
        let mut poller = Poller::new().unwrap();
        let bell = Bell::new().unwrap();
        poller.add(&bell, 7).unwrap();
        let quiet = poller.wait(Some(Duration::ZERO)).unwrap();

        bell.ring();
        bell.ring();

        assert_eq!((quiet, poller.wait(None).unwrap(), poller.token(0)), (0, 1, 7));
        bell.hear();
        assert_eq!(poller.wait(Some(Duration::ZERO)).unwrap(), 0);
        bell.ring();
        assert_eq!(poller.wait(None).unwrap(), 1);
    }

    #[test]
    fn what_was_removed_is_not_told() {
        let mut poller = Poller::new().unwrap();
        let bell = Bell::new().unwrap();
        poller.add(&bell, 7).unwrap();
        bell.ring();

        poller.remove(&bell).unwrap();

        assert_eq!(poller.wait(Some(Duration::ZERO)).unwrap(), 0);
    }
}
