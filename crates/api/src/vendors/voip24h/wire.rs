//! Voip24h's JSON, spelled as in its documents. Ids are strings, nothing is null or empty that its clients parse.

use serde::Serialize;

/// Success of `/dial/history` and its like.
pub(crate) const OK: u16 = 200;
/// Success of the portal's family, which the socket's greeting belongs to.
pub(crate) const PORTAL_OK: u16 = 1000;
/// Failure of any kind.
pub(crate) const FAILED: u16 = 2000;

/// The answer of `/dial`, `/dial/transfer` and `/dial/hangup`.
#[derive(Serialize, Debug)]
pub(crate) struct DialAnswer {
    pub status: u16,
    pub call_status: &'static str,
    /// The document's spelling of `call_status`.
    pub callstatus: &'static str,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linkedid: Option<String>,
    /// The call in which the target of an attended transfer is asked first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consultation: Option<String>,
    pub events: Vec<DialEvent>,
}

/// The agent's leg, as `/dial` shows it.
#[derive(Serialize, Debug)]
pub(crate) struct DialEvent {
    pub id: String,
    pub actionid: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub extend: String,
    pub phone: String,
    pub state: &'static str,
    pub callid: String,
    pub channel: String,
    pub channelstatedesc: &'static str,
    pub calleridnum: String,
    pub calleridname: String,
    pub connectedlinenum: String,
    pub connectedlinename: String,
    pub exten: String,
    pub uniqueid: String,
    pub linkedid: String,
}

/// The answer of `/dial/history`, `/dial/searching` and `/dial/search`.
#[derive(Serialize, Debug)]
pub(crate) struct ListAnswer {
    pub status: u16,
    pub message: String,
    pub result: ListResult,
}

/// A page of rows.
#[derive(Serialize, Debug, Default)]
#[allow(non_snake_case, reason = "the document's names")]
pub(crate) struct ListResult {
    pub recordsTotalAll: u64,
    pub recordsDisplay: usize,
    pub prev: Option<String>,
    pub next: Option<String>,
    pub data: Vec<Row>,
}

/// One call.
#[derive(Serialize, Debug)]
pub(crate) struct Row {
    pub id: String,
    pub calldate: String,
    pub callid: String,
    pub did: String,
    pub src: String,
    pub dst: String,
    pub status: &'static str,
    pub disposition: &'static str,
    pub lastapp: &'static str,
    pub note: &'static str,
    pub billsec: i64,
    pub duration: i64,
    pub duration_minutes: String,
    pub duration_seconds: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Empty without a recording, as are the three below.
    pub recording: String,
    pub play: String,
    pub eplay: String,
    pub download: String,
}

/// The answer of `/play`.
#[derive(Serialize, Debug)]
pub(crate) struct PlayAnswer {
    pub message: PlayMessage,
    pub result: PlayResult,
}

/// How it went.
#[derive(Serialize, Debug)]
pub(crate) struct PlayMessage {
    pub message: String,
}

/// Where the sound is, whatever its format; empty where there is none.
#[derive(Serialize, Debug)]
pub(crate) struct PlayResult {
    pub mp3: String,
}

impl PlayAnswer {
    /// There is a recording.
    pub fn found(mp3: String) -> Self {
        Self { message: PlayMessage { message: "successful".to_owned() }, result: PlayResult { mp3 } }
    }

    /// There is none, or it is not shown.
    pub fn failed(why: impl Into<String>) -> Self {
        Self { message: PlayMessage { message: why.into() }, result: PlayResult { mp3: String::new() } }
    }
}

/// The body of a `response` event.
#[derive(Clone, Serialize, PartialEq, Eq, Debug)]
pub(crate) struct ResponseEvent {
    pub extend: String,
    pub state: String,
    pub phone: String,
    pub callid: String,
    /// Null at `Hangup`, where the tenant's switch says so.
    #[serde(rename = "type")]
    pub kind: Option<&'static str>,
    pub uniqueid: String,
    pub linkedid: String,
    pub channel: String,
    pub note: &'static str,
}

/// The body of a `response` event as Socket.IO's clients hear it.
#[derive(Serialize, Debug)]
pub(crate) struct NumberedEvent {
    #[serde(flatten)]
    pub event: ResponseEvent,
    /// What to give to `resume` should nothing more be heard.
    pub number: String,
}
