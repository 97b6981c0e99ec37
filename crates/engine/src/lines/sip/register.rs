//! Reads REGISTER requests and carries them out (RFC 3261, 10.3).

use std::time::Duration;

use model::{ExtensionEvent, KeptKind, Text};
use sip::{Contacts, HeaderName, Headers, Incoming, NameAddr, Request, Response, Scheme};

use crate::registrar::{Bind, Change, MAX_BINDINGS};
use crate::step::Step;

/// What a phone gets that names no time, in seconds.
const USUAL_EXPIRES: u32 = 3_600;

/// The shortest and the longest time a binding may be asked for, in seconds. Longer is cut, shorter refused (423).
const EXPIRES: std::ops::RangeInclusive<u32> = 30..=7_200;

/// The most Contacts in one request.
const MAX_CONTACTS: usize = MAX_BINDINGS;

/// Carries out a REGISTER of somebody who signed in as `extension`, and gives the response.
pub fn register(step: &mut Step<'_>, extension: &str, incoming: &Incoming) -> Response {
    let request = &incoming.request;
    let changes = match wish(incoming) {
        Ok(Wish::Query) => Vec::new(),
        Ok(Wish::Clear) => step.office.registrar.clear(extension),
        Ok(Wish::Bind(binds)) => match step.office.registrar.bind(step.now, extension, binds) {
            Ok(changes) => changes,
            Err(_) => return request.response(400),
        },
        Err(response) => return *response,
    };
    if !changes.is_empty() {
        tell(step, extension, &changes);
    }
    let mut response = request.response(200);
    for binding in step.office.registrar.reachable(extension, step.now.mono) {
        let seconds = binding.seconds_left(step.now.mono).to_string();
        let contact = NameAddr::new(binding.contact).with_param("expires", seconds);
        response.headers.push(HeaderName::Contact, &contact);
    }
    response
}

/// Tells and keeps what changed of an extension's phones.
pub fn tell(step: &mut Step<'_>, extension: &str, changes: &[Change]) {
    for change in changes {
        let what = match change {
            Change::Added(binding) => ExtensionEvent::Registered {
                address: binding.address(),
                user_agent: binding.user_agent.clone(),
                expires: binding.seconds_left(step.now.mono),
            },
            Change::Removed(binding) => {
                ExtensionEvent::Unregistered { address: binding.address(), why: Text::from("signed_out") }
            }
            Change::Refreshed => continue,
        };
        step.office.tell_extension(step.now, extension, what, step.out);
    }
    let mere_refresh = changes.iter().all(|change| matches!(change, Change::Refreshed));
    keep(step, extension, mere_refresh);
}

/// Keeps an extension's bindings, where that is due.
pub fn keep(step: &mut Step<'_>, extension: &str, mere_refresh: bool) {
    if let Some(value) = step.office.registrar.refresh_kept(step.now, extension, mere_refresh) {
        step.keep(KeptKind::Bindings, extension.to_owned(), value);
    }
}

enum Wish {
    Query,
    Clear,
    Bind(Vec<Bind>),
}

fn wish(incoming: &Incoming) -> Result<Wish, Box<Response>> {
    let request = &incoming.request;
    let refuse = |status: u16| Box::new(request.response(status));
    let headers = &request.headers;
    let expires = headers.expires().map_err(|_| refuse(400))?;
    let contacts = match headers.contacts().map_err(|_| refuse(400))? {
        Contacts::Star if expires == Some(0) => return Ok(Wish::Clear),
        Contacts::Star => return Err(refuse(400)),
        Contacts::List(contacts) if contacts.is_empty() => return Ok(Wish::Query),
        Contacts::List(contacts) => contacts,
    };
    if contacts.len() > MAX_CONTACTS {
        return Err(refuse(403));
    }
    let call_id = headers.call_id().map(|id| Text::lossy(id)).map_err(|_| refuse(400))?;
    let cseq = headers.cseq().map_err(|_| refuse(400))?.number;
    let user_agent = headers.get(&HeaderName::UserAgent).map(|value| Text::lossy(value)).unwrap_or_default();
    let mut binds = Vec::with_capacity(contacts.len());
    for contact in contacts {
        if !matches!(contact.uri.scheme, Scheme::Sip | Scheme::Sips) || contact.uri.host.is_none() {
            return Err(refuse(400));
        }
        let seconds = contact.expires().or(expires).unwrap_or(USUAL_EXPIRES).min(*EXPIRES.end());
        if seconds > 0 && seconds < *EXPIRES.start() {
            return Err(Box::new(too_brief(request)));
        }
        binds.push(Bind {
            contact: contact.uri,
            flow: incoming.flow,
            user_agent: user_agent.clone(),
            call_id: call_id.clone(),
            cseq,
            expires: Duration::from_secs(seconds.into()),
        });
    }
    Ok(Wish::Bind(binds))
}

fn too_brief(request: &Request) -> Response {
    let mut response = request.response(423);
    let least = Headers::new().with(HeaderName::MinExpires, EXPIRES.start().to_string());
    response.headers.extend(&least);
    response
}
