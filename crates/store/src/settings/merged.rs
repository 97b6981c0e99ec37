//! What a file and the store together may not hold twice. The file by itself was checked when it was read.

use std::collections::BTreeMap;

use model::TenantId;

use super::items::{Item, OPERATOR, sign_in_names};
use super::noun::Noun;
use super::rows::{Rows, TenantRow};
use crate::provision::ProvisionError;

/// Checks what the store would hold; `lines`: the tenants of the file and where they begin.
pub(super) fn check(
    tenants: &[TenantRow],
    rows: &Rows,
    items: &[Item],
    lines: &BTreeMap<TenantId, u32>,
) -> Result<(), Clash> {
    let tenants: BTreeMap<TenantId, &TenantRow> =
        tenants.iter().filter(|row| !row.deleted).map(|row| (row.id, row)).collect();
    let item_lines: BTreeMap<(TenantId, Noun, &str), u32> =
        items.iter().map(|item| ((item.tenant, item.noun, item.name.as_str()), item.line)).collect();
    let mut owners = Owners { tenants: &tenants, seen: BTreeMap::new() };

    for (id, row) in &tenants {
        let line = lines.get(id).copied();
        if row.body["default"] == true {
            owners.add("the default".into(), "the default tenant", *id, line)?;
        }
        for domain in row.body["sip_domains"].as_array().into_iter().flatten().filter_map(|domain| domain.as_str()) {
            owners.add(format!("domain {domain}"), &format!("SIP domain `{domain}`"), *id, line)?;
        }
    }
    for (tenant, noun, name) in rows.keys() {
        let line = item_lines.get(&(*tenant, *noun, name.as_str())).copied();
        match noun {
            Noun::Number => owners.add(format!("number {name}"), &format!("number {name}"), *tenant, line)?,
            Noun::Key => owners.add(format!("key {name}"), &format!("API key `{name}`"), *tenant, line)?,
            Noun::Extension | Noun::Group | Noun::Queue => {
                let id = tenant.0;
                owners.add(format!("dialled {id} {name}"), &format!("the inside number {name}"), *tenant, line)?;
            }
            Noun::Trunk if *tenant != OPERATOR && rows.contains_key(&(OPERATOR, Noun::Trunk, name.clone())) => {
                let line = line.or_else(|| item_lines.get(&(OPERATOR, Noun::Trunk, name.as_str())).copied());
                return Err(Clash::OperatorsTrunk { trunk: name.clone(), line });
            }
            _ => {}
        }
        if *noun == Noun::Extension
            && let Some(row) = tenants.get(tenant)
        {
            // `AB1` and `AB` may not both make `AB101` of their extensions.
            for sign_in in &sign_in_names(&row.name, name)[1..] {
                owners.add(format!("sign-in {sign_in}"), &format!("the sign-in name {sign_in}"), *tenant, line)?;
            }
        }
    }
    Ok(())
}

/// What two have that only one may have.
#[derive(Debug)]
pub(super) enum Clash {
    /// A tenant's trunk is called as one of the operator's.
    OperatorsTrunk { trunk: String, line: Option<u32> },
    /// Two have the same.
    Same {
        /// What, in a sentence.
        what: String,
        /// The other one's id and name, seen from the line; and the one whose line it is.
        owners: [TenantId; 2],
        owner_name: String,
        /// The line of the file, where one of the two stands in a file.
        line: Option<u32>,
        /// Whether the other one is not in the file.
        stored: bool,
    },
}

impl Clash {
    /// As whoever applies a file is told.
    pub fn in_file(self) -> ProvisionError {
        match self {
            Self::OperatorsTrunk { trunk, line } => {
                let sentence = format!(
                    "the operator and a tenant both have a trunk `{trunk}`: choose another name for one of them"
                );
                ProvisionError { line, sentence }
            }
            Self::Same { what, owner_name, line, stored, .. } => {
                let sentence = if stored {
                    format!(
                        "{what} is {owner_name}'s in the store: take it from there first, or apply the whole file with --prune"
                    )
                } else {
                    format!("{what} is {owner_name}'s too: change one of the two")
                };
                ProvisionError { line, sentence }
            }
        }
    }

    /// As whoever changes one thing is told, who may not hear of others' tenants.
    pub fn of_one(self, sees: impl Fn(TenantId) -> bool) -> String {
        match self {
            Self::OperatorsTrunk { trunk, .. } => {
                format!("a trunk `{trunk}` is there already, the operator's or a tenant's: choose another name")
            }
            Self::Same { what, owners, owner_name, .. } if owners.iter().all(|owner| sees(*owner)) => {
                format!("{what} is {owner_name}'s already: choose another, or take it from there first")
            }
            Self::Same { what, .. } => format!("{what} is taken on this server: choose another"),
        }
    }
}

/// Who has what, and on which line of the file.
struct Owners<'a> {
    tenants: &'a BTreeMap<TenantId, &'a TenantRow>,
    seen: BTreeMap<String, (TenantId, Option<u32>)>,
}

impl Owners<'_> {
    fn add(&mut self, key: String, shown: &str, tenant: TenantId, line: Option<u32>) -> Result<(), Clash> {
        let Some((other, other_line)) = self.seen.insert(key, (tenant, line)) else { return Ok(()) };
        // The line of the file is ours to show, whoever of the two stands in the file.
        let (line, owner, stored) = match (line, other_line) {
            (Some(line), stored) => (Some(line), other, stored.is_none()),
            (None, line) => (line, tenant, true),
        };
        let owner_name = self.tenants.get(&owner).map_or("the operator", |row| row.name.as_str()).to_owned();
        Err(Clash::Same { what: shown.to_owned(), owners: [other, tenant], owner_name, line, stored })
    }
}
