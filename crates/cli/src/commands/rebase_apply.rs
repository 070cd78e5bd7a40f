//! `plat rebase apply`.

use std::process::ExitCode;

use crate::arguments::rebase::Apply;

/// Applies a plan.
pub(crate) fn apply(_: &Apply) -> anyhow::Result<ExitCode> {
    anyhow::bail!("plat rebase apply is not in this build")
}
