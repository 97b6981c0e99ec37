//! TLS: our certificate, and how peers' certificates are judged.
//!
//! [`Certificate`] is what every listener shows; it is read again when its files change. [`Peers`] opens connections to
//! others and knows by which names they go. Versions 1.2 and 1.3.

mod certificate;
mod peers;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use tokio_rustls::TlsAcceptor;

pub use certificate::Certificate;
pub use peers::{Peers, Trust};

use crate::unusable::Unusable;

/// What is spoken over TLS, as clients may name it (RFC 7301).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spoken {
    /// SIP: nobody names it.
    Sip,
    /// HTTP/1.1.
    Http,
}

/// What takes connections in under our certificate.
pub fn acceptor(certificate: &Arc<Certificate>, spoken: Spoken) -> Result<TlsAcceptor, Unusable> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| Unusable(format!("TLS cannot be spoken: {error}")))?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(certificate.clone());
    // Who comes back shows a ticket and saves a handshake; nothing is kept for those who never do.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.ticketer =
        rustls::crypto::ring::Ticketer::new().map_err(|error| Unusable(format!("no random numbers: {error}")))?;
    if spoken == Spoken::Http {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What speaks TLS for libraries that ask the process. Once is enough; whoever came first stays.
pub fn choose_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
