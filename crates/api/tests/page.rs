//! The examples of `docs/api.md` run as they stand.

mod support;

use model::{CallId, EngineNumber, Reply, Timestamp};
use support::World;
use support::story::{ToldCall, wav};

#[tokio::test]
async fn every_example_of_the_page_runs() {
    let world = World::start().await;
    let shown = CallId::new(1_700_000_000, EngineNumber(1), 101);
    let mut told = ToldCall::new(&world.writer, world.demo, shown, Timestamp::now());
    told.inbound("0900000001").ringing(2).connected(2, 2, 1).recording("a.wav", true);
    std::fs::write(world.recordings().join("a.wav"), wav()).expect("a recording");
    world.writer.flush().await;
    // In the order of the page: a call, a hold, a transfer.
    world.switchboard.will_ring(support::call(1));
    world.switchboard.will(Ok(Reply::Done { call: shown }));
    world.switchboard.will(Ok(Reply::Transferring { call: shown, consultation: Some(support::call(2)) }));
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join(".curlrc"), "fail\nsilent\nshow-error\nmax-time = 20\n").expect("settings of curl");

    let examples = examples();
    for example in &examples {
        let output = tokio::process::Command::new("sh")
            .args(["-e", "-c", example])
            .env("HOME", home.path())
            .env("CURL_HOME", home.path())
            .env("TONGDAI", world.url(""))
            .env("TOKEN", "NATIVE_DEMO")
            .output()
            .await
            .expect("a shell");

        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{example}\n{said}{complained}");
        assert!(said.contains('{'), "{example}\n{said}{complained}");
    }

    assert!(examples.len() >= 10, "the page has examples");
    assert_eq!(world.switchboard.reached().len(), 3, "orders reach the switchboard");
}

fn examples() -> Vec<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md")).expect("the page");
    page.split("```sh\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}
