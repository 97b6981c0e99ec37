//! How long a session lasts without a refresh, and who refreshes it, as a message says so (RFC 4028).

use super::writing::{write_header, write_number};
use crate::HeaderName;

/// Session-Expires, Min-SE and Require as one message says them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spoken {
    pub seconds: u32,
    pub refresher: Option<Role>,
    /// In requests only.
    pub min: Option<u32>,
    /// In answers to those who know what it means.
    pub is_required: bool,
}

/// Who refreshes, seen from the transaction that says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Uac,
    Uas,
}

impl Spoken {
    pub(crate) fn write(&self, out: &mut Vec<u8>, given: impl Fn(&HeaderName) -> bool) {
        if !given(&HeaderName::SessionExpires) {
            out.extend_from_slice(b"Session-Expires: ");
            write_number(out, self.seconds as usize);
            out.extend_from_slice(match self.refresher {
                Some(Role::Uac) => b";refresher=uac",
                Some(Role::Uas) => b";refresher=uas",
                None => b"",
            });
            out.extend_from_slice(b"\r\n");
        }
        if let Some(min) = self.min
            && !given(&HeaderName::MinSe)
        {
            out.extend_from_slice(b"Min-SE: ");
            write_number(out, min as usize);
            out.extend_from_slice(b"\r\n");
        }
        if self.is_required {
            write_header(out, &HeaderName::Require, b"timer");
        }
    }
}
