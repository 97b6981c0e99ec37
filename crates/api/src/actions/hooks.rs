//! What was sent to hooks, and orders to send again. Whoever reads may look; secrets and orders are the owner's.

use model::{Role, Timestamp};
use serde_json::json;
use store::{AttemptRow, Author, DeliveryFilter, DeliveryRow, HookId, HookOrderError, HookStatus, Place, Whence};

use super::{Asker, Refusal, audit};
use crate::App;

/// How a hook stands.
pub(crate) async fn status(app: &App, asker: &Asker, hook: HookId) -> Result<HookStatus, Refusal> {
    asker.needs(Role::Reader)?;
    asker.store(app).deliveries().status(hook).await?.ok_or_else(|| no_hook(hook))
}

/// Deliveries of a hook, the newest first.
pub(crate) async fn deliveries(
    app: &App,
    asker: &Asker,
    hook: HookId,
    filter: &DeliveryFilter,
    below: Option<Place>,
    limit: usize,
) -> Result<Vec<DeliveryRow>, Refusal> {
    status(app, asker, hook).await?;
    Ok(asker.store(app).deliveries().list(hook, filter, below, limit).await?)
}

/// One delivery with its attempts.
pub(crate) async fn delivery(
    app: &App,
    asker: &Asker,
    hook: HookId,
    name: &str,
) -> Result<(DeliveryRow, Vec<AttemptRow>), Refusal> {
    asker.needs(Role::Reader)?;
    let place = place(hook, name)?;
    let store = asker.store(app);
    let row = store.deliveries().get(hook, place).await?.ok_or_else(no_delivery)?;
    Ok((row, store.deliveries().attempts(hook, place).await?))
}

/// Sends a delivery again.
pub(crate) async fn replay(
    app: &App,
    asker: &Asker,
    author: &Author,
    hook: HookId,
    name: &str,
) -> Result<DeliveryRow, Refusal> {
    asker.needs(Role::Owner)?;
    let place = place(hook, name)?;
    app.store.hooks().replay(asker.tenant, hook, place).await.map_err(|error| refused(error, no_delivery))?;
    audit::note(app, author, asker.tenant, ("replay", "delivery"), name, None).await;
    asker.store(app).deliveries().get(hook, place).await?.ok_or_else(no_delivery)
}

/// Tells a part of the story again; the positions it goes from and to.
pub(crate) async fn replay_range(
    app: &App,
    asker: &Asker,
    author: &Author,
    hook: HookId,
    (from, to): (Whence, Option<Whence>),
) -> Result<(i64, i64), Refusal> {
    asker.needs(Role::Owner)?;
    let range = app.store.hooks().replay_range(asker.tenant, hook, from, to).await;
    let (from, to) = range.map_err(|error| refused(error, || no_hook(hook)))?;
    let range = json!({ "from": from, "to": to });
    audit::note(app, author, asker.tenant, ("replay", "hook"), &hook.to_string(), Some(range)).await;
    Ok((from, to))
}

/// Sends a message that tells of nothing.
pub(crate) async fn test(app: &App, asker: &Asker, author: &Author, hook: HookId) -> Result<DeliveryRow, Refusal> {
    asker.needs(Role::Owner)?;
    let body = |at: Timestamp| json!({ "type": "test", "hook": hook.to_string(), "at": at }).to_string();
    let place = app.store.hooks().test(asker.tenant, hook, body).await;
    let place = place.map_err(|error| refused(error, || no_hook(hook)))?;
    audit::note(app, author, asker.tenant, ("test", "hook"), &hook.to_string(), None).await;
    asker.store(app).deliveries().get(hook, place).await?.ok_or_else(no_delivery)
}

/// Gives a hook another secret; returns it.
pub(crate) async fn rotate(app: &App, asker: &Asker, author: &Author, hook: HookId) -> Result<String, Refusal> {
    asker.needs(Role::Owner)?;
    let secret = app.store.hooks().rotate(asker.tenant, hook).await;
    let secret = secret.map_err(|error| refused(error, || no_hook(hook)))?;
    audit::note(app, author, asker.tenant, ("rotate", "hook"), &hook.to_string(), None).await;
    Ok(secret)
}

/// Switches a hook on that was switched off.
pub(crate) async fn enable(app: &App, asker: &Asker, author: &Author, hook: HookId) -> Result<HookStatus, Refusal> {
    asker.needs(Role::Owner)?;
    app.store.hooks().enable(asker.tenant, hook).await.map_err(|error| refused(error, || no_hook(hook)))?;
    audit::note(app, author, asker.tenant, ("enable", "hook"), &hook.to_string(), None).await;
    status(app, asker, hook).await
}

/// Switches a hook off.
pub(crate) async fn disable(app: &App, asker: &Asker, author: &Author, hook: HookId) -> Result<HookStatus, Refusal> {
    asker.needs(Role::Owner)?;
    let why = "it was switched off by hand";
    app.store.hooks().disable(asker.tenant, hook, why).await.map_err(|error| refused(error, || no_hook(hook)))?;
    audit::note(app, author, asker.tenant, ("disable", "hook"), &hook.to_string(), None).await;
    status(app, asker, hook).await
}

fn place(hook: HookId, name: &str) -> Result<Place, Refusal> {
    Place::parse(hook, name).ok_or_else(no_delivery)
}

fn refused(error: HookOrderError, not_there: impl FnOnce() -> Refusal) -> Refusal {
    match error {
        HookOrderError::NotThere => not_there(),
        HookOrderError::Store(error) => error.into(),
        HookOrderError::Off | HookOrderError::Replaying | HookOrderError::Sending => {
            Refusal::Conflict { sentence: error.to_string() }
        }
    }
}

fn no_hook(hook: HookId) -> Refusal {
    Refusal::not_found(format!("hook {hook}"))
}

fn no_delivery() -> Refusal {
    Refusal::not_found("the delivery")
}
