//! The session description in the body of a message: alone, or a part of several (RFC 2046, RFC 5621).
//!
//! Whoever asks gets the octets of the description, or what to answer to whoever sent something else.

use bytes::Bytes;
use memchr::memmem;

use crate::message::{HeaderName, Headers, Params};

/// Parts of one body.
const PART_LIMIT: usize = 16;
/// How deep parts may hold parts.
const DEPTH_LIMIT: usize = 3;
/// Letters of a boundary (RFC 2046, 5.1.1).
const BOUNDARY_LIMIT: usize = 70;

/// A body that cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BodyTrouble {
    /// It is of a type that nobody here reads.
    #[error("the body is of a type that is not read here")]
    Type,
    /// It is packed.
    #[error("the body is encoded")]
    Encoding,
    /// Its parts cannot be told apart.
    #[error("the parts of the body cannot be told apart")]
    Parts,
}

impl BodyTrouble {
    /// The status that a request with such a body deserves.
    pub const fn status(self) -> u16 {
        match self {
            BodyTrouble::Type | BodyTrouble::Encoding => 415,
            BodyTrouble::Parts => 400,
        }
    }

    /// What would have been taken, to be said with the status (RFC 3261, 8.2.3).
    pub const fn remedy(self) -> Option<(HeaderName, &'static str)> {
        match self {
            BodyTrouble::Type => Some((HeaderName::Accept, "application/sdp, multipart/mixed, multipart/alternative")),
            BodyTrouble::Encoding => Some((HeaderName::AcceptEncoding, "identity")),
            BodyTrouble::Parts => None,
        }
    }
}

/// The octets of the session description in a body; `None` when there is none and none is missed.
pub fn of_body(headers: &Headers, body: &Bytes) -> Result<Option<Bytes>, BodyTrouble> {
    if body.is_empty() {
        return Ok(None);
    }
    find(headers, body, DEPTH_LIMIT)
}

fn find(headers: &Headers, body: &Bytes, depth: usize) -> Result<Option<Bytes>, BodyTrouble> {
    let Some(content_type) = headers.get(&HeaderName::ContentType) else {
        // Against RFC 3261, 7.4.1, but plain enough.
        return if body.starts_with(b"v=0") { Ok(Some(body.clone())) } else { Err(BodyTrouble::Type) };
    };
    let is = |media_type: &str| headers.is_content_type(media_type);
    let found = if is("application/sdp") {
        let is_plain = headers.tokens(&HeaderName::ContentEncoding).all(|word| word.eq_ignore_ascii_case(b"identity"));
        if is_plain { Ok(Some(body.clone())) } else { Err(BodyTrouble::Encoding) }
    } else if is("multipart/mixed") || is("multipart/related") {
        split(content_type, body).and_then(|parts| first_of(parts, depth))
    } else if is("multipart/alternative") {
        // The last one that is understood is the best (RFC 2046, 5.1.4).
        split(content_type, body).and_then(|mut parts| {
            parts.reverse();
            first_of(parts, depth)
        })
    } else {
        Err(BodyTrouble::Type)
    };
    match found {
        Err(BodyTrouble::Type | BodyTrouble::Encoding) if is_optional(headers) => Ok(None),
        found => found,
    }
}

/// The first part with a description. Beside one, parts that nobody here reads are passed over unless they insist:
/// carriers add theirs without saying that they are optional.
fn first_of(parts: Vec<(Headers, Bytes)>, depth: usize) -> Result<Option<Bytes>, BodyTrouble> {
    let depth = depth.checked_sub(1).ok_or(BodyTrouble::Parts)?;
    let (mut description, mut trouble) = (None, None);
    for (headers, body) in &parts {
        match find(headers, body, depth) {
            Ok(Some(found)) => {
                description.get_or_insert(found);
            }
            Ok(None) => {}
            Err(BodyTrouble::Parts) => return Err(BodyTrouble::Parts),
            Err(why) if is_required(headers) => return Err(why),
            Err(why) => trouble = trouble.or(Some(why)),
        }
    }
    match (description, trouble) {
        (None, Some(why)) => Err(why),
        (description, _) => Ok(description),
    }
}

