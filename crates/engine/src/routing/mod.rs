//! Whom a dialled number reaches. A look-up in the settings' snapshot; nothing here waits or asks.

pub mod crm;
pub mod lead;

use model::{DialFormat, Extension, Group, Number, Outbound, Party, Reason, TenantSettings, Text, Trunk};

pub use self::crm::{Crm, Undecided};
pub use self::lead::Lead;
use crate::limits::Urgency;

/// Where a call goes.
#[derive(Clone, PartialEq, Debug)]
pub enum Destination<'a> {
    /// One extension of the tenant.
    Extension(&'a Extension),
    /// Several extensions, together or one after the other.
    Group(&'a Group),
    /// The public network, by the first of these trunks that takes it.
    Outside(Outside<'a>),
}

impl Destination<'_> {
    /// Who is called.
    pub fn party(&self) -> Party {
        match self {
            Self::Extension(extension) => Party::Extension { number: extension.number.clone() },
            Self::Group(group) => Party::Group { number: group.number.clone() },
            Self::Outside(outside) => outside.party(outside.trunks.first().map(|trunk| trunk.name.clone())),
        }
    }
}

/// A way to the public network.
#[derive(Clone, PartialEq, Debug)]
pub struct Outside<'a> {
    /// The number, whatever a rule makes of it.
    pub number: Number,
    /// As it was dialled.
    pub dialled: Text,
    /// What the rule makes of the national form, before the trunk's own format. None: it goes out as it is.
    pub rule: Option<&'a Outbound>,
    /// The rule's trunks that exist and have an address, in order.
    pub trunks: Vec<&'a Trunk>,
    /// Whether whoever calls needs help: no limit stops such a call.
    pub urgency: Urgency,
}

impl Outside<'_> {
    /// Who is called, by way of a trunk.
    pub fn party(&self, trunk: Option<String>) -> Party {
        Party::outside(&self.number, self.dialled.as_str(), trunk)
    }
}

/// The way to a public number, as the tenant's rules have it.
pub fn public<'a>(settings: &'a TenantSettings, dialled: &str) -> Result<Outside<'a>, Reason> {
    let number = Number::parse(dialled, &settings.country).map_err(|_| Reason::UnknownTarget)?;
    let national = number.national(&settings.country);
    let rule = settings.outbound.iter().find(|rule| national.starts_with(&rule.prefix));
    let urgency = urgency_of(settings, &number);
    let names: Vec<&String> = match (rule, urgency) {
        (Some(rule), _) => rule.trunks.iter().collect(),
        // Help is called by whatever way there is.
        (None, Urgency::Emergency) => settings.outbound.iter().flat_map(|rule| &rule.trunks).collect(),
        (None, Urgency::Usual) if is_short(dialled) => return Err(Reason::UnknownTarget),
        (None, Urgency::Usual) => return Err(Reason::NoRoute),
    };
    if !number.is_opened_by(&settings.limits.destinations, &settings.country) {
        return Err(Reason::DestinationClosed);
    }
    let mut trunks: Vec<&Trunk> = Vec::new();
    for name in names {
        let found = settings.trunks.iter().find(|trunk| trunk.name == *name && !trunk.resolved.is_empty());
        trunks.extend(found.filter(|found| trunks.iter().all(|trunk| trunk.name != found.name)));
    }
    if trunks.is_empty() {
        return Err(Reason::NoRoute);
    }
    Ok(Outside { number, dialled: Text::from(dialled), rule, trunks, urgency })
}

/// Whether what somebody inside dials is a call for help.
pub fn urgency(settings: &TenantSettings, dialled: &str) -> Urgency {
    let number = Number::parse(dialled, &settings.country).ok().filter(|_| !settings.extensions.contains_key(dialled));
    number.map_or(Urgency::Usual, |number| urgency_of(settings, &number))
}

