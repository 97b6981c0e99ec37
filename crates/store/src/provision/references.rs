//! What one part of the file says of another: whatever is named exists, and nothing exists twice.

use std::collections::{BTreeMap, BTreeSet};

use model::KeyKind;

use super::shown::shown;
use super::{Lined, Provision, ProvisionError, Reference, TenantDraft, wrong};
use crate::settings::stored::{Hook, HookKind};

/// Checks the whole file.
pub(super) fn check(provision: &Provision) -> Result<(), ProvisionError> {
    let shared: BTreeSet<&str> = provision.trunks.iter().map(|trunk| trunk.value.trunk.name.as_str()).collect();
    Unique::new("trunk").all(provision.trunks.iter().map(|trunk| (trunk.line, trunk.value.trunk.name.clone())))?;
    Unique::new("tenant").all(provision.tenants.iter().map(|tenant| (tenant.line, tenant.value.name.clone())))?;
    Unique::new("user").all(provision.users.iter().map(|user| (user.line, user.value.user.email.clone())))?;
    check_whole_server(provision)?;
    for tenant in &provision.tenants {
        check_tenant(&tenant.value, &shared)?;
    }
    for user in &provision.users {
        if let Some(name) = &user.value.user.tenant
            && !provision.tenants.iter().any(|tenant| tenant.value.name == *name)
        {
            return Err(wrong(
                user.value.tenant_line,
                format!("tenant `{}` is not in the file: add it, or name another", shown(name)),
            ));
        }
    }
    Ok(())
}

// What only one tenant of a server may have.
fn check_whole_server(provision: &Provision) -> Result<(), ProvisionError> {
    let mut numbers = Unique::new("number");
    let mut domains = Unique::new("SIP domain");
    let mut keys = Unique::new("API key");
    let mut default: Option<u32> = None;
    for Lined { line, value: tenant } in &provision.tenants {
        if tenant.body.default
            && let Some(other) = default.replace(*line)
        {
            let sentence = format!("the tenant on line {other} is the default already: set `default: false` on one");
            return Err(wrong(*line, sentence));
        }
        for number in &tenant.numbers {
            numbers.add(number.line, number.value.number.clone())?;
        }
        for domain in &tenant.body.sip_domains {
            domains.add(*line, domain.clone())?;
        }
        for key in &tenant.keys {
            keys.add(key.line, key_name(&key.value))?;
        }
    }
    Ok(())
}

fn check_tenant<'a>(tenant: &'a TenantDraft, shared: &BTreeSet<&'a str>) -> Result<(), ProvisionError> {
    // Extensions, groups and queues are dialled alike.
    let mut dialled = Unique::new("extension, group or queue");
    dialled.all(tenant.extensions.iter().map(|one| (one.line, one.value.extension.number.clone())))?;
    dialled.all(tenant.groups.iter().map(|one| (one.line, one.value.number.clone())))?;
    dialled.all(tenant.queues.iter().map(|one| (one.line, one.value.number.clone())))?;
    Unique::new("menu").all(tenant.menus.iter().map(|one| (one.line, one.value.name.clone())))?;
    Unique::new("hours").all(tenant.hours.iter().map(|one| (one.line, one.value.name.clone())))?;
    Unique::new("sound").all(tenant.sounds.iter().map(|one| (one.line, one.value.name.clone())))?;
    Unique::new("device").all(tenant.devices.iter().map(|one| (one.line, one.value.device.name.clone())))?;
    Unique::new("outbound rule with the prefix")
        .all(tenant.outbound.iter().map(|one| (one.line, one.value.prefix.clone())))?;
    Unique::new("webhook").all(tenant.hooks.iter().map(|one| (one.line, hook_name(&one.value.hook))))?;
    let mut trunks = Unique::new("trunk");
    for trunk in &tenant.trunks {
        let name = trunk.value.trunk.name.clone();
        if shared.contains(name.as_str()) {
            return Err(wrong(
                trunk.line,
                format!("trunk `{name}` is one of the operator's already: choose another name"),
            ));
        }
        trunks.add(trunk.line, name)?;
    }
    let names = Names::of(tenant, shared);
    for Lined { line, value: reference } in &tenant.references {
        if !names.have(reference) {
            return Err(wrong(*line, missing(reference)));
        }
    }
    Ok(())
}

