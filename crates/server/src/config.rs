//! Settings of the server: from `--flags`, then `TONGDAI_…` in the environment, then `tongdai.toml`.
//!
//! This file says which settings there are and makes [`Settings`] of them, or one sentence that names the place of the
//! wrong one and the remedy. Where values are looked for is `config/layers.rs`, how addresses read `config/listen.rs`.

mod layers;
mod listen;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use layers::{Given, Layers, Source};
pub use listen::{Listen, Network, PortRange};

use model::Language;

use crate::mail::MailSettings;
use crate::speech::{SpeechDriver, SpeechKey, SpeechSettings};
use crate::tls::Trust;
use crate::unusable::Unusable;

/// One setting. Its flag is `--name`, its variable `TONGDAI_NAME`, its key in the file `name`, with dashes or underscores.
pub struct Key {
    /// `data-dir`
    pub name: &'static str,
    /// What stands for the value in the help.
    pub value: &'static str,
    /// Whether it may be given several times.
    pub many: bool,
    /// What it means, in one line.
    pub help: &'static str,
}

const fn one(name: &'static str, value: &'static str, help: &'static str) -> Key {
    Key { name, value, many: false, help }
}

const fn many(name: &'static str, value: &'static str, help: &'static str) -> Key {
    Key { name, value, many: true, help }
}

/// Every setting there is.
pub const KEYS: &[Key] = &[
    one("data-dir", "FOLDER", "Database, recordings, generated secrets [default: ./data]"),
    many("http", "ADDR[:PORT]", "HTTP for everything [default: 127.0.0.1:8080]"),
    many("https", "ADDR[:PORT]", "The same over TLS, port 8443 unless named [default: none]"),
    many("sip", "[NAME=]ADDR[:PORT][,advertise=ADDR[:PORT]]", "SIP over UDP and TCP [default: 0.0.0.0:5060]"),
    many("sips", "[NAME=]ADDR[:PORT][,advertise=ADDR[:PORT]]", "SIP over TLS, port 5061 unless named [default: none]"),
    one("tls-certificate", "FILE", "Our certificate and those that lead to its authority, PEM [default: self-signed]"),
    one("tls-key", "FILE", "The key of --tls-certificate, PEM"),
    one("tls-authorities", "FILE", "Whom trunks' certificates may be from besides the system's authorities, PEM"),
    many("tls-unchecked", "NETWORK", "Networks whose peers may show any certificate [default: none]"),
    many("rtp", "[NAME=]ADDR[,advertise=ADDR]", "Sound [default: the addresses of --sip and --sips]"),
    one("rtp-ports", "FIRST-LAST", "Ports for sound [default: 20000-29999]"),
    many("local-nets", "NETWORK", "Peers in these get no advertised address [default: attached networks]"),
    many("dns", "ADDR[:PORT]", "Name servers [default: the system's]"),
    one("database", "sqlite[:FILE]|postgres://…", "Where records are kept [default: sqlite in the data folder]"),
    one("bus", "in-process", "How several nodes talk [default: in-process]"),
    one("recordings", "FOLDER", "Where recordings are kept [default: recordings in the data folder]"),
    one("min-free-mb", "N", "Warn when less is free there; below a fifth none begins; 0: never [default: 500]"),
    one("provision", "FILE", "A provision file to apply at start"),
    one("realm", "NAME", "Realm of SIP passwords; fixed once one is stored [default: tongdai]"),
    many("unlimited-from", "NETWORK", "Networks that no per-source limit or ban touches [default: none]"),
    one(
        "requests-per-second",
        "NUMBER",
        "HTTP requests of each key in a second, twice as many at once; 0: any number [default: 100]",
    ),
    one(
        "durability",
        "process|power",
        "What a stored record outlives: a killed process, or a power cut [default: process]",
    ),
    one("admin-token", "TOKEN", "Bearer token for the whole server [default: generated into <data-dir>/admin.token]"),
    one(
        "nat-keepalive-seconds",
        "SECONDS",
        "How often phones behind NAT are asked whether they are there; 0: never [default: 25]",
    ),
    one("drain-seconds", "SECONDS", "How long calls may go on after SIGTERM [default: 30]"),
    one("public-url", "URL", "What links to recordings begin with [default: what the client asked for]"),
    one("smtp", "URL", "Mail server: smtp://HOST[:PORT], smtps://USER:PASSWORD@HOST or starttls://… [default: none]"),
    one("mail-from", "ADDRESS", "Whom mail is from; needed with --smtp"),
    one("speech", "WAY", "What speaks prompts: espeak-ng, http or none [default: espeak-ng]"),
    one("speech-url", "URL", "Whom --speech http asks, in the words of Google's text-to-speech"),
    one("speech-key", "KEY", "What opens --speech-url, sent as X-Goog-Api-Key [default: none]"),
    many("speech-voice", "vi|en=VOICE", "A voice other than the usual one of a language"),
    one("speech-rate", "PERCENT", "How fast prompts are spoken, 50 to 200 [default: 100]"),
    one("log", "LEVEL", "error, warn, info, debug, trace, or a list like info,server=debug [default: info]"),
];

