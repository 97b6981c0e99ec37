//! What a hook is told of an event, by its kind: nothing, one body, or several in order.

use model::{StoredEvent, TenantEntry};
use serde_json::Value;
use store::{Draft, HookKind, Place};

use crate::native::views::EventView;
use crate::vendors::voip24h::{events, missed};

/// The bodies of an event in order, each at its place.
pub(super) fn drafts(kind: HookKind, stored: &StoredEvent, tenant: &TenantEntry) -> Vec<Draft> {
    let bodies: Vec<(String, String)> = match kind {
        HookKind::Events => events::webhooks(stored, tenant)
            .into_iter()
            .map(|body| (body.get("state").and_then(Value::as_str).unwrap_or_default().to_lowercase(), printed(&body)))
            .collect(),
        HookKind::Missed => {
            missed::missed(stored, tenant).map(|body| ("missed".to_owned(), printed(&body))).into_iter().collect()
        }
        HookKind::Native => native(stored).into_iter().collect(),
        // They tell of voice jobs and ratings, which no event does.
        HookKind::Autocall | HookKind::Feedback => Vec::new(),
    };
    let chain = match stored.event.callid {
        Some(callid) => callid.to_string(),
        None => format!("{} {}", stored.event.subject.kind(), stored.event.subject.id()),
    };
    let placed = bodies.into_iter().enumerate().filter_map(|(part, (event, body))| {
        let place = Place::new(stored.position, part)?;
        Some(Draft { place, chain: chain.clone(), event, body })
    });
    placed.collect()
}

fn native(stored: &StoredEvent) -> Option<(String, String)> {
    let body = serde_json::to_value(EventView::of(stored)).ok()?;
    let kind = body.get("type")?.as_str()?.to_owned();
    Some((kind, printed(&body)))
}

fn printed(body: &impl serde::Serialize) -> String {
    // What is printed has string keys only.
    serde_json::to_string(body).unwrap_or_default()
}

/// Every value of a body with its name, for a query or a form: what stands within another is named `outer[inner]`.
pub(super) fn fields(body: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    match serde_json::from_str(body) {
        Ok(Value::Object(body)) => body.into_iter().for_each(|(name, value)| flatten(name, value, &mut fields)),
        _ => fields.push(("body".to_owned(), body.to_owned())),
    }
    fields
}

fn flatten(name: String, value: Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Null => fields.push((name, String::new())),
        Value::Bool(value) => fields.push((name, value.to_string())),
        Value::Number(value) => fields.push((name, value.to_string())),
        Value::String(value) => fields.push((name, value)),
        Value::Array(values) => {
            for (nth, value) in values.into_iter().enumerate() {
                flatten(format!("{name}[{nth}]"), value, fields);
            }
        }
        Value::Object(values) => {
            for (inner, value) in values {
                flatten(format!("{name}[{inner}]"), value, fields);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_within_another_is_named_as_forms_do() {
        let body = r#"{"state":"Cdr","type":null,"cdr":{"source":"0900000001","legs":[1,true]}}"#;

        let fields = fields(body);

        let named: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            named,
            [
                ("cdr[legs][0]", "1"),
                ("cdr[legs][1]", "true"),
                ("cdr[source]", "0900000001"),
                ("state", "Cdr"),
                ("type", "")
            ]
        );
    }
}
