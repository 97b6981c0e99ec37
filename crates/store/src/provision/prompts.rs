//! What is spoken or played: words in two languages, sounds, and the hours by which calls are routed.

use model::{Holiday, Hours, NamedSound, OpenHours, Prompt, Spoken};

use super::floor::Named;
use super::section::{Section, long_text_of, text_of};
use super::shown::shown;
use super::words::short_name;
use super::yaml::Node;
use super::{Lined, ProvisionError, Reference, wrong};

/// The longest prompt, in bytes.
const MOST_SPOKEN: usize = 4_000;

/// Words in one or both languages; one stands for the other where that is left out.
pub(super) fn spoken(node: Node, key: &str) -> Result<Spoken, ProvisionError> {
    let line = node.line;
    let mut section = Section::of(node, "what is spoken", &["vi", "en"])?;
    let mut language = |language: &str| -> Result<Option<String>, ProvisionError> {
        let text = section.take(language).map(|node| long_text_of(node, language, MOST_SPOKEN)).transpose()?;
        Ok(text.map(|text| text.value.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    let (vi, en) = (language("vi")?, language("en")?);
    match (vi.clone().or(en.clone()), en.or(vi)) {
        (Some(vi), Some(en)) => Ok(Spoken { vi, en }),
        _ => Err(wrong(line, format!("`{key}` says nothing: write `vi`, `en` or both"))),
    }
}

/// `{ say: { vi: …, en: … } }` or `{ sound: welcome }`.
pub(super) fn prompt(node: Node, key: &str, named: &mut Named) -> Result<Prompt, ProvisionError> {
    let line = node.line;
    let mut section = Section::of(node, "a prompt", &["say", "sound"])?;
    within(&mut section, named)?.ok_or_else(|| {
        let sentence = format!("`{key}` plays nothing: write `say` with words, or `sound` with the name of one");
        wrong(line, sentence)
    })
}

/// A prompt whose keys stand among others.
pub(super) fn within(section: &mut Section, named: &mut Named) -> Result<Option<Prompt>, ProvisionError> {
    let line = section.line_of("sound");
    match (section.take("say"), sound(section, "sound", named)?) {
        (Some(_), Some(_)) => Err(wrong(line, "`say` and `sound` cannot both be played: remove one of the two")),
        (Some(words), None) => spoken(words, "say").map(|spoken| Some(Prompt::Say(spoken))),
        (None, name) => Ok(name.map(Prompt::Sound)),
    }
}

/// The name of one of `sounds`.
pub(super) fn sound(section: &mut Section, key: &str, named: &mut Named) -> Result<Option<String>, ProvisionError> {
    let Some(name) = section.text(key)? else { return Ok(None) };
    named.push(Lined { line: name.line, value: Reference::Sound(name.value.clone()) });
    Ok(Some(name.value))
}

/// One of `sounds`.
pub(super) fn named_sound(node: Node) -> Result<Lined<NamedSound>, ProvisionError> {
    let mut section = Section::of(node, "a sound", &["name", "say"])?;
    let name = section.need_text("name")?;
    short_name(&name, "a sound")?;
    let say = section.take("say").map(|node| spoken(node, "say")).transpose()?;
    Ok(Lined { line: section.line, value: NamedSound { name: name.value, say } })
}

/// One of `hours`.
pub(super) fn hours(node: Node) -> Result<Lined<Hours>, ProvisionError> {
    let mut section = Section::of(node, "hours", &["name", "open", "holidays"])?;
    let name = section.need_text("name")?;
    short_name(&name, "hours")?;
    let hours = Hours {
        name: name.value,
        open: all(&mut section, "open", str::parse::<OpenHours>)?,
        holidays: all(&mut section, "holidays", str::parse::<Holiday>)?,
    };
    Ok(Lined { line: section.line, value: hours })
}

fn all<T, E: std::fmt::Display>(
    section: &mut Section,
    key: &str,
    read: fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, ProvisionError> {
    /// More than a week and a year need.
    const MOST: usize = 500;
    let nodes = section.list(key)?;
    if let Some(node) = nodes.get(MOST) {
        return Err(wrong(node.line, format!("`{key}` has more than {MOST} entries: remove some")));
    }
    let read = |node: Node| {
        let text = text_of(node, key)?;
        read(&text.value).map_err(|error| wrong(text.line, error.to_string()))
    };
    nodes.into_iter().map(read).collect()
}

/// `{ skill: level }`.
pub(super) fn skills(section: &mut Section) -> Result<std::collections::BTreeMap<String, u32>, ProvisionError> {
    use super::yaml::Value;
    let Some(node) = section.take("skills") else { return Ok(Default::default()) };
    let Value::Map(entries) = node.value else {
        return Err(wrong(node.line, "`skills` must give levels to skills: write `skills: { english: 3 }`"));
    };
    let level = |(skill, line, node): (String, u32, Node)| {
        short_name(&Lined { line, value: skill.clone() }, "a skill")?;
        match node.value {
            Value::Whole(level @ 0..=100) => Ok((skill, level as u32)),
            _ => {
                let sentence = format!("`{}` must have a level: write a whole number from 0 to 100", shown(&skill));
                Err(wrong(node.line, sentence))
            }
        }
    };
    entries.into_iter().map(level).collect()
}
