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
pub(crate) async fn serve(path: &Path, mut request: Request, name: &str, disposition: Disposition) -> Option<Response> {
    match one_range(&request) {
        Some(range) => drop(request.headers_mut().insert(header::RANGE, range)),
        None => drop(request.headers_mut().remove(header::RANGE)),
    }
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

/// RFC 9110, 14.2: a range in another unit, or one that is none, is as if it were not there. So are several: the whole is
/// always a right answer.
fn one_range(request: &Request) -> Option<HeaderValue> {
    let mut given = request.headers().get_all(header::RANGE).iter();
    let (unit, range) = given.next()?.to_str().ok()?.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let is_right = match (first, last) {
        ("", last) => number(last).is_some(),
        (first, "") => number(first).is_some(),
        (first, last) => number(first)? <= number(last)?,
    };
    let is_ours = unit.eq_ignore_ascii_case("bytes") && is_right && given.next().is_none();
    is_ours.then(|| HeaderValue::from_str(&format!("bytes={first}-{last}")).ok()).flatten()
}
