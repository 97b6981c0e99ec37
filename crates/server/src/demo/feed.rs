//! Reads the story from `/v1/events`, as any client would.

use futures_util::Stream;
use model::Event;
use serde::Deserialize;

use crate::Failure;
use crate::handover::with_cause;

/// A client of one server's story.
pub struct Feed {
    client: reqwest::Client,
    url: String,
    token: String,
}

/// An event with its place in the story.
#[derive(Deserialize)]
struct Placed {
    position: i64,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Placed>,
}

impl Feed {
    /// The story at `http://ADDR:PORT`, read with a tenant's token.
    pub fn new(server: &str, token: &str) -> Self {
        Self { client: reqwest::Client::new(), url: format!("{server}/v1/events"), token: token.to_owned() }
    }

    /// The position of the last event there is.
    pub async fn head(&self) -> Result<i64, Failure> {
        let mut head = 0;
        loop {
            let request = self.client.get(format!("{}?after={head}&limit=1000", self.url));
            let answer = request.bearer_auth(&self.token).send().await.and_then(reqwest::Response::error_for_status);
            let text = answer.map_err(failed)?.text().await.map_err(failed)?;
            let page: Page = serde_json::from_str(&text).map_err(|error| Failure::Failed(error.to_string()))?;
            let Some(last) = page.items.last() else { return Ok(head) };
            head = last.position;
        }
    }

    /// Everything that happens after a position, for as long as the server runs.
    pub async fn follow(&self, after: i64) -> Result<impl Stream<Item = Event> + use<>, Failure> {
        let request = self.client.get(format!("{}?after={after}", self.url));
        let request = request.bearer_auth(&self.token).header("Accept", "text/event-stream");
        let answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        Ok(events(answer))
    }
}

fn events(answer: reqwest::Response) -> impl Stream<Item = Event> {
    futures_util::stream::unfold((answer, Lines::default()), async |(mut answer, mut lines)| {
        loop {
            while let Some(line) = lines.next() {
                let event = line.strip_prefix("data:").and_then(|json| serde_json::from_str(json.trim_start()).ok());
                if let Some(event) = event {
                    return Some((event, (answer, lines)));
                }
            }
            match answer.chunk().await {
                Ok(Some(bytes)) => lines.0.extend_from_slice(&bytes),
                Ok(None) | Err(_) => return None,
            }
        }
    })
}

/// Bytes of an event-stream, taken a line at a time.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn next(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.0.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

fn failed(error: reqwest::Error) -> Failure {
    Failure::Failed(format!("reading the story: {}", with_cause(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_arrive() {
        let mut lines = Lines::default();

        lines.0.extend_from_slice(b"id: 1\r\nda");
        assert_eq!(lines.next().as_deref(), Some("id: 1"));
        assert_eq!(lines.next(), None);
        lines.0.extend_from_slice(b"ta: {}\n\n");

        assert_eq!(lines.next().as_deref(), Some("data: {}"));
        assert_eq!(lines.next().as_deref(), Some(""));
        assert_eq!(lines.next(), None);
    }
}