/// NATs forget a UDP flow after 30 s at the soonest (RFC 4787 asks for two minutes, and is not heard everywhere).
const NAT_KEEPALIVE: Duration = Duration::from_secs(25);
/// Far more than a CRM with all its agents asks for.
const REQUESTS_PER_SECOND: u32 = 100;

/// Megabytes that should be free where recordings are kept, unless the settings say otherwise.
const MIN_FREE_MB: u32 = 500;

/// What a stored record outlives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// A killed process.
    Process,
    /// A power cut.
    Power,
}

/// Everything the server is told before it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Database, recordings, generated secrets.
    pub data_dir: PathBuf,
    /// Where HTTP is listened for.
    pub http: Vec<SocketAddr>,
    /// Where HTTP over TLS is listened for.
    pub https: Vec<SocketAddr>,
    /// SIP interfaces, UDP and TCP each.
    pub sip: Vec<Listen>,
    /// SIP interfaces for TLS.
    pub sips: Vec<Listen>,
    /// Our certificate and its key, PEM. None: one of our own in the data folder.
    pub tls_files: Option<(PathBuf, PathBuf)>,
    /// Whose certificates are worth something.
    pub trust: Trust,
    /// Name servers. None: the system's.
    pub dns: Option<Vec<SocketAddr>>,
    /// Addresses for sound; the ports are those of `rtp_ports`.
    pub rtp: Vec<Listen>,
    /// Ports for sound.
    pub rtp_ports: PortRange,
    /// Peers in these are told our own address, never the advertised one. None: the attached networks.
    pub local_nets: Option<Vec<Network>>,
    /// `sqlite`, or `sqlite:PATH`. None: SQLite in the data folder.
    pub database: Option<String>,
    /// Where recordings are kept.
    pub recordings: PathBuf,
    /// Megabytes that should be free there; 0: nobody looks.
    pub min_free_mb: u32,
    /// A provision file to apply at start.
    pub provision: Option<PathBuf>,
    /// Digest realm.
    pub realm: String,
    /// Networks without limits per source.
    pub unlimited_from: Vec<Network>,
    /// HTTP requests of each key in a second. 0: any number.
    pub requests_per_second: u32,
    /// What a stored record outlives.
    pub durability: Durability,
    /// Bearer token for the whole server. None: generated.
    pub admin_token: Option<String>,
    /// How often phones behind NAT are asked whether they are there. None: never.
    pub nat_keepalive: Option<Duration>,
    /// How long calls may go on after SIGTERM.
    pub drain: Duration,
    /// What links to recordings begin with, without a slash at the end.
    pub public_url: Option<String>,
    /// How mail is sent. None: it is not.
    pub mail: Option<MailSettings>,
    /// How prompts are spoken.
    pub speech: SpeechSettings,
    /// A filter for the log.
    pub log: String,
}

/// Where a running server is, for commands that talk to one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remote {
    /// `http://127.0.0.1:8080`, without a slash at the end.
    pub url: String,
    /// Bearer token.
    pub admin_token: String,
}

