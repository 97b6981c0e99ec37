//! Calls: begun, ended, looked at.

use model::{CallId, Command, DialAnswer, Dialled, LegId, Originate, Problem, Reply, Role, StoredEvent};
use store::RecordRow;

use super::{Asker, Refusal};
use crate::App;

/// A click-to-call that runs.
pub(crate) struct Begun {
    pub call: CallId,
    /// The agent's leg.
    pub leg: LegId,
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
    asker.needs(Role::Agent)?;
    let to = Dialled::parse(to).map_err(|error| Problem::BadNumber { detail: error.to_string() })?;
    let order = Originate { from: from.trim().to_owned(), to, answer, claim: None };
    match app.switchboard.command(asker.tenant, asker.actor.clone(), Command::Originate(order)).await? {
        Reply::Originated { call, leg } => Ok(Begun { call, leg }),
        other => Err(unexpected(&other)),
    }
}

/// Ends a live call.
pub(crate) async fn hang_up(app: &App, asker: &Asker, call: CallId) -> Result<(), Refusal> {
    asker.needs(Role::Agent)?;
    match app.switchboard.command(asker.tenant, asker.actor.clone(), Command::HangUp { call }).await? {
        Reply::HungUp { .. } => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// All live calls, newest first.
pub(crate) async fn live(app: &App, asker: &Asker) -> Result<Vec<RecordRow>, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(asker.store(app).calls().live().await?)
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

fn unexpected(reply: &Reply) -> Refusal {
    tracing::error!(?reply, "the switchboard gave the reply of another order");
    Refusal::Problem(Problem::Unavailable)
}
