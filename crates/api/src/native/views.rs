//! What the native API shows of calls, records and events.

use jiff::tz::TimeZone;
use model::{
    Direction, EndedBy, Event, LegQuality, LegRecord, Origin, Party, Record, RecordingRecord, Side, Status,
    StoredEvent, Timestamp, TransferMode, TransferRecord,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; null after the last one.
    #[schema(required)]
    pub next: Option<String>,
}

/// A call as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Call)]
pub(crate) struct CallView {
    /// The call's id.
    #[schema(example = "1700000000.1000101")]
    pub id: String,
    /// The same, by the name it has in events.
    pub callid: String,
    /// `started`, `ringing`, `connected` or `ended`.
    pub state: &'static str,
    /// `phone`, `trunk`, `click` or `consultation`.
    pub origin: &'static str,
    /// `inbound`, `outbound` or `local`.
    pub direction: &'static str,
    /// Who called. In a click-to-call the extension.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// The tenant's own number that the call shows or came in on.
    #[schema(required)]
    pub did: Option<String>,
    /// The company's side.
    #[schema(required)]
    pub extension: Option<String>,
    /// The other side's number.
    pub customer: String,
    /// RFC 3339.
    pub started_at: String,
    /// When the first called leg rang.
    #[schema(required)]
    pub ringing_at: Option<String>,
    /// When the two sides were connected.
    #[schema(required)]
    pub answered_at: Option<String>,
    /// When it ended; null while it is live.
    #[schema(required)]
    pub ended_at: Option<String>,
    /// The customer's call, where this is a consultation about it.
    #[schema(required)]
    pub about: Option<String>,
    /// In the order they began.
    pub legs: Vec<LegView>,
    /// Each attempt to give the customer to somebody else, in order.
    pub transfers: Vec<TransferView>,
}

/// A call with everything stored about it.
#[derive(Serialize, ToSchema)]
#[schema(as = CallStory)]
pub(crate) struct CallStoryView {
    #[serde(flatten)]
    pub call: CallView,
    /// All its events, in order.
    #[schema(value_type = Vec<EventBody>)]
    pub events: Vec<EventView>,
    /// Its record; of a live call, how it stands.
    pub record: RecordView,
}

/// The truth about a call in one row.
#[derive(Serialize, ToSchema)]
#[schema(as = Record)]
pub(crate) struct RecordView {
    /// The call's id.
    #[schema(example = "1700000000.1000101")]
    pub id: String,
    /// The same, by the name it has in events.
    pub callid: String,
    /// `phone`, `trunk`, `click` or `consultation`.
    pub origin: &'static str,
    /// `inbound`, `outbound` or `local`.
    pub direction: &'static str,
    /// Who called. In a click-to-call the extension.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// The tenant's own number that the call showed or came in on.
    #[schema(required)]
    pub did: Option<String>,
    /// The company's side: who talked, else who was rung last.
    #[schema(required)]
    pub extension: Option<String>,
    /// The other side's number.
    pub customer: String,
    /// RFC 3339, in the tenant's zone.
    pub started_at: String,
    /// When the first called leg rang.
    #[schema(required)]
    pub ringing_at: Option<String>,
    /// When we first answered the caller, or the agent picked up in a click-to-call.
    #[schema(required)]
    pub opened_at: Option<String>,
    /// When the two sides were connected; null: never.
    #[schema(required)]
    pub answered_at: Option<String>,
    /// When it ended; null while it is live.
    #[schema(required)]
    pub ended_at: Option<String>,
    /// `answered`, `no_answer`, `busy`, `failed` or `missed`.
    pub status: &'static str,
    /// The technical result, also of a missed call.
    pub disposition: &'static str,
    /// Why it ended.
    #[schema(required)]
    pub reason: Option<&'static str>,
    /// The SIP status that decided it.
    #[schema(required)]
    pub sip: Option<u16>,
    /// The Q.850 cause that the deciding party gave.
    #[schema(required)]
    pub cause: Option<u8>,
    /// `agent`, `customer` or `switchboard`.
    #[schema(required)]
    pub ended_by: Option<&'static str>,
    /// Seconds from start to end; null while it is live.
    #[schema(required)]
    pub duration_seconds: Option<i64>,
    /// Seconds the two sides were connected; null while it is live.
    #[schema(required)]
    pub bill_seconds: Option<i64>,
    /// Seconds since we first answered the caller or the agent picked up; null while it is live.
    #[schema(required)]
    pub open_seconds: Option<i64>,
    /// The customer's call that this consultation is about.
    #[schema(required)]
    pub about: Option<String>,
    /// The customer's call that this consultation became a part of.
    #[schema(required)]
    pub merged_into: Option<String>,
    /// Seconds until the first answer, or until the end where nobody answered; null while a live call waits.
    #[schema(required)]
    pub wait_seconds: Option<i64>,
    /// Where a caller from outside was whom nobody answered: the extension or group; null where somebody did.
    #[schema(required)]
    pub abandoned_in: Option<String>,
    /// Who decided whom the call reaches: `crm` or `default`; null where the dialled number alone did.
    #[schema(required)]
    pub routed_by: Option<&'static str>,
    /// Each attempt to give the customer to somebody else, in order.
    pub transfers: Vec<TransferView>,
    /// In the order they began.
    pub legs: Vec<LegView>,
    /// In the order they began.
    pub recordings: Vec<RecordingView>,
}