impl Settings {
    /// Reads all settings; the first wrong one is the error.
    pub fn load(layers: &Layers) -> Result<Self, Unusable> {
        refuse_what_is_not_served(layers)?;
        let data_dir = layers.one("data-dir", path)?.unwrap_or_else(|| "data".into());
        let sip = layers.all("sip", |text| Listen::parse(text, 5060))?.unwrap_or_else(|| vec![Listen::anywhere(5060)]);
        let sip = listen::named(sip, "sip", "--sip")?;
        let sips = layers.all("sips", |text| Listen::parse(text, 5061))?.unwrap_or_default();
        let sips = listen::named(sips, "sips", "--sips")?;
        let rtp = match layers.all("rtp", Listen::parse_without_port)? {
            Some(rtp) => listen::named(rtp, "rtp", "--rtp")?,
            None => listen::once_each(sip.iter().chain(&sips).map(Listen::for_sound)),
        };
        Ok(Self {
            http: layers.all("http", http_address)?.unwrap_or_else(|| vec![([127, 0, 0, 1], 8080).into()]),
            https: layers.all("https", |text| listen::address(text, 8443))?.unwrap_or_default(),
            sip,
            sips,
            tls_files: tls_files(layers)?,
            trust: Trust {
                authorities: layers.one("tls-authorities", path)?,
                unchecked: layers.all("tls-unchecked", Network::parse_list)?.unwrap_or_default().concat(),
            },
            dns: layers.all("dns", |text| listen::address(text, 53))?,
            rtp,
            rtp_ports: layers.one("rtp-ports", PortRange::parse)?.unwrap_or_default(),
            local_nets: layers.all("local-nets", Network::parse_list)?.map(|lists| lists.concat()),
            database: layers.one("database", database)?,
            recordings: layers.one("recordings", recordings)?.unwrap_or_else(|| data_dir.join("recordings")),
            min_free_mb: layers.one("min-free-mb", megabytes)?.unwrap_or(MIN_FREE_MB),
            provision: layers.one("provision", path)?,
            realm: layers.one("realm", realm)?.unwrap_or_else(|| "tongdai".into()),
            unlimited_from: layers.all("unlimited-from", Network::parse_list)?.unwrap_or_default().concat(),
            requests_per_second: layers.one("requests-per-second", requests)?.unwrap_or(REQUESTS_PER_SECOND),
            durability: layers.one("durability", durability)?.unwrap_or(Durability::Process),
            admin_token: layers.one("admin-token", admin_token)?,
            nat_keepalive: Some(layers.one("nat-keepalive-seconds", seconds)?.unwrap_or(NAT_KEEPALIVE))
                .filter(|every| !every.is_zero()),
            drain: layers.one("drain-seconds", seconds)?.unwrap_or(Duration::from_secs(30)),
            public_url: layers.one("public-url", public_url)?,
            mail: mail(layers)?,
            speech: speech(layers)?,
            log: log_filter(layers)?,
            data_dir,
        })
    }
}

impl Remote {
    /// Finds the running server: its address, and its token, read from the data folder if none is given.
    pub fn load(layers: &Layers) -> Result<Self, Unusable> {
        let url = layers.all("http", remote_url)?.and_then(|urls| urls.into_iter().next());
        let data_dir = layers.one("data-dir", path)?.unwrap_or_else(|| "data".into());
        let admin_token = match layers.one("admin-token", admin_token)? {
            Some(token) => token,
            None => crate::admin_token::read(&data_dir)?,
        };
        Ok(Self { url: url.unwrap_or_else(|| "http://127.0.0.1:8080".into()), admin_token })
    }
}

/// The filter for the log, which commands that need no other setting want too.
pub fn log_filter(layers: &Layers) -> Result<String, Unusable> {
    Ok(layers.one("log", log)?.unwrap_or_else(|| "info".into()))
}

/// Settings that name what this build has not: better no start than another server than was asked for.
fn refuse_what_is_not_served(layers: &Layers) -> Result<(), Unusable> {
    layers
        .one("bus", |text| match text {
            "in-process" => Ok(()),
            _ => Err("this server is one node: write in-process, or leave it out".into()),
        })
        .map(drop)
}

fn tls_files(layers: &Layers) -> Result<Option<(PathBuf, PathBuf)>, Unusable> {
    let (certificate, key) = (layers.one("tls-certificate", path)?, layers.one("tls-key", path)?);
    let (alone, other) = match (certificate, key) {
        (Some(certificate), Some(key)) => return Ok(Some((certificate, key))),
        (None, None) => return Ok(None),
        (Some(_), None) => ("tls-certificate", "tls-key"),
        (None, Some(_)) => ("tls-key", "tls-certificate"),
    };
    let sentence = format!("certificate and key go together: set {other} too");
    match layers.given(alone)?.last() {
        Some(given) => Err(given.wrong(&sentence)),
        None => Ok(None),
    }
}

fn mail(layers: &Layers) -> Result<Option<MailSettings>, Unusable> {
    let (url, from) =
        (layers.one("smtp", MailSettings::parse_url)?, layers.one("mail-from", MailSettings::parse_from)?);
    match (url, from, layers.given("smtp")?.last()) {
        (Some(url), Some(from), _) => Ok(Some(MailSettings::new(url, from))),
        (Some(_), None, Some(given)) => Err(given.wrong("mail needs a sender: set mail-from too")),
        _ => Ok(None),
    }
}

