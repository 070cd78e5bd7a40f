//! `plat rebase check`.

use std::process::ExitCode;

use crate::arguments::rebase::Check;

/// Checks a fleet.
pub(crate) fn check(_: &Check) -> anyhow::Result<ExitCode> {
    anyhow::bail!("plat rebase check is not in this build")
}