/// One attempt to transfer.
#[derive(Serialize, ToSchema)]
#[schema(as = Transfer)]
pub(crate) struct TransferView {
    /// When it was asked for (RFC 3339).
    pub at: String,
    /// The leg of whoever gave the other side away.
    pub leg: String,
    /// Whom to: an extension, a group or a number.
    pub to: String,
    /// `blind` or `attended`.
    pub mode: &'static str,
    /// The call in which the target was asked first.
    #[schema(required)]
    pub consultation: Option<String>,
    /// The leg of the target, once the other side talks with it.
    #[schema(required)]
    pub target: Option<String>,
    /// Why it came to nothing: a code of `/v1/reasons`.
    #[schema(required)]
    pub failed: Option<&'static str>,
}

/// One party's part of a call.
#[derive(Serialize, ToSchema)]
#[schema(as = Leg)]
pub(crate) struct LegView {
    /// The leg's id.
    pub id: String,
    /// `agent` or `customer`.
    pub side: &'static str,
    /// `extension`, `group` or `outside`.
    pub party: &'static str,
    /// Whose leg it is.
    pub number: String,
    /// The trunk it runs over.
    #[schema(required)]
    pub trunk: Option<String>,
    /// Whether this party called us (else we called it).
    pub caller: bool,
    /// `started`, `ringing`, `answered`, `held` or `ended`.
    pub state: &'static str,
    /// Whether nobody hears what its party says.
    pub muted: bool,
    /// RFC 3339.
    pub started_at: String,
    /// When it rang.
    #[schema(required)]
    pub ringing_at: Option<String>,
    /// When it was answered.
    #[schema(required)]
    pub answered_at: Option<String>,
    /// When it ended.
    #[schema(required)]
    pub ended_at: Option<String>,
    /// Why it ended.
    #[schema(required)]
    pub reason: Option<&'static str>,
    /// The SIP status that said so.
    #[schema(required)]
    pub sip: Option<u16>,
    /// The Q.850 cause that its party gave.
    #[schema(required)]
    pub cause: Option<u8>,
    /// `agent`, `customer` or `switchboard`.
    #[schema(required)]
    pub ended_by: Option<&'static str>,
    /// How well its sound travelled; null while it is live, and where no sound flowed.
    #[schema(required)]
    pub quality: Option<QualityView>,
}

/// How well sound travelled between the server and one party.
#[derive(Serialize, ToSchema)]
#[schema(as = Quality)]
pub(crate) struct QualityView {
    /// Packets that came from the party and were taken.
    pub received: u64,
    /// Packets of the party that never came.
    pub lost: u64,
    /// How unevenly they came, in milliseconds (RFC 3550).
    pub jitter_ms: u32,
    /// Packets that came and were not taken: from strangers, broken, or too early.
    pub ignored: u64,
    /// Packets sent to the party.
    pub sent: u64,
    /// Packets sent that did not reach the party, as it tells.
    pub far_lost: u64,
    /// How unevenly they reached the party, in milliseconds, as it tells.
    pub far_jitter_ms: u32,
    /// There and back in milliseconds, as the party tells.
    #[schema(required)]
    pub round_trip_ms: Option<u32>,
    /// How the party sounded, 1.0 to 4.5 (mean opinion score, estimated); null where too little came.
    #[schema(required)]
    pub mos: Option<f32>,
}

