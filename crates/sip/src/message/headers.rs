//! The headers of a message in their order, values as the bytes that came.
//!
//! Content-Length is not among them: it is what the body is long, and printing adds it.

use bytes::Bytes;

use super::HeaderName;
use super::scan::{trim, write_line};

/// Header fields in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Headers {
    fields: Vec<(HeaderName, Bytes)>,
}

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Headers { fields: Vec::new() }
    }

    pub(crate) fn with_capacity(count: usize) -> Self {
        Headers { fields: Vec::with_capacity(count) }
    }

    /// Adds a field behind the others.
    pub fn push(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.fields.push((name, value.into()));
    }

    /// Adds a field before the others, as a proxy does with its Via.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.fields.insert(0, (name, value.into()));
    }

    /// Adds the fields of others behind these.
    pub fn extend(&mut self, others: &Headers) {
        self.fields.extend_from_slice(&others.fields);
    }

    /// The same with one more field, to write headers in one expression.
    pub fn with(mut self, name: HeaderName, value: impl Into<Bytes>) -> Self {
        self.push(name, value);
        self
    }

    /// Puts one field in the place of all of that name.
    pub fn set(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        let value = value.into();
        match self.fields.iter().position(|field| field.0 == name) {
            Some(first) => {
                self.fields[first].1 = value;
                let mut index = 0;
                self.fields.retain(|field| {
                    index += 1;
                    index - 1 <= first || field.0 != name
                });
            }
            None => self.push(name, value),
        }
    }

    /// Takes all fields of a name away.
    pub fn remove(&mut self, name: &HeaderName) {
        self.fields.retain(|field| field.0 != *name);
    }

    /// The value of the first field of a name.
    pub fn get(&self, name: &HeaderName) -> Option<&Bytes> {
        self.all(name).next()
    }

    /// The values of all fields of a name; each may be a list of its own.
    pub fn all<'a, 'n>(&'a self, name: &'n HeaderName) -> impl Iterator<Item = &'a Bytes> + use<'a, 'n> {
        self.fields.iter().filter(move |field| field.0 == *name).map(|field| &field.1)
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// All fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&HeaderName, &Bytes)> {
        self.fields.iter().map(|(name, value)| (name, value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(crate) fn first_mut(&mut self, name: &HeaderName) -> Option<&mut Bytes> {
        self.fields.iter_mut().find(|field| field.0 == *name).map(|field| &mut field.1)
    }

    /// About how many octets they are when printed.
    pub(crate) fn size(&self) -> usize {
        self.fields.iter().map(|(name, value)| name.as_bytes().len() + value.len() + 4).sum()
    }

    /// Writes the fields, the Content-Length of `body`, the empty line and `body`.
    pub(crate) fn write(&self, out: &mut Vec<u8>, body: &[u8]) {
        for (name, value) in &self.fields {
            if *name == HeaderName::ContentLength {
                continue;
            }
            write_line(out, name.as_bytes());
            out.extend_from_slice(b": ");
            write_line(out, trim(value));
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"Content-Length: ");
        out.extend_from_slice(body.len().to_string().as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(body);
    }
}

impl FromIterator<(HeaderName, Bytes)> for Headers {
    fn from_iter<I: IntoIterator<Item = (HeaderName, Bytes)>>(fields: I) -> Self {
        Headers { fields: fields.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_keeps_the_place_of_the_first_and_takes_the_others_away() {
        let mut headers = Headers::new()
            .with(HeaderName::Subject, "a")
            .with(HeaderName::Contact, "1")
            .with(HeaderName::Server, "s")
            .with(HeaderName::Contact, "2");

        headers.set(HeaderName::Contact, "3");

        let fields: Vec<_> = headers.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect();
        assert_eq!(fields, ["Subject=a", "Contact=3", "Server=s"]);
    }

    #[test]
    fn names_are_case_blind_and_have_short_forms() {
        let headers = Headers::new().with(HeaderName::from_static("X-Call"), "7");

        assert_eq!(HeaderName::from_static("m"), HeaderName::Contact);
        assert_eq!(HeaderName::from_static("cONTACT"), HeaderName::Contact);
        assert_eq!(headers.get(&HeaderName::from_static("x-cALL")).map(Bytes::as_ref), Some(&b"7"[..]));
    }

    #[test]
    fn a_value_with_line_ends_stays_one_line() {
        let mut out = Vec::new();

        Headers::new().with(HeaderName::Subject, "a\r\nVia: b").write(&mut out, b"");

        assert_eq!(out, b"Subject: a  Via: b\r\nContent-Length: 0\r\n\r\n");
    }
}
