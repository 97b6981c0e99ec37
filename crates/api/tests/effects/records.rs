//! Records over HTTP: every filter, pages both ways, and the export.

use model::{Reason, Timestamp};
use serde_json::{Value, json};

use crate::support::story::ToldCall;
use crate::support::{World, call, json as answer};

pub const EFFECTS: &[(&str, fn())] = &[("export_records", all_that_a_filter_meets_comes_as_csv_and_as_lines)];

/// Twelve inbound calls, a minute apart; every third was answered, and recorded.
async fn told() -> World {
    let world = World::start().await;
    let began = Timestamp::from_second(1_700_000_000).expect("a moment");
    for nth in 1..=12 {
        let mut told = ToldCall::new(&world.writer, world.demo, call(nth), began);
        let customer = if nth % 2 == 0 { "=1+1" } else { "+84900000001" };
        told.after(i64::from(nth) * 60_000).inbound(customer).ringing(2);
        if nth % 3 == 0 {
            told.connected(2, 2, 1).recording(&format!("{nth}.wav"), true);
        }
        told.after(i64::from(nth) * 1_000).ended(if nth % 3 == 0 { Reason::HungUp } else { Reason::Cancelled }, 487);
    }
    world.writer.flush().await;
    world
}

fn callids(page: &Value) -> Vec<String> {
    let rows = page["items"].as_array().expect("rows");
    rows.iter().map(|row| row["callid"].as_str().expect("a callid").to_owned()).collect()
}

#[tokio::test]
async fn every_filter_of_the_query_finds_what_looking_at_each_record_does() {
    let world = told().await;
    let (_, every) = answer(world.get("/v1/records?state=any")).await;
    let all = every["items"].as_array().expect("rows").clone();
    let seconds = |row: &Value, name: &str| row[name].as_i64().expect("seconds");
    type Meets<'a> = &'a dyn Fn(&Value) -> bool;
    let filters: &[(&str, Meets<'_>)] = &[
        ("source=0900000001", &|row| row["customer"] == "+84900000001"),
        ("source=%3D1%2B1", &|row| row["customer"] == "=1+1"),
        ("destination=101", &|row| row["extension"] == "101"),
        ("search=101", &|row| row["extension"] == "101"),
        ("customer=84900000001", &|row| row["customer"] == "+84900000001"),
        ("status=answered", &|row| row["status"] == "answered"),
        ("status=missed", &|row| row["status"] == "missed"),
        ("direction=inbound", &|row| row["direction"] == "inbound"),
        ("direction=local", &|_| false),
        ("has_recording=true", &|row| row["recordings"] != json!([])),
        ("has_recording=false", &|row| row["recordings"] == json!([])),
        ("min_duration=6", &|row| seconds(row, "duration_seconds") >= 6),
        ("max_duration=6", &|row| seconds(row, "duration_seconds") <= 6),
        ("min_billsec=1", &|row| seconds(row, "bill_seconds") >= 1),
        ("max_billsec=0", &|row| seconds(row, "bill_seconds") == 0),
        ("reason=cancelled", &|row| row["reason"] == "cancelled"),
        ("trunk=nowhere", &|_| false),
        ("state=live", &|_| false),
    ];

    for (nth, (one, first)) in filters.iter().enumerate() {
        for (other, second) in &filters[nth..] {
            if one.split('=').next() == other.split('=').next() && one != other {
                continue;
            }
            let query = if one == other { (*one).to_owned() } else { format!("{one}&{other}") };
            let mut expected: Vec<&Value> = all.iter().filter(|row| first(row) && second(row)).collect();
            expected.sort_by_key(|row| row["started_at"].as_str().map(str::to_owned));
            let expected: Vec<&str> = expected.iter().rev().filter_map(|row| row["callid"].as_str()).collect();
            let (status, page) = answer(world.get(&format!("/v1/records?{query}"))).await;
            assert_eq!((status, callids(&page)), (200, expected.into_iter().map(str::to_owned).collect()), "{query}");
        }
    }
    for wrong in ["order=newest", "reason=bad_luck", "min_duration=-1", "has_recording=maybe", "source=%00"] {
        let (status, problem) = answer(world.get(&format!("/v1/records?{wrong}"))).await;
        assert_eq!((status, &problem["code"]), (400, &json!("bad_request")), "{wrong}");
    }
}

#[tokio::test]
async fn pages_lead_on_and_back() {
    let world = told().await;

    let (_, first) = answer(world.get("/v1/records?limit=5")).await;
    let next = first["next"].as_str().expect("a next page");
    let (_, second) = answer(world.get(&format!("/v1/records?limit=5&after={next}"))).await;
    let prev = second["prev"].as_str().expect("a page before");
    let (_, back) = answer(world.get(&format!("/v1/records?limit=5&after={prev}"))).await;

    assert_eq!((&first["prev"], callids(&back)), (&Value::Null, callids(&first)));
    assert_eq!(callids(&second)[0], call(7).to_string());
    assert_eq!(back["prev"], Value::Null);
}

#[tokio::test]
async fn all_that_a_filter_meets_comes_as_csv_and_as_lines() {
    let world = told().await;

    let csv = world.get("/v1/records.csv?has_recording=true").send().await.expect("an answer");
    let kind = csv.headers()["content-type"].clone();
    let csv = csv.text().await.expect("text");
    let asked = world.get("/v1/records").header("accept", "text/csv").send().await.expect("an answer");
    let all = asked.text().await.expect("text");
    let lines = world.get("/v1/records?status=missed").header("accept", "application/x-ndjson");
    let lines = lines.send().await.expect("an answer").text().await.expect("text");

    assert_eq!(kind, "text/csv; charset=utf-8; header=present");
    let rows: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert!(rows[0].starts_with("callid,started_at,"), "{csv}");
    assert_eq!(rows[1..].iter().map(|row| row.split(',').next().expect("a cell")).collect::<Vec<_>>(), {
        [12, 9, 6, 3].map(|nth| call(nth).to_string())
    });
    assert_eq!(all.split_terminator("\r\n").count(), 13);
    assert!(all.contains(",'=1+1,") && !all.contains(",=1+1"), "{all}");
    assert!(all.contains(",84900000001,"), "{all}");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 8);
    assert!(lines.iter().all(|record| record["status"] == "missed"));
}
