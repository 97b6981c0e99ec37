//! Any provision file: read and checked; what is wrong with it is one short sentence and a line of the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use store::provision::parse;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Err(error) = parse(text) else { return };
    assert!(!error.sentence.is_empty() && error.sentence.len() < 2_000 && !error.sentence.contains('\n'), "{error}");
    let lines = text.split(['\n', '\r']).count() + 1;
    assert!(error.line.is_none_or(|line| line >= 1 && line as usize <= lines), "{error}");
});
