//! RTCP (RFC 3550, section 6): reading what a party tells of our sound, and writing what we tell of its.
//!
//! A datagram holds several packets. We read sender and receiver reports, SDES names and BYE, and pass over the rest.

use crate::reception::ReceptionReport;

/// The longest datagram we write.
pub(crate) const LONGEST: usize = 128;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;

/// One packet out of a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ControlPacket<'a> {
    /// SR: who sends what.
    SenderReport {
        /// Who tells.
        ssrc: u32,
        /// Its clock.
        sender: SenderInfo,
        /// What it hears.
        blocks: Blocks<'a>,
    },
    /// RR: from one who sends nothing.
    ReceiverReport {
        /// Who tells.
        ssrc: u32,
        /// What it hears.
        blocks: Blocks<'a>,
    },
    /// SDES: the canonical name of the first source in it.
    Name {
        /// Whose.
        ssrc: u32,
        /// CNAME.
        name: &'a [u8],
    },
    /// BYE: the first source in it has ended.
    Bye {
        /// Who.
        ssrc: u32,
    },
}

/// What a sender tells of its own stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderInfo {
    /// Its time as an NTP timestamp.
    pub ntp: u64,
    /// The same moment in its RTP timestamps.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Bytes of payload sent.
    pub octets: u32,
}

/// What a receiver tells of one stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Whose stream it is.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost altogether; below zero when packets came twice.
    pub lost: i32,
    /// The highest sequence number, with its cycles.
    pub highest: u32,
    /// In units of the timestamp.
    pub jitter: u32,
    /// The middle of the NTP timestamp of the last sender report; 0: none came.
    pub last_report: u32,
    /// Time since then, in 65 536ths of a second.
    pub since_last_report: u32,
}

/// The report blocks of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocks<'a>(&'a [u8]);

const BLOCK: usize = 24;

impl Blocks<'_> {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Block> {
        self.0.chunks_exact(BLOCK).map(|block| {
            let lost = word(block, 4);
            Block {
                ssrc: word(block, 0),
                fraction_lost: (lost >> 24) as u8,
                // 24 bits with a sign.
                lost: (lost << 8) as i32 >> 8,
                highest: word(block, 8),
                jitter: word(block, 12),
                last_report: word(block, 16),
                since_last_report: word(block, 20),
            }
        })
    }
}

/// The packets of a datagram, up to the first that is broken.
pub fn parse(datagram: &[u8]) -> impl Iterator<Item = ControlPacket<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        loop {
            let (&[first, kind, high, low], _) = rest.split_first_chunk()?;
            let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
            if first >> 6 != 2 || length > rest.len() {
                return None;
            }
            let (packet, after) = rest.split_at(length);
            rest = after;
            if let Some(packet) = read(kind, usize::from(first & 0x1f), &packet[4..]) {
                return Some(packet);
            }
        }
    })
}

/// Reads what follows the first word. None: nothing we know, or broken.
fn read(kind: u8, count: usize, body: &[u8]) -> Option<ControlPacket<'_>> {
    let ssrc = word(body.get(..4)?, 0);
    match kind {
        SENDER_REPORT => {
            let info = body.get(4..24)?;
            let ntp = u64::from(word(info, 0)) << 32 | u64::from(word(info, 4));
            let sender = SenderInfo { ntp, timestamp: word(info, 8), packets: word(info, 12), octets: word(info, 16) };
            let blocks = Blocks(body.get(24..24 + count * BLOCK)?);
            Some(ControlPacket::SenderReport { ssrc, sender, blocks })
        }
        RECEIVER_REPORT => {
            Some(ControlPacket::ReceiverReport { ssrc, blocks: Blocks(body.get(4..4 + count * BLOCK)?) })
        }
        SOURCE_DESCRIPTION if count > 0 => {
            let mut items = &body[4..];
            while let [kind @ (1..=255), length, after @ ..] = items {
                let (text, next) = after.split_at_checked(usize::from(*length))?;
                if *kind == 1 {
                    return Some(ControlPacket::Name { ssrc, name: text });
                }
                items = next;
            }
            None
        }
        BYE if count > 0 => Some(ControlPacket::Bye { ssrc }),
        _ => None,
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// What one session tells its party: a report, its name, and whether it ends.
pub(crate) struct Statement<'a> {
    pub ssrc: u32,
    /// None: nothing was sent since the last statement, and a receiver report is due.
    pub sender: Option<SenderInfo>,
    pub heard: Option<Heard>,
    /// At most 32 bytes.
    pub name: &'a [u8],
    pub bye: bool,
}

/// What we heard of the party's stream, and of its last sender report.
pub(crate) struct Heard {
    pub report: ReceptionReport,
    pub last_report: u32,
    pub since_last_report: u32,
}

