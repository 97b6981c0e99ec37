//! Settings: looked at and changed, one at a time. Who may is decided by the table below, for every noun.
//!
//! A change is over when every engine runs with it.

use model::{Actor, Role, TenantId};
use reqwest::Url;
use serde_json::{Map, Value};
use store::{Author, Change, ChangeError, Changed, Deed, Noun, Reach, Thing, ThingPage, mask_urls};

use super::{Refusal, need};
use crate::App;

/// What only the operator may say of a tenant: it guards the server, other tenants, or the operator's money.
const OPERATORS: [&str; 4] = ["default", "sip_domains", "limits", "webhook_private_addresses"];

/// Somebody who asks about settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Keeper {
    pub actor: Actor,
    /// The same, for the audit log.
    pub author: Author,
    /// The tenant they speak for or have named. None: an operator who named none.
    pub tenant: Option<TenantId>,
    /// The tenant of requests that name none.
    pub usual: Option<TenantId>,
}

/// The least role that reads a noun, and the least one that changes it.
pub(crate) fn roles(noun: Noun) -> (Role, Role) {
    match noun {
        Noun::Tenant => (Role::Reader, Role::Owner),
        Noun::Extension | Noun::Trunk | Noun::Outbound | Noun::Number => (Role::Reader, Role::Owner),
        Noun::Group | Noun::Queue | Noun::Menu | Noun::Hours | Noun::Sound => (Role::Reader, Role::Supervisor),
        // A key's public part opens something, and so may the URL of a hook.
        Noun::Key | Noun::Hook | Noun::Device | Noun::User => (Role::Owner, Role::Owner),
    }
}

/// The least role that makes one of a noun, or takes one away.
pub(crate) fn role_of_making(noun: Noun) -> Role {
    if noun == Noun::Tenant { Role::Operator } else { roles(noun).1 }
}

/// A page of a noun.
pub(crate) async fn list(
    app: &App,
    keeper: &Keeper,
    noun: Noun,
    after: Option<&str>,
    limit: u32,
) -> Result<ThingPage, Refusal> {
    need(&keeper.actor, roles(noun).0)?;
    let page = app.store.settings().list(keeper.reach(noun)?, noun, after, limit).await?;
    let things = page.things.into_iter().map(|thing| keeper.seen(thing)).collect();
    Ok(ThingPage { things, ..page })
}

/// One thing, by its number, name or id.
pub(crate) async fn get(app: &App, keeper: &Keeper, noun: Noun, called: &str) -> Result<Thing, Refusal> {
    need(&keeper.actor, roles(noun).0)?;
    let thing = app.store.settings().get(keeper.reach(noun)?, noun, called).await?;
    let thing = thing.ok_or_else(|| Refusal::not_found(format!("{} {}", noun.word(), short(called))))?;
    Ok(keeper.seen(thing))
}

/// Makes a thing.
pub(crate) async fn create(
    app: &App,
    keeper: &Keeper,
    noun: Noun,
    given: Map<String, Value>,
) -> Result<Changed, Refusal> {
    need(&keeper.actor, role_of_making(noun))?;
    keeper.may_lead(app, &given)?;
    change(app, keeper, noun, Deed::Create(given), None).await
}

/// Changes a thing. `if_match`: only if it has one of these tags.
pub(crate) async fn update(
    app: &App,
    keeper: &Keeper,
    noun: Noun,
    called: &str,
    patch: Map<String, Value>,
    if_match: Option<Vec<String>>,
) -> Result<Changed, Refusal> {
    need(&keeper.actor, roles(noun).1)?;
    if noun == Noun::Tenant && keeper.actor.role < Role::Operator {
        let now = get(app, keeper, noun, called).await?.body;
        if OPERATORS.iter().any(|key| patch.get(*key).is_some_and(|value| now.get(*key) != Some(value))) {
            return Err(Refusal::NotAllowed { needs: Role::Operator });
        }
    }
    keeper.may_lead(app, &patch)?;
    let deed = Deed::Update { called: called.to_owned(), patch };
    change(app, keeper, noun, deed, if_match).await
}

/// Takes a thing away.
pub(crate) async fn delete(
    app: &App,
    keeper: &Keeper,
    noun: Noun,
    called: &str,
    if_match: Option<Vec<String>>,
) -> Result<(), Refusal> {
    need(&keeper.actor, role_of_making(noun))?;
    change(app, keeper, noun, Deed::Delete { called: called.to_owned() }, if_match).await?;
    Ok(())
}

async fn change(
    app: &App,
    keeper: &Keeper,
    noun: Noun,
    deed: Deed,
    if_match: Option<Vec<String>>,
) -> Result<Changed, Refusal> {
    let change = Change { reach: keeper.reach(noun)?, noun, deed, if_match, author: keeper.author.clone() };
    Ok(app.provisioner.change(change).await?)
}

impl Keeper {
    /// A thing as this one may see it: a URL may hold secrets of whoever it leads to, which are for those who may change it.
    fn seen(&self, mut thing: Thing) -> Thing {
        if self.actor.role < Role::Owner {
            thing.body.values_mut().for_each(mask_urls);
        }
        thing
    }

    /// Refuses a URL by which nothing would ever be asked. Names are judged when they are resolved for a connection.
    fn may_lead(&self, app: &App, given: &Map<String, Value>) -> Result<(), Refusal> {
        let tenant = self.tenant.or(self.usual);
        let private = app.directory.borrow().tenants.iter().any(|known| Some(known.id) == tenant && known.private_urls);
        for (field, url) in urls(given, "") {
            // What is none is refused by whoever reads the whole.
            let Ok(url) = Url::parse(url) else { continue };
            app.outward
                .check(&url, private)
                .map_err(|sentence| Refusal::NotChanged(ChangeError::Wrong { field: Some(field), sentence }))?;
        }
        Ok(())
    }

    fn reach(&self, noun: Noun) -> Result<Reach, Refusal> {
        let whole_server = self.actor.role == Role::Operator;
        // An operator who names nobody means all tenants and all users, but only one tenant's extensions.
        let of_all = whole_server && matches!(noun, Noun::Tenant | Noun::User);
        let tenant = if of_all { self.tenant } else { self.tenant.or(self.usual) };
        if tenant.is_none() && !of_all && noun != Noun::Trunk {
            return Err(Refusal::wrong("there is no default tenant: name one with `?tenant=NAME`"));
        }
        Ok(Reach { tenant, whole_server })
    }
}

/// Every `url` that is given, a hook's or that of a way to the CRM, with the place where it stands: `route.crm.url`.
fn urls<'a>(given: &'a Map<String, Value>, within: &str) -> Vec<(String, &'a str)> {
    let mut found = Vec::new();
    for (key, value) in given {
        let place = if within.is_empty() { key.clone() } else { format!("{within}.{key}") };
        match value {
            Value::String(url) if key == "url" => found.push((place, url.as_str())),
            Value::Object(inner) => found.extend(urls(inner, &place)),
            _ => {}
        }
    }
    found
}

fn short(called: &str) -> String {
    called.chars().take(64).collect()
}

impl From<crate::NotChanged> for Refusal {
    fn from(error: crate::NotChanged) -> Self {
        match error {
            crate::NotChanged::Refused(ChangeError::NotFound { what }) => Self::NotFound { what },
            crate::NotChanged::Refused(ChangeError::Store(error)) => Self::Store(error),
            crate::NotChanged::Refused(error) => Self::NotChanged(error),
            crate::NotChanged::Failed(why) => Self::NotApplied(crate::NotApplied::Failed(why)),
        }
    }
}
