//! A session description from its bytes.
//!
//! Strict about what decides where sound goes, lenient about what is missing otherwise. Lines end in CRLF or LF.

use bytes::Bytes;

use super::{Connection, Line, Media, Origin, Sdp, rank};
use crate::message::parse_number;

/// Octets of a description.
const SIZE_LIMIT: usize = 32_768;
/// Lines of a description. Browsers write some hundred.
const LINE_LIMIT: usize = 1_024;
const MEDIA_LIMIT: usize = 32;
const FORMAT_LIMIT: usize = 128;

/// Why a description is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SdpError {
    /// Too long, or too many lines, sections or formats.
    #[error("the session description is too large")]
    TooLarge,
    /// It does not begin with `v=0`.
    #[error("the session description does not begin with v=0")]
    Version,
    /// A line that cannot be read; counted from 1.
    #[error("line {0} of the session description cannot be read")]
    Line(usize),
    /// There is no `o=`.
    #[error("the session description has no o= line")]
    NoOrigin,
}

/// Reads a description.
pub fn parse(bytes: &Bytes) -> Result<Sdp, SdpError> {
    if bytes.len() > SIZE_LIMIT {
        return Err(SdpError::TooLarge);
    }
    // Some equipment counts the end of its own string among the octets.
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | 0)).map_or(0, |last| last + 1);
    let text = &bytes[..end];
    let mut draft = Draft::default();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        if number > LINE_LIMIT {
            return Err(SdpError::TooLarge);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let [letter @ b'a'..=b'z', b'=', value @ ..] = line else {
            return Err(if number == 1 { SdpError::Version } else { SdpError::Line(number) });
        };
        if value.iter().any(|byte| matches!(byte, 0 | b'\r')) {
            return Err(SdpError::Line(number));
        }
        if number == 1 {
            if *letter != b'v' || value.trim_ascii() != b"0" {
                return Err(SdpError::Version);
            }
            continue;
        }
        let taken = draft.take(*letter, bytes.slice_ref(value))?;
        taken.ok_or(SdpError::Line(number))?;
    }
    draft.finish()
}

#[derive(Default)]
struct Draft {
    origin: Option<Origin>,
    name: Option<Bytes>,
    connection: Option<Connection>,
    lines: Vec<Line>,
    media: Vec<Media>,
}

impl Draft {
    /// Takes one line; `None` when it makes no sense.
    fn take(&mut self, letter: u8, value: Bytes) -> Result<Option<()>, SdpError> {
        if letter == b'm' {
            if self.media.len() == MEDIA_LIMIT {
                return Err(SdpError::TooLarge);
            }
            let media = read_media(&value)?;
            return Ok(media.map(|media| self.media.push(media)));
        }
        let in_session = self.media.is_empty();
        let (connection, lines) = match self.media.last_mut() {
            Some(media) => (&mut media.connection, &mut media.lines),
            None => (&mut self.connection, &mut self.lines),
        };
        match letter {
            b'o' if in_session && self.origin.is_none() => {
                self.origin = read_origin(&value);
                return Ok(self.origin.is_some().then_some(()));
            }
            b's' if in_session && self.name.is_none() => self.name = Some(value),
            b'v' | b'o' | b's' => return Ok(None),
            b'c' => {
                let Some(read) = read_connection(&value) else { return Ok(None) };
                match connection {
                    // More addresses for more ports in a row (RFC 8866, 5.7); sound goes to the first.
                    Some(_) => lines.push(Line { letter, value }),
                    None => *connection = Some(read),
                }
            }
            _ => lines.push(Line { letter, value }),
        }
        Ok(Some(()))
    }

    fn finish(mut self) -> Result<Sdp, SdpError> {
        let sections = self.media.iter_mut().map(|media| &mut media.lines);
        for lines in sections.chain([&mut self.lines]) {
            lines.sort_by_key(|line| rank(line.letter));
        }
        Ok(Sdp {
            origin: self.origin.ok_or(SdpError::NoOrigin)?,
            name: self.name.unwrap_or(Bytes::from_static(b"-")),
            connection: self.connection,
            lines: self.lines,
            media: self.media,
        })
    }
}

fn words(value: &Bytes) -> impl Iterator<Item = Bytes> {
    value.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).map(|word| value.slice_ref(word))
}

/// The name of the user may have blanks in it, or be missing, against RFC 8866, 5.2; nobody asks for it.
fn read_origin(value: &Bytes) -> Option<Origin> {
    let words: Vec<Bytes> = words(value).collect();
    let (username, rest) = words.split_at(words.len().checked_sub(5)?);
    let [session_id, version, host @ ..] = rest else { return None };
    let username = if username.is_empty() { Bytes::from_static(b"-") } else { username.join(&b' ').into() };
    let host = take_connection(host.iter().cloned())?;
    Some(Origin { username, session_id: session_id.clone(), version: version.clone(), host })
}

fn read_connection(value: &Bytes) -> Option<Connection> {
    take_connection(words(value))
}

