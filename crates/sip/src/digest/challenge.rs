//! What a server asks: WWW-Authenticate and Proxy-Authenticate.

use bytes::Bytes;

use super::fields::{Fields, write_text, write_word};
use super::{Algorithm, Credentials, Login, ha1, response};
use crate::{Method, SyntaxError, Uri};

/// One challenge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// Whose passwords are meant.
    pub realm: Bytes,
    /// What the answer is made with, so that it is good for a while only.
    pub nonce: Bytes,
    /// `None` when none is named, which means MD5.
    pub algorithm: Option<Algorithm>,
    /// The protections that are offered, in order: `auth`, `auth-int`. None for servers of RFC 2069.
    pub qop: Vec<Bytes>,
    /// The answer was right, the nonce too old: no need to ask people for a password again.
    pub stale: bool,
    /// To be handed back as it is.
    pub opaque: Option<Bytes>,
}

impl Challenge {
    /// A challenge of ours, which offers `auth`.
    pub fn new(realm: impl Into<Bytes>, nonce: impl Into<Bytes>, algorithm: Algorithm) -> Self {
        Challenge {
            realm: realm.into(),
            nonce: nonce.into(),
            algorithm: Some(algorithm),
            qop: vec![Bytes::from_static(b"auth")],
            stale: false,
            opaque: None,
        }
    }

    /// Reads a header's value; `None` for a scheme other than Digest.
    pub fn parse(value: &Bytes) -> Result<Option<Self>, SyntaxError> {
        let Some(fields) = Fields::parse(value)? else { return Ok(None) };
        let qop = fields.get("qop").unwrap_or_default();
        let qop = qop.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|word| !word.is_empty());
        Ok(Some(Challenge {
            realm: fields.need("realm", "a challenge has no realm")?,
            nonce: fields.need("nonce", "a challenge has no nonce")?,
            algorithm: fields.get("algorithm").map(Algorithm::from_token),
            qop: qop.map(Bytes::copy_from_slice).collect(),
            stale: fields.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case(b"true")),
            opaque: fields.get("opaque"),
        }))
    }

    /// Whether we can answer it.
    pub fn is_answerable(&self) -> bool {
        let algorithm = self.algorithm.as_ref().is_none_or(|algorithm| !matches!(algorithm, Algorithm::Other(_)));
        algorithm && (self.qop.is_empty() || self.offers_auth())
    }

    /// The answer. `cnonce` is any text nobody guesses, `count` how often this nonce is used now, from 1.
    /// `None` when it cannot be answered.
    pub fn answer(&self, login: &Login, method: &Method, uri: &Uri, cnonce: Bytes, count: u32) -> Option<Credentials> {
        if !self.is_answerable() {
            return None;
        }
        let protected = self.offers_auth();
        let mut credentials = Credentials {
            username: Bytes::copy_from_slice(login.username.as_bytes()),
            realm: self.realm.clone(),
            nonce: self.nonce.clone(),
            uri: uri.print(),
            response: Bytes::new(),
            algorithm: self.algorithm.clone(),
            cnonce: protected.then_some(cnonce),
            nc: protected.then(|| format!("{count:08x}").into()),
            qop: protected.then(|| Bytes::from_static(b"auth")),
            opaque: self.opaque.clone(),
        };
        let secret = ha1(&credentials.algorithm(), login.username.as_bytes(), &self.realm, login.password.as_bytes())?;
        credentials.response = response(&secret, &credentials, method)?.into();
        Some(credentials)
    }

    /// The header's value.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(160);
        write_text(&mut out, "realm", &self.realm);
        write_text(&mut out, "nonce", &self.nonce);
        if let Some(opaque) = &self.opaque {
            write_text(&mut out, "opaque", opaque);
        }
        if self.stale {
            write_word(&mut out, "stale", b"true");
        }
        if let Some(algorithm) = &self.algorithm {
            write_word(&mut out, "algorithm", algorithm.as_bytes());
        }
        if !self.qop.is_empty() {
            write_text(&mut out, "qop", &self.qop.join(&b","[..]));
        }
        out.into()
    }

    fn offers_auth(&self) -> bool {
        self.qop.iter().any(|word| word.eq_ignore_ascii_case(b"auth"))
    }
}

impl From<&Challenge> for Bytes {
    fn from(challenge: &Challenge) -> Self {
        challenge.print()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::is_right;

    #[test]
    fn our_answer_to_our_challenge_is_right() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let challenge = Challenge::new("tongdai", "nonce", algorithm.clone());
            let uri = Uri::sip(std::net::IpAddr::from([192, 0, 2, 1]));

            let read = Challenge::parse(&challenge.print()).unwrap().unwrap();
            let answer = read.answer(&login(), &Method::Register, &uri, "cnonce".into(), 10).unwrap();
            let answer = Credentials::parse(&answer.print()).unwrap().unwrap();

            let secret = ha1(&algorithm, b"101", b"tongdai", b"1234").unwrap();
            assert_eq!(read, challenge);
            assert_eq!(answer.count(), Some(10));
            assert!(is_right(&secret, &answer, &Method::Register));
        }
    }

    #[test]
    fn a_challenge_of_rfc_2069_is_answered_in_its_way() {
        let challenge = Challenge::parse(&"Digest realm=\"r\", nonce=\"n\", opaque=\"o\"".into()).unwrap().unwrap();
        let uri = Uri::sip(std::net::IpAddr::from([192, 0, 2, 1]));

        let answer = challenge.answer(&login(), &Method::Invite, &uri, "c".into(), 1).unwrap();

        assert_eq!((answer.qop.as_ref(), answer.nc.as_ref(), answer.algorithm.as_ref()), (None, None, None));
        assert_eq!(answer.opaque.as_deref(), Some(&b"o"[..]));
        assert!(is_right(&ha1(&Algorithm::Md5, b"101", b"r", b"1234").unwrap(), &answer, &Method::Invite));
    }

    #[test]
    fn what_we_do_not_compute_is_not_answered() {
        for value in [
            "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256",
            "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess",
            "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"",
        ] {
            let challenge = Challenge::parse(&Bytes::copy_from_slice(value.as_bytes())).unwrap().unwrap();
            assert!(!challenge.is_answerable(), "{value}");
        }
    }

    #[test]
    fn a_stale_nonce_is_told() {
        let challenge = Challenge { stale: true, ..Challenge::new("r", "n", Algorithm::Md5) };

        assert_eq!(challenge.print(), "Digest realm=\"r\", nonce=\"n\", stale=true, algorithm=MD5, qop=\"auth\"");
        assert!(Challenge::parse(&challenge.print()).unwrap().unwrap().stale);
    }

    fn login() -> Login {
        Login { username: "101".into(), password: "1234".into() }
    }
}
