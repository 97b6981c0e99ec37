//! All settings in one read, as the engine, the door and the APIs run them.

use std::collections::BTreeMap;

use model::{
    Clips, Directory, DirectoryKey, Extension, Group, Hours, KeyKind, Menu, NamedSound, NumberRoute, Outbound, Queue,
    TenantEntry, TenantId, TenantSettings, Trunk, TrunkContact,
};
use serde::de::DeserializeOwned;

use super::items::OPERATOR;
use super::noun::Noun;
use super::rows::{Row, Rows, read_rows, read_tenants, read_version, sealing_place};
use super::stored::TenantBody;
use super::{Settings, Snapshot};
use crate::StoreError;
use crate::db::Sql;
use crate::secrets::hex;

/// Letters of the secret in our Contact at a carrier: 128 bits.
const CONTACT_LETTERS: usize = 32;

impl Settings {
    /// Everything in one read. Versions grow with each change; names of trunks' hosts are not resolved.
    pub async fn load(&self) -> Result<Snapshot, StoreError> {
        let doing = || StoreError::while_doing("reading settings");
        let mut read = self.db.read().await.map_err(doing())?;
        let version = read_version(&mut read).await?;
        let tenants = read_tenants(&mut read).await?;
        let versions: Vec<(i64, i64)> =
            read.fetch_all(Sql::new("SELECT id, version FROM tenants")).await.map_err(doing())?;
        let rows = read_rows(&mut read).await?;
        read.rollback().await.map_err(doing())?;

        let versions: BTreeMap<i64, i64> = versions.into_iter().collect();
        let mut snapshot = Snapshot::default();
        snapshot.directory.version = version.unsigned_abs();
        let shared = self.trunks(&rows, OPERATOR)?;
        for tenant in tenants.into_iter().filter(|row| !row.deleted) {
            let body: TenantBody = serde_json::from_value(tenant.body)
                .map_err(StoreError::unreadable(format!("tenant {}", tenant.name)))?;
            let version = versions.get(&tenant.id.0).map_or(0, |version| version.unsigned_abs());
            let mut settings = self.tenant(tenant.id, tenant.name, version, &body, &rows)?;
            snapshot.directory.tenants.push(entry(&settings, body));
            for key in bodies::<KeyKind>(&rows, tenant.id, Noun::Key)? {
                snapshot.directory.keys.push(DirectoryKey { tenant: tenant.id, kind: key });
            }
            settings.trunks.extend(shared.iter().cloned());
            snapshot.tenants.push(settings);
        }
        complete(&mut snapshot, &shared);
        Ok(snapshot)
    }

    fn tenant(
        &self,
        id: TenantId,
        name: String,
        version: u64,
        body: &TenantBody,
        rows: &Rows,
    ) -> Result<TenantSettings, StoreError> {
        Ok(TenantSettings {
            id,
            version,
            name,
            display_name: body.display_name.clone(),
            timezone: body.timezone.clone(),
            zone: jiff::tz::TimeZone::get(&body.timezone).unwrap_or(jiff::tz::TimeZone::UTC),
            language: body.language,
            country: body.country.clone(),
            digest: body.digest.clone(),
            extensions: by_name(bodies::<Extension>(rows, id, Noun::Extension)?, |one| &one.number),
            trunks: self.trunks(rows, id)?,
            outbound: bodies::<Outbound>(rows, id, Noun::Outbound)?,
            numbers: by_name(bodies::<NumberRoute>(rows, id, Noun::Number)?, |one| &one.number),
            groups: by_name(bodies::<Group>(rows, id, Noun::Group)?, |one| &one.number),
            queues: by_name(bodies::<Queue>(rows, id, Noun::Queue)?, |one| &one.number),
            menus: by_name(bodies::<Menu>(rows, id, Noun::Menu)?, |one| &one.name),
            hours: by_name(bodies::<Hours>(rows, id, Noun::Hours)?, |one| &one.name),
            sounds: by_name(bodies::<NamedSound>(rows, id, Noun::Sound)?, |one| &one.name),
            clips: Clips::default(),
            music: body.music.clone(),
            announce_recording: body.announce_recording.clone(),
            parking: body.parking.clone(),
            feature_codes: body.feature_codes.clone(),
            limits: body.limits.clone(),
            switches: body.switches,
            transfer_ring_back: body.transfer_ring_back,
        })
    }

