//! The table of call shapes: who calls, who answers, who hangs up when, what fails; and the events and the record that
//! each must give. The rows are in the text files beside this one; `testkit::world::shape` says how to read them.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use testkit::world::World;
use testkit::world::shape::Shape;

const TABLE: [(&str, &str); 12] = [
    ("inside.txt", include_str!("inside.txt")),
    ("outside.txt", include_str!("outside.txt")),
    ("clicks.txt", include_str!("clicks.txt")),
    ("failures.txt", include_str!("failures.txt")),
    ("network.txt", include_str!("network.txt")),
    ("groups.txt", include_str!("groups.txt")),
    ("menus.txt", include_str!("menus.txt")),
    ("queues.txt", include_str!("queues.txt")),
    ("orders.txt", include_str!("orders.txt")),
    ("transfers.txt", include_str!("transfers.txt")),
    ("referring.txt", include_str!("referring.txt")),
    ("pick_ups.txt", include_str!("pick_ups.txt")),
];

#[test]
fn every_shape_gives_its_events_and_its_record() {
    let mut wrong = Vec::new();
    for (file, shape) in rows() {
        println!("playing {file}: {}", shape.title);
        let judged = catch_unwind(AssertUnwindSafe(|| shape.judge(&World::run_shape(&shape))));
        if judged.is_err() {
            wrong.push(format!("{file}: {}", shape.title));
        }
    }

    assert!(wrong.is_empty(), "{} shapes are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn there_are_rows_enough_and_no_two_differ_only_in_a_number() {
    let rows = rows();
    let kind = |shape: &Shape| {
        let told = format!("{:?} {:?}", shape.givens, shape.steps);
        told.chars().filter(|c| !c.is_ascii_digit()).collect::<String>()
    };
    let kinds: BTreeSet<String> = rows.iter().map(|(_, shape)| kind(shape)).collect();
    let portable = rows.iter().filter(|(_, shape)| !shape.needs_the_world()).count();

    assert!(kinds.len() >= 25, "only {} kinds of shapes", kinds.len());
    assert!(portable >= 10, "only {portable} shapes can be played with real phones");
    for (at, (_, shape)) in rows.iter().enumerate() {
        let same = |other: &Shape| (&other.givens, &other.steps) == (&shape.givens, &shape.steps);
        let twin = rows[..at].iter().find(|(_, other)| other.title == shape.title || same(other));
        assert_eq!(twin.map(|(_, twin)| &twin.title), None, "`{}` is there already", shape.title);
    }
}

fn rows() -> Vec<(&'static str, Shape)> {
    let parse = |(file, text): (&'static str, &str)| {
        let shapes = Shape::parse_all(text).unwrap_or_else(|error| panic!("{file}, {error}"));
        shapes.into_iter().map(move |shape| (file, shape))
    };
    TABLE.into_iter().flat_map(parse).collect()
}
