//! `tongdai demo`: a server with a demo tenant, and simulated phones and a simulated carrier that call through it.
//!
//! The terminal shows how to make a call, then tells each call's story as `/v1/events` tells it to any client.

mod company;
mod feed;
mod story;

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use model::{Event, ExtensionEvent, What};
use tokio::time::timeout;

use crate::config::{Layers, Listen, Settings};
use crate::logs::{self, Destination};
use crate::serve::Server;
use crate::signals::Signals;
use crate::unusable::Unusable;
use crate::{Failure, say};
use company::Company;
use feed::Feed;
use story::Story;

/// Where the carrier is, unless that is taken.
const CARRIER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5090);
/// The demo tenant's key for the native API.
const TOKEN: &str = "NATIVE_DEMO";
/// How long the phones have to sign in.
const SIGN_IN_WITHIN: Duration = Duration::from_secs(10);

/// Runs the demo until a signal comes.
pub async fn run(layers: &Layers) -> Result<(), Failure> {
    let mut settings = Settings::load(layers)?;
    if settings.provision.is_some() {
        return Err(Unusable("--provision: the demo has settings of its own: use tongdai serve".into()).into());
    }
    settings.data_dir = data_dir(layers, &settings)?;
    settings.recordings = recordings(layers, &settings)?;
    let log = settings.data_dir.join("demo.log");
    let _logs = logs::start(&settings.log, &Destination::File(&log))?;
    let moved = choose_free_ports(layers, &mut settings);
    let mut signals = Signals::listen().map_err(|error| Failure::Failed(format!("no signals: {error}")))?;

    let no_company = |error: std::io::Error| Failure::Failed(format!("simulated phones: {error}"));
    let mut company = Company::gather(CARRIER).map_err(no_company)?;
    let carrier_at = company.carrier();
    let file = settings.data_dir.join("demo.yaml");
    let yaml = include_str!("demo/demo.yaml").replace("CARRIER", &carrier_at.to_string());
    std::fs::write(&file, yaml)
        .map_err(|error| Unusable(format!("{}: {error}: choose another folder", file.display())))?;
    settings.provision = Some(file);
    settings.drain = Duration::ZERO;
    let server = Server::start(settings.clone()).await?;
    let first = |addresses: &[SocketAddr]| addresses.first().copied().map(reachable);
    let (Some(http), Some(sip)) = (first(&server.http_addresses), first(&server.sip_addresses)) else {
        return Err(Failure::Failed("the demo needs an address for HTTP and one for SIP".into()));
    };
    let feed = Feed::new(&format!("http://{http}"), TOKEN);
    let mut events = Box::pin(feed.follow(feed.head().await?).await?);
    company.sign_in(sip).map_err(no_company)?;
    let signed_in = timeout(SIGN_IN_WITHIN, both_sign_in(&mut events)).await;
    if signed_in.is_err() {
        tracing::warn!("not all phones have signed in");
    }

    for line in &moved {
        say(line);
    }
    if carrier_at != CARRIER {
        say(&format!("{CARRIER} is taken: the carrier is on another port."));
    }
    for line in introduction(&server, http, sip, carrier_at, &settings.data_dir, &log) {
        say(&line);
    }
    let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap_or(jiff::tz::TimeZone::UTC);
    let mut story = Story::new(server.recordings.clone(), zone);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => story.tell(&event).iter().for_each(|line| say(line)),
                None => return Err(Failure::Failed("the story has ended: look at the log".into())),
            },
            () = signals.next() => break,
        }
    }
    // Each demo's data is its own: what the phones still say when they are gone is nobody's story.
    server.stop(signals.next()).await;
    company.stop();
    Ok(())
}

