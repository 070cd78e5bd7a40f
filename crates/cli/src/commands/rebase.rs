//! `plat rebase`: hands each subcommand to its module; without one, plans and applies in one go.

use std::process::ExitCode;

use crate::arguments::rebase::{Rebase, RebaseCommand};
use crate::commands::{rebase_apply, rebase_check, rebase_db, rebase_plan, rebase_why};

/// Runs a subcommand, or plan and apply.
pub(crate) fn rebase(arguments: &Rebase) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Some(RebaseCommand::Plan(plan)) => rebase_plan::plan(plan),
        Some(RebaseCommand::Apply(apply)) => rebase_apply::apply(apply),
        Some(RebaseCommand::Check(check)) => rebase_check::check(check),
        Some(RebaseCommand::Why(why)) => rebase_why::why(why),
        Some(RebaseCommand::Db(db)) => rebase_db::db(db),
        None => anyhow::bail!("plat rebase without a subcommand is not in this build: use plan, then apply"),
    }
}
