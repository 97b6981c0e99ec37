//! RTP packets (RFC 3550, section 5.1): the fixed header, and where the payload lies.
//!
//! CSRCs, the header extension and padding are skipped on the way in and never written.

use std::ops::Range;

/// The length of the header we write.
pub const HEADER: usize = 12;

/// What the fixed header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Set on the first packet after a silence or of another source.
    pub marker: bool,
    /// Below 128.
    pub payload_type: u8,
    /// Counts packets.
    pub sequence: u16,
    /// Counts samples.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// Why bytes are not an RTP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// Another version than 2.
    #[error("not RTP version 2")]
    Version,
    /// It ends before what its header announces.
    #[error("shorter than its header says")]
    Short,
    /// More padding than there are bytes, or none where some is announced.
    #[error("padding that cannot be")]
    Padding,
}

/// Reads a packet: its header, and where its payload lies in it. The payload begins at [`HEADER`] or later.
pub fn parse(packet: &[u8]) -> Result<(Header, Range<usize>), Malformed> {
    let (header, start) = head(packet)?;
    let mut end = packet.len();
    if packet[0] & 0x20 != 0 {
        let padding = usize::from(packet[end - 1]);
        if padding == 0 || padding > end - start {
            return Err(Malformed::Padding);
        }
        end -= padding;
    }
    Ok((header, start..end))
}

/// Reads a packet whose payload cannot be read yet: its header, and where the payload and its padding begin.
pub fn head(packet: &[u8]) -> Result<(Header, usize), Malformed> {
    let Some((head, _)) = packet.split_first_chunk::<HEADER>() else { return Err(Malformed::Short) };
    if head[0] >> 6 != 2 {
        return Err(Malformed::Version);
    }
    let header = Header {
        marker: head[1] & 0x80 != 0,
        payload_type: head[1] & 0x7f,
        sequence: u16::from_be_bytes([head[2], head[3]]),
        timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
    };
    let mut start = HEADER + 4 * usize::from(head[0] & 0x0f);
    if head[0] & 0x10 != 0 {
        let extension = packet.get(start..start + 4).ok_or(Malformed::Short)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
    }
    if start > packet.len() { Err(Malformed::Short) } else { Ok((header, start)) }
}

impl Header {
    /// The header as bytes; the payload follows them.
    pub fn print(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0] = 2 << 6;
        bytes[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7f;
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

/// Who sends a packet, RTP or RTCP. None: too short to say.
pub fn ssrc(packet: &[u8]) -> Option<u32> {
    let at = if is_control(packet) { 4 } else { 8 };
    packet.get(at..)?.first_chunk().map(|ssrc| u32::from_be_bytes(*ssrc))
}

/// Whether a packet that came to an RTP port is RTCP (RFC 5761, section 4).
pub fn is_control(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|&second| (192..=223).contains(&second))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(
            marker: bool, payload_type in 0u8..128, sequence: u16, timestamp: u32, ssrc: u32,
            payload in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let header = Header { marker, payload_type, sequence, timestamp, ssrc };
            let mut packet = header.print().to_vec();
            packet.extend_from_slice(&payload);

            let (again, range) = parse(&packet).unwrap();

            prop_assert_eq!(again, header);
            prop_assert_eq!(&packet[range], &payload[..]);
        }

        #[test]
        fn any_bytes_give_an_error_or_a_payload_inside_them(packet in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((_, range)) = parse(&packet) {
                prop_assert!(range.start >= HEADER && range.start <= range.end && range.end <= packet.len());
            }
        }
    }

    #[test]
    fn csrcs_an_extension_and_padding_are_skipped() {
        let mut packet = vec![0xb2, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend([0; 8]);
        packet.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        packet.extend([1, 2, 3, 0, 0, 3]);

        let (_, range) = parse(&packet).unwrap();

        assert_eq!(packet[range], [1, 2, 3]);
    }

    #[test]
    fn impossible_headers_are_refused() {
        let plain = [0x80, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        let with = |first: u8, tail: &[u8]| {
            let mut packet = plain.to_vec();
            packet[0] = first;
            packet.extend_from_slice(tail);
            parse(&packet).unwrap_err()
        };

        assert_eq!(parse(&plain[..11]).unwrap_err(), Malformed::Short);
        assert_eq!(with(0x40, &[]), Malformed::Version);
        assert_eq!(with(0x81, &[0; 3]), Malformed::Short);
        assert_eq!(with(0x90, &[0xbe, 0xde]), Malformed::Short);
        assert_eq!(with(0x90, &[0xbe, 0xde, 0xff, 0xff]), Malformed::Short);
        assert_eq!(with(0xa0, &[1, 1, 9]), Malformed::Padding);
        assert_eq!(with(0xa0, &[1, 1, 0]), Malformed::Padding);
    }
}
