//! `tongdai events`: the story, from a point on, and as it goes on.

use clap::{ArgMatches, Command};
use futures_util::StreamExt;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Form, View, flag, say, value};
use crate::Failure;
use crate::remote::Server;

/// From where the story is told, unless asked otherwise: the last so many events.
const USUAL: &str = "-20";
/// Events of one request.
const PAGE: &str = "1000";

/// From where, and whether it goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whence {
    after: Option<String>,
    call: Option<String>,
    follow: bool,
}

/// The command.
pub fn command() -> Command {
    Command::new("events")
        .about("Shows what happened, in order")
        .arg(
            value("after", "POSITION", "Those after this position; -N: the last N [default: -20]")
                .allow_negative_numbers(true),
        )
        .arg(value("call", "ID", "Those of one call").conflicts_with_all(["after", "follow"]))
        .arg(flag("follow", "Go on as things happen").short('f'))
}

impl Whence {
    /// As the command line has it.
    pub fn of(matches: &ArgMatches) -> Self {
        let given = |name: &str| matches.get_one::<String>(name).cloned();
        Self { after: given("after"), call: given("call"), follow: matches.get_flag("follow") }
    }
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Map<String, Value>>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Call {
    events: Vec<Map<String, Value>>,
}

/// Shows them.
pub async fn show(server: &Server, whence: &Whence, view: &View) -> Result<(), Failure> {
    if let Some(call) = &whence.call {
        let request = server.ask(Method::GET, &format!("/v1/calls/{call}")).query(&view.query());
        let answer = server.send(request).await?.map_err(|refused| server.failure(&refused))?;
        let Call { events } = server.json(answer).await?;
        tell(events, view.form);
        return Ok(());
    }
    let after = whence.after.clone().unwrap_or_else(|| USUAL.to_owned());
    if whence.follow { follow(server, after, view).await } else { pages(server, after, view).await }
}

async fn pages(server: &Server, mut after: String, view: &View) -> Result<(), Failure> {
    loop {
        let query = [view.query(), vec![("after", after), ("limit", PAGE.to_owned())]].concat();
        let answer = server.send(server.ask(Method::GET, "/v1/events").query(&query)).await?;
        let page: Page = server.json(answer.map_err(|refused| server.failure(&refused))?).await?;
        if !tell(page.items, view.form) {
            return Ok(());
        }
        let Some(next) = page.next else { return Ok(()) };
        after = next;
    }
}

/// Reads the event-stream. It says something at least every few seconds, so that a dead connection is noticed.
async fn follow(server: &Server, after: String, view: &View) -> Result<(), Failure> {
    let query = [view.query(), vec![("after", after)]].concat();
    let request = server.ask(Method::GET, "/v1/events").query(&query).header("Accept", "text/event-stream");
    let answer = server.send(request).await?.map_err(|refused| server.failure(&refused))?;
    let (mut pieces, mut line) = (answer.bytes_stream(), Vec::new());
    while let Some(piece) = pieces.next().await {
        for byte in piece.map_err(|error| server.unreachable(error))? {
            if byte != b'\n' {
                line.push(byte);
                continue;
            }
            let event = line.strip_prefix(b"data:").and_then(|data| serde_json::from_slice(data).ok());
            line.clear();
            if !tell(event, view.form) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// False: nobody reads any more.
fn tell(events: impl IntoIterator<Item = Map<String, Value>>, form: Form) -> bool {
    events.into_iter().all(|event| match form {
        Form::Json => say(&Value::Object(event).to_string()),
        Form::Text | Form::Csv => say(&sentence(&event)),
    })
}

/// `1042  2026-01-31T01:00:00Z  call.ended  1700000000.1000101  reason=hung_up sip=200`
fn sentence(event: &Map<String, Value>) -> String {
    let text = |name: &str| event.get(name).map(words).unwrap_or_default();
    let told = ["position", "subject", "id", "seq", "at", "type", "callid"];
    let rest = event.iter().filter(|(name, _)| !told.contains(&name.as_str()));
    let rest: Vec<String> = rest.map(|(name, value)| format!("{name}={}", words(value))).collect();
    let (position, at, kind, id) = (text("position"), text("at"), text("type"), text("id"));
    format!("{position:>8}  {at}  {kind}  {id}  {}", rest.join(" ")).trim_end().to_owned()
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_with_all_that_it_says() {
        let event = serde_json::json!({
            "position": 1042, "subject": "call", "id": "1700000000.1000101", "seq": 5, "at": "2026-01-31T01:00:00Z",
            "type": "call.ended", "callid": "1700000000.1000101", "reason": "hung_up", "sip": 200,
        });

        let line = sentence(event.as_object().expect("an object"));

        assert_eq!(line, "    1042  2026-01-31T01:00:00Z  call.ended  1700000000.1000101  reason=hung_up sip=200");
    }
}
