//! `plat rebase plan`, `why` and `db`.

use std::process::ExitCode;

use crate::arguments::rebase_plan::{Db, Plan, Why};

/// Plans a fleet.
pub(crate) fn plan(_: &Plan) -> anyhow::Result<ExitCode> {
    anyhow::bail!("plat rebase plan is not in this build")
}

/// Says who is at a file's addresses.
pub(crate) fn why(_: &Why) -> anyhow::Result<ExitCode> {
    anyhow::bail!("plat rebase why is not in this build")
}

/// Shows, imports or exports a database.
pub(crate) fn db(_: &Db) -> anyhow::Result<ExitCode> {
    anyhow::bail!("plat rebase db is not in this build")
}
