//! What a client answers: Authorization and Proxy-Authorization.

use std::fmt;

use bytes::Bytes;

use super::Algorithm;
use super::fields::{Fields, write_text, write_word};
use crate::SyntaxError;

/// Who we are to somebody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name that is told.
    pub username: String,
    /// The password, which is not.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// One answer to a challenge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// Who answers.
    pub username: Bytes,
    /// The realm of the challenge.
    pub realm: Bytes,
    /// The nonce of the challenge.
    pub nonce: Bytes,
    /// The URI that was hashed; should be the Request-URI.
    pub uri: Bytes,
    /// The hash, in hexadecimal.
    pub response: Bytes,
    /// `None` when none is named, which means MD5.
    pub algorithm: Option<Algorithm>,
    /// The client's own share, with `qop`.
    pub cnonce: Option<Bytes>,
    /// How often the nonce was used, with `qop`: hexadecimal as it was written, because that is what was hashed.
    pub nc: Option<Bytes>,
    /// `auth`; `None` for clients of RFC 2069.
    pub qop: Option<Bytes>,
    /// What the challenge asked to hand back.
    pub opaque: Option<Bytes>,
}

impl Credentials {
    /// Reads a header's value; `None` for a scheme other than Digest.
    pub fn parse(value: &Bytes) -> Result<Option<Self>, SyntaxError> {
        let Some(fields) = Fields::parse(value)? else { return Ok(None) };
        let credentials = Credentials {
            username: fields.need("username", "a digest has no username")?,
            realm: fields.need("realm", "a digest has no realm")?,
            nonce: fields.need("nonce", "a digest has no nonce")?,
            uri: fields.need("uri", "a digest has no uri")?,
            response: fields.need("response", "a digest has no response")?,
            algorithm: fields.get("algorithm").map(Algorithm::from_token),
            cnonce: fields.get("cnonce"),
            nc: fields.get("nc"),
            qop: fields.get("qop").filter(|qop| !qop.is_empty()),
            opaque: fields.get("opaque"),
        };
        if credentials.nc.is_some() && credentials.count().is_none() {
            return Err(SyntaxError("nc is no 32-bit hexadecimal number"));
        }
        if credentials.qop.is_some() && (credentials.nc.is_none() || credentials.cnonce.is_none()) {
            return Err(SyntaxError("a digest with qop has no nc or cnonce"));
        }
        Ok(Some(credentials))
    }

    /// What it was made with: MD5 when it does not say.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm.clone().unwrap_or(Algorithm::Md5)
    }

    /// How often the nonce was used, this time included.
    pub fn count(&self) -> Option<u32> {
        let digits = self.nc.as_deref()?;
        if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    /// The header's value.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(256);
        write_text(&mut out, "username", &self.username);
        write_text(&mut out, "realm", &self.realm);
        write_text(&mut out, "nonce", &self.nonce);
        write_text(&mut out, "uri", &self.uri);
        write_text(&mut out, "response", &self.response);
        if let Some(algorithm) = &self.algorithm {
            write_word(&mut out, "algorithm", algorithm.as_bytes());
        }
        if let Some(cnonce) = &self.cnonce {
            write_text(&mut out, "cnonce", cnonce);
        }
        if let Some(opaque) = &self.opaque {
            write_text(&mut out, "opaque", opaque);
        }
        if let Some(qop) = &self.qop {
            write_word(&mut out, "qop", qop);
        }
        if let Some(nc) = &self.nc {
            write_word(&mut out, "nc", nc);
        }
        out.into()
    }
}

impl From<&Credentials> for Bytes {
    fn from(credentials: &Credentials) -> Self {
        credentials.print()
    }
}
