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

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: &str = "username=\"101\", realm=\"tongdai\", nonce=\"n\", uri=\"sip:tongdai\", response=\"00\"";

    #[test]
    fn quotes_may_stand_where_none_belong_and_be_missing_where_they_do() {
        let odd = read(
            "digest username=101,realm=tongdai ,, nonce = \"n\",uri=sip:tongdai, response=00, algorithm=\"sha-256\", \
             qop=\"auth\", nc=\"0000000A\", cnonce=c",
        );

        assert_eq!((odd.username.as_ref(), odd.realm.as_ref()), (&b"101"[..], &b"tongdai"[..]));
        assert_eq!(odd.algorithm(), Algorithm::Sha256);
        assert_eq!((odd.qop.as_deref(), odd.count()), (Some(&b"auth"[..]), Some(10)));
    }

    #[test]
    fn counts_are_32_bits_in_hexadecimal() {
        let count = |nc: &str| {
            Credentials::parse(&format!("Digest {NEEDED}, qop=auth, cnonce=\"c\", nc={nc}").into())
                .map(|credentials| credentials.and_then(|credentials| credentials.count()))
        };

        assert_eq!(count("00000009"), Ok(Some(9)));
        assert_eq!(count("0000000a"), Ok(Some(10)));
        assert_eq!(count("10"), Ok(Some(16)));
        assert_eq!(count("00000100"), Ok(Some(256)));
        assert_eq!(count("ffffffff"), Ok(Some(u32::MAX)));
        for broken in ["", "100000000", "-1", "+1", "0x1", "g"] {
            assert!(count(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_is_missing_is_an_error_and_another_scheme_is_none() {
        assert!(Credentials::parse(&Bytes::from_static(b"Digest username=\"101\"")).is_err());
        assert!(Credentials::parse(&format!("Digest {NEEDED}, qop=auth").into()).is_err());
        assert!(Credentials::parse(&format!("Digest {NEEDED}, x=\"").into()).is_err());
        assert_eq!(Credentials::parse(&Bytes::from_static(b"NoOneKnowsThisScheme opaque-data=here")), Ok(None));
    }

    #[test]
    fn what_is_printed_reads_the_same() {
        let credentials =
            read(&format!("Digest {NEEDED}, qop=auth, cnonce=\"c\\\"d\", nc=00000001, opaque=\"\", algorithm=X"));

        assert_eq!(Credentials::parse(&credentials.print()), Ok(Some(credentials)));
    }

    fn read(text: &str) -> Credentials {
        Credentials::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap().unwrap()
    }
}
