//! Our own API, under `/v1`: JSON, RFC 3339 times, RFC 9457 problems, cursor paging, Bearer tokens.

mod bans;
mod calls;
mod events;
mod extract;
mod health;
mod hooks;
mod once;
mod orders;
pub(crate) mod problem;
mod provision;
mod reasons;
mod recordings;
mod records;
mod registrations;
mod sign_in;
mod trunks;
pub(crate) mod views;

use std::sync::Arc;

use axum::{Router, middleware};
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::problem::ProblemBody;
use crate::Faces;

/// Bytes of a request's body, where nothing else is said.
const MAX_BODY: usize = 64 * 1024;
/// Bytes of a provision file.
const MAX_PROVISION: usize = 16 * 1024 * 1024;

/// The paths, and their description.
pub(crate) fn router(faces: Arc<Faces>) -> Router {
    let (router, description) = paths().split_for_parts();
    let description = printed(&describe(description));
    router
        .route("/v1/openapi.json", get(async move || ([(header::CONTENT_TYPE, "application/json")], description)))
        .merge(health::router())
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(faces.clone(), once::layer))
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
    let provision = OpenApiRouter::new().routes(routes!(provision::apply)).layer(DefaultBodyLimit::max(MAX_PROVISION));
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
        .routes(routes!(recordings::list))
        .routes(routes!(recordings::sound))
        .routes(routes!(reasons::list))
        .routes(routes!(registrations::list))
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
}

fn describe(mut description: OpenApi) -> OpenApi {
    description.info = InfoBuilder::new()
        .title("Tongdai")
        .version("1")
        .description(Some("Calls, records, recordings and events of a switchboard."))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
        .build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A native key of a tenant, or the admin token; with the latter `?tenant=NAME` chooses the tenant.",
        ))
        .build();
    let mut components = description.components.take().unwrap_or_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    description.components = Some(components);
    description.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    OpenApiBuilder::from(description).build()
}

/// The description as it is served and checked in.
fn printed(description: &OpenApi) -> String {
    // A description has no keys that JSON cannot have.
    description.to_pretty_json().unwrap_or_default() + "\n"
}