/// The sound of a call, kept.
#[derive(Serialize, ToSchema)]
#[schema(as = Recording)]
pub(crate) struct RecordingView {
    /// The recording's id.
    pub id: String,
    /// Where it plays, with the same token.
    pub url: String,
    /// Length of sound; null while it is written.
    #[schema(required)]
    pub milliseconds: Option<u64>,
    /// Milliseconds lost by the server.
    pub gap_milliseconds: u64,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file in hex; empty while it is written.
    pub sha256: String,
    /// Whether nothing usable was written.
    pub failed: bool,
    /// Whether silence is being written in place of what is said.
    pub paused: bool,
    /// Whether the sound was deleted because it was old.
    pub expired: bool,
}

/// An event, flat, as it is stored.
#[derive(Serialize)]
pub(crate) struct EventView {
    pub position: i64,
    #[serde(flatten)]
    pub event: Event,
}

/// One thing that happened. Further fields depend on `type`.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
#[allow(dead_code, reason = "describes EventView, whose fields come from the stored event")]
pub(crate) struct EventBody {
    /// Its place in the tenant's story; what `after` and `Last-Event-ID` take.
    position: i64,
    /// `call`, `recording`, `sound`, `extension` or `trunk`.
    subject: String,
    /// The subject's id.
    id: String,
    /// Its place among the subject's events, from 1.
    seq: u32,
    /// RFC 3339.
    at: String,
    /// What happened: `call.started`, `leg.ringing`, `call.connected`, `call.ended`, `recording.closed`, ….
    #[serde(rename = "type")]
    kind: String,
    /// The call it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    callid: Option<String>,
    #[serde(flatten)]
    more: std::collections::BTreeMap<String, serde_json::Value>,
}

/// A moment as RFC 3339 with the zone's offset.
pub(crate) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.display_with_offset(zone.to_offset(at)).to_string()
}

impl CallView {
    pub fn of(record: &Record, zone: &TimeZone) -> Self {
        let state = if record.ended_at.is_some() {
            "ended"
        } else if record.answered_at.is_some() {
            "connected"
        } else if record.ringing_at.is_some() {
            "ringing"
        } else {
            "started"
        };
        Self {
            id: record.callid.to_string(),
            callid: record.callid.to_string(),
            state,
            origin: origin_word(record.origin),
            direction: direction_word(record.direction),
            from: record.from.number().to_owned(),
            to: record.to.number().to_owned(),
            did: record.did.as_ref().map(ToString::to_string),
            extension: record.extension.clone(),
            customer: record.customer.to_string(),
            started_at: moment(record.started_at, zone),
            ringing_at: record.ringing_at.map(|at| moment(at, zone)),
            answered_at: record.answered_at.map(|at| moment(at, zone)),
            ended_at: record.ended_at.map(|at| moment(at, zone)),
            about: record.about.map(|call| call.to_string()),
            transfers: record.transfers.iter().map(|transfer| TransferView::of(transfer, zone)).collect(),
            legs: record.legs.iter().map(|leg| LegView::of(leg, zone)).collect(),
        }
    }
}

impl RecordView {
    pub fn of(record: &Record, zone: &TimeZone) -> Self {
        Self {
            id: record.callid.to_string(),
            callid: record.callid.to_string(),
            origin: origin_word(record.origin),
            direction: direction_word(record.direction),
            from: record.from.number().to_owned(),
            to: record.to.number().to_owned(),
            did: record.did.as_ref().map(ToString::to_string),
            extension: record.extension.clone(),
            customer: record.customer.to_string(),
            started_at: moment(record.started_at, zone),
            ringing_at: record.ringing_at.map(|at| moment(at, zone)),
            opened_at: record.opened_at.map(|at| moment(at, zone)),
            answered_at: record.answered_at.map(|at| moment(at, zone)),
            ended_at: record.ended_at.map(|at| moment(at, zone)),
            status: status_word(record.status),
            disposition: status_word(record.disposition),
            reason: record.reason.map(|reason| reason.code()),
            sip: record.sip,
            cause: record.cause,
            ended_by: record.ended_by.map(ended_by_word),
            duration_seconds: record.duration_seconds(),
            bill_seconds: record.bill_seconds(),
            open_seconds: record.open_seconds(),
            about: record.about.map(|call| call.to_string()),
            merged_into: record.merged_into.map(|call| call.to_string()),
            wait_seconds: record.wait_seconds(),
            abandoned_in: record.abandoned_in.as_ref().map(|to| to.number().to_owned()),
            routed_by: record.routed_by.map(model::RoutedBy::word),
            transfers: record.transfers.iter().map(|transfer| TransferView::of(transfer, zone)).collect(),
            legs: record.legs.iter().map(|leg| LegView::of(leg, zone)).collect(),
            recordings: record.recordings.iter().map(RecordingView::of).collect(),
        }
    }
}

