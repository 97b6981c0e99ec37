//! Who calls, as headers say it: what is believed of a carrier, and what a phone or a carrier is told.
//!
//! P-Asserted-Identity (RFC 3325), Diversion (RFC 5806) and History-Info (RFC 7044) are believed only from trunks that are
//! trusted. Nothing of another's headers is ever passed on as it is: what we say is written here.

use bytes::Bytes;
use model::{Number, Text, Trunk, TrunkIdentity};
use sip::{Diversion as Diverted, DiversionReason, HeaderName, Headers, Host, NameAddr, Privacy, Uri};

use crate::caller::{Diversion, MOST_DIVERSIONS, Presented, Shown};
use crate::routing::formatted;

/// Who calls, as an INVITE from a trunk says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// As it stands there.
    pub written: Text,
    /// A name, where one is given.
    pub name: Option<String>,
    /// Whether the called side may not see it.
    pub private: bool,
    /// By whom the call was passed on, the latest first.
    pub diversions: Vec<Diversion>,
    /// How often it was passed on.
    pub diverted: u32,
}

/// Reads who calls. What only the trusted may say is read only of those.
pub fn said_by(trunk: &Trunk, headers: &Headers) -> Said {
    let from = headers.from().ok();
    let asserted = if trunk.trusted { headers.asserted_identities().unwrap_or_default() } else { Vec::new() };
    // A telephone number says more than an address that has none (RFC 3325, 9.1: there may be one of each).
    let named = |address: &&NameAddr| address.uri.user_text().is_some();
    let known = asserted.iter().find(named).or(from.as_ref());
    let user = known.and_then(|address| address.uri.user_text()).unwrap_or_default();
    let display = known.and_then(|address| address.display.as_ref());
    let (diversions, diverted) = if trunk.trusted { passed_on(headers) } else { (Vec::new(), 0) };
    Said {
        written: Text::lossy(&user),
        name: display.map(|display| Text::lossy(display).to_string()),
        private: hides_caller(headers),
        diversions,
        diverted,
    }
}

/// Whether a caller wants not to be known to whom it calls.
pub fn hides_caller(headers: &Headers) -> bool {
    let privacy = headers.privacy();
    (privacy.id || privacy.user || privacy.header) && !privacy.none
}

/// The From of a call to a phone.
pub fn to_phone(shown: &Shown, ours: Uri) -> NameAddr {
    if shown.private { anonymous() } else { named(ours.with_user(&shown.number), shown.name.as_deref()) }
}

/// What a trunk is told of who calls.
#[derive(Debug)]
pub struct Told {
    /// Who calls.
    pub from: NameAddr,
    /// What else is said of it.
    pub headers: Headers,
}

/// Says to a trunk who calls, and who passed the call on. `domain`: the host of our addresses there.
pub fn to_trunk(trunk: &Trunk, country: &str, presented: &Presented, diversions: &[Diversion], domain: &Uri) -> Told {
    let written = presented.number.as_ref().map(|number| formatted(number, trunk.dial_format, country));
    let address = |user: &str| NameAddr::new(domain.clone().with_user(user));
    let private = presented.private;
    let mut headers = Headers::new();
    let from = match (&written, trunk.identity) {
        _ if private => anonymous(),
        (None, _) => anonymous(),
        (Some(_), TrunkIdentity::Pai) if trunk.username.is_some() => {
            address(trunk.username.as_deref().unwrap_or_default())
        }
        (Some(number), _) => address(number),
    };
    // Whoever hides is known to the trusted alone.
    let is_asserted = if private { trunk.trusted } else { trunk.identity == TrunkIdentity::Pai };
    if let Some(number) = written.filter(|_| is_asserted) {
        headers.push(HeaderName::PAssertedIdentity, address(&number));
    }
    if private && let Some(id) = Privacy::ID.print() {
        headers.push(HeaderName::Privacy, id);
    }
    for diversion in diversions.iter().filter(|diversion| diversion.ours || trunk.trusted) {
        let number = match Number::parse(&diversion.number, country) {
            Ok(number) => formatted(&number, trunk.dial_format, country),
            Err(_) => diversion.number.clone(),
        };
        let mut entry = Diverted::new(address(&number), DiversionReason::Unknown);
        entry.address.params.set("reason", Bytes::from(diversion.why.clone()));
        headers.push(HeaderName::Diversion, entry.print());
    }
    Told { from, headers }
}

/// The number that a 3xx asks to be called instead, as somebody would dial it: the user part of its first Contact.
/// Where that is, is not followed; the tenant's own rules say how it is reached.
pub fn elsewhere(headers: &Headers) -> Option<String> {
    let sip::Contacts::List(contacts) = headers.contacts().ok()? else { return None };
    let best = contacts.iter().rev().max_by_key(|contact| contact.q().unwrap_or(1_000))?;
    let user = Text::lossy(&best.uri.user_text()?);
    // `0900000001;phone-context=…` and the like: the number is what stands before.
    let number = user.as_str().split(';').next().unwrap_or_default();
    (!number.is_empty() && number.len() <= 64).then(|| number.to_owned())
}

