//! Our certificate: from files that somebody renews, or made by ourselves and kept in the data folder.
//!
//! Whoever shows it asks for it with each handshake; that is when changed files are noticed. A pair that does not fit,
//! because only one of the files has been replaced so far, changes nothing.

use std::fs::Metadata;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, SignatureScheme};

use crate::unusable::Unusable;

/// How often files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A certificate with its key, and the files it is from.
#[derive(Debug)]
pub struct Certificate {
    files: Files,
    /// Whether somebody else has signed it: only then is it worth showing to those we connect to.
    is_ours_to_show: bool,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Debug)]
struct Held {
    key: Arc<CertifiedKey>,
    /// How the files looked when they were read, or could not be used.
    stamp: Option<Stamp>,
    looked_at: Instant,
}

/// What changes when files do.
type Stamp = [(u64, i64, i64, u64); 2];

impl Certificate {
    /// Reads the files that the settings name: chain (our certificate first) and key, PEM.
    pub fn from_files(certificate: PathBuf, key: PathBuf) -> Result<Self, Unusable> {
        Self::of(Files { certificate, key }, true).map_err(Unusable)
    }

    /// The one in the data folder, made now if there is none. It names the host and these addresses; nobody trusts it
    /// who is not told to.
    pub fn self_signed(data_dir: &Path, addresses: &[IpAddr]) -> Result<Self, Unusable> {
        let files = Files { certificate: data_dir.join("tls.crt"), key: data_dir.join("tls.key") };
        if !files.certificate.exists() || !files.key.exists() {
            make(&files, addresses).map_err(|error| {
                Unusable(format!("{}: {error}: make the data folder writable", files.key.display()))
            })?;
        }
        Self::of(files, false)
            .map_err(|sentence| Unusable(format!("{sentence}, or delete both, so that new ones are made")))
    }

    /// What is to be shown now.
    pub fn current(&self) -> Arc<CertifiedKey> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.looked_at.elapsed() >= LOOK_EVERY {
            held.looked_at = Instant::now();
            let stamp = self.files.stamp();
            if stamp.is_some() && stamp != held.stamp {
                held.stamp = stamp;
                match self.files.read() {
                    Ok(key) => {
                        tracing::info!(file = %self.files.certificate.display(), "the certificate has changed");
                        held.key = Arc::new(key);
                    }
                    Err(sentence) => tracing::warn!(sentence, "the certificate stays as it was"),
                }
            }
        }
        held.key.clone()
    }

    fn of(files: Files, is_ours_to_show: bool) -> Result<Self, String> {
        let stamp = files.stamp();
        let key = Arc::new(files.read()?);
        let held = Mutex::new(Held { key, stamp, looked_at: Instant::now() });
        Ok(Self { files, is_ours_to_show, held })
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for Certificate {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let current = self.current();
        current.key.choose_scheme(schemes).map(|_| current)
    }

    fn has_certs(&self) -> bool {
        self.is_ours_to_show
    }
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, String> {
        let wrong =
            |path: &Path, why: &dyn std::fmt::Display, remedy: &str| format!("{}: {why}: {remedy}", path.display());
        let chain: Vec<_> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(|error| wrong(&self.certificate, &error, "name a file with the certificate in PEM"))?;
        if chain.is_empty() {
            return Err(wrong(
                &self.certificate,
                &"no certificate is in it",
                "name a file with the certificate in PEM",
            ));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| wrong(&self.key, &error, "name a file with the private key in PEM"))?;
        let key = super::provider()
            .key_provider
            .load_private_key(key)
            .map_err(|error| wrong(&self.key, &error, "use an RSA, ECDSA or Ed25519 key"))?;
        let pair = CertifiedKey::new(chain, key);
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(pair),
            Err(error) => Err(wrong(&self.key, &error, "name the key that belongs to the certificate")),
        }
    }

    /// None while one of them is missing.
    fn stamp(&self) -> Option<Stamp> {
        let of = |data: Metadata| (data.ino(), data.mtime(), data.mtime_nsec(), data.size());
        Some([of(std::fs::metadata(&self.certificate).ok()?), of(std::fs::metadata(&self.key).ok()?)])
    }
}

fn make(files: &Files, addresses: &[IpAddr]) -> Result<(), Box<dyn std::error::Error>> {
    let named = addresses.iter().filter(|ip| !ip.is_unspecified()).map(IpAddr::to_string);
    let names: Vec<String> = std::iter::once("localhost".to_owned()).chain(named).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Tongdai");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    // Within what every stack can read (RFC 5280, 4.1.2.5.1).
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    // The key first: a certificate without its key would be taken for a finished pair.
    write(&files.key, &key.serialize_pem(), 0o600)?;
    write(&files.certificate, &certificate.pem(), 0o644)?;
    Ok(())
}

fn write(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn localhost() -> Vec<IpAddr> {
        vec![[127, 0, 0, 1].into(), [0, 0, 0, 0].into()]
    }

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");

        let made = Certificate::self_signed(folder.path(), &localhost()).expect("made");
        let kept = Certificate::self_signed(folder.path(), &localhost()).expect("kept");

        assert_eq!(made.current().cert, kept.current().cert);
        let mode = std::fs::metadata(folder.path().join("tls.key")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!made.has_certs(), "it proves nothing to those we connect to");
    }

    #[test]
    fn files_that_cannot_be_used_are_one_sentence_with_the_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::create_dir_all(&one).expect("made");
        std::fs::create_dir_all(&other).expect("made");
        for part in [&one, &other] {
            Certificate::self_signed(part, &localhost()).expect("made");
        }
        std::fs::write(folder.path().join("empty"), "").expect("written");
        let sentence = |certificate: &Path, key: &Path| {
            Certificate::from_files(certificate.into(), key.into()).expect_err("unusable").0
        };

        let missing = sentence(Path::new("/nowhere/tls.crt"), &one.join("tls.key"));
        let empty = sentence(&folder.path().join("empty"), &one.join("tls.key"));
        let keyless = sentence(&one.join("tls.crt"), &one.join("tls.crt"));
        let alien = sentence(&one.join("tls.crt"), &other.join("tls.key"));

        assert!(missing.starts_with("/nowhere/tls.crt: ") && missing.contains("in PEM"), "{missing}");
        assert!(empty.contains("no certificate is in it"), "{empty}");
        assert!(keyless.ends_with("name a file with the private key in PEM"), "{keyless}");
        assert!(alien.ends_with("name the key that belongs to the certificate"), "{alien}");
    }

    #[test]
    fn renewed_files_are_shown_and_half_of_a_pair_is_not() {
        let (folder, renewed) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let ours = Certificate::self_signed(folder.path(), &localhost()).expect("made");
        let theirs = Certificate::self_signed(renewed.path(), &localhost()).expect("made");
        let first = ours.current().cert.clone();
        let replace = |name: &str| {
            std::fs::copy(renewed.path().join(name), folder.path().join(name)).expect("copied");
            ours.held.lock().expect("held").looked_at -= LOOK_EVERY;
        };

        replace("tls.crt");
        let half = ours.current().cert.clone();
        replace("tls.key");
        let whole = ours.current().cert.clone();

        assert_eq!(half, first);
        assert_eq!(whole, theirs.current().cert);
    }
}
