//! The answer to a STUN binding request on a SIP flow: a phone's keep-alive by UDP (RFC 5626, 8; RFC 8489).

use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};

const HEADER: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: u16 = 0x0101;
const COOKIE: u32 = 0x2112_A442;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// Whether a packet is a binding request.
pub fn is_request(packet: &[u8]) -> bool {
    let Some((header, attributes)) = packet.split_first_chunk::<HEADER>() else { return false };
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    header[..2] == BINDING_REQUEST && header[4..8] == COOKIE.to_be_bytes() && length == attributes.len()
}

/// The answer to a packet that is a binding request: the address that it came from.
pub fn answer(packet: &[u8], remote: SocketAddr) -> Option<Bytes> {
    if !is_request(packet) {
        return None;
    }
    let identity = &packet[4..HEADER];
    let ip = remote.ip().to_canonical();
    let (family, octets): (u8, Vec<u8>) = match ip {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let value = 4 + octets.len() as u16;
    let mut answer = BytesMut::with_capacity(HEADER + 4 + usize::from(value));
    answer.put_u16(BINDING_SUCCESS);
    answer.put_u16(4 + value);
    answer.put_slice(identity);
    answer.put_u16(XOR_MAPPED_ADDRESS);
    answer.put_u16(value);
    answer.put_u8(0);
    answer.put_u8(family);
    answer.put_u16(remote.port() ^ (COOKIE >> 16) as u16);
    answer.extend(octets.iter().zip(identity).map(|(octet, key)| octet ^ key));
    Some(answer.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5769, 2.2 and 2.3 without the attributes that only signed requests have.
    const IDENTITY: [u8; 12] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn request() -> Vec<u8> {
        [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &IDENTITY].concat()
    }

    #[test]
    fn a_phone_is_told_where_it_sends_from() {
        let four = answer(&request(), "192.0.2.1:32853".parse().unwrap()).expect("an answer");
        let six = answer(&request(), "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap()).expect("one");

        assert_eq!(four[..8], [1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42]);
        assert_eq!(four[8..20], IDENTITY);
        assert_eq!(four[20..], [0x00, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        let expected = [
            0x00, 0x20, 0, 20, 0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4,
            0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(six[20..], expected);
    }

    #[test]
    fn what_is_no_binding_request_gets_no_answer() {
        let remote = "192.0.2.1:32853".parse().unwrap();
        let mut indication = request();
        indication[1] = 0x11;
        let mut longer = request();
        longer.push(0);

        for packet in [&indication[..], &longer, &request()[..19], b"", b"OPTIONS sip:a SIP/2.0\r\n\r\n"] {
            assert_eq!(answer(packet, remote), None);
        }
    }
}
