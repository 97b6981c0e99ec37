//! The running server keeps to what its description says: schemathesis asks every operation, with good and bad requests.

use std::path::PathBuf;
use std::process::Command;

use crate::support::office::Office;
use crate::support::tools::free_udp_address;

/// How long it asks, in seconds.
const ASKS_FOR: &str = "45";
/// Whatever schemathesis knows to look for but two: that each bad request is refused (a `limit` of 5 000 counts as 1 000),
/// and that each good one is taken (an extension that is well written need not exist).
const NOT_CHECKED: &str = "negative_data_rejection,positive_data_acceptance";
/// A page that waits for an event would wait for a minute.
const SETTINGS: &str = "[parameters]\nwait = 0\n";
/// A WebSocket is no request; and whoever takes the tenant or its key away is known to nobody afterwards.
const LEFT_OUT: &[&str] = &["open_event_socket", "delete_tenant", "delete_key", "update_key"];

#[test]
fn every_answer_is_as_the_description_says() {
    let office = Office::start_with(free_udp_address(), &["--unlimited-from", "127.0.0.0/8"]);
    let folder = tempfile::tempdir().expect("a folder");
    let description = format!("http://{}/v1/openapi.json", office.server.http);
    std::fs::write(folder.path().join("settings.toml"), SETTINGS).expect("written");
    let mut command = Command::new(schemathesis());
    command.current_dir(folder.path()).env("HOME", folder.path());
    command.args(["--config-file", "settings.toml", "run", &description, "-H", "Authorization: Bearer NATIVE_DEMO"]);
    command.args(["--seed", "1", "--max-examples", "5", "--max-time", ASKS_FOR, "--request-timeout", "15"]);
    command.args(["--exclude-checks", NOT_CHECKED, "--no-shrink", "--warnings", "off"]);
    for left_out in LEFT_OUT {
        command.args(["--exclude-operation-id", left_out]);
    }

    let output = command.output().expect("schemathesis runs");

    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Test cases:"), "{said}");
}

fn schemathesis() -> PathBuf {
    let installed = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/schemathesis/bin/schemathesis"));
    assert!(installed.exists(), "schemathesis is missing: run `make tools-test`");
    installed
}
