//! Who a key belongs to. An index of the directory, made once for each directory.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Actor, Directory, KeyKind, Role, TenantEntry, TenantId, Text, TrunkAddress};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::actions::Asker;

/// Keys as they are now.
#[derive(Clone)]
pub(crate) struct Keys {
    directory: watch::Receiver<Arc<Directory>>,
    index: Arc<Mutex<Arc<Index>>>,
}

/// One reading of the directory.
pub(crate) struct Index {
    pub(crate) directory: Arc<Directory>,
    /// Native keys by the hash of their token.
    native: HashMap<String, usize>,
    /// Voip24h keys by their public part: several may share one while a secret is exchanged.
    voip: HashMap<String, Vec<usize>>,
    /// Voip24h keys by the hash of their secret part.
    voip_secret: HashMap<String, usize>,
}

/// A Voip24h key that somebody showed.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Voip24hKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// The public part; names the key wherever sessions are counted.
    pub voip: String,
    /// Empty: any.
    pub allowed_addresses: Vec<TrunkAddress>,
    /// Whether requests that the documents allow with the public part alone need the secret part too.
    pub requires_secret: bool,
    /// Socket.IO sessions at once.
    pub socket_sessions: u32,
    /// One session, a new one closes the old.
    pub hub: bool,
}

impl Voip24hKey {
    /// Whether a client at this address may use the key.
    pub fn allows(&self, peer: Option<SocketAddr>) -> bool {
        self.allowed_addresses.is_empty()
            || peer.is_some_and(|peer| {
                // A socket for both families shows an IPv4 client as ::ffff:a.b.c.d.
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                self.allowed_addresses.iter().any(|allowed| allowed.contains(peer))
            })
    }

    /// Who asks with it.
    pub fn asker(&self) -> Asker {
        Asker { tenant: self.tenant, actor: Actor { name: Text::from("key:voip24h"), role: Role::Agent } }
    }
}

impl Keys {
    pub fn new(directory: watch::Receiver<Arc<Directory>>) -> Self {
        let index = Index::new(directory.borrow().clone());
        Self { directory, index: Arc::new(Mutex::new(Arc::new(index))) }
    }

    /// The directory as it is now, with its index.
    pub fn now(&self) -> Arc<Index> {
        let directory = self.directory.borrow().clone();
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&index.directory, &directory) {
            *index = Arc::new(Index::new(directory));
        }
        index.clone()
    }
}

impl Index {
    fn new(directory: Arc<Directory>) -> Self {
        let mut index = Self {
            native: HashMap::new(),
            voip: HashMap::new(),
            voip_secret: HashMap::new(),
            directory: directory.clone(),
        };
        for (at, key) in directory.keys.iter().enumerate() {
            match &key.kind {
                KeyKind::Voip24h { voip, secret_hash, .. } => {
                    index.voip.entry(voip.clone()).or_default().push(at);
                    index.voip_secret.insert(secret_hash.clone(), at);
                }
                KeyKind::Native { token_hash, .. } => {
                    index.native.insert(token_hash.clone(), at);
                }
                KeyKind::Vpbx { .. } | KeyKind::Callone { .. } => {}
            }
        }
        index
    }

    /// Who asks with this native token.
    pub fn native(&self, token: &str) -> Option<Asker> {
        let key = &self.directory.keys[*self.native.get(&hash(token))?];
        let KeyKind::Native { role, .. } = key.kind else { return None };
        Some(Asker { tenant: key.tenant, actor: Actor { name: Text::from("key:native"), role } })
    }

    /// The key with this public and this secret part.
    pub fn voip24h(&self, voip: &str, secret: &str) -> Option<Voip24hKey> {
        let hash = hash(secret);
        self.voip.get(voip)?.iter().find_map(|at| match &self.directory.keys[*at].kind {
            KeyKind::Voip24h { secret_hash, .. } if bool::from(secret_hash.as_bytes().ct_eq(hash.as_bytes())) => {
                self.voip24h_at(*at)
            }
            _ => None,
        })
    }

    /// The key with this public part.
    pub fn voip24h_public(&self, voip: &str) -> Option<Voip24hKey> {
        self.voip24h_at(*self.voip.get(voip)?.first()?)
    }

    /// The key of which this is the public or the secret part.
    pub fn voip24h_by_either(&self, part: &str) -> Option<Voip24hKey> {
        let at = match self.voip.get(part) {
            Some(same) => *same.first()?,
            None => *self.voip_secret.get(&hash(part))?,
        };
        self.voip24h_at(at)
    }

    /// The tenant with this id.
    pub fn tenant(&self, id: TenantId) -> Option<&TenantEntry> {
        self.directory.tenants.iter().find(|tenant| tenant.id == id)
    }

