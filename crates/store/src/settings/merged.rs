//! What a file and the store together may not hold twice. The file by itself was checked when it was read.

use std::collections::BTreeMap;

use model::TenantId;

use super::apply::{Rows, TenantRow};
use super::items::{Item, OPERATOR, sign_in_names};
use super::noun::Noun;
use crate::provision::ProvisionError;

/// Checks what the store would hold; `lines`: the tenants of the file and where they begin.
pub(super) fn check(
    tenants: &[TenantRow],
    rows: &Rows,
    items: &[Item],
    lines: &BTreeMap<TenantId, u32>,
) -> Result<(), ProvisionError> {
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
                let sentence = format!(
                    "the operator and a tenant both have a trunk `{name}`: choose another name for one of them"
                );
                return Err(ProvisionError { line, sentence });
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

/// Who has what, and on which line of the file.
struct Owners<'a> {
    tenants: &'a BTreeMap<TenantId, &'a TenantRow>,
    seen: BTreeMap<String, (TenantId, Option<u32>)>,
}

impl Owners<'_> {
    fn add(&mut self, key: String, shown: &str, tenant: TenantId, line: Option<u32>) -> Result<(), ProvisionError> {
        let Some((other, other_line)) = self.seen.insert(key, (tenant, line)) else { return Ok(()) };
        // The line of the file is ours to show, whoever of the two stands in the file.
        let (line, owner, stored) = match (line, other_line) {
            (Some(line), stored) => (Some(line), other, stored.is_none()),
            (None, line) => (line, tenant, true),
        };
        let owner = self.tenants.get(&owner).map_or("the operator", |row| row.name.as_str());
        let sentence = if stored {
            format!("{shown} is {owner}'s in the store: take it from there first, or apply the whole file with --prune")
        } else {
            format!("{shown} is {owner}'s too: change one of the two")
        };
        Err(ProvisionError { line, sentence })
    }
}
