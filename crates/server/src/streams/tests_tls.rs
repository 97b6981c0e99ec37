use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;

use super::tests::{Desk, desk_that_trusts};
use super::*;
use crate::config::Network;
use crate::inbox::StreamNews;
use crate::tls::{self, Certificate, Trust};

const REQUEST: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";

fn certificate(folder: &Path) -> Arc<Certificate> {
    Arc::new(Certificate::self_signed(folder, &[[127, 0, 0, 1].into()]).expect("made"))
}

fn desk() -> Desk {
    desk_that_trusts(&Trust::default())
}

/// Trusts everybody on this machine.
fn careless() -> Trust {
    Trust { authorities: None, unchecked: vec![Network::parse("127.0.0.0/8").expect("a network")] }
}

/// Trusts the certificate in the folder.
fn pinned(folder: &Path) -> Trust {
    Trust { authorities: Some(folder.join("tls.crt")), unchecked: Vec::new() }
}

async fn accepting(desk: &Desk, certificate: &Arc<Certificate>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    listener.set_nonblocking(true).expect("set");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(listen(listener, desk.entrance(Some(tls::acceptor(certificate, tls::Spoken::Sip).expect("spoken")))));
    address
}

async fn connect(address: SocketAddr) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("connected");
    let peers = Peers::new(&careless(), None).expect("peers");
    peers.greet(stream, address).await.expect("TLS")
}

fn to(remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Tls, interface: 0, connection: 0, remote }
}

/// A peer that speaks TLS, for our connections to it.
struct Host {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: tokio_rustls::TlsAcceptor,
    folder: tempfile::TempDir,
}

impl Host {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let acceptor = tls::acceptor(&certificate(folder.path()), tls::Spoken::Sip).expect("spoken");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("bound");
        Self { listener, address, acceptor, folder }
    }

    async fn accept(&self) -> std::io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
        let (stream, _) = self.listener.accept().await?;
        self.acceptor.accept(stream).await
    }
}

#[tokio::test]
async fn a_peer_over_tls_is_entered_heard_answered_and_struck_out() {
    let mut desk = desk();
    let folder = tempfile::tempdir().expect("a folder");
    let mut peer = connect(accepting(&desk, &certificate(folder.path())).await).await;
    let StreamNews::Opened { flow, queue } = desk.news().await else { panic!("it opens first") };
    desk.streams.opened(flow, queue);

    peer.write_all(REQUEST).await.expect("written");
    peer.write_all(b"\r\n\r\n").await.expect("written");
    let StreamNews::Message { bytes, .. } = desk.news().await else { panic!("a message") };
    desk.streams.send(flow, Bytes::from_static(b"answer")).expect("taken");
    let mut answer = [0; 8];
    peer.read_exact(&mut answer).await.expect("read");
    drop(peer);

    assert_eq!(flow.transport, Transport::Tls);
    assert_eq!(bytes, REQUEST);
    // Answer and pong come in the order they were queued, which is either.
    assert!(&answer == b"\r\nanswer" || &answer == b"answer\r\n", "{answer:?}");
    assert!(matches!(desk.news().await, StreamNews::Lost { flow: lost, ours: false } if lost == flow));
}

#[tokio::test]
async fn both_versions_are_spoken_and_no_older_one_exists() {
    let mut desk = desk();
    let folder = tempfile::tempdir().expect("a folder");
    let address = accepting(&desk, &certificate(folder.path())).await;
    let roots = Arc::new(Everybody(rustls::crypto::ring::default_provider()));
    let mut open = Vec::new();

    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]);
        let builder = builder.expect("spoken").dangerous().with_custom_certificate_verifier(roots.clone());
        let connector = tokio_rustls::TlsConnector::from(Arc::new(builder.with_no_client_auth()));
        let stream = TcpStream::connect(address).await.expect("connected");

        let name = ServerName::try_from("pbx.example.test").expect("a name");
        let peer = connector.connect(name, stream).await.expect("TLS");

        assert_eq!(peer.get_ref().1.protocol_version(), Some(version.version));
        let StreamNews::Opened { flow, queue } = desk.news().await else { panic!("it opens") };
        desk.streams.opened(flow, queue);
        open.push(peer);
    }
}

