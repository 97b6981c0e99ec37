//! A request whose body does not come is answered after a while, in the words of whichever API was asked.

mod support;

use std::time::Duration;

use serde_json::Value;
use support::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408_in_each_apis_own_words_and_nothing_is_done() {
    let world = World::start_with(|settings| settings.body_within = Duration::from_millis(150)).await;
    let vendor = "voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&phone=0900000001";

    for (path, kind, begun) in [
        (&*format!("/dial?{vendor}"), "application/json", "{\"sip\":"),
        (&format!("/dial?{vendor}"), "application/x-www-form-urlencoded", "sip=101"),
        (&format!("/dial?{vendor}"), "multipart/form-data; boundary=x", "--x\r\nContent-Disp"),
        (&format!("/dial?{vendor}"), "application/json", ""),
        (&format!("/dial/history?{vendor}"), "application/json", "{"),
        ("/v1/calls", "application/json", "{\"from\":"),
        ("/v1/calls/1700000000.1000100/transfer", "application/json", "{"),
        ("/v1/provision", "application/yaml", "tenants:"),
        ("/v1/extensions", "application/json", "{\"number\":"),
    ] {
        let (head, body) = answer_to_a_part(&world, path, kind, begun).await;

        assert!(head.starts_with("HTTP/1.1 408 "), "{path} {kind}: {head}");
        assert!(head.to_ascii_lowercase().contains("connection: close"), "{head}");
        let sentence = "the body did not come within 0.15 s: send the request again";
        if path.starts_with("/v1") {
            assert!(head.contains("application/problem+json"), "{path}: {head}");
            assert_eq!((&body["code"], &body["detail"]), (&"body_late".into(), &sentence.into()), "{path}");
        } else {
            assert_eq!((&body["status"], &body["message"]), (&2000.into(), &sentence.into()), "{path} {kind}");
        }
    }
    assert!(world.switchboard.reached().is_empty(), "nothing was ordered");
    assert!(world.provisioner.applied.lock().expect("no panic").is_empty(), "nothing was applied");
}

/// Head and body of the answer to a request of whose body only the beginning is sent; the connection is closed after it.
async fn answer_to_a_part(world: &World, path: &str, kind: &str, begun: &str) -> (String, Value) {
    let token = if path == "/v1/provision" { support::ADMIN } else { "NATIVE_DEMO" };
    let mut stream = TcpStream::connect(world.address).await.expect("a connection");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: pbx.example.test\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n\
         Content-Length: 4000\r\n\r\n{begun}"
    );
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), read).await.expect("an answer in time").expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), serde_json::from_str(body).expect("JSON"))
}
