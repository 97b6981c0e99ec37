//! Calls: begun, ended, looked at.

use model::{
    CallId, ClaimedKey, Command, DialAnswer, Dialled, LegId, Originate, Problem, Reason, Reply, Role, StoredEvent,
};
use store::{RecordCursor, RecordFilter, RecordPage, RecordRow, RecordState};

use super::once::{self, Carried};
use super::{Asker, Refusal, unexpected};
use crate::{App, Readiness, STALLED};

/// A click-to-call that runs.
pub(crate) struct Begun {
    pub call: CallId,
    /// The agent's leg.
    pub leg: LegId,
    /// Whether an earlier order with the same key began it.
    pub again: bool,
}

/// Everything stored about a call.
pub(crate) struct CallStory {
    pub row: RecordRow,
    pub events: Vec<StoredEvent>,
}

/// Rings an extension, then dials a number and connects them.
pub(crate) async fn click_to_call(
    app: &App,
    asker: &Asker,
    from: &str,
    to: &str,
    answer: DialAnswer,
) -> Result<Begun, Refusal> {
    let order = order(asker, from, to, answer)?;
    Ok(begin(app, asker, order).await?)
}

/// The same, once for a key: whoever comes again with it hears what came of the first order.
pub(crate) async fn click_to_call_once(
    app: &App,
    asker: &Asker,
    from: &str,
    to: &str,
    answer: DialAnswer,
    key: ClaimedKey,
) -> Result<Begun, Refusal> {
    let order = Originate { claim: Some(key.clone()), ..order(asker, from, to, answer)? };
    // As it was written: the answer says it again.
    let request = once::hash(&["click_to_call", from, to]);
    let (app, asker) = (app.clone(), asker.clone());
    let claims = app.store.claims(asker.tenant);
    let carried = once::carry_out(claims, key, request, async move { begin(&app, &asker, order).await });
    Ok(match carried.await? {
        Carried::Now(begun) => begun,
        Carried::Before { call, leg } => Begun { call, leg, again: true },
    })
}

fn order(asker: &Asker, from: &str, to: &str, answer: DialAnswer) -> Result<Originate, Refusal> {
    asker.needs(Role::Agent)?;
    let to = Dialled::parse(to).map_err(|error| Problem::BadNumber { detail: error.to_string() })?;
    Ok(Originate { from: from.trim().to_owned(), to, answer, claim: None })
}

async fn begin(app: &App, asker: &Asker, order: Originate) -> Result<Begun, Problem> {
    // The engine's reply would wait for the store with everything else that it tells.
    if *app.readiness.borrow() == Readiness::Stalled {
        return Err(Problem::refused(Reason::StorageStalled, STALLED));
    }
    match app.switchboard.command(asker.tenant, asker.actor.clone(), Command::Originate(order)).await? {
        Reply::Originated { call, leg } => Ok(Begun { call, leg, again: false }),
        other => Err(unexpected(&other)),
    }
}

/// Ends a live call.
pub(crate) async fn hang_up(app: &App, asker: &Asker, call: CallId) -> Result<(), Refusal> {
    asker.needs(Role::Agent)?;
    match app.switchboard.command(asker.tenant, asker.actor.clone(), Command::HangUp { call }).await? {
        Reply::HungUp { .. } => Ok(()),
        other => Err(unexpected(&other).into()),
    }
}

/// A page of live calls, newest first.
pub(crate) async fn live(
    app: &App,
    asker: &Asker,
    cursor: Option<RecordCursor>,
    size: u32,
) -> Result<RecordPage, Refusal> {
    asker.needs(Role::Reader)?;
    let filter = RecordFilter { state: RecordState::Live, ..RecordFilter::default() };
    Ok(asker.store(app).records().list(&filter, cursor, size).await?)
}

/// One call, live or over.
pub(crate) async fn call(app: &App, asker: &Asker, call: CallId) -> Result<RecordRow, Refusal> {
    asker.needs(Role::Reader)?;
    let row = asker.store(app).calls().get(call).await?;
    row.ok_or_else(|| Refusal::not_found(format!("call {call}")))
}

/// One call with its events.
pub(crate) async fn story(app: &App, asker: &Asker, id: CallId) -> Result<CallStory, Refusal> {
    let row = call(app, asker, id).await?;
    let events = asker.store(app).events().of_call(id).await?;
    Ok(CallStory { row, events })
}

/// The newest live call of an extension with a phone, written in any form.
pub(crate) async fn newest_live(
    app: &App,
    asker: &Asker,
    extension: &str,
    phone: &str,
) -> Result<Option<RecordRow>, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(asker.store(app).calls().newest_live(extension, phone).await?)
}

/// Whether a call is live and these are in it: an extension, and a phone written in any form.
pub(crate) async fn is_live_with(
    app: &App,
    asker: &Asker,
    call: CallId,
    extension: Option<&str>,
    phone: Option<&str>,
) -> Result<bool, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(asker.store(app).calls().is_live_with(call, extension, phone).await?)
}
