//! The letters of RFC 3261, 25.1: tokens, blanks, quoted strings, lists.

use std::borrow::Cow;

use super::SyntaxError;

/// Whether a byte may stand in a token.
pub(crate) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// Whether these bytes are one token.
pub(crate) fn is_whole_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token(*byte))
}

/// Where the token that starts at `from` ends; `from` itself when there is none.
pub(crate) fn token_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| !is_token(*byte)).map_or(bytes.len(), |length| from + length)
}

/// The first place at or after `from` that is no blank.
pub(crate) fn skip_space(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| !is_space(*byte)).map_or(bytes.len(), |length| from + length)
}

pub(crate) fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The part without blanks at either end.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let start = skip_space(bytes, 0);
    let end = bytes.iter().rposition(|byte| !is_space(*byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// Where the quoted string that opens at `from` ends, just behind its closing quote.
pub(crate) fn quoted_end(bytes: &[u8], from: usize) -> Result<usize, SyntaxError> {
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Err(SyntaxError("a quoted string does not end"))
}

/// The parts of a comma-separated list, blanks trimmed. Commas in quotes and in angle brackets do not part.
///
/// An empty part is an error, and so is a quote that does not end.
pub(crate) fn split_list(bytes: &[u8]) -> impl Iterator<Item = Result<&[u8], SyntaxError>> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest.take()?;
        let end = match list_item_end(bytes) {
            Ok(end) => end,
            Err(error) => return Some(Err(error)),
        };
        if end < bytes.len() {
            rest = Some(&bytes[end + 1..]);
        }
        let item = trim(&bytes[..end]);
        Some(if item.is_empty() { Err(SyntaxError("a list has an empty part")) } else { Ok(item) })
    })
}

fn list_item_end(bytes: &[u8]) -> Result<usize, SyntaxError> {
    let mut at = 0;
    let mut in_brackets = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' if !in_brackets => {
                at = quoted_end(bytes, at)?;
                continue;
            }
            b'<' => in_brackets = true,
            b'>' => in_brackets = false,
            b',' if !in_brackets => return Ok(at),
            _ => {}
        }
        at += 1;
    }
    Ok(at)
}

/// What a quoted string says; bytes that are not quoted say themselves.
pub(crate) fn unquote(bytes: &[u8]) -> Cow<'_, [u8]> {
    let [b'"', inside @ .., b'"'] = bytes else { return Cow::Borrowed(bytes) };
    if !inside.contains(&b'\\') {
        return Cow::Borrowed(inside);
    }
    let mut plain = Vec::with_capacity(inside.len());
    let mut escaped = false;
    for byte in inside {
        if *byte == b'\\' && !escaped {
            escaped = true;
        } else {
            plain.push(*byte);
            escaped = false;
        }
    }
    Cow::Owned(plain)
}

/// Writes `text` as a quoted string. Line ends cannot be quoted (RFC 3261, 25.1) and become blanks.
pub(crate) fn write_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\r' | b'\n' => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}

/// Writes `text` with line ends made blanks, so that nothing we were handed opens a header line of its own.
pub(crate) fn write_line(out: &mut Vec<u8>, text: &[u8]) {
    let start = out.len();
    out.extend_from_slice(text);
    for byte in &mut out[start..] {
        if *byte == b'\r' || *byte == b'\n' {
            *byte = b' ';
        }
    }
}

/// A number in decimal digits and nothing else.
pub(crate) fn parse_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        if !digit.is_ascii_digit() {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b"-.!%*_+`'~";
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut mark = 0;
    while mark < marks.len() {
        table[marks[mark] as usize] = true;
        mark += 1;
    }
    table
};
