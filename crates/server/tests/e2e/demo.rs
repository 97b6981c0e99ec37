//! `tongdai demo` and the README, as somebody follows them who has never seen them before.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{rtp_ports, tongdai};
use crate::support::sound::{Recording, length_of};
use crate::support::tools::{self, Lines};

#[test]
fn the_command_in_the_readme_is_the_one_that_is_printed_and_makes_a_call_that_can_be_heard_later() {
    let mut demo = tongdai();
    demo.arg("demo").args(["--rtp-ports", &rtp_ports()]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut demo = Lines::of(tools::spawn(&mut demo, "tongdai"));
    let introduction = demo.up_to("Ctrl-C");
    let command =
        introduction.iter().find(|line| line.trim().starts_with("curl ")).expect("a command").trim().to_owned();

    let answer = Command::new("sh").args(["-c", &command]).output().expect("a shell");
    assert!(answer.status.success(), "install the Debian package curl: {answer:?}");
    let story = demo.up_to("recording of");

    assert!(introduction.len() <= 20, "{introduction:#?}");
    let readme = include_str!("../../../../README.md").lines().find(|line| line.trim().starts_with("curl "));
    assert_eq!(readme.map(|line| after_port(line.trim())), Some(after_port(&command)));
    assert!(String::from_utf8_lossy(&answer.stdout).contains(r#""call_status":"Success""#), "{answer:?}");
    for part in
        ["a click: 101 calls 0900000001", "101 rings", "101 answers", "0900000001 answers", "hear each other", "over: "]
    {
        assert!(story.iter().any(|line| line.contains(part)), "`{part}` in {story:#?}");
    }
    let path = story.last().and_then(|line| line.rsplit(' ').next()).expect("a path");
    let recording = Recording::read(&std::fs::read(path).expect("a recording"));
    let length = recording.length();
    assert!((9.0..12.0).contains(&length.as_secs_f32()), "the customer hangs up after ten seconds, not {length:?}");
    let chimes = [length_of(&recording.customer, 620), length_of(&recording.agent, 440)];
    assert!(chimes.iter().all(|chime| *chime >= Duration::from_millis(500)), "{chimes:?}");
    let played = Command::new("sox").args([path, "-n", "stat"]).output();
    assert!(played.expect("install the Debian package sox").status.success());
    demo.stop();
}

/// A command without the port, which is another one where 8080 is taken.
fn after_port(command: &str) -> (&str, &str) {
    let (before, rest) = command.split_once("127.0.0.1:").expect("an address");
    (before, rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}
