//! How long the body of a request may take.
//!
//! Some seconds, and then as long as bytes keep coming at a modest pace. A body that does not is cut: whoever was reading it
//! fails, and what it answered in its own words leaves as a 408. Answers may take as long as they like.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

use crate::Faces;
use crate::native::problem::ProblemBody;

/// Bytes a second that keep a body going once its first seconds are over.
const PACE: usize = 16 * 1024;

/// Whether the body of a request was cut because it came too slowly. Stands in the request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    is_so: Arc<AtomicBool>,
    within: Duration,
}

impl Late {
    /// That of a request that has a body.
    pub fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get().cloned()
    }

    fn new(within: Duration) -> Self {
        Self { is_so: Arc::default(), within }
    }

    /// Whether it was cut.
    pub fn is_so(&self) -> bool {
        self.is_so.load(Ordering::Acquire)
    }

    /// What the client is told.
    pub fn sentence(&self) -> String {
        format!("the body did not come within {} s: send the request again", self.within.as_secs_f64())
    }
}

/// Cuts bodies that come too slowly.
pub(crate) async fn layer(State(faces): State<Arc<Faces>>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let late = Late::new(faces.app.settings.body_within);
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(late.clone());
    let body = Body::from_stream(in_time(body, late.clone()));
    let response = next.run(Request::from_parts(parts, body)).await;
    if late.is_so() { timed_out(response, &late) } else { response }
}

/// The native API's problem is another one now; what a vendor's face said in its own words stays.
fn timed_out(response: Response, late: &Late) -> Response {
    let is_problem =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    let mut response = if is_problem {
        ProblemBody::new(StatusCode::REQUEST_TIMEOUT, "body_late", late.sentence()).into_response()
    } else {
        response
    };
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    // The rest of the body may still come: nothing else can be read from this connection.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn in_time(body: Body, late: Late) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let mut until = Instant::now() + late.within;
    async_stream::stream! {
        let mut pieces = body.into_data_stream();
        loop {
            match tokio::time::timeout_at(until, pieces.next()).await {
                Ok(Some(Ok(piece))) => {
                    until += Duration::from_secs(1).mul_f64(piece.len() as f64 / PACE as f64);
                    yield Ok(piece);
                }
                Ok(Some(Err(error))) => {
                    yield Err(error.into());
                    return;
                }
                Ok(None) => return,
                Err(_) => {
                    late.is_so.store(true, Ordering::Release);
                    yield Err(late.sentence().into());
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of a body comes through, of pieces of this size that come once a second; whether it was cut.
    async fn through(piece: usize, pieces: usize) -> (usize, bool) {
        let slow = async_stream::stream! {
            for _ in 0..pieces {
                tokio::time::sleep(Duration::from_secs(1)).await;
                yield Ok::<_, BoxError>(Bytes::from(vec![0; piece]));
            }
        };
        let late = Late::new(Duration::from_secs(30));
        let whole = in_time(Body::from_stream(slow), late.clone());
        let came = whole.filter_map(async |piece| piece.ok()).map(|piece| piece.len());
        (came.fold(0, async |all, more| all + more).await, late.is_so())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_keeps_coming_may_take_long_and_a_trickle_may_not() {
        assert_eq!(through(20_000, 600).await, (12_000_000, false), "ten minutes at 20 kB a second");
        assert_eq!(through(1, 20).await, (20, false), "20 s in all");
        assert_eq!(through(1, 600).await, (30, true), "a byte a second");
    }
}
