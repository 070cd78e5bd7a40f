//! One module per command, and what they share.

pub(crate) mod apis;
pub(crate) mod compat;
pub(crate) mod flags;
pub(crate) mod info;
pub(crate) mod map;
pub(crate) mod rebase;
pub(crate) mod rebase_apply;
pub(crate) mod rebase_check;
pub(crate) mod rebase_db;
pub(crate) mod rebase_plan;
pub(crate) mod rebase_report;
pub(crate) mod rebase_why;
pub(crate) mod reg;
pub(crate) mod run;
pub(crate) mod sim;

use std::io::ErrorKind;

use clap::CommandFactory;

use crate::arguments::Arguments;

/// Prints a shell's completions.
pub(crate) fn completions(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Arguments::command(), "plat", &mut std::io::stdout());
}

/// Says whether an error is only that the reader of our output went away.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.into_iter().any(|cause| cause.kind() == ErrorKind::BrokenPipe)
}

/// Joins an error and its causes, each said once: some messages already end with their cause.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |line, cause| match line.as_str() {
        "" => cause,
        said if said.ends_with(&cause) => line,
        said => format!("{said}: {cause}"),
    })
}