/// At most twenty lines, together with those about taken ports.
fn introduction(
    server: &Server,
    http: SocketAddr,
    sip: SocketAddr,
    carrier: SocketAddr,
    data_dir: &Path,
    log: &Path,
) -> Vec<String> {
    let dial = format!("http://{http}/dial?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&phone=0900000001");
    vec![
        server.ready_line(),
        String::new(),
        "A switchboard with tenant VPBX_DEMO, phones 101 and 102, and a carrier. All but the switchboard is simulated."
            .into(),
        format!("  HTTP http://{http}   SIP {sip} (UDP, TCP)   carrier {carrier}"),
        format!("  keys: voip=VOIPKEY_DEMO secret=SECRET_DEMO, Bearer {TOKEN}   passwords: pw-101, pw-102"),
        format!("  data: {}   log: {}", data_dir.display(), log.display()),
        "Numbers at the carrier: 0900000001 answers, speaks and hangs up after ten seconds; 0900000002 is busy;".into(),
        "  0900000003 rings and never answers; 0900000004 refuses; 0900000005 answers and presses 5.".into(),
        "Make a call:".into(),
        format!("  curl '{dial}'"),
        "What happens is told here. Ctrl-C ends it.".into(),
        String::new(),
    ]
}

/// A new folder under the temporary one, unless a folder is named.
fn data_dir(layers: &Layers, settings: &Settings) -> Result<PathBuf, Failure> {
    if !layers.given("data-dir")?.is_empty() {
        let folder = &settings.data_dir;
        std::fs::create_dir_all(folder)
            .map_err(|error| Unusable(format!("--data-dir {}: {error}: name another folder", folder.display())))?;
        return Ok(folder.clone());
    }
    let made = tempfile::Builder::new().prefix("tongdai-demo-").tempdir();
    let folder = made.map_err(|error| Unusable(format!("no temporary folder: {error}: name one with --data-dir")))?;
    // It stays: the recordings in it are what the demo is for.
    Ok(folder.keep())
}

fn recordings(layers: &Layers, settings: &Settings) -> Result<PathBuf, Unusable> {
    Ok(match layers.given("recordings")?.is_empty() {
        true => settings.data_dir.join("recordings"),
        false => settings.recordings.clone(),
    })
}

/// Takes the loopback unless told otherwise, and other ports in place of taken ones; says which.
fn choose_free_ports(layers: &Layers, settings: &mut Settings) -> Vec<String> {
    if layers.given("sip").is_ok_and(|given| given.is_empty()) {
        let name = settings.sip.first().map_or_else(String::new, |listen| listen.name.clone());
        let address = ([127, 0, 0, 1], 5060).into();
        settings.sip = vec![Listen { name, address, advertise: None }];
        if layers.given("rtp").is_ok_and(|given| given.is_empty()) {
            settings.rtp = settings.sip.iter().map(Listen::for_sound).collect();
        }
    }
    let http = settings.http.iter_mut().map(|address| ("HTTP", address, false));
    let sip = settings.sip.iter_mut().map(|listen| ("SIP", &mut listen.address, true));
    http.chain(sip)
        .filter(|(_, address, udp)| is_taken(**address, *udp))
        .map(|(what, address, _)| {
            let sentence = format!("{address} is taken: {what} is on another port.");
            address.set_port(0);
            sentence
        })
        .collect()
}

fn is_taken(address: SocketAddr, udp: bool) -> bool {
    address.port() != 0 && (TcpListener::bind(address).is_err() || (udp && UdpSocket::bind(address).is_err()))
}

/// The address for those who are on this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { CARRIER.ip() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    address
}

async fn both_sign_in(events: &mut (impl Stream<Item = Event> + Unpin)) {
    let mut missing = vec!["101".to_owned(), "102".to_owned()];
    while let Some(event) = events.next().await {
        if let What::Extension(ExtensionEvent::Registered { .. }) = event.what {
            missing.retain(|extension| *extension != event.subject.id());
        }
        if missing.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_noticed_for_udp_and_for_tcp() {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("bound").local_addr().expect("bound");
        let holder = UdpSocket::bind(udp);
        let tcp = TcpListener::bind("127.0.0.1:0").expect("bound");

        assert!(holder.is_ok_and(|socket| is_taken(socket.local_addr().expect("bound"), true)));
        assert!(is_taken(tcp.local_addr().expect("bound"), false));
        assert!(!is_taken("127.0.0.1:0".parse().expect("an address"), true));
    }

    #[test]
    fn the_demo_tenant_is_a_valid_file() {
        let yaml = include_str!("demo/demo.yaml").replace("CARRIER", "127.0.0.1:5090");

        store::provision::parse(&yaml).map(|_| ()).expect("it parses");
    }
}
