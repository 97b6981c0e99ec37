//! SIP over TLS end to end: phones and trunks, certificates, and what becomes of a phone whose connection is gone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use server::config::Network;
use server::tls::{self, Certificate, Peers, Trust};
use testkit::phones::{Behaviour, Event, Phone, PhoneConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::client::TlsStream;

use crate::common::{Server, options, until};
use crate::nameserver::NameServer;
use crate::support::office::{Company, Look, provision};
use crate::support::people::{TALKER, carrier, extension, hear_each_other, signed_in};
use crate::support::tools::LIMIT;

/// Trusts everybody on this machine.
fn careless() -> Peers {
    let unchecked = vec![Network::parse("127.0.0.0/8").expect("a network")];
    Peers::new(&Trust { authorities: None, unchecked }, None).expect("peers")
}

async fn connect(server: SocketAddr) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(server).await.expect("connected");
    careless().greet(stream, server).await.expect("TLS")
}

fn sips(server: &Server) -> SocketAddr {
    let address = server.ready.split(' ').find_map(|word| word.strip_prefix("sips="));
    address.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no sips= in `{}`", server.ready))
}

/// Takes TCP in and passes it on by TLS, so that a phone without TLS has it. Gone with the runtime.
fn into_tls(runtime: &Runtime, server: SocketAddr) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("bound");
    let address = listener.local_addr().expect("bound");
    runtime.spawn(async move {
        while let Ok((mut plain, _)) = listener.accept().await {
            let mut safe = connect(server).await;
            tokio::spawn(async move { copy_bidirectional(&mut plain, &mut safe).await });
        }
    });
    address
}

/// Takes TLS in and passes it on by TCP, so that a carrier without TLS has it. Its Contact is made that of this place.
fn out_of_tls(runtime: &Runtime, folder: &Path, carrier: SocketAddr) -> SocketAddr {
    let certificate = Certificate::self_signed(folder, &[[127, 0, 0, 1].into()]).expect("made");
    out_of_tls_as(runtime, certificate, carrier)
}

fn out_of_tls_as(runtime: &Runtime, certificate: Certificate, carrier: SocketAddr) -> SocketAddr {
    let acceptor = tls::acceptor(&Arc::new(certificate), tls::Spoken::Sip).expect("spoken");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("bound");
    let address = listener.local_addr().expect("bound");
    runtime.spawn(async move {
        while let Ok((plain, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let (mut from_server, mut to_server) = tokio::io::split(acceptor.accept(plain).await?);
                let (mut from_carrier, mut to_carrier) = TcpStream::connect(carrier).await?.into_split();
                let answers = async {
                    let mut messages = vec![0; 65_536];
                    loop {
                        let length = from_carrier.read(&mut messages).await?;
                        let said = String::from_utf8_lossy(&messages[..length]);
                        let here =
                            said.replace(&format!("{carrier};transport=tcp"), &format!("{address};transport=tls"));
                        to_server.write_all(here.as_bytes()).await?;
                        to_server.flush().await?;
                        if length == 0 {
                            return Ok(());
                        }
                    }
                };
                tokio::select! {
                    copied = copy(&mut from_server, &mut to_carrier) => copied.map(drop),
                    answered = answers => answered,
                }
            });
        }
    });
    address
}

/// A certificate for a host from an authority, which stands in `authority.pem`.
fn signed_for(host: &str, folder: &Path) -> Certificate {
    let mut authority = CertificateParams::new(Vec::new()).expect("params");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "An authority");
    let (own, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("written");
    write("authority.pem", authority.self_signed(&own).expect("signed").pem());
    let host = CertificateParams::new(vec![host.to_owned()]).expect("params");
    write("host.crt", host.signed_by(&key, &Issuer::new(authority, own)).expect("signed").pem());
    write("host.key", key.serialize_pem());
    Certificate::from_files(folder.join("host.crt"), folder.join("host.key")).expect("a pair")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn company() -> String {
    provision(&[Company::with_carrier(([127, 0, 0, 1], 9).into())])
}

#[test]
fn options_and_keep_alives_are_answered_over_tls() {
    let server = Server::start(&company(), &["--sips", "127.0.0.1:0"]);

    let said = runtime().block_on(async {
        let mut stream = connect(sips(&server)).await;
        let request = options("TLS", stream.get_ref().0.local_addr().expect("bound"), "one");
        stream.write_all(format!("\r\n\r\n{request}").as_bytes()).await.expect("written");
        let mut said = Vec::new();
        while !said.windows(4).any(|end| end == b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut said).await.expect("read"), 0, "it is not closed");
        }
        String::from_utf8(said).expect("text")
    });

    assert!(said.starts_with("\r\nSIP/2.0 200 OK\r\n"), "{said}");
    assert!(said.contains("Via: SIP/2.0/TLS 127.0.0.1:"), "{said}");
    assert!(server.data.join("tls.crt").exists() && server.data.join("tls.key").exists());
}

