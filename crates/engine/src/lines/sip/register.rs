//! Reads REGISTER requests and carries them out (RFC 3261, 10.3), with the proxies between (RFC 3327) and with phones that
//! have several ways to us (RFC 5626, 6).

use std::time::Duration;

use model::{ExtensionEvent, KeptKind, Text};
use sip::{
    Contacts, Flow, HeaderName, Headers, Host, Incoming, NameAddr, Request, Response, Scheme, Transport, Uri, Via,
};

use crate::registrar::{Bind, Change, MAX_BINDINGS, Outbound};
use crate::step::Step;

/// What a phone gets that names no time, in seconds.
const USUAL_EXPIRES: u32 = 3_600;

/// The shortest and the longest time a binding may be asked for, in seconds. Longer is cut, shorter refused (423).
const EXPIRES: std::ops::RangeInclusive<u32> = 30..=7_200;

/// The most Contacts in one request.
const MAX_CONTACTS: usize = MAX_BINDINGS;

/// The most proxies between, and the most bytes of one.
const MAX_PATH: usize = 8;
const MAX_HOP: usize = 512;

/// The most bytes of a phone's name for itself (`+sip.instance`).
const MAX_INSTANCE: usize = 256;

/// Carries out a REGISTER of somebody who signed in as `extension`, and gives the response.
pub fn register(step: &mut Step<'_>, extension: &str, incoming: &Incoming) -> Response {
    let request = &incoming.request;
    let wish = match wish(incoming) {
        Ok(wish) => wish,
        Err(response) => return *response,
    };
    let by_outbound = matches!(&wish, Wish::Bind(binds) if binds.iter().any(|bind| bind.outbound.is_some()));
    let changes = match wish {
        Wish::Query => Vec::new(),
        Wish::Clear => step.office.registrar.clear(extension),
        Wish::Bind(binds) => match step.office.registrar.bind(step.now, extension, binds) {
            Ok(changes) => changes,
            Err(_) => return request.response(400),
        },
    };
    if !changes.is_empty() {
        tell(step, extension, &changes);
    }
    for change in changes {
        if let Change::Added(binding) = change
            && binding.flow.transport.is_reliable()
        {
            step.office.reconnected.push((extension.to_owned(), binding));
        }
    }
    let mut response = request.response(200);
    for binding in step.office.registrar.bindings(extension, step.now.mono) {
        let seconds = binding.seconds_left(step.now.mono).to_string();
        let contact = NameAddr::new(binding.contact.clone()).with_param("expires", seconds);
        response.headers.push(HeaderName::Contact, &contact);
    }
    // RFC 3327, 5.3: whoever asked sees which way calls will come.
    for hop in request.headers.all(&HeaderName::Path) {
        response.headers.push(HeaderName::Path, hop.clone());
    }
    if by_outbound {
        response.headers.push(HeaderName::Require, "outbound");
    }
    response.headers.push(HeaderName::Supported, "path, outbound");
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
    let path = headers.paths().map_err(|_| refuse(400))?;
    if path.len() > MAX_PATH || path.iter().any(|hop| hop.print().len() > MAX_HOP) {
        return Err(refuse(400));
    }
    let vias = headers.vias().map_err(|_| refuse(400))?;
    let is_direct = vias.len() == 1;
    // RFC 5626, 6: ways are told apart only if the proxy next to the phone keeps to them.
    let keeps_ways = is_direct || path.last().is_some_and(|hop| hop.uri.params.has("ob"));
    if !keeps_ways
        && headers.has_token(&HeaderName::Supported, "outbound")
        && contacts.iter().any(|contact| contact.param("reg-id").is_some())
    {
        return Err(refuse(439));
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
        let outbound = if keeps_ways { outbound(&contact) } else { None };
        let behind_nat = is_direct && vias.first().is_some_and(|via| is_behind_nat(incoming.flow, via, &contact.uri));
        binds.push(Bind {
            contact: contact.uri,
            path: path.clone(),
            flow: incoming.flow,
            outbound,
            behind_nat,
            user_agent: user_agent.clone(),
            call_id: call_id.clone(),
            cseq,
            expires: Duration::from_secs(seconds.into()),
        });
    }
    let lasting = binds.iter().filter(|bind| !bind.expires.is_zero());
    if lasting.clone().count() > 1 && lasting.into_iter().any(|bind| bind.outbound.is_some()) {
        return Err(refuse(400));
    }
    Ok(Wish::Bind(binds))
}

/// Which of a phone's ways to us a Contact is.
fn outbound(contact: &NameAddr) -> Option<Outbound> {
    let instance = contact.param("+sip.instance").filter(|instance| instance.len() <= MAX_INSTANCE)?;
    let reg_id = std::str::from_utf8(contact.param("reg-id")?).ok()?.parse().ok().filter(|id| *id > 0)?;
    Some(Outbound { instance: Text::lossy(instance), reg_id })
}

/// Whether what a phone says of itself is not where it sends from: then a NAT lies between, that forgets it unless
/// something passes. A connection is its own keep-alive.
fn is_behind_nat(flow: Flow, via: &Via, contact: &Uri) -> bool {
    let is_source = |host: Option<&Host>, port: Option<u16>| {
        host.and_then(Host::address).is_some_and(|ip| ip.to_canonical() == flow.remote.ip().to_canonical())
            && port.unwrap_or(5060) == flow.remote.port()
    };
    let is_open = is_source(Some(&via.host), via.port) && is_source(contact.host.as_ref(), contact.port);
    flow.transport == Transport::Udp && !is_open
}

fn too_brief(request: &Request) -> Response {
    let mut response = request.response(423);
    let least = Headers::new().with(HeaderName::MinExpires, EXPIRES.start().to_string());
    response.headers.extend(&least);
    response
}
