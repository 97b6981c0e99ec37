//! The live example pages of the vendor's document, and the Socket.IO client that old pages load from the server.
//!
//! Both pages are one file: the one `with_ssl` begins with this host's address over TLS. Nothing is loaded from elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::Html;
use axum::routing::get;

use crate::Faces;
use crate::vendors::both;

const PAGE: &str = include_str!("example/example_io.html");
/// Socket.IO's own client of the generation that the vendor's pages use; MIT licence, beside it.
const CLIENT: &str = include_str!("example/socket.io-2.5.0.slim.js");

type Script = [(HeaderName, &'static str); 2];
const SCRIPT: Script =
    [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=86400")];

/// The paths.
pub(crate) fn router() -> Router<Arc<Faces>> {
    let mut router = Router::new().route("/socket.io/socket.io.js", get(client));
    for path in ["/example/example_io.html", "/example/example_io_with_ssl.html"] {
        router = both(router, path, get(page));
    }
    router
}

async fn page() -> Html<&'static str> {
    Html(PAGE)
}

async fn client() -> (Script, &'static str) {
    (SCRIPT, CLIENT)
}
