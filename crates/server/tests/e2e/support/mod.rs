//! What the tests have in common: peers, a server to call through, and ways to look at what came of it.

pub mod baresip;
pub mod browser;
pub mod http;
pub mod kamailio;
pub mod linphone;
pub mod office;
pub mod people;
pub mod receiver;
pub mod sipp;
pub mod socket;
pub mod sound;
pub mod tools;
