//! Two handsets call each other over a link in memory, in virtual time.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{Flow, Transport};

use super::{Handset, Output, Voice};
use crate::ua::{Act, Behaviour, CallNo, Dial, EndedBy, Event, OrderError, UserAgentConfig};

#[test]
fn a_call_is_answered_and_each_hears_the_other() {
    let mut link = Link::new(Behaviour::answers(secs(2)));

    let call = link.calls();
    link.runs(secs(4));
    let heard = [link.heard(0, 850), link.heard(1, 400), link.heard(0, 400), link.heard(1, 850)];
    link.hangs_up(0, call);
    link.runs(secs(40));

    assert_eq!(heard, [true, true, false, false]);
    link.told(
        "
        0.0s 102 called by 101
        0.0s 101 ringing
        2.0s 102 answered
        2.0s 101 answered
        4.0s 101 ended by Us
        4.0s 102 ended by Them
        ",
    );
    link.is_quiet();
}

#[test]
fn what_comes_before_the_answer_is_heard() {
    let behaviour = Behaviour::by_hand().on_call(secs(1), Act::EarlyMedia).on_call(secs(3), Act::Answer);
    let mut link = Link::new(behaviour.then(secs(2), Act::HangUp));

    link.calls();
    link.runs(Duration::from_millis(2_500));
    let early = link.heard(0, 850);
    link.runs(secs(40));

    assert!(early);
    link.told(
        "
        0.0s 102 called by 101
        1.0s 101 heard early
        3.0s 102 answered
        3.0s 101 answered
        5.0s 102 ended by Us
        5.0s 101 ended by Them
        ",
    );
    link.is_quiet();
}

#[test]
fn a_refusal_arrives_with_its_status() {
    let mut link = Link::new(Behaviour::refuses(486, Duration::ZERO));

    link.calls();
    link.runs(secs(40));

    link.told(
        "
        0.0s 102 called by 101
        0.0s 102 declined 486
        0.0s 101 refused 486
        ",
    );
    link.is_quiet();
}

#[test]
fn a_refusal_may_take_its_time() {
    let mut link = Link::new(Behaviour::refuses(603, secs(3)));

    link.calls();
    link.runs(secs(40));

    link.told(
        "
        0.0s 102 called by 101
        0.0s 101 ringing
        3.0s 102 declined 603
        3.0s 101 refused 603
        ",
    );
}

#[test]
fn a_caller_who_gives_up_is_told_so() {
    let mut link = Link::new(Behaviour::never_answers());

    let call = link.calls();
    link.runs(secs(5));
    link.hangs_up(0, call);
    link.runs(secs(40));

    link.told(
        "
        0.0s 102 called by 101
        0.0s 101 ringing
        5.0s 101 refused 487
        5.0s 102 cancelled
        ",
    );
    link.is_quiet();
}

#[test]
fn a_caller_may_give_up_by_itself() {
    let mut link = Link::new(Behaviour::never_answers());
    let behaviour = Behaviour::by_hand().calling(secs(7), Act::HangUp);

    link.dials(Dial { behaviour: Some(behaviour), ..Dial::to("102") }).unwrap();
    link.runs(secs(40));

    link.told(
        "
        0.0s 102 called by 101
        0.0s 101 ringing
        7.0s 101 refused 487
        7.0s 102 cancelled
        ",
    );
}

#[test]
fn sound_stops_on_hold_and_returns() {
    let mut link = Link::new(Behaviour::answers(Duration::ZERO));
    let call = link.calls();
    link.runs(secs(3));

    link.order(0, |agent, now| agent.hold(now, call)).unwrap();
    link.runs(secs(3));
    let on_hold = [link.heard(0, 850), link.heard(1, 400)];
    link.order(0, |agent, now| agent.resume(now, call)).unwrap();
    link.runs(secs(3));
    let back = [link.heard(0, 850), link.heard(1, 400)];

    assert_eq!(on_hold, [false, false]);
    assert_eq!(back, [true, true]);
    link.told(
        "
        0.0s 102 called by 101
        0.0s 101 ringing
        0.0s 102 answered
        0.0s 101 answered
        3.0s 102 held
        3.0s 101 holds
        6.0s 102 taken back
        6.0s 101 takes back
        ",
    );
    assert_eq!(link.order(0, |agent, now| agent.resume(now, call)), Err(OrderError::NotNow));
}

