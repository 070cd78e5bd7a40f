//! The command line of plat.

fn main() {}
