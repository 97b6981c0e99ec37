//! The documents page of vendor V, and its samples run as they stand: curl, PHP, C#, JavaScript, Python.

mod support;

use std::path::Path;
use std::process::Stdio;

use model::{Reason, Reply, Timestamp};
use reqwest::Method;
use serde_json::Value;
use support::story::ToldCall;
use support::{World, call, json};
use tokio::process::Command;

const KEY: &str = "/documents?voip=VOIPKEY_DEMO";

#[tokio::test]
async fn a_stranger_with_the_public_key_sees_neither_key_nor_hook() {
    let world = World::start().await;
    add_hook(&world).await;

    for lang in ["", "&lang=vi", "&LANG=EN"] {
        let answer = world.bare(Method::GET, &format!("{KEY}{lang}")).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &html_type()));
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(answer.headers().contains_key("content-security-policy"));
        let page = answer.text().await.expect("text");

        for secret in ["VOIPKEY_DEMO", "SECRET_DEMO", "HIDDEN", "whsec_", "/hook.php"] {
            assert!(!page.contains(secret), "{secret} is shown");
        }
        for shown in ["https://crm.example.test/…", "/dial/search", "sip_transfer", "YOUR_VOIP_KEY"] {
            assert!(page.contains(shown), "{shown} is missing");
        }
        let base = format!("http://{}", world.address);
        assert!(page.contains(&base) && !page.contains("http://SERVER"), "the tenant's own address");
        let english = page.contains("<html lang=\"en\">") && page.contains("Calls at once");
        assert_eq!(english, lang == "&LANG=EN", "{lang}");
        for elsewhere in ["<script", "src=", "@import", "url(", "<link"] {
            assert!(!page.contains(elsewhere), "{elsewhere}: nothing is loaded");
        }
    }
}

#[tokio::test]
async fn whoever_is_signed_in_sees_the_key_and_samples_that_run() {
    let world = World::start().await;
    add_hook(&world).await;
    let page =
        async |request: reqwest::RequestBuilder| request.send().await.expect("an answer").text().await.expect("text");

    let by_secret = page(world.bare(Method::POST, KEY).form(&[("secret", "SECRET_DEMO")])).await;
    let by_token = page(world.get(KEY)).await;
    let wrong = page(world.bare(Method::POST, KEY).form(&[("secret", "WRONG")])).await;
    let of_another = page(world.with("NATIVE_OTHER", Method::GET, KEY)).await;

    assert!(by_secret.contains("VOIPKEY_DEMO") && by_secret.contains("SECRET_DEMO"));
    assert!(by_secret.contains("https://crm.example.test/hook.php?secret_key=…"));
    assert!(by_token.contains("VOIPKEY_DEMO") && !by_token.contains("SECRET_DEMO"));
    for page in [by_secret, by_token, wrong.clone(), of_another.clone()] {
        assert!(!page.contains("HIDDEN") && !page.contains("whsec_"), "a hook's secrets are shown to nobody");
    }
    assert!(!wrong.contains("VOIPKEY_DEMO") && wrong.contains("role=\"alert\""));
    assert!(!of_another.contains("VOIPKEY_DEMO"));
}

#[tokio::test]
async fn an_unknown_key_has_no_documents() {
    let world = World::start().await;

    for path in ["/documents", "/documents/?voip=", "/documents?voip=NOBODY", "/documents?voip=SECRET_DEMO"] {
        let answer = world.bare(Method::GET, path).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (404, &html_type()), "{path}");
        let joint = if path.contains('?') { '&' } else { '?' };
        let (status, answer) = json(world.bare(Method::GET, &format!("{path}{joint}format=json"))).await;
        assert_eq!((status, &answer["status"]), (404, &2000.into()), "{path}");
    }
}

#[tokio::test]
async fn the_documents_for_machines_say_the_same() {
    let world = World::start().await;
    add_hook(&world).await;

    let (status, stranger) = json(world.bare(Method::GET, &format!("{KEY}&format=json"))).await;
    let (_, own) = json(world.bare(Method::GET, &format!("{KEY}&secret=SECRET_DEMO&Format=JSON"))).await;

    let mut keys: Vec<_> = stranger.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = ["addresses", "endpoints", "hooks", "limits", "message", "samples", "signed_in", "status", "voip"];
    assert_eq!((status, keys.as_slice()), (200, expected.as_slice()));
    assert_eq!((&stranger["voip"], &own["voip"]), (&"VO•••O".into(), &"VOIPKEY_DEMO".into()));
    assert_eq!((&stranger["signed_in"], &own["signed_in"]), (&false.into(), &true.into()));
    assert_eq!(own["limits"]["socket_sessions"], 20);
    assert_eq!(own["limits"]["timezone"], "Asia/Ho_Chi_Minh");
    assert!(own["limits"]["concurrent_calls"].is_u64(), "{}", own["limits"]);
    assert_eq!(own["addresses"]["base_url"], format!("http://{}", world.address));
    assert_eq!(own["hooks"][0]["kind"], "events");
}

