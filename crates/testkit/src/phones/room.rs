//! The one thread on which all phones of a process run.
//!
//! It begins with the first phone and ends with the last one. Owners act on a phone's handset directly and have its
//! desk looked at; sockets are touched by the thread alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use super::desk::{Desk, Read};
use super::sockets::Sockets;
use super::state::Shared;
use super::tokens::{DeskNo, Socket, Tokens, WAKE};

static ROOM: Mutex<Weak<Room>> = Mutex::new(Weak::new());

#[derive(Debug)]
pub(super) struct Room {
    orders: Sender<Order>,
    waker: Waker,
    last_desk: Mutex<u64>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    Enter(DeskNo, Sockets, Arc<Shared>, Sender<io::Result<()>>),
    /// Its handset has something to send.
    Look(DeskNo),
    /// Hangs up and signs out first.
    Leave(DeskNo),
    /// Is gone without a word.
    Vanish(DeskNo),
    Close,
}

impl Room {
    /// The room that is open, or a fresh one.
    pub(super) fn open() -> io::Result<Arc<Self>> {
        let mut open = ROOM.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = open.upgrade() {
            return Ok(room);
        }
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let (orders, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new().name("phones".into()).spawn(move || Floor::new(poll, inbox).run())?;
        let room = Arc::new(Self { orders, waker, last_desk: Mutex::new(0), thread: Some(thread) });
        *open = Arc::downgrade(&room);
        Ok(room)
    }

    /// Gives a phone its desk.
    pub(super) fn enter(&self, sockets: Sockets, shared: Arc<Shared>) -> io::Result<DeskNo> {
        let desk = {
            let mut last = self.last_desk.lock().unwrap_or_else(PoisonError::into_inner);
            *last += 1;
            DeskNo(*last)
        };
        let (done, entered) = mpsc::channel();
        self.order(Order::Enter(desk, sockets, shared, done));
        entered.recv().unwrap_or_else(|_| Err(io::Error::other("the thread of the phones has ended")))?;
        Ok(desk)
    }

    pub(super) fn look(&self, desk: DeskNo) {
        self.order(Order::Look(desk));
    }

    pub(super) fn leave(&self, desk: DeskNo) {
        self.order(Order::Leave(desk));
    }

    pub(super) fn vanish(&self, desk: DeskNo) {
        self.order(Order::Vanish(desk));
    }

    fn order(&self, order: Order) {
        // The thread outlives the room; if it fell over there is nobody left to tell.
        let _ = self.orders.send(order);
        let _ = self.waker.wake();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.order(Order::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Floor {
    poll: Poll,
    inbox: Receiver<Order>,
    desks: BTreeMap<DeskNo, Desk>,
    places: BTreeMap<Token, (DeskNo, Socket)>,
    last_token: usize,
    /// When which desk is to be looked at; one entry a desk, as in `wakes_at`.
    wakes: BTreeSet<(Instant, DeskNo)>,
    wakes_at: BTreeMap<DeskNo, Instant>,
    /// Sockets that may have something to read; the poll tells of each only once.
    ready: VecDeque<Token>,
    is_closing: bool,
}

impl Floor {
    fn new(poll: Poll, inbox: Receiver<Order>) -> Self {
        Self {
            poll,
            inbox,
            desks: BTreeMap::new(),
            places: BTreeMap::new(),
            last_token: WAKE.0,
            wakes: BTreeSet::new(),
            wakes_at: BTreeMap::new(),
            ready: VecDeque::new(),
            is_closing: false,
        }
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(1_024);
        while !(self.is_closing && self.desks.is_empty()) {
            let wait = match self.ready.is_empty() {
                true => self.wakes.first().map(|(at, _)| at.saturating_duration_since(Instant::now())),
                false => Some(Duration::ZERO),
            };
            // A poll that was interrupted has no events, and is tried again.
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the phones' sockets cannot be watched");
                break;
            }
            for event in &events {
                if event.token() != WAKE && !self.ready.contains(&event.token()) {
                    self.ready.push_back(event.token());
                }
            }
            self.take_orders();
            for _ in 0..self.ready.len() {
                self.read_one();
            }
            let now = Instant::now();
            while let Some((at, desk)) = self.wakes.first().copied().filter(|(at, _)| *at <= now) {
                self.wakes.remove(&(at, desk));
                self.wakes_at.remove(&desk);
                self.look(desk);
            }
        }
        let desks: Vec<DeskNo> = self.desks.keys().copied().collect();
        desks.into_iter().for_each(|desk| self.close(desk));
    }

    fn take_orders(&mut self) {
        while let Ok(order) = self.inbox.try_recv() {
            match order {
                Order::Enter(no, sockets, shared, done) => {
                    let (registry, mut tokens) = lend(&self.poll, &mut self.last_token, &mut self.places, no);
                    let entered = Desk::open(sockets, shared, registry, &mut tokens);
                    if entered.is_err() {
                        tokens.forget_desk();
                    }
                    // Who does not wait for the answer has gone already, and says so next.
                    let _ = done.send(entered.map(|desk| {
                        self.desks.insert(no, desk);
                    }));
                    self.look(no);
                }
                Order::Look(desk) => self.look(desk),
                Order::Leave(no) => {
                    if let Some(desk) = self.desks.get_mut(&no) {
                        desk.leave();
                    }
                    self.look(no);
                }
                Order::Vanish(desk) => self.close(desk),
                Order::Close => self.is_closing = true,
            }
        }
    }

    fn read_one(&mut self) {
        let Some(token) = self.ready.pop_front() else { return };
        let Some((no, socket)) = self.places.get(&token).copied() else { return };
        let Some(desk) = self.desks.get_mut(&no) else { return };
        let (registry, mut tokens) = lend(&self.poll, &mut self.last_token, &mut self.places, no);
        if desk.receive(socket, registry, &mut tokens) == Read::Some {
            self.ready.push_back(token);
        }
        self.look(no);
    }

    fn look(&mut self, no: DeskNo) {
        let Some(desk) = self.desks.get_mut(&no) else { return };
        let (registry, mut tokens) = lend(&self.poll, &mut self.last_token, &mut self.places, no);
        let wake = desk.settle(registry, &mut tokens);
        if desk.is_done() {
            return self.close(no);
        }
        if let Some(at) = self.wakes_at.remove(&no) {
            self.wakes.remove(&(at, no));
        }
        if let Some(at) = wake {
            self.wakes.insert((at, no));
            self.wakes_at.insert(no, at);
        }
    }

    fn close(&mut self, no: DeskNo) {
        if let Some(at) = self.wakes_at.remove(&no) {
            self.wakes.remove(&(at, no));
        }
        if let Some(desk) = self.desks.remove(&no) {
            let (registry, mut tokens) = lend(&self.poll, &mut self.last_token, &mut self.places, no);
            desk.close(registry, &mut tokens);
        }
    }
}

/// What a desk needs of the floor, beside which other fields can be used.
fn lend<'a>(
    poll: &'a Poll,
    last: &'a mut usize,
    places: &'a mut BTreeMap<Token, (DeskNo, Socket)>,
    desk: DeskNo,
) -> (&'a mio::Registry, Tokens<'a>) {
    (poll.registry(), Tokens { desk, last, places })
}