/// The parts of a body.
fn split(content_type: &Bytes, body: &Bytes) -> Result<Vec<(Headers, Bytes)>, BodyTrouble> {
    let params = content_type.iter().position(|byte| *byte == b';');
    let params = params.and_then(|at| Params::parse_header(content_type, at).ok()).ok_or(BodyTrouble::Parts)?;
    let boundary = params.text("boundary").ok_or(BodyTrouble::Parts)?;
    if boundary.is_empty() || boundary.len() > BOUNDARY_LIMIT {
        return Err(BodyTrouble::Parts);
    }
    let delimiter = [b"--", &boundary[..]].concat();
    let mut marks = memmem::find_iter(body, &delimiter).filter(|at| *at == 0 || body[*at - 1] == b'\n');
    let mut start = marks.next().ok_or(BodyTrouble::Parts)? + delimiter.len();
    let mut parts = Vec::new();
    // A body that ends without its last mark was cut short.
    while !body[start..].starts_with(b"--") {
        if parts.len() == PART_LIMIT {
            return Err(BodyTrouble::Parts);
        }
        let end = marks.next().ok_or(BodyTrouble::Parts)?;
        parts.push(read_part(&body.slice(start..end)).ok_or(BodyTrouble::Parts)?);
        start = end + delimiter.len();
    }
    Ok(parts)
}

/// A part between two marks: the rest of the mark's line, headers, an empty line, the body and the line end that
/// belongs to the next mark.
fn read_part(part: &Bytes) -> Option<(Headers, Bytes)> {
    let mut headers = Headers::new();
    let mut at = line_end(part, 0)?;
    loop {
        let end = line_end(part, at)?;
        let line = part[at..end].trim_ascii();
        if line.is_empty() {
            at = end;
            break;
        }
        // A line that goes on a header says nothing we need.
        if !part[at].is_ascii_whitespace() {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_token(part.slice_ref(line[..colon].trim_ascii()));
            headers.push(name, part.slice_ref(line[colon + 1..].trim_ascii()));
        }
        at = end;
    }
    let body = &part[at..];
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    Some((headers, part.slice_ref(body)))
}

/// Just behind the line that begins at `from`.
fn line_end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr(b'\n', &bytes[from..]).map(|length| from + length + 1)
}

fn is_optional(headers: &Headers) -> bool {
    handling(headers).is_some_and(|word| word.eq_ignore_ascii_case(b"optional"))
}

fn is_required(headers: &Headers) -> bool {
    handling(headers).is_some_and(|word| word.eq_ignore_ascii_case(b"required"))
}

