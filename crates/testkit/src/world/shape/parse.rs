//! Reads shapes.

use std::time::Duration;

use model::Strategy;

use model::{PlayedSound, RecordAction, TransferMode};

use super::{Given, Shape, Step, floor, queues};

/// Reads all shapes of a text.
pub fn parse_all(text: &str) -> Result<Vec<Shape>, String> {
    let mut shapes: Vec<Shape> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(title) = line.strip_prefix("== ") {
            let title = title.to_owned();
            shapes.push(Shape { title, givens: Vec::new(), steps: Vec::new(), story: String::new() });
            continue;
        }
        // What stands before the first shape is for people.
        let Some(shape) = shapes.last_mut() else { continue };
        take(shape, line).ok_or_else(|| format!("line {}: `{line}` is nothing that a shape knows", at + 1))?;
    }
    Ok(shapes)
}

fn take(shape: &mut Shape, line: &str) -> Option<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.split_first() {
        Some((&"given", rest)) => shape.givens.push(given(rest)?),
        Some((first, rest)) if shape.story.is_empty() && first.starts_with(|c: char| c.is_ascii_digit()) => {
            let at = Duration::try_from_secs_f64(first.parse().ok()?).ok()?;
            shape.steps.push((at, step(rest)?));
        }
        _ if shape.steps.is_empty() && !line.is_empty() => return None,
        _ => {
            shape.story.push_str(line);
            shape.story.push('\n');
        }
    }
    Some(())
}

fn given(words: &[&str]) -> Option<Given> {
    let own = |word: &str| word.to_owned();
    if let Some(setup) = floor::parse(words) {
        return Some(Given::Floor(setup));
    }
    if let Some(setup) = queues::parse(words) {
        return Some(Given::Queue(setup));
    }
    Some(match words {
        ["number", "reaches", to] => Given::NumberReaches(own(to)),
        ["number", "asks", "the", "crm"] => Given::NumberAsks,
        ["crm", "routes", "to", to] => Given::CrmRoutes(own(to)),
        ["crm", "fails"] => Given::CrmFails,
        ["crm", "is", "silent"] => Given::CrmSilent,
        ["crm", "takes", seconds, "seconds"] => {
            Given::CrmTakes(Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?)
        }
        [group, "has", "members", members @ ..] => Given::Members(own(group), members.iter().map(|m| own(m)).collect()),
        [group, "rings", "all"] => Given::Strategy(own(group), Strategy::RingAll),
        [group, "rings", "in", "order"] => Given::Strategy(own(group), Strategy::InOrder),
        [group, "rings", "the", "least", "recent"] => Given::Strategy(own(group), Strategy::LeastRecent),
        [who, "is", "silent"] => Given::Silent(own(who)),
        [who, "is", "offline"] => Given::Offline(own(who)),
        [who, "speaks", number, codec] => Given::Speaks(own(who), number.parse().ok()?, own(codec)),
        [who, "sends", "early", "sound"] => Given::EarlySound(own(who)),
        [who, "never", "acknowledges"] => Given::NeverAcks(own(who)),
        [who, "has", "two", "phones"] => Given::TwoPhones(own(who)),
        [who, "is", "recorded"] => Given::Recorded(own(who)),
        [who, "has", count, "lines"] => Given::Lines(own(who), count.parse().ok()?),
        [who, "rings", seconds, "seconds"] => Given::Rings(own(who), seconds.parse().ok()?),
        ["calls", "last", seconds, "seconds"] => Given::CallsLast(seconds.parse().ok()?),
        ["calls", "are", count] => Given::Calls(count.parse().ok()?),
        ["channels", "are", count] => Given::Channels(count.parse().ok()?),
        ["records", "cannot", "be", "stored"] => Given::Stalled,
        ["records", "are", "refused"] => Given::Refused,
        ["commits", "take", seconds, "seconds"] => {
            Given::CommitsTake(Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?)
        }
        ["nobody", "is", "rung", "back"] => Given::NoRingBack,
        [who, "does", "not", "ring"] => Given::NoRinging(own(who)),
        [who, "is", "behind", "a", "router"] => Given::Router(own(who)),
        [who, "is", "a", "second", "carrier"] => Given::SecondCarrier(own(who)),
        [who, "says", "cause", cause] => Given::Cause(own(who), cause.parse().ok()?),
        ["silence", "lasts", seconds, "seconds"] => Given::Silence(seconds.parse().ok()?),
        ["lost", title, "from", who] => Given::Lost(own(title), own(who)),
        ["late", by, title, "from", who] => {
            Given::Late(Duration::try_from_secs_f64(by.parse().ok()?).ok()?, own(title), own(who))
        }
        _ => return None,
    })
}