    /// The tenant with this name; without a name, the default one, or the only one.
    pub fn tenant_named(&self, name: Option<&str>) -> Option<&TenantEntry> {
        let tenants = &self.directory.tenants;
        match name {
            Some(name) => tenants.iter().find(|tenant| tenant.name == name),
            None => tenants.iter().find(|tenant| tenant.default).or(match tenants.as_slice() {
                [only] => Some(only),
                _ => None,
            }),
        }
    }

    fn voip24h_at(&self, at: usize) -> Option<Voip24hKey> {
        let key = &self.directory.keys[at];
        match &key.kind {
            KeyKind::Voip24h { voip, otp_requires_secret, allowed_addresses, socket_sessions, hub, .. } => {
                Some(Voip24hKey {
                    tenant: key.tenant,
                    voip: voip.clone(),
                    requires_secret: *otp_requires_secret,
                    allowed_addresses: allowed_addresses.clone(),
                    socket_sessions: *socket_sessions,
                    hub: *hub,
                })
            }
            _ => None,
        }
    }
}

/// SHA-256 in lower-case hex, as the store keeps secrets.
pub(crate) fn hash(secret: &str) -> String {
    Sha256::digest(secret).iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use model::DirectoryKey;

    use super::*;

    fn voip(secret: &str, allowed_addresses: Vec<TrunkAddress>) -> DirectoryKey {
        let kind = KeyKind::Voip24h {
            voip: "VOIPKEY_DEMO".into(),
            secret_hash: hash(secret),
            otp_requires_secret: false,
            allowed_addresses,
            socket_sessions: 20,
            hub: false,
        };
        DirectoryKey { tenant: TenantId(1), kind }
    }

    fn native(token: &str, role: Role) -> DirectoryKey {
        DirectoryKey { tenant: TenantId(2), kind: KeyKind::Native { token_hash: hash(token), role } }
    }

    fn directory(keys: Vec<DirectoryKey>) -> Arc<Directory> {
        Arc::new(Directory { keys, ..Directory::default() })
    }

    #[test]
    fn a_secret_opens_only_with_its_public_part() {
        let index = Index::new(directory(vec![voip("OLD", vec![]), voip("SECRET_DEMO", vec![])]));

        assert!(index.voip24h("VOIPKEY_DEMO", "SECRET_DEMO").is_some(), "a second secret under exchange");
        assert!(index.voip24h("VOIPKEY_DEMO", "OLD").is_some());
        assert!(index.voip24h("VOIPKEY_DEMO", "WRONG").is_none());
        assert!(index.voip24h("SECRET_DEMO", "SECRET_DEMO").is_none());
    }

    #[test]
    fn a_socket_may_show_either_part() {
        let index = Index::new(directory(vec![voip("SECRET_DEMO", vec![])]));

        assert!(index.voip24h_by_either("VOIPKEY_DEMO").is_some());
        assert!(index.voip24h_by_either("SECRET_DEMO").is_some());
        assert!(index.voip24h_by_either(&hash("SECRET_DEMO")).is_none(), "the stored hash is no key");
    }

    #[test]
    fn a_native_token_gives_its_tenant_and_role() {
        let index = Index::new(directory(vec![native("NATIVE_DEMO", Role::Reader)]));

        let asker = index.native("NATIVE_DEMO").expect("the key");
        assert_eq!((asker.tenant, asker.actor.role), (TenantId(2), Role::Reader));
        assert!(index.native("OTHER").is_none());
    }

    #[test]
    fn a_new_directory_is_seen_at_once() {
        let (sender, receiver) = watch::channel(directory(vec![]));
        let keys = Keys::new(receiver);
        assert!(keys.now().native("NATIVE_DEMO").is_none());

        sender.send_replace(directory(vec![native("NATIVE_DEMO", Role::Owner)]));

        assert!(keys.now().native("NATIVE_DEMO").is_some());
    }

    #[test]
    fn an_allow_list_lets_in_whom_it_names_in_either_form() {
        let only = TrunkAddress { address: [192, 0, 2, 1].into(), prefix: 32, port: None };
        let index = Index::new(directory(vec![voip("SECRET_DEMO", vec![only])]));
        let key = index.voip24h_by_either("VOIPKEY_DEMO").expect("the key");

        let from = |text: &str| Some(text.parse().expect("an address"));
        assert!(key.allows(from("192.0.2.1:5")) && key.allows(from("[::ffff:192.0.2.1]:5")));
        assert!(!key.allows(from("192.0.2.2:5")) && !key.allows(None));
    }
}
