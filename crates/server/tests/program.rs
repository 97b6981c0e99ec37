//! The outside of the program: ready line, settings, provisioning, draining, exit statuses.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{SOON, Server, TENANT, ask_by_udp, error, options, run, tongdai};

#[test]
fn a_ready_server_says_where_it_is_and_answers_there() {
    let server = Server::start(TENANT, &[]);

    let by_udp = ask_by_udp(server.sip, |local| options("UDP", local, "a"));

    assert_eq!(server.ready, format!("ready http={} sip={}", server.http, server.sip));
    assert!(by_udp.starts_with("SIP/2.0 200 OK\r\n"), "{by_udp}");
    for path in ["/livez", "/readyz", "/readyz/"] {
        assert_eq!(server.get(path, None).0, 200, "{path}");
    }
}

#[test]
fn every_address_stands_in_the_ready_line() {
    let server = Server::start(TENANT, &["--http", "127.0.0.1:0", "--sip", "second=127.0.0.1:0"]);

    let words: Vec<_> =
        server.ready.split_whitespace().map(|word| word.split('=').next().unwrap_or_default()).collect();

    assert_eq!(words, ["ready", "http", "http", "sip", "sip"]);
    assert!(!server.ready.contains(":0 ") && !server.ready.ends_with(":0"), "{}", server.ready);
}

#[test]
fn messages_on_a_stream_are_answered_however_they_are_cut() {
    let server = Server::start(TENANT, &[]);
    let mut stream = connect(server.sip);
    let local = stream.local_addr().expect("bound");
    let both = format!("{}{}", options("TCP", local, "one"), options("TCP", local, "two"));
    let (head, tail) = both.split_at(40);

    stream.write_all(head.as_bytes()).expect("written");
    stream.write_all(tail.as_bytes()).expect("written");

    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    for call in ["Call-ID: one", "Call-ID: two"] {
        let head: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        assert_eq!(head[0], "SIP/2.0 200 OK");
        assert!(head.iter().any(|line| line == call), "{head:?}");
    }
}

#[test]
fn a_keep_alive_on_a_stream_gets_its_answer() {
    let server = Server::start(TENANT, &[]);
    let mut stream = connect(server.sip);

    stream.write_all(b"\r\n\r\n").expect("written");

    let mut pong = [0; 2];
    stream.read_exact(&mut pong).expect("a pong");
    assert_eq!(&pong, b"\r\n");
}

#[test]
fn a_stream_that_is_no_sip_is_closed() {
    let server = Server::start(TENANT, &[]);
    let mut stream = connect(server.sip);

    stream.write_all(&[b'x'; 20_000]).expect("written");

    // Closed, or reset because something was unread: there is nothing more to read either way.
    assert!(!stream.read(&mut [0; 1]).is_ok_and(|read| read > 0));
    assert!(ask_by_udp(server.sip, |local| options("UDP", local, "b")).starts_with("SIP/2.0 200"));
}

#[test]
fn sigterm_drains_and_the_exit_status_is_0() {
    let mut server = Server::start(TENANT, &[]);

    server.signal(libc::SIGTERM);

    assert_eq!(server.wait().code(), Some(0));
    assert!(TcpStream::connect(server.http).is_err());
}

#[test]
fn sigint_does_the_same() {
    let mut server = Server::start(TENANT, &[]);

    server.signal(libc::SIGINT);

    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn what_was_provisioned_and_the_token_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = Server::start_in(folder.path().join("data"), TENANT, &[]);
    let token = first.admin_token();
    first.signal(libc::SIGTERM);
    first.wait();

    let second = Server::start_in(folder.path().join("data"), "tenants: []\n", &[]);

    assert_eq!(second.admin_token(), token);
    let mode = std::fs::metadata(second.data.join("admin.token")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(second.get("/v1/events?after=0", Some("NATIVE_DEMO")).0, 200);
}

#[test]
fn provisioning_a_running_server_twice_changes_nothing_the_second_time() {
    let server = Server::start("tenants: []\n", &[]);
    let file = write(&server.data, "tenant.yaml", TENANT);

    let (first, second) = (provision(&server, &file), provision(&server, &file));

    assert_eq!((first.status.code(), second.status.code()), (Some(0), Some(0)), "{}", error(&first));
    assert!(!said(&first).starts_with("0 created, 0 updated"), "{}", said(&first));
    assert!(said(&second).starts_with("0 created, 0 updated, 0 deleted, "), "{}", said(&second));
    assert_eq!(server.get("/v1/events?after=0", Some("NATIVE_DEMO")).0, 200);
}

#[test]
fn a_wrong_provision_file_is_one_sentence_with_its_line_and_changes_nothing() {
    let server = Server::start(TENANT, &[]);
    let wrong = TENANT.replace("password: pw-102", "pasword: pw-102");
    let file = write(&server.data, "wrong.yaml", &wrong.replace("NATIVE_DEMO", "NATIVE_OTHER"));

    let output = provision(&server, &file);

    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).starts_with(&format!("tongdai: {file}:10: ")), "{}", error(&output));
    assert_eq!(error(&output).lines().count(), 1, "{}", error(&output));
    assert_eq!(server.get("/v1/events?after=0", Some("NATIVE_DEMO")).0, 200);
    assert_eq!(server.get("/v1/events?after=0", Some("NATIVE_OTHER")).0, 401);
}