#[test]
fn keys_are_heard_in_their_order() {
    let behaviour = Behaviour::answers(Duration::ZERO).then(secs(1), Act::Press('5')).then(secs(1), Act::Press('#'));
    let mut link = Link::new(behaviour);

    link.calls();
    link.runs(secs(3));

    assert_eq!(link.sides[0].ear(CallNo(1)).unwrap().keys(), "5#");
    link.told(
        "
        0.0s 102 called by 101
        0.0s 101 ringing
        0.0s 102 answered
        0.0s 101 answered
        1.0s 101 key 5
        1.3s 101 key #
        ",
    );
}

#[test]
fn a_number_has_its_own_behaviour_however_it_is_written() {
    let mut link = Link::new(Behaviour::refuses(404, Duration::ZERO));
    link.numbers(&[("0900000002", Behaviour::refuses(486, Duration::ZERO))]);

    for number in ["0900000002", "84900000002", "+84900000002", "0900000009"] {
        link.dials(Dial::to(number)).unwrap();
        link.runs(secs(1));
    }

    let refusals: Vec<u16> = link
        .events
        .iter()
        .filter_map(|(_, side, event)| match event {
            Event::Refused { status, .. } if *side == 0 => Some(*status),
            _ => None,
        })
        .collect();
    assert_eq!(refusals, [486, 486, 486, 404]);
}

#[test]
fn who_has_no_free_line_is_busy() {
    let mut link = Link::new(Behaviour::never_answers());
    for _ in 0..LINES {
        link.calls();
    }
    link.runs(secs(1));
    let extra = link.dials(Dial::to("102"));

    let refused = link.order(1, |agent, now| agent.call(now, "101"));
    link.runs(secs(1));

    assert_eq!(extra, Err(OrderError::NoLine));
    assert_eq!(refused, Err(OrderError::NoLine));
}

#[test]
fn a_phone_that_is_gone_is_noticed() {
    let mut link = Link::new(Behaviour::never_answers());
    link.cut = true;

    link.calls();
    link.runs(secs(40));

    link.told("32.0s 101 failed");
    link.is_quiet();
}

#[test]
fn what_others_ask_is_written_down() {
    let mut link = Link::new(Behaviour::answers(Duration::ZERO));

    let call = link.calls();
    link.runs(secs(1));
    link.hangs_up(0, call);
    link.runs(secs(1));

    let methods: Vec<String> =
        link.sides[1].agent().received().map(|received| format!("{:?} {}", received.method, received.user)).collect();
    assert_eq!(methods, ["Invite 102", "Ack 102", "Bye 102"]);
}

const LINES: u16 = 4;

/// How long the last moment is in which a tone has to be found.
const MOMENT: Duration = Duration::from_secs(1);

/// 101, who does nothing by itself and says 400 Hz, and 102, who behaves as told and says 850 Hz.
struct Link {
    start: Instant,
    now: Instant,
    sides: [Handset; 2],
    events: Vec<(Duration, usize, Event)>,
    /// Nothing arrives.
    cut: bool,
}

impl Link {
    fn new(behaviour: Behaviour) -> Self {
        let start = Instant::now();
        let by_hand = Behaviour::by_hand().says(Voice::Tone(400));
        let configs = [config(0, by_hand), config(1, behaviour.says(Voice::Tone(850)))];
        let mut seed = 0;
        let sides = configs.map(|config| {
            seed += 1;
            Handset::new(config, [seed; 32])
        });
        Self { start, now: start, sides, events: Vec::new(), cut: false }
    }

    fn numbers(&mut self, numbers: &[(&str, Behaviour)]) {
        let mut config = self.sides[1].agent().config().clone();
        config.numbers = numbers.iter().map(|(number, behaviour)| (number.to_string(), behaviour.clone())).collect();
        self.sides[1] = Handset::new(config, [9; 32]);
    }

