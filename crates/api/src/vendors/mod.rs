//! Other vendors' APIs in their own words, one folder each. Their paths stand at the root.

mod given;
pub(crate) mod voip24h;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, header};
use axum::routing::MethodRouter;
use tower_http::cors::{Any, CorsLayer};

use crate::Faces;

/// Bytes of a request's body.
const MAX_BODY: usize = 64 * 1024;

/// All vendors' paths. They are called from web pages of any origin (readings 1).
pub(crate) fn router(faces: Arc<Faces>) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::OPTIONS])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, header::RANGE])
        .expose_headers([header::CONTENT_RANGE, header::ACCEPT_RANGES, header::CONTENT_LENGTH]);
    voip24h::routes::router()
        .merge(voip24h::example::router())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(cors)
        .with_state(faces)
}

/// A path that may end in a slash.
fn both(router: Router<Arc<Faces>>, path: &str, methods: MethodRouter<Arc<Faces>>) -> Router<Arc<Faces>> {
    router.route(path, methods.clone()).route(&format!("{path}/"), methods)
}