    fn trunks(&self, rows: &Rows, tenant: TenantId) -> Result<Vec<Trunk>, StoreError> {
        of_noun(rows, tenant, Noun::Trunk)
            .into_iter()
            .map(|(name, row)| {
                let mut trunk: Trunk = parse(row, Noun::Trunk, name)?;
                trunk.shared = tenant == OPERATOR;
                if trunk.register {
                    let mut contact = hex(&self.key.derive(&format!("contact/{}/{name}", tenant.0)));
                    contact.truncate(CONTACT_LETTERS);
                    trunk.contact = contact;
                }
                if let Some(sealed) = row.secrets.get("password") {
                    let place = sealing_place(tenant, Noun::Trunk, name, "password");
                    let password = self
                        .key
                        .open(&place, sealed)
                        .ok_or_else(|| StoreError::Sealed { what: format!("trunk {name}") })?;
                    trunk.password = Some(password.reveal().to_owned());
                }
                Ok(trunk)
            })
            .collect()
    }
}

fn entry(settings: &TenantSettings, body: TenantBody) -> TenantEntry {
    TenantEntry {
        id: settings.id,
        name: settings.name.clone(),
        default: body.default,
        sip_domains: body.sip_domains,
        timezone: body.timezone,
        language: body.language,
        country: body.country,
        switches: body.switches,
        private_urls: body.webhook_private_addresses,
    }
}

// What the directory has of all tenants together.
fn complete(snapshot: &mut Snapshot, shared: &[Trunk]) {
    let directory = &mut snapshot.directory;
    if let [only] = directory.tenants.as_mut_slice() {
        only.default = true;
    }
    for tenant in &snapshot.tenants {
        for number in tenant.extensions.keys() {
            directory.extensions.entry(number.clone()).or_default().push(tenant.id);
        }
        directory.numbers.extend(tenant.numbers.keys().map(|number| (number.clone(), tenant.id)));
        let own = tenant.trunks.len() - shared.len();
        push_sources(directory, &tenant.trunks[..own], Some(tenant.id));
    }
    push_sources(directory, shared, None);
}

fn push_sources(directory: &mut Directory, trunks: &[Trunk], owner: Option<TenantId>) {
    for trunk in trunks {
        let sources = trunk.accept_from.iter();
        directory.trunks.extend(sources.map(|source| (*source, trunk.did_from, owner, trunk.name.clone())));
        if trunk.register {
            let account = trunk.username.clone().unwrap_or_default();
            let contact = TrunkContact { owner, trunk: trunk.name.clone(), did_from: trunk.did_from, account };
            directory.contacts.insert(trunk.contact.clone(), contact);
        }
    }
}

fn of_noun(rows: &Rows, tenant: TenantId, noun: Noun) -> Vec<(&str, &Row)> {
    let first = (tenant, noun, String::new());
    let mut found: Vec<(&str, &Row)> = rows
        .range(first..)
        .take_while(|((owner, of, _), _)| *owner == tenant && *of == noun)
        .map(|((_, _, name), row)| (name.as_str(), row))
        .collect();
    found.sort_by_key(|(_, row)| row.place);
    found
}

fn bodies<T: DeserializeOwned>(rows: &Rows, tenant: TenantId, noun: Noun) -> Result<Vec<T>, StoreError> {
    of_noun(rows, tenant, noun).into_iter().map(|(name, row)| parse(row, noun, name)).collect()
}

fn parse<T: DeserializeOwned>(row: &Row, noun: Noun, name: &str) -> Result<T, StoreError> {
    T::deserialize(&row.body).map_err(StoreError::unreadable(format!("{} {name}", noun.word())))
}

fn by_name<T>(things: Vec<T>, name: impl Fn(&T) -> &String) -> BTreeMap<String, T> {
    things.into_iter().map(|thing| (name(&thing).clone(), thing)).collect()
}
