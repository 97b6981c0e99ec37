//! How a tenant sees its calls: its zone, its country, and links that its recordings play by.

use jiff::tz::TimeZone;
use model::{CallId, Timestamp};

use super::translate::Look;
use crate::actions::Asker;
use crate::base_url::BaseUrl;
use crate::{Faces, links};

/// Renders with the tenant's zone and country and links that its recordings play by.
pub(super) fn look<T>(faces: &Faces, asker: &Asker, base: &BaseUrl, render: impl FnOnce(&Look<'_>) -> T) -> T {
    let index = faces.keys.now();
    let tenant = index.tenant(asker.tenant);
    let settings = &faces.app.settings;
    let until = Timestamp::now().checked_add(settings.link_lifetime).unwrap_or(Timestamp::MAX);
    let link = |kind: &str, call: CallId| {
        let token = links::token(&settings.link_key, asker.tenant, call, until);
        format!("{base}/fdownload/{kind}?pkeyID={call}.wav&xKey={token}")
    };
    render(&Look {
        zone: tenant.and_then(|tenant| TimeZone::get(&tenant.timezone).ok()).unwrap_or(TimeZone::UTC),
        country: tenant.map(|tenant| tenant.country.clone()).unwrap_or_default(),
        link: &link,
    })
}
