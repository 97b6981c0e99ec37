//! A CRM on a socket of its own, that answers, fails, or says nothing.

use std::collections::VecDeque;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Answers in turn, and keeps what it was asked.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<(VecDeque<Answer>, Vec<String>)>>);

enum Answer {
    Says(u16, Vec<u8>),
    Nothing,
}

async fn crm(script: &Script) -> String {
    async fn answer(State(script): State<Script>, request: Request) -> Response {
        let answer = {
            let mut script = script.0.lock().expect("no panic");
            script.1.push(format!("{} {}", request.method(), request.uri()));
            script.0.pop_front()
        };
        match answer {
            Some(Answer::Says(status, body)) => {
                (axum::http::StatusCode::from_u16(status).expect("a status"), body).into_response()
            }
            Some(Answer::Nothing) => std::future::pending().await,
            None => "101".into_response(),
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let router = Router::new().fallback(answer).with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/route.php?action=GetRouting&secret_key=CRM%20DEMO")
}

impl Script {
    fn will(&self, answers: impl IntoIterator<Item = Answer>) {
        self.0.lock().expect("no panic").0.extend(answers);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic").1)
    }
}

fn says(status: u16, body: &str) -> Answer {
    Answer::Says(status, body.into())
}

fn asker() -> Crm {
    Crm::new(Outward::new().expect("clients"))
}

async fn ask(crm: &Crm, url: &str) -> Result<String, String> {
    crm.ask(TenantId(1), true, url, "84900000001", "842873088088", 5 * SECOND).await
}

#[test]
fn an_answer_is_text_or_json_in_any_wrapping() {
    for body in [
        "101",
        " 101\r\n",
        "\u{feff}101\n",
        "\"101\"",
        "\"101\"\n",
        r#"{"extension":"101"}"#,
        r#"{"Extension": 101}"#,
        "\u{feff} {\"extension\":\" 101 \"}\n",
        r#"{"extension":"","group":"101"}"#,
        r#"{"extension":null,"GROUP":"101"}"#,
        r#"{"action":"route","extension":"101","note":{"a":[1]}}"#,
    ] {
        assert_eq!(target(body.as_bytes()).as_deref(), Ok("101"), "{body:?}");
    }
    assert_eq!(target(b"007").as_deref(), Ok("007"), "a number is a text");
}

#[test]
fn an_answer_without_a_decision_is_told_from_garbage() {
    for body in [
        "",
        " \r\n",
        "\u{feff}",
        "null",
        "\"\"",
        "default",
        "{}",
        r#"{"action":"default"}"#,
        r#"{"Action":"DEFAULT","extension":"101"}"#,
    ] {
        assert_eq!(target(body.as_bytes()), Err("the CRM decided nothing".into()), "{body:?}");
    }
    for body in ["<html>", "101 102", "true", "[\"101\"]", "101.5", "\"a b\"", &"1".repeat(33), "10\n1"] {
        let why = "the CRM's answer is not the number of an extension or a group";
        assert_eq!(target(body.as_bytes()), Err(why.into()), "{body:?}");
    }
    assert!(target(&[0xff, 0xfe, b'1', 0]).is_err(), "UTF-16 is no answer");
}

#[tokio::test]
async fn the_crm_is_asked_by_get_with_its_own_query_kept() {
    let script = Script::default();
    let url = crm(&script).await;

    let answer = ask(&asker(), &url).await;

    assert_eq!(answer.as_deref(), Ok("101"));
    let expected = "GET /route.php?action=GetRouting&secret_key=CRM%20DEMO&phone=84900000001&did=842873088088";
    assert_eq!(script.asked(), [expected]);
}

#[tokio::test]
async fn a_failure_is_a_sentence_without_the_url() {
    let script = Script::default();
    let url = crm(&script).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let nobody = format!("http://{}/?secret=CRM_DEMO", closed.local_addr().expect("its address"));
    drop(closed);
    script.will([says(500, "101"), says(302, "101"), says(200, &" ".repeat(9_000)), says(404, "")]);

    let crm = asker();
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(ask(&crm, &url).await.expect_err("no decision"));
    }
    told.push(ask(&crm, &nobody).await.expect_err("nobody is there"));
    told.push(crm.ask(TenantId(1), false, &url, "84900000001", "84", SECOND).await.expect_err("a private address"));
    told.push(ask(&crm, "no url").await.expect_err("no url"));

    assert_eq!(told[0], "the CRM answered with status 500");
    assert_eq!(told[1], "the CRM answered with status 302", "redirects are not followed");
    assert_eq!(told[2], "the CRM's answer is too long to be a number");
    assert!(told[5].contains("private address"), "{}", told[5]);
    assert!(told.iter().all(|why| !why.contains("CRM_DEMO") && !why.contains("secret")), "{told:?}");
}

#[tokio::test]
async fn a_crm_that_says_nothing_is_waited_for_no_longer_than_it_may_think() {
    let script = Script::default();
    let url = crm(&script).await;
    script.will([Answer::Nothing]);
    let crm = asker();

    let answer = crm.ask(TenantId(1), true, &url, "84900000001", "84", Duration::from_millis(50)).await;

    assert_eq!(answer, Err("the CRM did not answer in time".into()));
    assert_eq!(ask(&crm, &url).await.as_deref(), Ok("101"), "and it is asked again");
}

#[tokio::test]
async fn a_url_that_failed_five_times_in_a_row_is_left_alone_and_then_asked_once() {
    let script = Script::default();
    let url = crm(&script).await;
    script.will((0..4).map(|_| says(500, "")).chain([says(200, "")]));
    script.will((0..6).map(|_| says(503, "")));
    let crm = asker();
    for _ in 0..10 {
        ask(&crm, &url).await.expect_err("it fails");
    }
    assert_eq!(script.asked().len(), 10, "an answer without a decision is no failure, and ends the row");

    let skipped = ask(&crm, &url).await.expect_err("left alone");
    assert!(skipped.contains("left alone"), "{skipped}");
    let other = crm.ask(TenantId(2), true, &url, "84900000001", "84", 5 * SECOND).await;
    assert_eq!(other, Err("the CRM answered with status 503".into()), "another tenant's route is its own");
    assert_eq!(script.asked().len(), 1);

    crm.rest(LEFT_ALONE);
    script.will([says(500, "")]);
    ask(&crm, &url).await.expect_err("it still fails");
    ask(&crm, &url).await.expect_err("left alone again");
    assert_eq!(script.asked().len(), 1, "one question found that out");

    crm.rest(LEFT_ALONE);
    assert_eq!(ask(&crm, &url).await.as_deref(), Ok("101"));
    assert_eq!(ask(&crm, &url).await.as_deref(), Ok("101"), "well again");
    assert!(crm.known().keys().all(|(tenant, _)| *tenant == TenantId(2)), "of what is well nothing is remembered");
}

#[tokio::test]
async fn a_slow_crm_takes_no_more_than_its_share() {
    let script = Script::default();
    let url = crm(&script).await;
    script.will((0..AT_ONCE_OF_ONE).map(|_| Answer::Nothing));
    let crm = asker();
    let waiting: Vec<_> = (0..AT_ONCE_OF_ONE)
        .map(|_| {
            let (crm, url) = (crm.clone(), url.clone());
            tokio::spawn(async move { ask(&crm, &url).await })
        })
        .collect();
    while crm.known().values().all(|it| it.under_way < AT_ONCE_OF_ONE) {
        tokio::task::yield_now().await;
    }

    let refused = ask(&crm, &url).await.expect_err("no room");

    assert_eq!(refused, "too many questions to this CRM are under way");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    for question in waiting {
        let _ = question.await;
    }
    assert!(crm.known().is_empty(), "whoever is not waited for leaves nothing behind");
}

impl Crm {
    /// As if so much time had gone by for every URL that is left alone.
    fn rest(&self, time: Duration) {
        for it in self.known().values_mut() {
            it.left_alone_until = it.left_alone_until.map(|until| until - time);
        }
    }
}
