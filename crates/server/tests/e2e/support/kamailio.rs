//! Kamailio (from Debian) as a proxy between the switchboard and a carrier, which stays in the way of every call.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::tools::{self, until};

/// How it asks to stay in the way (RFC 3261, 16.6 step 4 and 16.12.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Routing {
    /// With `lr`: requests carry their target in the request line.
    Loose,
    /// Without: requests carry the proxy in the request line, and their target last among the routes.
    Strict,
}

/// A running Kamailio. Killed when dropped.
pub struct Kamailio {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Kamailio {
    /// Stands at `own`: what comes from the switchboard goes to the carrier, and the other way round.
    pub fn start(own: SocketAddr, switchboard: SocketAddr, carrier: SocketAddr, routing: Routing) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().display().to_string();
        let stay = match routing {
            Routing::Loose => "record_route();".to_owned(),
            Routing::Strict => format!("insert_hf(\"Record-Route: <sip:{own}>\\r\\n\", \"Via\");"),
        };
        let config = format!(
            r#"#!KAMAILIO
debug=2
log_stderror=yes
children=2
auto_aliases=no
disable_tcp=yes
listen=udp:{own}
mpath="{modules}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
request_route {{
  if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
    sl_send_reply("404", "No route");
    exit;
  }}
  t_check_trans();
  if (is_method("INVITE")) {{ {stay} }}
  if ($sp == {switchboard_port}) {{ $du = "sip:{carrier}"; }} else {{ $du = "sip:{switchboard}"; }}
  t_relay();
}}
"#,
            modules = modules().display(),
            switchboard_port = switchboard.port(),
        );
        let file = folder.path().join("kamailio.cfg");
        fs::write(&file, config).expect("written");
        let errors = File::create(folder.path().join("errors")).expect("made");
        let mut command = Command::new("kamailio");
        command
            .args(["-DD", "-E", "-m", "32", "-M", "4", "-w", &path, "-Y", &path, "-P", &format!("{path}/pid"), "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors);
        let child = tools::spawn(&mut command, "kamailio");
        until("kamailio listens", || tools::is_udp_bound(own.port()).then_some(()));
        Self { child, _folder: folder }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its children end with it when it is asked to; killed, it would leave them behind.
        // SAFETY: only numbers are passed; the child is ours and not waited for so far, so the id is its own.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGTERM) };
        let _ = self.child.wait();
    }
}

/// Where the distribution has its modules: among the libraries of the machine's kind.
fn modules() -> PathBuf {
    let kinds = fs::read_dir("/usr/lib").expect("libraries").filter_map(Result::ok).map(|entry| entry.path());
    let mut found = kinds.map(|folder| folder.join("kamailio/modules")).filter(|folder| folder.join("tm.so").is_file());
    found.next().expect("Kamailio's modules are missing: install the Debian package kamailio")
}
