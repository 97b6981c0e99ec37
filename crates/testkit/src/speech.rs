//! A service that speaks, as Google's text-to-speech is asked. What it says is a tone as long as its text.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

/// Bytes of a request's body that are read, at most.
const MOST: usize = 1024 * 1024;

/// A service on a port of its own. It stops when it is dropped.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Inner {
    asked: Mutex<Vec<Asked>>,
    /// What it answers to everything, where it does not speak.
    answer: Option<String>,
    is_over: AtomicBool,
}

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The key that came with it.
    pub key: Option<String>,
    /// The JSON.
    pub body: Value,
}

/// What the service says instead of a text: a tone, 20 ms a character.
pub fn sound_of(text: &str) -> Vec<i16> {
    let pitch = 300.0 + f32::from(text.bytes().fold(0_u8, u8::wrapping_add));
    let sample = |at: usize| (at as f32 * pitch * std::f32::consts::TAU / 8_000.0).sin() * 8_000.0;
    (0..text.chars().count() * 160).map(|at| sample(at) as i16).collect()
}

impl Service {
    /// One that speaks.
    pub fn start() -> Self {
        Self::with(None)
    }

    /// One that gives this answer, whatever it is asked.
    pub fn that_answers(answer: &str) -> Self {
        Self::with(Some(answer.to_owned()))
    }

    fn with(answer: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let inner = Arc::new(Inner { answer, ..Inner::default() });
        let (served, name) = (inner.clone(), "speech-service".to_owned());
        let serve = move || {
            for stream in listener.incoming().flatten() {
                if served.is_over.load(Ordering::Acquire) {
                    break;
                }
                // One that goes away in the middle is no trouble of the service.
                let _ = served.serve(stream);
            }
        };
        let thread = std::thread::Builder::new().name(name).spawn(serve).expect("a thread");
        Self { address, inner, thread: Some(thread) }
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        format!("http://{}/v1/text:synthesize", self.address)
    }

    /// Everything it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.inner.is_over.store(true, Ordering::Release);
        // So that it looks.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Inner {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut reader = BufReader::new(stream.try_clone()?).take(MOST as u64);
        let (mut length, mut key) = (0, None);
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            if let Some((name, value)) = line.split_once(':') {
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().unwrap_or(0).min(MOST),
                    "x-goog-api-key" => key = Some(value.trim().to_owned()),
                    _ => {}
                }
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = body["input"]["text"].as_str().unwrap_or_default().to_owned();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(Asked { key, body });
        let answer = self.answer.clone().unwrap_or_else(|| {
            let samples: Vec<u8> = sound_of(&text).into_iter().flat_map(i16::to_le_bytes).collect();
            let body = serde_json::json!({ "audioContent": base64(&samples) }).to_string();
            let length = body.len();
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        });
        stream.write_all(answer.as_bytes())
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let byte = |at: usize| u32::from(part.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let is_padding = at > part.len();
            text.push(if is_padding { '=' } else { SIGNS[(bits >> (18 - 6 * at) & 63) as usize] as char });
        }
    }
    text
}
