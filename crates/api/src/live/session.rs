//! One Socket.IO session, from `connecting` to the end (readings 15).
//!
//! ```text
//! connecting ──sign──► signing ──► connected, connection, say ──► response … ──► connectEnd | disconnectedServer
//!      │                  │             └─ resume ──► resumed, and what was missed, before anything else
//!      │                  ├─ wrong key ──► error
//!      │                  ├─ address not allowed ──► connectionRefused
//!      │                  └─ all seats taken, or too many wrong keys ──► Bandwidth
//!      └─ nobody signs ──► connectTimeout
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use socketioxide::extract::SocketRef;
use socketioxide::{ProtocolVersion, SocketError};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::adapter::{Direct, NotSent};
use super::seats::{Seat, Taken};
use super::{Connection, Live};
use crate::Readiness;
use crate::keys::Voip24hKey;
use crate::limits::TooMany;
use crate::story::{Dialect, Story, packet};
use crate::vendors::voip24h::greetings::{self, Bandwidth, ConnectEnd, Placed};
use crate::vendors::voip24h::number::{NoNumber, Number};

/// How often a farewell is tried on a socket that is full.
const FAREWELLS: usize = 20;

/// What a client says.
pub(crate) enum Heard {
    /// `sign`, with its arguments.
    Sign(Vec<Value>),
    /// `hello`
    Hello,
    /// `resume`, with the number of the last event that was heard.
    Resume(Result<Number, NoNumber>),
}

/// How far a session has told the story.
#[derive(Clone, Copy)]
struct Place {
    /// Everything up to here.
    position: i64,
    /// Where the next event begins, if some of its packets were told: its position, and how many.
    begun: Option<(i64, usize)>,
}

/// A connected client.
pub(crate) struct Session {
    pub live: Live,
    pub socket: SocketRef<Direct>,
    pub peer: Option<SocketAddr>,
    pub heard: mpsc::Receiver<Heard>,
    /// True once the client has gone.
    pub gone: watch::Receiver<bool>,
    /// Counts the connection while the session lives.
    pub _connection: Connection,
}

/// The client has gone, or has been sent away.
struct Over;

impl Session {
    /// Runs until the client has gone or is sent away.
    pub async fn run(mut self) {
        let mut gone = self.gone.clone();
        tokio::select! {
            _ = gone.wait_for(|gone| *gone) => {}
            _ = self.talk() => {}
        }
    }

    async fn talk(&mut self) -> Result<(), Over> {
        self.say("connecting", &greetings::CONNECTING);
        let refuses = |readiness: &Readiness| matches!(readiness, Readiness::Draining | Readiness::Stopped);
        if refuses(&self.live.app.readiness.borrow().clone()) {
            return self.server_stops().await;
        }
        let (arguments, resume) = self.wait_for_sign().await?;
        self.say("signing", &greetings::SIGNING);
        let key = self.find_key(&arguments);
        let heard = match &key {
            Some(key) => {
                let proof = credentials(&arguments).map(Credentials::proof).unwrap_or_default();
                self.live.limits.may_know(&key.voip, &proof, self.peer)
            }
            None => self.live.limits.wrong_key(self.peer),
        };
        if let Err(TooMany(wait)) = heard {
            let retry_after = wait.as_secs().max(1);
            let why = Bandwidth { said: greetings::TOO_MANY_WRONG_KEYS, limit: 0, current: 0, retry_after };
            return self.send_away("Bandwidth", &why).await;
        }
        let Some(key) = key else {
            return self.wrong_key().await;
        };
        if !key.allows(self.peer) {
            return self.send_away("connectionRefused", &greetings::ADDRESS_REFUSED).await;
        }
        let seat = match self.live.seats.sign(&key) {
            Ok(seat) => seat,
            Err(Taken { current }) => {
                let retry_after = self.live.app.settings.live.hello_within.as_secs().max(1);
                let said = greetings::TOO_MANY_SESSIONS;
                let why = Bandwidth { said, limit: key.socket_sessions, current, retry_after };
                return self.send_away("Bandwidth", &why).await;
            }
        };
        self.live.app.metrics.socket_sessions.inc();
        let over = self.listen(&arguments, resume, key, seat).await;
        self.live.app.metrics.socket_sessions.dec();
        over
    }

