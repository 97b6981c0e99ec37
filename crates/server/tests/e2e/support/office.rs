//! A server with one or more companies, asked through its own API.

use std::net::SocketAddr;

use serde_json::Value;

use crate::common::Server;
use crate::support::http::{self, Answer};
use crate::support::sound::Recording;
use crate::support::tools::until;

/// A company with extensions 101 and 102, both recorded, one trunk and one number that rings 101.
#[derive(Clone)]
pub struct Company {
    /// `VPBX_DEMO`
    pub name: &'static str,
    /// What stands at the end of its keys: `VOIPKEY_DEMO`, `SECRET_DEMO`, `NATIVE_DEMO`.
    pub key: &'static str,
    /// Its public number.
    pub did: &'static str,
    /// Where its carrier is.
    pub carrier: SocketAddr,
    /// Further keys of the trunk, as they stand in the file.
    pub trunk: &'static str,
}

impl Company {
    /// The only company of most tests.
    pub fn with_carrier(carrier: SocketAddr) -> Self {
        Self { name: "VPBX_DEMO", key: "DEMO", did: "02873088088", carrier, trunk: "" }
    }

    fn yaml(&self) -> String {
        let Self { name, key, did, carrier, trunk } = self;
        format!(
            r#"  - name: {name}
    keys:
      - {{ kind: voip24h, voip: VOIPKEY_{key}, secret: SECRET_{key} }}
      - {{ kind: native, token: NATIVE_{key}, role: owner }}
    extensions:
      - {{ number: "101", name: Sales desk, password: pw-101, record: true, caller_id: "{did}", lines: 20 }}
      - {{ number: "102", name: Support desk, password: pw-102, record: true }}
    trunks:
      - {{ name: carrier, address: "{carrier}", accept_from: ["{carrier}"], health_seconds: 0{trunk} }}
    outbound:
      - {{ prefix: "0", trunks: [carrier] }}
    numbers:
      - {{ number: "{did}", route: {{ extension: "101" }} }}
"#
        )
    }
}

/// The provision file of companies.
pub fn provision(companies: &[Company]) -> String {
    let companies: String = companies.iter().map(Company::yaml).collect();
    format!("tenants:\n{companies}")
}

/// A running server, and a key to one company of it.
pub struct Office {
    /// The server.
    pub server: Server,
    company: Company,
}

impl Office {
    /// A server with the usual company, whose carrier is at `carrier`.
    pub fn start(carrier: SocketAddr) -> Self {
        Self::start_with(carrier, &[])
    }

    /// The same with further arguments.
    pub fn start_with(carrier: SocketAddr, arguments: &[&str]) -> Self {
        let company = Company::with_carrier(carrier);
        Self { server: Server::start(&provision(std::slice::from_ref(&company)), arguments), company }
    }

    /// Looks at one company of a server.
    pub fn of(server: Server, company: Company) -> Self {
        Self { server, company }
    }

    /// Where phones and carriers speak with it.
    pub fn sip(&self) -> SocketAddr {
        self.server.sip
    }

    /// The native API as this company sees it.
    pub fn look(&self) -> Look<'_> {
        Look { server: &self.server, key: self.company.key }
    }

    /// Asks the vendor's API, signed in.
    pub fn vendor(&self, path: &str) -> Value {
        self.look().vendor(path)
    }

    /// The only call there was, once it is over and its recording, if it has one, is whole.
    pub fn only_record(&self) -> Value {
        let mut records = self.look().whole_records(1);
        assert_eq!(records.len(), 1, "{records:#?}");
        records.remove(0)
    }

    /// The sound of a call, as the API plays it.
    pub fn recording(&self, record: &Value) -> Recording {
        self.look().recording(record)
    }

    /// Waits until a phone is signed in as an extension; gives what the phone calls itself.
    pub fn wait_registered(&self, extension: &str) -> String {
        self.look().wait_registered(extension)
    }

    /// Waits until no call, leg, sound or recording is left; nothing may stay behind.
    pub fn wait_clean(&self) {
        self.look().wait_clean();
    }
}

