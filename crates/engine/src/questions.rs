//! Calls that wait for the answer to a question. Each has one open at most, and it is forgotten with the call.

use std::collections::BTreeMap;

use model::{CallId, TenantId, Ticket};

/// The most questions that are open at a time. Whoever comes then decides alone.
const MOST: usize = 4_096;

/// Questions that are open.
#[derive(Debug, Default)]
pub struct Questions {
    open: BTreeMap<Ticket, (TenantId, CallId)>,
    calls: BTreeMap<(TenantId, CallId), Ticket>,
}

/// No more questions can be asked now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl Questions {
    /// A call asks.
    pub fn open(&mut self, ticket: Ticket, tenant: TenantId, call: CallId) -> Result<(), Full> {
        if self.open.len() >= MOST {
            return Err(Full);
        }
        self.forget(tenant, call);
        self.open.insert(ticket, (tenant, call));
        self.calls.insert((tenant, call), ticket);
        Ok(())
    }

    /// The call that an answer is for. None: it does not wait any more.
    pub fn answered(&mut self, ticket: Ticket) -> Option<(TenantId, CallId)> {
        let call = self.open.remove(&ticket)?;
        self.calls.remove(&call);
        Some(call)
    }

    /// A call does not wait any more.
    pub fn forget(&mut self, tenant: TenantId, call: CallId) {
        if let Some(ticket) = self.calls.remove(&(tenant, call)) {
            self.open.remove(&ticket);
        }
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use model::EngineNumber;

    use super::*;

    fn call(count: u32) -> CallId {
        CallId::new(1_700_000_000, EngineNumber(1), count)
    }

    #[test]
    fn an_answer_is_for_the_call_that_asked_and_comes_once() {
        let mut questions = Questions::default();

        let asked = questions.open(Ticket(7), TenantId(1), call(1));

        assert_eq!(asked, Ok(()));
        assert_eq!(questions.answered(Ticket(7)), Some((TenantId(1), call(1))));
        assert_eq!((questions.answered(Ticket(7)), questions.len()), (None, 0));
    }

    #[test]
    fn a_call_that_is_over_waits_for_nothing() {
        let mut questions = Questions::default();
        questions.open(Ticket(7), TenantId(1), call(1)).expect("there is room");

        questions.forget(TenantId(1), call(1));

        assert_eq!((questions.answered(Ticket(7)), questions.len()), (None, 0));
    }

    #[test]
    fn no_more_is_asked_than_can_be_remembered() {
        let mut questions = Questions::default();
        let mut ask = |at: usize| {
            let at = u32::try_from(at).unwrap();
            questions.open(Ticket(at.into()), TenantId(1), call(at))
        };

        let asked = (0..MOST).map(&mut ask).filter(Result::is_ok).count();

        assert_eq!((asked, ask(MOST)), (MOST, Err(Full)));
    }
}
