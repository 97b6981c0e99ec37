//! What a session keeps of the request that began it.
//!
//! socketioxide keeps a request's head while its client is connected. Headers and paths are slices of the buffer that the
//! connection was read into, all of which would be kept for them: eight kilobytes, and whatever a browser has of cookies.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Uri, header};
use hyper::upgrade::OnUpgrade;

use crate::Peer;

/// The headers that are read further down.
const READ: [HeaderName; 2] = [header::SEC_WEBSOCKET_KEY, header::CONTENT_TYPE];

/// The request with copies of the little that is read of its head.
pub(crate) async fn copied(request: Request) -> Request {
    let (mut whole, body) = request.into_parts();
    let mut copy = Request::new(body);
    *copy.method_mut() = whole.method;
    *copy.version_mut() = whole.version;
    // What was a path with its query a moment ago is one still.
    *copy.uri_mut() = whole.uri.path_and_query().and_then(|path| Uri::try_from(path.as_str()).ok()).unwrap_or_default();
    for name in READ {
        if let Some(value) = whole.headers.get(&name)
            && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
        {
            copy.headers_mut().insert(name, value);
        }
    }
    if let Some(peer) = whole.extensions.remove::<Peer>() {
        copy.extensions_mut().insert(peer);
    }
    if let Some(upgrade) = whole.extensions.remove::<OnUpgrade>() {
        copy.extensions_mut().insert(upgrade);
    }
    copy
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::{Body, Bytes};
    use axum::extract::OriginalUri;

    use super::*;

    #[tokio::test]
    async fn nothing_of_what_was_read_is_kept() {
        let buffer = Bytes::from(b"/socket.io/?EIO=4&transport=websocket c2VjcmV0 a=b".to_vec());
        let uri = Uri::from_maybe_shared(buffer.slice(..37)).expect("a path");
        let key = HeaderValue::from_maybe_shared(buffer.slice(38..46)).expect("a header");
        let cookie = HeaderValue::from_maybe_shared(buffer.slice(47..)).expect("a header");
        let request = Request::builder().uri(uri.clone()).header("Sec-WebSocket-Key", key).header("Cookie", cookie);
        let request = request.extension(OriginalUri(uri)).body(Body::empty()).expect("a request");

        let copy = copied(request).await;

        assert_eq!(copy.uri(), "/socket.io/?EIO=4&transport=websocket");
        assert_eq!(copy.headers()["sec-websocket-key"], "c2VjcmV0");
        assert_eq!(copy.headers().len(), 1);
        assert!(buffer.is_unique(), "the buffer is free to go");
    }

    #[tokio::test]
    async fn the_clients_address_stays_known() {
        let peer: SocketAddr = "192.0.2.1:5000".parse().expect("an address");
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));

        let copy = copied(request).await;

        assert_eq!(copy.extensions().get::<Peer>().map(|peer| peer.0), Some(peer));
    }
}
