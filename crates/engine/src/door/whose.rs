//! Whose a request outside of a dialog is: a trunk's, or a phone's of some tenant.

use model::{DidFrom, Directory, Number, TenantId, TrunkContact};
use sip::{Flow, HeaderName, Method, NameAddr, Request, Uri};

use crate::edge::Whose;

/// Whose it is. None: this server has no tenant that it could be for.
pub fn find(directory: &Directory, flow: Flow, request: &Request) -> Option<Whose> {
    if request.method == Method::Invite
        && let Some(trunk) = trunk_of(directory, flow, request)
    {
        return Some(trunk);
    }
    tenant_of(directory, request).map(Whose::Phone)
}

/// A call is a trunk's if it comes from the trunk's address, calls one of its tenant's numbers, and does not say
/// that it comes from an extension; or if it comes to the Contact under which we have registered there.
fn trunk_of(directory: &Directory, flow: Flow, request: &Request) -> Option<Whose> {
    if let Some(trunk) = by_contact(directory, request) {
        return Some(trunk);
    }
    let caller = request.headers.from().ok().and_then(|from| user_of(&from.uri)).unwrap_or_default();
    directory.trunks.iter().filter(|(address, ..)| address.contains(flow.remote)).find_map(
        |(_, did_from, owner, name)| {
            let called = called(request, *did_from)?;
            let (did, tenant) = number_of(directory, &called)?;
            if owner.is_some_and(|owner| owner != tenant) || has_extension(directory, tenant, &caller) {
                return None;
            }
            Some(Whose::Trunk { tenant, trunk: name.clone(), did })
        },
    )
}

/// Nobody but the carrier knows the Contact. The number stands where the trunk says, else in To; else the account is it.
fn by_contact(directory: &Directory, request: &Request) -> Option<Whose> {
    let TrunkContact { owner, trunk, did_from, account } = directory.contacts.get(&user_of(&request.uri)?)?;
    let written = [called(request, *did_from), called(request, DidFrom::To), Some(account.clone())];
    let mut numbers = written.iter().flatten().filter_map(|called| number_of(directory, called));
    let found = numbers.find(|(_, tenant)| owner.is_none_or(|owner| owner == *tenant));
    // A number that nobody has is refused as one; a challenge is nothing that a carrier could meet.
    let nobodys = || Some((written.iter().flatten().next()?.clone(), (*owner)?));
    let (did, tenant) = found.or_else(nobodys)?;
    Some(Whose::Trunk { tenant, trunk: trunk.clone(), did })
}

fn called(request: &Request, did_from: DidFrom) -> Option<String> {
    match did_from {
        DidFrom::RequestUri => user_of(&request.uri),
        DidFrom::To => user_of(&request.headers.to().ok()?.uri),
        DidFrom::PCalledPartyId => {
            let value = request.headers.get(&HeaderName::from_static("P-Called-Party-ID"))?.clone();
            user_of(&NameAddr::parse(value).ok()?.uri)
        }
    }
}

/// The number as the directory has it, and its tenant. National forms are read in each tenant's country.
fn number_of(directory: &Directory, called: &str) -> Option<(String, TenantId)> {
    directory.tenants.iter().find_map(|tenant| {
        let number = Number::parse(called, &tenant.country).ok()?;
        let owner = directory.numbers.get(number.international())?;
        (*owner == tenant.id).then(|| (number.international().to_owned(), tenant.id))
    })
}

/// By authentication name, else by the domain of From, To or request URI, else by a bare extension that only one
/// tenant has, else the default tenant. Without a default the first: an unknown name is treated like a known one.
fn tenant_of(directory: &Directory, request: &Request) -> Option<TenantId> {
    let from = request.headers.from().ok();
    by_sign_in(directory, request)
        .or_else(|| {
            let to = request.headers.to().ok();
            let uris = [from.as_ref().map(|from| &from.uri), to.as_ref().map(|to| &to.uri), Some(&request.uri)];
            uris.into_iter().flatten().find_map(|uri| by_domain(directory, uri))
        })
        .or_else(|| match directory.extensions.get(&user_of(&from.as_ref()?.uri)?)?.as_slice() {
            [only] => Some(*only),
            _ => None,
        })
        .or_else(|| directory.tenants.iter().find(|tenant| tenant.default).map(|tenant| tenant.id))
        .or_else(|| directory.tenants.first().map(|tenant| tenant.id))
}

fn by_sign_in(directory: &Directory, request: &Request) -> Option<TenantId> {
    let credentials = request.headers.credentials().ok()?;
    credentials.iter().find_map(|credentials| {
        let username = std::str::from_utf8(&credentials.username).ok()?;
        // The longest name wins: VPBX_DEMO_2_101 is not extension 2_101 of VPBX_DEMO.
        let named = directory
            .tenants
            .iter()
            .filter(|tenant| username.strip_prefix(tenant.name.as_str()).is_some_and(|rest| !rest.is_empty()));
        named.max_by_key(|tenant| tenant.name.len()).map(|tenant| tenant.id)
    })
}

fn by_domain(directory: &Directory, uri: &Uri) -> Option<TenantId> {
    let host = uri.host.as_ref()?.to_string().to_ascii_lowercase();
    directory.tenants.iter().find(|tenant| tenant.sip_domains.contains(&host)).map(|tenant| tenant.id)
}

fn has_extension(directory: &Directory, tenant: TenantId, user: &str) -> bool {
    directory.extensions.get(user).is_some_and(|owners| owners.contains(&tenant))
}

fn user_of(uri: &Uri) -> Option<String> {
    uri.user_text().map(|user| String::from_utf8_lossy(&user).into_owned())
}
