//! Extensions, and people who sign in to the console.

use model::{Extension, Role};

use super::floor::Named;
use super::section::Section;
use super::shown::shown;
use super::words::{public_number, short_number};
use super::yaml::Node;
use super::{ExtensionDraft, Lined, ProvisionError, Reference, UserDraft, wrong};
use crate::settings::stored::User;

const EXTENSION: [&str; 8] =
    ["number", "name", "password", "record", "caller_id", "ring_seconds", "lines", "auto_answer"];

/// One of `extensions`.
pub(super) fn extension(node: Node, country: &str, named: &mut Named) -> Result<Lined<ExtensionDraft>, ProvisionError> {
    let mut section = Section::of(node, "an extension", &EXTENSION)?;
    let number = section.need_text("number")?;
    short_number(&number, "an extension")?;
    let password = section.need_secret("password")?;
    let caller_id_line = section.line_of("caller_id");
    let caller_id = section.text("caller_id")?.map(|number| public_number(&number, country)).transpose()?;
    named.extend(caller_id.clone().map(|number| Lined { line: caller_id_line, value: Reference::CallerId(number) }));
    let extension = Extension {
        name: section.text("name")?.map_or_else(|| number.value.clone(), |name| name.value),
        digests: Vec::new(),
        record: section.flag("record", false)?,
        caller_id,
        ring_seconds: section.number("ring_seconds", 1..=600, 30)?,
        lines: section.number("lines", 1..=100, 2)?,
        auto_answer: section.flag("auto_answer", false)?,
        number: number.value,
    };
    Ok(Lined { line: section.line, value: ExtensionDraft { extension, password } })
}

/// One of `users`.
pub(super) fn user(node: Node) -> Result<Lined<UserDraft>, ProvisionError> {
    const ROLES: [(&str, Role); 5] = [
        ("operator", Role::Operator),
        ("owner", Role::Owner),
        ("supervisor", Role::Supervisor),
        ("agent", Role::Agent),
        ("reader", Role::Reader),
    ];
    let mut section = Section::of(node, "a user", &["email", "password", "tenant", "role"])?;
    let email = section.need_text("email")?;
    if !is_email(&email.value) {
        let sentence = format!("`{}` is no email address: write one as in owner@example.test", shown(&email.value));
        return Err(wrong(email.line, sentence));
    }
    let password = section.need_secret("password")?;
    let role = section.need_word("role", &ROLES)?;
    let tenant_line = section.line_of("tenant");
    let tenant = section.text("tenant")?;
    match (&tenant, role.value) {
        (Some(tenant), Role::Operator) => {
            return Err(wrong(tenant.line, "an operator is of the whole server: remove `tenant`"));
        }
        (None, role) if role != Role::Operator => {
            return Err(wrong(section.line, "this user needs `tenant`: add it, or write `role: operator`"));
        }
        _ => {}
    }
    let user = User { email: email.value.to_lowercase(), role: role.value, tenant: tenant.map(|tenant| tenant.value) };
    Ok(Lined { line: section.line, value: UserDraft { user, password, tenant_line } })
}

fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    text.len() <= 254
        && !name.is_empty()
        && !text.contains(char::is_whitespace)
        && !name.contains('@')
        && super::words::is_host_name(host)
}
