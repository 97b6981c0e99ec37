//! The samples of the documents page: files that are run by tests as they stand, but for the values put into them.

/// What is put into a sample.
pub(super) struct Values<'a> {
    pub base: &'a str,
    pub voip: &'a str,
    pub secret: &'a str,
    pub sip: &'a str,
    pub phone: &'a str,
}

/// Name for people, file name, text.
pub(super) const SAMPLES: &[(&str, &str, &str)] = &[
    ("curl", "call.sh", include_str!("../samples/call.sh")),
    ("PHP", "call.php", include_str!("../samples/call.php")),
    ("C#", "Call.cs", include_str!("../samples/Call.cs")),
    ("JavaScript", "call.js", include_str!("../samples/call.js")),
    ("Python", "call.py", include_str!("../samples/call.py")),
    ("CRM (PHP)", "crm.php", include_str!("../samples/crm.php")),
];

/// A sample with its values. Where a value could end the text that it stands in, its own name stands there.
pub(super) fn filled(sample: &str, values: &Values<'_>) -> String {
    let plain = |value: &str| {
        value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:/-_~[]@+=".contains(&byte)) && !value.is_empty()
    };
    let pairs = [
        ("{{base}}", values.base, "https://pbx.example"),
        ("{{voip}}", values.voip, "YOUR_VOIP_KEY"),
        ("{{secret}}", values.secret, "YOUR_SECRET"),
        ("{{sip}}", values.sip, "101"),
        ("{{phone}}", values.phone, "0900000001"),
    ];
    pairs.into_iter().fold(sample.to_owned(), |text, (name, value, otherwise)| {
        text.replace(name, if plain(value) { value } else { otherwise })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_breaks_out_of_the_text_it_stands_in() {
        let evil = "a'; rm -rf \"x\"";
        let values = Values { base: "http://x\"y", voip: evil, secret: "$(id)", sip: "1`2", phone: "" };

        for (_, name, sample) in SAMPLES {
            let text = filled(sample, &values);

            assert!(!text.contains("{{"), "{name}: every name has a value");
            for value in [evil, "x\"y", "$(id)", "1`2"] {
                assert!(!text.contains(value), "{name}: {value}");
            }
        }
    }
}
