//! How urgent a message is, told by its first bytes and by names of ours in it, before anything is read.

/// How long a message may wait when there are many. What is more urgent comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Urgency {
    /// It belongs to something that has begun: answers, ACK, CANCEL, and what carries a name of ours.
    Begun,
    /// It wants to begin a call.
    Call,
    /// REGISTER, OPTIONS and all else.
    Rest,
}

impl Urgency {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Begun, Self::Call, Self::Rest];
}

/// Digits behind the dot in a name of ours.
const DIGITS: usize = 16;
/// How far into a message its headers are looked for a name of ours.
const HEAD: usize = 8 * 1024;

/// The longest word before the first blank: a method, or the version of a response.
const WORD: usize = 64;

/// How urgent a message is. `mark` is what stands before the dot in names that our engine makes. None: it is no SIP.
pub fn of(packet: &[u8], mark: &[u8]) -> Option<Urgency> {
    let packet = packet.trim_ascii_start();
    let word = packet.iter().take(WORD + 1).position(|byte| *byte == b' ').map(|end| &packet[..end])?;
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~/".contains(byte);
    (!word.is_empty() && word.iter().all(is_token)).then(|| of_sip(packet, mark))
}

fn of_sip(packet: &[u8], mark: &[u8]) -> Urgency {
    if [&b"SIP/"[..], b"ACK ", b"CANCEL "].iter().any(|start| packet.starts_with(start)) {
        return Urgency::Begun;
    }
    // Registrations are many, and what phones ask in a dialog is never these.
    if [&b"REGISTER "[..], b"OPTIONS "].iter().any(|start| packet.starts_with(start)) {
        return Urgency::Rest;
    }
    match packet.starts_with(b"INVITE ") {
        _ if carries_name(packet, mark) => Urgency::Begun,
        true => Urgency::Call,
        false => Urgency::Rest,
    }
}

/// Whether a tag, branch or Call-ID as our engine makes them stands in it: a request in a dialog has one in To.
fn carries_name(packet: &[u8], mark: &[u8]) -> bool {
    let head = &packet[..packet.len().min(HEAD)];
    let dots = head.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
    dots.into_iter().any(|at| {
        let digits = head.get(at + 1..at + 1 + DIGITS);
        head[..at].ends_with(mark)
            && digits.is_some_and(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_begun_is_known_by_its_kind_or_by_a_name_of_ours() {
        let begun = [
            "SIP/2.0 200 OK\r\n",
            "ACK sip:a SIP/2.0\r\n",
            "CANCEL sip:a SIP/2.0\r\n",
            "BYE sip:a SIP/2.0\r\nTo: <sip:b>;tag=12.0123456789abcdef\r\n",
            "INVITE sip:a SIP/2.0\r\nTo: <sip:b>;tag=12.0123456789abcdef\r\n",
            "INFO sip:a SIP/2.0\r\nt: <sip:b>;tag=12.0123456789abcdef\r\n",
        ];
        let calls = [
            "INVITE sip:a SIP/2.0\r\nTo: <sip:b>\r\n",
            "INVITE sip:a SIP/2.0\r\nTo: <sip:b>;tag=13.0123456789abcdef\r\n",
            "INVITE sip:a@192.168.12.50 SIP/2.0\r\nCall-ID: 12.0123456789abcde",
        ];
        let rest = [
            "REGISTER sip:a SIP/2.0\r\nCall-ID: 12.0123456789abcdef\r\n",
            "OPTIONS sip:a SIP/2.0\r\n",
            "BYE sip:a SIP/2.0\r\nTo: <sip:b>;tag=other\r\n",
            "\r\nREGISTER sip:a SIP/2.0\r\n",
            "GET / HTTP/1.1\r\n",
        ];

        for (texts, urgency) in [(&begun[..], Urgency::Begun), (&calls, Urgency::Call), (&rest, Urgency::Rest)] {
            for text in texts {
                assert_eq!(of(text.as_bytes(), b"12"), Some(urgency), "{text}");
            }
        }
    }

    #[test]
    fn garbage_is_known_by_its_first_word() {
        let texts: [&[u8]; 6] = [b"", b"\r\n\r\n", b"\0\0\0\0", b"REGISTER", b"\x16\x03\x01\x02 \0", &[b'A'; 100]];

        for text in texts {
            assert_eq!(of(text, b"12"), None, "{text:?}");
        }
    }
}