#[test]
fn everything_that_http_serves_is_served_over_https_too() {
    let server = Server::start(&company(), &["--https", "127.0.0.1:0"]);
    let https = server.ready.split(' ').find_map(|word| word.strip_prefix("https="));
    let https: SocketAddr = https.and_then(|text| text.parse().ok()).expect("the ready line names it");

    let said = runtime().block_on(async {
        let mut stream = connect(https).await;
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {https}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut said = String::new();
        stream.read_to_string(&mut said).await.expect("read");
        said
    });

    assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
}

#[test]
fn a_renewed_certificate_is_shown_without_a_restart() {
    let (given, renewed) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    for folder in [&given, &renewed] {
        Certificate::self_signed(folder.path(), &[[127, 0, 0, 1].into()]).expect("made");
    }
    let file = |name: &str| given.path().join(name).display().to_string();
    let (certificate, key) = (file("tls.crt"), file("tls.key"));
    let server =
        Server::start(&company(), &["--sips", "127.0.0.1:0", "--tls-certificate", &certificate, "--tls-key", &key]);
    let runtime = runtime();
    let shown = || {
        let stream = runtime.block_on(connect(sips(&server)));
        stream.get_ref().1.peer_certificates().expect("shown")[0].clone()
    };
    let of = |folder: &Path| {
        let pair = Certificate::from_files(folder.join("tls.crt"), folder.join("tls.key")).expect("a pair");
        pair.current().cert[0].clone()
    };
    let (first, second) = (of(given.path()), of(renewed.path()));

    assert_eq!(shown(), first);
    for name in ["tls.key", "tls.crt"] {
        std::fs::copy(renewed.path().join(name), given.path().join(name)).expect("copied");
    }

    until(|| shown() == second);
    assert!(!server.data.join("tls.key").exists(), "none is made where one is given");
}

#[test]
fn phones_and_a_trunk_over_tls_talk() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().expect("a folder"));
    let carrier = carrier();
    let safe_carrier = out_of_tls(&runtime, folder.path(), carrier.address());
    let company = Company { trunk: ", transport: tls", ..Company::with_carrier(safe_carrier) };
    let authority = folder.path().join("tls.crt").display().to_string();
    let server = Server::start(&provision(&[company]), &["--sips", "127.0.0.1:0", "--tls-authorities", &authority]);
    let phone = |name, tone| over_tls(&runtime, &server, name, tone);
    let (first, second) = (phone("101", 440), phone("102", 520));

    first.call("102").expect("a call");
    hear_each_other(&first, 520, &second, 440);
    second.hang_up().expect("it hangs up");
    first.wait_idle(LIMIT).expect("it is over");
    first.call(TALKER).expect("a call");
    hear_each_other(&first, 620, &carrier, 440);
    first.hang_up().expect("it hangs up");
    carrier.wait_idle(LIMIT).expect("it is over");

    let look = Look { server: &server, key: "DEMO" };
    let records = look.whole_records(2);
    look.recording(&records[0]).holds(440, 520);
    look.recording(&records[1]).holds(620, 440);
    look.wait_clean();
}

