//! `tongdai cdr`: records, newest first.

use clap::{ArgMatches, Command};
use futures_util::StreamExt;
use model::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::table::Table;
use super::{Form, View, moment, say, value};
use crate::Failure;
use crate::remote::Server;
use crate::unusable::Unusable;

/// Records that are shown, unless more are asked for.
const USUAL: u32 = 20;
/// The rows of one request.
const PAGE: u32 = 1_000;

/// Filters whose flag is the parameter's name.
const FILTERS: [(&str, &str, &str); 7] = [
    ("callid", "ID", "One call"),
    ("extension", "NUMBER", "The company's side"),
    ("customer", "NUMBER", "The other side, in any form of the number"),
    ("did", "NUMBER", "The company's number, in any form"),
    ("search", "NUMBER", "Extension, customer or the company's number"),
    ("direction", "WORD", "inbound, outbound or local"),
    ("status", "WORD", "answered, no_answer, busy, failed or missed"),
];

/// Which records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    filters: Vec<(&'static str, String)>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<String>,
}

/// The command.
pub fn command() -> Command {
    let filters = FILTERS.map(|(name, what, help)| value(name, what, help));
    Command::new("cdr")
        .about("Shows records of calls, newest first")
        .args(filters)
        .arg(value("since", "MOMENT", "Started then or later: 2026-01-31T08:00:00+07:00, or 90m, 2h, 7d ago"))
        .arg(value("until", "MOMENT", "Started before then"))
        .arg(value("limit", "ROWS", "How many; 0: all [default: 20]"))
}

impl Search {
    /// As the command line has it.
    pub fn of(matches: &ArgMatches) -> Self {
        let given = |name: &str| matches.get_one::<String>(name).cloned();
        Self {
            filters: FILTERS.iter().filter_map(|(name, _, _)| Some((*name, given(name)?))).collect(),
            since: given("since"),
            until: given("until"),
            limit: given("limit"),
        }
    }

    fn query(&self, now: Timestamp) -> Result<Vec<(&'static str, String)>, Unusable> {
        let mut query = self.filters.clone();
        for (name, text) in [("started_since", &self.since), ("started_before", &self.until)] {
            if let Some(text) = text {
                query.push((name, moment(text, now)?.to_string()));
            }
        }
        Ok(query)
    }

    fn limit(&self) -> Result<u32, Unusable> {
        let wrong = |text: &str| Unusable(format!("--limit {text}: write a whole number, 0 for all"));
        match &self.limit {
            None => Ok(USUAL),
            Some(text) => match text.parse() {
                Ok(0) => Ok(u32::MAX),
                Ok(limit) => Ok(limit),
                Err(_) => Err(wrong(text)),
            },
        }
    }
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    callid: String,
    started_at: String,
    direction: String,
    from: String,
    to: String,
    extension: Option<String>,
    status: String,
    reason: Option<String>,
    bill_seconds: Option<i64>,
    duration_seconds: Option<i64>,
}

/// Shows them.
pub async fn show(server: &Server, search: &Search, view: &View) -> Result<(), Failure> {
    let query = [view.query(), search.query(Timestamp::now())?].concat();
    if view.form == Form::Csv {
        return show_csv(server, &query).await;
    }
    let mut table =
        Table::new(&["call", "started", "direction", "from", "to", "extension", "status", "reason", "talked", "took"]);
    let (mut left, mut after) = (search.limit()?, None::<String>);
    loop {
        let mut asked = query.clone();
        asked.push(("limit", left.min(PAGE).to_string()));
        asked.extend(after.map(|after| ("after", after)));
        let answer = server.send(server.ask(Method::GET, "/v1/records").query(&asked)).await?;
        let page: Page = server.json(answer.map_err(|refused| server.failure(&refused))?).await?;
        left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
        for item in page.items {
            match view.form {
                Form::Json if !say(&item.to_string()) => return Ok(()),
                Form::Json => {}
                Form::Text | Form::Csv => table.row(cells(item)?),
            }
        }
        after = page.next.filter(|_| left > 0);
        if after.is_none() {
            break;
        }
    }
    if view.form == Form::Text {
        if table.is_empty() {
            say("no record matches");
        } else {
            let _ = table.lines().all(|line| say(&line));
        }
    }
    Ok(())
}

/// The server's own CSV, as it comes.
async fn show_csv(server: &Server, query: &[(&'static str, String)]) -> Result<(), Failure> {
    use std::io::Write;
    let request = server.ask(Method::GET, "/v1/records").query(query).header("Accept", "text/csv");
    let answer = server.send(request).await?.map_err(|refused| server.failure(&refused))?;
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| server.unreachable(error))?;
        if std::io::stdout().lock().write_all(&piece).is_err() {
            break;
        }
    }
    Ok(())
}

fn cells(item: Value) -> Result<Vec<String>, Failure> {
    let row: Row = serde_json::from_value(item).map_err(|error| Failure::Failed(error.to_string()))?;
    let seconds = |value: Option<i64>| value.map_or_else(String::new, |value| format!("{value} s"));
    let (talked, took) = (seconds(row.bill_seconds), seconds(row.duration_seconds));
    let started = row.started_at.get(..19).unwrap_or(&row.started_at).replace('T', " ");
    let Row { callid, direction, from, to, extension, status, reason, .. } = row;
    Ok(vec![
        callid,
        started,
        direction,
        from,
        to,
        extension.unwrap_or_default(),
        status,
        reason.unwrap_or_default(),
        talked,
        took,
    ])
}
