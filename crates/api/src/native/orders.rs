//! `/v1/calls/{id}/…`: orders to live calls.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use model::{ActingLeg, CallId, LegId, PlayedSound, Problem, RecordAction, TransferMode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Named, Sent, SentOrNothing};
use super::problem::{Candidate, ProblemBody};
use super::sign_in::SignedIn;
use crate::Faces;
use crate::actions::{Asker, Refusal, calls, orders};

/// Who acts.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ActingLeg, example = json!({ "leg": "101" }))]
pub(crate) struct Acting {
    /// A leg's id, or the number of an extension that talks in the call. Left out: the call's only extension.
    leg: Option<String>,
}

/// A transfer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "to": "102", "mode": "blind" }))]
pub(crate) struct TransferOrder {
    /// Extension, group or public number.
    #[schema(example = "102")]
    to: String,
    /// `blind`: given away at once. `attended`: the other side hears music while the two talk; hanging up completes it.
    #[serde(default)]
    mode: TransferWord,
    /// Who gives the other side away: a leg's id, or an extension. Left out: the call's only extension.
    leg: Option<String>,
}

#[derive(Deserialize, ToSchema, Clone, Copy, Default)]
#[serde(rename_all = "snake_case")]
#[schema(as = TransferMode)]
pub(crate) enum TransferWord {
    #[default]
    Blind,
    Attended,
}

/// Whose voice, and whether it is heard.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "muted": true, "leg": "101" }))]
pub(crate) struct MuteOrder {
    /// Whether nobody is to hear it (true).
    muted: bool,
    /// A leg's id, or an extension. Left out: the call's only extension.
    leg: Option<String>,
}

impl Default for MuteOrder {
    fn default() -> Self {
        Self { muted: true, leg: None }
    }
}

/// Keys to press.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "keys": "12#" }))]
pub(crate) struct KeysOrder {
    /// 1 to 64 of `0`–`9`, `*`, `#`, `A`–`D`.
    #[schema(example = "12#", min_length = 1, max_length = 64, pattern = "^[0-9*#A-Da-d]+$")]
    keys: String,
    /// In whose place: a leg's id, or an extension. Left out: the call's only extension.
    leg: Option<String>,
}

/// A sound to play, or an end of it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "sound": "music", "seconds": 30 }))]
pub(crate) struct PlayOrder {
    /// `music`, `ringback`, `busy`, `silence`; null ends what is played.
    #[schema(required)]
    #[serde(deserialize_with = "said")]
    sound: Option<SoundWord>,
    /// For how long, 1 to 3 600. Left out: until it is ended.
    #[schema(minimum = 1, maximum = 3600)]
    seconds: Option<u32>,
    /// Who hears it: a leg's id, or an extension. Left out: everybody in the call.
    leg: Option<String>,
}

#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
#[schema(as = PlayedSound)]
pub(crate) enum SoundWord {
    Music,
    Ringback,
    Busy,
    Silence,
}

/// What to do with the recording.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "action": "pause" }))]
pub(crate) struct RecordOrder {
    /// `start` one where none is written; `pause`: silence is written; `resume`; `stop`: it is kept.
    action: RecordWord,
}

#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
#[schema(as = RecordAction)]
pub(crate) enum RecordWord {
    Start,
    Pause,
    Resume,
    Stop,
}

/// A call that was ended by order.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndedCall {
    /// The call's id.
    #[schema(example = "1700000000.1000101")]
    id: String,
    /// The same, by the name it has in events.
    #[schema(example = "1700000000.1000101")]
    callid: String,
    /// `ended`
    #[schema(example = "ended")]
    state: &'static str,
}

/// An order that was carried out. The events tell what came of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrderedCall {
    /// The call's id.
    #[schema(example = "1700000000.1000101")]
    id: String,
    /// The same, by the name it has in events.
    #[schema(example = "1700000000.1000101")]
    callid: String,
    /// The last word of the order's path: `hold`.
    #[schema(example = "hold")]
    done: &'static str,
}

/// A transfer that is under way. `call.transferred` or `call.transfer_failed` tells what came of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TransferringCall {
    /// The call's id; the customer's call keeps it.
    #[schema(example = "1700000000.1000101")]
    id: String,
    /// The same, by the name it has in events.
    #[schema(example = "1700000000.1000101")]
    callid: String,
    /// `transferring`
    #[schema(example = "transferring")]
    state: &'static str,
    /// The call in which the target is asked first, where the transfer is attended.
    #[schema(required)]
    consultation: Option<String>,
}

