//! Who asks: the Bearer token of a tenant's native key, or the admin token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use jiff::tz::TimeZone;
use model::{Actor, Role, TenantId, Text};
use sha2::{Digest, Sha256};
use store::Author;
use subtle::ConstantTimeEq;

use super::problem::ProblemBody;
use crate::actions::settings::Keeper;
use crate::actions::{Asker, need};
use crate::{Faces, Peer, keys};

/// Somebody who may ask, for one tenant. With the admin token `?tenant=NAME` chooses it, else it is the default one.
pub(crate) struct SignedIn {
    pub asker: Asker,
    /// The same, for the audit log.
    pub author: Author,
    /// The tenant's zone, for the times in answers.
    pub zone: TimeZone,
    /// The native key's token; None: the admin's.
    token: Option<String>,
}

impl SignedIn {
    /// Names whoever signed in, so that nobody else's keys for orders are theirs. Tells nothing of the token.
    pub fn owner(&self) -> String {
        owner_name(self.token.as_deref())
    }

    /// Whether the token still opens what it opened.
    pub fn still_valid(&self, faces: &Faces) -> bool {
        let Some(token) = &self.token else { return true };
        faces.keys.now().native(token).is_some_and(|now| now.tenant == self.asker.tenant)
    }
}

/// Somebody who may ask, whatever the tenant.
pub(crate) struct Anybody(pub Actor);

/// Somebody who may ask about settings: of one tenant, or with the admin token of the whole server.
pub(crate) struct Keeping {
    pub keeper: Keeper,
    /// The tenant's zone, for the times in answers.
    pub zone: TimeZone,
}

impl FromRequestParts<Arc<Faces>> for Keeping {
    type Rejection = ProblemBody;

    async fn from_request_parts(parts: &mut Parts, faces: &Arc<Faces>) -> Result<Self, ProblemBody> {
        let who = admit(bearer(parts), parts, faces)?;
        let author = who.author(parts);
        let own = who.key.as_ref().map(|(tenant, _)| *tenant);
        let index = faces.keys.now();
        let named = tenant_parameter(parts);
        let unknown = || ProblemBody::new(StatusCode::NOT_FOUND, "not_found", "this tenant does not exist");
        let tenant = match (own, &named) {
            (Some(own), named) => Some(
                index
                    .tenant(own)
                    .filter(|tenant| named.as_ref().is_none_or(|name| *name == tenant.name))
                    .ok_or_else(unknown)?,
            ),
            (None, Some(name)) => Some(index.tenant_named(Some(name)).ok_or_else(unknown)?),
            (None, None) => None,
        };
        let usual = index.tenant_named(None);
        let zone = tenant.or(usual).and_then(|tenant| TimeZone::get(&tenant.timezone).ok()).unwrap_or(TimeZone::UTC);
        let (tenant, usual) = (tenant.map(|tenant| tenant.id), usual.map(|tenant| tenant.id));
        Ok(Self { keeper: Keeper { actor: who.actor, author, tenant, usual }, zone })
    }
}

impl FromRequestParts<Arc<Faces>> for SignedIn {
    type Rejection = ProblemBody;

    async fn from_request_parts(parts: &mut Parts, faces: &Arc<Faces>) -> Result<Self, ProblemBody> {
        Self::with_token(bearer(parts), parts, faces)
    }
}

impl FromRequestParts<Arc<Faces>> for Anybody {
    type Rejection = ProblemBody;

    async fn from_request_parts(parts: &mut Parts, faces: &Arc<Faces>) -> Result<Self, ProblemBody> {
        admit(bearer(parts), parts, faces).map(|who| Self(who.actor))
    }
}

impl SignedIn {
    /// Whoever has this token, wherever in the request it stands.
    pub fn with_token(token: Option<&str>, parts: &Parts, faces: &Faces) -> Result<Self, ProblemBody> {
        let who = admit(token, parts, faces)?;
        let author = who.author(parts);
        let Who { actor, key } = who;
        let own = key.as_ref().map(|(tenant, _)| *tenant);
        let index = faces.keys.now();
        let named = tenant_parameter(parts);
        let tenant = match own {
            // A key speaks for its tenant; another one does not exist for it.
            Some(own) => index.tenant(own).filter(|tenant| named.as_ref().is_none_or(|name| *name == tenant.name)),
            None => index.tenant_named(named.as_deref()),
        };
        let Some(tenant) = tenant else {
            return Err(match named {
                Some(_) => ProblemBody::new(StatusCode::NOT_FOUND, "not_found", "this tenant does not exist"),
                None => {
                    let detail = "there is no default tenant: name one with `?tenant=NAME`";
                    ProblemBody::new(StatusCode::BAD_REQUEST, "bad_request", detail)
                }
            });
        };
        // A zone that was checked when it was set.
        let zone = TimeZone::get(&tenant.timezone).unwrap_or(TimeZone::UTC);
        Ok(Self { asker: Asker { tenant: tenant.id, actor }, author, zone, token: key.map(|(_, token)| token) })
    }
}

