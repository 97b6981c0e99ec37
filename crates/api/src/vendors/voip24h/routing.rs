//! Smart routing (part IX of the documents, readings 20): the tenant's CRM is asked whom a call from outside reaches.
//!
//! Reads what the CRM answers and leaves alone CRMs that fail; whom its word means, and what happens without one, is the
//! engine's business. What stands in the URL is the tenant's secret: no sentence and no log shows more than its host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::TenantId;
use reqwest::{Response, Url, header};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::outward::{self, Outward};

/// So many failures in a row, and the URL is left alone for so long.
const FAILURES: u32 = 5;
const LEFT_ALONE: Duration = Duration::from_secs(30);
/// Questions under way at once: of everybody, and to one URL, so that no slow CRM takes the room of all.
const AT_ONCE: usize = 256;
const AT_ONCE_OF_ONE: u32 = 32;
/// Bytes of an answer. It is a number, in JSON at the most.
const LONGEST_ANSWER: usize = 8 * 1024;
/// Digits of an extension's or a group's number.
const LONGEST_TARGET: usize = 32;

/// Asks CRMs. Cheap to clone.
#[derive(Clone)]
pub struct Crm {
    outward: Outward,
    room: Arc<Semaphore>,
    known: Arc<Mutex<HashMap<Asked, Known>>>,
}

/// A tenant's URL.
type Asked = (TenantId, String);

/// What is known of a URL: nothing once it is well and idle.
#[derive(Default)]
struct Known {
    /// In a row.
    failures: u32,
    /// Not asked before then.
    left_alone_until: Option<Instant>,
    /// Questions under way.
    under_way: u32,
}

/// Why there is no answer.
enum Silence {
    /// The CRM is there and decides nothing.
    Undecided(String),
    /// It is not to be reached, late, or fails.
    Failed(String),
}

impl Crm {
    /// Asks by these clients.
    pub fn new(outward: Outward) -> Self {
        Self { outward, room: Arc::new(Semaphore::new(AT_ONCE)), known: Arc::default() }
    }

    /// The extension or group that the CRM names for a call from `phone` to `did`; else one sentence why there is none.
    ///
    /// GET on the URL with its own query kept. `private`: whether it may lead to a private address.
    pub async fn ask(
        &self,
        tenant: TenantId,
        private: bool,
        url: &str,
        phone: &str,
        did: &str,
        within: Duration,
    ) -> Result<String, String> {
        let Ok(_room) = self.room.try_acquire() else { return Err("too many CRMs are being asked".to_owned()) };
        let asked = (tenant, url.to_owned());
        let mut asking = self.begin(asked)?;
        let answer = match timeout(within, self.fetch(private, url, phone, did)).await {
            Ok(answer) => answer,
            Err(_) => Err(Silence::Failed("the CRM did not answer in time".to_owned())),
        };
        asking.failed = Some(matches!(answer, Err(Silence::Failed(_))));
        answer.map_err(|(Silence::Undecided(why) | Silence::Failed(why))| why)
    }

    async fn fetch(&self, private: bool, url: &str, phone: &str, did: &str) -> Result<String, Silence> {
        let undecided = |why: &str| Silence::Undecided(why.to_owned());
        let mut url: Url = url.parse().map_err(|_| undecided("the CRM's URL cannot be read"))?;
        self.outward.check(&url, private).map_err(Silence::Undecided)?;
        url.query_pairs_mut()
            .append_pair("phone", phone.trim_start_matches('+'))
            .append_pair("did", did.trim_start_matches('+'));
        let request = self.outward.client(private).get(url).header(header::ACCEPT, "text/plain, application/json, */*");
        let failed = |error: reqwest::Error| Silence::Failed(format!("the CRM: {}", outward::why(&error)));
        let response = request.send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(Silence::Failed(format!("the CRM answered with status {}", response.status().as_u16())));
        }
        target(&body(response).await?).map_err(Silence::Undecided)
    }

    fn begin(&self, asked: Asked) -> Result<Asking<'_>, String> {
        let mut known = self.known();
        let now = Instant::now();
        let it = known.entry(asked.clone()).or_default();
        if it.left_alone_until.is_some_and(|until| now < until) {
            return Err("the CRM failed five times in a row and is left alone for 30 seconds".to_owned());
        }
        if it.under_way >= AT_ONCE_OF_ONE {
            return Err("too many questions to this CRM are under way".to_owned());
        }
        // After a rest one question finds out how it is; the others wait for what that says.
        it.left_alone_until = (it.failures >= FAILURES).then(|| now + LEFT_ALONE);
        it.under_way += 1;
        Ok(Asking { crm: self, asked, failed: None })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Asked, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question under way; what came of it counts when it is over.
struct Asking<'a> {
    crm: &'a Crm,
    asked: Asked,
    /// None: nobody waited for the end.
    failed: Option<bool>,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut known = self.crm.known();
        let Some(it) = known.get_mut(&self.asked) else { return };
        it.under_way = it.under_way.saturating_sub(1);
        match self.failed {
            Some(true) => {
                it.failures = it.failures.saturating_add(1);
                if it.failures >= FAILURES {
                    it.left_alone_until = Some(Instant::now() + LEFT_ALONE);
                }
                if it.failures == FAILURES {
                    let url: Option<Url> = self.asked.1.parse().ok();
                    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
                    tracing::warn!(tenant = self.asked.0.0, host, "a CRM failed five times in a row");
                }
            }
            Some(false) => (it.failures, it.left_alone_until) = (0, None),
            None => {}
        }
        // Remembered are only URLs that fail now, so that names that came and went leave nothing behind.
        let now = Instant::now();
        known.retain(|_, it| {
            it.under_way > 0 || (it.failures > 0 && it.left_alone_until.is_none_or(|until| now < until + LEFT_ALONE))
        });
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, Silence> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST_ANSWER => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(Silence::Undecided("the CRM's answer is too long to be a number".to_owned())),
            Ok(None) => return Ok(body),
            Err(error) => return Err(Silence::Failed(format!("the CRM: {}", outward::why(&error)))),
        }
    }
}

/// The number in an answer: bare, as a JSON string or number, or in an object as `extension` or `group`.
fn target(body: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(body);
    let text = trimmed(&text);
    let word = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => in_object(&object),
        Ok(Value::String(text)) => text,
        Ok(Value::Null) => String::new(),
        // A number is taken as it was written: `007` is no JSON, and `101.0` is no extension.
        Ok(_) | Err(_) => text.to_owned(),
    };
    let word = trimmed(&word);
    if word.is_empty() || word.eq_ignore_ascii_case("default") {
        return Err("the CRM decided nothing".to_owned());
    }
    if word.len() > LONGEST_TARGET || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the CRM's answer is not the number of an extension or a group".to_owned());
    }
    Ok(word.to_owned())
}

/// Names are matched without case. An object that names neither, as `{"action":"default"}`, decides nothing.
fn in_object(object: &serde_json::Map<String, Value>) -> String {
    let named = |name: &str| {
        object.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).and_then(|(_, value)| match value {
            Value::String(text) => Some(text.clone()).filter(|text| !trimmed(text).is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    if named("action").is_some_and(|action| trimmed(&action).eq_ignore_ascii_case("default")) {
        return String::new();
    }
    named("extension").or_else(|| named("group")).unwrap_or_default()
}

/// Without what editors and frameworks put around a text: spaces, lines, byte order marks.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}' | '\0'))
}

#[cfg(test)]
mod tests;