fn take_connection(mut words: impl Iterator<Item = Bytes>) -> Option<Connection> {
    let [network, kind, address] = [words.next()?, words.next()?, words.next()?];
    words.next().is_none().then(|| Connection([network, kind, address].join(&b' ').into()))
}

fn read_media(value: &Bytes) -> Result<Option<Media>, SdpError> {
    let mut words = words(value);
    let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else { return Ok(None) };
    let formats: Vec<Bytes> = words.by_ref().take(FORMAT_LIMIT).collect();
    if words.next().is_some() {
        return Err(SdpError::TooLarge);
    }
    let number = |digits: &[u8]| parse_number(digits).and_then(|number| u16::try_from(number).ok());
    let slash = port.iter().position(|byte| *byte == b'/');
    let (port, ports) = match slash {
        Some(slash) => (number(&port[..slash]), Some(number(&port[slash + 1..]))),
        None => (number(&port), None),
    };
    let (Some(port), false, false) = (port, ports == Some(None), formats.is_empty()) else { return Ok(None) };
    let ports = ports.flatten();
    Ok(Some(Media { kind, port, ports, protocol, formats, connection: None, lines: Vec::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

    #[test]
    fn unknown_lines_are_kept_in_their_sections() {
        let text =
            format!("{HEAD}k=clear:x\r\na=tool:y\r\nm=audio 4000 RTP/AVP 8\r\ni=z\r\nb=AS:64\r\na=crypto:1 w\r\n");

        let sdp = read(&text).unwrap();

        assert_eq!(sdp.print(), text);
    }

    #[test]
    fn lines_may_end_in_lf_and_the_last_not_at_all() {
        let sdp = read("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=\nm=audio 4000/2 RTP/AVP 8 101").unwrap();

        assert_eq!((sdp.media[0].port, sdp.media[0].ports), (4000, Some(2)));
        assert_eq!(sdp.name, "");
        assert_eq!(sdp.connection, None);
    }

    #[test]
    fn blanks_at_the_end_belong_to_the_last_line_and_line_ends_do_not() {
        let sdp = read("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=x  \r\n\r\n").unwrap();

        assert_eq!(sdp.name, "x  ");
    }

    #[test]
    fn slips_that_change_nothing_are_passed_over() {
        let named = read("v=0\r\no=My Phone 1 2 IN IP4 192.0.2.1\r\ns=-\r\n\0").unwrap();
        let nameless = read("v=0\r\no= 1 2 IN IP4 192.0.2.1\r\ns=-\r\n").unwrap();

        assert_eq!((named.origin.username.as_ref(), named.origin.version.as_ref()), (&b"My Phone"[..], &b"2"[..]));
        assert_eq!(parse(&named.print()), Ok(named));
        assert_eq!(nameless.origin.username, "-");
    }

    #[test]
    fn hostile_descriptions_are_refused() {
        let line_6 = [
            "m=audio\r\n",
            "m=audio 65536 RTP/AVP 0\r\n",
            "m=audio -1 RTP/AVP 0\r\n",
            "m=audio 4000/x RTP/AVP 0\r\n",
            "m=audio 4000 RTP/AVP\r\n",
            "m =audio 4000 RTP/AVP 0\r\n",
            "c=IN IP4\r\n",
            "c=IN IP4 192.0.2.1 more\r\n",
            "v=0\r\n",
            "o=- 2 2 IN IP4 192.0.2.1\r\n",
            "s=again\r\n",
            "nonsense\r\n",
            "\r\na=x\r\n",
            "a=x\0y\r\n",
            "a=x\ry\r\n",
            "A=x\r\n",
        ];

        for line in line_6 {
            assert_eq!(read(&format!("{HEAD}{line}")), Err(SdpError::Line(6)), "{line}");
        }
        assert_eq!(read(""), Err(SdpError::Version));
        assert_eq!(read("v=1\r\n"), Err(SdpError::Version));
        assert_eq!(read("o=- 1 1 IN IP4 192.0.2.1\r\n"), Err(SdpError::Version));
        assert_eq!(read("v=0\r\ns=-\r\n"), Err(SdpError::NoOrigin));
        assert_eq!(read("v=0\r\no=- 1\r\n"), Err(SdpError::Line(2)));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let many = [
            "a=x\r\n".repeat(LINE_LIMIT),
            "m=audio 4000 RTP/AVP 0\r\n".repeat(MEDIA_LIMIT + 1),
            format!("m=audio 4000 RTP/AVP{}\r\n", " 0".repeat(FORMAT_LIMIT + 1)),
            format!("a={}\r\n", "x".repeat(SIZE_LIMIT)),
        ];

        for lines in many {
            assert_eq!(read(&format!("{HEAD}{lines}")), Err(SdpError::TooLarge));
        }
    }

    fn read(text: &str) -> Result<Sdp, SdpError> {
        parse(&Bytes::copy_from_slice(text.as_bytes()))
    }
}
