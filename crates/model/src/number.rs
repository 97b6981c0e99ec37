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

/// What sort of number it is: what calling it costs hangs on that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NumberClass {
    /// A mobile phone.
    Mobile,
    /// A phone at a place.
    Landline,
    /// Whoever is called pays.
    Freephone,
    /// Whoever calls pays more than for a call.
    Premium,
    /// A short service of the country.
    Short,
}

impl NumberClass {
    const ALL: [Self; 5] = [Self::Mobile, Self::Landline, Self::Freephone, Self::Premium, Self::Short];

    /// The word in settings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Landline => "landline",
            Self::Freephone => "freephone",
            Self::Premium => "premium",
            Self::Short => "short",
        }
    }

    /// Reads the word in settings.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }
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

    /// Its class in the country; None: it is abroad, or we have no table of the country's numbers.
    pub fn class(&self, country: &str) -> Option<NumberClass> {
        if country != "84" {
            return None;
        }
        let national = self.in_country(country)?;
        let service = |class, prefix| national.starts_with(prefix).then_some(class);
        match national.as_bytes().first()? {
            b'1' => service(NumberClass::Freephone, "1800")
                .or(service(NumberClass::Premium, "1900"))
                .or(Some(NumberClass::Short)),
            _ if matches!(self, Self::Service(_)) => Some(NumberClass::Short),
            b'2' => Some(NumberClass::Landline),
            b'3' | b'5' | b'7'..=b'9' => Some(NumberClass::Mobile),
            _ => None,
        }
    }

    /// Whether one of these destinations opens it: a country code or longer prefix of its international form, the
    /// beginning of a service as it is dialled (three digits at least), or its class. A premium number is opened by its
    /// class or a prefix that tells it apart, never by its country alone. Emergency numbers are open to everybody.
    pub fn is_opened_by(&self, destinations: &[String], country: &str) -> bool {
        if self.is_emergency(country) {
            return true;
        }
        let class = self.class(country);
        let national = self.in_country(country);
        let is_service = national.is_some_and(|digits| digits.starts_with('1')) || matches!(self, Self::Service(_));
        destinations.iter().any(|allowed| {
            if !allowed.bytes().all(|byte| byte.is_ascii_digit()) {
                return class.is_some_and(|class| class.word() == allowed);
            }
            let names_it = allowed.len() >= 3 && national.is_some_and(|digits| digits.starts_with(allowed.as_str()));
            match self {
                _ if class == Some(NumberClass::Premium) => {
                    let rest = allowed.strip_prefix(country).unwrap_or(allowed);
                    rest.starts_with("1900") && national.is_some_and(|digits| digits.starts_with(rest))
                }
                _ if is_service => names_it || allowed == country,
                // 1800 and 1900 are services here, though numbers abroad begin so too.
                Self::E164(digits) if is_service_prefix(allowed, country) => {
                    national.is_some() && digits.starts_with(allowed.as_str())
                }
                Self::E164(digits) => digits.starts_with(allowed.as_str()),
                Self::Service(_) => false,
            }
        })
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

impl Number {
    /// Its digits within the country, without the 0 in front; None: it is abroad.
    fn in_country(&self, country: &str) -> Option<&str> {
        match self {
            Self::Service(digits) => Some(digits),
            Self::E164(digits) => digits.strip_prefix(country).map(|national| national.trim_start_matches('0')),
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

/// Whether a prefix in settings means services of the country rather than numbers abroad.
fn is_service_prefix(prefix: &str, country: &str) -> bool {
    country == "84" && (prefix.starts_with("1800") || prefix.starts_with("1900"))
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
    fn vietnams_numbers_have_their_class() {
        let class = |text: &str| Number::parse(text, "84").expect("a number").class("84").map(NumberClass::word);

        for mobile in ["0300000001", "0500000001", "0700000001", "0800000001", "+84900000001"] {
            assert_eq!(class(mobile), Some("mobile"), "{mobile}");
        }
        assert_eq!(class("02873088088"), Some("landline"));
        assert_eq!([class("18001090"), class("+8418001090")], [Some("freephone"); 2]);
        for premium in ["19001234", "1900123456", "+8419001234", "00841900123456", "+84019001234"] {
            assert_eq!(class(premium), Some("premium"), "{premium}");
        }
        assert_eq!([class("1080"), class("116")], [Some("short"); 2]);
        assert_eq!([class("+442000000000"), class("+840600000000")], [None; 2]);
        assert_eq!(Number::E164("442000000000".into()).class("44"), None, "there is no table of this country");
    }

    #[test]
    fn a_number_is_opened_by_its_country_a_prefix_or_its_class_and_premium_only_by_name() {
        let opens = |destinations: &[&str], text: &str| {
            let destinations: Vec<String> = destinations.iter().map(|&word| word.into()).collect();
            Number::parse(text, "84").expect("a number").is_opened_by(&destinations, "84")
        };

        for open in ["0900000001", "02873088088", "18001090", "1080"] {
            assert!(opens(&["84"], open) && !opens(&[], open) && !opens(&["1"], open), "{open}");
        }
        for premium in ["19001234", "+8419001234", "+84019001234"] {
            assert!(!opens(&["84", "1", "19", "mobile", "short"], premium), "{premium}");
            assert!(
                opens(&["premium"], premium) && opens(&["1900"], premium) && opens(&["841900"], premium),
                "{premium}"
            );
            assert!(!opens(&["19009"], premium), "{premium}");
        }
        assert!(opens(&["mobile"], "0900000001") && !opens(&["mobile"], "02873088088"));
        assert!(opens(&["landline"], "02873088088") && opens(&["8428"], "02873088088"));
        assert!(opens(&["freephone"], "18001090") && opens(&["1800"], "18001090") && !opens(&["short"], "18001090"));
        assert!(opens(&["short"], "1080") && opens(&["108"], "1080") && !opens(&["mobile"], "1080"));
        assert!(!opens(&["84", "mobile", "1900"], "+19002025550"), "1900 is a service here, not a code abroad");
        assert!(
            opens(&["1"], "+12025550123") && opens(&["4420"], "+442000000000") && !opens(&["4430"], "+442000000000")
        );
        for emergency in ["112", "113", "114", "115"] {
            assert!(opens(&[], emergency), "{emergency}");
        }
    }

    #[test]
    fn a_country_without_a_table_is_opened_by_prefixes_alone() {
        let opens = |word: &str, text: &str| {
            Number::parse(text, "44").expect("a number").is_opened_by(&[word.to_owned()], "44")
        };

        assert!(opens("44", "02000000000") && opens("4420", "02000000000"));
        assert!(!opens("landline", "02000000000") && !opens("mobile", "02000000000"));
        assert!(opens("44", "123") && opens("123", "123") && !opens("1", "123"));
        assert!(opens("44", "999") && opens("1", "999"), "help is always called");
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
