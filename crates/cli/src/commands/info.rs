//! `plat info`.

use std::process::ExitCode;

use crate::arguments::Info;

/// Shows what a file is and needs.
pub(crate) fn info(_info: &Info) -> anyhow::Result<ExitCode> {
    anyhow::bail!("plat info arrives with the renderers")
}