#[test]
fn a_trunk_is_who_its_settings_name_wherever_dns_says_that_it_is() {
    let (runtime, folder, dns) = (runtime(), tempfile::tempdir().expect("a folder"), NameServer::start());
    let carrier = carrier();
    let certificate = signed_for("sip.example.test", folder.path());
    let edge = out_of_tls_as(&runtime, certificate, carrier.address());
    for host in ["sip.example.test", "other.example.test"] {
        dns.service(&format!("_sips._tcp.{host}"), 60, &[(0, 0, edge.port(), "edge.example.test")]);
    }
    dns.host("edge.example.test", 60, &["127.0.0.1"]);
    let authority = folder.path().join("authority.pem").display().to_string();
    let mut called = Vec::new();

    for host in ["other.example.test", "sip.example.test"] {
        let company = Company { trunk: ", transport: tls", ..Company::with_carrier(edge) };
        let yaml = provision(&[company]).replace(&format!("address: \"{edge}\""), &format!("address: {host}"));
        let dns = dns.address.to_string();
        let server = Server::start(&yaml, &["--sips", "127.0.0.1:0", "--tls-authorities", &authority, "--dns", &dns]);
        let phone = over_tls(&runtime, &server, "101", 440);
        phone.call(TALKER).expect("a call");
        let decided = phone.wait_for(is_decided, LIMIT).expect("an answer");
        called.push(matches!(decided, Event::Answered { .. }));
        let _ = phone.hang_up();
        phone.wait_idle(LIMIT).expect("it is over");
        Look { server: &server, key: "DEMO" }.wait_clean();
    }

    assert_eq!(called, [false, true]);
}

fn is_decided(event: &Event) -> bool {
    matches!(event, Event::Answered { .. } | Event::Refused { .. } | Event::Failed { .. })
}

#[test]
fn a_trunk_with_a_certificate_from_nobody_is_not_called() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().expect("a folder"));
    let carrier = carrier();
    let safe_carrier = out_of_tls(&runtime, folder.path(), carrier.address());
    let company = Company { trunk: ", transport: tls", ..Company::with_carrier(safe_carrier) };
    let server = Server::start(&provision(&[company]), &["--sips", "127.0.0.1:0"]);
    let phone = over_tls(&runtime, &server, "101", 440);

    phone.call(TALKER).expect("a call");
    phone.wait_idle(LIMIT).expect("it is refused");

    assert!(carrier.received().is_empty());
    Look { server: &server, key: "DEMO" }.wait_clean();
}

#[test]
fn a_phone_whose_connection_is_gone_is_not_rung() {
    let server = Server::start(&company(), &["--sips", "127.0.0.1:0"]);
    let (stays, goes) = (runtime(), runtime());
    let caller = over_tls(&stays, &server, "101", 440);
    let _callee = over_tls(&goes, &server, "102", 520);
    let look = Look { server: &server, key: "DEMO" };
    let lost = || {
        look.events().iter().any(|event| event["type"] == "extension.unregistered" && event["why"] == "connection_lost")
    };

    goes.shutdown_timeout(Duration::ZERO);
    until(lost);
    caller.call("102").expect("a call");
    caller.wait_idle(LIMIT).expect("it is refused");

    let record = look.whole_records(1).remove(0);
    assert_eq!(record["legs"].as_array().map(Vec::len), Some(1), "{record:#}");
    look.wait_clean();
}

#[test]
fn wrong_files_are_one_sentence_and_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let nowhere = "/nowhere/tls.crt";
    let table: [&[&str]; 3] = [
        &["--tls-certificate", nowhere, "--tls-key", "/nowhere/tls.key"],
        &["--tls-certificate", nowhere],
        &["--tls-authorities", nowhere],
    ];
    for flags in table {
        let base = ["serve", "--data-dir", &data, "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0"];
        let all: Vec<&str> = base.into_iter().chain(["--sips", "127.0.0.1:0"]).chain(flags.iter().copied()).collect();

        let output = crate::common::run(&all);

        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        let sentence = crate::common::error(&output);
        assert!(sentence.contains(nowhere) && sentence.lines().count() == 1, "{sentence}");
    }
}

fn over_tls(runtime: &Runtime, server: &Server, name: &str, tone: u16) -> Phone {
    let bridge = into_tls(runtime, sips(server));
    let config = extension(bridge, name, tone).over_tcp().behaves(Behaviour::answers(Duration::ZERO));
    signed_in(PhoneConfig { domain: Some(sips(server).to_string()), ..config })
}
