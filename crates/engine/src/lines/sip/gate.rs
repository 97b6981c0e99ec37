//! Who is asking: digest authentication of phones (RFC 3261, 22).
//!
//! A challenge keeps nothing. An unknown name gets the same answer after the same work as a wrong password.

use std::net::IpAddr;

use model::{DigestAlgorithm, TenantSettings};
use sip::digest::{Algorithm, Challenge, Credentials, NcWindow, Nonces, Seen, Verdict, is_right};
use sip::{HeaderName, Incoming, Response};

use crate::edge::Now;

/// How long a nonce is good, in seconds. A phone that comes later is challenged again without being asked for its password.
const NONCE_SECONDS: u32 = 300;

/// Nonces in use at a time, over all tenants. Whoever's had to make room is challenged again, as if it were stale.
const NONCES: usize = 8_192;

/// What nobody's password hashes to: an unknown name is checked against it.
const NOBODY: &str = "00000000000000000000000000000000";

/// Checks who asks.
pub struct Gatekeeper {
    realm: String,
    nonces: Nonces,
    used: NcWindow,
}

/// Who asks.
#[derive(Debug)]
pub enum Visitor {
    /// Somebody signed in as this extension.
    Extension(String),
    /// Somebody who has to sign in: the challenge, or what is wrong with what was sent.
    Stranger(Response),
    /// Somebody who answered a challenge of ours, and was wrong: another one. Counts towards a ban.
    Wrong(Response),
}

impl Gatekeeper {
    /// A gatekeeper of `realm`, whose nonces are made with `key`.
    pub fn new(realm: String, key: [u8; 32]) -> Self {
        Self { realm, nonces: Nonces::new(key, NONCE_SECONDS), used: NcWindow::new(NONCES) }
    }

    /// Finds out who sent a request to this tenant.
    pub fn ask(&mut self, now: Now, settings: &TenantSettings, incoming: &Incoming) -> Visitor {
        let source = incoming.flow.remote.ip();
        let seconds = u64::try_from(now.wall.as_second()).unwrap_or_default();
        let Ok(credentials) = incoming.request.headers.credentials() else {
            // Anybody can write this in anybody's name: it is no answer to a challenge.
            return Visitor::Stranger(incoming.request.response(400));
        };
        let mut stale = false;
        let mut tried = false;
        for credentials in &credentials {
            if credentials.realm != self.realm.as_bytes() {
                continue;
            }
            let verdict = self.nonces.check(&credentials.nonce, seconds, source);
            if verdict == Verdict::Forged {
                continue;
            }
            let (extension, secret) = secret_of(settings, credentials);
            let right = is_right(secret.unwrap_or(NOBODY), credentials, &incoming.request.method) && secret.is_some();
            tried |= !right;
            if !right {
                continue;
            }
            if verdict == Verdict::Fresh && self.is_new(credentials) {
                return Visitor::Extension(extension.to_owned());
            }
            stale = true;
        }
        let challenge = self.challenge(settings, incoming, seconds, source, stale);
        if tried { Visitor::Wrong(challenge) } else { Visitor::Stranger(challenge) }
    }

    fn is_new(&mut self, credentials: &Credentials) -> bool {
        // Clients of RFC 2069 count nothing; their answers are good while the nonce is.
        credentials.count().is_none_or(|count| self.used.note(&credentials.nonce, count) == Seen::New)
    }

    fn challenge(
        &mut self,
        settings: &TenantSettings,
        incoming: &Incoming,
        seconds: u64,
        source: IpAddr,
        stale: bool,
    ) -> Response {
        let mut response = incoming.request.response(401);
        let nonce = self.nonces.make(seconds, source);
        for algorithm in &settings.digest {
            let algorithm = match algorithm {
                DigestAlgorithm::Md5 => Algorithm::Md5,
                DigestAlgorithm::Sha256 => Algorithm::Sha256,
            };
            let mut challenge = Challenge::new(self.realm.clone(), nonce.clone(), algorithm);
            challenge.stale = stale;
            response.headers.push(HeaderName::WwwAuthenticate, &challenge);
        }
        response
    }
}

impl std::fmt::Debug for Gatekeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gatekeeper").field("nonces", &self.used.len()).finish_non_exhaustive()
    }
}

/// The extension that signs in under this name, and what its answer has to be made with.
fn secret_of<'a>(settings: &'a TenantSettings, credentials: &Credentials) -> (&'a str, Option<&'a str>) {
    let Ok(username) = std::str::from_utf8(&credentials.username) else { return ("", None) };
    let number = extension_of(&settings.name, username);
    let Some(extension) = settings.extensions.get(number) else { return ("", None) };
    let algorithm = match credentials.algorithm() {
        Algorithm::Md5 => DigestAlgorithm::Md5,
        Algorithm::Sha256 => DigestAlgorithm::Sha256,
        Algorithm::Other(_) => return ("", None),
    };
    // What was not offered is not taken: nobody gets to choose the weaker one.
    if !settings.digest.contains(&algorithm) {
        return ("", None);
    }
    let secret = extension.digests.iter().find(|secret| secret.username == username && secret.algorithm == algorithm);
    (&extension.number, secret.map(|secret| secret.ha1.as_str()))
}

/// The extension in an authentication name: `101`, `VPBX_DEMO_101` and `VPBX_DEMO101` are all 101.
pub fn extension_of<'a>(tenant: &str, username: &'a str) -> &'a str {
    match username.strip_prefix(tenant) {
        Some(rest) if !rest.is_empty() => rest.strip_prefix('_').unwrap_or(rest),
        _ => username,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_the_name_means_the_extension() {
        for name in ["101", "VPBX_DEMO_101", "VPBX_DEMO101"] {
            assert_eq!(extension_of("VPBX_DEMO", name), "101");
        }
        assert_eq!(extension_of("VPBX_DEMO", "OTHER_101"), "OTHER_101");
    }
}
