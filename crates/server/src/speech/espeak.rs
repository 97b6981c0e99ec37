//! The program espeak-ng, a process for each text. It is under the GPL: it is never linked, only run where it is installed.

use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use api::Pending;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::{Driver, SpeechError, Words};
use crate::sounds::wav;

const PROGRAM: &str = "espeak-ng";
/// Words a minute at the usual speed.
const USUAL_SPEED: u32 = 175;
/// How long the program may run. A minute of speech takes it a tenth of a second.
const WITHIN: Duration = Duration::from_secs(15);

/// Speaks by the program.
pub struct Espeak;

impl Driver for Espeak {
    fn name(&self) -> &'static str {
        PROGRAM
    }

    fn speak<'a>(&'a self, words: &'a Words) -> Pending<'a, Result<Vec<i16>, SpeechError>> {
        Box::pin(run(PROGRAM, words))
    }
}

async fn run(program: &'static str, words: &Words) -> Result<Vec<i16>, SpeechError> {
    let failed = |what: &str, error: &dyn std::fmt::Display| SpeechError::Failed(format!("{what} {program}: {error}"));
    let file = tempfile::NamedTempFile::new().map_err(|error| failed("a file for", &error))?.into_temp_path();
    // What is said goes in by standard input, and cannot be an option.
    let mut child = Command::new(program)
        .args([
            "-v",
            &words.voice,
            "-s",
            &(USUAL_SPEED * u32::from(words.rate) / 100).to_string(),
            "-b",
            "1",
            "--stdin",
        ])
        .arg("-w")
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => SpeechError::NotInstalled(program),
            _ => failed("starting", &error),
        })?;
    let input = child.stdin.take();
    let talk = async {
        if let Some(mut input) = input {
            input.write_all(words.text.as_bytes()).await?;
            input.shutdown().await?;
        }
        child.wait_with_output().await
    };
    let late = |_| SpeechError::Failed(format!("{program} took longer than {} seconds", WITHIN.as_secs()));
    let output = timeout(WITHIN, talk).await.map_err(late)?.map_err(|error| failed("running", &error))?;
    if !output.status.success() {
        let said: String = String::from_utf8_lossy(&output.stderr).trim().chars().take(200).collect();
        return Err(failed("running", &format!("{} ({said})", output.status)));
    }
    let read = move || std::fs::read(&file).map_err(|error| error.to_string()).map(|file| wav::read(&file));
    let read = tokio::task::spawn_blocking(read).await.map_err(|error| failed("reading the sound of", &error))?;
    let samples = read.map_err(|error| failed("reading the sound of", &error))?;
    let samples = samples.map_err(|error| failed("reading the sound of", &error))?;
    if samples.is_empty() { Err(failed("running", &"it made no sound")) } else { Ok(samples) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Language;

    #[tokio::test]
    async fn both_languages_are_heard_and_more_words_take_longer() {
        for (language, voice, short, long) in [
            (Language::Vi, "vi", "Xin chào.", "Xin chào quý khách. Bấm một để gặp kinh doanh."),
            (Language::En, "en-us", "Hello.", "Hello and welcome. Press one for sales."),
        ] {
            let words = |text: &str| Words { language, voice: voice.into(), rate: 100, text: text.into() };

            let short = Espeak.speak(&words(short)).await.expect("installed by make test");
            let (words, slow) = (words(long), Words { rate: 60, ..words(long) });
            let long = Espeak.speak(&words).await.expect("installed by make test");
            let slow = Espeak.speak(&slow).await.expect("installed by make test");

            assert!((3_000..16_000).contains(&short.len()), "{voice}: {}", short.len());
            assert!(short.len() * 2 < long.len() && long.len() * 5 < slow.len() * 4, "{voice}");
            let energy = long.iter().map(|sample| i64::from(*sample).pow(2)).sum::<i64>() / long.len() as i64;
            assert!(energy > 250_000, "{voice}: {energy}");
        }
    }

    #[tokio::test]
    async fn a_text_is_no_option() {
        let text = "--version -w /nowhere";
        let words = Words { language: Language::En, voice: "en-us".into(), rate: 100, text: text.into() };

        assert!(Espeak.speak(&words).await.is_ok_and(|samples| samples.len() > 8_000));
    }

    #[tokio::test]
    async fn what_is_not_installed_and_what_fails_say_so() {
        let words = Words { language: Language::En, voice: "en-us".into(), rate: 100, text: "Hello".into() };

        let none = run("tongdai-no-such-program", &words).await.expect_err("nothing is there");
        let failed = run("false", &words).await.expect_err("it makes no sound");

        assert_eq!(none, SpeechError::NotInstalled("tongdai-no-such-program"));
        assert!(matches!(failed, SpeechError::Failed(_)), "{failed}");
    }
}
