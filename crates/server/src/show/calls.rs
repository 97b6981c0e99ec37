//! `tongdai calls`: the live calls.

use model::Timestamp;
use reqwest::Method;
use serde::Deserialize;

use super::table::Table;
use super::{Form, View, say};
use crate::Failure;
use crate::remote::Server;

#[derive(Deserialize)]
struct Page {
    items: Vec<serde_json::Value>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Call {
    id: String,
    state: String,
    direction: String,
    from: String,
    to: String,
    extension: Option<String>,
    started_at: Timestamp,
}

/// Shows the live calls.
pub async fn show(server: &Server, view: &View) -> Result<(), Failure> {
    let mut table = Table::new(&["call", "state", "direction", "from", "to", "extension", "since"]);
    let mut query = view.query();
    loop {
        let answer = server.send(server.ask(Method::GET, "/v1/calls").query(&query)).await?;
        let page: Page = server.json(answer.map_err(|refused| server.failure(&refused))?).await?;
        for item in page.items {
            if view.form == Form::Json {
                if !say(&item.to_string()) {
                    return Ok(());
                }
                continue;
            }
            let call: Call = serde_json::from_value(item).map_err(|error| Failure::Failed(error.to_string()))?;
            let since = Timestamp::now().as_second() - call.started_at.as_second();
            let Call { id, state, direction, from, to, extension, .. } = call;
            table.row(vec![id, state, direction, from, to, extension.unwrap_or_default(), format!("{since} s")]);
        }
        let Some(next) = page.next else { break };
        query.retain(|(name, _)| *name != "after");
        query.push(("after", next));
    }
    if view.form == Form::Text {
        if table.is_empty() {
            say("no call is live");
        } else {
            let _ = table.lines().all(|line| say(&line));
        }
    }
    Ok(())
}
