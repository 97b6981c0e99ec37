//! Messages cut out of a stream (RFC 3261, 18.3; keep-alive of RFC 5626, 3.5.1).
//!
//! Looks for the end of the headers and the Content-Length, no further; [`super::parse`] judges what was cut out.
//! Holds at most one message and what came behind it in the same read.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

use super::limits;
use super::scan::{is_space, parse_number, trim};

/// The bytes of one connection on their way to be messages.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Where the line begins that is being looked at.
    line: usize,
    /// Up to here no line end was found behind it.
    searched: usize,
    /// Header lines of the message at the front, so far.
    headers: usize,
    /// Octets of the message at the front, once its headers are complete.
    total: Option<usize>,
    /// An empty line came last: one more makes it a ping.
    after_blank: bool,
    broken: bool,
}

/// What was cut out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// One message, for [`super::parse`] with [`super::Framing::Stream`].
    Message(Bytes),
    /// Two empty lines: a keep-alive that is answered with one ([`Frame::PONG`]).
    Ping,
    /// One empty line between messages: the answer to a keep-alive of ours.
    Pong,
}

impl Frame {
    /// What a [`Frame::Ping`] is answered with.
    pub const PONG: &[u8] = b"\r\n";
    /// A keep-alive of ours.
    pub const PING: &[u8] = b"\r\n\r\n";
}

/// Why a stream makes no sense any more. The connection is to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FramingError {
    /// It, or what it says its body is, is larger than [`limits::MESSAGE`].
    #[error("a message on a stream is too large")]
    TooLarge,
    /// A line is longer than [`limits::LINE`].
    #[error("a header line on a stream is too long")]
    LineTooLong,
    /// More than [`limits::HEADERS`] lines.
    #[error("a message on a stream has too many headers")]
    TooManyHeaders,
    /// There is none, it is no number, or there are two that differ.
    #[error("a message on a stream has no usable Content-Length")]
    NoLength,
}

impl Framer {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Framer::default()
    }

    /// Takes what was read. Ask [`Framer::next`] until it has nothing more before reading again.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Octets that wait for the rest of their message.
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Whether part of a message is waiting for the rest.
    pub fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next whole thing, if one has come. After an error nothing more comes.
    #[allow(clippy::should_implement_trait, reason = "more may come after None")]
    pub fn next(&mut self) -> Option<Result<Frame, FramingError>> {
        if self.broken {
            return None;
        }
        if self.total.is_none()
            && self.line == 0
            && let Some(frame) = self.take_blank()
        {
            return Some(Ok(frame));
        }
        match self.cut() {
            Ok(message) => message.map(|message| Ok(Frame::Message(message))),
            Err(error) => {
                self.broken = true;
                self.buffer = BytesMut::new();
                Some(Err(error))
            }
        }
    }

    fn take_blank(&mut self) -> Option<Frame> {
        let length = match self.buffer.as_ref() {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => return None,
        };
        self.buffer.advance(length);
        self.searched = 0;
        self.after_blank = !self.after_blank;
        Some(if self.after_blank { Frame::Pong } else { Frame::Ping })
    }

    fn cut(&mut self) -> Result<Option<Bytes>, FramingError> {
        if self.total.is_none() {
            self.total = self.read_lines()?;
        }
        let Some(total) = self.total.filter(|total| *total <= self.buffer.len()) else { return Ok(None) };
        let message = self.buffer.split_to(total).freeze();
        (self.line, self.searched, self.headers, self.total, self.after_blank) = (0, 0, 0, None, false);
        Ok(Some(message))
    }

    /// Looks at the lines that are complete. Tells the message's octets once the empty line is among them.
    fn read_lines(&mut self) -> Result<Option<usize>, FramingError> {
        while let Some(length) = memchr(b'\n', &self.buffer[self.searched..]) {
            let end = self.searched + length;
            let line = without_return(&self.buffer[self.line..end]);
            if line.len() > limits::LINE {
                return Err(FramingError::LineTooLong);
            }
            if line.is_empty() {
                let body = content_length(&self.buffer[..self.line])?;
                let total = (end + 1).checked_add(body).filter(|total| *total <= limits::MESSAGE);
                return total.map(Some).ok_or(FramingError::TooLarge);
            }
            // The start line is the one more.
            self.headers += usize::from(!is_space(line[0]));
            if self.headers > limits::HEADERS + 1 {
                return Err(FramingError::TooManyHeaders);
            }
            self.line = end + 1;
            self.searched = end + 1;
        }
        self.searched = self.buffer.len();
        // One octet more than a line: the return of a line end that is still to come.
        if self.searched - self.line > limits::LINE + 1 {
            return Err(FramingError::LineTooLong);
        }
        if self.searched > limits::MESSAGE {
            return Err(FramingError::TooLarge);
        }
        Ok(None)
    }
}

