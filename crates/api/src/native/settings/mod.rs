//! Settings: `/v1/extensions`, `/v1/trunks` and the others, each with list, POST, and GET, PATCH, DELETE at `/{id}`.
//!
//! One machine serves all nouns (`machine.rs`); what a noun looks like stands in `floor.rs`, `lines.rs`, `keys.rs` and
//! `people.rs`, as in the provision file, and is put into the description of the API by `describe.rs`.

mod describe;
mod floor;
mod keys;
mod lines;
mod machine;
mod people;

use std::sync::Arc;

use serde_json::{Value, json};
use store::Noun;
use utoipa_axum::router::OpenApiRouter;

use self::describe::Shape;
use crate::Faces;

/// A noun as the API has it.
#[derive(Clone, Copy)]
struct Page {
    noun: Noun,
    /// `extensions`: the last part of the path.
    path: &'static str,
    /// `extension`, for operations.
    one: &'static str,
    /// `an extension`, for sentences.
    a: &'static str,
    /// Its keys.
    shape: fn() -> Shape,
    /// Keys that are only shown.
    only_shown: &'static [&'static str],
    /// Keys that are only given; those of a key and a device are shown once, by the POST that made them.
    only_given: &'static [&'static str],
    /// Keys that a new one must have.
    needed: &'static [&'static str],
    /// A thing's number, name or id.
    example: &'static str,
    /// A new one.
    given: fn() -> Value,
    /// A change.
    patch: fn() -> Value,
}

/// The paths of all nouns, with their description.
pub(crate) fn router() -> OpenApiRouter<Arc<Faces>> {
    PAGES.iter().fold(OpenApiRouter::new(), |router, page| {
        let (list, one) = machine::routes(page);
        router.routes(list).routes(one)
    })
}