    /// The arguments of `sign`, and what came of a `resume` before it.
    async fn wait_for_sign(&mut self) -> Result<(Vec<Value>, Option<Result<Number, NoNumber>>), Over> {
        let mut resume = None;
        let deadline = Instant::now() + self.live.app.settings.live.sign_within;
        loop {
            tokio::select! {
                heard = self.heard.recv() => match heard {
                    Some(Heard::Sign(arguments)) => return Ok((arguments, resume)),
                    Some(Heard::Resume(number)) => resume = Some(number),
                    Some(Heard::Hello) => {}
                    None => return Err(Over),
                },
                () = tokio::time::sleep_until(deadline) => {
                    self.send_away("connectTimeout", &greetings::SIGN_LATE).await?;
                }
                () = self.live.app.stopped() => self.server_stops().await?,
            }
        }
    }

    /// The signed part of a session: greetings, then the story, for as long as the client says `hello`.
    async fn listen(
        &mut self,
        arguments: &[Value],
        resume: Option<Result<Number, NoNumber>>,
        key: Voip24hKey,
        mut seat: Seat,
    ) -> Result<(), Over> {
        let (story, head) = self.live.stories.open(key.tenant, Dialect::Voip24h);
        let mut place = Place { position: head, begun: None };
        let greeting = Placed { said: greetings::CONNECTED, number: head.to_string() };
        self.say("connected", &greeting);
        self.say("connection", &greeting);
        self.say("say", &greetings::SAY);
        let times = self.live.app.settings.live.clone();
        // What is told before a client asks for what it missed would come again, and before what came earlier.
        let mut may_resume = resume.is_none();
        let mut pause = may_resume.then(|| Instant::now() + times.resume_within);
        if let Some(number) = resume {
            place = self.resumed(number, &story, place);
        }

        let mut directory = self.live.app.directory.clone();
        let mut heard_at = Instant::now();
        let mut asked_again = false;
        loop {
            let patience = if asked_again { times.hello_within } else { times.say_again_after.min(times.hello_within) };
            tokio::select! {
                heard = self.heard.recv() => {
                    match heard {
                        Some(Heard::Hello) => (heard_at, asked_again) = (Instant::now(), false),
                        Some(Heard::Resume(number)) => place = self.resumed(number, &story, place),
                        Some(Heard::Sign(_)) => continue,
                        None => return Err(Over),
                    }
                    if std::mem::take(&mut may_resume) {
                        pause = None;
                    }
                }
                () = tokio::time::sleep_until(heard_at + patience) => {
                    if heard_at.elapsed() >= times.hello_within {
                        return self.send_away("connectEnd", &ConnectEnd::of(greetings::SILENT)).await;
                    }
                    self.say("say", &greetings::SAY);
                    asked_again = true;
                }
                () = seat.replaced() => {
                    return self.send_away("connectEnd", &ConnectEnd::of(greetings::REPLACED)).await;
                }
                () = self.live.app.stopped() => return self.server_stops().await,
                changed = directory.changed() => {
                    if changed.is_err() {
                        return self.server_stops().await;
                    }
                    if self.find_key(arguments).is_none_or(|now| now.tenant != key.tenant || !now.allows(self.peer)) {
                        return self.wrong_key().await;
                    }
                }
                () = due(&story, place.position, pause) => {
                    may_resume = false;
                    pause = self.tell(&story, &mut place, times.behind_pause).await;
                }
            }
        }
    }

    /// Goes back to what the client heard last. A number beyond the story's end stands for its end.
    fn resumed(&self, number: Result<Number, NoNumber>, story: &Story, place: Place) -> Place {
        let Ok(number) = number else {
            let number = place.position.to_string();
            self.say("resumed", &Placed { said: greetings::BAD_NUMBER, number });
            return place;
        };
        let (position, heard) = number.place();
        let end = story.head().max(place.position);
        let place = if position > end {
            Place { position: end, begun: None }
        } else {
            Place { position, begun: (heard > 0).then_some((number.position, heard)) }
        };
        self.say("resumed", &Placed { said: greetings::RESUMED, number: number.to_string() });
        place
    }

