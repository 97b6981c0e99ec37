//! Habits of real equipment: calls in which one side words its messages as that equipment does.
//!
//! Each file is one make, with the document and version it is written from at its head, and the texts themselves:
//! order of headers, names, SDP and oddities are the equipment's, numbers and names are made up. What is tested is that
//! the call works with exactly these texts, and that our answers are what such equipment can use.

mod asterisk;
mod carrier_sbc;
mod cisco_spa;
mod fanvil;
mod freeswitch;
mod grandstream;
mod linphone;
mod microsip;
mod yealink;
mod zoiper;

use bytes::Bytes;
use testkit::world::World;
use testkit::world::phone::{Dress, Manner};

/// A phone of this make signs in at the place of extension 101; 102 picks up after a second when it is called.
fn a_phone(world: &mut World, dress: Dress) {
    world.unregisters("101");
    world.run(1.0);
    world.dresses("101", dress);
    world.registers("101");
    world.answers_after("102", 1.0);
    world.run(1.0);
    world.begin();
}

/// The trunk leads to equipment of this make, which picks up after two seconds, with sound before that.
fn a_trunk(world: &mut World, dress: Dress) {
    world.dresses("carrier", dress);
    world.manner("carrier", Manner::answers(std::time::Duration::from_secs(2)).with_early_sound());
}

/// 101 calls, talks, holds, takes back and hangs up.
fn calls_and_holds(world: &mut World) {
    world.calls("101", "102");
    world.run(2.0);
    world.listen();
    world.holds("101");
    world.run(1.0);
    world.listen();
    world.resumes("101");
    world.run(1.0);
    world.listen();
    world.hangs_up("101");
}

/// 101 is called, talks and hangs up.
fn is_called(world: &mut World) {
    world.answers_after("101", 1.0);
    world.calls("102", "101");
    world.run(2.0);
    world.listen();
    world.hangs_up("101");
}

/// The lines of what the switchboard has said last to a phone about sound, without those that name sessions.
fn described(world: &mut World, name: &str) -> Vec<String> {
    let text = world.last_description(name);
    text.lines().filter(|line| !line.starts_with("o=")).map(str::to_owned).collect()
}

/// The message with keys in its description, its sound secured.
fn secured(message: Bytes, keys: &str) -> Bytes {
    let text = String::from_utf8_lossy(&message);
    let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| !body.is_empty()) else { return message };
    let body = format!("{}{keys}", body.replace("RTP/AVP", "RTP/SAVP"));
    let lines = head.lines().map(|line| match line.split_once(':') {
        Some((name, _)) if name.eq_ignore_ascii_case("Content-Length") => format!("{name}: {}\r\n", body.len()),
        _ => format!("{line}\r\n"),
    });
    format!("{}\r\n{body}", lines.collect::<String>()).into()
}