impl Statement<'_> {
    /// Writes the datagram; gives its length.
    pub fn print(&self, into: &mut [u8; LONGEST]) -> usize {
        let mut writer = Writer { into, length: 0 };
        let blocks = u8::from(self.heard.is_some());
        match self.sender {
            Some(sender) => {
                writer.head(blocks, SENDER_REPORT, 6 + 6 * u16::from(blocks));
                writer.word(self.ssrc);
                writer.word((sender.ntp >> 32) as u32);
                writer.word(sender.ntp as u32);
                writer.word(sender.timestamp);
                writer.word(sender.packets);
                writer.word(sender.octets);
            }
            None => {
                writer.head(blocks, RECEIVER_REPORT, 1 + 6 * u16::from(blocks));
                writer.word(self.ssrc);
            }
        }
        if let Some(Heard { report, last_report, since_last_report }) = &self.heard {
            writer.word(report.ssrc);
            writer.word(u32::from(report.fraction_lost) << 24 | report.lost as u32 & 0xff_ffff);
            writer.word(report.highest);
            writer.word(report.jitter);
            writer.word(*last_report);
            writer.word(*since_last_report);
        }
        let name = &self.name[..self.name.len().min(32)];
        // The items end with a zero and are filled up to whole words.
        let items = (2 + name.len() + 1).next_multiple_of(4);
        writer.head(1, SOURCE_DESCRIPTION, 1 + (items / 4) as u16);
        writer.word(self.ssrc);
        writer.bytes(&[1, name.len() as u8]);
        writer.bytes(name);
        writer.bytes(&[0; 4][..items - 2 - name.len()]);
        if self.bye {
            writer.head(1, BYE, 1);
            writer.word(self.ssrc);
        }
        writer.length
    }
}

struct Writer<'a> {
    into: &'a mut [u8; LONGEST],
    length: usize,
}

impl Writer<'_> {
    fn head(&mut self, count: u8, kind: u8, words: u16) {
        self.bytes(&[2 << 6 | count, kind]);
        self.bytes(&words.to_be_bytes());
    }

    fn word(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.into[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn print(statement: &Statement) -> Vec<u8> {
        let mut datagram = [0; LONGEST];
        let length = statement.print(&mut datagram);
        datagram[..length].to_vec()
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(
            ssrc: u32, ntp: u64, timestamp: u32, packets: u32, octets: u32, of: u32, fraction_lost: u8,
            lost in -0x80_0000..0x80_0000i32, highest: u32, jitter: u32, last_report: u32, since_last_report: u32,
            name in "[a-z0-9@.]{0,32}",
        ) {
            let sender = SenderInfo { ntp, timestamp, packets, octets };
            let report = ReceptionReport { ssrc: of, fraction_lost, lost, highest, jitter };
            let heard = Some(Heard { report, last_report, since_last_report });
            let datagram = print(&Statement { ssrc, sender: Some(sender), heard, name: name.as_bytes(), bye: true });

            let read: Vec<_> = parse(&datagram).collect();

            prop_assert_eq!(datagram.len() % 4, 0);
            let [ControlPacket::SenderReport { ssrc: from, sender: told, blocks }, named, bye] = read[..] else {
                return Err(TestCaseError::fail("not three packets"));
            };
            prop_assert_eq!((from, told), (ssrc, sender));
            let block = Block { ssrc: of, fraction_lost, lost, highest, jitter, last_report, since_last_report };
            prop_assert_eq!(blocks.iter().collect::<Vec<_>>(), vec![block]);
            prop_assert_eq!(named, ControlPacket::Name { ssrc, name: name.as_bytes() });
            prop_assert_eq!(bye, ControlPacket::Bye { ssrc });
        }

        #[test]
        fn any_bytes_are_survived(datagram in proptest::collection::vec(any::<u8>(), 0..300)) {
            for packet in parse(&datagram) {
                if let ControlPacket::SenderReport { blocks, .. } | ControlPacket::ReceiverReport { blocks, .. } = packet {
                    prop_assert!(blocks.iter().count() < 32);
                }
            }
        }

        #[test]
        fn a_broken_report_is_survived(cut in 0usize..100, at in 0usize..100, with: u8) {
            let sender = Some(SenderInfo { ntp: 1, timestamp: 2, packets: 3, octets: 4 });
            let mut datagram = print(&Statement { ssrc: 9, sender, heard: None, name: b"name", bye: true });
            datagram.truncate(cut);
            if let Some(byte) = datagram.get_mut(at) {
                *byte = with;
            }

            parse(&datagram).count();
        }
    }

    #[test]
    fn one_who_sends_nothing_gives_a_receiver_report() {
        let datagram = print(&Statement { ssrc: 9, sender: None, heard: None, name: b"name", bye: false });

        let read: Vec<_> = parse(&datagram).collect();

        assert_eq!(read[0], ControlPacket::ReceiverReport { ssrc: 9, blocks: Blocks(&[]) });
        assert_eq!(read[1], ControlPacket::Name { ssrc: 9, name: b"name" });
    }

    #[test]
    fn packets_of_kinds_unknown_are_passed_over() {
        let mut datagram = vec![0x80, 205, 0, 1, 0, 0, 0, 1];
        datagram.extend(print(&Statement { ssrc: 9, sender: None, heard: None, name: b"name", bye: true }));

        assert_eq!(parse(&datagram).last(), Some(ControlPacket::Bye { ssrc: 9 }));
    }
}
