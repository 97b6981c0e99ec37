//! `tongdai demo`, as somebody sees it who has never seen it before.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

use common::{SOON, tongdai};

#[test]
fn the_printed_command_makes_a_call_whose_story_ends_with_a_recording_that_plays() {
    let demo = Demo::start(&["--http", "127.0.0.1:0", "--sip", "127.0.0.1:0"]);
    let introduction = demo.lines_until(|line| line.contains("Ctrl-C"));
    let url =
        introduction.iter().find_map(|line| line.trim().strip_prefix("curl '")?.strip_suffix('\'')).expect("a curl");

    let answer = get(url);
    let story = demo.lines_until(|line| line.contains("recording of"));

    assert!(introduction.len() <= 20, "{introduction:#?}");
    assert!(answer.contains(r#""call_status":"Success""#), "{answer}");
    let mut told = story.iter();
    for part in ["a click", "101 rings", "101 answers", "both sides hear each other", "over:"] {
        assert!(told.any(|line| line.contains(part)), "{part} in {story:#?}");
    }
    let path = story.last().and_then(|line| line.rsplit(' ').next()).expect("a path");
    let sound = std::fs::read(path).expect("a recording");
    // Ten seconds, two channels of 16 bits at 8 kHz.
    assert!(sound.starts_with(b"RIFF") && sound.len() > 9 * 32_000, "{} bytes", sound.len());
    assert!(sound[44..].iter().any(|byte| *byte != 0), "only silence");
    demo.end();
}

#[test]
fn on_taken_ports_it_chooses_others_and_says_so() {
    let first = Demo::start(&["--http", "127.0.0.1:0", "--sip", "127.0.0.1:0"]);
    let ready = first.lines_until(|line| line.starts_with("ready ")).pop().expect("a line");
    let word = |name: &str| ready.split(' ').find_map(|word| word.strip_prefix(name)).expect("an address").to_owned();
    let (http, sip) = (word("http="), word("sip="));

    let second = Demo::start(&["--http", &http, "--sip", &sip]);
    let said = second.lines_until(|line| line.starts_with("ready "));

    assert!(said.contains(&format!("{http} is taken: HTTP is on another port.")), "{said:#?}");
    assert!(said.contains(&format!("{sip} is taken: SIP is on another port.")), "{said:#?}");
    first.end();
    second.end();
}

/// A running demo. Killed when dropped.
struct Demo {
    child: Child,
    lines: Receiver<String>,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let mut command = tongdai();
        command.arg("demo").args(arguments).args(["--rtp-ports", &common::rtp_ports()]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the demo starts");
        let output = child.stdout.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// What it prints, up to a certain line and with it.
    fn lines_until(&self, last: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| last(line)) {
            let line = self.lines.recv_timeout(SOON);
            lines.push(line.unwrap_or_else(|_| panic!("no further line after {lines:#?}")));
        }
        lines
    }

    fn end(mut self) {
        // SAFETY: only numbers are passed; the child is ours and not waited for so far, so the id is its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, libc::SIGINT) }, 0);
        assert_eq!(self.child.wait().expect("our child").code(), Some(0));
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL");
    let mut stream = TcpStream::connect(host).expect("connected");
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}
