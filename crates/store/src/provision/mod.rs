//! The provision file: a whole switchboard in one YAML file, read and checked before anything is changed.
//!
//! This file has the result and the whole; its neighbours read one part of the file each.

mod floor;
mod keys;
mod lines;
mod one;
mod people;
mod print;
mod prompts;
mod references;
mod section;
mod shown;
mod tenant;
mod words;
mod yaml;

use model::{Extension, Group, Hours, KeyKind, Menu, NamedSound, NumberRoute, Outbound, Queue};

use crate::secrets::Secret;
use crate::settings::stored::{Device, Hook, TenantBody, TrunkBody, User};
use section::Section;

pub(crate) use one::{Draft, read_one};
pub(crate) use print::{Printed, print};
pub(crate) use references::{Names, missing};
pub(crate) use references::{hook_name, key_name};

/// A whole file with every key there is, explained; it applies as it stands.
pub const EXAMPLE: &str = include_str!("../../../../docs/provision.example.yaml");

/// A file that was read and checked. Holds secrets in the clear; they are never printed.
#[derive(Clone, Debug, Default)]
pub struct Provision {
    /// The operator's, shared by all tenants.
    pub(crate) trunks: Vec<Lined<TrunkDraft>>,
    pub(crate) tenants: Vec<Lined<TenantDraft>>,
    pub(crate) users: Vec<Lined<UserDraft>>,
}

/// What is wrong with a file, in one sentence that says what to change.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{sentence}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct ProvisionError {
    /// The line it stands on, from 1, where there is one.
    pub line: Option<u32>,
    /// What is wrong and what to write instead.
    pub sentence: String,
}

/// Something and the line it begins on.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Lined<T> {
    pub line: u32,
    pub value: T,
}

/// A tenant of the file.
#[derive(Clone, Debug)]
pub(crate) struct TenantDraft {
    pub name: String,
    pub body: TenantBody,
    pub keys: Vec<Lined<KeyKind>>,
    pub extensions: Vec<Lined<ExtensionDraft>>,
    pub trunks: Vec<Lined<TrunkDraft>>,
    pub outbound: Vec<Lined<Outbound>>,
    pub numbers: Vec<Lined<NumberRoute>>,
    pub groups: Vec<Lined<Group>>,
    pub queues: Vec<Lined<Queue>>,
    pub menus: Vec<Lined<Menu>>,
    pub hours: Vec<Lined<Hours>>,
    pub sounds: Vec<Lined<NamedSound>>,
    pub hooks: Vec<Lined<HookDraft>>,
    pub devices: Vec<Lined<DeviceDraft>>,
    /// What the above names, each with the line on which it is named.
    pub references: Vec<Lined<Reference>>,
}

/// A name that stands for something else of the tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reference {
    Extension(String),
    Group(String),
    Queue(String),
    Menu(String),
    Hours(String),
    Sound(String),
    /// An extension that has a mailbox.
    Mailbox(String),
    Member(String),
    Trunk(String),
    /// A public number as it is kept.
    CallerId(String),
    /// The hash of a callone key.
    CalloneKey(String),
}

/// An extension whose digests are made when it is stored, because they need the realm.
#[derive(Clone, Debug)]
pub(crate) struct ExtensionDraft {
    /// With the stored digests, where the password is the stored one.
    pub extension: Extension,
    pub password: Proof,
    /// Keys that phones change too, and that were not given: what is stored of them stays.
    pub left_out: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct TrunkDraft {
    pub trunk: TrunkBody,
    pub password: Option<Proof>,
}

/// A secret of a draft. A file always gives it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    Given(Secret),
    /// The one that is stored.
    Stored,
}

#[derive(Clone, Debug)]
pub(crate) struct HookDraft {
    pub hook: Hook,
    /// None: the stored one, or one that the server makes.
    pub secret: Option<Secret>,
}

#[derive(Clone, Debug)]
pub(crate) struct DeviceDraft {
    pub device: Device,
    pub pairing_code: Proof,
}

#[derive(Clone, Debug)]
pub(crate) struct UserDraft {
    pub user: User,
    pub password: Proof,
    pub tenant_line: u32,
}

/// Reads and checks a file. Nothing is stored.
pub fn parse(text: &str) -> Result<Provision, ProvisionError> {
    let root = yaml::read(text)?;
    if root.value == yaml::Value::Null {
        return Err(ProvisionError {
            line: None,
            sentence: "the file is empty: write `tenants:` with a tenant".into(),
        });
    }
    let mut root = Section::of(root, "the file", &["trunks", "tenants", "users"])?;
    let provision = Provision {
        trunks: root.list("trunks")?.into_iter().map(lines::trunk).collect::<Result<_, _>>()?,
        tenants: root.list("tenants")?.into_iter().map(tenant::tenant).collect::<Result<_, _>>()?,
        users: root.list("users")?.into_iter().map(people::user).collect::<Result<_, _>>()?,
    };
    references::check(&provision)?;
    Ok(provision)
}

/// A sentence about a line; none where it is 0.
fn wrong(line: u32, sentence: impl Into<String>) -> ProvisionError {
    ProvisionError { line: Some(line).filter(|line| *line > 0), sentence: sentence.into() }
}