/// What to do about a part that is not understood (RFC 3261, 20.11).
fn handling(headers: &Headers) -> Option<Bytes> {
    let disposition = headers.get(&HeaderName::ContentDisposition)?;
    let at = disposition.iter().position(|byte| *byte == b';')?;
    Params::parse_header(disposition, at).ok()?.get("handling").cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";

    #[test]
    fn a_description_may_stand_alone() {
        assert_eq!(read("application/sdp", SDP), Ok(Some(SDP.into())));
        assert_eq!(read("Application/SDP ; charset=utf-8", SDP), Ok(Some(SDP.into())));
        assert_eq!(of_body(&Headers::new(), &SDP.into()), Ok(Some(SDP.into())));
        assert_eq!(of_body(&Headers::new(), &Bytes::new()), Ok(None));
    }

    #[test]
    fn it_may_be_one_part_of_several() {
        let body = format!(
            "nobody reads this\r\n--x y\r\nContent-Type: application/isup;version=itu-t92+\r\n\
             Content-Disposition: signal;handling=optional\r\n\r\n\u{1}\u{2}\r\n--x y\r\n\
             Content-Type: application/sdp\r\nContent-Length: 3\r\n\r\n{SDP}\r\n--x y--\r\nnor this"
        );

        assert_eq!(read("multipart/mixed;boundary=\"x y\"", &body), Ok(Some(SDP.into())));
    }

    #[test]
    fn of_alternatives_the_last_that_is_read_counts() {
        let other = SDP.replace("- 1 1", "- 2 2");
        let body = format!(
            "--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/sdp\n\n{SDP}\n--b\n\
             c: application/sdp\n\n{other}\n--b\nContent-Type: text/html\n\n<p>\n--b--"
        );

        assert_eq!(read("multipart/alternative;boundary=b", &body), Ok(Some(other.into())));
    }

    #[test]
    fn parts_may_hold_parts_to_some_depth() {
        let nested = |depth: usize| {
            (0..depth).fold((String::from("application/sdp"), SDP.to_owned()), |(kind, body), level| {
                (
                    format!("multipart/mixed;boundary=b{level}"),
                    format!("--b{level}\r\nContent-Type: {kind}\r\n\r\n{body}\r\n--b{level}--"),
                )
            })
        };

        let (kind, body) = nested(3);
        assert_eq!(read(&kind, &body), Ok(Some(SDP.into())));
        let (kind, body) = nested(4);
        assert_eq!(read(&kind, &body), Err(BodyTrouble::Parts));
    }

    #[test]
    fn what_is_not_read_is_refused_unless_it_is_optional() {
        let optional = Headers::new()
            .with(HeaderName::ContentType, "application/isup")
            .with(HeaderName::ContentDisposition, "signal ; handling=Optional");
        let packed =
            Headers::new().with(HeaderName::ContentType, "application/sdp").with(HeaderName::ContentEncoding, "gzip");

        assert_eq!(read("application/unknownformat", "<audio/>"), Err(BodyTrouble::Type));
        assert_eq!(of_body(&Headers::new(), &"<audio/>".into()), Err(BodyTrouble::Type));
        assert_eq!(of_body(&optional, &"\u{1}".into()), Ok(None));
        assert_eq!(of_body(&packed, &"\u{1f}".into()), Err(BodyTrouble::Encoding));
        assert_eq!(
            (BodyTrouble::Type.status(), BodyTrouble::Encoding.status(), BodyTrouble::Parts.status()),
            (415, 415, 400)
        );
    }

    #[test]
    fn a_part_that_insists_on_being_read_is_refused() {
        let body = |handling: &str| {
            format!(
                "--b\r\nContent-Type: application/own\r\nContent-Disposition: session{handling}\r\n\r\nx\r\n--b\r\n\
                 Content-Type: application/sdp\r\n\r\n{SDP}\r\n--b--"
            )
        };

        assert_eq!(read("multipart/mixed;boundary=b", &body(";handling=required")), Err(BodyTrouble::Type));
        assert_eq!(read("multipart/mixed;boundary=b", &body("")), Ok(Some(SDP.into())));
    }

    #[test]
    fn broken_parts_are_refused() {
        let many = format!("{}--b--", "--b\r\n\r\nx\r\n".repeat(PART_LIMIT + 1));
        let whole = format!("--b\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--b--");
        let long = "b".repeat(BOUNDARY_LIMIT + 1);

        for (kind, body) in [
            ("multipart/mixed", whole.as_str()),
            ("multipart/mixed;boundary=", &whole),
            ("multipart/mixed;boundary=c", &whole),
            ("multipart/mixed;boundary=b", &whole[..whole.len() - 4]),
            ("multipart/mixed;boundary=b", &many),
            ("multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp\r\n--b--"),
            ("multipart/mixed;boundary=b", "--b\r\nno colon\r\n\r\nx\r\n--b--"),
            (&format!("multipart/mixed;boundary={long}"), &format!("--{long}--")),
        ] {
            assert_eq!(read(kind, body), Err(BodyTrouble::Parts), "{kind}\n{body}");
        }
    }

    fn read(content_type: &str, body: &str) -> Result<Option<Bytes>, BodyTrouble> {
        let headers = Headers::new().with(HeaderName::ContentType, content_type.to_owned());
        of_body(&headers, &Bytes::copy_from_slice(body.as_bytes()))
    }
}
