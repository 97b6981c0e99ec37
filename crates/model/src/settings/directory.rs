//! What the door and the APIs know of all tenants.

use std::collections::BTreeMap;

use crate::{DidFrom, KeyKind, Language, Switches, TenantId, TrunkAddress};

/// What the door and the APIs know of all tenants. Replaced whole.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Directory {
    /// Grows with each change of any setting.
    pub version: u64,
    /// All tenants.
    pub tenants: Vec<TenantEntry>,
    /// The tenants that have each extension, in the order of their ids. A bare extension that one tenant has means that tenant.
    pub extensions: BTreeMap<String, Vec<TenantId>>,
    /// The tenant of each public number, by E.164 digits.
    pub numbers: BTreeMap<String, TenantId>,
    /// Where trunks' calls come from: the source, how it says the called number, the owner (None: the operator's) and the name.
    pub trunks: Vec<(TrunkAddress, DidFrom, Option<TenantId>, String)>,
    /// The trunks where we register, by the user part of our Contact there.
    pub contacts: BTreeMap<String, TrunkContact>,
    /// What API clients sign in with.
    pub keys: Vec<DirectoryKey>,
}

/// The trunk behind a Contact of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkContact {
    /// Whose. None: the operator's.
    pub owner: Option<TenantId>,
    /// `carrier`
    pub trunk: String,
    /// Where it says the called number; the request URI is our Contact, so that To and the account come after it.
    pub did_from: DidFrom,
    /// The name of the account, which is the called number where a carrier gives one account a number.
    pub account: String,
}

/// A tenant as the door knows it.
#[derive(Clone, PartialEq, Debug)]
pub struct TenantEntry {
    /// The tenant.
    pub id: TenantId,
    /// `VPBX_DEMO`
    pub name: String,
    /// Whether requests that name no tenant are its.
    pub default: bool,
    /// Domains that mean this tenant, in lower case.
    pub sip_domains: Vec<String>,
    /// An IANA zone.
    pub timezone: String,
    /// For sentences.
    pub language: Language,
    /// The country code of national numbers.
    pub country: String,
    /// Readings that differ in the wild.
    pub switches: Switches,
    /// Whether hooks and the CRM may be at private addresses.
    pub private_urls: bool,
}

/// What an API client signs in with.
#[derive(Clone, PartialEq, Debug)]
pub struct DirectoryKey {
    /// Whose.
    pub tenant: TenantId,
    /// Of which API.
    pub kind: KeyKind,
}
