//! Text from outside that is safe to store and to show.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most bytes of outside text that is kept of one value.
const MAX: usize = 1_024;

/// Text without NUL and other control characters, valid UTF-8, at most 1 024 bytes.
/// What cannot be shown stands as U+FFFD.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// Takes bytes of a header or a body, replacing what is no text.
    pub fn lossy(bytes: &[u8]) -> Self {
        Self::from(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Text {
    fn from(mut text: String) -> Self {
        if text.len() > MAX {
            let end = (0..=MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
        }
        if text.contains(char::is_control) {
            text = text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
        }
        Self(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_and_broken_bytes_never_get_through() {
        assert_eq!(Text::lossy(b"a\0b\xff\r\n").as_str(), "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let text = Text::from("ổ".repeat(1_000));

        assert!(text.as_str().len() <= MAX);
        assert!(text.as_str().chars().all(|c| c == 'ổ'));
    }
}