#[test]
fn a_wrong_provision_file_at_start_makes_no_data_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "wrong.yaml", "tenants:\n  - name: VPBX_DEMO\n    colour: red\n");
    let data = folder.path().join("data").display().to_string();

    let output =
        run(&["serve", "--data-dir", &data, "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--provision", &file]);

    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).starts_with(&format!("tongdai: {file}:3: ")), "{}", error(&output));
    assert!(!Path::new(&data).exists());
}

#[test]
fn a_server_that_cannot_be_asked_is_said_in_one_sentence() {
    let server = Server::start(TENANT, &[]);
    let file = write(&server.data, "tenant.yaml", TENANT);
    let http = server.http.to_string();
    let nobody = TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("bound").to_string();

    let wrong_token = run(&["provision", &file, "--http", &http, "--admin-token", "ADMIN_WRONG"]);
    let no_server = run(&["provision", &file, "--http", &nobody, "--admin-token", "ADMIN_WRONG"]);
    let no_token = run(&["provision", &file, "--http", &http, "--data-dir", "/nowhere"]);
    let no_file = run(&["provision", "/nowhere/file.yaml", "--http", &http, "--admin-token", "ADMIN_WRONG"]);

    let statuses = [&wrong_token, &no_server, &no_token, &no_file].map(|output| output.status.code());
    assert_eq!(statuses, [Some(2), Some(1), Some(2), Some(2)]);
    for (output, remedy) in [
        (&wrong_token, "--admin-token"),
        (&no_server, "--http"),
        (&no_token, "--data-dir"),
        (&no_file, "name a provision file"),
    ] {
        assert_eq!(error(output).lines().count(), 1, "{}", error(output));
        assert!(error(output).contains(remedy), "{}", error(output));
    }
}

#[test]
fn a_taken_port_is_one_sentence_and_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let taken = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let sip = taken.local_addr().expect("bound").to_string();

    let output = run(&["serve", "--data-dir", &data, "--http", "127.0.0.1:0", "--sip", &sip]);

    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).starts_with(&format!("tongdai: --sip {sip}: ")), "{}", error(&output));
    assert_eq!(error(&output).lines().count(), 1);
    assert!(!Path::new(&data).exists());
}

#[test]
fn another_realm_than_the_stored_one_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start_in(folder.path().join("data"), TENANT, &[]);
    server.signal(libc::SIGTERM);
    server.wait();
    let data = server.data.display().to_string();

    let output =
        run(&["serve", "--data-dir", &data, "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--realm", "elsewhere"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("--realm tongdai"), "{}", error(&output));
}

#[test]
fn settings_come_from_flag_environment_and_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file =
        write(folder.path(), "tongdai.toml", "sip = \"127.0.0.1:0\"\nhttp = \"nonsense\"\nrealm = \"a realm\"\n");

    let output = tongdai()
        .args(["serve", "--config", &file, "--http", "127.0.0.1:0"])
        .env("TONGDAI_DATA_DIR", folder.path())
        .output()
        .expect("the program runs");

    // The flag has hidden the nonsense in the file; the realm is the first thing that is wrong.
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).starts_with(&format!("tongdai: {file}:3: realm = \"a realm\": ")), "{}", error(&output));
}

#[test]
fn help_and_version_are_answers_and_no_errors() {
    let (help, version) = (run(&["--help"]), run(&["--version"]));

    assert_eq!((help.status.code(), version.status.code()), (Some(0), Some(0)));
    assert!(said(&help).contains("--unlimited-from"));
    assert_eq!(said(&version), format!("tongdai {}", env!("CARGO_PKG_VERSION")));
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(SOON)).expect("set");
    stream
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("written");
    file.display().to_string()
}

fn provision(server: &Server, file: &str) -> std::process::Output {
    run(&["provision", file, "--http", &server.http.to_string(), "--data-dir", &server.data.display().to_string()])
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
