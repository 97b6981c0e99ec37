//! The arithmetic of RFC 7616, 3.4, and RFC 8760.

use bytes::Bytes;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Credentials;
use crate::Method;

/// A hash function of digest authentication.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Algorithm {
    /// `MD5`
    Md5,
    /// `SHA-256`
    Sha256,
    /// One we do not compute, as written.
    Other(Bytes),
}

impl Algorithm {
    /// The algorithm that a word names, case-blind.
    pub fn from_token(token: Bytes) -> Self {
        if token.eq_ignore_ascii_case(b"MD5") {
            Algorithm::Md5
        } else if token.eq_ignore_ascii_case(b"SHA-256") {
            Algorithm::Sha256
        } else {
            Algorithm::Other(token)
        }
    }

    /// The word as it stands in a header.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Algorithm::Md5 => b"MD5",
            Algorithm::Sha256 => b"SHA-256",
            Algorithm::Other(token) => token,
        }
    }

    fn hash(&self, parts: &[&[u8]]) -> Option<String> {
        match self {
            Algorithm::Md5 => Some(hex(&joined(Md5::new(), parts).finalize())),
            Algorithm::Sha256 => Some(hex(&joined(Sha256::new(), parts).finalize())),
            Algorithm::Other(_) => None,
        }
    }
}

/// What may be stored in the place of a password. `None` for an algorithm we do not compute.
pub fn ha1(algorithm: &Algorithm, username: &[u8], realm: &[u8], password: &[u8]) -> Option<String> {
    algorithm.hash(&[username, realm, password])
}

/// The response that these credentials should have, made with their own algorithm. `ha1` is in lower case.
///
/// `None` when their algorithm or their `qop` is one we do not compute.
pub fn response(ha1: &str, credentials: &Credentials, method: &Method) -> Option<String> {
    let algorithm = credentials.algorithm();
    let ha2 = algorithm.hash(&[method.as_bytes(), &credentials.uri])?;
    let (ha1, nonce, ha2) = (ha1.as_bytes(), credentials.nonce.as_ref(), ha2.as_bytes());
    let Some(qop) = &credentials.qop else { return algorithm.hash(&[ha1, nonce, ha2]) };
    if !qop.eq_ignore_ascii_case(b"auth") {
        return None;
    }
    let (count, cnonce) = (credentials.nc.as_deref()?, credentials.cnonce.as_deref()?);
    algorithm.hash(&[ha1, nonce, count, cnonce, qop, ha2])
}

/// Whether the credentials were made by someone who knows the password behind `ha1`.
///
/// Takes the same time wherever the response differs. For a user who does not exist call it with any `ha1`.
pub fn is_right(ha1: &str, credentials: &Credentials, method: &Method) -> bool {
    let Some(expected) = response(ha1, credentials, method) else { return false };
    let given = credentials.response.to_ascii_lowercase();
    bool::from(expected.as_bytes().ct_eq(&given))
}

fn joined<D: sha2::Digest>(mut digest: D, parts: &[&[u8]]) -> D {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            digest.update(b":");
        }
        digest.update(part);
    }
    digest
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
