//! `Digest name=value, name="value"`: what challenges and credentials have in common.

use std::borrow::Cow;

use bytes::Bytes;

use crate::SyntaxError;
use crate::message::{quoted_end, skip_space, token_end, trim, unquote, write_quoted};

/// The fields of one header value, quotes and escapes taken off.
pub(super) struct Fields(Vec<(Bytes, Bytes)>);

/// No honest header has more.
const FIELD_LIMIT: usize = 32;

impl Fields {
    /// Reads the fields; `None` when the scheme is another than Digest.
    ///
    /// What should be quoted may be bare and the other way round: phones differ.
    pub(super) fn parse(value: &Bytes) -> Result<Option<Self>, SyntaxError> {
        let start = skip_space(value, 0);
        let scheme_end = token_end(value, start);
        if !value[start..scheme_end].eq_ignore_ascii_case(b"Digest") {
            return Ok(None);
        }
        let mut fields = Vec::with_capacity(12);
        let mut at = scheme_end;
        loop {
            while at < value.len() && matches!(value[at], b' ' | b'\t' | b',') {
                at += 1;
            }
            if at == value.len() {
                return Ok(Some(Fields(fields)));
            }
            if fields.len() == FIELD_LIMIT {
                return Err(SyntaxError("a digest has too many fields"));
            }
            let name_end = token_end(value, at);
            let equals = skip_space(value, name_end);
            if name_end == at || value.get(equals) != Some(&b'=') {
                return Err(SyntaxError("a digest field has no name and value"));
            }
            let name = value.slice(at..name_end);
            let start = skip_space(value, equals + 1);
            let text = if value.get(start) == Some(&b'"') {
                at = quoted_end(value, start)?;
                match unquote(&value[start..at]) {
                    Cow::Borrowed(plain) => value.slice_ref(plain),
                    Cow::Owned(plain) => plain.into(),
                }
            } else {
                at = value[start..].iter().position(|byte| *byte == b',').map_or(value.len(), |length| start + length);
                value.slice_ref(trim(&value[start..at]))
            };
            fields.push((name, text));
        }
    }

    /// What a field says; the first of that name.
    pub(super) fn get(&self, name: &str) -> Option<Bytes> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes())).map(|(_, text)| text.clone())
    }

    pub(super) fn need(&self, name: &str, why: &'static str) -> Result<Bytes, SyntaxError> {
        self.get(name).ok_or(SyntaxError(why))
    }
}

/// Writes `name="text"` behind what is there.
pub(super) fn write_text(out: &mut Vec<u8>, name: &str, text: &[u8]) {
    write_name(out, name);
    write_quoted(out, text);
}

/// Writes `name=word` behind what is there.
pub(super) fn write_word(out: &mut Vec<u8>, name: &str, word: &[u8]) {
    write_name(out, name);
    out.extend_from_slice(word);
}

fn write_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(if out.is_empty() { b"Digest " } else { b", " });
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
}