const PAGES: &[Page] = &[
    Page {
        noun: Noun::Tenant,
        path: "tenants",
        one: "tenant",
        a: "a tenant",
        shape: Shape::of::<people::Tenant>,
        only_shown: &["id"],
        only_given: &[],
        needed: &["name"],
        example: "VPBX_NEW",
        given: || json!({"name": "VPBX_NEW", "display_name": "New company", "limits": {"concurrent_calls": 10}}),
        patch: || json!({"display_name": "New name", "transfer_ring_back": false}),
    },
    Page {
        noun: Noun::Extension,
        path: "extensions",
        one: "extension",
        a: "an extension",
        shape: Shape::of::<floor::Extension>,
        only_shown: &["id"],
        only_given: &["password"],
        needed: &["number", "password"],
        example: "101",
        given: || json!({"number": "105", "name": "Night desk", "password": "pw-105-long", "record": true}),
        patch: || json!({"name": "Day desk", "lines": 3}),
    },
    Page {
        noun: Noun::Trunk,
        path: "trunks",
        one: "trunk",
        a: "a trunk",
        shape: Shape::of::<lines::Trunk>,
        only_shown: &["id", "has_password"],
        only_given: &["password"],
        needed: &["name", "address"],
        example: "carrier",
        given: || json!({"name": "carrier-2", "address": "127.0.0.1:5091", "accept_from": ["127.0.0.1"]}),
        patch: || json!({"max_calls": 50}),
    },
    Page {
        noun: Noun::Outbound,
        path: "outbound",
        one: "outbound_rule",
        a: "an outbound rule",
        shape: Shape::of::<lines::OutboundRule>,
        only_shown: &["id"],
        only_given: &[],
        needed: &["trunks"],
        example: "0",
        given: || json!({"prefix": "09", "trunks": ["carrier"], "position": 1}),
        patch: || json!({"prepend": "17", "position": 1}),
    },
    Page {
        noun: Noun::Number,
        path: "numbers",
        one: "number",
        a: "a number",
        shape: Shape::of::<lines::PublicNumber>,
        only_shown: &["id"],
        only_given: &[],
        needed: &["number", "route"],
        example: "02873088088",
        given: || json!({"number": "02873088095", "route": {"extension": "101"}}),
        patch: || json!({"route": {"extension": "102"}}),
    },
    Page {
        noun: Noun::Group,
        path: "groups",
        one: "group",
        a: "a group",
        shape: Shape::of::<floor::Group>,
        only_shown: &["id"],
        only_given: &[],
        needed: &["number"],
        example: "600",
        given: || json!({"number": "601", "name": "Sales", "strategy": "in_order", "members": ["101"]}),
        patch: || json!({"members": ["101", "102"]}),
    },
    Page {
        noun: Noun::Queue,
        path: "queues",
        one: "queue",
        a: "a queue",
        shape: Shape::of::<floor::Queue>,
        only_shown: &["id"],
        only_given: &[],
        needed: &["number"],
        example: "700",
        given: || json!({"number": "701", "name": "Support", "members": ["101"], "overflow": {"extension": "101"}}),
        patch: || json!({"max_wait_seconds": 60}),
    },
    Page {
        noun: Noun::Menu,
        path: "menus",
        one: "menu",
        a: "a menu",
        shape: Shape::of::<floor::Menu>,
        only_shown: &["id"],
        only_given: &[],
        needed: &["name"],
        example: "main",
        given: || json!({"name": "evening", "say": {"en": "Press one."}, "keys": {"1": {"extension": "101"}}}),
        patch: || json!({"keys": {"1": {"extension": "102"}}, "tries": 2}),
    },
    Page {
        noun: Noun::Hours,
        path: "hours",
        one: "hours",
        a: "hours",
        shape: Shape::of::<floor::Hours>,
        only_shown: &["id"],
        only_given: &[],
        needed: &["name"],
        example: "office",
        given: || json!({"name": "evenings", "open": ["mon-fri 17:30-22:00"], "holidays": ["2027-01-01"]}),
        patch: || json!({"open": ["mon-sat 17:30-22:00"]}),
    },
    Page {
        noun: Noun::Sound,
        path: "sounds",
        one: "sound",
        a: "a sound",
        shape: Shape::of::<floor::NamedSound>,
        only_shown: &["id"],
        only_given: &[],
        needed: &["name"],
        example: "welcome",
        given: || json!({"name": "closed", "say": {"vi": "Xin gọi lại ngày mai.", "en": "Please call tomorrow."}}),
        patch: || json!({"say": {"en": "Please call again tomorrow."}}),
    },
    Page {
        noun: Noun::Key,
        path: "keys",
        one: "key",
        a: "an API key",
        shape: Shape::of::<keys::ApiKey>,
        only_shown: &["id", "name"],
        only_given: &["secret", "api_secret", "secret_key", "token"],
        needed: &["kind"],
        example: "VOIPKEY_DEMO",
        given: || json!({"kind": "native", "role": "reader"}),
        patch: || json!({"socket_sessions": 5}),
    },
    Page {
        noun: Noun::Hook,
        path: "hooks",
        one: "hook",
        a: "a hook",
        shape: Shape::of::<keys::Hook>,
        only_shown: &["id"],
        only_given: &[],
        needed: &["kind", "url"],
        example: "7",
        given: || json!({"kind": "events", "url": "https://crm.example.test/hook", "method": "post_json"}),
        patch: || json!({"url": "https://crm.example.test/other"}),
    },
    Page {
        noun: Noun::Device,
        path: "devices",
        one: "device",
        a: "a device",
        shape: Shape::of::<keys::Device>,
        only_shown: &["id"],
        only_given: &["key", "pairing_code"],
        needed: &["name", "key"],
        example: "Sales phone",
        given: || json!({"name": "Sales phone 2", "key": "GKEY_DEMO", "pairing_code": "482914"}),
        patch: || json!({"default_sim": 2}),
    },
    Page {
        noun: Noun::User,
        path: "users",
        one: "user",
        a: "a user",
        shape: Shape::of::<people::User>,
        only_shown: &["id"],
        only_given: &["password"],
        needed: &["email", "password", "role"],
        example: "owner@example.test",
        given: || json!({"email": "new@example.test", "password": "change-me-please", "role": "agent"}),
        patch: || json!({"role": "reader"}),
    },
];
