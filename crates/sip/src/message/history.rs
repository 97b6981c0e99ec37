//! History-Info: the targets a request has had (RFC 7044). The first stands first.

use bytes::Bytes;

use super::scan::parse_number;
use super::{HeaderError, HeaderName, Headers, NameAddr, Reason, SyntaxError};

/// One target the request has had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryInfo {
    /// The target, its Reason and Privacy among the headers of its URI.
    pub address: NameAddr,
    /// Its place in the tree: `1.2.1`.
    pub index: Vec<u16>,
    /// How it came out of an earlier target, and of which.
    pub kind: Option<(HistoryKind, Vec<u16>)>,
}

/// How a target came out of an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HistoryKind {
    /// `rc`: the same user, by its contact.
    Registered,
    /// `mp`: another user.
    Mapped,
    /// `np`: nothing but the way changed.
    Unchanged,
}

/// How deep an index may be.
const DEPTH_LIMIT: usize = 32;

impl HistoryInfo {
    /// A target and its place.
    pub fn new(address: NameAddr, index: &[u16]) -> Self {
        HistoryInfo { address, index: index.to_vec(), kind: None }
    }

    /// The same, reached because another user's calls come here.
    pub fn mapped_from(mut self, index: &[u16]) -> Self {
        self.kind = Some((HistoryKind::Mapped, index.to_vec()));
        self
    }

    /// Reads one value.
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        let mut address = NameAddr::parse(source)?;
        let index = address.params.get("index").ok_or(SyntaxError("it has no index")).and_then(|it| read_index(it))?;
        let mut kind = None;
        for (word, which) in KINDS {
            if let Some(from) = address.params.get(word) {
                kind = Some((which, read_index(from)?));
            }
            address.params.remove(word);
        }
        address.params.remove("index");
        Ok(HistoryInfo { address, index, kind })
    }

    /// Whether the call was sent on from an earlier target to this: another user, or one that was refused before
    /// (RFC 7044, 10.2; entries without a kind are judged by their Reason, as RFC 4244 has it).
    pub fn is_diversion(&self) -> bool {
        match self.kind {
            Some((kind, _)) => kind == HistoryKind::Mapped,
            None => self.reason().is_some(),
        }
    }

    /// Why this target was left.
    pub fn reason(&self) -> Option<Reason> {
        let value = self.address.uri.header("Reason")?.into_owned();
        Reason::parse(value.into()).ok()
    }

    /// Whether it may not be shown to the untrusted.
    pub fn is_private(&self) -> bool {
        let value = self.address.uri.header("Privacy");
        value.is_some_and(|value| value.eq_ignore_ascii_case(b"history") || value.eq_ignore_ascii_case(b"id"))
    }

    /// The value as it stands in the header.
    pub fn print(&self) -> Bytes {
        let mut address = self.address.clone();
        address.params.set("index", write_index(&self.index));
        if let Some((kind, from)) = &self.kind
            && let Some((word, _)) = KINDS.into_iter().find(|(_, which)| which == kind)
        {
            address.params.set(word, write_index(from));
        }
        address.print()
    }
}

const KINDS: [(&str, HistoryKind); 3] =
    [("rc", HistoryKind::Registered), ("mp", HistoryKind::Mapped), ("np", HistoryKind::Unchanged)];

fn read_index(text: &[u8]) -> Result<Vec<u16>, SyntaxError> {
    let number = |digits: &[u8]| parse_number(digits).and_then(|number| u16::try_from(number).ok());
    let index: Option<Vec<u16>> = text.split(|byte| *byte == b'.').take(DEPTH_LIMIT + 1).map(number).collect();
    index.filter(|index| index.len() <= DEPTH_LIMIT).ok_or(SyntaxError("an index is not numbers and dots"))
}

fn write_index(index: &[u16]) -> String {
    index.iter().map(u16::to_string).collect::<Vec<_>>().join(".")
}

impl Headers {
    /// The targets the request has had, the first one first.
    pub fn history(&self) -> Result<Vec<HistoryInfo>, HeaderError> {
        self.list(&HeaderName::HistoryInfo, HistoryInfo::parse)
    }
}

impl From<&HistoryInfo> for Bytes {
    fn from(entry: &HistoryInfo) -> Self {
        entry.print()
    }
}

impl From<HistoryInfo> for Bytes {
    fn from(entry: HistoryInfo) -> Self {
        entry.print()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_sent_on_twice_tells_its_targets() {
        let headers = Headers::new()
            .with(
                HeaderName::HistoryInfo,
                "<sip:101@example.com?Reason=SIP%3Bcause%3D486>;index=1, <sip:102@example.com?Privacy=history>;index=1.1;mp=1",
            )
            .with(HeaderName::HistoryInfo, "<sip:102@192.0.2.4>;index=1.1.1;rc=1.1");

        let history = headers.history().unwrap();

        assert_eq!(history[0].reason().and_then(|reason| reason.cause), Some(486));
        assert_eq!(
            (history[1].index.as_slice(), &history[1].kind),
            (&[1, 1][..], &Some((HistoryKind::Mapped, vec![1])))
        );
        assert_eq!(history.iter().map(HistoryInfo::is_private).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(headers.times_diverted(), 2);
    }

    #[test]
    fn an_entry_reads_as_it_was_printed() {
        let entry = HistoryInfo::parse("<sip:102@example.com>;index=1.1;mp=1;other=x".into()).unwrap();

        assert_eq!(HistoryInfo::parse(entry.print()), Ok(entry));
    }

    #[test]
    fn an_index_is_numbers_and_dots_and_not_too_deep() {
        let deep = vec!["1"; DEPTH_LIMIT + 1].join(".");

        for index in ["", "1.", ".1", "1..1", "x", "65536", "-1", &deep] {
            assert!(HistoryInfo::parse(format!("<sip:a@b>;index={index}").into()).is_err(), "{index}");
        }
        assert!(HistoryInfo::parse("<sip:a@b>".into()).is_err());
    }
}