    fn calls(&mut self) -> CallNo {
        self.dials(Dial::to("102")).unwrap()
    }

    fn dials(&mut self, dial: Dial) -> Result<CallNo, OrderError> {
        self.order(0, |agent, now| agent.dial(now, dial))
    }

    fn hangs_up(&mut self, side: usize, call: CallNo) {
        self.order(side, |agent, now| agent.hang_up(now, call)).unwrap();
    }

    fn order<T>(&mut self, side: usize, order: impl FnOnce(&mut crate::ua::UserAgent, Instant) -> T) -> T {
        let now = self.now;
        let done = self.sides[side].order(now, |agent| order(agent, now));
        self.deliver();
        done
    }

    fn runs(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.sides.iter().filter_map(Handset::poll_timeout).min().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            for side in &mut self.sides {
                side.handle_timeout(self.now);
            }
            self.deliver();
        }
        self.now = end;
    }

    fn deliver(&mut self) {
        while let Some((side, output)) = (0..2).find_map(|side| Some((side, self.sides[side].poll_output()?))) {
            let other = 1 - side;
            match output {
                Output::Event(event) => self.events.push((self.now - self.start, side, event)),
                _ if self.cut => {}
                Output::Sip { flow, bytes } => {
                    let back = Flow { remote: address(side), ..flow };
                    self.sides[other].handle_packet(self.now, back, bytes);
                }
                Output::Rtp { to, bytes, .. } => self.sides[other].handle_sound(self.now, to, &bytes),
            }
        }
    }

    fn heard(&self, side: usize, hertz: u16) -> bool {
        self.sides[side].heard(self.now, hertz, MOMENT)
    }

    #[track_caller]
    fn told(&self, expected: &str) {
        let mut told = String::new();
        for (at, side, event) in &self.events {
            let what = match event {
                Event::IncomingCall { from, .. } => format!("called by {from}"),
                Event::Ringing { .. } => "ringing".into(),
                Event::EarlyMedia { .. } => "heard early".into(),
                Event::Answered { .. } => "answered".into(),
                Event::Refused { status, .. } => format!("refused {status}"),
                Event::Declined { status, .. } => format!("declined {status}"),
                Event::Cancelled { .. } => "cancelled".into(),
                Event::Failed { .. } => "failed".into(),
                Event::Ended { by: by @ (EndedBy::Us | EndedBy::Them | EndedBy::Nobody), .. } => {
                    format!("ended by {by:?}")
                }
                Event::HeldBy { .. } => "held".into(),
                Event::ResumedBy { .. } => "taken back".into(),
                Event::Held { .. } => "holds".into(),
                Event::Resumed { .. } => "takes back".into(),
                Event::Key { key, .. } => format!("key {key}"),
                other => format!("{other:?}"),
            };
            writeln!(told, "{:.1}s {} {what}", at.as_secs_f64(), name(*side)).unwrap();
        }
        let expected: String =
            expected.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
        assert_eq!(told, expected, "\ntold:\n{told}");
    }

    #[track_caller]
    fn is_quiet(&mut self) {
        self.runs(secs(60));
        for side in &self.sides {
            assert_eq!(side.agent().calls().count(), 0);
            assert_eq!(side.agent().load(), sip::Load::default());
            assert_eq!(side.poll_timeout(), None);
        }
    }
}

fn config(side: usize, behaviour: Behaviour) -> UserAgentConfig {
    let sound = |line| SocketAddr::new(address(side).ip(), 4_000 + 2 * line);
    let server = Flow { transport: Transport::Udp, interface: 0, connection: 0, remote: address(1 - side) };
    let mut config = UserAgentConfig::new(name(side), address(side), server, sound(0));
    config.sound_addresses = (0..LINES).map(sound).collect();
    config.behaviour = behaviour;
    config
}

fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + side as u8], 5060))
}

fn name(side: usize) -> &'static str {
    ["101", "102"][side]
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
