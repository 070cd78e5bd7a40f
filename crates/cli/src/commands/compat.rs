//! Front ends that take the options of Cygwin's `rebase`, `rebaseall` and `peflags`, and print their lines.
//!
//! They are called by the name that plat was started under, or as `plat rebase --compat[=NAME]`. What the originals get
//! wrong is not imitated: see each module.

mod database;
mod getopt;
mod peflags;
mod rebase;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// The front ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Rebase,
    RebaseAll,
    PeFlags,
}

impl Tool {
    fn named(name: &str) -> Option<Self> {
        match name {
            "rebase" => Some(Self::Rebase),
            "rebaseall" => Some(Self::RebaseAll),
            "peflags" => Some(Self::PeFlags),
            _ => None,
        }
    }
}

/// Finds the front end that a command line asks for, and its arguments.
pub(crate) fn find(arguments: &[OsString]) -> Option<(Tool, &[OsString])> {
    let (program, rest) = arguments.split_first()?;
    let stem = Path::new(program).file_stem()?.to_str()?;
    if let Some(tool) = Tool::named(stem) {
        return Some((tool, rest));
    }
    let [command, flag, rest @ ..] = rest else { return None };
    let flag = flag.to_str()?;
    let tool = match command.to_str()? {
        "rebase" if flag == "--compat" => Tool::Rebase,
        "rebase" => Tool::named(flag.strip_prefix("--compat=")?)?,
        "flags" if flag == "--compat" => Tool::PeFlags,
        _ => return None,
    };
    Some((tool, rest))
}

/// Runs a front end.
pub(crate) fn run(tool: Tool, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    match tool {
        Tool::Rebase => rebase::rebase(arguments),
        Tool::RebaseAll => rebase::rebaseall(arguments),
        Tool::PeFlags => peflags::peflags(arguments),
    }
}
