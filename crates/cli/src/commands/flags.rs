//! `plat flags`.

use std::process::ExitCode;

use crate::arguments::rebase::Flags;

/// Shows or changes flags.
pub(crate) fn flags(_: &Flags) -> anyhow::Result<ExitCode> {
    anyhow::bail!("plat flags is not in this build")
}