/// What a trunk is asked to dial: the rule works on the national form, the trunk's format is applied last.
pub fn digits_for(trunk: &Trunk, outside: &Outside<'_>, country: &str) -> String {
    if let Some(rule) = outside.rule.filter(|rule| rule.strip > 0 || !rule.prepend.is_empty()) {
        let national = outside.number.national(country);
        let stripped = national.get(rule.strip as usize..).unwrap_or_default();
        let dialled = format!("{}{stripped}", rule.prepend);
        return match Number::parse(&dialled, country) {
            Ok(number @ Number::E164(_)) => formatted(&number, trunk.dial_format, country),
            _ => dialled,
        };
    }
    formatted(&outside.number, trunk.dial_format, country)
}

/// A number as a trunk wants it.
pub fn formatted(number: &Number, format: DialFormat, country: &str) -> String {
    match format {
        DialFormat::National => number.national(country),
        DialFormat::E164 => number.e164(),
        DialFormat::International => number.international().to_owned(),
    }
}

fn urgency_of(settings: &TenantSettings, number: &Number) -> Urgency {
    if number.is_emergency(&settings.country) { Urgency::Emergency } else { Urgency::Usual }
}

/// Whether it looks like a number inside rather than a public one.
fn is_short(dialled: &str) -> bool {
    dialled.len() <= 6 && !dialled.starts_with('0') && !dialled.starts_with('+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn outside(settings: &TenantSettings, dialled: &str) -> String {
        match public(settings, dialled) {
            Ok(outside) => digits_for(outside.trunks[0], &outside, &settings.country),
            other => panic!("{dialled} goes {other:?}"),
        }
    }

    #[test]
    fn the_trunk_gets_the_number_in_its_own_format() {
        let mut settings = fixture::demo();

        assert_eq!(outside(&settings, "0900000001"), "0900000001");
        assert_eq!(outside(&settings, "+84 900 000 001"), "0900000001");
        settings.trunks[0].dial_format = DialFormat::E164;
        assert_eq!(outside(&settings, "0900000001"), "+84900000001");
        settings.trunks[0].dial_format = DialFormat::International;
        assert_eq!(outside(&settings, "0900000001"), "84900000001");
    }

    #[test]
    fn a_rule_strips_and_then_prepends() {
        let mut settings = fixture::demo();
        settings.outbound[0].strip = 1;
        settings.outbound[0].prepend = "99".into();

        assert_eq!(outside(&settings, "0900000001"), "99900000001");
    }

    #[test]
    fn other_countries_are_closed_unless_they_are_opened() {
        let mut settings = fixture::demo();

        assert_eq!(public(&settings, "+12025550123"), Err(Reason::DestinationClosed));
        assert_eq!(public(&settings, "0012025550123"), Err(Reason::DestinationClosed));
        settings.limits.destinations.push("1".into());
        assert_eq!(outside(&settings, "+12025550123"), "0012025550123");
    }

    #[test]
    fn what_costs_more_than_a_call_is_dialled_only_where_it_is_named() {
        let mut settings = fixture::demo();
        settings.outbound[0].prefix = String::new();

        assert_eq!(outside(&settings, "18001090"), "18001090");
        assert_eq!(public(&settings, "19001234"), Err(Reason::DestinationClosed));
        settings.limits.destinations.push("premium".into());
        assert_eq!(outside(&settings, "19001234"), "19001234");
    }

    #[test]
    fn help_is_called_by_whatever_way_there_is() {
        let settings = fixture::demo();

        let Ok(police) = public(&settings, "113") else { panic!("113 goes out") };

        assert_eq!((police.trunks[0].name.as_str(), police.urgency), ("carrier", Urgency::Emergency));
        assert_eq!(digits_for(police.trunks[0], &police, "84"), "113");
        assert_eq!(urgency(&settings, "115"), Urgency::Emergency);
        assert_eq!(urgency(&settings, "0900000115"), Urgency::Usual);
    }

    #[test]
    fn what_nothing_takes_is_refused_with_its_reason() {
        let mut settings = fixture::demo();

        assert_eq!(public(&settings, "199"), Err(Reason::UnknownTarget));
        assert_eq!(public(&settings, "bob"), Err(Reason::UnknownTarget));
        assert_eq!(public(&settings, "18001090"), Err(Reason::NoRoute));
        settings.trunks[0].resolved.clear();
        assert_eq!(public(&settings, "0900000001"), Err(Reason::NoRoute));
    }
}
