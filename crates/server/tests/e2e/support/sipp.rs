//! SIPp (Debian's `sip-tester`) as phone and as carrier: scenarios put together from the pieces in `sipp/`.
//!
//! A scenario does what it says and nothing else; whatever comes unasked, or does not come, makes SIPp fail, and the test
//! with it. What SIPp hears goes to an [`Ear`](crate::support::sound::Ear) of the test, whose port it names in its SDP.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::tools::{self, until};

/// One call of SIPp, being written.
pub struct Scenario {
    text: String,
    user: String,
    password: String,
    number: String,
    /// What stands as port in the SDP.
    sound: String,
    /// CSeq of the INVITE that counts.
    cseq: u8,
}

impl Scenario {
    /// A phone or carrier that calls itself `user` and hears at `sound`.
    pub fn of(user: &str, sound: u16) -> Self {
        Self {
            text: String::new(),
            user: user.into(),
            password: format!("pw-{user}"),
            number: String::new(),
            sound: sound.to_string(),
            cseq: 1,
        }
    }

    /// The same, whose sound is SIPp's own: a file played, at a port that SIPp chooses.
    pub fn with_own_sound(mut self) -> Self {
        self.sound = "[rtpstream_audio_port]".into();
        self
    }

    /// The same with another password.
    pub fn password(mut self, password: &str) -> Self {
        self.password = password.into();
        self
    }

    /// Registers, and gets this status after it signed.
    pub fn registers(self, status: u16) -> Self {
        self.part(include_str!("sipp/register.xml"), &[("status", &status.to_string())])
    }

    /// Calls a number as a phone: with the challenge answered.
    pub fn calls(mut self, number: &str) -> Self {
        self.number = number.into();
        let authentication = "[authentication username={user} password={password}]";
        let mut signed = self
            .part(include_str!("sipp/invite.xml"), &[("authentication\n", "")])
            .part(include_str!("sipp/challenged.xml"), &[]);
        signed.cseq = 2;
        signed.part(include_str!("sipp/invite.xml"), &[("authentication", authentication)])
    }

    /// Calls a number as a carrier: without being challenged.
    pub fn calls_as_carrier(mut self, number: &str) -> Self {
        self.number = number.into();
        self.part(include_str!("sipp/invite.xml"), &[("authentication\n", "")])
    }

    /// Is answered.
    pub fn hears_answer(self) -> Self {
        self.part(include_str!("sipp/answered.xml"), &[])
    }

    /// Plays a file of A-law samples, without end.
    pub fn plays(self, file: &std::path::Path) -> Self {
        let action = format!(r#"  <nop><action><exec rtp_stream="{},-1,8"/></action></nop>"#, file.display());
        self.part(&format!("{action}\n"), &[])
    }

    /// Talks for so many milliseconds and hangs up, as whoever called.
    pub fn hangs_up_after(self, milliseconds: u32) -> Self {
        self.part(include_str!("sipp/hang_up.xml"), &[("talk", &milliseconds.to_string())])
    }

    /// Gets a refusal.
    pub fn hears_refusal(self, status: u16) -> Self {
        self.part(include_str!("sipp/refused.xml"), &[("status", &status.to_string())])
    }

    /// Gives up as soon as it rings.
    pub fn cancels(self) -> Self {
        self.part(include_str!("sipp/cancel.xml"), &[])
    }

    /// Waits for a call.
    pub fn waits_for_call(self) -> Self {
        self.part(include_str!("sipp/called.xml"), &[])
    }

    /// Rings.
    pub fn rings(self) -> Self {
        self.part(include_str!("sipp/ring.xml"), &[])
    }

    /// Answers.
    pub fn answers(self) -> Self {
        self.part(include_str!("sipp/answer.xml"), &[])
    }

    /// Refuses.
    pub fn refuses(self, status: u16) -> Self {
        self.part(include_str!("sipp/refuse.xml"), &[("status", &status.to_string())])
    }

    /// The caller gives up.
    pub fn hears_cancel(self) -> Self {
        self.part(include_str!("sipp/cancelled.xml"), &[])
    }

    /// Talks for so many milliseconds and hangs up, as whoever was called.
    pub fn answered_and_hangs_up_after(self, milliseconds: u32) -> Self {
        self.part(include_str!("sipp/hang_up_answered.xml"), &[("talk", &milliseconds.to_string())])
    }

    /// Waits until the other side hangs up.
    pub fn hears_bye(self) -> Self {
        self.part(include_str!("sipp/hung_up.xml"), &[])
    }

    fn part(mut self, text: &str, words: &[(&str, &str)]) -> Self {
        let mut text = text.to_owned();
        for (word, value) in words {
            // A line that says nothing is left out.
            text = match word.strip_suffix('\n') {
                Some(word) => text.replace(&format!("{{{word}}}\n"), value),
                None => text.replace(&format!("{{{word}}}"), value),
            };
        }
        let cseq = self.cseq.to_string();
        for (word, value) in [
            ("{user}", &self.user),
            ("{password}", &self.password),
            ("{number}", &self.number),
            ("{sound}", &self.sound),
            ("{cseq}", &cseq),
        ] {
            text = text.replace(word, value);
        }
        self.text.push_str(&text);
        self
    }
}

/// SIPp on its way through a scenario. Killed when dropped.
pub struct Sipp {
    child: Child,
    folder: tempfile::TempDir,
    /// Where it listens for SIP.
    pub address: SocketAddr,
}

impl Sipp {
    /// Starts it on a port of its own.
    pub fn start(server: SocketAddr, scenario: Scenario) -> Self {
        Self::start_at(tools::free_udp_address(), server, scenario, &[])
    }

