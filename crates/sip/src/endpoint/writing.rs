//! What requests and answers have in common as they are written: headers, numbers, addresses, and what we say of ourselves.

use std::net::SocketAddr;

use super::order::is_ours;
use crate::message::write_line;
use crate::{HeaderName, Headers};

/// What we say of ourselves.
pub(crate) struct Own {
    /// User-Agent and Server.
    pub software: String,
    /// Allow.
    pub allow: String,
    /// Supported.
    pub supported: String,
}

impl Own {
    /// Writes Allow and Supported.
    pub(crate) fn present(&self, out: &mut Vec<u8>, given: impl Fn(&HeaderName) -> bool) {
        for (name, value) in [(HeaderName::Allow, &self.allow), (HeaderName::Supported, &self.supported)] {
            if !value.is_empty() && !given(&name) {
                write_header(out, &name, value.as_bytes());
            }
        }
    }

    /// About how much room it takes.
    pub(crate) fn size(&self, presents: bool) -> usize {
        let presented = if presents { self.allow.len() + self.supported.len() + 100 } else { 0 };
        self.software.len() + presented
    }
}

/// Writes the headers that an asker gave, Content-Type and Content-Length, the empty line and the body.
pub(crate) fn write_rest(out: &mut Vec<u8>, headers: Option<&Headers>, content_type: Option<&[u8]>, body: &[u8]) {
    for (name, value) in headers.into_iter().flat_map(Headers::iter) {
        let is_replaced = content_type.is_some() && *name == HeaderName::ContentType;
        if !is_replaced && !is_ours(name) {
            write_header(out, name, value);
        }
    }
    if let Some(content_type) = content_type {
        write_header(out, &HeaderName::ContentType, content_type);
    }
    out.extend_from_slice(b"Content-Length: ");
    write_number(out, body.len());
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

pub(crate) fn write_header(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    write_line(out, name.as_bytes());
    out.extend_from_slice(b": ");
    write_line(out, value);
    out.extend_from_slice(b"\r\n");
}

pub(crate) fn write_number(out: &mut Vec<u8>, number: usize) {
    let mut digits = [0; 20];
    let (mut rest, mut at) = (number, digits.len());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes host and port.
pub(crate) fn write_address(out: &mut Vec<u8>, address: SocketAddr) {
    match address {
        SocketAddr::V4(v4) => {
            for (index, octet) in v4.ip().octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                write_number(out, usize::from(octet));
            }
            out.push(b':');
            write_number(out, usize::from(v4.port()));
        }
        SocketAddr::V6(v6) => out.extend_from_slice(format!("[{}]:{}", v6.ip(), v6.port()).as_bytes()),
    }
}