/// The Content-Length of complete header lines, the start line before them.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut found = None;
    let mut lines = head.split(|byte| *byte == b'\n').map(without_return).skip(1).peekable();
    while let Some(line) = lines.next() {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = line[..colon].trim_ascii_end();
        if !name.eq_ignore_ascii_case(b"Content-Length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        // A length that goes on in the next line would have to be read the same way twice; nobody writes one.
        let goes_on = lines.peek().is_some_and(|next| next.first().is_some_and(|byte| is_space(*byte)));
        let length = parse_number(trim(&line[colon + 1..])).and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|_| !goes_on).ok_or(FramingError::NoLength)?;
        if found.replace(length).is_some_and(|other| other != length) {
            return Err(FramingError::NoLength);
        }
    }
    found.ok_or(FramingError::NoLength)
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nl: 3\r\n\r\nabc";
    const TWO: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length : 0\r\n\r\n";

    #[test]
    fn messages_come_out_whole_however_they_come_in() {
        let stream = [b"\r\n\r\n", ONE, TWO, b"\r\n", ONE].concat();
        for piece in [1, 2, 3, 7, stream.len()] {
            let mut framer = Framer::new();
            let mut frames = Vec::new();

            for bytes in stream.chunks(piece) {
                framer.push(bytes);
                frames.extend(std::iter::from_fn(|| framer.next()));
            }

            let (one, two) = (Ok(Frame::Message(ONE.into())), Ok(Frame::Message(TWO.into())));
            assert_eq!(frames, [Ok(Frame::Pong), Ok(Frame::Ping), one.clone(), two, Ok(Frame::Pong), one]);
            assert!(!framer.is_partial());
        }
    }

    #[test]
    fn a_length_that_makes_no_sense_ends_the_stream() {
        for length in ["", "l: x\r\n", "l: -1\r\n", "l: 1\r\nl: 2\r\n", "l:\r\n 1\r\n", "l: 18446744073709551616\r\n"] {
            assert_eq!(
                first(&format!("OPTIONS sip:a@b SIP/2.0\r\n{length}\r\nabc")),
                Err(FramingError::NoLength),
                "{length}"
            );
        }
        assert_eq!(first("OPTIONS sip:a@b SIP/2.0\r\nl: 65530\r\n\r\n"), Err(FramingError::TooLarge));
        assert_eq!(first("OPTIONS sip:a@b SIP/2.0\r\nl: 18446744073709551615\r\n\r\n"), Err(FramingError::TooLarge));
    }

    #[test]
    fn what_does_not_end_is_cut_off_at_the_limits() {
        let start = "OPTIONS sip:a@b SIP/2.0\r\n";

        assert_eq!(first(&"x".repeat(limits::LINE + 2)), Err(FramingError::LineTooLong));
        assert_eq!(
            first(&format!("{start}{}", "a: b\r\n".repeat(limits::HEADERS + 1))),
            Err(FramingError::TooManyHeaders)
        );
        assert_eq!(first(&format!("{start}a: b\r\n{}", " 0123456789\r\n".repeat(6_000))), Err(FramingError::TooLarge));
    }

    #[test]
    fn after_an_error_nothing_more_comes_and_nothing_is_kept() {
        let mut framer = Framer::new();
        framer.push(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n");

        assert!(framer.next().is_some_and(|frame| frame.is_err()));

        framer.push(ONE);
        assert_eq!(framer.next(), None);
        assert!(!framer.is_partial());
    }

    fn first(stream: &str) -> Result<Frame, FramingError> {
        let mut framer = Framer::new();
        framer.push(stream.as_bytes());
        framer.next().unwrap()
    }
}
