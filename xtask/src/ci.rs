//! `cargo xtask ci`: the same steps that `.ci/run` takes, in one command before a push.

use crate::{root, run, tidy};
use anyhow::Result;
use std::process::Command;

/// Steps, in the order of how fast they say no.
const STEPS: &[(&str, &[&str])] = &[
    ("format", &["fmt", "--all", "--check"]),
    ("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("tests", &["test", "--workspace"]),
    ("documentation", &["doc", "--workspace", "--no-deps", "--document-private-items"]),
];

/// Runs tidy and then every step, stopping at the first failure.
pub(crate) fn ci(_: &[String]) -> Result<()> {
    tidy::tidy(&[])?;
    for (name, arguments) in STEPS {
        eprintln!("ci: {name}");
        let mut command = Command::new("cargo");
        command.args(*arguments).current_dir(root()).env("RUSTDOCFLAGS", "-D warnings");
        run(command)?;
    }
    Ok(())
}
