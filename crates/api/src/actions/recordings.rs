//! Recordings: where their sound lies.

use std::path::{Component, Path, PathBuf};

use model::{CallId, RecordingId, Role, TenantId};
use store::RecordingRow;

use super::{Asker, Refusal};
use crate::App;

/// Up to `limit` recordings, newest first, from behind `after`.
pub(crate) async fn list(
    app: &App,
    asker: &Asker,
    call: Option<CallId>,
    after: Option<RecordingId>,
    limit: u32,
) -> Result<Vec<RecordingRow>, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(asker.store(app).recordings().list(call, after, limit).await?)
}

/// The file of a recording that plays, also while it is still being written.
pub(crate) async fn file(app: &App, asker: &Asker, id: RecordingId) -> Result<PathBuf, Refusal> {
    asker.needs(Role::Reader)?;
    let recording =
        asker.store(app).recordings().get(id).await?.filter(|recording| !recording.failed && !recording.expired);
    let name = recording.map(|recording| recording.file);
    name.and_then(|name| within(&app.settings.recordings, &name))
        .ok_or_else(|| Refusal::not_found(format!("recording {id}")))
}

/// The file of a call's recording, for whoever holds a link that was signed for it.
pub(crate) async fn file_of_link(app: &App, tenant: TenantId, call: CallId) -> Result<PathBuf, Refusal> {
    let row = app.store.tenant(tenant).records().get(call).await?;
    row.as_ref()
        .and_then(|row| row.record.recording())
        .and_then(|recording| within(&app.settings.recordings, &recording.file))
        .ok_or_else(|| Refusal::not_found(format!("the recording of call {call}")))
}

/// A file name may name folders within the recordings, and nothing outside.
fn within(folder: &Path, name: &str) -> Option<PathBuf> {
    let inside = !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_never_leaves_the_folder() {
        let folder = Path::new("/recordings");

        assert_eq!(within(folder, "1/a.wav"), Some(PathBuf::from("/recordings/1/a.wav")));
        for name in ["", "../secret.key", "/etc/passwd", "a/../../b", "./a"] {
            assert_eq!(within(folder, name).filter(|path| !path.starts_with(folder)), None, "{name}");
        }
        assert_eq!(within(folder, "../secret.key"), None);
    }
}
