//! Our own API, under `/v1`: JSON, RFC 3339 times, RFC 9457 problems, cursor paging, Bearer tokens.

mod audit;
mod bans;
mod calls;
mod described;
mod events;
mod extract;
mod floor;
mod health;
mod hooks;
mod once;
mod orders;
mod permission;
pub(crate) mod problem;
mod provision;
mod reasons;
mod recordings;
mod records;
mod registrations;
mod settings;
mod sign_in;
mod sounds;
mod trunks;
pub(crate) mod views;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::{Router, middleware};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::permission::Permission;
use self::problem::ProblemBody;
use crate::Faces;

/// Bytes of a request's body, where nothing else is said.
const MAX_BODY: usize = 64 * 1024;
/// Bytes of a provision file.
const MAX_PROVISION: usize = 16 * 1024 * 1024;
/// Bytes of a sound that is uploaded.
const MAX_SOUND: usize = 20 * 1024 * 1024;

/// The paths, and their description.
pub(crate) fn router(faces: Arc<Faces>) -> Router {
    let (router, description) = paths().split_for_parts();
    let permission = Permission::new(faces.clone(), &description);
    router
        .merge(described::router(&description))
        .merge(health::router())
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(faces.clone(), once::layer))
        .layer(middleware::from_fn_with_state(permission, permission::layer))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(faces)
}

/// Nothing lies at the path.
pub(crate) async fn nowhere() -> ProblemBody {
    ProblemBody::new(StatusCode::NOT_FOUND, "not_found", "nothing lies at this path: see /v1/openapi.json")
}

async fn wrong_method() -> ProblemBody {
    let detail = "the path does not take this method: see /v1/openapi.json";
    ProblemBody::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

fn paths() -> OpenApiRouter<Arc<Faces>> {
    let provision = OpenApiRouter::new()
        .routes(routes!(provision::export, provision::apply))
        .layer(DefaultBodyLimit::max(MAX_PROVISION));
    let sounds = OpenApiRouter::new()
        .routes(routes!(sounds::upload, sounds::file, sounds::delete))
        .layer(DefaultBodyLimit::max(MAX_SOUND));
    OpenApiRouter::new()
        .routes(routes!(calls::list, calls::begin))
        .routes(routes!(calls::story))
        .routes(routes!(orders::hang_up))
        .routes(routes!(orders::transfer))
        .routes(routes!(orders::hold))
        .routes(routes!(orders::resume))
        .routes(routes!(orders::mute))
        .routes(routes!(orders::unmute))
        .routes(routes!(orders::press_keys))
        .routes(routes!(orders::play))
        .routes(routes!(orders::record))
        .routes(routes!(records::list))
        .routes(routes!(records::export))
        .routes(routes!(recordings::list))
        .routes(routes!(recordings::sound))
        .routes(routes!(reasons::list))
        .routes(routes!(registrations::list))
        .routes(routes!(floor::list))
        .routes(routes!(floor::get))
        .routes(routes!(floor::sign_in))
        .routes(routes!(floor::sign_out))
        .routes(routes!(floor::pause))
        .routes(routes!(floor::resume))
        .routes(routes!(floor::queue))
        .routes(routes!(events::after))
        .routes(routes!(events::socket::open))
        .routes(routes!(hooks::status))
        .routes(routes!(hooks::deliveries))
        .routes(routes!(hooks::delivery))
        .routes(routes!(hooks::replay))
        .routes(routes!(hooks::replay_range))
        .routes(routes!(hooks::test))
        .routes(routes!(hooks::rotate))
        .routes(routes!(hooks::enable))
        .routes(routes!(hooks::disable))
        .routes(routes!(bans::list))
        .routes(routes!(bans::lift))
        .routes(routes!(trunks::health))
        .merge(provision)
        .merge(sounds)
        .merge(settings::router())
        .routes(routes!(audit::list))
}