fn speech(layers: &Layers) -> Result<SpeechSettings, Unusable> {
    let url = layers.one("speech-url", speech_url)?;
    let key = layers.one("speech-key", |text| match text {
        "" => Err("the key is empty: write it, or leave it out".into()),
        key => Ok(SpeechKey(key.to_owned())),
    })?;
    let driver = match (layers.one("speech", |text| Ok(text.to_owned()))?.as_deref(), url) {
        (None | Some("espeak-ng"), _) => SpeechDriver::Espeak,
        (Some("none"), _) => SpeechDriver::None,
        (Some("http"), Some(url)) => SpeechDriver::Http { url, key },
        (Some(way), _) => {
            let sentence = match way {
                "http" => "a service needs its address: set speech-url too",
                _ => "this is no way to speak: write espeak-ng, http or none",
            };
            return Err(layers
                .given("speech")?
                .last()
                .map_or(Unusable(sentence.into()), |given| given.wrong(sentence)));
        }
    };
    let voices = layers.all("speech-voice", voice)?.unwrap_or_default().into_iter().collect();
    Ok(SpeechSettings { driver, voices, rate: layers.one("speech-rate", speech_rate)?.unwrap_or(100) })
}

fn speech_url(text: &str) -> Result<String, String> {
    let url =
        text.parse::<reqwest::Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(String::from)
        .ok_or_else(|| "this is no URL: write it as https://speech.example.test/v1/text:synthesize".into())
}

fn voice(text: &str) -> Result<(Language, String), String> {
    let wrong = "write a language and its voice: vi=VOICE or en=VOICE";
    let (language, voice) = text.split_once('=').ok_or(wrong)?;
    // A voice is an argument of a program: it cannot look like an option.
    let is_voice = voice.len() <= 64
        && voice.starts_with(|c: char| c.is_ascii_alphanumeric())
        && voice.chars().all(|c| c.is_ascii_alphanumeric() || "_+-.".contains(c));
    match (language, is_voice) {
        ("vi", true) => Ok((Language::Vi, voice.to_owned())),
        ("en", true) => Ok((Language::En, voice.to_owned())),
        _ => Err(wrong.into()),
    }
}

fn speech_rate(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(rate @ 50..=200) => Ok(rate),
        _ => Err("write a whole number of percent, 50 to 200".into()),
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("the path is empty: name a file or folder".into()),
        _ => Ok(text.into()),
    }
}

fn database(text: &str) -> Result<String, String> {
    let names_more = |start: &str| text.strip_prefix(start).is_some_and(|rest| !rest.is_empty());
    if text == "sqlite" || ["sqlite:", "postgres://", "postgresql://"].into_iter().any(names_more) {
        return Ok(text.to_owned());
    }
    Err("records are kept in SQLite or PostgreSQL: write sqlite, sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME"
        .into())
}

fn recordings(text: &str) -> Result<PathBuf, String> {
    match text.split_once("://") {
        Some(_) => Err("recordings are kept in a folder: name one".into()),
        None => path(text),
    }
}

fn http_address(text: &str) -> Result<SocketAddr, String> {
    listen::address(text, 8080)
}

fn remote_url(text: &str) -> Result<String, String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    let mut address = http_address(text)?;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    Ok(format!("http://{address}"))
}

fn public_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    // Links go on after it: what would end their path or their place in a page cannot stand in it.
    let fits = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}?#@".contains(c);
    match rest {
        Some(host) if !host.is_empty() && !host.starts_with(['/', ':']) && host.chars().all(fits) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("this is no address of a web server: write it as https://pbx.example.test".into()),
    }
}

fn realm(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | ',');
    match text.len() {
        1..=64 if text.chars().all(fits) => Ok(text.to_owned()),
        _ => Err("a realm is 1 to 64 letters, digits, dots and dashes: write it as tongdai or pbx.example.test".into()),
    }
}

fn durability(text: &str) -> Result<Durability, String> {
    match text {
        "process" => Ok(Durability::Process),
        "power" => Ok(Durability::Power),
        _ => Err("there are two kinds: write process or power".into()),
    }
}

fn admin_token(text: &str) -> Result<String, String> {
    match text.len() {
        8..=256 if text.chars().all(|c| c.is_ascii_graphic()) => Ok(text.to_owned()),
        _ => Err("a token is 8 to 256 letters, digits and signs without spaces: choose another".into()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0..=86_400_u64) => Ok(Duration::from_secs(seconds)),
        _ => Err("write a whole number of seconds, 0 to 86400".into()),
    }
}

fn megabytes(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(megabytes @ 0..=100_000_000) => Ok(megabytes),
        _ => Err("write a whole number of megabytes, 0 to 100000000; 0 means that nobody looks".into()),
    }
}

fn requests(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(requests @ 0..=1_000_000) => Ok(requests),
        _ => Err("write a whole number, 0 to 1000000; 0 means any number".into()),
    }
}

fn log(text: &str) -> Result<String, String> {
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("write error, warn, info, debug or trace, or a list like info,server=debug".into()),
    }
}

#[cfg(test)]
mod tests;
