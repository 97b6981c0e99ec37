//! `/v1/reasons`

use axum::Json;
use model::{Language, Reason};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::Page;
use crate::actions::reasons;

/// Why a call, or an attempt at one, ends.
#[derive(Serialize, ToSchema)]
#[schema(as = Reason)]
pub(crate) struct ReasonView {
    /// The word in records and events.
    #[schema(example = "no_answer")]
    code: &'static str,
    /// The SIP status that says this to a caller who has not been answered.
    #[schema(example = 480)]
    sip: u16,
    /// What happened.
    sentence: BothLanguages,
    /// What can be done about it; empty where nothing needs to be.
    remedy: BothLanguages,
}

/// The same in Vietnamese and English.
#[derive(Serialize, ToSchema)]
pub(crate) struct BothLanguages {
    #[schema(example = "Có đổ chuông nhưng không ai nhấc máy.")]
    vi: &'static str,
    #[schema(example = "It rang and nobody picked up.")]
    en: &'static str,
}

impl ReasonView {
    fn of(reason: Reason) -> Self {
        let both = |say: fn(Reason, Language) -> &'static str| BothLanguages {
            vi: say(reason, Language::Vi),
            en: say(reason, Language::En),
        };
        Self { code: reason.code(), sip: reason.sip(), sentence: both(Reason::sentence), remedy: both(Reason::remedy) }
    }
}

/// The catalogue of reasons, in Vietnamese and English.
#[utoipa::path(get, path = "/v1/reasons", operation_id = "list_reasons", tag = "calls",
    extensions(("x-role" = json!("reader"))),
    responses(
        (status = 200, description = "All of them", body = Page<ReasonView>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(SignedIn { asker, .. }: SignedIn) -> Result<Json<Page<ReasonView>>, ProblemBody> {
    let items = reasons::list(&asker)?.iter().map(|reason| ReasonView::of(*reason)).collect();
    Ok(Json(Page { items, next: None }))
}