/// Ends a live call.
#[utoipa::path(post, path = "/v1/calls/{id}/hangup", operation_id = "hang_up_call", tag = "calls",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    responses(
        (status = 200, description = "It is ended", body = EndedCall),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn hang_up(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(call): Named<CallId>,
) -> Result<Json<EndedCall>, ProblemBody> {
    calls::hang_up(&faces.app, &asker, call).await?;
    Ok(Json(EndedCall { id: call.to_string(), callid: call.to_string(), state: "ended" }))
}

/// Gives the other side of a conversation to somebody else.
///
/// Answers once the target is being called. The call keeps its id and its record, which lists each transfer.
#[utoipa::path(post, path = "/v1/calls/{id}/transfer", operation_id = "transfer_call", tag = "calls",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    request_body = TransferOrder,
    responses(
        (status = 200, description = "The target is being called", body = TransferringCall),
        (status = "default", description = "A problem; `which_leg` has `candidates`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn transfer(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(call): Named<CallId>,
    Sent(TransferOrder { to, mode, leg }): Sent<TransferOrder>,
) -> Result<Json<TransferringCall>, ProblemBody> {
    let mode = match mode {
        TransferWord::Blind => TransferMode::Blind,
        TransferWord::Attended => TransferMode::Attended,
    };
    let leg = orders::acting_leg(leg.as_deref())?;
    let begun = orders::transfer(&faces.app, &asker, call, leg, &to, mode).await;
    let begun = told(&faces, &asker, begun).await?;
    Ok(Json(TransferringCall {
        id: call.to_string(),
        callid: call.to_string(),
        state: "transferring",
        consultation: begun.consultation.map(|call| call.to_string()),
    }))
}

/// Puts the other side aside: it hears music.
#[utoipa::path(post, path = "/v1/calls/{id}/hold", operation_id = "hold_call", tag = "calls",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    request_body = Option<Acting>,
    responses(
        (status = 200, description = "It hears music", body = OrderedCall),
        (status = "default", description = "A problem; `which_leg` has `candidates`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn hold(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(call): Named<CallId>,
    SentOrNothing(Acting { leg }): SentOrNothing<Acting>,
) -> Result<Json<OrderedCall>, ProblemBody> {
    let held = orders::hold(&faces.app, &asker, call, orders::acting_leg(leg.as_deref())?).await;
    done(&faces, &asker, call, "hold", held).await
}

/// Takes the other side back from hold.
#[utoipa::path(post, path = "/v1/calls/{id}/resume", operation_id = "resume_call", tag = "calls",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    request_body = Option<Acting>,
    responses(
        (status = 200, description = "The two hear each other", body = OrderedCall),
        (status = "default", description = "A problem; `which_leg` has `candidates`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn resume(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(call): Named<CallId>,
    SentOrNothing(Acting { leg }): SentOrNothing<Acting>,
) -> Result<Json<OrderedCall>, ProblemBody> {
    let resumed = orders::resume(&faces.app, &asker, call, orders::acting_leg(leg.as_deref())?).await;
    done(&faces, &asker, call, "resume", resumed).await
}

/// Silences a party: nobody hears what it says.
#[utoipa::path(post, path = "/v1/calls/{id}/mute", operation_id = "mute_call", tag = "calls",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    request_body = Option<MuteOrder>,
    responses(
        (status = 200, description = "It is silenced, or heard again with `muted` false", body = OrderedCall),
        (status = "default", description = "A problem; `which_leg` has `candidates`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn mute(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(call): Named<CallId>,
    SentOrNothing(MuteOrder { muted, leg }): SentOrNothing<MuteOrder>,
) -> Result<Json<OrderedCall>, ProblemBody> {
    let muted = orders::mute(&faces.app, &asker, call, orders::acting_leg(leg.as_deref())?, muted).await;
    done(&faces, &asker, call, "mute", muted).await
}

/// Lets a silenced party be heard again.
#[utoipa::path(post, path = "/v1/calls/{id}/unmute", operation_id = "unmute_call", tag = "calls",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    request_body = Option<Acting>,
    responses(
        (status = 200, description = "It is heard", body = OrderedCall),
        (status = "default", description = "A problem; `which_leg` has `candidates`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn unmute(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(call): Named<CallId>,
    SentOrNothing(Acting { leg }): SentOrNothing<Acting>,
) -> Result<Json<OrderedCall>, ProblemBody> {
    let unmuted = orders::mute(&faces.app, &asker, call, orders::acting_leg(leg.as_deref())?, false).await;
    done(&faces, &asker, call, "unmute", unmuted).await
}

/// Presses keys in the place of a party, for the other side to hear.
#[utoipa::path(post, path = "/v1/calls/{id}/dtmf", operation_id = "press_keys", tag = "calls",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    request_body = KeysOrder,
    responses(
        (status = 200, description = "They are being pressed", body = OrderedCall),
        (status = "default", description = "A problem; `which_leg` has `candidates`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn press_keys(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(call): Named<CallId>,
    Sent(KeysOrder { keys, leg }): Sent<KeysOrder>,
) -> Result<Json<OrderedCall>, ProblemBody> {
    let pressed = orders::press_keys(&faces.app, &asker, call, orders::acting_leg(leg.as_deref())?, &keys).await;
    done(&faces, &asker, call, "dtmf", pressed).await
}

/// Plays a sound in place of the other side, or ends what is played.
#[utoipa::path(post, path = "/v1/calls/{id}/play", operation_id = "play_sound", tag = "calls",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    request_body = PlayOrder,
    responses(
        (status = 200, description = "It is heard", body = OrderedCall),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn play(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(call): Named<CallId>,
    Sent(PlayOrder { sound, seconds, leg }): Sent<PlayOrder>,
) -> Result<Json<OrderedCall>, ProblemBody> {
    let sound = sound.map(|sound| match sound {
        SoundWord::Music => PlayedSound::Music,
        SoundWord::Ringback => PlayedSound::Ringback,
        SoundWord::Busy => PlayedSound::Busy,
        SoundWord::Silence => PlayedSound::Silence,
    });
    let leg: Option<ActingLeg> = leg.map(|leg| orders::acting_leg(Some(&leg))).transpose()?;
    let played = orders::play(&faces.app, &asker, call, leg, sound, seconds).await;
    done(&faces, &asker, call, "play", played).await
}

/// Begins, pauses or ends the recording of a conversation.
#[utoipa::path(post, path = "/v1/calls/{id}/record", operation_id = "record_call", tag = "calls",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    request_body = RecordOrder,
    responses(
        (status = 200, description = "It is done", body = OrderedCall),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn record(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, author, .. }: SignedIn,
    Named(call): Named<CallId>,
    Sent(RecordOrder { action }): Sent<RecordOrder>,
) -> Result<Json<OrderedCall>, ProblemBody> {
    let action = match action {
        RecordWord::Start => RecordAction::Start,
        RecordWord::Pause => RecordAction::Pause,
        RecordWord::Resume => RecordAction::Resume,
        RecordWord::Stop => RecordAction::Stop,
    };
    let recorded = orders::record(&faces.app, &asker, &author, call, action).await;
    done(&faces, &asker, call, "record", recorded).await
}

async fn done(
    faces: &Faces,
    asker: &Asker,
    call: CallId,
    order: &'static str,
    outcome: Result<(), Refusal>,
) -> Result<Json<OrderedCall>, ProblemBody> {
    told(faces, asker, outcome).await?;
    Ok(Json(OrderedCall { id: call.to_string(), callid: call.to_string(), done: order }))
}

/// Whoever did not say which leg acts is told whose legs there are.
async fn told<T>(faces: &Faces, asker: &Asker, outcome: Result<T, Refusal>) -> Result<T, ProblemBody> {
    let (call, legs) = match outcome {
        Err(Refusal::Problem(Problem::WhichLeg { call, candidates })) => (call, candidates),
        other => return Ok(other?),
    };
    let record = calls::call(&faces.app, asker, call).await.ok().map(|row| row.record);
    let extension = |leg: LegId| {
        let legs = record.as_ref().map(|record| record.legs.as_slice()).unwrap_or_default();
        legs.iter().find(|known| known.leg == leg).and_then(|known| known.party.extension()).map(str::to_owned)
    };
    let candidates = legs.iter().map(|leg| Candidate { leg: leg.to_string(), extension: extension(*leg) }).collect();
    let refusal = Refusal::Problem(Problem::WhichLeg { call, candidates: legs });
    Err(ProblemBody { candidates: Some(candidates), ..ProblemBody::from(refusal) })
}

/// What must be said, and may be null.
fn said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SoundWord>, D::Error> {
    Option::deserialize(deserializer)
}
