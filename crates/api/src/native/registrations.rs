//! `/v1/registrations`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use store::Registration;
use utoipa::{IntoParams, ToSchema};

use super::extract::Asked;
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::{Page, moment};
use crate::Faces;
use crate::actions::registrations;

/// The extensions of a page, unless asked otherwise, and at most.
const PAGE: u32 = 100;
const MOST: u32 = 1_000;

/// Which phones.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// With the admin token: the tenant's name.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
    /// Only the phones of this extension.
    extension: Option<String>,
    /// Extensions of a page, 1 to 1 000 (100); each may have several phones.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A phone that is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Registration)]
pub(crate) struct RegistrationView {
    /// The extension it is signed in as.
    #[schema(example = "101")]
    extension: String,
    /// Where it sends from.
    #[schema(example = "192.0.2.7:5060")]
    address: String,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    #[schema(example = "udp")]
    transport: String,
    /// What it calls its own address.
    #[schema(example = "sip:101@192.0.2.7:5060")]
    contact: String,
    /// What it calls itself; null: it does not say.
    #[schema(required, example = "baresip v1.0.0")]
    user_agent: Option<String>,
    /// When it signed in (RFC 3339).
    #[schema(required)]
    since: Option<String>,
    /// Until when, unless it refreshes before.
    expires_at: String,
}

impl RegistrationView {
    fn of(phone: Registration, zone: &TimeZone) -> Self {
        Self {
            extension: phone.extension,
            address: phone.address,
            transport: phone.transport,
            contact: phone.contact,
            user_agent: Some(phone.user_agent.to_string()).filter(|name| !name.is_empty()),
            since: phone.since.map(|at| moment(at, zone)),
            expires_at: moment(phone.expires, zone),
        }
    }
}

/// Phones that are signed in, by extension.
#[utoipa::path(get, path = "/v1/registrations", operation_id = "list_registrations", tag = "registrations",
    extensions(("x-role" = json!("reader"))), params(Which),
    responses(
        (status = 200, description = "A page", body = Page<RegistrationView>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Asked(Which { extension, limit, after, .. }): Asked<Which>,
) -> Result<Json<Page<RegistrationView>>, ProblemBody> {
    let limit = limit.unwrap_or(PAGE).clamp(1, MOST);
    let page = registrations::list(&faces.app, &asker, extension.as_deref(), after.as_deref(), limit).await?;
    let items = page.phones.into_iter().map(|phone| RegistrationView::of(phone, &zone)).collect();
    Ok(Json(Page { items, next: page.next }))
}
