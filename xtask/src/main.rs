//! The project's own commands: `cargo xtask ci|tidy|bench|corpus|fixtures`. [`TASKS`] is the table of them.

mod bench;
mod ci;
mod corpus;
mod corpus_run;
mod fixtures;
mod fixtures_task;
mod fleets;
mod leaks;
mod locales;
mod sim_diff;
mod sim_windows;
mod tidy;

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// A command: its name, its function, and one line of help.
type Task = (&'static str, fn(&[String]) -> Result<()>, &'static str);

const TASKS: &[Task] = &[
    ("ci", ci::ci, "tidy, format, clippy, tests, documentation: before every push"),
    ("tidy", tidy::tidy, "crate boundaries, sizes, unsafe, forbidden words; --shrink tightens the ratchet"),
    ("bench", bench::bench, "start-up, calls and compression beside the peers; --quick for a short run"),
    (
        "corpus",
        corpus::corpus,
        "run published Windows programs and judge the results; --ci, --only ID; fetch [NAME…] only fetches packages",
    ),
    ("leaks", leaks::leaks, "10,000 runs, 100 of them killed, leave nothing behind; --quick for 500"),
    (
        "sim-diff",
        sim_diff::sim_diff,
        "simulated Linux against this kernel; --steps N --seed S; --windows [--wine]: Windows' rules against a runner",
    ),
    (
        "fleets",
        fleets::fleets,
        "published DLLs rebased, held against an independent loader, and loaded; [PACKAGE…]",
    ),
    ("locales", locales::locales, "the locales' data, from CLDR's packages in a folder"),
    ("fixtures", fixtures_task::fixtures, "build the guest programs; --run|--record [--x64|--x86] RUNNER…"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("help", String::as_str);
    let Some((_, task, _)) = TASKS.iter().find(|(n, _, _)| *n == name) else {
        for (name, _, help) in TASKS {
            eprintln!("cargo xtask {name:<9} {help}");
        }
        return ExitCode::from(if name == "help" { 0 } else { 2 });
    };
    match task(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {name}: {error:#}");
            ExitCode::from(1)
        }
    }
}

/// Returns the repository's root.
pub(crate) fn root() -> PathBuf {
    fixtures::build::repository_root(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command to its end and fails when it does.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command.status().with_context(|| format!("starting {shown}"))?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}
