//! The project's own commands: `cargo xtask ci|tidy|bench|corpus`.

fn main() {}
