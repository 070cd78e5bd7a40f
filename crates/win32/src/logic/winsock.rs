//! Winsock's rules without a socket: error codes, families, texts of addresses, names of services.

pub mod address;
pub mod control;
pub mod dns;
pub mod error;
pub mod names;
pub mod options;
