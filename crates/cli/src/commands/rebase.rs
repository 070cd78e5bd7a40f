//! `plat rebase`: hands each subcommand to its module; without one, plans and applies in one go.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use plat_rebase::apply::{self as files, Disk};

use crate::arguments::rebase::{How, Rebase, RebaseCommand};
use crate::arguments::rebase_plan::Plan;
use crate::commands::{rebase_apply, rebase_check, rebase_db, rebase_plan, rebase_report, rebase_why};

/// Runs a subcommand, or plan and apply.
pub(crate) fn rebase(arguments: &Rebase) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Some(RebaseCommand::Plan(plan)) => rebase_plan::plan(plan),
        Some(RebaseCommand::Apply(apply)) => rebase_apply::apply(apply),
        Some(RebaseCommand::Check(check)) => rebase_check::check(check),
        Some(RebaseCommand::Why(why)) => rebase_why::why(why),
        Some(RebaseCommand::Db(db)) => rebase_db::db(db),
        None => {
            let plan = arguments.plan.as_ref().context("say which files: plat rebase --help")?;
            in_one_go(plan, &arguments.how)
        }
    }
}

/// Plans, applies, and records the result in the innermost database, which is held all the while.
fn in_one_go(arguments: &Plan, how: &How) -> anyhow::Result<ExitCode> {
    let database = arguments.db.last();
    let journal = how.journal.clone().unwrap_or_else(|| usual_journal(arguments));
    let _held = match database {
        Some(database) => Some(files::lock_beside(database, !how.no_wait)?),
        None => None,
    };
    // A database that does not exist yet is an empty one.
    let mut readable = arguments.clone();
    readable.db.retain(|path| Some(path) != database || path.exists());
    let planned = rebase_plan::make(&readable, database.is_none())?;
    if let Some(refusal) = rebase_report::refusal(&planned, arguments) {
        rebase_report::show(&planned, arguments.format)?;
        eprintln!("plat: {refusal}");
        return Ok(ExitCode::from(1));
    }
    if let Some(output) = &arguments.output {
        rebase_db::write(Some(output), planned.plan.to_toml().as_bytes())?;
    }
    let mut options = rebase_apply::options(how, arguments.root.clone().unwrap_or_default(), journal)?;
    options.seen = planned.scan.seen;
    let report = files::apply(&Disk, &planned.plan, &options)?;
    for skipped in &planned.scan.skipped {
        eprintln!("plat: {}: {}", skipped.path, skipped.why);
    }
    let code = rebase_apply::show(&report, false, how.dry_run, arguments.format)?;
    if let Some(database) = database.filter(|_| !how.dry_run) {
        // Last of all, and only what is so: a file that was left alone is not recorded at a base that it does not have.
        let mut settled = planned.plan;
        let mut good = report.files.iter().map(|file| file.outcome.is_good());
        settled.moves.retain(|_| good.next().unwrap_or(false));
        rebase_db::record(database, arguments.root.as_deref(), &settled)?;
    }
    Ok(code)
}

/// Returns the journal's usual place: beside the database, the plan or, without either, in the folder that all files are
/// below.
fn usual_journal(arguments: &Plan) -> PathBuf {
    if let Some(beside) = arguments.db.last().or(arguments.output.as_ref()) {
        return rebase_apply::with_suffix(beside, ".journal");
    }
    let folder = |path: &PathBuf| match path.is_dir() {
        true => path.clone(),
        false => path.parent().map(Path::to_owned).unwrap_or_default(),
    };
    let mut folders = arguments.paths.iter().map(folder);
    let mut common = arguments.root.clone().or_else(|| folders.next()).unwrap_or_default();
    if arguments.root.is_none() {
        for other in folders {
            while !other.starts_with(&common) && common.pop() {}
        }
    }
    common.join(".plat-rebase.journal")
}
