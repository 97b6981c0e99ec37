//! What proves a message to its receiver: Standard Webhooks v1, HMAC-SHA256 over name, time and content.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: one signature for each secret, the present one first.
pub(super) fn sign(secrets: &[String], name: &str, seconds: i64, content: &[u8]) -> String {
    let signatures: Vec<String> =
        secrets.iter().filter_map(|secret| signature(secret, name, seconds, content)).collect();
    signatures.join(" ")
}

fn signature(secret: &str, name: &str, seconds: i64, content: &[u8]) -> Option<String> {
    let key = BASE64.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    hmac.update(format!("{name}.{seconds}.").as_bytes());
    hmac.update(content);
    Some(format!("v1,{}", BASE64.encode(hmac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_as_the_specification_has_it() {
        // The example of the Standard Webhooks libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();

        let signed = sign(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);

        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_changes_both_sign() {
        let secrets = ["whsec_bmV3".to_owned(), "whsec_b2xk".to_owned()];

        let both = sign(&secrets, "msg_7_1_0", 1, b"{}");

        let alone = secrets.map(|secret| sign(&[secret], "msg_7_1_0", 1, b"{}"));
        assert_eq!(both, alone.join(" "));
        assert_ne!(alone[0], alone[1]);
    }
}
