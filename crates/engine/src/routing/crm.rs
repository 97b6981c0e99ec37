//! Whom a number reaches that asks the customer's CRM: what is asked, what an answer means, and what holds without one.

use std::time::Duration;

use model::{Route, TenantSettings};

use super::{Destination, Lead};

/// So much of what a CRM wrote is repeated.
const MOST_SHOWN: usize = 40;

/// A number's question to the CRM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crm {
    /// Where it is asked.
    pub url: String,
    /// How long it may think.
    pub within: Duration,
    /// Where the number leads without a usable answer.
    pub default: Route,
}

/// Why the CRM's decision is not followed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Undecided {
    /// It let the time pass.
    #[error("the CRM did not answer within {} ms", .0.as_millis())]
    Late(Duration),
    /// It cannot be known.
    #[error("the CRM gave no usable answer: {0}")]
    Failed(String),
    /// It named nobody.
    #[error("the CRM named nobody")]
    Nobody,
    /// It named what there is not.
    #[error("the CRM named `{0}`, which is no extension, no group and no queue")]
    Unknown(String),
    /// So many callers wait for an answer that no more is asked.
    #[error("the CRM was not asked: too many questions are open")]
    NotAsked,
}

impl Crm {
    /// The question of a route, if it is one. What the default would ask is not asked: one decision is enough to wait for.
    pub fn of(route: &Route) -> Option<Self> {
        let Route::Crm { url, timeout_ms, default } = route else { return None };
        let within = Duration::from_millis((*timeout_ms).into());
        Some(Self { url: url.clone(), within, default: settled(default).clone() })
    }
}

/// Whom the CRM's answer means: an extension, a group or a queue of the tenant, as it is dialled.
pub fn by_crm<'a>(settings: &'a TenantSettings, answer: &str) -> Result<Lead<'a>, Undecided> {
    let target = answer.trim();
    if let Some(extension) = settings.extensions.get(target) {
        return Ok(Lead::To(Destination::Extension(extension)));
    }
    if let Some(group) = settings.groups.get(target) {
        return Ok(Lead::To(Destination::Group(group)));
    }
    if let Some(queue) = settings.queues.get(target) {
        return Ok(Lead::Queue(queue));
    }
    let shown: String = target.chars().take(MOST_SHOWN).collect();
    Err(if target.is_empty() { Undecided::Nobody } else { Undecided::Unknown(shown) })
}

/// Where a route leads when nobody is asked.
pub(super) fn settled(route: &Route) -> &Route {
    let mut route = route;
    while let Route::Crm { default, .. } = route {
        route = default;
    }
    route
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn asks(default: Route) -> Route {
        Route::Crm { url: "https://crm.example.com/".into(), timeout_ms: 3_000, default: Box::new(default) }
    }

    #[test]
    fn an_extension_or_a_group_is_named_with_or_without_blanks_around_it() {
        let settings = fixture::demo();

        let extension = by_crm(&settings, " 101\r\n");
        let group = by_crm(&settings, "600");

        assert!(matches!(extension, Ok(Lead::To(Destination::Extension(extension))) if extension.number == "101"));
        assert!(matches!(group, Ok(Lead::To(Destination::Group(group))) if group.number == "600"));
    }

    #[test]
    fn whatever_else_is_named_is_not_followed_and_repeated_in_part() {
        let settings = fixture::demo();

        let named = ["", "  ", "0900000001", "02873088088"].map(|answer| by_crm(&settings, answer));
        let long = by_crm(&settings, &"9".repeat(10_000));

        let unknown = |what: &str| Err(Undecided::Unknown(what.into()));
        let nobody = || Err(Undecided::Nobody);
        assert_eq!(named, [nobody(), nobody(), unknown("0900000001"), unknown("02873088088")]);
        assert_eq!(long, unknown(&"9".repeat(MOST_SHOWN)));
    }

    #[test]
    fn a_default_that_would_ask_again_leads_on_to_its_own_default() {
        let nested = (0..1_000).fold(Route::Extension("102".into()), |route, _| asks(route));

        let crm = Crm::of(&nested).expect("it asks");

        assert_eq!(crm.default, Route::Extension("102".into()));
    }
}
