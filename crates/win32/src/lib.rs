//! The Windows system DLLs: one module per DLL, one file per API header.

pub mod logic;
