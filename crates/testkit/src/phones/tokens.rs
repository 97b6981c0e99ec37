//! Names of sockets: by them whoever sleeps on all sockets knows whose has something.

use std::collections::BTreeMap;

use mio::Token;

/// A token that wakes the thread for what its owners order.
pub(super) const WAKE: Token = Token(0);

/// One desk's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct DeskNo(pub u64);

/// What a token of a desk stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Socket {
    Udp,
    Listener,
    Sound(usize),
    Connection(u64),
}

/// Names of sockets, lent to one desk.
pub(super) struct Tokens<'a> {
    pub(super) desk: DeskNo,
    pub(super) last: &'a mut usize,
    pub(super) places: &'a mut BTreeMap<Token, (DeskNo, Socket)>,
}

impl Tokens<'_> {
    pub(super) fn take(&mut self, socket: Socket) -> Token {
        *self.last += 1;
        let token = Token(*self.last);
        self.places.insert(token, (self.desk, socket));
        token
    }

    pub(super) fn forget(&mut self, token: Token) {
        self.places.remove(&token);
    }

    pub(super) fn forget_desk(&mut self) {
        self.places.retain(|_, (desk, _)| *desk != self.desk);
    }
}
