//! Commands and settings on their way to the engine: each gets exactly one reply, at its time limit too.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{Pending, Switchboard};
use engine::Input;
use model::{Actor, Command, Problem, Reply, Source, TenantId, TenantSettings, Ticket};
use tokio::sync::oneshot;

use crate::inbox::{Errand, Inbox};

/// The longest that a command may take: a phone has 5 s to respond, and the commit after it some time.
const COMMAND_WITHIN: Duration = Duration::from_secs(10);
/// The longest that taking settings may take: everything told before has to be stored first.
const SETTINGS_WITHIN: Duration = Duration::from_secs(30);

type Outcome = Result<Reply, Problem>;

/// Who waits for which reply. Clones share the book.
#[derive(Clone, Default)]
pub struct Tickets(Arc<Book>);

#[derive(Default)]
struct Book {
    last: AtomicU64,
    waiting: Mutex<HashMap<Ticket, oneshot::Sender<Outcome>>>,
}

/// A place in the book, struck out when dropped: nobody waits any more.
struct Place {
    ticket: Ticket,
    book: Tickets,
    outcome: oneshot::Receiver<Outcome>,
}

/// Gives orders to the engine thread.
pub struct Board {
    tickets: Tickets,
    inbox: Inbox,
}

impl Tickets {
    /// Hands a reply to whoever waits for it. If nobody does any more, it is forgotten.
    pub fn complete(&self, ticket: Ticket, outcome: Outcome) {
        if let Some(waiting) = self.lock().remove(&ticket) {
            // The asker may leave in this very moment; then nobody is left to be told.
            let _ = waiting.send(outcome);
        }
    }

    fn open(&self) -> Place {
        let ticket = Ticket(self.0.last.fetch_add(1, Ordering::Relaxed) + 1);
        let (sender, outcome) = oneshot::channel();
        self.lock().insert(ticket, sender);
        Place { ticket, book: self.clone(), outcome }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Ticket, oneshot::Sender<Outcome>>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    async fn wait(mut self, within: Duration) -> Outcome {
        match tokio::time::timeout(within, &mut self.outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Problem::Unavailable),
            Err(_) => Err(Problem::TimedOut),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.book.lock().remove(&self.ticket);
    }
}

impl Board {
    /// Orders go to `inbox`; replies are handed to `tickets`.
    pub fn new(tickets: Tickets, inbox: Inbox) -> Self {
        Self { tickets, inbox }
    }

    /// Has the engine run these settings, and returns once it does.
    pub async fn take_settings(&self, settings: Arc<TenantSettings>) -> Outcome {
        let place = self.tickets.open();
        let input = Input::Settings { ticket: place.ticket, settings };
        if !self.inbox.errand_in_turn(Errand::input(input)).await {
            return Err(Problem::Unavailable);
        }
        place.wait(SETTINGS_WITHIN).await
    }
}

impl Switchboard for Board {
    fn command(&self, tenant: TenantId, actor: Actor, command: Command) -> Pending<'_, Outcome> {
        let place = self.tickets.open();
        let input = Input::Command { ticket: place.ticket, tenant, actor, command };
        let given = self.inbox.input(input);
        Box::pin(async move {
            match given {
                Ok(()) => place.wait(COMMAND_WITHIN).await,
                Err(_) => Err(Problem::Unavailable),
            }
        })
    }

    fn lift_ban(&self, _: Actor, source: Source) -> Pending<'_, Outcome> {
        let place = self.tickets.open();
        let given = self.inbox.errand(Errand::LiftBan { ticket: place.ticket, source });
        Box::pin(async move {
            match given {
                Ok(()) => place.wait(COMMAND_WITHIN).await,
                Err(_) => Err(Problem::Unavailable),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use mio::{Poll, Token, Waker};
    use model::{CallId, EngineNumber, Role, Text};

    use super::*;
    use crate::inbox::Waiting;

    fn board() -> (Board, Waiting) {
        let poll = Poll::new().expect("a poll");
        let (inbox, waiting) = Inbox::new(Waker::new(poll.registry(), Token(0)).expect("a waker"));
        (Board::new(Tickets::default(), inbox), waiting)
    }

    fn hang_up(board: &Board) -> Pending<'_, Outcome> {
        let actor = Actor { name: Text::from("admin"), role: Role::Operator };
        board.command(TenantId(1), actor, Command::HangUp { call: call() })
    }

    fn call() -> CallId {
        CallId::new(1_700_000_000, EngineNumber(1), 1)
    }

    fn ticket(waiting: &mut Waiting) -> Ticket {
        match waiting.errands.try_recv().expect("an errand") {
            Errand::Input(input) => match *input {
                Input::Command { ticket, .. } => ticket,
                other => panic!("a command, not {other:?}"),
            },
            other => panic!("a command, not {other:?}"),
        }
    }

    #[tokio::test]
    async fn each_command_gets_its_own_reply() {
        let (board, mut waiting) = board();
        let (first, second) = (hang_up(&board), hang_up(&board));

        let (one, two) = (ticket(&mut waiting), ticket(&mut waiting));
        board.tickets.complete(two, Err(Problem::Unavailable));
        board.tickets.complete(one, Ok(Reply::HungUp { call: call() }));

        assert_eq!(first.await, Ok(Reply::HungUp { call: call() }));
        assert_eq!(second.await, Err(Problem::Unavailable));
        assert!(board.tickets.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_reply_the_time_limit_is_the_reply() {
        let (board, mut waiting) = board();
        let asked = hang_up(&board);

        let late = ticket(&mut waiting);

        assert_eq!(asked.await, Err(Problem::TimedOut));
        board.tickets.complete(late, Ok(Reply::HungUp { call: call() }));
        assert!(board.tickets.lock().is_empty());
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_nothing_behind() {
        let (board, _waiting) = board();

        drop(hang_up(&board));

        assert!(board.tickets.lock().is_empty());
    }
}