#[tokio::test]
async fn every_path_of_the_page_is_there_and_knows_its_required_parameters() {
    let world = World::start().await;
    let (_, page) = json(world.bare(Method::GET, &format!("{KEY}&format=json"))).await;

    for endpoint in page["endpoints"].as_array().expect("a list") {
        let path = endpoint["path"].as_str().expect("a path");
        let required = endpoint["parameters"].as_array().expect("a list").iter().filter(|it| it["required"] == true);
        let first = required.clone().next().and_then(|it| it["name"].as_str()).expect("one at least");
        let (_, answer) = json(world.bare(Method::GET, &format!("{path}?format=json"))).await;
        let message = answer["message"]["message"].as_str().or(answer["message"].as_str()).expect("a sentence");
        assert_eq!(message, format!("{first} is required"), "{path}");
    }
}

#[tokio::test]
async fn the_samples_run_as_they_are_copied() {
    let world = World::start().await;
    let now = Timestamp::now();
    let mut expected = vec![format!("call {} Ring", call(99))];
    for nth in (1..=30).rev() {
        let at = Timestamp::from_second(now.as_second() - 1_000 + i64::from(nth)).expect("a moment");
        let mut told = ToldCall::new(&world.writer, world.demo, call(nth), at);
        told.inbound("0900000001").ringing(2).connected(2, 2, 1).after(5_000).ended(Reason::HungUp, 200);
        expected.push(format!("{} inbound 0900000001 101 ANSWERED 5", call(nth)));
    }
    let mut live = ToldCall::new(&world.writer, world.demo, call(99), now);
    live.click("0900000001").ringing(1);
    world.writer.flush().await;
    expected.push("hang up Success".to_owned());
    let (_, page) = json(world.bare(Method::GET, &format!("{KEY}&secret=SECRET_DEMO&format=json"))).await;
    let folder = tempfile::tempdir().expect("a folder");
    for sample in page["samples"].as_array().expect("samples") {
        let text = sample["text"].as_str().expect("text");
        std::fs::write(folder.path().join(sample["file"].as_str().expect("a name")), text).expect("it is written");
    }

    for (file, program) in [
        ("call.sh", &["sh", "call.sh"][..]),
        ("call.php", &["php", "call.php"]),
        ("call.js", &["node", "call.js"]),
        ("call.py", &["python3", "call.py"]),
        ("Call.cs", &["mono", "Call.exe"]),
    ] {
        if file == "Call.cs" {
            run(folder.path(), &["mcs", "-r:System.Net.Http", "-r:System.Web.Extensions", file]).await;
        }
        world.switchboard.will_ring(call(99));
        world.switchboard.will(Ok(Reply::HungUp { call: call(99) }));

        let said = run(folder.path(), program).await;

        assert_eq!(world.switchboard.reached().len(), 2, "{file} orders a call and its end");
        if file == "call.sh" {
            check_plain(&said);
        } else {
            assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{file}");
        }
    }
}

#[tokio::test]
async fn the_samples_say_why_a_call_does_not_ring() {
    let world = World::start().await;
    let (_, page) = json(world.bare(Method::GET, &format!("{KEY}&secret=SECRET_DEMO&format=json"))).await;
    let folder = tempfile::tempdir().expect("a folder");
    for sample in page["samples"].as_array().expect("samples") {
        let text = sample["text"].as_str().expect("text").replace("SECRET_DEMO", "WRONG");
        std::fs::write(folder.path().join(sample["file"].as_str().expect("a name")), text).expect("it is written");
    }

    for program in [["php", "call.php"], ["node", "call.js"], ["python3", "call.py"]] {
        let output = start(folder.path(), &program).output().await.expect("it runs");

        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.trim()), (Some(1), "Failed: voip or secret is invalid"), "{program:?}");
    }
    assert!(world.switchboard.reached().is_empty());
}

/// curl shows the answers as they come.
fn check_plain(said: &str) {
    let answers: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [dialled, found, over] = answers.as_slice() else { panic!("three answers: {said}") };
    assert_eq!((&dialled["call_status"], &dialled["callid"]), (&"Success".into(), &call(99).to_string().into()));
    assert_eq!((&found["result"]["recordsTotalAll"], &found["result"]["recordsDisplay"]), (&30.into(), &25.into()));
    assert_eq!(over["call_status"], "Success");
}

async fn run(folder: &Path, program: &[&str]) -> String {
    let output = start(folder, program).output().await.unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program:?}: {said}{wrong}");
    said.into_owned()
}

fn start(folder: &Path, program: &[&str]) -> Command {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// The demo tenant has a hook whose URL holds a secret.
async fn add_hook(world: &World) {
    let file = "
tenants:
  - name: VPBX_DEMO
    webhooks:
      - { kind: events, url: 'https://crm.example.test/hook.php?secret_key=HIDDEN' }
";
    let provision = store::provision::parse(file).expect("the file is right");
    world.store.settings().apply(provision, false).await.expect("it is applied");
}

fn html_type() -> reqwest::header::HeaderValue {
    reqwest::header::HeaderValue::from_static("text/html; charset=utf-8")
}
