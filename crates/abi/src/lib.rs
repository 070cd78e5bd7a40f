//! How a guest call becomes a Rust call, for 32 and 64 bits.
