//! Networks of our own: Linux network namespaces, joined by virtual cables.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;

/// The switchboard's machine between a lan and a wan, each with one other machine in it. Gone when dropped.
pub struct Networks {
    /// Where the switchboard is: 10.77.1.1 and fd77:1::1 towards the lan, 10.77.2.1 and fd77:2::1 towards the wan.
    pub pbx: Machine,
    /// 10.77.1.2 and fd77:1::2; it knows no way into the wan.
    pub lan: Machine,
    /// 10.77.2.2 and fd77:2::2; it knows no way into the lan, and is the way to 10.99.0.2, which is itself.
    pub wan: Machine,
}

/// One namespace.
pub struct Machine(String);

impl Networks {
    /// Builds them; None, with the reason printed, where this is not allowed.
    pub fn build(test: &str) -> Option<Self> {
        match Self::try_build(test) {
            Ok(networks) => Some(networks),
            Err(why) => {
                println!("network namespaces are not to be had here, so nothing can be shown: {why}");
                None
            }
        }
    }

    fn try_build(test: &str) -> Result<Self, String> {
        let machine = |name: &str| Machine::add(&format!("tongdai-{test}-{}-{name}", std::process::id()));
        let networks = Self { pbx: machine("pbx")?, lan: machine("lan")?, wan: machine("wan")? };
        for (number, other) in [(1, &networks.lan), (2, &networks.wan)] {
            let pbx = &networks.pbx;
            let cable = format!("side{number}");
            ip(&["link", "add", &cable, "netns", &pbx.0, "type", "veth", "peer", "name", "eth0", "netns", &other.0])?;
            for (machine, device, last) in [(pbx, cable.as_str(), 1), (other, "eth0", 2)] {
                machine.ip(&format!("addr add 10.77.{number}.{last}/24 dev {device}"))?;
                machine.ip(&format!("addr add fd77:{number}::{last}/64 dev {device} nodad"))?;
                machine.ip(&format!("link set {device} up"))?;
            }
        }
        networks.wan.ip("addr add 10.99.0.2/32 dev lo")?;
        networks.pbx.ip("route add 10.99.0.0/24 via 10.77.2.2")?;
        networks.wan.ip("route add 10.99.9.0/24 via 10.77.2.1")?;
        Ok(networks)
    }
}

impl Machine {
    fn add(name: &str) -> Result<Self, String> {
        ip(&["netns", "add", name])?;
        let machine = Self(name.to_owned());
        machine.ip("link set lo up")?;
        Ok(machine)
    }

    /// `ip` on this machine.
    pub fn ip(&self, order: &str) -> Result<(), String> {
        let words: Vec<_> = ["-n", &self.0].into_iter().chain(order.split(' ')).collect();
        ip(&words)
    }

    /// Does something on this machine: sockets it opens and programs it starts belong there, whoever uses them later.
    pub fn inside<T: Send>(&self, does: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.0)).expect("the namespace");
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                // SAFETY: a number is passed of a file that is open; only this thread moves, and it ends here.
                assert_eq!(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
                does()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.0]);
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).output().map_err(|error| format!("ip: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("ip {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim_end())),
    }
}
