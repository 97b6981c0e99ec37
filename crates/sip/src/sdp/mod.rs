//! Session descriptions (RFC 8866, RFC 3264).
