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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7616_come_out_right() {
        for (algorithm, expected) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let credentials = read(&format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
                 cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{expected}\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            ));

            let secret = secret(&credentials, b"Circle of Life");

            assert_eq!(response(&secret, &credentials, &get()).as_deref(), Some(expected));
            assert!(is_right(&secret, &credentials, &get()));
        }
    }

    #[test]
    fn the_example_of_rfc_2617_comes_out_right_without_an_algorithm() {
        let credentials = read(
            "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
             uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", \
             response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
        );

        assert!(is_right(&secret(&credentials, b"Circle Of Life"), &credentials, &get()));
    }

    #[test]
    fn an_answer_without_qop_is_right_in_the_way_of_rfc_2069() {
        let credentials = read(
            "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
             uri=\"/dir/index.html\", response=\"670fd8c2df070c60b045671b8b24ff02\"",
        );

        assert!(is_right(&secret(&credentials, b"Circle Of Life"), &credentials, &get()));
    }

    #[test]
    fn any_difference_makes_an_answer_wrong() {
        let right = read(
            "Digest username=\"101\", realm=\"tongdai\", nonce=\"n\", uri=\"sip:tongdai\", response=\"\", qop=auth, \
             nc=000000ff, cnonce=\"c\"",
        );
        let secret = secret(&right, b"1234");
        let right = Credentials { response: response(&secret, &right, &Method::Register).unwrap().into(), ..right };
        let shouted = Credentials { response: right.response.to_ascii_uppercase().into(), ..right.clone() };
        let wrong = [
            Credentials { nonce: "m".into(), ..right.clone() },
            Credentials { nc: Some("00000100".into()), ..right.clone() },
            Credentials { cnonce: Some("d".into()), ..right.clone() },
            Credentials { uri: "sip:other".into(), ..right.clone() },
            Credentials { qop: None, ..right.clone() },
            Credentials { qop: Some("auth-int".into()), ..right.clone() },
            Credentials { algorithm: Some(Algorithm::Sha256), ..right.clone() },
            Credentials { algorithm: Some(Algorithm::Other("MD4".into())), ..right.clone() },
            Credentials { response: "".into(), ..right.clone() },
        ];

        assert!(is_right(&secret, &right, &Method::Register));
        assert!(is_right(&secret, &shouted, &Method::Register));
        assert!(!is_right(&secret, &right, &Method::Invite));
        for credentials in wrong {
            assert!(!is_right(&secret, &credentials, &Method::Register), "{credentials:?}");
        }
    }

    fn read(text: &str) -> Credentials {
        Credentials::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap().unwrap()
    }

    fn secret(credentials: &Credentials, password: &[u8]) -> String {
        ha1(&credentials.algorithm(), &credentials.username, &credentials.realm, password).unwrap()
    }

    fn get() -> Method {
        Method::Other("GET".into())
    }
}
