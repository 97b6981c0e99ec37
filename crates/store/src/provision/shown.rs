//! What somebody wrote, in a sentence that says what is wrong with it.

/// What somebody wrote, as far as a sentence of one line can hold it.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(64).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
