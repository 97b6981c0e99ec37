//! Owners are told by mail when a hook of theirs has failed for long, once, and once more when it works again.

use std::sync::Arc;

use model::{Language, TenantId};
use store::{Hook, Spell, StoreError, masked_url};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::{Mail, Mailer, Shared};

/// Looks now and then, until the server stops.
pub(super) async fn run(shared: Arc<Shared>, mailer: Option<Arc<dyn Mailer>>, mut stopping: watch::Receiver<bool>) {
    let mut looks = interval(shared.app.settings.hooks.look_every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = look(&shared, mailer.as_deref()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "nobody can be warned of hooks that fail");
        }
        sweep(&shared).await;
    }
}

async fn look(shared: &Shared, mailer: Option<&dyn Mailer>) -> Result<(), StoreError> {
    let store = shared.app.store.hooks();
    let longer_than = shared.app.settings.hooks.warn_after;
    let failing = store.failing(longer_than).await?;
    shared.app.metrics.hooks_failing.set(i64::try_from(failing).unwrap_or(i64::MAX));
    let spells = store.spells(longer_than).await?;
    if spells.is_empty() {
        return Ok(());
    }
    let hooks = store.load().await?;
    for spell in spells {
        match spell.since {
            Some(since) => {
                tracing::warn!(hook = %spell.hook, tenant = spell.tenant.0, %since, error = spell.error, "a hook fails");
            }
            None => tracing::info!(hook = %spell.hook, tenant = spell.tenant.0, "a hook works again"),
        }
        if let (Some(mailer), Some(hook)) = (mailer, hooks.iter().find(|hook| hook.id == spell.hook)) {
            let to = store.owners(spell.tenant).await?;
            if !to.is_empty()
                && let Err(why) = mailer.send(letter(to, language(shared, spell.tenant), hook, &spell)).await
            {
                // It is tried again with the next look.
                tracing::warn!(hook = %spell.hook, why, "the owners cannot be told by mail");
                continue;
            }
        }
        store.told(&spell).await?;
    }
    Ok(())
}

/// What is old goes, a little at a time.
async fn sweep(shared: &Shared) {
    loop {
        match shared.app.store.hooks().sweep().await {
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "old deliveries of hooks cannot be removed");
                return;
            }
        }
    }
}

fn language(shared: &Shared, tenant: TenantId) -> Language {
    let directory = shared.app.directory.borrow();
    directory.tenants.iter().find(|entry| entry.id == tenant).map(|entry| entry.language).unwrap_or_default()
}

fn letter(to: Vec<String>, language: Language, hook: &Hook, spell: &Spell) -> Mail {
    let url = masked_url(&hook.url);
    let (id, error) = (hook.id, &spell.error);
    let (subject, text) = match (language, spell.since) {
        (Language::Vi, Some(since)) => (
            format!("Webhook {id} không nhận được tin"),
            format!(
                "Webhook {id} ({url}) không nhận được tin nào từ {since}.\n\nLỗi gần nhất: {error}\n\n\
                 Tổng đài vẫn tiếp tục gửi lại. Hãy kiểm tra máy chủ nhận webhook; những gì đã gửi và câu trả lời có tại \
                 /v1/hooks/{id}/deliveries.\n"
            ),
        ),
        (Language::Vi, None) => (
            format!("Webhook {id} đã hoạt động trở lại"),
            format!("Webhook {id} ({url}) đã nhận được tin trở lại. Những tin đang chờ sẽ được gửi tiếp.\n"),
        ),
        (Language::En, Some(since)) => (
            format!("Webhook {id} receives nothing"),
            format!(
                "Nothing has reached webhook {id} ({url}) since {since}.\n\nThe last error: {error}\n\n\
                 The switchboard goes on trying. Look at the server that receives the webhook; what was sent and what came \
                 back is at /v1/hooks/{id}/deliveries.\n"
            ),
        ),
        (Language::En, None) => (
            format!("Webhook {id} works again"),
            format!("Messages reach webhook {id} ({url}) again. Those that wait are sent now.\n"),
        ),
    };
    Mail { to, subject, text }
}