/// A server as one company sees it.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The server.
    pub server: &'a Server,
    /// What stands at the end of the company's keys.
    pub key: &'static str,
}

impl Look<'_> {
    /// Asks the native API.
    pub fn get(self, path: &str) -> Answer {
        http::get(self.server.http, path, &[&format!("Authorization: Bearer NATIVE_{}", self.key)])
    }

    /// Asks the vendor's API, signed in.
    pub fn vendor(self, path: &str) -> Value {
        let sign = if path.contains('?') { '&' } else { '?' };
        let key = self.key;
        http::get(self.server.http, &format!("{path}{sign}voip=VOIPKEY_{key}&secret=SECRET_{key}"), &[]).json()
    }

    /// The records, in the order in which the calls began.
    pub fn records(self) -> Vec<Value> {
        let mut records = items(&self.get("/v1/records?limit=100"));
        records.reverse();
        records
    }

    /// So many records or more, all of calls that are over, with recordings that are whole.
    pub fn whole_records(self, count: usize) -> Vec<Value> {
        until(&format!("{count} calls are over"), || {
            let records = self.records();
            let whole = |record: &Value| {
                let recordings = record["recordings"].as_array().expect("a list");
                !record["ended_at"].is_null() && recordings.iter().all(|recording| !recording["milliseconds"].is_null())
            };
            (records.len() >= count && records.iter().all(whole)).then_some(records)
        })
    }

    /// The story from its beginning.
    pub fn events(self) -> Vec<Value> {
        items(&self.get("/v1/events?after=0&limit=1000"))
    }

    /// The live calls.
    pub fn calls(self) -> Vec<Value> {
        items(&self.get("/v1/calls"))
    }

    /// The sound of a call, as the API plays it.
    pub fn recording(self, record: &Value) -> Recording {
        let recordings = record["recordings"].as_array().expect("a list");
        assert_eq!(recordings.len(), 1, "{record:#}");
        let url = recordings[0]["url"].as_str().expect("a link");
        let path = url.strip_prefix(&format!("http://{}", self.server.http)).unwrap_or(url);
        let answer = self.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("audio/wav")), "{url}: {}", answer.head);
        assert_eq!(answer.body.len() as u64, recordings[0]["bytes"].as_u64().expect("a size"));
        Recording::read(&answer.body)
    }

    /// Waits until a phone is signed in as an extension; gives what the phone calls itself.
    pub fn wait_registered(self, extension: &str) -> String {
        until(&format!("{extension} is signed in"), || {
            let events = self.events();
            let mut signed = events.iter().filter(|event| event["type"] == "extension.registered");
            signed.find(|event| event["id"] == extension)?["user_agent"].as_str().map(str::to_owned)
        })
    }

    /// Waits until no call, leg, dialog, sound or recording is left; nothing may stay behind.
    pub fn wait_clean(self) {
        self.wait_over();
        self.wait_gauges(&["sip_dialogs"]);
    }

    /// The same where a peer is gone for good: we go on calling it, as RFC 3261 says, after the call is over.
    pub fn wait_over(self) {
        until("no call is live", || self.calls().is_empty().then_some(()));
        self.wait_gauges(&["calls_live", "legs_live", "sound_sessions", "recordings_live"]);
    }

    fn wait_gauges(self, names: &[&str]) {
        until(&format!("{names:?} are 0"), || {
            let metrics = http::get(self.server.http, "/metrics", &[]).text();
            names.iter().all(|name| metrics.contains(&format!("\ntongdai_{name} 0\n"))).then_some(())
        });
    }
}

fn items(page: &Answer) -> Vec<Value> {
    let page = page.json();
    assert!(page["next"].is_null(), "a page is not enough: {page}");
    page["items"].as_array().expect("a list").clone()
}
