//! Who somebody is said to be, and who may know it: the P- headers of RFC 3325, Privacy (RFC 3323).
//!
//! Whom to believe, and before whom to take them off, is for others to decide.

use bytes::Bytes;

use super::scan::trim;
use super::{HeaderError, HeaderName, Headers, NameAddr};

/// What of a request shall not be known (RFC 3323, 4.2; `id` of RFC 3325, `history` of RFC 7044).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Privacy {
    /// `id`: P-Asserted-Identity stays among those who trust each other.
    pub id: bool,
    /// `user`: From, Contact and their like say nothing of the user.
    pub user: bool,
    /// `header`: Via, Contact, Record-Route say nothing of the way.
    pub header: bool,
    /// `session`: the address of sound is not that of the user.
    pub session: bool,
    /// `history`: History-Info says nothing of the user.
    pub history: bool,
    /// `none`: nothing is to be hidden, whatever is usual.
    pub none: bool,
    /// `critical`: rather refuse the request than show what should be hidden.
    pub critical: bool,
}

impl Privacy {
    /// The caller's identity is for the trusted alone.
    pub const ID: Privacy =
        Privacy { id: true, user: false, header: false, session: false, history: false, none: false, critical: false };

    /// Whether whoever is called may not see who calls.
    pub const fn hides_caller(self) -> bool {
        (self.id || self.user) && !self.none
    }

    /// The value as it stands in the header; `None` when it says nothing.
    pub fn print(self) -> Option<Bytes> {
        let words: Vec<_> = self.words().into_iter().filter(|(_, is_set)| *is_set).map(|(word, _)| word).collect();
        (!words.is_empty()).then(|| words.join(";").into())
    }

    const fn words(self) -> [(&'static str, bool); 7] {
        [
            ("header", self.header),
            ("session", self.session),
            ("user", self.user),
            ("id", self.id),
            ("history", self.history),
            ("none", self.none),
            ("critical", self.critical),
        ]
    }

    fn add(&mut self, word: &[u8]) {
        let place = match word.to_ascii_lowercase().as_slice() {
            b"header" => &mut self.header,
            b"session" => &mut self.session,
            b"user" => &mut self.user,
            b"id" => &mut self.id,
            b"history" => &mut self.history,
            b"none" => &mut self.none,
            b"critical" => &mut self.critical,
            // Words nobody here knows ask for services nobody here gives.
            _ => return,
        };
        *place = true;
    }
}

impl Headers {
    /// Who the caller is, as others assert it: a SIP address, a number, or both.
    pub fn asserted_identities(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.name_addrs(&HeaderName::PAssertedIdentity)
    }

    /// Who the caller would like to be.
    pub fn preferred_identities(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.name_addrs(&HeaderName::PPreferredIdentity)
    }

    /// Whom the caller dialled, after the request's target became a contact (RFC 7315, 4.2).
    pub fn called_party(&self) -> Result<Option<NameAddr>, HeaderError> {
        self.optional(&HeaderName::PCalledPartyId, NameAddr::parse)
    }

    /// Who the caller is in the way of equipment older than RFC 3325.
    pub fn remote_parties(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.name_addrs(&HeaderName::RemotePartyId)
    }

    /// What shall not be known. Values may be parted by semicolons, and wrongly by commas.
    pub fn privacy(&self) -> Privacy {
        let mut privacy = Privacy::default();
        for line in self.all(&HeaderName::Privacy) {
            line.split(|byte| matches!(byte, b';' | b',')).for_each(|word| privacy.add(trim(word)));
        }
        privacy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_asserted_by_address_and_by_number() {
        let headers = Headers::new()
            .with(HeaderName::PAssertedIdentity, "\"Bưu điện\" <sip:0900000001@example.com>, tel:+84900000001")
            .with(HeaderName::from_static("p-called-party-id"), "<sip:02873088088@example.com>");

        let asserted = headers.asserted_identities().unwrap();

        assert_eq!(asserted[0].display.as_deref(), Some("Bưu điện".as_bytes()));
        assert_eq!(asserted[1].uri.to_string(), "tel:+84900000001");
        assert_eq!(headers.called_party().unwrap().unwrap().uri.to_string(), "sip:02873088088@example.com");
        assert_eq!(headers.preferred_identities(), Ok(vec![]));
    }

    #[test]
    fn privacy_is_read_from_any_way_of_writing_it() {
        let privacy = |value: &'static str| Headers::new().with(HeaderName::Privacy, value).privacy();

        assert_eq!(privacy("id"), Privacy::ID);
        assert_eq!(privacy("ID ; critical"), Privacy { critical: true, ..Privacy::ID });
        assert_eq!(privacy("user,id,strange"), Privacy { user: true, ..Privacy::ID });
        assert_eq!(privacy("none"), Privacy { none: true, ..Privacy::default() });
        assert_eq!(Headers::new().privacy(), Privacy::default());
    }

    #[test]
    fn a_caller_is_hidden_by_id_and_user_and_shown_by_none() {
        let user = Privacy { user: true, ..Privacy::default() };

        assert!(Privacy::ID.hides_caller() && user.hides_caller());
        assert!(!Privacy { none: true, ..Privacy::ID }.hides_caller());
        assert!(!Privacy { header: true, history: true, ..Privacy::default() }.hides_caller());
    }

    #[test]
    fn privacy_is_printed_in_one_order() {
        let privacy = Privacy { critical: true, user: true, ..Privacy::ID };

        assert_eq!(privacy.print().as_deref(), Some(&b"user;id;critical"[..]));
        assert_eq!(Privacy::default().print(), None);
    }
}
