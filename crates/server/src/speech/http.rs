//! A service that speaks, asked as Google's text-to-speech is: text in, sound in base64 out.

use std::time::Duration;

use api::Pending;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use model::{Clip, Language};
use reqwest::{Client, header};
use serde::{Deserialize, Serialize};

use super::{Driver, SpeechError, SpeechKey, Words};
use crate::handover::with_cause;
use crate::sounds::wav;

/// Where no voice is named: the service chooses one of the language.
pub const ANY_VOICE: &str = "";
/// How long a service may take.
const WITHIN: Duration = Duration::from_secs(15);
/// The longest answer, in bytes.
const MOST: usize = 32 * 1024 * 1024;

/// Speaks by a service.
pub struct Service {
    client: Client,
    url: String,
}

impl Service {
    /// Asks at this URL, with a key if one is needed.
    pub fn new(url: &str, key: Option<&SpeechKey>) -> Result<Self, String> {
        let mut headers = header::HeaderMap::new();
        if let Some(SpeechKey(key)) = key {
            let mut key = header::HeaderValue::from_str(key).map_err(|_| "--speech-key: this is no key")?;
            key.set_sensitive(true);
            headers.insert("x-goog-api-key", key);
        }
        // Whoever was first has chosen it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().default_headers(headers).timeout(WITHIN).build();
        let client = client.map_err(|error| format!("--speech-url: {}", with_cause(&error)))?;
        Ok(Self { client, url: url.to_owned() })
    }
}

impl Driver for Service {
    fn name(&self) -> &'static str {
        "http"
    }

    fn speak<'a>(&'a self, words: &'a Words) -> Pending<'a, Result<Vec<i16>, SpeechError>> {
        Box::pin(async move { self.ask(words).await.map_err(SpeechError::Failed) })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    input: Input<'a>,
    voice: Voice<'a>,
    audio_config: AudioConfig,
}

#[derive(Serialize)]
struct Input<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Voice<'a> {
    language_code: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AudioConfig {
    audio_encoding: &'static str,
    sample_rate_hertz: u32,
    speaking_rate: f32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    audio_content: String,
}

impl Service {
    async fn ask(&self, Words { language, voice, rate, text }: &Words) -> Result<Vec<i16>, String> {
        let language_code = match language {
            Language::Vi => "vi-VN",
            Language::En => "en-US",
        };
        let request = Request {
            input: Input { text },
            voice: Voice { language_code, name: voice },
            audio_config: AudioConfig {
                audio_encoding: "LINEAR16",
                sample_rate_hertz: Clip::RATE,
                speaking_rate: f32::from(*rate) / 100.0,
            },
        };
        // The URL may hold a key: an error is told without it.
        let failed = |error: reqwest::Error| format!("asking the speech service: {}", with_cause(&error.without_url()));
        let answer = self.client.post(&self.url).json(&request).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(format!("the speech service answers {}", answer.status()));
        }
        let (mut body, mut parts) = (Vec::new(), answer.bytes_stream());
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part.map_err(failed)?);
            if body.len() > MOST {
                return Err("the speech service answers without end".into());
            }
        }
        let read = move || {
            let answer: Answer = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
            let sound = STANDARD.decode(answer.audio_content).map_err(|error| error.to_string())?;
            samples(&sound)
        };
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
        read.map_err(|error| format!("the answer of the speech service cannot be read: {error}"))
    }
}

/// LINEAR16 is a WAV file at some services, and bare samples at others.
fn samples(sound: &[u8]) -> Result<Vec<i16>, String> {
    let samples = if sound.starts_with(b"RIFF") {
        wav::read(sound).map_err(|error| error.to_string())?
    } else {
        sound.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    };
    if samples.is_empty() { Err("it holds no sound".into()) } else { Ok(samples) }
}
