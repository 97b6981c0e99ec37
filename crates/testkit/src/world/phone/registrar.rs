//! A carrier's side of what it is asked outside of calls: whether it is there, and to know where we are.

use std::time::Duration;

use sip::digest::{Algorithm, Challenge};
use sip::{Contacts, HeaderName, Headers, NameAddr, Request, Response};

use super::Phone;

/// What a carrier answers outside of calls.
#[derive(Clone, Debug)]
pub struct Counter {
    /// To OPTIONS. None: nothing.
    pub options: Option<u16>,
    /// To REGISTER. None: nothing.
    pub register: Option<u16>,
    /// The shortest time for which it registers anybody, in seconds.
    pub least: u32,
    /// The longest, in seconds.
    pub most: u32,
    /// Whether whoever registers has to sign in.
    pub challenges: bool,
    /// The nonce it gives out. One that is different is too old.
    pub nonce: String,
    /// Stand in its answers to REGISTER.
    pub headers: Headers,
    /// The Contact that is registered, and until when.
    pub registered: Option<(NameAddr, Duration)>,
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            options: Some(200),
            register: Some(200),
            least: 60,
            most: 3_600,
            challenges: false,
            nonce: "a-nonce".into(),
            headers: Headers::new(),
            registered: None,
        }
    }
}

impl Phone {
    pub(super) fn on_options(&mut self, request: &Request) {
        if let Some(status) = self.counter.options {
            self.give(request, request.response(status), false);
        }
    }

    pub(super) fn on_register(&mut self, request: &Request) {
        let Some(status) = self.counter.register else { return };
        let response = if status == 200 { self.registered(request) } else { request.response(status) };
        let mut response = response;
        response.headers.extend(&self.counter.headers);
        self.give(request, response, false);
    }

    fn registered(&mut self, request: &Request) -> Response {
        let counter = &mut self.counter;
        let credentials = request.headers.credentials().unwrap_or_default();
        if counter.challenges && !credentials.iter().any(|one| one.nonce == counter.nonce.as_bytes()) {
            let mut challenge = Challenge::new("carrier.test", counter.nonce.clone(), Algorithm::Md5);
            challenge.stale = !credentials.is_empty();
            return request.response(401).with(HeaderName::WwwAuthenticate, &challenge);
        }
        let seconds = request.headers.expires().ok().flatten().unwrap_or(counter.most);
        let Ok(Contacts::List(contacts)) = request.headers.contacts() else { return request.response(400) };
        let Some(contact) = contacts.into_iter().next() else { return request.response(400) };
        if seconds == 0 {
            counter.registered = None;
            return request.response(200);
        }
        if seconds < counter.least {
            return request.response(423).with(HeaderName::MinExpires, counter.least.to_string());
        }
        let seconds = seconds.min(counter.most);
        counter.registered = Some((contact.clone(), self.now + Duration::from_secs(seconds.into())));
        request.response(200).with(HeaderName::Contact, contact.with_param("expires", seconds.to_string()))
    }
}
