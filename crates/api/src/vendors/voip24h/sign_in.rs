//! Who asks: the vendor's pair of keys, or the public one alone.

use axum::Extension;

use super::translate::required;
use crate::actions::Asker;
use crate::keys::Voip24hKey;
use crate::vendors::given::Given;
use crate::{Faces, Peer};

/// The client's address, where the server tells it.
pub(super) type Client = Option<Extension<Peer>>;

/// Who asks. A wrong key and a key used from elsewhere than it may are told apart only by whoever has the key.
pub(super) fn sign_in(faces: &Faces, from: Client, given: &Given) -> Result<Asker, String> {
    let (voip, secret) = (required(given, "voip")?, required(given, "secret")?);
    admit(faces, from, faces.keys.now().voip24h(voip, secret), secret)
}

/// Who asks with the public part of a key alone, where the key is for that.
pub(super) fn sign_in_without_secret(faces: &Faces, from: Client, given: &Given) -> Result<Asker, String> {
    let key = faces.keys.now().voip24h_public(required(given, "voip")?);
    if key.as_ref().is_some_and(|key| key.requires_secret && key.allowed_addresses.is_empty()) {
        return Err("secret is required".to_owned());
    }
    admit(faces, from, key, "")
}

/// `secret`: what was shown with the key.
fn admit(faces: &Faces, from: Client, key: Option<Voip24hKey>, secret: &str) -> Result<Asker, String> {
    let from = from.map(|Extension(peer)| peer.0);
    let Some(key) = key else {
        faces.limits.wrong_key(from).map_err(|limit| limit.to_string())?;
        return Err("voip or secret is invalid".to_owned());
    };
    if !key.allows(from) {
        return Err("this address is not allowed to use the key".to_owned());
    }
    faces.limits.admit(&key.voip, secret, from).map_err(|limit| limit.to_string())?;
    Ok(key.asker())
}
