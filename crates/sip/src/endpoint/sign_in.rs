//! Answers to digest challenges, ours (RFC 3261, 22.2 and 22.3).
//!
//! A request that is challenged is sent once more with an answer. Challenged again it is given up, unless the server
//! says that only the nonce was too old. Later requests use the nonce again, counted.

use bytes::Bytes;

use crate::digest::{Algorithm, Challenge, Credentials, Login, ha1, response};
use crate::{HeaderName, Method, Response};

/// Challenges to one request that are answered if each says that only the nonce was too old.
const MAX_STALE: u8 = 3;

/// Who we are to one peer, and its latest challenge.
#[derive(Debug)]
pub(crate) struct SignIn {
    login: Login,
    nonce: Option<Nonce>,
    /// What the latest INVITE carried: its ACK carries the same (22.1).
    invite: Option<(HeaderName, Bytes)>,
}

#[derive(Debug)]
struct Nonce {
    /// Proxy-Authorization or Authorization.
    header: HeaderName,
    challenge: Challenge,
    algorithm: Algorithm,
    ha1: String,
    cnonce: Bytes,
    count: u32,
}

impl SignIn {
    pub(crate) fn new(login: Login) -> Self {
        Self { login, nonce: None, invite: None }
    }

    /// Takes up the challenge in a 401 or 407 to a request that has been challenged `times` times before. True if the
    /// request should be sent once more.
    pub(crate) fn take_up(&mut self, refusal: &Response, times: u8, cnonce: Bytes) -> bool {
        let (asks, header) = match refusal.status {
            401 => (HeaderName::WwwAuthenticate, HeaderName::Authorization),
            407 => (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
            _ => return false,
        };
        let challenges = refusal.headers.all(&asks).filter_map(|value| Challenge::parse(value).ok().flatten());
        let Some(challenge) = challenges.into_iter().find(Challenge::is_answerable) else { return false };
        let known = self.nonce.as_ref().map(|nonce| &nonce.challenge.realm);
        if times > 0 && !(challenge.stale && times < MAX_STALE && known == Some(&challenge.realm)) {
            return false;
        }
        let algorithm = challenge.algorithm.clone().unwrap_or(Algorithm::Md5);
        let (username, password) = (self.login.username.as_bytes(), self.login.password.as_bytes());
        let Some(ha1) = ha1(&algorithm, username, &challenge.realm, password) else { return false };
        self.nonce = Some(Nonce { header, challenge: own(challenge), algorithm, ha1, cnonce, count: 0 });
        true
    }

    /// The header for the next request, if there is a nonce to use.
    pub(crate) fn sign(&mut self, method: &Method, uri: &[u8]) -> Option<(HeaderName, Bytes)> {
        let nonce = self.nonce.as_mut()?;
        nonce.count += 1;
        let is_protected = !nonce.challenge.qop.is_empty();
        let mut credentials = Credentials {
            username: Bytes::copy_from_slice(self.login.username.as_bytes()),
            realm: nonce.challenge.realm.clone(),
            nonce: nonce.challenge.nonce.clone(),
            uri: Bytes::copy_from_slice(uri),
            response: Bytes::new(),
            algorithm: nonce.challenge.algorithm.as_ref().map(|_| nonce.algorithm.clone()),
            cnonce: is_protected.then(|| nonce.cnonce.clone()),
            nc: is_protected.then(|| format!("{:08x}", nonce.count).into()),
            qop: is_protected.then(|| Bytes::from_static(b"auth")),
            opaque: nonce.challenge.opaque.clone(),
        };
        credentials.response = response(&nonce.ha1, &credentials, method)?.into();
        let signed = (nonce.header.clone(), credentials.print());
        if *method == Method::Invite {
            self.invite = Some(signed.clone());
        }
        Some(signed)
    }

    /// The header for the ACK of the latest INVITE.
    pub(crate) fn of_invite(&self) -> Option<&(HeaderName, Bytes)> {
        self.invite.as_ref()
    }
}

/// A copy that does not keep the packet it stands in.
fn own(challenge: Challenge) -> Challenge {
    let own = |bytes: &Bytes| Bytes::copy_from_slice(bytes);
    Challenge {
        realm: own(&challenge.realm),
        nonce: own(&challenge.nonce),
        opaque: challenge.opaque.as_ref().map(own),
        qop: if challenge.qop.is_empty() { Vec::new() } else { vec![Bytes::from_static(b"auth")] },
        ..challenge
    }
}
