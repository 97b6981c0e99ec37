//! Parameters: `;name=value;flag`, of URIs and of header values.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::scan::{is_token, quoted_end, skip_space, token_end, unquote, write_line, write_quoted};
use super::{SyntaxError, limits};

/// One parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Param {
    /// Its name, as written; compared case-blind.
    pub name: Bytes,
    /// Its value as written, quotes and escapes included; `None` for a flag such as `lr`.
    pub value: Option<Bytes>,
}

/// Parameters in their order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Params(Vec<Param>);

impl Params {
    /// No parameters.
    pub const fn new() -> Self {
        Params(Vec::new())
    }

    /// Gives a parameter a value, written as it stands; replaces the one of that name, else comes last.
    pub fn set(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.put(name.into(), Some(value.into()));
    }

    /// Gives a parameter a value as a quoted string.
    pub fn set_quoted(&mut self, name: impl Into<Bytes>, text: &[u8]) {
        let mut quoted = Vec::with_capacity(text.len() + 2);
        write_quoted(&mut quoted, text);
        self.put(name.into(), Some(quoted.into()));
    }

    /// Sets a parameter without a value.
    pub fn set_flag(&mut self, name: impl Into<Bytes>) {
        self.put(name.into(), None);
    }

    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|param| !param.name.eq_ignore_ascii_case(name.as_bytes()));
    }

    fn put(&mut self, name: Bytes, value: Option<Bytes>) {
        match self.0.iter_mut().find(|param| param.name.eq_ignore_ascii_case(&name)) {
            Some(param) => param.value = value,
            None => self.0.push(Param { name, value }),
        }
    }

    /// The value as written. `None` when the parameter is not there or has no value.
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.find(name.as_bytes())?.value.as_ref()
    }

    /// What the value says, without quotes and escapes.
    pub fn text(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.get(name).map(|value| unquote(value))
    }

    /// Whether the parameter is there, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.find(name.as_bytes()).is_some()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Param> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parameter of a name, the first when it was sent twice.
    pub(crate) fn find(&self, name: &[u8]) -> Option<&Param> {
        self.0.iter().find(|param| param.name.eq_ignore_ascii_case(name))
    }

    /// Reads `;name=value` of a header value, from `from` to the end. Blanks may stand round `;` and `=`.
    pub(crate) fn parse_header(source: &Bytes, from: usize) -> Result<Self, SyntaxError> {
        let mut params = Params::new();
        let mut at = skip_space(source, from);
        while at < source.len() {
            if source[at] != b';' {
                return Err(SyntaxError("something other than a parameter follows"));
            }
            let start = skip_space(source, at + 1);
            let end = token_end(source, start);
            if end == start {
                return Err(SyntaxError("a parameter has no name"));
            }
            let name = source.slice(start..end);
            at = skip_space(source, end);
            let mut value = None;
            if source.get(at) == Some(&b'=') {
                let start = skip_space(source, at + 1);
                let end = match source.get(start) {
                    Some(b'"') => quoted_end(source, start)?,
                    _ => bare_value_end(source, start),
                };
                value = Some(source.slice(start..end));
                at = skip_space(source, end);
            }
            params.add(Param { name, value })?;
        }
        Ok(params)
    }

    /// Reads `;name=value` of a URI in `from..to`, where no blanks and no quotes stand.
    pub(crate) fn parse_uri(source: &Bytes, from: usize, to: usize) -> Result<Self, SyntaxError> {
        let mut params = Params::new();
        let mut at = from;
        while at < to {
            if source[at] != b';' {
                return Err(SyntaxError("something other than a parameter follows the host"));
            }
            let start = at + 1;
            let end = source[start..to].iter().position(|byte| *byte == b';').map_or(to, |length| start + length);
            let equals = source[start..end].iter().position(|byte| *byte == b'=').map(|length| start + length);
            let name_end = equals.unwrap_or(end);
            if name_end == start {
                return Err(SyntaxError("a URI parameter has no name"));
            }
            if !source[start..end].iter().all(|byte| is_uri_param(*byte)) {
                return Err(SyntaxError("a URI parameter has a letter that must be escaped"));
            }
            params.add(Param {
                name: source.slice(start..name_end),
                value: equals.map(|equals| source.slice(equals + 1..end)),
            })?;
            at = end;
        }
        Ok(params)
    }

    fn add(&mut self, param: Param) -> Result<(), SyntaxError> {
        if self.0.len() == limits::PARAMS {
            return Err(SyntaxError("there are too many parameters"));
        }
        self.0.push(param);
        Ok(())
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for param in &self.0 {
            out.push(b';');
            write_line(out, &param.name);
            if let Some(value) = &param.value {
                out.push(b'=');
                write_line(out, value);
            }
        }
    }
}

impl FromIterator<Param> for Params {
    fn from_iter<I: IntoIterator<Item = Param>>(params: I) -> Self {
        Params(params.into_iter().collect())
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

// Wider than a token or host: phones put slashes, brackets and equals signs into values without quoting them.
fn bare_value_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|byte| {
            !(is_token(*byte)
                || matches!(
                    byte,
                    b'[' | b']'
                        | b':'
                        | b'/'
                        | b'='
                        | b'?'
                        | b'@'
                        | b'&'
                        | b'$'
                        | b'#'
                        | b'('
                        | b')'
                        | b'|'
                        | b'{'
                        | b'}'
                        | b'^'
                )
                || *byte >= 0x80)
        })
        .map_or(bytes.len(), |length| from + length)
}

fn is_uri_param(byte: u8) -> bool {
    !(byte <= b' ' || byte == 0x7f || matches!(byte, b'<' | b'>' | b'"' | b'@' | b'?' | b','))
}
