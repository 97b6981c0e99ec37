//! Refusals as HTTP says them: RFC 9457 problem details.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{Problem, Reason};
use serde::Serialize;
use store::ChangeError;
use utoipa::ToSchema;

use crate::actions::Refusal;
use crate::limits::TooMany;
use crate::{NotApplied, NotUploaded};

/// Why a request was not fulfilled (RFC 9457), as `application/problem+json`.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Names the kind of problem: `urn:tongdai:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The word for machines.
    #[schema(example = "no_such_extension")]
    pub code: String,
    /// What happened and what to do, for the person who asked.
    pub detail: String,
    /// The call, where one was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callid: Option<String>,
    /// The line of a provision file that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The key of a setting that is wrong, as in `route.crm.url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The legs that could act, where the order did not say which one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<Candidate>>,
}

/// A leg that could act.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Candidate {
    /// The leg's id.
    #[schema(example = "1700000000.1000101")]
    pub leg: String,
    /// Whose leg it is.
    #[schema(required, example = "101")]
    pub extension: Option<String>,
}

impl ProblemBody {
    /// A problem with this status and word.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:tongdai:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            callid: None,
            line: None,
            field: None,
            candidates: None,
        }
    }

    /// Nobody showed a token, or a wrong one.
    pub fn unauthorized() -> Self {
        let detail = "the request needs a header `Authorization: Bearer TOKEN` with a native key of a tenant, or the admin token";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }
}

impl From<TooMany> for ProblemBody {
    fn from(too_many: TooMany) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", too_many.to_string())
    }
}

impl From<Refusal> for ProblemBody {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::NotAllowed { .. } => Self::new(StatusCode::FORBIDDEN, "role", detail),
            Refusal::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            Refusal::Wrong { .. } => Self::new(StatusCode::BAD_REQUEST, "bad_request", detail),
            Refusal::Conflict { .. } => Self::new(StatusCode::CONFLICT, "not_now", detail),
            Refusal::KeyTaken => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_taken", detail),
            Refusal::Problem(problem) => of_problem(&problem),
            Refusal::NotApplied(NotApplied::Wrong { line, .. }) => {
                Self { line, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "provision_file", detail) }
            }
            Refusal::NotChanged(error) => of_change(error),
            Refusal::NotUploaded(error) => match error {
                NotUploaded::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
                NotUploaded::Spoken => Self::new(StatusCode::CONFLICT, "spoken", detail),
                NotUploaded::NoRoom(_) => Self::new(StatusCode::CONFLICT, "no_room", detail),
                NotUploaded::NoSound(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "no_sound", detail),
                NotUploaded::Failed(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_applied", detail),
            },
            Refusal::NotApplied(NotApplied::Failed(_)) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_applied", detail)
            }
            Refusal::Store(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "answering a request");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", detail)
            }
        }
    }
}

/// What a setting that was not changed is in HTTP.
fn of_change(error: ChangeError) -> ProblemBody {
    let detail = error.to_string();
    match error {
        ChangeError::NotFound { .. } => ProblemBody::new(StatusCode::NOT_FOUND, "not_found", detail),
        ChangeError::Wrong { field, .. } => {
            ProblemBody { field, ..ProblemBody::new(StatusCode::UNPROCESSABLE_ENTITY, "setting", detail) }
        }
        ChangeError::Taken { .. } => ProblemBody::new(StatusCode::CONFLICT, "taken", detail),
        ChangeError::InUse { .. } => ProblemBody::new(StatusCode::CONFLICT, "in_use", detail),
        ChangeError::Stale { .. } => ProblemBody::new(StatusCode::PRECONDITION_FAILED, "stale", detail),
        ChangeError::Store(error) => Refusal::Store(error).into(),
    }
}

/// What a problem of the switchboard is in HTTP.
fn of_problem(problem: &Problem) -> ProblemBody {
    let detail = problem.to_string();
    match problem {
        Problem::NoSuchExtension { .. } => {
            ProblemBody::new(StatusCode::UNPROCESSABLE_ENTITY, "no_such_extension", detail)
        }
        Problem::BadNumber { .. } => ProblemBody::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_number", detail),
        Problem::NoSuchCall { .. } => ProblemBody::new(StatusCode::NOT_FOUND, "no_such_call", detail),
        Problem::NoSuchLeg { .. } => ProblemBody::new(StatusCode::UNPROCESSABLE_ENTITY, "no_such_leg", detail),
        Problem::WhichLeg { .. } => ProblemBody::new(StatusCode::UNPROCESSABLE_ENTITY, "which_leg", detail),
        Problem::NotNow { .. } => ProblemBody::new(StatusCode::CONFLICT, "not_now", detail),
        Problem::NoSuchAgent { .. } => ProblemBody::new(StatusCode::NOT_FOUND, "no_such_agent", detail),
        Problem::NoSuchBan { .. } => ProblemBody::new(StatusCode::NOT_FOUND, "no_such_ban", detail),
        Problem::CallFailed { reason, call, .. } => ProblemBody {
            callid: call.map(|call| call.to_string()),
            ..ProblemBody::new(of_reason(*reason), reason.code(), detail)
        },
        Problem::Unavailable => ProblemBody::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail),
        Problem::TimedOut => ProblemBody::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", detail),
    }
}

fn of_reason(reason: Reason) -> StatusCode {
    match reason {
        Reason::NotAllowed | Reason::DestinationClosed | Reason::MinutesUsedUp => StatusCode::FORBIDDEN,
        Reason::UnknownTarget | Reason::NoSuchNumber | Reason::NoRoute => StatusCode::UNPROCESSABLE_ENTITY,
        Reason::Limit | Reason::NoSoundAddress | Reason::Drained | Reason::StorageStalled => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Reason::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::CONFLICT,
    }
}

impl IntoResponse for ProblemBody {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
