//! The file as rows: every setting with its noun, its name, its body and its secrets.

use model::{DigestAlgorithm, DigestSecret, Extension, TenantId};
use serde::Serialize;
use serde_json::Value;

use crate::provision::{ExtensionDraft, Lined, Provision, TenantDraft, TrunkDraft, hook_name, key_name};
use crate::secrets::{Secret, ha1};

/// Settings that belong to no tenant.
pub(super) const OPERATOR: TenantId = TenantId(0);

/// What sort of setting a row is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Noun {
    Key,
    Extension,
    Trunk,
    Outbound,
    Number,
    Group,
    Queue,
    Menu,
    Webhook,
    Device,
    User,
}

impl Noun {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Key, "key"),
        (Self::Extension, "extension"),
        (Self::Trunk, "trunk"),
        (Self::Outbound, "outbound"),
        (Self::Number, "number"),
        (Self::Group, "group"),
        (Self::Queue, "queue"),
        (Self::Menu, "menu"),
        (Self::Webhook, "webhook"),
        (Self::Device, "device"),
        (Self::User, "user"),
    ];

    /// The word in the store.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(noun, _)| *noun == self).map_or("", |(_, name)| name)
    }

    /// Reads the word in the store.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, word)| *word == name).map(|(noun, _)| *noun)
    }
}

/// A setting of the file.
#[derive(Debug)]
pub(super) struct Item {
    pub tenant: TenantId,
    pub noun: Noun,
    /// What makes it the same setting the next time the file is applied.
    pub name: String,
    /// Its place among its tenant's settings of the same noun.
    pub place: i64,
    pub line: u32,
    pub body: Value,
    pub secrets: Vec<(&'static str, Confidence)>,
}

/// How a secret is kept.
#[derive(Debug)]
pub(super) enum Confidence {
    /// Sealed, so that we can say it to others.
    Sealed(Secret),
    /// Sealed; the one that is stored, else one that is made.
    Made,
    /// Hashed already.
    Hashed(String),
}

/// The settings of a tenant whose row has this id.
pub(super) fn of_tenant(id: TenantId, draft: &TenantDraft, realm: &str) -> Vec<Item> {
    let mut items = Items { tenant: id, items: Vec::new() };
    items.add(Noun::Key, &draft.keys, |key| (key_name(key), body(key), Vec::new()));
    items.add(Noun::Extension, &draft.extensions, |extension| {
        let whole = with_digests(&draft.name, extension, realm);
        (whole.number.clone(), body(&whole), Vec::new())
    });
    items.add(Noun::Trunk, &draft.trunks, trunk);
    items.add(Noun::Outbound, &draft.outbound, |rule| (rule.prefix.clone(), body(rule), Vec::new()));
    items.add(Noun::Number, &draft.numbers, |number| (number.number.clone(), body(number), Vec::new()));
    items.add(Noun::Group, &draft.groups, |group| (group.number.clone(), body(group), Vec::new()));
    items.add(Noun::Queue, &draft.queues, |queue| (queue.number.clone(), body(queue), Vec::new()));
    items.add(Noun::Menu, &draft.menus, |menu| (menu.name.clone(), body(menu), Vec::new()));
    items.add(Noun::Webhook, &draft.hooks, |draft| {
        let secret = draft.secret.clone().map_or(Confidence::Made, Confidence::Sealed);
        (hook_name(&draft.hook), body(&draft.hook), vec![("secret", secret)])
    });
    items.add(Noun::Device, &draft.devices, |draft| {
        let code = Confidence::Sealed(draft.pairing_code.clone());
        (draft.device.name.clone(), body(&draft.device), vec![("pairing_code", code)])
    });
    items.items
}

/// The settings that belong to no tenant. `hashes`: one for each user, in the order of the file.
pub(super) fn of_operator(provision: &Provision, hashes: Vec<String>) -> Vec<Item> {
    let mut items = Items { tenant: OPERATOR, items: Vec::new() };
    items.add(Noun::Trunk, &provision.trunks, trunk);
    let mut hashes = hashes.into_iter();
    items.add(Noun::User, &provision.users, |draft| {
        let hash = Confidence::Hashed(hashes.next().unwrap_or_default());
        (draft.user.email.clone(), body(&draft.user), vec![("password", hash)])
    });
    items.items
}

/// The names a phone may sign in with: `101`, `VPBX_DEMO_101`, `VPBX_DEMO101`.
pub(super) fn sign_in_names(tenant: &str, extension: &str) -> [String; 3] {
    [extension.to_owned(), format!("{tenant}_{extension}"), format!("{tenant}{extension}")]
}

fn with_digests(tenant: &str, draft: &ExtensionDraft, realm: &str) -> Extension {
    let mut extension = draft.extension.clone();
    for username in sign_in_names(tenant, &extension.number) {
        for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
            let ha1 = ha1(algorithm, &username, realm, draft.password.reveal());
            extension.digests.push(DigestSecret { username: username.clone(), algorithm, ha1 });
        }
    }
    extension
}

fn trunk(draft: &TrunkDraft) -> Row {
    let password = draft.password.clone().map(|password| ("password", Confidence::Sealed(password)));
    (draft.trunk.name.clone(), body(&draft.trunk), password.into_iter().collect())
}

type Row = (String, Value, Vec<(&'static str, Confidence)>);

struct Items {
    tenant: TenantId,
    items: Vec<Item>,
}

impl Items {
    fn add<T>(&mut self, noun: Noun, drafts: &[Lined<T>], mut row: impl FnMut(&T) -> Row) {
        for (place, draft) in (0..).zip(drafts) {
            let (name, body, secrets) = row(&draft.value);
            self.items.push(Item { tenant: self.tenant, noun, name, place, line: draft.line, body, secrets });
        }
    }
}

pub(super) fn body<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("settings have string keys and no failing parts")
}
