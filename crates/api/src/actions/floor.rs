//! Agents and queues: how they stand, and who takes calls.

use jiff::tz::TimeZone;
use model::{AgentAction, Command, Problem, Reply, Role, Text, Timestamp};
use store::{AgentRow, QueueRow};

use super::{Asker, Refusal, unexpected};
use crate::App;

/// The longest reason for a pause, in letters.
const LONGEST_REASON: usize = 100;

/// All agents.
pub(crate) async fn agents(app: &App, asker: &Asker) -> Result<Vec<AgentRow>, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(asker.store(app).floor().agents().await?)
}

/// One agent.
pub(crate) async fn agent(app: &App, asker: &Asker, extension: &str) -> Result<AgentRow, Refusal> {
    asker.needs(Role::Reader)?;
    let agent = asker.store(app).floor().agent(extension).await?;
    agent.ok_or_else(|| Problem::NoSuchAgent { extension: extension.to_owned() }.into())
}

/// A queue at this moment, and its day.
pub(crate) async fn queue(app: &App, asker: &Asker, number: &str, zone: &TimeZone) -> Result<QueueRow, Refusal> {
    asker.needs(Role::Reader)?;
    let now = Timestamp::now();
    // A day that has no midnight begins with its first moment.
    let today = now.to_zoned(zone.clone()).start_of_day().map_or(now, |midnight| midnight.timestamp());
    let queue = asker.store(app).floor().queue(number, today).await?;
    queue.ok_or_else(|| Refusal::not_found(format!("queue {number}")))
}

/// Why an agent pauses, as somebody may give it.
pub(crate) fn reason(given: Option<&str>) -> Result<Text, Refusal> {
    let reason = given.unwrap_or_default().trim();
    if reason.chars().count() > LONGEST_REASON {
        return Err(Refusal::wrong(format!("reason: at most {LONGEST_REASON} letters")));
    }
    Ok(Text::from(reason))
}

/// Changes how an agent stands, and tells how it stands then.
pub(crate) async fn order(app: &App, asker: &Asker, extension: &str, action: AgentAction) -> Result<AgentRow, Refusal> {
    asker.needs(Role::Agent)?;
    let command = Command::Agent { extension: extension.to_owned(), action };
    match app.switchboard.command(asker.tenant, asker.actor.clone(), command).await? {
        Reply::AgentStands { .. } => agent(app, asker, extension).await,
        other => Err(unexpected(&other).into()),
    }
}
