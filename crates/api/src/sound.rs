//! A recording's sound over HTTP, whole or in part (`Range`), also while it is still being written.

use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt;
use tower_http::services::ServeFile;

/// Whether a browser plays the sound or saves it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Disposition {
    /// Plays it.
    Inline,
    /// Saves it.
    Attachment,
}

/// The answer to a GET or HEAD for the file; None if it is not there. `name` is what a browser saves it as.
pub(crate) async fn serve(path: &Path, request: Request, name: &str, disposition: Disposition) -> Option<Response> {
    // Reading a file fails in an answer, never as an error.
    let response = ServeFile::new(path).oneshot(request).await.unwrap_or_else(|never| match never {});
    if response.status() == StatusCode::NOT_FOUND {
        return None;
    }
    let mut response = response.map(Body::new);
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let word = match disposition {
        Disposition::Inline => "inline",
        Disposition::Attachment => "attachment",
    };
    // The name is made of an id: digits and a dot.
    if let Ok(value) = HeaderValue::from_str(&format!("{word}; filename=\"{name}.wav\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Some(response)
}