/// What may be named within a tenant.
#[derive(Default)]
pub(crate) struct Names<'a> {
    pub extensions: BTreeSet<&'a str>,
    pub groups: BTreeSet<&'a str>,
    pub queues: BTreeSet<&'a str>,
    pub menus: BTreeSet<&'a str>,
    pub hours: BTreeSet<&'a str>,
    pub sounds: BTreeSet<&'a str>,
    /// Extensions that have one.
    pub mailboxes: BTreeSet<&'a str>,
    /// Its own and the operator's.
    pub trunks: BTreeSet<&'a str>,
    pub numbers: BTreeSet<&'a str>,
    /// Hashes.
    pub callone_keys: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    fn of(tenant: &'a TenantDraft, shared: &BTreeSet<&'a str>) -> Self {
        let own_trunks = tenant.trunks.iter().map(|one| one.value.trunk.name.as_str());
        Self {
            extensions: tenant.extensions.iter().map(|one| one.value.extension.number.as_str()).collect(),
            groups: tenant.groups.iter().map(|one| one.value.number.as_str()).collect(),
            queues: tenant.queues.iter().map(|one| one.value.number.as_str()).collect(),
            menus: tenant.menus.iter().map(|one| one.value.name.as_str()).collect(),
            hours: tenant.hours.iter().map(|one| one.value.name.as_str()).collect(),
            sounds: tenant.sounds.iter().map(|one| one.value.name.as_str()).collect(),
            mailboxes: tenant
                .extensions
                .iter()
                .map(|one| &one.value.extension)
                .filter(|extension| extension.voicemail.is_some())
                .map(|extension| extension.number.as_str())
                .collect(),
            trunks: own_trunks.chain(shared.iter().copied()).collect(),
            numbers: tenant.numbers.iter().map(|one| one.value.number.as_str()).collect(),
            callone_keys: tenant
                .keys
                .iter()
                .filter_map(|one| match &one.value {
                    KeyKind::Callone { secret_key_hash, .. } => Some(secret_key_hash.as_str()),
                    _ => None,
                })
                .collect(),
        }
    }

    /// Whether what is named exists.
    pub fn have(&self, reference: &Reference) -> bool {
        let (names, name) = match reference {
            Reference::Extension(name) | Reference::Member(name) => (&self.extensions, name),
            Reference::Group(name) => (&self.groups, name),
            Reference::Queue(name) => (&self.queues, name),
            Reference::Menu(name) => (&self.menus, name),
            Reference::Hours(name) => (&self.hours, name),
            Reference::Sound(name) => (&self.sounds, name),
            Reference::Mailbox(name) => (&self.mailboxes, name),
            Reference::Trunk(name) => (&self.trunks, name),
            Reference::CallerId(number) => (&self.numbers, number),
            Reference::CalloneKey(hash) => (&self.callone_keys, hash),
        };
        names.contains(name.as_str())
    }
}

/// What is wrong with a name that stands for nothing.
pub(crate) fn missing(reference: &Reference) -> String {
    let named = |kind: &str, name: &str, list: &str| {
        format!("{kind} `{}` does not exist: add it to `{list}`, or name another", shown(name))
    };
    match reference {
        Reference::Extension(name) => named("extension", name, "extensions"),
        Reference::Group(name) => named("group", name, "groups"),
        Reference::Queue(name) => named("queue", name, "queues"),
        Reference::Menu(name) => named("menu", name, "menus"),
        Reference::Hours(name) => named("hours", name, "hours"),
        Reference::Sound(name) => named("sound", name, "sounds"),
        Reference::Mailbox(name) => {
            format!("extension `{}` has no mailbox: add `voicemail: {{}}` to it, or name another", shown(name))
        }
        Reference::Trunk(name) => named("trunk", name, "trunks"),
        Reference::Member(name) => {
            format!("member `{}` is no extension: add it to `extensions`, or remove it here", shown(name))
        }
        Reference::CallerId(number) => {
            format!("caller_id {number} is none of the tenant's `numbers`: add it there, or use one of them")
        }
        Reference::CalloneKey(_) => {
            "`key` of this device is no callone key of the tenant: use the `secret_key` of one in `keys`".into()
        }
    }
}

/// Tells when something comes a second time, and where it stood first.
struct Unique {
    what: &'static str,
    lines: BTreeMap<String, u32>,
}

impl Unique {
    fn new(what: &'static str) -> Self {
        Self { what, lines: BTreeMap::new() }
    }

    fn add(&mut self, line: u32, name: String) -> Result<(), ProvisionError> {
        match self.lines.get(&name) {
            None => {
                self.lines.insert(name, line);
                Ok(())
            }
            Some(first) => {
                let what = self.what;
                Err(wrong(
                    line,
                    format!("{what} `{name}` stands on line {first} already: remove or change one of the two"),
                ))
            }
        }
    }

    fn all(&mut self, names: impl Iterator<Item = (u32, String)>) -> Result<(), ProvisionError> {
        for (line, name) in names {
            self.add(line, name)?;
        }
        Ok(())
    }
}

/// What names an API key in the store; nothing secret.
pub(crate) fn key_name(key: &KeyKind) -> String {
    // A key that is all secret goes by the beginning of its hash.
    match key {
        KeyKind::Voip24h { voip, .. } => format!("voip24h {voip}"),
        KeyKind::Vpbx { api_key, .. } => format!("vpbx {api_key}"),
        KeyKind::Callone { secret_key_hash, .. } => {
            format!("callone {}", secret_key_hash.get(..16).unwrap_or_default())
        }
        KeyKind::Native { token_hash, .. } => format!("native {}", token_hash.get(..16).unwrap_or_default()),
    }
}

/// What names a hook in the store.
pub(crate) fn hook_name(hook: &Hook) -> String {
    let kind = match hook.kind {
        HookKind::Events => "events",
        HookKind::Missed => "missed",
        HookKind::Autocall => "autocall",
        HookKind::Feedback => "feedback",
        HookKind::Native => "native",
    };
    format!("{kind} {}", hook.url)
}
