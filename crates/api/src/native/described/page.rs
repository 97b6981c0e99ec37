//! `/docs`: the description to read and to try. Swagger UI, out of the program itself; it asks nothing of another host.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use utoipa_swagger_ui::Config;

use crate::Faces;
use crate::native::problem::ProblemBody;

/// What the page may load: only what this server has.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tongdai API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"#;

/// No validator: that would be another host.
const START: &str = r##"SwaggerUIBundle({
  url: "/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  displayOperationId: true,
  showExtensions: true,
  persistAuthorization: false,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
"##;

pub(super) fn router() -> Router<Arc<Faces>> {
    Router::new().route("/docs", get(page)).route("/docs/start.js", get(start)).route("/docs/{file}", get(file))
}

async fn page() -> Response {
    (safe("no-cache"), Html(PAGE)).into_response()
}

async fn start() -> Response {
    (safe("no-cache"), [(header::CONTENT_TYPE, "text/javascript")], START).into_response()
}

async fn file(Path(name): Path<String>) -> Response {
    // What is served is in the program; a name leads nowhere else.
    match utoipa_swagger_ui::serve(&name, Arc::new(Config::from("/v1/openapi.json"))) {
        Ok(Some(file)) if !name.is_empty() => {
            let content_type = [(header::CONTENT_TYPE, file.content_type)];
            (safe("max-age=86400"), content_type, file.bytes.into_owned()).into_response()
        }
        _ => ProblemBody::new(StatusCode::NOT_FOUND, "not_found", "the page has no such file: open /docs")
            .into_response(),
    }
}

fn safe(caching: &'static str) -> [(HeaderName, &'static str); 3] {
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, caching),
    ]
}
