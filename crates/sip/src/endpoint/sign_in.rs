//! Answers to digest challenges, ours (RFC 3261, 22.2 and 22.3).
//!
//! A request that is challenged is sent once more with an answer. Challenged again it is given up, unless it is another
//! that asks, a proxy or the peer behind it, or the nonce is said to have been too old. Later requests use the nonces
//! again, counted.

use bytes::Bytes;

use crate::digest::{Algorithm, Challenge, Credentials, Login, ha1, response};
use crate::{HeaderName, Method, Response};

/// Challenges to one request that are answered if each says that only the nonce was too old.
const MAX_STALE: u8 = 3;

/// Who we are to one peer, and the latest challenges on the way to it.
#[derive(Debug)]
pub(crate) struct SignIn {
    login: Login,
    /// That of the peer, and that of a proxy before it.
    nonces: [Option<Nonce>; 2],
    /// What the latest INVITE carried: its ACK carries the same (22.1).
    invite: Vec<Signature>,
}

/// Authorization or Proxy-Authorization.
pub(crate) type Signature = (HeaderName, Bytes);

/// How often one request has been challenged, by the peer and by a proxy before it.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Challenged([u8; 2]);

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
        Self { login, nonces: [None, None], invite: Vec::new() }
    }

    /// Takes up the challenge in a 401 or 407. True if the request should be sent once more.
    pub(crate) fn take_up(&mut self, refusal: &Response, challenged: &mut Challenged, cnonce: Bytes) -> bool {
        let (asks, header, side) = match refusal.status {
            401 => (HeaderName::WwwAuthenticate, HeaderName::Authorization, 0),
            407 => (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization, 1),
            _ => return false,
        };
        let challenges = refusal.headers.all(&asks).filter_map(|value| Challenge::parse(value).ok().flatten());
        let Some(challenge) = challenges.into_iter().find(Challenge::is_answerable) else { return false };
        let (times, known) = (&mut challenged.0[side], &mut self.nonces[side]);
        let realm = known.as_ref().map(|nonce| &nonce.challenge.realm);
        if *times > 0 && !(challenge.stale && *times < MAX_STALE && realm == Some(&challenge.realm)) {
            return false;
        }
        let algorithm = challenge.algorithm.clone().unwrap_or(Algorithm::Md5);
        let (username, password) = (self.login.username.as_bytes(), self.login.password.as_bytes());
        let Some(ha1) = ha1(&algorithm, username, &challenge.realm, password) else { return false };
        *known = Some(Nonce { header, challenge: own(challenge), algorithm, ha1, cnonce, count: 0 });
        *times += 1;
        true
    }

    /// The headers for the next request, one for each side whose nonce is known.
    pub(crate) fn sign(&mut self, method: &Method, uri: &[u8]) -> Vec<Signature> {
        let username = &self.login.username;
        let signed: Vec<_> =
            self.nonces.iter_mut().flatten().filter_map(|nonce| nonce.sign(username, method, uri)).collect();
        if *method == Method::Invite {
            self.invite.clone_from(&signed);
        }
        signed
    }

    /// The headers for the ACK of the latest INVITE.
    pub(crate) fn of_invite(&self) -> &[Signature] {
        &self.invite
    }
}

impl Nonce {
    fn sign(&mut self, username: &str, method: &Method, uri: &[u8]) -> Option<Signature> {
        self.count += 1;
        let is_protected = !self.challenge.qop.is_empty();
        let mut credentials = Credentials {
            username: Bytes::copy_from_slice(username.as_bytes()),
            realm: self.challenge.realm.clone(),
            nonce: self.challenge.nonce.clone(),
            uri: Bytes::copy_from_slice(uri),
            response: Bytes::new(),
            algorithm: self.challenge.algorithm.as_ref().map(|_| self.algorithm.clone()),
            cnonce: is_protected.then(|| self.cnonce.clone()),
            nc: is_protected.then(|| format!("{:08x}", self.count).into()),
            qop: is_protected.then(|| Bytes::from_static(b"auth")),
            opaque: self.challenge.opaque.clone(),
        };
        credentials.response = response(&self.ha1, &credentials, method)?.into();
        Some((self.header.clone(), credentials.print()))
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
