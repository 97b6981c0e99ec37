//! Every request is counted, and told in the log without keys.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::Faces;
use crate::mask::masked;
use crate::metrics::HttpLabels;

/// Counts the request by its route and status.
pub(crate) async fn watch(State(faces): State<Arc<Faces>>, request: Request, next: Next) -> Response {
    // What a client sent never becomes a label: there would be no end of them.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let uri = tracing::enabled!(tracing::Level::DEBUG).then(|| masked(request.uri()));
    let begun = Instant::now();

    let response = next.run(request).await;

    let status = response.status().as_u16();
    faces.app.metrics.http_requests.get_or_create(&HttpLabels { route, status }).inc();
    if let Some(uri) = uri {
        tracing::debug!(%method, uri, status, elapsed = ?begun.elapsed(), "request");
    }
    response
}