#[tokio::test(start_paused = true)]
async fn who_never_finishes_the_handshake_is_closed_unheard() {
    let folder = tempfile::tempdir().expect("a folder");
    for said in [&b""[..], &[22, 3, 1, 2, 0, 1][..]] {
        let mut desk = desk();
        let mut peer =
            TcpStream::connect(accepting(&desk, &certificate(folder.path())).await).await.expect("connected");

        peer.write_all(said).await.expect("written");
        let ended = peer.read(&mut [0; 1]).await;

        assert_eq!(ended.expect("closed"), 0, "after {said:?}");
        assert!(desk.is_quiet());
    }
}

#[tokio::test]
async fn what_is_no_tls_is_closed_at_once() {
    let mut desk = desk();
    let folder = tempfile::tempdir().expect("a folder");
    let mut peer = TcpStream::connect(accepting(&desk, &certificate(folder.path())).await).await.expect("connected");

    peer.write_all(REQUEST).await.expect("written");
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), peer.read_to_end(&mut rest)).await;

    assert!(read.is_ok(), "it ends");
    assert!(desk.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_peer_over_tls_that_says_nothing_or_half_a_message_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    for said in [&b""[..], b"OPTIONS sip:a SIP/2.0\r\n"] {
        let mut desk = desk();
        let mut peer = connect(accepting(&desk, &certificate(folder.path())).await).await;
        let StreamNews::Opened { flow, queue } = desk.news().await else { panic!("it opens first") };
        desk.streams.opened(flow, queue);

        peer.write_all(said).await.expect("written");

        assert!(!peer.read(&mut [0; 1]).await.is_ok_and(|length| length > 0), "after {said:?}");
    }
}

#[tokio::test]
async fn what_is_no_sip_or_too_large_over_tls_ends_the_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = ["OPTIONS sip:a SIP/2.0\r\nX: ", &"x".repeat(70_000)].concat();
    for said in [large.as_str(), &"x".repeat(20_000)] {
        let mut desk = desk();
        let mut peer = connect(accepting(&desk, &certificate(folder.path())).await).await;
        let StreamNews::Opened { flow, queue } = desk.news().await else { panic!("it opens first") };
        desk.streams.opened(flow, queue);

        // It may be closed before all of it is written.
        let _ = peer.write_all(said.as_bytes()).await;
        let _ = peer.flush().await;

        assert!(matches!(desk.news().await, StreamNews::Lost { ours: false, .. }));
    }
}

#[tokio::test]
async fn a_peer_that_asks_who_we_are_is_shown_the_certificate_of_our_files_and_no_other() {
    let (host, authority) = (Host::new().await, Authority::new());
    let roots = {
        let mut roots = rustls::RootCertStore::empty();
        let pem = std::fs::read(authority.file()).expect("read");
        roots.add(CertificateDer::from_pem_slice(&pem).expect("a certificate")).expect("a root");
        Arc::new(roots)
    };
    let theirs = certificate(host.folder.path());
    let acceptor = {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let asks = rustls::server::WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("spoken").with_client_cert_verifier(asks.build().expect("an authority"));
        tokio_rustls::TlsAcceptor::from(Arc::new(builder.with_cert_resolver(theirs)))
    };
    authority.acceptor("pbx.example.test");
    let own = tempfile::tempdir().expect("a folder");
    let signed =
        Certificate::from_files(authority.folder.path().join("tls.crt"), authority.folder.path().join("tls.key"));
    let mut known = Vec::new();

    for ours in [Arc::new(signed.expect("a pair")), certificate(own.path())] {
        let peers = Peers::new(&careless(), Some(ours)).expect("peers");
        let stream = TcpStream::connect(host.address).await.expect("connected");
        let (accepted, _) = host.listener.accept().await.expect("accepted");
        let (_ours, theirs) = tokio::join!(peers.greet(stream, host.address), acceptor.accept(accepted));
        known.push(theirs.is_ok());
    }

    assert_eq!(known, [true, false]);
}

