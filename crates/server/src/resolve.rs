//! What the engine asks: where hosts are, and whom a call reaches, which the customer's CRM says. And where trunks are,
//! which is found out before their settings are handed over.
//!
//! Never on the path of a packet: an answer comes to the engine as an input of its own. The rules of RFC 3263 are in
//! `names.rs`, the questions to name servers in `dns.rs`.

mod dns;
mod names;

use std::sync::Arc;
use std::time::Instant;

use api::{Crm, Pending};
use engine::{Answer, Input, Question, Wished};
use futures_util::future::join_all;
use model::{Directory, Forwarding, Target, TenantId, TenantSettings, Ticket, Transport, Trunk};
use serde_json::{Value, json};
use store::{Author, Change, Deed, Noun, Reach};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

pub use dns::{Dns, Unknown};
pub use names::{Located, Names, Place};

use crate::inbox::{Errand, Inbox};
use crate::tls::Peers;

/// Questions for addresses under way at once. More are answered with a failure at once. CRMs have their own bounds.
const AT_ONCE: usize = 64;

/// Changes a setting as a client does, and hands it over; or says why not.
pub type Changes = Arc<dyn Fn(Change) -> Pending<'static, Result<(), String>> + Send + Sync>;

/// Answers the engine's questions.
pub struct Questions {
    runtime: Handle,
    inbox: Inbox,
    names: Names,
    peers: Peers,
    room: Arc<Semaphore>,
    crm: Crm,
    changes: Changes,
    /// Says whose CRM may be at a private address.
    directory: watch::Receiver<Arc<Directory>>,
}

impl Questions {
    /// Answers come to `inbox`; what is spoken to over TLS is made known to `peers`.
    pub fn new(
        runtime: Handle,
        inbox: Inbox,
        names: Names,
        peers: Peers,
        crm: Crm,
        changes: Changes,
        directory: watch::Receiver<Arc<Directory>>,
    ) -> Self {
        Self { runtime, inbox, names, peers, room: Arc::new(Semaphore::new(AT_ONCE)), crm, changes, directory }
    }

    /// Finds out; the answer is returned if it is known at once, else it comes as an input.
    pub fn ask(&self, ticket: Ticket, tenant: TenantId, question: Question) -> Option<Answer> {
        match question {
            Question::Addresses { host, port, transport, secure } => {
                let host = host.trim_matches(['[', ']']).to_owned();
                self.find(ticket, Place { host, port, transport, secure })
            }
            Question::Routing { url, phone, did, within } => {
                let private = self.directory.borrow().tenants.iter().any(|it| it.id == tenant && it.private_urls);
                let (inbox, crm) = (self.inbox.clone(), self.crm.clone());
                self.runtime.spawn(async move {
                    let answer = match crm.ask(tenant, private, &url, &phone, &did, within).await {
                        Ok(target) => Answer::Target(target),
                        Err(why) => Answer::Failed(why),
                    };
                    inbox.errand_in_turn(Errand::input(Input::Answer { ticket, answer })).await;
                });
                None
            }
            Question::Wish { extension, wished } => {
                let inbox = self.inbox.clone();
                let changing = (self.changes)(change_of(tenant, extension, wished));
                self.runtime.spawn(async move {
                    let answer = changing.await.map_or_else(Answer::Failed, |()| Answer::Done);
                    if let Answer::Failed(why) = &answer {
                        tracing::info!(tenant = tenant.0, why, "what a phone wished of its settings was not done");
                    }
                    inbox.errand_in_turn(Errand::input(Input::Answer { ticket, answer })).await;
                });
                None
            }
        }
    }

    fn find(&self, ticket: Ticket, place: Place) -> Option<Answer> {
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            return Some(Answer::Failed("too many names are being looked up".into()));
        };
        let (inbox, names, peers) = (self.inbox.clone(), self.names.clone(), self.peers.clone());
        self.runtime.spawn(async move {
            let Located { targets, trouble, .. } = names.locate(&place).await;
            let answer = if targets.is_empty() {
                Answer::Failed(trouble.unwrap_or(Unknown::Nothing).to_string())
            } else {
                peers.meet(over_tls(&targets), &place.host);
                Answer::Addresses(targets)
            };
            inbox.errand_in_turn(Errand::input(Input::Answer { ticket, answer })).await;
            drop(room);
        });
        None
    }
}

