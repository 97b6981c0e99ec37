//! A receiver of hooks that does what a test tells it, and keeps what it was told.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the receiver does with a request.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// These bytes, then the connection is closed.
    Says(String),
    /// Nothing ever.
    Hangs,
    /// The connection is closed at once.
    Closes,
}

/// A request as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// `POST /hook?key=1 HTTP/1.1`
    pub line: String,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Received {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

pub struct Receiver {
    pub url: String,
    requests: mpsc::UnboundedReceiver<Received>,
}

impl Receiver {
    /// One that reacts to each request, by what it is and how many came before it.
    pub async fn start(react: impl Fn(&Received, usize) -> Reaction + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook?secret_key=SECRET_DEMO", listener.local_addr().expect("its address"));
        let (keep, requests) = mpsc::unbounded_channel();
        let react = Arc::new(react);
        tokio::spawn(async move {
            let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            while let Ok((stream, _)) = listener.accept().await {
                let (keep, react, count) = (keep.clone(), react.clone(), count.clone());
                tokio::spawn(async move {
                    serve(stream, |request| {
                        let nth = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        let reaction = react(&request, nth);
                        let _ = keep.send(request);
                        reaction
                    })
                    .await
                });
            }
        });
        Self { url, requests }
    }

    /// One that takes everything.
    pub async fn content() -> Self {
        Self::start(|_, _| answer(200)).await
    }

    /// The next request.
    pub async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), self.requests.recv());
        next.await.expect("a request in time").expect("the receiver lives")
    }

    /// The next so many requests.
    pub async fn some(&mut self, count: usize) -> Vec<Received> {
        let mut some = Vec::new();
        while some.len() < count {
            some.push(self.next().await);
        }
        some
    }

    /// What came besides.
    pub fn rest(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

/// An answer of this status.
pub fn answer(status: u16) -> Reaction {
    with_headers(status, "")
}

/// An answer with more headers, each line ending in `\r\n`.
pub fn with_headers(status: u16, headers: &str) -> Reaction {
    Reaction::Says(format!("HTTP/1.1 {status} Demo\r\n{headers}Content-Length: 2\r\nConnection: close\r\n\r\nok"))
}

async fn serve(stream: TcpStream, react: impl FnOnce(Received) -> Reaction) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok().filter(|read| *read > 0)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).ok()?;
    match react(Received { line: line.trim_end().to_owned(), headers, body }) {
        Reaction::Says(text) => {
            stream.get_mut().write_all(text.as_bytes()).await.ok()?;
            stream.get_mut().shutdown().await.ok()
        }
        Reaction::Hangs => std::future::pending().await,
        Reaction::Closes => None,
    }
}
