//! Keys of SRTP in a description (RFC 4568): `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…`.
//!
//! Only keys that can be used as they stand are read. A key with an MKI, several keys in one attribute, a derivation
//! rate or packets in the clear ask for more than we do, and section 5.1.2 lets us pass such an attribute over.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::message::parse_number;

/// The ciphers that we speak (RFC 4568, 6.2): AES in counter mode, differing in the length of the tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`: short tags on RTP; those on RTCP keep their 80 bits.
    AesCm128HmacSha1_32,
}

impl Suite {
    /// The name in `a=crypto`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32]
            .into_iter()
            .find(|suite| word.eq_ignore_ascii_case(suite.as_str()))
    }
}

/// A key with which whoever wrote the description sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Crypto {
    /// Which of the offered ones it is; an answer repeats the tag it takes.
    pub tag: u32,
    /// How sound is enciphered and signed.
    pub suite: Suite,
    /// 16 octets of master key, then 14 of salt.
    pub key: [u8; 30],
}

/// Packets that one key may protect at the most (RFC 3711, 9.2).
const LIFETIME_LIMIT: u64 = 1 << 48;

impl Crypto {
    /// Reads the value of the attribute; `None` when it cannot be used as it stands.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(value).ok()?.split_ascii_whitespace();
        let digits = words.next().filter(|digits| digits.len() <= 9)?;
        let tag = parse_number(digits.as_bytes()).and_then(|tag| u32::try_from(tag).ok())?;
        let suite = Suite::of(words.next()?)?;
        let (method, info) = words.next()?.split_once(':')?;
        // Several keys, parted by semicolons, are told apart by their MKI.
        if !method.eq_ignore_ascii_case("inline") || info.contains(';') {
            return None;
        }
        let mut parts = info.split('|');
        let key = STANDARD.decode(parts.next()?).ok()?.try_into().ok()?;
        // The lifetime may be left out, the MKI too; only the MKI has a colon.
        if let Some(lifetime) = parts.next() {
            read_lifetime(lifetime).filter(|packets| (1..=LIFETIME_LIMIT).contains(packets))?;
        }
        let may_pass = parts.next().is_none() && words.all(is_harmless);
        may_pass.then_some(Crypto { tag, suite, key })
    }

    /// The value of the attribute.
    pub fn print(&self) -> String {
        format!("{} {} inline:{}", self.tag, self.suite.as_str(), STANDARD.encode(self.key))
    }
}

/// `2^31`, or a number.
fn read_lifetime(text: &str) -> Option<u64> {
    match text.strip_prefix("2^") {
        Some(power) => 1_u64.checked_shl(parse_number(power.as_bytes()).and_then(|power| u32::try_from(power).ok())?),
        None => parse_number(text.as_bytes()),
    }
}

/// Whether a session parameter changes nothing for us: a hint on the window, no derivation but the first, or an
/// extension that says it may be passed over (RFC 4568, 6.3).
fn is_harmless(parameter: &str) -> bool {
    parameter.starts_with('-') || parameter.starts_with("WSH=") || parameter == "KDR=0"
}

impl fmt::Debug for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crypto").field("tag", &self.tag).field("suite", &self.suite).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Octets 0 to 29.
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";

    #[test]
    fn a_key_is_read_and_printed() {
        let crypto = read(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}")).unwrap();

        assert_eq!((crypto.tag, crypto.suite), (1, Suite::AesCm128HmacSha1_80));
        assert_eq!(crypto.key.to_vec(), (0..30).collect::<Vec<u8>>());
        assert_eq!(Crypto::parse(crypto.print().as_bytes()), Some(crypto));
    }

    #[test]
    fn lifetimes_and_harmless_parameters_are_passed_over() {
        for rest in ["|2^20", "|2^48", "|1048576", "|2^31 WSH=64", " KDR=0 -OWN=x"] {
            assert!(read(&format!("007 aes_cm_128_hmac_sha1_32 INLINE:{KEY}{rest}")).is_some(), "{rest}");
        }
    }

    #[test]
    fn what_asks_for_more_than_we_do_is_not_usable() {
        for rest in [
            "|2^20|1:4",
            "|1:4",
            "|2^49",
            "|2^64",
            "|0",
            "|2^",
            "|",
            &format!(";inline:{KEY}|2^20|2:4"),
            " KDR=1",
            " UNENCRYPTED_SRTP",
            " UNENCRYPTED_SRTCP",
            " UNAUTHENTICATED_SRTP",
            " FEC_ORDER=FEC_SRTP",
            " OWN=x",
        ] {
            assert_eq!(read(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{rest}")), None, "{rest}");
        }
    }

    #[test]
    fn broken_attributes_are_not_usable() {
        for value in [
            "",
            "1",
            "1 AES_CM_128_HMAC_SHA1_80",
            &format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            &format!("1234567890 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            &format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            &format!("1 AES_CM_128_HMAC_SHA1_80 uri:{KEY}"),
            "1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODw==",
            "1 AES_CM_128_HMAC_SHA1_80 inline:!",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let crypto = read(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}")).unwrap();

        assert_eq!(format!("{crypto:?}"), "Crypto { tag: 1, suite: AesCm128HmacSha1_80, .. }");
    }

    fn read(value: &str) -> Option<Crypto> {
        Crypto::parse(value.as_bytes())
    }
}