/// What is changed for an extension whose phone wishes so.
fn change_of(tenant: TenantId, extension: String, wished: Wished) -> Change {
    let patch = match wished {
        Wished::Forward(why, to) => {
            let key = match why {
                Forwarding::Always => "always",
                Forwarding::Busy | Forwarding::DoNotDisturb => "busy",
                Forwarding::NoAnswer => "no_answer",
                Forwarding::Unreachable => "unreachable",
            };
            json!({ "forward": { key: to } })
        }
        Wished::NoForward => {
            json!({ "forward": { "always": null, "busy": null, "no_answer": null, "unreachable": null } })
        }
        Wished::DoNotDisturb(on) => json!({ "do_not_disturb": on }),
    };
    let Value::Object(patch) = patch else { unreachable!("an object was written") };
    Change {
        reach: Reach { tenant: Some(tenant), whole_server: false },
        noun: Noun::Extension,
        author: Author { name: format!("extension {extension}"), address: None },
        deed: Deed::Update { called: extension, patch },
        if_match: None,
    }
}

/// Finds trunks.
#[derive(Clone)]
pub struct Trunks {
    names: Names,
    peers: Peers,
}

/// Settings whose trunks have been looked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// The settings with the targets of each trunk. One that has none is unusable, and its use says so.
    pub settings: TenantSettings,
    /// When to look again; never, if there are none.
    pub until: Option<Instant>,
}

impl Trunks {
    /// Those spoken to over TLS are made known to `peers`.
    pub fn new(names: Names, peers: Peers) -> Self {
        Self { names, peers }
    }

    /// Fills in where each trunk is. Where name servers do not tell, what was known before stays true.
    pub async fn find(&self, mut settings: TenantSettings, before: Option<&TenantSettings>) -> Found {
        let places: Vec<Place> = settings.trunks.iter().map(place).collect();
        let located = join_all(places.iter().map(|place| self.names.locate(place))).await;
        let until = located.iter().map(|located| located.until).min();
        let mut known = Vec::new();
        for ((trunk, place), Located { targets, trouble, .. }) in settings.trunks.iter_mut().zip(&places).zip(located) {
            let earlier = before.and_then(|before| before.trunks.iter().find(|known| is_same_place(known, trunk)));
            trunk.resolved = match (trouble, earlier) {
                (None, _) => targets,
                (Some(Unknown::Failed(why)), Some(earlier)) if !earlier.resolved.is_empty() => {
                    tracing::warn!(trunk = trunk.name, why, "the trunk is where it was before");
                    earlier.resolved.clone()
                }
                (Some(why), _) => {
                    tracing::warn!(tenant = settings.name, trunk = trunk.name, %why, "the trunk is hard to find");
                    targets
                }
            };
            known.extend(over_tls(&trunk.resolved).map(|address| (address, place.host.clone())));
        }
        self.peers.know_trunks(settings.id, known);
        Found { settings, until }
    }
}

fn over_tls(targets: &[Target]) -> impl Iterator<Item = std::net::SocketAddr> {
    targets.iter().filter(|target| target.transport == Transport::Tls).map(|target| target.address)
}

/// Where requests to the trunk go.
fn place(trunk: &Trunk) -> Place {
    let transport = match trunk.transport.as_str() {
        "udp" => Some(Transport::Udp),
        "tcp" => Some(Transport::Tcp),
        "tls" => Some(Transport::Tls),
        _ => None,
    };
    Place::parse(trunk.outbound_proxy.as_deref().unwrap_or(&trunk.address), transport)
}

fn is_same_place(one: &Trunk, other: &Trunk) -> bool {
    one.name == other.name && place(one) == place(other)
}
