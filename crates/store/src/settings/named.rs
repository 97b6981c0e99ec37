//! Who names whom within a tenant, as it is stored.

use model::{Extension, Group, Menu, NumberRoute, Outbound, Prompt, Queue, Route, TenantId};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::items::OPERATOR;
use super::noun::Noun;
use super::rows::Rows;
use super::stored::{Device, TenantBody};
use crate::StoreError;
use crate::provision::{Names, Reference};

/// The most that a sentence names.
const SHOWN: usize = 3;

/// What others may call a thing.
pub(super) fn names_of(noun: Noun, name: &str, body: &Value) -> Vec<Reference> {
    let name = name.to_owned();
    match noun {
        Noun::Extension => {
            vec![Reference::Extension(name.clone()), Reference::Member(name.clone()), Reference::Mailbox(name)]
        }
        Noun::Group => vec![Reference::Group(name)],
        Noun::Queue => vec![Reference::Queue(name)],
        Noun::Menu => vec![Reference::Menu(name)],
        Noun::Hours => vec![Reference::Hours(name)],
        Noun::Sound => vec![Reference::Sound(name)],
        Noun::Trunk => vec![Reference::Trunk(name)],
        Noun::Number => vec![Reference::CallerId(name)],
        Noun::Key => {
            body["secret_key_hash"].as_str().map(|hash| Reference::CalloneKey(hash.into())).into_iter().collect()
        }
        Noun::Tenant | Noun::Outbound | Noun::Hook | Noun::Device | Noun::User => Vec::new(),
    }
}

/// What a thing calls others.
pub(super) fn named_by(noun: Noun, name: &str, body: &Value) -> Result<Vec<Reference>, StoreError> {
    let mut named = Vec::new();
    match noun {
        Noun::Extension => {
            let extension: Extension = read(noun, name, body)?;
            named.extend(extension.caller_id.map(Reference::CallerId));
            plays(extension.voicemail.and_then(|mailbox| mailbox.greeting).as_ref(), &mut named);
        }
        Noun::Outbound => {
            named.extend(read::<Outbound>(noun, name, body)?.trunks.into_iter().map(Reference::Trunk));
        }
        Noun::Number => leads_to(&read::<NumberRoute>(noun, name, body)?.route, &mut named),
        Noun::Group => {
            let group: Group = read(noun, name, body)?;
            named.extend(group.members.into_iter().map(Reference::Member));
            group.overflow.iter().for_each(|route| leads_to(route, &mut named));
        }
        Noun::Queue => {
            let queue: Queue = read(noun, name, body)?;
            named.extend(queue.members.into_iter().map(Reference::Member));
            queue.overflow.iter().for_each(|route| leads_to(route, &mut named));
            plays(queue.greeting.as_ref(), &mut named);
            named.extend(queue.music.map(Reference::Sound));
        }
        Noun::Menu => {
            let menu: Menu = read(noun, name, body)?;
            plays(Some(&menu.prompt), &mut named);
            menu.keys.values().chain(&menu.default).for_each(|route| leads_to(route, &mut named));
        }
        Noun::Device => named.push(Reference::CalloneKey(read::<Device>(noun, name, body)?.key_hash)),
        Noun::Tenant => {
            let tenant: TenantBody = read(noun, name, body)?;
            named.extend(tenant.music.map(Reference::Sound));
            plays(tenant.announce_recording.as_ref(), &mut named);
        }
        Noun::Hours | Noun::Sound | Noun::Key | Noun::Trunk | Noun::Hook | Noun::User => {}
    }
    Ok(named)
}

fn leads_to(route: &Route, named: &mut Vec<Reference>) {
    match route {
        Route::Extension(number) => named.push(Reference::Extension(number.clone())),
        Route::Group(number) => named.push(Reference::Group(number.clone())),
        Route::Queue(number) => named.push(Reference::Queue(number.clone())),
        Route::Menu(name) => named.push(Reference::Menu(name.clone())),
        Route::Voicemail(number) => named.push(Reference::Mailbox(number.clone())),
        Route::Play(prompt) => plays(Some(prompt), named),
        Route::Outside(_) => {}
        Route::Crm { default, .. } => leads_to(default, named),
        Route::Hours { hours, open, closed, holiday } => {
            named.push(Reference::Hours(hours.clone()));
            [Some(open), Some(closed), holiday.as_ref()].into_iter().flatten().for_each(|route| leads_to(route, named));
        }
    }
}

fn plays(prompt: Option<&Prompt>, named: &mut Vec<Reference>) {
    if let Some(Prompt::Sound(name)) = prompt {
        named.push(Reference::Sound(name.clone()));
    }
}

fn read<T: DeserializeOwned>(noun: Noun, name: &str, body: &Value) -> Result<T, StoreError> {
    T::deserialize(body).map_err(StoreError::unreadable(format!("{} {name}", noun.word())))
}

/// Everything that may be named within a tenant.
pub(super) fn names_in(rows: &Rows, tenant: TenantId) -> Names<'_> {
    let mut names = Names::default();
    for ((owner, noun, name), row) in rows {
        if *owner != tenant && !(*owner == OPERATOR && *noun == Noun::Trunk) {
            continue;
        }
        let set = match noun {
            Noun::Extension => {
                if !row.body["voicemail"].is_null() {
                    names.mailboxes.insert(name.as_str());
                }
                &mut names.extensions
            }
            Noun::Group => &mut names.groups,
            Noun::Queue => &mut names.queues,
            Noun::Menu => &mut names.menus,
            Noun::Hours => &mut names.hours,
            Noun::Sound => &mut names.sounds,
            Noun::Trunk => &mut names.trunks,
            Noun::Number => &mut names.numbers,
            Noun::Key => {
                names.callone_keys.extend(row.body["secret_key_hash"].as_str());
                continue;
            }
            Noun::Tenant | Noun::Outbound | Noun::Hook | Noun::Device | Noun::User => continue,
        };
        set.insert(name.as_str());
    }
    names
}

/// Who names one of `lost`, in a few words: `group 600 and number 842873088088`. None: nobody. What is the operator's
/// may be named in every tenant, and whose it is stands beside it.
pub(super) fn who_names(
    rows: &Rows,
    thing: &(TenantId, Noun, String),
    lost: &[Reference],
    shown: impl Fn(TenantId, Noun, &str) -> String,
) -> Result<Option<String>, StoreError> {
    let mut found = Vec::new();
    let mut more = 0_usize;
    if lost.is_empty() {
        return Ok(None);
    }
    let owner = thing.0;
    for (key, row) in rows {
        let (tenant, noun, name) = key;
        let may_name = key != thing && (*tenant == owner || owner == OPERATOR);
        if !may_name || !named_by(*noun, name, &row.body)?.iter().any(|reference| lost.contains(reference)) {
            continue;
        }
        if found.len() < SHOWN {
            found.push(shown(*tenant, *noun, name));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        found.push(format!("{more} more"));
    }
    Ok(match found.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        [most @ .., last] => Some(format!("{} and {last}", most.join(", "))),
    })
}
