//! The file as rows: every setting with its noun, its name, its body and its secrets.

use model::{
    DigestAlgorithm, DigestSecret, Extension, Group, Hours, KeyKind, Menu, NamedSound, NumberRoute, Outbound, Queue,
    TenantId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::noun::Noun;
use crate::provision::{
    DeviceDraft, Draft, ExtensionDraft, HookDraft, Lined, Proof, Provision, TenantDraft, TrunkDraft, hook_name,
    key_name,
};
use crate::secrets::{Secret, ha1};
use crate::settings::stored::User;

/// Settings that belong to no tenant.
pub(super) const OPERATOR: TenantId = TenantId(0);

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
    /// The one that is stored.
    Stored,
    /// Hashed already.
    Hashed(String),
}

/// The settings of a tenant whose row has this id.
pub(super) fn of_tenant(id: TenantId, draft: &TenantDraft, realm: &str) -> Vec<Item> {
    let mut items = Items { tenant: id, items: Vec::new() };
    items.add(Noun::Key, &draft.keys, key);
    items.add(Noun::Extension, &draft.extensions, |one| extension(one, &draft.name, realm));
    items.add(Noun::Trunk, &draft.trunks, trunk);
    items.add(Noun::Outbound, &draft.outbound, outbound);
    items.add(Noun::Number, &draft.numbers, number);
    items.add(Noun::Group, &draft.groups, group);
    items.add(Noun::Queue, &draft.queues, queue);
    items.add(Noun::Menu, &draft.menus, menu);
    items.add(Noun::Hours, &draft.hours, hours);
    items.add(Noun::Sound, &draft.sounds, sound);
    items.add(Noun::Hook, &draft.hooks, hook);
    items.add(Noun::Device, &draft.devices, device);
    items.items
}

/// The settings that belong to no tenant. `hashes`: one for each user, in the order of the file.
pub(super) fn of_operator(provision: &Provision, hashes: Vec<String>) -> Vec<Item> {
    let mut items = Items { tenant: OPERATOR, items: Vec::new() };
    items.add(Noun::Trunk, &provision.trunks, trunk);
    let mut hashes = hashes.into_iter();
    items.add(Noun::User, &provision.users, |draft| user(&draft.user, hashes.next()));
    items.items
}

/// One thing as a row: its name, its body, its secrets. `tenant`: the tenant's name. `hash`: of a new password of a
/// user. A tenant is no such row.
pub(super) fn of_draft(draft: &Draft, tenant: &str, realm: &str, hash: Option<String>) -> Option<Row> {
    Some(match draft {
        Draft::Tenant { .. } => return None,
        Draft::Key(draft) => key(draft),
        Draft::Extension(draft) => extension(draft, tenant, realm),
        Draft::Trunk(draft) => trunk(draft),
        Draft::Outbound(draft) => outbound(draft),
        Draft::Number(draft) => number(draft),
        Draft::Group(draft) => group(draft),
        Draft::Queue(draft) => queue(draft),
        Draft::Menu(draft) => menu(draft),
        Draft::Hours(draft) => hours(draft),
        Draft::Sound(draft) => sound(draft),
        Draft::Hook(draft) => hook(draft),
        Draft::Device(draft) => device(draft),
        Draft::User(draft) => user(&draft.user, hash),
    })
}

/// The names a phone may sign in with: `101`, `VPBX_DEMO_101`, `VPBX_DEMO101`.
pub(super) fn sign_in_names(tenant: &str, extension: &str) -> [String; 3] {
    [extension.to_owned(), format!("{tenant}_{extension}"), format!("{tenant}{extension}")]
}

fn key(key: &KeyKind) -> Row {
    (key_name(key), body(key), Vec::new())
}

fn extension(draft: &ExtensionDraft, tenant: &str, realm: &str) -> Row {
    let mut extension = draft.extension.clone();
    if let Proof::Given(password) = &draft.password {
        extension.digests = digests(tenant, &extension.number, realm, password);
    }
    let mut body = body(&extension);
    if let Value::Object(keys) = &mut body {
        keys.retain(|key, _| !draft.left_out.contains(&key.as_str()));
    }
    (extension.number.clone(), body, Vec::new())
}

/// The body of something new: what was left out of it is as it usually is.
pub(super) fn whole(noun: Noun, body: Value) -> Value {
    match (noun, Extension::deserialize(&body)) {
        (Noun::Extension, Ok(extension)) => self::body(&extension),
        _ => body,
    }
}

fn digests(tenant: &str, extension: &str, realm: &str, password: &Secret) -> Vec<DigestSecret> {
    let mut digests = Vec::new();
    for username in sign_in_names(tenant, extension) {
        for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
            let ha1 = ha1(algorithm, &username, realm, password.reveal());
            digests.push(DigestSecret { username: username.clone(), algorithm, ha1 });
        }
    }
    digests
}

fn trunk(draft: &TrunkDraft) -> Row {
    let password = draft.password.as_ref().map(|password| ("password", sealed(password)));
    (draft.trunk.name.clone(), body(&draft.trunk), password.into_iter().collect())
}

fn outbound(rule: &Outbound) -> Row {
    (rule.prefix.clone(), body(rule), Vec::new())
}

fn number(number: &NumberRoute) -> Row {
    (number.number.clone(), body(number), Vec::new())
}

fn group(group: &Group) -> Row {
    (group.number.clone(), body(group), Vec::new())
}

fn queue(queue: &Queue) -> Row {
    (queue.number.clone(), body(queue), Vec::new())
}

fn menu(menu: &Menu) -> Row {
    (menu.name.clone(), body(menu), Vec::new())
}

fn hours(hours: &Hours) -> Row {
    (hours.name.clone(), body(hours), Vec::new())
}

fn sound(sound: &NamedSound) -> Row {
    (sound.name.clone(), body(sound), Vec::new())
}

fn hook(draft: &HookDraft) -> Row {
    let secret = draft.secret.clone().map_or(Confidence::Made, Confidence::Sealed);
    (hook_name(&draft.hook), body(&draft.hook), vec![("secret", secret)])
}

fn device(draft: &DeviceDraft) -> Row {
    (draft.device.name.clone(), body(&draft.device), vec![("pairing_code", sealed(&draft.pairing_code))])
}

fn user(user: &User, hash: Option<String>) -> Row {
    (user.email.clone(), body(user), vec![("password", hash.map_or(Confidence::Stored, Confidence::Hashed))])
}

fn sealed(proof: &Proof) -> Confidence {
    match proof {
        Proof::Given(secret) => Confidence::Sealed(secret.clone()),
        Proof::Stored => Confidence::Stored,
    }
}

/// Name, body and secrets.
pub(super) type Row = (String, Value, Vec<(&'static str, Confidence)>);

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
