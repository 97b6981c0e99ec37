//! The real door and the real engine, with the number of their start.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::door::{Door, DoorConfig, Knock};
use engine::{Engine, EngineConfig, EngineLoad, Input, Now, Output, SignIn};
use model::{EngineNumber, Kept};
use sip::{Flow, Interface};

use super::chance::Chance;
use super::company::{Company, REALM, directory};

/// Where the switchboard is.
pub const ADDRESS: &str = "192.0.2.1:5060";

/// One start of the switchboard.
pub struct Switchboard {
    engine: Engine,
    door: Door,
}

impl Switchboard {
    /// A switchboard that knows nobody.
    pub fn new(number: u32, chance: &mut Chance) -> Self {
        let number = EngineNumber(number);
        let address: SocketAddr = ADDRESS.parse().expect("an address");
        let interface = |port| Interface::at("main", SocketAddr::new(address.ip(), port));
        let config = EngineConfig {
            number,
            realm: REALM.into(),
            software: "Tongdai".into(),
            sip: vec![interface(address.port())],
            rtp: vec![interface(0)],
            max_transactions: 100_000,
            max_dialogs: 20_000,
            nat_keepalive: Some(Duration::from_secs(25)),
        };
        let door = DoorConfig { unlimited_from: Vec::new(), engine: number, software: "Tongdai".into() };
        Self { engine: Engine::new(config, chance.seed()), door: Door::new(door, chance.seed()) }
    }

    /// Who is where, from here on.
    pub fn know(&mut self, companies: &[Company]) {
        self.door.set_directory(Arc::new(directory(companies)));
    }

    /// A message came. Gives what is answered at the door.
    pub fn receive(&mut self, now: Now, flow: Flow, bytes: Bytes) -> Option<Bytes> {
        match self.door.receive(now.mono, flow, bytes) {
            Knock::Pass(whose, message) => {
                self.engine.handle_input(now, Input::Message { flow, whose, message });
                None
            }
            Knock::Answer(bytes) => Some(bytes),
            Knock::Drop => None,
        }
    }

    /// Somebody has answered a challenge. Gives what is kept of it.
    pub fn note_sign_in(&mut self, now: Now, sign_in: SignIn) -> Vec<Kept> {
        self.door.note_sign_in(now, sign_in);
        std::iter::from_fn(|| self.door.poll_kept()).collect()
    }

    /// Anything else came.
    pub fn input(&mut self, now: Now, input: Input) {
        if let Input::Kept(kept) = &input {
            self.door.take_back(now, kept);
        }
        self.engine.handle_input(now, input);
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Now) {
        self.engine.handle_timeout(now);
    }

    /// When it wants to be woken.
    pub fn poll(&self) -> Option<std::time::Instant> {
        self.engine.poll_timeout()
    }

    /// What comes out.
    pub fn take(&mut self) -> Option<Output> {
        self.engine.poll_output()
    }

    /// How much it holds.
    pub fn load(&self) -> EngineLoad {
        self.engine.load()
    }
}

impl std::fmt::Debug for Switchboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Switchboard").field("load", &self.load()).finish_non_exhaustive()
    }
}
