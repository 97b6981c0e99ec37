//! `/livez`, `/readyz`, `/metrics`: for whoever watches the process. They ask for no token and show no tenant.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::problem::ProblemBody;
use crate::{Faces, Readiness, STALLED};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn router() -> Router<Arc<Faces>> {
    Router::new().route("/livez", get(async || "alive\n")).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

async fn ready(State(faces): State<Arc<Faces>>) -> Response {
    let unready = |code, detail: &str| ProblemBody::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).into_response();
    match &*faces.app.readiness.borrow() {
        Readiness::Ready => "ready\n".into_response(),
        Readiness::Starting => unready("starting", "the server is starting"),
        Readiness::Stalled => unready("stalled", STALLED),
        Readiness::Draining => unready("draining", "the server takes no new calls: it is about to stop"),
        Readiness::Stopped => unready("stopped", "the server has stopped"),
    }
}

async fn metrics(State(faces): State<Arc<Faces>>) -> Response {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], faces.app.metrics.print()).into_response()
}
