//! What a user agent knows of its registration (RFC 3261, 10.2), and when to ask again.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{Contacts, HeaderName, Headers, Method, NameAddr, OutOfDialog, Response, Uri};

use super::key::Key;
use super::{Event, UserAgent};

/// Until the next try after the registrar did not answer.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Until the next try after the connection is gone.
const RECONNECT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Registration {
    call_id: Bytes,
    wish: Wish,
    is_registered: bool,
    /// When to ask again.
    due: Option<Instant>,
    /// What the registrar said is the least, if what we wished was too short.
    least: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wish {
    None,
    Known,
    Forgotten,
}

impl Registration {
    pub(crate) fn new(call_id: Bytes) -> Self {
        Self { call_id, wish: Wish::None, is_registered: false, due: None, least: Duration::ZERO }
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.is_registered
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    pub(crate) fn on_flow_lost(&mut self, now: Instant) {
        if self.wish == Wish::Known {
            self.due = Some(now + RECONNECT);
        }
    }
}

impl UserAgent {
    /// Makes the registrar know us, and keeps it so.
    pub fn register(&mut self, now: Instant) {
        self.registration.wish = Wish::Known;
        self.ask(now, self.config.expires.max(self.registration.least));
    }

    /// Makes the registrar forget us.
    pub fn unregister(&mut self, now: Instant) {
        self.registration.wish = Wish::Forgotten;
        self.ask(now, Duration::ZERO);
    }

    fn ask(&mut self, now: Instant, expires: Duration) {
        self.registration.due = None;
        let flow = self.config.server;
        let mut contact = Uri::of(self.endpoint.address_towards(flow)).with_user(&self.config.name);
        if let Some(transport) = flow.transport.uri_parameter() {
            contact = contact.with_param("transport", transport);
        }
        let contact = NameAddr::new(contact).with_param("expires", expires.as_secs().to_string());
        let us = NameAddr::new(self.uri(Some(&self.config.name)));
        let order = OutOfDialog {
            method: Method::Register,
            flow,
            uri: self.uri(None),
            from: us.clone(),
            to: us,
            route: Vec::new(),
            headers: Headers::new()
                .with(HeaderName::Contact, &contact)
                .with(HeaderName::Expires, expires.as_secs().to_string()),
            body: None,
            credentials: self.config.login.clone(),
            call_id: Some(self.registration.call_id.clone()),
        };
        self.endpoint.request(now, Key::Registration, order);
        self.settle(now);
    }

    pub(crate) fn on_registered(&mut self, now: Instant, response: &Response) {
        let registration = &mut self.registration;
        match (response.status, registration.wish) {
            (200..300, Wish::Known) => {
                let expires = granted(response).unwrap_or(self.config.expires);
                registration.is_registered = true;
                registration.due = Some(now + (expires / 2).max(Duration::from_secs(1)));
                self.tell(Event::Registered { expires });
            }
            (200..300, _) => {
                registration.is_registered = false;
                self.tell(Event::Unregistered);
            }
            (423, Wish::Known) if registration.least.is_zero() => {
                let least = response.headers.min_expires().ok().flatten().unwrap_or(3_600);
                registration.least = Duration::from_secs(least.into());
                registration.due = Some(now);
            }
            (status, _) => self.on_not_registered(now, Some(status)),
        }
    }

    pub(crate) fn on_not_registered(&mut self, now: Instant, status: Option<u16>) {
        let registration = &mut self.registration;
        registration.is_registered = false;
        if registration.wish == Wish::Known && status.is_none_or(|status| status >= 500) {
            registration.due = Some(now + TRY_AGAIN);
        }
        self.tell(Event::RegistrationFailed { status });
    }

    /// An address in our domain.
    pub(crate) fn uri(&self, user: Option<&str>) -> Uri {
        let text = match user {
            Some(user) => format!("sip:{user}@{}", self.config.domain),
            None => format!("sip:{}", self.config.domain),
        };
        Uri::parse(text.into()).unwrap_or_else(|_| {
            let uri = Uri::of(self.config.server.remote);
            user.map_or(uri.clone(), |user| uri.with_user(user))
        })
    }
}

/// How long the registrar will know us: the shortest of what it says.
fn granted(response: &Response) -> Option<Duration> {
    let contacts = match response.headers.contacts() {
        Ok(Contacts::List(contacts)) => contacts,
        _ => Vec::new(),
    };
    let least = contacts.iter().filter_map(NameAddr::expires).min();
    let seconds = least.or_else(|| response.headers.expires().ok().flatten())?;
    Some(Duration::from_secs(seconds.into()))
}
