//! Random changes one at a time leave what one provision file leaves that says the same, and what the file may not say
//! cannot be done.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use common::{Database, ONE, apply, for_both, open};
use serde_json::{Map, Value, json};
use store::{Author, Change, ChangeError, Deed, Noun, Reach, Snapshot, Store, provision};

for_both! { random_changes_leave_what_a_file_leaves_that_says_the_same }

/// Whose extensions and the rest they are.
const REACH: Reach = Reach { tenant: Some(ONE), whole_server: false };
const STEPS: usize = 150;

/// A noun: its list in the file, and the key that names one.
const LISTS: [(Noun, &str, &str); 9] = [
    (Noun::Extension, "extensions", "number"),
    (Noun::Trunk, "trunks", "name"),
    (Noun::Outbound, "outbound", "prefix"),
    (Noun::Number, "numbers", "number"),
    (Noun::Group, "groups", "number"),
    (Noun::Queue, "queues", "number"),
    (Noun::Menu, "menus", "name"),
    (Noun::Key, "keys", "voip"),
    (Noun::Device, "devices", "name"),
];

async fn random_changes_leave_what_a_file_leaves_that_says_the_same(database: Database) {
    for seed in [3, 17] {
        let database = database.another();
        let store = open(&database).await;
        let mut model = json!({"tenants": [{"name": "VPBX_ONE", "keys": [{"kind": "callone", "secret_key": "G0"}]}]});
        apply(&store, &model.to_string()).await;
        let mut dice = Dice(seed);
        let mut done = 0;
        for step in 0..STEPS {
            let (noun, list, key) = LISTS[dice.below(LISTS.len())];
            let before = model.clone();
            let things =
                model["tenants"][0].as_object_mut().unwrap().entry(list).or_insert(json!([])).as_array_mut().unwrap();
            let own: Vec<usize> = (0..things.len()).filter(|at| things[*at].get(key).is_some()).collect();
            let deed = match dice.below(5) {
                0 | 1 => {
                    let given = dice.thing(noun);
                    things.push(given.clone());
                    Deed::Create(object(given))
                }
                2 if !own.is_empty() => {
                    let called = things.remove(own[dice.below(own.len())])[key].as_str().unwrap().to_owned();
                    Deed::Delete { called }
                }
                _ if !own.is_empty() => {
                    let at = own[dice.below(own.len())];
                    let called = things[at][key].as_str().unwrap().to_owned();
                    let patch = dice.some_of(object(dice.clone().thing(noun)));
                    for (key, value) in &patch {
                        things[at][key] = value.clone();
                    }
                    Deed::Update { called, patch }
                }
                _ => continue,
            };
            let file = provision::parse(&model.to_string());

            let author = Author { name: "a test".into(), address: None };
            let change = Change { reach: REACH, noun, deed: deed.clone(), if_match: None, author };
            let changed = store.settings().change(change).await;

            match (&file, &changed) {
                (Ok(_), Ok(_)) => done += 1,
                (Err(_), Err(ChangeError::Store(error))) => panic!("{error}"),
                (Err(_), Err(_)) => model = before,
                // A number stands in what a password is proved with.
                (Ok(_), Err(ChangeError::Wrong { field: Some(field), .. })) if field == "password" => model = before,
                _ => panic!("step {step} of {seed}: {deed:?}: the file is {:?}, but {changed:?}", file.err()),
            }
        }
        assert!(done > STEPS / 5, "{done} changes were made");

        let second = database.another();
        let fresh = open(&second).await;
        apply(&fresh, &model.to_string()).await;
        assert_eq!(shown(&store).await, shown(&fresh).await);
        assert_eq!(run(&store).await, run(&fresh).await);
    }
}

/// As it is shown, without what differs from one store to the next.
async fn shown(store: &Store) -> Vec<(&'static str, Vec<Map<String, Value>>)> {
    let mut all = Vec::new();
    for (noun, list, _) in LISTS {
        let page = store.settings().list(REACH, noun, None, 1_000).await.unwrap();
        let things = page.things.into_iter().map(|thing| {
            let mut body = thing.body;
            body.remove("id");
            body
        });
        all.push((list, things.collect()));
    }
    all
}

/// As it is run.
async fn run(store: &Store) -> Snapshot {
    let mut snapshot = store.settings().load().await.unwrap();
    snapshot.directory.version = 0;
    // Keys have no order.
    snapshot.directory.keys.sort_by_key(|key| format!("{:?}", key.kind));
    for tenant in &mut snapshot.tenants {
        tenant.version = 0;
        tenant.trunks.sort_by(|one, other| one.name.cmp(&other.name));
    }
    snapshot.directory.trunks.sort_by(|one, other| format!("{one:?}").cmp(&format!("{other:?}")));
    snapshot
}

/// Numbers that are the same after each start with the same seed.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap() % most
    }

    fn one(&mut self, of: &[&str]) -> String {
        of[self.below(of.len())].to_owned()
    }

    fn inside(&mut self) -> String {
        self.one(&["101", "102", "103", "600", "700"])
    }

    fn number(&mut self) -> String {
        self.one(&["02873088081", "02873088082", "02873088083"])
    }

    fn route(&mut self) -> Value {
        match self.below(5) {
            0 => json!({"group": self.inside()}),
            1 => json!({"menu": self.one(&["a", "b"])}),
            2 => json!({"crm": {"url": "http://a/", "default": {"extension": self.inside()}}}),
            _ => json!({"extension": self.inside()}),
        }
    }

    fn thing(&mut self, noun: Noun) -> Value {
        let (inside, number) = (self.inside(), self.number());
        match noun {
            Noun::Extension if self.below(3) == 0 => json!({"number": inside, "password": "p", "caller_id": number}),
            Noun::Extension => json!({"number": inside, "password": self.one(&["p", "q"]), "lines": self.below(4)}),
            Noun::Trunk => {
                json!({"name": self.one(&["c", "d"]), "address": "h.example:5060", "max_calls": 7, "trusted": true})
            }
            Noun::Outbound => {
                json!({"prefix": self.one(&["0", "09", "1"]), "trunks": [self.one(&["c", "d"])], "strip": 1})
            }
            Noun::Number => json!({"number": number, "route": self.route()}),
            Noun::Group => json!({"number": inside, "members": [self.inside()], "ring_seconds": 5}),
            Noun::Queue => json!({"number": inside, "members": [self.inside()], "answer": "by_agent"}),
            Noun::Menu => {
                json!({"name": self.one(&["a", "b"]), "say": {"en": "x", "vi": "y"}, "default": self.route()})
            }
            Noun::Key => json!({"kind": "voip24h", "voip": self.one(&["V1", "V2"]), "secret": "s", "hub": true}),
            _ => json!({"name": self.one(&["p1", "p2"]), "key": self.one(&["G0", "G1"]), "pairing_code": "1234"}),
        }
    }

    /// Some keys of a thing.
    fn some_of(&mut self, mut thing: Map<String, Value>) -> Map<String, Value> {
        thing.retain(|key, _| key != "kind" && self.below(2) == 0);
        thing
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}
