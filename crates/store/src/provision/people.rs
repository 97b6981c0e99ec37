//! Extensions, and people who sign in to the console.

use model::{Extension, Forward, Mailbox, Role};

use super::floor::Named;
use super::prompts;
use super::section::Section;
use super::shown::shown;
use super::words::{dialled, public_number, short_name, short_number};
use super::yaml::Node;
use super::{ExtensionDraft, Lined, ProvisionError, Reference, UserDraft, wrong};
use crate::settings::stored::User;

const EXTENSION: [&str; 14] = [
    "number",
    "name",
    "password",
    "record",
    "caller_id",
    "ring_seconds",
    "lines",
    "auto_answer",
    "forward",
    "do_not_disturb",
    "voicemail",
    "pickup_group",
    "supervisor",
    "skills",
];
/// Its own mailbox, as the target of a forwarding.
const VOICEMAIL: &str = "voicemail";

/// What a phone changes by codes: a file that does not speak of it leaves it as it is.
const PHONES_CHANGE: [&str; 2] = ["forward", "do_not_disturb"];

/// One of `extensions`.
pub(super) fn extension(node: Node, country: &str, named: &mut Named) -> Result<Lined<ExtensionDraft>, ProvisionError> {
    let mut section = Section::of(node, "an extension", &EXTENSION)?;
    let number = section.need_text("number")?;
    short_number(&number, "an extension")?;
    let password = section.need_secret("password")?;
    let left_out = PHONES_CHANGE.into_iter().filter(|key| !section.has(key)).collect();
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
        forward: forward(&mut section)?,
        do_not_disturb: section.flag("do_not_disturb", false)?,
        voicemail: section.take("voicemail").map(|node| mailbox(node, named)).transpose()?,
        pickup_group: pickup_group(&mut section)?,
        supervisor: section.flag("supervisor", false)?,
        skills: prompts::skills(&mut section)?,
        number: number.value,
    };
    let goes_to_mailbox = |target: &Option<String>| target.as_deref() == Some(VOICEMAIL);
    let Forward { always, busy, no_answer, unreachable } = &extension.forward;
    if extension.voicemail.is_none() && [always, busy, no_answer, unreachable].into_iter().any(goes_to_mailbox) {
        let sentence = format!("extension {} has no mailbox to forward to: add `voicemail: {{}}`", extension.number);
        return Err(wrong(section.line, sentence));
    }
    Ok(Lined { line: section.line, value: ExtensionDraft { extension, password, left_out } })
}

fn forward(section: &mut Section) -> Result<Forward, ProvisionError> {
    let mut section = section.section("forward", "forward", &["always", "busy", "no_answer", "unreachable"])?;
    let mut target = |key: &str| -> Result<Option<String>, ProvisionError> {
        let Some(target) = section.text(key)? else { return Ok(None) };
        if target.value != VOICEMAIL {
            dialled(&target, key)?;
        }
        Ok(Some(target.value))
    };
    Ok(Forward {
        always: target("always")?,
        busy: target("busy")?,
        no_answer: target("no_answer")?,
        unreachable: target("unreachable")?,
    })
}

fn mailbox(node: Node, named: &mut Named) -> Result<Mailbox, ProvisionError> {
    let mut section = Section::of(node, "a mailbox", &["mail", "greeting", "max_seconds", "max_messages"])?;
    let mail = section.text("mail")?;
    if let Some(mail) = mail.as_ref().filter(|mail| !is_email(&mail.value)) {
        let sentence = format!("`{}` is no email address: write one as in owner@example.test", shown(&mail.value));
        return Err(wrong(mail.line, sentence));
    }
    Ok(Mailbox {
        mail: mail.map(|mail| mail.value),
        greeting: section.take("greeting").map(|node| prompts::prompt(node, "greeting", named)).transpose()?,
        max_seconds: section.number("max_seconds", 5..=3_600, 180)?,
        max_messages: section.number("max_messages", 1..=1_000, 100)?,
    })
}

fn pickup_group(section: &mut Section) -> Result<Option<String>, ProvisionError> {
    let Some(name) = section.text("pickup_group")? else { return Ok(None) };
    short_name(&name, "a pick-up group")?;
    Ok(Some(name.value))
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
