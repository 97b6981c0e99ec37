//! What every test needs: programs of other people, free ports, and waiting for something to hold.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anything may take before the test fails. Far longer than it takes, because machines are busy.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Looks again and again until there is something to give, and fails the test when nothing comes.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < LIMIT, "it does not come to be that {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Starts a program of somebody else's. That it is missing fails the test with the package to install.
pub fn spawn(command: &mut Command, package: &str) -> Child {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.spawn() {
        Ok(child) => child,
        Err(error) => panic!("{program} does not start ({error}): install the Debian package {package}"),
    }
}

/// A loopback address whose UDP and TCP port was free a moment ago.
pub fn free_udp_address() -> SocketAddr {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = udp.local_addr().expect("bound");
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Whether any socket of this machine is bound to the UDP port.
pub fn is_udp_bound(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/udp").expect("Linux tells its sockets");
    let port = format!(":{port:04X}");
    table.lines().filter_map(|line| line.split_whitespace().nth(1)).any(|local| local.ends_with(&port))
}

/// A child whose lines are read as they come. Killed when dropped.
pub struct Lines {
    child: Child,
    lines: Receiver<String>,
}

impl Lines {
    /// Reads what a child with piped output prints.
    pub fn of(mut child: Child) -> Self {
        let output = child.stdout.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// What it prints, up to the line that has a certain text in it and with it.
    pub fn up_to(&mut self, text: &str) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| line.contains(text)) {
            let line = self.lines.recv_timeout(LIMIT);
            lines.push(line.unwrap_or_else(|_| panic!("no line with `{text}` after {lines:#?}")));
        }
        lines
    }

    /// Ctrl-C, after which it has to end well.
    pub fn stop(mut self) {
        // SAFETY: only numbers are passed; the child is ours and not waited for so far, so the id is its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, libc::SIGINT) }, 0);
        let status = until("it ends", || self.child.try_wait().expect("our child"));
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