/// What a client orders of the newest call, or of the newest in which somebody takes part.
fn order(words: &[&str]) -> Option<Step> {
    if let Some((agent, action)) = queues::parse_order(words) {
        return Some(Step::Agent(agent, action));
    }
    let own = |word: &str| word.to_owned();
    let who = |words: &[&str]| words.first().map(|word| own(word));
    Some(match words {
        ["transfers", "to", to] => Step::Transfers(None, own(to), TransferMode::Blind),
        ["transfers", "to", to, "attended"] => Step::Transfers(None, own(to), TransferMode::Attended),
        ["transfers", who, "to", to] => Step::Transfers(Some(own(who)), own(to), TransferMode::Blind),
        ["transfers", who, "to", to, "attended"] => Step::Transfers(Some(own(who)), own(to), TransferMode::Attended),
        ["holds", rest @ ..] => Step::OrdersHold(who(rest)),
        ["starts", "recording"] => Step::OrdersRecording(RecordAction::Start),
        ["pauses", "recording"] => Step::OrdersRecording(RecordAction::Pause),
        ["resumes", "recording"] => Step::OrdersRecording(RecordAction::Resume),
        ["stops", "recording"] => Step::OrdersRecording(RecordAction::Stop),
        ["resumes", rest @ ..] => Step::OrdersResume(who(rest)),
        ["mutes", rest @ ..] => Step::OrdersMute(who(rest), true),
        ["unmutes", rest @ ..] => Step::OrdersMute(who(rest), false),
        ["presses", keys, "for", who] => Step::OrdersKeys(own(who), own(keys)),
        ["plays", what] => Step::OrdersSound(None, sound(what)?, None),
        ["plays", what, "to", who] => Step::OrdersSound(Some(own(who)), sound(what)?, None),
        ["plays", what, "to", who, "for", seconds, "seconds"] => {
            Step::OrdersSound(Some(own(who)), sound(what)?, Some(seconds.parse().ok()?))
        }
        _ => return None,
    })
}

fn sound(word: &str) -> Option<Option<PlayedSound>> {
    Some(match word {
        "music" => Some(PlayedSound::Music),
        "ringback" => Some(PlayedSound::Ringback),
        "busy" => Some(PlayedSound::Busy),
        "silence" => Some(PlayedSound::Silence),
        "nothing" => None,
        _ => return None,
    })
}

fn step(words: &[&str]) -> Option<Step> {
    let own = |word: &str| word.to_owned();
    Some(match words {
        ["crm", "dials", extension, number] => Step::Dials(own(extension), own(number)),
        ["crm", "orders", extension, number, "under", key] => Step::Orders(own(extension), own(number), own(key)),
        ["crm", "routes", "to", to] => Step::CrmRoutes(own(to)),
        ["crm", "answers", to] => Step::CrmAnswers(own(to)),
        ["number", "reaches", to] => Step::NumberReaches(own(to)),
        [who, "signs", "out"] => Step::SignsOut(own(who)),
        [who, "signs", "in"] => Step::SignsIn(own(who)),
        ["crm", "hangs", "up"] => Step::ClientHangsUp,
        ["crm", "hangs", "up", "the", "consultation"] => Step::EndsConsultation,
        ["crm", rest @ ..] => order(rest)?,
        ["switchboard", "drains"] => Step::Drains,
        ["switchboard", "ends", "all"] => Step::EndsAll,
        ["switchboard", "dies"] => Step::Dies,
        ["switchboard", "starts"] => Step::Starts,
        [who, "calls", number] => Step::Calls(own(who), own(number)),
        [who, "calls", number, "as", user] => Step::CallsAs(own(who), own(number), own(user)),
        [who, "answers"] => Step::Answers(own(who)),
        [who, "refuses", status] => Step::Refuses(own(who), status.parse().ok()?),
        [who, "hangs", "up"] => Step::HangsUp(own(who)),
        [who, "holds"] => Step::Holds(own(who)),
        [who, "resumes"] => Step::Resumes(own(who)),
        [who, "presses", key] => Step::Presses(own(who), key.chars().next()?),
        [who, "redirects", "to", whom] => Step::Redirects(own(who), own(whom)),
        [who, "refers", "to", whom] => Step::Refers(own(who), own(whom)),
        [who, "moves"] => Step::Moves(own(who)),
        ["router", "of", who, "restarts"] => Step::RouterRestarts(own(who)),
        [who, "vanishes"] => Step::Vanishes(own(who)),
        [who, "returns"] => Step::Returns(own(who)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_what_is_given_what_is_done_and_a_story() {
        let text = "For people.\n\n== A title\ngiven 102 is silent\n0.5 101 calls 102\n\ncall.started\n= a record\n";

        let shapes = parse_all(text).unwrap();

        assert_eq!(
            shapes,
            [Shape {
                title: "A title".into(),
                givens: vec![Given::Silent("102".into())],
                steps: vec![(Duration::from_millis(500), Step::Calls("101".into(), "102".into()))],
                story: "\ncall.started\n= a record\n".into(),
            }]
        );
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let error = parse_all("== A title\n0.5 101 sings\n").unwrap_err();

        assert_eq!(error, "line 2: `0.5 101 sings` is nothing that a shape knows");
    }
}
