//! Words are made once, kept, and made again where that is needed.

use std::sync::atomic::AtomicUsize;

use model::{FeatureCodes, Limits, NamedSound, Spoken, Switches, TenantId};

use super::*;

/// A tenant without anything.
pub fn tenant() -> TenantSettings {
    TenantSettings {
        id: TenantId(1),
        version: 1,
        name: "VPBX_DEMO".into(),
        display_name: "Demo company".into(),
        timezone: "Asia/Ho_Chi_Minh".into(),
        zone: jiff::tz::TimeZone::UTC,
        language: Language::Vi,
        country: "84".into(),
        digest: Vec::new(),
        extensions: BTreeMap::new(),
        trunks: Vec::new(),
        outbound: Vec::new(),
        numbers: BTreeMap::new(),
        groups: BTreeMap::new(),
        queues: BTreeMap::new(),
        menus: BTreeMap::new(),
        hours: BTreeMap::new(),
        sounds: BTreeMap::new(),
        clips: model::Clips::default(),
        music: None,
        announce_recording: None,
        parking: None,
        feature_codes: FeatureCodes::default(),
        limits: Limits {
            concurrent_calls: 1,
            calls_per_second: 1,
            destinations: Vec::new(),
            max_call_seconds: 1,
            silence_seconds: 1,
            daily_minutes: None,
        },
        switches: Switches { null_type_on_hangup: true, lower_case_states: false, feedback_md5_with_bars: true },
        transfer_ring_back: true,
    }
}

/// The same, with a sound that is spoken.
fn saying(words: &str) -> TenantSettings {
    let say = Some(Spoken { vi: words.into(), en: words.into() });
    TenantSettings { sounds: [("a".into(), NamedSound { name: "a".into(), say })].into(), ..tenant() }
}

/// Says everything as one sample a letter; what begins with `never` it never finishes, and `no` it cannot say.
#[derive(Clone, Default)]
struct Fake {
    said: Arc<AtomicUsize>,
    at_once: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
    is_broken: Arc<AtomicBool>,
}

impl Driver for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn speak<'a>(&'a self, words: &'a Words) -> Pending<'a, Result<Vec<i16>, SpeechError>> {
        Box::pin(async move {
            self.said.fetch_add(1, Ordering::Relaxed);
            let now = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
            self.most_at_once.fetch_max(now, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if words.text.starts_with("never") {
                std::future::pending::<()>().await;
            }
            self.at_once.fetch_sub(1, Ordering::Relaxed);
            match self.is_broken.load(Ordering::Relaxed) {
                true => Err(SpeechError::Failed("it is broken".into())),
                false => Ok(vec![100; words.text.len()]),
            }
        })
    }
}

fn speech(driver: &Fake, folder: &std::path::Path) -> Speech {
    let voices = [(Language::Vi, "vi".to_owned()), (Language::En, "en".to_owned())].into();
    Speech::with(Some(Box::new(driver.clone())), voices, 100, folder.to_owned())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[tokio::test]
async fn everything_is_made_once_and_comes_from_the_disk_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (fake, settings) = (Fake::default(), saying("Xin chào"));
    let words = settings.words().len();

    let first = speech(&fake, folder.path());
    let made = first.clips(&settings, soon()).await;
    let again = first.clips(&settings, soon()).await;
    let after_restart = speech(&fake, folder.path()).clips(&settings, soon()).await;

    assert_eq!((made.len(), fake.said.load(Ordering::Relaxed)), (words, words));
    assert_eq!(made, again, "the same samples in the same place");
    assert!(made.iter().all(|(text, clip)| after_restart[text].samples() == clip.samples()));
    assert!(fake.most_at_once.load(Ordering::Relaxed) <= AT_ONCE);
}

