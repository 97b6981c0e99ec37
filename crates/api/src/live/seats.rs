//! How many sessions there are: at all, and of each key.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::TenantId;
use tokio::sync::watch;

use crate::keys::Voip24hKey;

/// Sessions that are signed, by key, and connections, signed or not.
#[derive(Clone, Default)]
pub(crate) struct Seats(Arc<Inner>);

#[derive(Default)]
struct Inner {
    connections: AtomicUsize,
    signed: Mutex<HashMap<KeyName, Vec<Replace>>>,
}

/// A key's tenant and public part.
type KeyName = (TenantId, String);

/// Tells a session that its place is taken.
type Replace = Arc<watch::Sender<bool>>;

/// A connection that is counted until dropped.
pub(crate) struct Connection(Arc<Inner>);

/// A signed session of a key, counted until dropped.
pub(crate) struct Seat {
    inner: Arc<Inner>,
    key: KeyName,
    mine: Replace,
    replaced: watch::Receiver<bool>,
}

/// All seats of a key are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Taken {
    /// How many there are.
    pub current: usize,
}

impl Seats {
    /// Counts a connection, unless there are `most` already.
    pub fn connect(&self, most: usize) -> Option<Connection> {
        let connections = &self.0.connections;
        connections
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < most).then_some(now + 1))
            .ok()
            .map(|_| Connection(self.0.clone()))
    }

    /// Seats a session of the key. A hub key's session takes the place of the one before it.
    pub fn sign(&self, key: &Voip24hKey) -> Result<Seat, Taken> {
        let name = (key.tenant, key.voip.clone());
        let mut signed = self.0.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let present = signed.entry(name.clone()).or_default();
        if key.hub {
            for other in present.drain(..) {
                other.send_replace(true);
            }
        } else if present.len() >= key.socket_sessions as usize {
            let current = present.len();
            if current == 0 {
                signed.remove(&name);
            }
            return Err(Taken { current });
        }
        let (sender, replaced) = watch::channel(false);
        let mine = Arc::new(sender);
        present.push(mine.clone());
        Ok(Seat { inner: self.0.clone(), key: name, mine, replaced })
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.0.signed.lock().expect("no panic").is_empty() && self.0.connections.load(Ordering::Acquire) == 0
    }
}

impl Seat {
    /// Resolves when a newer session of a hub key has taken this one's place.
    pub async fn replaced(&mut self) {
        // The sender is ours, so that waiting cannot fail.
        let _ = self.replaced.wait_for(|replaced| *replaced).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut signed = self.inner.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = signed.get_mut(&self.key) {
            present.retain(|other| !Arc::ptr_eq(other, &self.mine));
            if present.is_empty() {
                signed.remove(&self.key);
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(socket_sessions: u32, hub: bool) -> Voip24hKey {
        let voip = "VOIPKEY_DEMO".to_owned();
        Voip24hKey {
            tenant: TenantId(1),
            voip,
            allowed_addresses: vec![],
            requires_secret: false,
            socket_sessions,
            hub,
        }
    }

    #[test]
    fn a_key_has_so_many_seats_and_gets_them_back() {
        let seats = Seats::default();
        let first = seats.sign(&key(2, false)).ok();
        let second = seats.sign(&key(2, false)).ok();

        assert!(first.is_some() && second.is_some());
        assert_eq!(seats.sign(&key(2, false)).err(), Some(Taken { current: 2 }));

        drop(first);
        assert!(seats.sign(&key(2, false)).is_ok());
        drop(second);
        assert!(seats.is_empty(), "nothing is kept of a key without sessions");
    }

    #[test]
    fn another_tenants_key_has_its_own_seats() {
        let seats = Seats::default();
        let _mine = seats.sign(&key(1, false)).expect("a seat");

        let theirs = Voip24hKey { tenant: TenantId(2), ..key(1, false) };

        assert!(seats.sign(&theirs).is_ok());
    }

    #[tokio::test]
    async fn a_hub_keys_new_session_takes_the_place_of_the_old() {
        let seats = Seats::default();
        let mut old = seats.sign(&key(20, true)).expect("a seat");

        let new = seats.sign(&key(20, true)).expect("a seat");
        old.replaced().await;
        drop(old);

        assert!(!*new.replaced.borrow(), "the new one stays");
        assert!(!seats.is_empty());
    }

    #[test]
    fn connections_are_bounded() {
        let seats = Seats::default();
        let one = seats.connect(1);

        assert!(one.is_some() && seats.connect(1).is_none());
        drop(one);
        assert!(seats.connect(1).is_some());
    }
}
