//! What we take by SIP, said in one place: whoever asks at the door hears the same as whoever talks with us.

/// The methods, for Allow.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, INFO, PRACK, REFER";

/// What is read in bodies, for Accept.
pub const ACCEPT: &str = "application/sdp, multipart/mixed, multipart/alternative";

/// The extensions that a peer may require, for Supported.
pub const EXTENSIONS: [&str; 5] = ["100rel", "timer", "path", "outbound", "norefersub"];
