//! What the API says of itself: OpenAPI, AsyncAPI, a Postman collection, and a page to read them. All made of the code,
//! for everybody to read, and none of it asks anything of another host.

mod asyncapi;
mod kinds;
mod openapi;
mod page;
mod postman;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::{MethodRouter, get};
use serde_json::Value;
use utoipa::openapi::OpenApi;

use crate::Faces;

/// The paths of the descriptions, made of that of the routes.
pub(super) fn router(routes: &OpenApi) -> Router<Arc<Faces>> {
    let openapi = openapi::describe(routes);
    let postman = postman::collection(&openapi);
    Router::new()
        .route("/v1/openapi.json", served(&openapi))
        .route("/v1/asyncapi.json", served(&asyncapi::describe()))
        .route("/v1/postman.json", served(&postman))
        .merge(page::router())
}

/// Printed once, as it is checked in under `docs/`.
fn served(description: &Value) -> MethodRouter<Arc<Faces>> {
    let text: Arc<str> = format!("{description:#}\n").into();
    get(async move || ([(header::CONTENT_TYPE, "application/json")], text.to_string()))
}
