//! The command line of plat: arguments, exit codes, where results and errors go.
//!
//! Results go to standard output, all else to standard error. Exit codes: 0 done, 1 a negative answer, 2 an error;
//! `plat run` ends with the program's own exit code.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod guest_map;
mod proc_maps;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    if let Some(code) = commands::run::child() {
        return code;
    }
    let words: Vec<_> = std::env::args_os().collect();
    if let Some((tool, rest)) = commands::compat::find(&words) {
        return finish(commands::compat::run(tool, rest));
    }
    if let Some(run) = arguments::plain_run(&words) {
        return finish(commands::run::run(run));
    }
    let arguments = Arguments::parse();
    finish(match arguments.command {
        Command::Run(run) => commands::run::run(run),
        Command::Info(info) => commands::info::info(&info),
        Command::Map(map) => commands::map::map(&map),
        Command::Apis(apis) => commands::apis::apis(&apis),
        Command::Sim(sim) => commands::sim::sim(&sim),
        Command::Rebase(rebase) => commands::rebase::rebase(&rebase),
        Command::Flags(flags) => commands::flags::flags(&flags),
        Command::Completions { shell } => {
            commands::completions(shell);
            Ok(ExitCode::SUCCESS)
        }
    })
}

/// Turns an error into a line and an exit code.
fn finish(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        if commands::is_broken_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        eprintln!("plat: {}", commands::one_line(&error));
        ExitCode::from(2)
    })
}
