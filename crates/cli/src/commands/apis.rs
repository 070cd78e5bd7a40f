//! `plat apis`.

use std::process::ExitCode;

use crate::arguments::Apis;

/// Lists the Windows functions that plat has.
pub(crate) fn apis(_apis: &Apis) -> anyhow::Result<ExitCode> {
    anyhow::bail!("plat apis arrives with the renderers")
}