impl TransferView {
    fn of(transfer: &TransferRecord, zone: &TimeZone) -> Self {
        Self {
            at: moment(transfer.at, zone),
            leg: transfer.leg.to_string(),
            to: transfer.to.number().to_owned(),
            mode: match transfer.mode {
                TransferMode::Blind => "blind",
                TransferMode::Attended => "attended",
            },
            consultation: transfer.consultation.map(|call| call.to_string()),
            target: transfer.target.map(|leg| leg.to_string()),
            failed: transfer.failed.map(|reason| reason.code()),
        }
    }
}

impl LegView {
    fn of(leg: &LegRecord, zone: &TimeZone) -> Self {
        let state = if leg.ended_at.is_some() {
            "ended"
        } else if leg.held {
            "held"
        } else if leg.answered_at.is_some() {
            "answered"
        } else if leg.ringing_at.is_some() {
            "ringing"
        } else {
            "started"
        };
        let trunk = match &leg.party {
            Party::Outside { trunk, .. } => trunk.clone(),
            _ => None,
        };
        Self {
            id: leg.leg.to_string(),
            side: match leg.side {
                Side::Agent => "agent",
                Side::Customer => "customer",
            },
            party: leg.party.word(),
            number: leg.party.number().to_owned(),
            trunk,
            caller: leg.caller,
            state,
            muted: leg.muted,
            started_at: moment(leg.started_at, zone),
            ringing_at: leg.ringing_at.map(|at| moment(at, zone)),
            answered_at: leg.answered_at.map(|at| moment(at, zone)),
            ended_at: leg.ended_at.map(|at| moment(at, zone)),
            reason: leg.reason.map(|reason| reason.code()),
            sip: leg.sip,
            cause: leg.cause,
            ended_by: leg.by.map(ended_by_word),
            quality: leg.quality.map(QualityView::of),
        }
    }
}

impl QualityView {
    fn of(quality: LegQuality) -> Self {
        Self {
            received: quality.received,
            lost: quality.lost,
            jitter_ms: quality.jitter_ms,
            ignored: quality.ignored,
            sent: quality.sent,
            far_lost: quality.far_lost,
            far_jitter_ms: quality.far_jitter_ms,
            round_trip_ms: quality.round_trip_ms,
            mos: quality.mos,
        }
    }
}

impl RecordingView {
    fn of(recording: &RecordingRecord) -> Self {
        Self {
            id: recording.recording.to_string(),
            url: format!("/v1/recordings/{}", recording.recording),
            milliseconds: recording.milliseconds,
            gap_milliseconds: recording.gap_milliseconds,
            bytes: recording.bytes,
            sha256: recording.sha256.clone(),
            failed: recording.failed,
            paused: recording.paused,
            expired: recording.expired,
        }
    }
}

impl EventView {
    pub fn of(stored: &StoredEvent) -> Self {
        Self { position: stored.position, event: stored.event.clone() }
    }
}

fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Phone => "phone",
        Origin::Trunk => "trunk",
        Origin::Click => "click",
        Origin::Consultation => "consultation",
    }
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Local => "local",
    }
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Answered => "answered",
        Status::NoAnswer => "no_answer",
        Status::Busy => "busy",
        Status::Failed => "failed",
        Status::Missed => "missed",
    }
}

fn ended_by_word(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Agent => "agent",
        EndedBy::Customer => "customer",
        EndedBy::Switchboard => "switchboard",
    }
}
