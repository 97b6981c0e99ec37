//! A running server, spoken to by its native API: what the commands that need one have in common.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Failure;
use crate::config::{Layers, Remote};
use crate::handover::with_cause;
use crate::unusable::Unusable;

/// How long a running server may take to begin its answer.
const WITHIN: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    remote: Remote,
    http: reqwest::Client,
}

/// What a server refused, and on which line of a file that was sent.
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// One sentence.
    pub sentence: String,
    /// From 1.
    pub line: Option<u32>,
}

/// RFC 9457.
#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    line: Option<u32>,
}

impl Server {
    /// The server that the settings name.
    pub fn load(layers: &Layers) -> Result<Self, Failure> {
        let remote = Remote::load(layers)?;
        let http = reqwest::Client::builder()
            .connect_timeout(WITHIN)
            .read_timeout(WITHIN)
            .build()
            .map_err(|error| Failure::Failed(with_cause(&error)))?;
        Ok(Self { remote, http })
    }

    /// A request for a path of the native API, `/v1/calls`.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.remote.url)).bearer_auth(&self.remote.admin_token)
    }

    /// Sends a request. A refusal is for the caller to explain.
    pub async fn send(&self, request: RequestBuilder) -> Result<Result<Response, Refused>, Failure> {
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Ok(answer));
        }
        let body = answer.text().await.map_err(|error| self.unreachable(error))?;
        let Problem { title, detail, line } = serde_json::from_str(&body).map_err(|_| self.not_ours())?;
        let sentence = detail.or(title).unwrap_or_else(|| status.to_string());
        Ok(Err(Refused { status: status.as_u16(), sentence, line }))
    }

    /// The body of an answer.
    pub async fn json<T: DeserializeOwned>(&self, answer: Response) -> Result<T, Failure> {
        let body = answer.text().await.map_err(|error| self.unreachable(error))?;
        serde_json::from_str(&body).map_err(|_| self.not_ours())
    }

    /// A refusal that has no better explanation.
    pub fn failure(&self, refused: &Refused) -> Failure {
        let Refused { status, sentence, .. } = refused;
        let url = &self.remote.url;
        match status {
            401 | 403 => Unusable(format!("{url}: {sentence}: give the server's token with --admin-token")).into(),
            400 | 404 | 422 => Unusable(sentence.clone()).into(),
            _ => Failure::Failed(format!("{url}: {sentence}")),
        }
    }

    /// The connection failed, or broke.
    pub fn unreachable(&self, error: reqwest::Error) -> Failure {
        let why = with_cause(&error.without_url());
        Failure::Failed(format!("{}: {why}: start the server, or name it with --http", self.remote.url))
    }

    fn not_ours(&self) -> Failure {
        let url = &self.remote.url;
        Failure::Failed(format!("{url}: what answers there is no Tongdai: name the server with --http"))
    }
}
