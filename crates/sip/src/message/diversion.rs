//! Diversion: who sent a call on, and why (RFC 5806). The latest stands first.

use bytes::Bytes;

use super::scan::{parse_number, split_list};
use super::{HeaderError, HeaderName, Headers, HistoryInfo, NameAddr, SyntaxError};

/// One who sent the call on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diversion {
    /// Who; its parameters are those of the header, as written.
    pub address: NameAddr,
}

/// Why a call was sent on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the words of RFC 5806 say what they are")]
pub enum DiversionReason {
    Unknown,
    UserBusy,
    NoAnswer,
    Unavailable,
    Unconditional,
    TimeOfDay,
    DoNotDisturb,
    Deflection,
    FollowMe,
    OutOfService,
    Away,
}

impl DiversionReason {
    const ALL: [DiversionReason; 11] = [
        DiversionReason::Unknown,
        DiversionReason::UserBusy,
        DiversionReason::NoAnswer,
        DiversionReason::Unavailable,
        DiversionReason::Unconditional,
        DiversionReason::TimeOfDay,
        DiversionReason::DoNotDisturb,
        DiversionReason::Deflection,
        DiversionReason::FollowMe,
        DiversionReason::OutOfService,
        DiversionReason::Away,
    ];

    /// The word in the header.
    pub const fn as_str(self) -> &'static str {
        match self {
            DiversionReason::Unknown => "unknown",
            DiversionReason::UserBusy => "user-busy",
            DiversionReason::NoAnswer => "no-answer",
            DiversionReason::Unavailable => "unavailable",
            DiversionReason::Unconditional => "unconditional",
            DiversionReason::TimeOfDay => "time-of-day",
            DiversionReason::DoNotDisturb => "do-not-disturb",
            DiversionReason::Deflection => "deflection",
            DiversionReason::FollowMe => "follow-me",
            DiversionReason::OutOfService => "out-of-service",
            DiversionReason::Away => "away",
        }
    }
}

impl Diversion {
    /// One who sent the call on for a reason, once.
    pub fn new(address: NameAddr, reason: DiversionReason) -> Self {
        let mut address = address;
        address.params.set("reason", reason.as_str());
        address.params.set("counter", "1");
        Diversion { address }
    }

    /// Reads one value.
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        NameAddr::parse(source).map(|address| Diversion { address })
    }

    /// Why; a word nobody knows is `Unknown`, as is none. Some write it in quotes.
    pub fn reason(&self) -> DiversionReason {
        let Some(word) = self.address.params.text("reason") else { return DiversionReason::Unknown };
        let known = DiversionReason::ALL.into_iter().find(|it| word.eq_ignore_ascii_case(it.as_str().as_bytes()));
        known.unwrap_or(DiversionReason::Unknown)
    }

    /// How many diversions this entry stands for: 1 unless it says more.
    pub fn counter(&self) -> u32 {
        let number = self.address.params.get("counter").and_then(|digits| parse_number(digits));
        number.map_or(1, |number| u32::try_from(number).unwrap_or(u32::MAX)).max(1)
    }

    /// Whether it may not be shown: `privacy` is anything but `off`.
    pub fn is_private(&self) -> bool {
        self.address.params.text("privacy").is_some_and(|word| !word.eq_ignore_ascii_case(b"off"))
    }

    /// The value as it stands in the header.
    pub fn print(&self) -> Bytes {
        self.address.print()
    }
}

impl Headers {
    /// Who sent the call on, the latest first.
    pub fn diversions(&self) -> Result<Vec<Diversion>, HeaderError> {
        self.list(&HeaderName::Diversion, Diversion::parse)
    }

    /// How often the call has been sent on, as Diversion and History-Info tell. An entry that cannot be read counts as
    /// one: a call in a loop must not go on because somebody on the way cannot write.
    pub fn times_diverted(&self) -> u32 {
        let times = |name: &HeaderName, of_one: &dyn Fn(Bytes) -> u32| {
            let values =
                self.all(name).flat_map(|line| split_list(line).map(|item| item.map(|item| line.slice_ref(item))));
            values.fold(0_u32, |sum, item| sum.saturating_add(item.map_or(1, of_one)))
        };
        let diverted = times(&HeaderName::Diversion, &|item| Diversion::parse(item).map_or(1, |it| it.counter()));
        let retargeted =
            times(&HeaderName::HistoryInfo, &|item| HistoryInfo::parse(item).map_or(1, |it| it.is_diversion().into()));
        diverted.max(retargeted)
    }
}

impl From<&Diversion> for Bytes {
    fn from(diversion: &Diversion) -> Self {
        diversion.print()
    }
}

impl From<Diversion> for Bytes {
    fn from(diversion: Diversion) -> Self {
        diversion.print()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Uri;

    #[test]
    fn the_latest_diversion_stands_first() {
        let headers = Headers::new()
            .with(
                HeaderName::Diversion,
                "<sip:102@example.com>;reason=user-busy;counter=2;privacy=off,\"Bàn 1\" <sip:101@example.com>;reason=\"no-answer\"",
            )
            .with(HeaderName::Diversion, "<tel:+842873088088>;reason=strange;privacy=full");

        let diversions = headers.diversions().unwrap();

        let reasons: Vec<_> = diversions.iter().map(Diversion::reason).collect();
        assert_eq!(reasons, [DiversionReason::UserBusy, DiversionReason::NoAnswer, DiversionReason::Unknown]);
        assert_eq!(diversions.iter().map(Diversion::is_private).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(headers.times_diverted(), 4);
    }

    #[test]
    fn our_own_entry_says_why_and_that_it_is_one() {
        let uri = Uri::parse("sip:02873088088@example.com".into()).unwrap();

        let diversion = Diversion::new(NameAddr::new(uri), DiversionReason::Unconditional);

        assert_eq!(diversion.print(), "<sip:02873088088@example.com>;reason=unconditional;counter=1");
    }

    #[test]
    fn a_counter_out_of_its_mind_stays_a_number() {
        let counter = |value: &str| Diversion::parse(format!("<sip:a@b>;counter={value}").into()).unwrap().counter();

        assert_eq!([counter("0"), counter("x"), counter("5")], [1, 1, 5]);
        assert_eq!(counter("99999999999999"), u32::MAX);
    }

    #[test]
    fn entries_that_cannot_be_read_count_as_one_each() {
        assert_eq!(Headers::new().times_diverted(), 0);
        assert_eq!(Headers::new().with(HeaderName::Diversion, "<sip:a@b, x").times_diverted(), 1);
        assert_eq!(
            Headers::new()
                .with(HeaderName::HistoryInfo, "<sip:a@b>;index=x, <sip:c@d>, <sip:e@f>;index=1")
                .times_diverted(),
            2
        );
        assert_eq!(Headers::new().with(HeaderName::Diversion, "<sip:a@b>,".repeat(300)).times_diverted(), 301);
    }
}