    /// Hands over what is told after the place. Gives the moment to go on at when the socket is full.
    async fn tell(&self, story: &Story, place: &mut Place, pause: Duration) -> Option<Instant> {
        let (told, head) = match story.after(place.position).await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(%error, "reading events for a live session");
                return Some(Instant::now() + pause.max(Duration::from_secs(1)));
            }
        };
        for event in told {
            let mut sent = place.begun.filter(|(position, _)| *position == event.position).map_or(0, |(_, sent)| sent);
            while let Some(packet) = event.packets.get(sent) {
                match self.live.wire.event(self.socket.id, packet) {
                    Ok(()) => {
                        sent += 1;
                        place.begun = Some((event.position, sent));
                        self.live.app.metrics.socket_events.inc();
                    }
                    Err(NotSent::Full) => {
                        self.live.app.metrics.socket_behind.inc();
                        return Some(Instant::now() + pause);
                    }
                    // Whoever has gone is told so by `gone`.
                    Err(NotSent::Gone) => return Some(Instant::now() + pause),
                }
            }
            *place = Place { position: event.position, begun: None };
        }
        *place = Place { position: head, begun: None };
        None
    }

    fn find_key(&self, arguments: &[Value]) -> Option<Voip24hKey> {
        let index = self.live.keys.now();
        match credentials(arguments)? {
            Credentials::Either(part) => index.voip24h_by_either(&part),
            Credentials::Both { voip, secret } => index.voip24h(&voip, &secret),
        }
    }

    /// An event `error` reaches the handlers of 4.x and of 2.x clients with all that there is to say. The ERROR packet after
    /// it is what the vendor's server sent, for 2.x clients in other languages that listen for the packet; 4.x clients would
    /// take it for a failed connect.
    async fn wrong_key(&self) -> Result<(), Over> {
        let said = greetings::KEY_INVALID;
        self.say("error", &said);
        if self.socket.protocol() == ProtocolVersion::V4 {
            let _ = self.live.wire.error(self.socket.id, said.message);
        }
        self.disconnect().await
    }

    async fn server_stops(&self) -> Result<(), Over> {
        self.send_away("disconnectedServer", &greetings::STOPPING).await
    }

    async fn send_away(&self, event: &str, why: &impl Serialize) -> Result<(), Over> {
        self.say(event, why);
        self.disconnect().await
    }

    /// Always `Over`. A full socket may still take the farewell once it has drained.
    async fn disconnect(&self) -> Result<(), Over> {
        for _ in 0..FAREWELLS {
            match self.socket.clone().disconnect() {
                Err(SocketError::InternalChannelFull) => {
                    tokio::time::sleep(self.live.app.settings.live.behind_pause).await;
                }
                _ => break,
            }
        }
        Err(Over)
    }

    /// Says something that is not part of the story. A client whose socket is full misses it.
    fn say(&self, event: &str, body: &impl Serialize) {
        let _ = self.live.wire.event(self.socket.id, &packet(event, body));
    }
}

/// Resolves when there is something to tell and the client may be given it.
async fn due(story: &Story, position: i64, pause: Option<Instant>) {
    if let Some(until) = pause {
        tokio::time::sleep_until(until).await;
    } else {
        story.changed(position).await;
    }
}

#[derive(PartialEq, Eq, Debug)]
enum Credentials {
    Either(String),
    Both { voip: String, secret: String },
}

impl Credentials {
    /// All that was shown to prove the key.
    fn proof(self) -> String {
        match self {
            Self::Either(proof) | Self::Both { secret: proof, .. } => proof,
        }
    }
}

/// One string (the public or the secret part), two strings, or an object with `voip`, `secret` or both.
fn credentials(arguments: &[Value]) -> Option<Credentials> {
    let text = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let (voip, secret) = match arguments.first()? {
        Value::Object(object) => {
            let named = |name: &str| {
                object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| text(value))
            };
            (named("voip"), named("secret"))
        }
        first => (text(first), arguments.get(1).and_then(text)),
    };
    match (voip, secret) {
        (Some(voip), Some(secret)) => Some(Credentials::Both { voip, secret }),
        (Some(part), None) | (None, Some(part)) => Some(Credentials::Either(part)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(arguments: Value, expected: Option<Credentials>) {
        let arguments = arguments.as_array().expect("a list").clone();
        assert_eq!(credentials(&arguments), expected, "{arguments:?}");
    }

    #[test]
    fn a_key_is_shown_as_one_string_two_or_an_object() {
        let both = || Some(Credentials::Both { voip: "VOIPKEY_DEMO".into(), secret: "SECRET_DEMO".into() });
        let either = || Some(Credentials::Either("SECRET_DEMO".into()));

        check(json!(["VOIPKEY_DEMO", "SECRET_DEMO"]), both());
        check(json!([{ "Voip": "VOIPKEY_DEMO", "SECRET": "SECRET_DEMO" }]), both());
        check(json!(["SECRET_DEMO"]), either());
        check(json!(["SECRET_DEMO", null]), either());
        check(json!([{ "secret": "SECRET_DEMO" }]), either());
    }

    #[test]
    fn anything_else_is_no_key() {
        for arguments in [json!([]), json!([""]), json!([1]), json!([null]), json!([["VOIPKEY_DEMO"]]), json!([{}])] {
            check(arguments, None);
        }
    }
}
