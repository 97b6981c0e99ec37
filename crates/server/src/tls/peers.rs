//! Those we open TLS connections to: which names they go by, and what their certificates are worth.
//!
//! A certificate has to be valid for the host that the settings of a trunk name (or a URI met in a dialog), not for
//! whatever DNS made of it (RFC 5922, 4). Peers in networks that the operator named may show any certificate.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::TenantId;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Certificate;
use crate::config::Network;
use crate::unusable::Unusable;

/// Hosts met in dialogs whose names are kept. The oldest is forgotten first.
const MET: usize = 1_024;

/// Whose certificates are worth something.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Trust {
    /// A PEM file with authorities besides the system's.
    pub authorities: Option<PathBuf>,
    /// Networks whose peers may show any certificate.
    pub unchecked: Vec<Network>,
}

/// Everybody that we open TLS connections to. Clones share what is known.
#[derive(Clone)]
pub struct Peers(Arc<Inner>);

struct Inner {
    unchecked: Vec<Network>,
    /// Authorities that the settings name; the system's are read with the first connection.
    authorities: Vec<CertificateDer<'static>>,
    /// Shown to peers who ask.
    certificate: Option<Arc<Certificate>>,
    verifier: OnceCell<Arc<WebPkiServerVerifier>>,
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    of_trunks: BTreeMap<TenantId, Vec<(SocketAddr, String)>>,
    met: VecDeque<(SocketAddr, String)>,
}

impl Peers {
    /// Nobody is known so far.
    pub fn new(trust: &Trust, certificate: Option<Arc<Certificate>>) -> Result<Self, Unusable> {
        let authorities = trust.authorities.as_deref().map(read).transpose()?.unwrap_or_default();
        let (verifier, names) = (OnceCell::new(), Mutex::default());
        Ok(Self(Arc::new(Inner { unchecked: trust.unchecked.clone(), authorities, certificate, verifier, names })))
    }

    /// Where a tenant's trunks are, and the hosts they were found by.
    pub fn know_trunks(&self, tenant: TenantId, places: Vec<(SocketAddr, String)>) {
        self.names().of_trunks.insert(tenant, places);
    }

    /// Where a host is that was met in a dialog.
    pub fn meet(&self, places: impl Iterator<Item = SocketAddr>, host: &str) {
        let mut names = self.names();
        for place in places {
            let met = (place, host.to_owned());
            names.met.retain(|known| *known != met);
            if names.met.len() >= MET {
                names.met.pop_front();
            }
            names.met.push_back(met);
        }
    }

    /// Speaks TLS on a connection to `remote`, if its certificate is good for one of the names it goes by.
    pub async fn greet(&self, stream: TcpStream, remote: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        let names = self.names_of(remote);
        let first = names.first().cloned().unwrap_or_else(|| ServerName::from(remote.ip()));
        let verifier: Arc<dyn ServerCertVerifier> = if self.may_show_anything(remote.ip()) {
            Arc::new(Anything(super::provider()))
        } else {
            Arc::new(OneOf { names, pinned: self.0.authorities.clone(), inner: self.verifier().await? })
        };
        let builder = ClientConfig::builder_with_provider(super::provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(io::Error::other)?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let config = match &self.0.certificate {
            Some(certificate) => builder.with_client_cert_resolver(certificate.clone()),
            None => builder.with_no_client_auth(),
        };
        TlsConnector::from(Arc::new(config)).connect(first, stream).await
    }

    /// All names that led to `remote`, those of trunks first.
    fn names_of(&self, remote: SocketAddr) -> Vec<ServerName<'static>> {
        let names = self.names();
        let hosts: BTreeSet<&str> = names
            .of_trunks
            .values()
            .flatten()
            .chain(&names.met)
            .filter(|(place, _)| *place == remote)
            .map(|(_, host)| host.as_str())
            .collect();
        hosts.into_iter().filter_map(|host| ServerName::try_from(host.to_owned()).ok()).collect()
    }

    fn may_show_anything(&self, peer: IpAddr) -> bool {
        self.0.unchecked.iter().any(|net| net.contains(peer))
    }

    /// Reading the system's authorities takes a moment, and most servers never need them.
    async fn verifier(&self) -> io::Result<Arc<WebPkiServerVerifier>> {
        let authorities = self.0.authorities.clone();
        let read = || async move {
            let read = tokio::task::spawn_blocking(move || {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                roots.add_parsable_certificates(authorities);
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), super::provider()).build()
            });
            read.await
                .map_err(io::Error::other)?
                .map_err(|_| io::Error::other("no authority is known: name one with --tls-authorities"))
        };
        self.0.verifier.get_or_try_init(read).await.cloned()
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.0.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let remedy = "name a file with certificates in PEM";
    let wrong =
        |why: &dyn std::fmt::Display| Unusable(format!("--tls-authorities {}: {why}: {remedy}", path.display()));
    let all: Vec<_> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| wrong(&error))?;
    if all.is_empty() { Err(wrong(&"no certificate is in it")) } else { Ok(all) }
}

/// Takes a certificate that is valid for one of the names that led to the peer, whichever was asked for.
#[derive(Debug)]
struct OneOf {
    names: Vec<ServerName<'static>>,
    /// A certificate that the operator has named itself is good for whoever has its key.
    pinned: Vec<CertificateDer<'static>>,
    inner: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for OneOf {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        asked: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.pinned.contains(certificate) {
            return Ok(ServerCertVerified::assertion());
        }
        let judge = |name: &ServerName<'_>| self.inner.verify_server_cert(certificate, chain, name, ocsp, now);
        let mut verdict = judge(asked);
        for name in &self.names {
            match &verdict {
                Err(rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => verdict = judge(name),
                _ => break,
            }
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Takes every certificate whose key the peer has.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers() -> Peers {
        Peers::new(&Trust::default(), None).expect("peers")
    }

    fn place(last: u8) -> SocketAddr {
        ([192, 0, 2, last], 5061).into()
    }

    fn name(host: &str) -> ServerName<'static> {
        ServerName::try_from(host.to_owned()).expect("a name")
    }

    #[test]
    fn a_place_goes_by_every_name_that_led_to_it() {
        let peers = peers();

        peers
            .know_trunks(TenantId(1), vec![(place(1), "sip.example.test".into()), (place(2), "b.example.test".into())]);
        peers.meet([place(1)].into_iter(), "edge.example.test");
        let known = peers.names_of(place(1));
        peers.know_trunks(TenantId(1), Vec::new());

        assert_eq!(known, [name("edge.example.test"), name("sip.example.test")]);
        assert_eq!(peers.names_of(place(1)), [name("edge.example.test")]);
        assert_eq!(peers.names_of(place(2)), []);
    }

    #[test]
    fn names_met_in_dialogs_are_bounded_and_the_latest_stay() {
        let peers = peers();

        for n in 0..=MET {
            peers.meet([place(1)].into_iter(), &format!("h{n}.example.test"));
        }

        let known = peers.names_of(place(1));
        assert_eq!(known.len(), MET);
        assert!(!known.contains(&name("h0.example.test")) && known.contains(&name("h1.example.test")));
    }
}
