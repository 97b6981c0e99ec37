//! The files of sounds that tenants upload.

use std::path::PathBuf;

use bytes::Bytes;
use model::TenantId;
use store::Noun;

use super::settings::{self, Keeper};
use super::{Refusal, audit, need};
use crate::{App, SoundUpload};

/// Takes a file for a sound, and is over when every engine plays it. How long it is, in milliseconds.
pub(crate) async fn upload(app: &App, keeper: &Keeper, called: &str, file: Bytes) -> Result<u64, Refusal> {
    may_upload(keeper)?;
    let (tenant, name) = named(app, keeper, called).await?;
    let upload = SoundUpload { tenant, name: name.clone(), file: Some(file), author: keeper.author.clone() };
    let milliseconds = app.provisioner.put_sound(upload).await?;
    audit::note(app, &keeper.author, tenant, ("upload", "sound"), &name, None).await;
    Ok(milliseconds)
}

/// Takes the file of a sound away.
pub(crate) async fn delete(app: &App, keeper: &Keeper, called: &str) -> Result<(), Refusal> {
    may_upload(keeper)?;
    let (tenant, name) = named(app, keeper, called).await?;
    let upload = SoundUpload { tenant, name: name.clone(), file: None, author: keeper.author.clone() };
    app.provisioner.put_sound(upload).await?;
    audit::note(app, &keeper.author, tenant, ("delete_file", "sound"), &name, None).await;
    Ok(())
}

/// Where the file of a sound lies, and what the sound is called.
pub(crate) async fn file(app: &App, keeper: &Keeper, called: &str) -> Result<(PathBuf, String), Refusal> {
    let (tenant, name) = named(app, keeper, called).await?;
    Ok((app.provisioner.sound_file(tenant, &name), name))
}

/// Refuses whoever may not upload, before what they sent is taken.
pub(crate) fn may_upload(keeper: &Keeper) -> Result<(), Refusal> {
    need(&keeper.actor, settings::roles(Noun::Sound).1)
}

async fn named(app: &App, keeper: &Keeper, called: &str) -> Result<(TenantId, String), Refusal> {
    let thing = settings::get(app, keeper, Noun::Sound, called).await?;
    let tenant = keeper.tenant.or(keeper.usual);
    let tenant = tenant.ok_or_else(|| Refusal::wrong("there is no default tenant: name one with `?tenant=NAME`"))?;
    Ok((tenant, thing.name))
}