    /// Starts it on a TCP connection.
    pub fn start_over_tcp(server: SocketAddr, scenario: Scenario) -> Self {
        Self::start_at(tools::free_udp_address(), server, scenario, &["-t", "t1"])
    }

    /// Starts it at an address, with further arguments.
    pub fn start_at(address: SocketAddr, server: SocketAddr, scenario: Scenario, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("scenario.xml");
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<scenario name=\"call\">\n{}</scenario>\n",
            scenario.text
        );
        std::fs::write(&file, text).expect("written");
        let log = |name: &str| folder.path().join(name).display().to_string();
        let mut command = Command::new("sipp");
        command
            .arg(server.to_string())
            .args(["-sf", &file.display().to_string()])
            .args(["-i", &address.ip().to_string(), "-p", &address.port().to_string(), "-bind_local"])
            .args(["-mi", &address.ip().to_string(), "-m", "1", "-nostdin"])
            .args(["-trace_err", "-error_file", &log("errors")])
            .args(["-trace_msg", "-message_file", &log("messages")])
            .args(["-trace_logs", "-log_file", &log("log")])
            .args(["-timeout", "40s", "-timeout_error"])
            // A busy machine is no reason to end.
            .args(["-watchdog_interval", "0"])
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = tools::spawn(&mut command, "sip-tester");
        let mut sipp = Self { child, folder, address };
        if !arguments.contains(&"t1") {
            until("SIPp listens", || sipp.is_listening());
        }
        sipp
    }

    /// Where the other side wants to get its sound, once SIPp has been told.
    pub fn sound_of_other_side(&self) -> SocketAddr {
        let log = self.folder.path().join("log");
        let port = until("an SDP came to SIPp", || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            text.lines().find_map(|line| line.strip_prefix("sound ")?.trim().parse().ok())
        });
        SocketAddr::new(self.address.ip(), port)
    }

    /// Waits until the scenario is over, which has to have gone as written.
    pub fn ends_well(&mut self) {
        let status = until("SIPp ends", || self.child.try_wait().expect("our child"));
        assert!(status.success(), "SIPp: {status}\n{}", self.story());
    }

    fn is_listening(&mut self) -> Option<()> {
        if let Some(status) = self.child.try_wait().expect("our child") {
            // A short scenario may be over already.
            assert!(status.success(), "SIPp: {status}\n{}", self.story());
            return Some(());
        }
        tools::is_udp_bound(self.address.port()).then_some(())
    }

    /// What it said, sent and received.
    fn story(&self) -> String {
        let mut story = String::new();
        for name in ["errors", "log", "messages"] {
            let path: PathBuf = self.folder.path().join(name);
            let _ = writeln!(story, "--- {name}\n{}", std::fs::read_to_string(path).unwrap_or_default());
        }
        story
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
