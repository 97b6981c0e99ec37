//! How addresses, networks and port ranges are written: `[name=]ADDR[:PORT][,advertise=ADDR[:PORT]]`, `20000-29999`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::unusable::Unusable;

/// An address to listen at, and the one to tell peers outside our networks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listen {
    /// What a trunk's `via` calls it. Empty until [`named`] has given one.
    pub name: String,
    /// Where to listen. Port 0: any free one.
    pub address: SocketAddr,
    /// What peers outside of the local networks are told. Port 0: the port listened at.
    pub advertise: Option<SocketAddr>,
}

/// A network: an address and how many of its leading bits count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network(pub IpAddr, pub u8);

/// Ports, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortRange {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

impl Listen {
    /// All addresses of the machine.
    pub fn anywhere(port: u16) -> Self {
        Self { name: String::new(), address: (Ipv4Addr::UNSPECIFIED, port).into(), advertise: None }
    }

    /// Reads `[name=]ADDR[:PORT][,advertise=ADDR[:PORT]]`.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let mut parts = text.split(',');
        let first = parts.next().unwrap_or_default();
        let (name, written) = match first.split_once('=') {
            Some((name, written)) => (interface_name(name)?, written),
            None => (String::new(), first),
        };
        let address = address(written, default_port)?;
        let mut advertise = None;
        for part in parts {
            let Some(("advertise", written)) = part.split_once('=') else {
                return Err(format!("`{part}` is unknown: after the comma comes advertise=ADDR[:PORT]"));
            };
            let told = self::address(written, 0)?;
            if told.ip().is_unspecified() {
                return Err(format!("nobody can be told to send to {}: advertise an address of ours", told.ip()));
            }
            if told.is_ipv4() != address.is_ipv4() {
                return Err(
                    "the address and the advertised one are of different kinds: use IPv4 or IPv6 for both".into()
                );
            }
            if advertise.replace(told).is_some() {
                return Err("advertise is given twice: keep one".into());
            }
        }
        Ok(Self { name, address, advertise })
    }

    /// Reads the form for sound, whose ports are chosen elsewhere.
    pub fn parse_without_port(text: &str) -> Result<Self, String> {
        let listen = Self::parse(text, 0)?;
        let advertised = listen.advertise.map_or(0, |told| told.port());
        if listen.address.port() != 0 || advertised != 0 {
            return Err("sound has no one port: leave it out and set --rtp-ports".into());
        }
        Ok(listen)
    }

    /// The same address for sound.
    pub fn for_sound(&self) -> Self {
        let without_port = |address: SocketAddr| SocketAddr::new(address.ip(), 0);
        Self {
            name: self.name.clone(),
            address: without_port(self.address),
            advertise: self.advertise.map(without_port),
        }
    }
}

impl Network {
    /// Whether an address is in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let net = model::TrunkAddress { address: self.0, prefix: self.1, port: None };
        net.contains(SocketAddr::new(ip.to_canonical(), 0))
    }

    /// Reads networks with commas between them, or the word `none`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        match text {
            "none" => Ok(Vec::new()),
            _ => text.split(',').map(|part| Self::parse(part.trim())).collect(),
        }
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32` or one address.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "this is no network: write it as 192.0.2.0/24, or one address".to_owned();
        let (ip, bits) = match text.split_once('/') {
            Some((ip, bits)) => (ip, Some(bits)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| wrong())?;
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?,
            None => most,
        };
        Ok(Self(ip, bits))
    }
}

impl PortRange {
    /// Reads `20000-29999`. Sound and its reports take two ports a leg.
    pub fn parse(text: &str) -> Result<Self, String> {
        let ends = text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        match ends {
            Some((first @ 1024.., last)) if last > first => Ok(Self { first, last }),
            _ => Err("write two ports from 1024 to 65535, the lower one first, as 20000-29999".into()),
        }
    }
}

impl Default for PortRange {
    fn default() -> Self {
        Self { first: 20_000, last: 29_999 }
    }
}

/// Reads `ADDR`, `ADDR:PORT`, `[V6]:PORT`; `localhost` is 127.0.0.1.
pub fn address(text: &str, default_port: u16) -> Result<SocketAddr, String> {
    let wrong =
        || "this is no address: write ADDR or ADDR:PORT with a port from 0 to 65535, as 127.0.0.1:8080".to_owned();
    let text = match text.strip_prefix("localhost") {
        Some(rest) if rest.is_empty() || rest.starts_with(':') => &format!("127.0.0.1{rest}"),
        _ => text,
    };
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map(|ip| SocketAddr::new(ip, default_port)).map_err(|_| wrong())
}

/// Gives a name to each that has none (`sip`, `sip2`, …) and refuses names and addresses that stand twice.
pub fn named(mut listens: Vec<Listen>, prefix: &str, flag: &str) -> Result<Vec<Listen>, Unusable> {
    for at in 0..listens.len() {
        if listens[at].name.is_empty() {
            listens[at].name = if at == 0 { prefix.to_owned() } else { format!("{prefix}{}", at + 1) };
        }
        let (before, rest) = listens.split_at(at);
        let Some(this) = rest.first() else { continue };
        if before.iter().any(|other| other.name == this.name) {
            return Err(Unusable(format!("{flag}: two interfaces are named `{}`: name each NAME=ADDR", this.name)));
        }
        let same = |other: &&Listen| other.address == this.address && this.address.port() != 0;
        if before.iter().any(|other| same(&other)) {
            return Err(Unusable(format!("{flag}: {} is given twice: leave one out", this.address)));
        }
    }
    Ok(listens)
}

/// Leaves out what says the same as one before it, whatever its name.
pub fn once_each(listens: impl Iterator<Item = Listen>) -> Vec<Listen> {
    let mut once: Vec<Listen> = Vec::new();
    for listen in listens {
        if !once.iter().any(|other| (other.address, other.advertise) == (listen.address, listen.advertise)) {
            once.push(listen);
        }
    }
    once
}

fn interface_name(name: &str) -> Result<String, String> {
    match name.len() {
        1..=32 if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') => {
            Ok(name.to_owned())
        }
        _ => Err("a name has 1 to 32 letters, digits and dashes: write it as lan=192.0.2.1:5060".into()),
    }
}
