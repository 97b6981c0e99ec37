//! Links to recordings that play without other credentials until they expire (readings 30).
//!
//! A token names the tenant and the last moment, and proves both for one call. The tenant's number is covered by a pad
//! made of key, call and moment, so that nothing of the inside shows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use model::{CallId, TenantId, Timestamp};
use sha2::Sha256;

/// Bytes of the moment and of the tenant, and of the proof.
const WORD: usize = 8;
const PROOF: usize = 16;

/// The token of a link to a call's recording.
pub(crate) fn token(key: &[u8; 32], tenant: TenantId, call: CallId, until: Timestamp) -> String {
    let until = until.as_second().to_be_bytes();
    let mut bytes = Vec::with_capacity(2 * WORD + PROOF);
    bytes.extend(until);
    bytes.extend(cover(key, call, until, tenant.0.to_be_bytes()));
    bytes.extend(proof(key, tenant, call, until));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The tenant whose recording the token opens, if it is right for this call and not too late.
pub(crate) fn open(key: &[u8; 32], token: &str, call: CallId, now: Timestamp) -> Option<TenantId> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (until, rest) = bytes.split_first_chunk::<WORD>()?;
    let (covered, given) = rest.split_first_chunk::<WORD>()?;
    let tenant = TenantId(i64::from_be_bytes(cover(key, call, *until, *covered)));
    let right = subtle::ConstantTimeEq::ct_eq(proof(key, tenant, call, *until).as_slice(), given);
    (bool::from(right) && i64::from_be_bytes(*until) >= now.as_second()).then_some(tenant)
}

/// Covers the tenant's number, and uncovers it.
fn cover(key: &[u8; 32], call: CallId, until: [u8; WORD], mut word: [u8; WORD]) -> [u8; WORD] {
    let pad = sum(key, &[b"recording link pad", call.to_string().as_bytes(), &until]);
    word.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
    word
}

fn proof(key: &[u8; 32], tenant: TenantId, call: CallId, until: [u8; WORD]) -> [u8; PROOF] {
    let sum = sum(key, &[b"recording link", &tenant.0.to_be_bytes(), call.to_string().as_bytes(), &until]);
    let mut proof = [0; PROOF];
    proof.copy_from_slice(&sum[..PROOF]);
    proof
}

fn sum(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use model::EngineNumber;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn call() -> CallId {
        CallId::new(1_700_000_000, EngineNumber(1), 101)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    #[test]
    fn a_link_opens_its_call_until_it_expires() {
        let token = token(&KEY, TenantId(3), call(), at(1_000));

        assert_eq!(open(&KEY, &token, call(), at(1_000)), Some(TenantId(3)));
        assert_eq!(open(&KEY, &token, call(), at(1_001)), None);
    }

    #[test]
    fn a_link_opens_nothing_else() {
        let token = token(&KEY, TenantId(3), call(), at(1_000));
        let other = CallId::new(1_700_000_000, EngineNumber(1), 102);

        assert_eq!(open(&KEY, &token, other, at(0)), None);
        assert_eq!(open(&[8; 32], &token, call(), at(0)), None);
        for at_byte in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at_byte] = if changed[at_byte] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(open(&KEY, &changed, call(), at(0)), None, "{changed}");
        }
    }

    #[test]
    fn what_is_no_token_opens_nothing() {
        for text in ["", "A", "====", "ổ", &"A".repeat(1_000)] {
            assert_eq!(open(&KEY, text, call(), at(0)), None, "{text}");
        }
    }

    #[test]
    fn the_tenant_does_not_show() {
        let one = token(&KEY, TenantId(1), call(), at(1_000));
        let bytes = URL_SAFE_NO_PAD.decode(one).expect("base64");

        assert!(!bytes.windows(WORD).any(|word| word == 1i64.to_be_bytes()));
    }
}