#[tokio::test]
async fn a_broken_file_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (fake, settings) = (Fake::default(), saying("Xin chào"));
    let made = speech(&fake, folder.path()).clips(&settings, soon()).await;
    let said = fake.said.load(Ordering::Relaxed);
    let file = std::fs::read_dir(folder.path()).expect("a folder").flatten().next().expect("a file").path();
    std::fs::write(&file, b"RIFF").expect("written");

    let again = speech(&fake, folder.path()).clips(&settings, soon()).await;

    assert_eq!((again.len(), fake.said.load(Ordering::Relaxed)), (made.len(), said + 1));
    assert!(std::fs::metadata(&file).expect("it is there").len() > 44);
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_does_not_hold_up_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let (fake, settings) = (Fake::default(), saying("never"));
    let speech = speech(&fake, folder.path());
    let begun = Instant::now();

    let ready = speech.clips(&settings, begun + Duration::from_secs(1)).await;

    assert!(begun.elapsed() >= Duration::from_secs(1) && begun.elapsed() < Duration::from_secs(2));
    assert_eq!(ready.len(), settings.words().len() - 1);
    assert!(!ready.contains_key("never"));
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_tried_again_later_and_not_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (fake, settings) = (Fake::default(), saying("Xin chào"));
    let speech = speech(&fake, folder.path());
    fake.is_broken.store(true, Ordering::Relaxed);
    assert!(speech.clips(&settings, soon()).await.is_empty());
    let tried = fake.said.load(Ordering::Relaxed);
    fake.is_broken.store(false, Ordering::Relaxed);

    let at_once = speech.clips(&settings, soon()).await;
    tokio::time::advance(AGAIN_AFTER).await;
    let later = speech.clips(&settings, soon()).await;

    assert!(at_once.is_empty());
    assert_eq!((later.len(), fake.said.load(Ordering::Relaxed)), (tried, tried * 2));
}

#[tokio::test]
async fn tenants_share_what_both_say_and_what_nobody_says_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let speech = speech(&Fake::default(), folder.path());
    let (mut one, mut two) = (saying("Xin chào"), saying("Tạm biệt"));

    one.clips.words = speech.clips(&one, soon()).await;
    two.clips.words = speech.clips(&two, soon()).await;
    speech.keep_for([&two].into_iter());

    let shared = model::Phrase::Done.words(Language::Vi);
    assert_eq!(one.clips.words[&shared], two.clips.words[&shared], "the same samples in the same place");
    assert_ne!(one.clips.words, two.clips.words);
    let kept: Vec<String> = speech.0.table().clips.keys().map(|(_, text)| text.clone()).collect();
    assert!(kept.contains(&"Tạm biệt".to_owned()) && !kept.contains(&"Xin chào".to_owned()));
}

#[tokio::test]
async fn a_service_is_asked_for_our_sound_and_its_answer_is_played() {
    let service = testkit::speech::Service::start();
    let key = Some(SpeechKey("SPEECHKEY_DEMO".into()));
    let settings = SpeechSettings {
        driver: SpeechDriver::Http { url: service.url(), key },
        voices: [(Language::Vi, "vi-VN-Standard-A".to_owned())].into(),
        rate: 120,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let tenant = saying("Xin chào");

    let speech = Speech::new(&settings, folder.path().to_owned()).expect("it is right");
    let clips = speech.clips(&tenant, soon()).await;

    let asked = service.asked();
    let asked = asked.iter().find(|asked| asked.body["input"]["text"] == "Xin chào").expect("it was asked");
    assert_eq!(asked.key.as_deref(), Some("SPEECHKEY_DEMO"));
    assert_eq!(
        (&asked.body["voice"], &asked.body["audioConfig"]["audioEncoding"]),
        (&serde_json::json!({"languageCode": "vi-VN", "name": "vi-VN-Standard-A"}), &serde_json::json!("LINEAR16"))
    );
    assert_eq!(asked.body["audioConfig"]["sampleRateHertz"], 8_000);
    assert_eq!(clips["Xin chào"].samples(), testkit::speech::sound_of("Xin chào"));
}

#[tokio::test]
async fn what_a_service_refuses_or_garbles_is_no_prompt() {
    let folder = tempfile::tempdir().expect("a folder");
    for answer in [
        "HTTP/1.1 403 Forbidden\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n{\"audioContent\":\"!\"}",
        "",
        "HTTP/1.1 200 OK\r\n\r\n[]",
    ] {
        let service = testkit::speech::Service::that_answers(answer);
        let driver = SpeechDriver::Http { url: service.url(), key: None };
        let settings = SpeechSettings { driver, voices: BTreeMap::new(), rate: 100 };

        let speech = Speech::new(&settings, folder.path().to_owned()).expect("it is right");
        let clips = speech.clips(&tenant(), soon()).await;

        assert!(clips.is_empty(), "{answer:?}");
        assert!(!service.asked().is_empty());
    }
}
