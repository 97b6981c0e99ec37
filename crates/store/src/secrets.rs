//! Secrets at rest: sealed with the data folder's key where we must say them to others, hashed where we need not.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use md5::Md5;
use model::DigestAlgorithm;
use sha2::{Digest, Sha256};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// A secret in memory, on its way to be sealed or hashed. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for who seals, hashes or uses it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The data folder's key.
#[derive(Clone)]
pub(crate) struct SecretKey([u8; KEY_BYTES]);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(***)")
    }
}

impl SecretKey {
    /// Reads the key of `path`, or makes one that only this user may read.
    pub(crate) fn load_or_make(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> io::Result<Self> {
        let bytes = BASE64.decode(text.trim()).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let key = bytes.try_into().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Self(key))
    }

    // The file appears whole or not at all, so that a crash leaves no half of a key behind.
    fn make(path: &Path) -> io::Result<Self> {
        let key = Self(random::<KEY_BYTES>()?);
        let draft = path.with_extension("key.new");
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", BASE64.encode(key.0))?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        Ok(key)
    }

    /// Seals `text` so that it opens only in the same `place` (`7/trunk/carrier/password`).
    pub(crate) fn seal(&self, place: &str, text: &str) -> io::Result<String> {
        let nonce = random::<NONCE_BYTES>()?;
        let payload = Payload { msg: text.as_bytes(), aad: place.as_bytes() };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| io::Error::other("the text is too long to be sealed"))?;
        Ok(BASE64.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`Self::seal`] made; None when it was sealed with another key, for another place, or is damaged.
    pub(crate) fn open(&self, place: &str, sealed: &str) -> Option<Secret> {
        let bytes = BASE64.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let text = self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(text).ok().map(Secret)
    }

    /// A key for one purpose, the same after every start.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.0).chain_update([0]).chain_update(purpose).finalize().into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

/// A signing secret for a hook, in the form of Standard Webhooks: `whsec_` and 24 bytes in base64.
pub(crate) fn hook_secret() -> io::Result<Secret> {
    Ok(Secret(format!("whsec_{}", BASE64.encode(random::<24>()?))))
}

/// What an API client shows: `prefix` and 192 random bits.
pub(crate) fn token_secret(prefix: &str) -> io::Result<Secret> {
    Ok(Secret(format!("{prefix}{}", hex(&random::<24>()?))))
}

/// Random decimal digits.
pub(crate) fn digits_secret(count: usize) -> io::Result<Secret> {
    let mut digits = String::with_capacity(count);
    while digits.len() < count {
        // Ten does not divide 256: what is beyond the last whole ten is drawn again.
        let [byte] = random::<1>()?;
        if byte < 250 {
            digits.push(char::from(b'0' + byte % 10));
        }
    }
    Ok(Secret(digits))
}

/// A name that nobody else has: `what` and 16 letters.
pub(crate) fn random_name(what: &str) -> io::Result<String> {
    Ok(format!("{what} {}", hex(&random::<8>()?)))
}

/// SHA-256 in lower-case hex: for API secrets, which are long and random.
pub(crate) fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// HA1 of RFC 7616, 3.4.2: what proves a password to a digest challenge.
pub(crate) fn ha1(algorithm: DigestAlgorithm, username: &str, realm: &str, password: &str) -> String {
    let text = format!("{username}:{realm}:{password}");
    match algorithm {
        DigestAlgorithm::Md5 => hex(&Md5::digest(text.as_bytes())),
        DigestAlgorithm::Sha256 => sha256_hex(&text),
    }
}

/// Hashes a person's password with argon2id. Takes tens of milliseconds of processor time.
pub(crate) fn hash_password(password: &Secret) -> io::Result<String> {
    let hash = Argon2::default().hash_password(password.0.as_bytes()).map_err(io::Error::other)?;
    Ok(hash.to_string())
}

/// Whether `hash` was made of `password`. Takes as long as hashing.
pub(crate) fn verify_password(password: &Secret, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok())
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_file_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");

        let first = SecretKey::load_or_make(&path).unwrap();
        let second = SecretKey::load_or_make(&path).unwrap();

        assert_eq!(first.0, second.0);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, "c2hvcnQ=").unwrap();

        let error = SecretKey::load_or_make(&path).unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::read_to_string(&path).unwrap(), "c2hvcnQ=");
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_in_the_same_place_only() {
        let key = SecretKey([1; 32]);
        let sealed = key.seal("1/trunk/carrier/password", "a password long enough").unwrap();

        assert_eq!(key.open("1/trunk/carrier/password", &sealed), Some(Secret::new("a password long enough")));
        assert_eq!(key.open("2/trunk/carrier/password", &sealed), None);
        assert_eq!(SecretKey([2; 32]).open("1/trunk/carrier/password", &sealed), None);
        assert_eq!(key.open("1/trunk/carrier/password", "AAAA"), None);
        assert!(!sealed.contains("a password long enough"));
    }

    #[test]
    fn ha1_is_as_the_rfc_has_it() {
        // RFC 7616, 3.9.1 gives the parts; HA1 of them is well known.
        let ha1 = |algorithm| ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");

        assert_eq!(ha1(DigestAlgorithm::Md5), "3d78807defe7de2157e2b0b6573a855f");
        assert_eq!(ha1(DigestAlgorithm::Sha256), "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
    }

    #[test]
    fn a_password_is_known_again_by_its_hash() {
        let hash = hash_password(&Secret::new("change-me-please")).unwrap();

        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password(&Secret::new("change-me-please"), &hash));
        assert!(!verify_password(&Secret::new("another"), &hash));
        assert!(!verify_password(&Secret::new("another"), "no hash"));
    }

    #[test]
    fn secrets_are_not_shown_in_logs() {
        assert_eq!(format!("{:?} {:?}", Secret::new("pw"), SecretKey([1; 32])), "*** SecretKey(***)");
    }
}