fn passed_on(headers: &Headers) -> (Vec<Diversion>, u32) {
    let entry = |diverted: &Diverted| {
        let user = diverted.address.uri.user_text()?;
        let number = Text::lossy(&user).to_string();
        Some(Diversion { number, why: diverted.reason().as_str().to_owned(), ours: false })
    };
    let entries = headers.diversions().unwrap_or_default();
    let named = entries.iter().filter(|diverted| !diverted.is_private()).filter_map(entry);
    (named.take(MOST_DIVERSIONS as usize).collect(), headers.times_diverted())
}

/// Nobody (RFC 3323, 4.1.1.3).
fn anonymous() -> NameAddr {
    let host = Host::Name(Bytes::from_static(b"anonymous.invalid"));
    NameAddr::new(Uri::sip(host).with_user("anonymous")).with_display("Anonymous")
}

fn named(uri: Uri, name: Option<&str>) -> NameAddr {
    let address = NameAddr::new(uri);
    match name {
        Some(name) => address.with_display(name.as_bytes().to_vec()),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use model::DialFormat;

    use super::*;
    use crate::fixture;

    fn trunk(trusted: bool) -> Trunk {
        Trunk { trusted, ..fixture::demo().trunks.remove(0) }
    }

    fn invite() -> Headers {
        Headers::new()
            .with(HeaderName::From, "\"Unknown\" <sip:anonymous@anonymous.invalid>;tag=1")
            .with(HeaderName::PAssertedIdentity, "\"An\" <sip:+84900000001@carrier.example>")
            .with(HeaderName::Diversion, "<sip:+84900000002@carrier.example>;reason=user-busy;counter=3")
    }

    fn ours() -> Uri {
        Uri::of(([192, 0, 2, 1], 5060).into())
    }

    fn from_us(trunk: &Trunk, private: bool, diversions: &[Diversion]) -> (String, Vec<String>) {
        let presented = Presented { number: Some(Number::E164("842873088088".into())), private };
        let told = to_trunk(trunk, "84", &presented, diversions, &ours());
        let headers = [HeaderName::PAssertedIdentity, HeaderName::Privacy, HeaderName::Diversion];
        let said = headers.iter().flat_map(|name| told.headers.all(name).map(move |value| (name, value)));
        let said = said.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
        (told.from.to_string(), said.collect())
    }

    #[test]
    fn what_a_carrier_asserts_is_believed_of_the_trusted_alone() {
        let believed = said_by(&trunk(true), &invite());
        let ignored = said_by(&trunk(false), &invite());

        assert_eq!((believed.written.as_str(), believed.name.as_deref()), ("+84900000001", Some("An")));
        assert_eq!((believed.diverted, believed.diversions.len()), (3, 1));
        assert_eq!((ignored.written.as_str(), ignored.name.as_deref()), ("anonymous", Some("Unknown")));
        assert_eq!((ignored.diverted, ignored.diversions.len()), (0, 0));
    }

    #[test]
    fn a_number_stands_where_the_trunk_looks_for_it_in_its_own_format() {
        let e164 = Trunk { dial_format: DialFormat::E164, ..trunk(false) };
        let asserted = Trunk { identity: TrunkIdentity::Pai, username: Some("account".into()), ..e164.clone() };

        assert_eq!(from_us(&e164, false, &[]), ("<sip:+842873088088@192.0.2.1:5060>".into(), vec![]));
        let (from, said) = from_us(&asserted, false, &[]);
        assert_eq!(from, "<sip:account@192.0.2.1:5060>");
        assert_eq!(said, ["P-Asserted-Identity: <sip:+842873088088@192.0.2.1:5060>"]);
    }

    #[test]
    fn whoever_hides_is_known_to_the_trusted_alone() {
        let (from, said) = from_us(&Trunk { identity: TrunkIdentity::Pai, ..trunk(false) }, true, &[]);
        let (_, to_trusted) = from_us(&trunk(true), true, &[]);

        assert_eq!(from, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
        assert_eq!(said, ["Privacy: id"]);
        assert_eq!(to_trusted, ["P-Asserted-Identity: <sip:02873088088@192.0.2.1:5060>", "Privacy: id"]);
        let phone = to_phone(&Shown { number: "101".into(), private: true, ..Shown::default() }, ours());
        assert_eq!(phone.to_string(), "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
    }

    #[test]
    fn diversions_of_others_are_passed_on_to_the_trusted_alone() {
        let diversion = |number: &str, ours| Diversion { number: number.into(), why: "deflection".into(), ours };
        let diversions = [diversion("+842873088088", true), diversion("+84900000002", false)];

        assert_eq!(
            from_us(&trunk(false), false, &diversions).1,
            ["Diversion: <sip:02873088088@192.0.2.1:5060>;reason=deflection;counter=1"]
        );
        assert_eq!(from_us(&trunk(true), false, &diversions).1.len(), 2);
    }

    #[test]
    fn a_wish_to_be_called_elsewhere_is_a_number_and_no_place() {
        let wish = |contact: &str| elsewhere(&Headers::new().with(HeaderName::Contact, contact.to_owned()));

        assert_eq!(wish("<sip:0900000002@192.0.2.66;user=phone>"), Some("0900000002".into()));
        assert_eq!(wish("<sip:102@pbx>;q=0.5, <sip:103@pbx>;q=0.9"), Some("103".into()));
        assert_eq!(wish("<tel:+84900000002>"), Some("+84900000002".into()));
        assert_eq!(wish("<sip:192.0.2.66>"), None);
        assert_eq!(wish("*"), None);
    }
}
