//! Phone numbers as people dial them, as carriers want them, and as we keep them.
//!
//! Readings 2: `0…`, `84…`, `+84…`, `0084…`, spaces and dots are the same number. Inside it is E.164 where there is one;
//! national services (112–115, 1800…, 1900…, short codes) stay as dialled.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most and the fewest digits of an E.164 number, country code included.
const E164_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// A public number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// Country code and national number, digits only, without the plus.
    E164(String),
    /// A service of the country that has no international form: 113, 1800…, 1900….
    Service(String),
}

/// Why text is no number that can be dialled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NumberError {
    /// Nothing was given.
    #[error("the number is empty")]
    Empty,
    /// A letter or sign that no phone number has.
    #[error("`{0}` is not a phone number: use digits, with + in front at most")]
    NotDigits(String),
    /// Shorter or longer than any number.
    #[error("`{0}` is not a phone number: it has too few or too many digits")]
    Length(String),
}

impl Number {
    /// Reads a number dialled in the country whose code is `country` (`84`).
    pub fn parse(text: &str, country: &str) -> Result<Self, NumberError> {
        let mut digits = String::with_capacity(text.len());
        let mut plus = false;
        for c in text.trim().chars() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if digits.is_empty() && !plus => plus = true,
                ' ' | '.' | '-' | '(' | ')' | '\u{a0}' => {}
                _ => return Err(NumberError::NotDigits(short(text))),
            }
        }
        if digits.is_empty() {
            return Err(NumberError::Empty);
        }
        let e164 = if plus {
            digits
        } else if let Some(rest) = digits.strip_prefix("00") {
            rest.to_owned()
        } else if let Some(rest) = digits.strip_prefix('0') {
            format!("{country}{rest}")
        } else if is_service(&digits) {
            return Ok(Self::Service(digits));
        } else if digits.starts_with(country) && digits.len() >= country.len() + 8 {
            digits
        } else if digits.len() <= 8 {
            return Ok(Self::Service(digits));
        } else {
            return Err(NumberError::Length(short(text)));
        };
        if !E164_DIGITS.contains(&e164.len()) {
            return Err(NumberError::Length(short(text)));
        }
        Ok(Self::E164(e164))
    }

    /// Reads a number of ours as it is kept: E.164 digits without the plus, or a service number.
    pub fn of_digits(digits: &str, country: &str) -> Self {
        match Self::parse(digits, country) {
            Ok(service @ Self::Service(_)) => service,
            _ => Self::E164(digits.to_owned()),
        }
    }

    /// Whether whoever dials it needs help now: 112 everywhere, and the numbers of the country.
    pub fn is_emergency(&self, country: &str) -> bool {
        let Self::Service(digits) = self else { return false };
        let own: &[&str] = match country {
            "84" => &["113", "114", "115"],
            "1" => &["911"],
            "44" => &["999"],
            _ => &[],
        };
        digits == "112" || own.contains(&digits.as_str())
    }

    /// `0900000001` in its own country, `0044…` elsewhere, services as they are.
    pub fn national(&self, country: &str) -> String {
        match self {
            Self::Service(digits) => digits.clone(),
            Self::E164(digits) => match digits.strip_prefix(country) {
                Some(rest) => format!("0{rest}"),
                None => format!("00{digits}"),
            },
        }
    }

    /// `84900000001`; services as they are.
    pub fn international(&self) -> &str {
        match self {
            Self::Service(digits) | Self::E164(digits) => digits,
        }
    }

    /// `+84900000001`; services as they are.
    pub fn e164(&self) -> String {
        match self {
            Self::Service(digits) => digits.clone(),
            Self::E164(digits) => format!("+{digits}"),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.e164())
    }
}

/// Vietnam's emergency numbers, and services that begin with 1 and have no trunk prefix.
fn is_service(digits: &str) -> bool {
    digits.starts_with('1') && digits.len() <= 10
}

fn short(text: &str) -> String {
    text.chars().take(32).collect()
}

/// What somebody dialled, before anyone knows whom it reaches: an extension, a group, a public number.
/// Letters, digits and `+ * # . - _`, at most 64 of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Dialled(String);

impl Dialled {
    /// Takes what was dialled; spaces around it do not count.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NumberError::Empty);
        }
        if text.len() > 64 {
            return Err(NumberError::Length(short(text)));
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || "+*#.-_ ()".contains(c)) {
            return Err(NumberError::NotDigits(short(text)));
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was dialled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_number_is_the_same_number() {
        for text in ["0900000001", "84900000001", "+84900000001", "0084900000001", "090 000.0001", "(090) 000-0001"] {
            assert_eq!(Number::parse(text, "84"), Ok(Number::E164("84900000001".into())), "{text}");
        }
    }

    #[test]
    fn services_stay_as_dialled() {
        for text in ["113", "115", "18001090", "19001234", "1900123456"] {
            assert_eq!(Number::parse(text, "84"), Ok(Number::Service(text.into())), "{text}");
        }
    }

    #[test]
    fn an_emergency_is_known_by_its_country() {
        let is_emergency =
            |text: &str, country: &str| Number::parse(text, country).expect("a number").is_emergency(country);

        assert!(["112", "113", "114", "115"].iter().all(|number| is_emergency(number, "84")));
        assert!(is_emergency("911", "1") && is_emergency("112", "44"));
        assert!(!is_emergency("116", "84") && !is_emergency("911", "84") && !is_emergency("0900000112", "84"));
    }

    #[test]
    fn a_number_of_ours_is_read_as_it_is_kept() {
        let kept = |digits: &str| Number::of_digits(digits, "84");

        assert_eq!(kept("842873088088"), Number::E164("842873088088".into()));
        assert_eq!(kept("442000000000"), Number::E164("442000000000".into()));
        assert_eq!(kept("19001234"), Number::Service("19001234".into()));
    }

    #[test]
    fn each_form_is_printed_for_who_wants_it() {
        let mobile = Number::E164("84900000001".into());
        let abroad = Number::E164("442000000000".into());

        assert_eq!(mobile.national("84"), "0900000001");
        assert_eq!(mobile.e164(), "+84900000001");
        assert_eq!(mobile.international(), "84900000001");
        assert_eq!(abroad.national("84"), "00442000000000");
    }

    #[test]
    fn what_is_no_number_is_refused_with_a_sentence() {
        assert_eq!(Number::parse(" ", "84"), Err(NumberError::Empty));
        assert!(matches!(Number::parse("09a", "84"), Err(NumberError::NotDigits(_))));
        assert!(matches!(Number::parse("+1234567", "84"), Err(NumberError::Length(_))));
        assert!(matches!(Number::parse("0901234567890123", "84"), Err(NumberError::Length(_))));
    }
}
