//! How much of a message we are willing to read. Beyond these a message is refused, whatever it says.

/// Octets of a whole message, body included.
pub const MESSAGE: usize = 65_536;
/// Octets of one header line, its continuation lines included, and of a start line.
pub const LINE: usize = 8_192;
/// Header lines in one message.
pub const HEADERS: usize = 256;
/// Parameters of one URI or of one header value.
pub const PARAMS: usize = 64;
/// Values of one list header (Via, Route, Contact …), over all its lines.
pub const LIST: usize = 128;
