//! The role that an operation needs, held to before anything of what was sent is read.
//!
//! What an operation needs is what its description says as `x-role`, so that the two cannot differ. Strangers pass:
//! whoever answers asks them for a token, before it reads their body too. `actions/` decides again, for every face.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::Role;
use serde_json::Value;
use utoipa::openapi::OpenApi;

use super::sign_in;
use crate::Faces;
use crate::actions::role_named;

/// The least role of each operation, by its path and the method in lower case.
type Roles = HashMap<String, HashMap<String, Role>>;

/// What the layer holds requests to.
#[derive(Clone)]
pub(super) struct Permission {
    faces: Arc<Faces>,
    roles: Arc<Roles>,
}

impl Permission {
    /// As the description has it.
    pub fn new(faces: Arc<Faces>, description: &OpenApi) -> Self {
        // A description has no keys that JSON cannot have.
        let paths = serde_json::to_value(&description.paths).unwrap_or_default();
        let needed = |operation: &Value| operation["x-role"].as_str().and_then(role_named);
        let of_path = |operations: &Value| {
            let operations = operations.as_object().into_iter().flatten();
            operations.filter_map(|(method, operation)| Some((method.clone(), needed(operation)?))).collect()
        };
        let paths = paths.as_object().into_iter().flatten();
        let roles = paths.map(|(path, operations)| (path.clone(), of_path(operations))).collect();
        Self { faces, roles: Arc::new(roles) }
    }

    fn needed(&self, method: &Method, path: &str) -> Option<Role> {
        self.roles.get(path)?.get(&method.as_str().to_ascii_lowercase()).copied()
    }
}

/// Refuses whoever's role is too small.
pub(super) async fn layer(State(permission): State<Permission>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let refused = path
        .and_then(|path| permission.needed(&parts.method, path))
        .and_then(|role| sign_in::needs(role, &parts, &permission.faces).err());
    match refused {
        Some(refused) => refused.into_response(),
        None => next.run(Request::from_parts(parts, body)).await,
    }
}
