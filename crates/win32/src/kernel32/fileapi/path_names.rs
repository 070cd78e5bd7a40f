//! full, long, short and temporary paths.
