//! Fixtures, generators and helpers for tests.
#![forbid(unsafe_code)]

pub mod craft;
pub mod pe;
pub mod tables;