/// Refuses whoever shows a right token with a smaller role. Strangers are left to whoever asks them for a token.
pub(super) fn needs(role: Role, parts: &Parts, faces: &Faces) -> Result<(), ProblemBody> {
    let Some(who) = bearer(parts).and_then(|token| who(token, faces)) else { return Ok(()) };
    let Err(refusal) = need(&who.actor, role) else { return Ok(()) };
    counted(parts, faces)?;
    Err(refusal.into())
}

/// Counts a request that is answered before it gets to who counts it.
pub(super) fn counted(parts: &Parts, faces: &Faces) -> Result<(), ProblemBody> {
    admit(bearer(parts), parts, faces).map(|_| ())
}

/// Whose a request is, for who keeps answers: a name for what it signed in with, and its tenant. Counts nothing.
pub(crate) fn owner(parts: &Parts, faces: &Faces) -> Option<(String, TenantId)> {
    let who = who(bearer(parts)?, faces)?;
    let tenant = match who.key {
        Some((tenant, _)) => tenant,
        None => {
            faces.keys.now().tenant_named(tenant_parameter(parts).as_deref()).map_or(TenantId::SERVER, |own| own.id)
        }
    };
    Some((who.owner(), tenant))
}

struct Who {
    actor: Actor,
    /// A native key's tenant and token.
    key: Option<(TenantId, String)>,
}

impl Who {
    /// As the audit log has it: a key by the name that it has among the tenant's keys.
    fn author(&self, parts: &Parts) -> Author {
        let name = match &self.key {
            None => "admin".to_owned(),
            Some((_, token)) => {
                let hash = keys::hash(token);
                format!("key:native {}", hash.get(..16).unwrap_or_default())
            }
        };
        Author { name, address: parts.extensions.get::<Peer>().map(|peer| peer.0.ip()) }
    }

    fn owner(&self) -> String {
        owner_name(self.key.as_ref().map(|(_, token)| token.as_str()))
    }
}

/// Never a secret.
fn owner_name(token: Option<&str>) -> String {
    token.map_or_else(|| "admin".to_owned(), |token| format!("key:{}", keys::hash(token)))
}

/// Somebody who shows a right token, and neither asks too often nor tried too many wrong ones.
fn admit(token: Option<&str>, parts: &Parts, faces: &Faces) -> Result<Who, ProblemBody> {
    let from = parts.extensions.get::<Peer>().map(|peer| peer.0);
    let token = token.ok_or_else(ProblemBody::unauthorized)?;
    let Some(who) = who(token, faces) else {
        faces.limits.wrong_key(from)?;
        return Err(ProblemBody::unauthorized());
    };
    faces.limits.admit(&who.owner(), token, from)?;
    Ok(who)
}

fn who(token: &str, faces: &Faces) -> Option<Who> {
    if is_same(token, &faces.app.settings.admin_token) {
        return Some(Who { actor: Actor { name: Text::from("admin"), role: Role::Operator }, key: None });
    }
    let asker = faces.keys.now().native(token)?;
    Some(Who { actor: asker.actor, key: Some((asker.tenant, token.to_owned())) })
}

pub(super) fn bearer(parts: &Parts) -> Option<&str> {
    parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
}

// Hashes have one length, so that the comparison tells nothing of the token's.
fn is_same(given: &str, token: &str) -> bool {
    !token.is_empty() && bool::from(Sha256::digest(given).as_slice().ct_eq(Sha256::digest(token).as_slice()))
}

fn tenant_parameter(parts: &Parts) -> Option<String> {
    axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        .ok()?
        .0
        .into_iter()
        .find_map(|(name, value)| (name == "tenant").then_some(value))
}