#[tokio::test]
async fn a_trunk_whose_certificate_names_it_is_spoken_to() {
    let host = Host::new().await;
    let mut desk = desk_that_trusts(&pinned(host.folder.path()));

    desk.streams.send(to(host.address), Bytes::from_static(b"one ")).expect("taken");
    desk.streams.send(to(host.address), Bytes::from_static(b"two")).expect("taken");
    let mut stream = host.accept().await.expect("TLS");
    let mut both = [0; 7];
    stream.read_exact(&mut both).await.expect("read");
    stream.write_all(REQUEST).await.expect("written");

    assert_eq!(&both, b"one two");
    assert!(matches!(desk.news().await, StreamNews::Message { flow, .. } if flow.transport == Transport::Tls));
}

#[tokio::test]
async fn a_certificate_from_nobody_we_know_ends_the_connection() {
    let host = Host::new().await;
    let mut desk = desk();

    desk.streams.send(to(host.address), Bytes::from_static(b"secret")).expect("taken");

    assert!(host.accept().await.is_err(), "nothing is said to it");
    assert!(matches!(desk.news().await, StreamNews::Lost { ours: true, .. }));
}

#[tokio::test]
async fn a_certificate_for_another_host_ends_the_connection() {
    let host = Host::new().await;
    let authority = Authority::new();
    let acceptor = authority.acceptor("sip.example.test");
    let peers = Peers::new(&Trust { authorities: Some(authority.file()), unchecked: Vec::new() }, None).expect("peers");
    let mut met = Vec::new();

    for named in ["sip.example.test", "other.example.test"] {
        peers.know_trunks(model::TenantId(1), vec![(host.address, named.to_owned())]);
        let stream = TcpStream::connect(host.address).await.expect("connected");
        let (accepted, _) = host.listener.accept().await.expect("accepted");
        let (ours, _theirs) = tokio::join!(peers.greet(stream, host.address), acceptor.accept(accepted));
        met.push(ours.is_ok());
    }

    assert_eq!(met, [true, false]);
}

#[tokio::test]
async fn networks_that_are_not_checked_may_show_any_certificate() {
    let host = Host::new().await;
    let mut desk = desk_that_trusts(&careless());

    desk.streams.send(to(host.address), Bytes::from_static(b"hello")).expect("taken");
    let mut stream = host.accept().await.expect("TLS");
    let mut hello = [0; 5];
    stream.read_exact(&mut hello).await.expect("read");

    assert_eq!(&hello, b"hello");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_accepts_and_speaks_no_tls_is_given_up() {
    let host = Host::new().await;
    let mut desk = desk_that_trusts(&careless());

    desk.streams.send(to(host.address), Bytes::from_static(b"hello")).expect("taken");
    let _silent = host.listener.accept().await.expect("accepted");

    assert!(matches!(desk.news().await, StreamNews::Lost { ours: true, .. }));
}

/// Somebody who signs certificates.
struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("params");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "An authority");
        let key = rcgen::KeyPair::generate().expect("a key");
        let folder = tempfile::tempdir().expect("a folder");
        let own = params.self_signed(&key).expect("signed");
        std::fs::write(folder.path().join("authority.pem"), own.pem()).expect("written");
        Self { issuer: rcgen::Issuer::new(params, key), folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    fn acceptor(&self, host: &str) -> tokio_rustls::TlsAcceptor {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec![host.to_owned()]).expect("params");
        let signed = params.signed_by(&key, &self.issuer).expect("signed");
        let (certificate, private) = (self.folder.path().join("tls.crt"), self.folder.path().join("tls.key"));
        std::fs::write(&certificate, signed.pem()).expect("written");
        std::fs::write(&private, key.serialize_pem()).expect("written");
        let certificate = Certificate::from_files(certificate, private).expect("a pair");
        tls::acceptor(&Arc::new(certificate), tls::Spoken::Sip).expect("spoken")
    }
}

/// A phone that looks at nothing.
#[derive(Debug)]
struct Everybody(rustls::crypto::CryptoProvider);

impl ServerCertVerifier for Everybody {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
