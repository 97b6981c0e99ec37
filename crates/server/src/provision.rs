//! Provision files: applied at start, or sent to a running server.

use std::path::{Path, PathBuf};

use reqwest::Method;
use serde::Deserialize;
use store::provision::{Provision, ProvisionError};
use store::{ApplyError, Changes, Store};

use crate::Failure;
use crate::config::Layers;
use crate::handover::with_cause;
use crate::remote::{Refused, Server};
use crate::unusable::Unusable;

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
    let server = Server::load(layers)?;
    let request = server
        .ask(Method::POST, "/v1/provision")
        .query(&[("prune", prune)])
        .header("Content-Type", "application/yaml")
        .body(read(file)?);
    match server.send(request).await? {
        Ok(answer) => Ok(Changes::from(server.json::<Applied>(answer).await?).to_string()),
        Err(Refused { status: 400 | 422, sentence, line }) => {
            Err(wrong(file, &ProvisionError { line, sentence }).into())
        }
        Err(refused) => Err(server.failure(&refused)),
    }
}

/// The answer to a file that was applied.
#[derive(Deserialize)]
struct Applied {
    created: u64,
    updated: u64,
    deleted: u64,
    unchanged: u64,
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
