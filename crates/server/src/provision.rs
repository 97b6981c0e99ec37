//! Provision files: applied at start, or sent to a running server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use store::provision::{Provision, ProvisionError};
use store::{ApplyError, Changes, Store};

use crate::Failure;
use crate::config::{Layers, Remote};
use crate::handover::with_cause;
use crate::unusable::Unusable;

/// How long a running server may take to match a file.
const WITHIN: Duration = Duration::from_secs(60);

/// Reads a file and checks all that can be known of it without a store.
pub fn read_and_check(file: &Path) -> Result<(PathBuf, Provision), Unusable> {
    let text = read(file)?;
    match store::provision::parse(&text) {
        Ok(provision) => Ok((file.to_owned(), provision)),
        Err(error) => Err(wrong(file, &error)),
    }
}

/// Makes the store match a file, before anything runs.
pub async fn apply_at_start(store: &Store, file: &Path, provision: Provision) -> Result<Changes, Failure> {
    match store.settings().apply(provision, false).await {
        Ok(changes) => Ok(changes),
        Err(ApplyError::Conflict(error)) => Err(wrong(file, &error).into()),
        Err(ApplyError::Store(error)) => Err(Failure::Failed(with_cause(&error))),
    }
}

/// Makes a running server match a file; returns what it changed, in one line.
pub async fn send(layers: &Layers, file: &Path, prune: bool) -> Result<String, Failure> {
    let remote = Remote::load(layers)?;
    let text = read(file)?;
    let request = reqwest::Client::new()
        .post(format!("{}/v1/provision?prune={prune}", remote.url))
        .bearer_auth(&remote.admin_token)
        .header("Content-Type", "application/yaml")
        .timeout(WITHIN)
        .body(text);
    let unreachable = |error: reqwest::Error| {
        let why = with_cause(&error.without_url());
        Failure::Failed(format!("{}: {why}: start the server, or name it with --http", remote.url))
    };
    let answer = request.send().await.map_err(unreachable)?;
    let status = answer.status();
    let body = answer.text().await.map_err(unreachable)?;
    if status.is_success() {
        let applied: Applied = serde_json::from_str(&body).map_err(|_| not_ours(&remote))?;
        return Ok(Changes::from(applied).to_string());
    }
    let problem: Problem = serde_json::from_str(&body).map_err(|_| not_ours(&remote))?;
    let sentence = problem.detail.or(problem.title).unwrap_or_else(|| status.to_string());
    Err(match (status.as_u16(), problem.line) {
        (400 | 422, line) => wrong(file, &ProvisionError { line, sentence }).into(),
        (401 | 403, _) => {
            Unusable(format!("{}: {sentence}: give the server's token with --admin-token", remote.url)).into()
        }
        _ => Failure::Failed(format!("{}: {sentence}", remote.url)),
    })
}

/// The answer to a file that was applied.
#[derive(Deserialize)]
struct Applied {
    created: u64,
    updated: u64,
    deleted: u64,
    unchanged: u64,
}

/// RFC 9457.
#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    line: Option<u32>,
}

impl From<Applied> for Changes {
    fn from(applied: Applied) -> Self {
        let Applied { created, updated, deleted, unchanged } = applied;
        Self { created, updated, deleted, unchanged }
    }
}

fn read(file: &Path) -> Result<String, Unusable> {
    std::fs::read_to_string(file)
        .map_err(|error| Unusable(format!("{}: {error}: name a provision file that can be read", file.display())))
}

fn wrong(file: &Path, error: &ProvisionError) -> Unusable {
    let file = file.display();
    Unusable(match error.line {
        Some(line) => format!("{file}:{line}: {}", error.sentence),
        None => format!("{file}: {}", error.sentence),
    })
}

fn not_ours(remote: &Remote) -> Failure {
    Failure::Failed(format!("{}: what answers there is no Tongdai: name the server with --http", remote.url))
}
