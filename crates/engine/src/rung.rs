//! Who was rung when: for groups that ring whoever was rung longest ago.

use std::collections::BTreeMap;

use model::TenantSettings;

/// The order in which extensions were rung. In memory alone: after a start everybody is as rested as anybody else.
#[derive(Debug, Default)]
pub struct Rung {
    last: BTreeMap<String, u64>,
    count: u64,
}

impl Rung {
    /// An extension's phones are being rung. No more are known than there are extensions.
    pub fn note(&mut self, settings: &TenantSettings, extension: &str) {
        self.count += 1;
        self.last.insert(extension.to_owned(), self.count);
        if self.last.len() > settings.extensions.len() {
            self.last.retain(|known, _| settings.extensions.contains_key(known));
        }
    }

    /// When an extension was rung last: more is later, and 0 is never.
    pub fn last(&self, extension: &str) -> u64 {
        self.last.get(extension).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn whoever_was_rung_later_is_known_to_be() {
        let (settings, mut rung) = (fixture::demo(), Rung::default());

        rung.note(&settings, "102");
        rung.note(&settings, "101");

        assert_eq!(rung.last("103"), 0);
        assert!(rung.last("101") > rung.last("102"));
    }

    #[test]
    fn extensions_that_are_gone_are_forgotten() {
        let (mut settings, mut rung) = (fixture::demo(), Rung::default());
        rung.note(&settings, "101");
        rung.note(&settings, "102");

        settings.extensions.remove("101");
        rung.note(&settings, "102");

        assert_eq!(rung.last("101"), 0);
        assert!(rung.last("102") > 0);
    }
}
