//! Any stream, in pieces of any size: what is cut out does not depend on the pieces, and a frame that parses is the
//! whole of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::{Frame, Framer, Framing, parse};

fuzz_target!(|data: &[u8]| {
    let Some((first, stream)) = data.split_first() else { return };
    let piece = usize::from(*first) + 1;

    let whole = read(stream.chunks(stream.len().max(1)));
    let pieces = read(stream.chunks(piece));

    assert_eq!(whole, pieces);
    for frame in whole {
        if let Some(Frame::Message(bytes)) = frame {
            let length = bytes.len();
            assert!(length <= sip::limits::MESSAGE);
            if let Ok(message) = parse(bytes, Framing::Stream) {
                assert!(message.body().len() <= length);
            }
        }
    }
});

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Option<Frame>> {
    let mut framer = Framer::new();
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next() {
            // Which limit is hit first may depend on the pieces; that one is hit may not.
            frames.push(frame.ok());
        }
    }
    frames
}
