//! `plat rebase plan`: files, a layout, databases and profiles become a plan.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use plat_rebase::apply::{Scan, ScanOptions, scan};
use plat_rebase::{Database, Machine, Member, PlanOptions, Profile, Request};
use plat_regions::Layout;

use super::rebase_check::with_lists;
use super::{rebase_db, rebase_report};
use crate::arguments::rebase_plan::Plan;

/// A plan, and what it was made from.
pub(crate) struct Planned {
    pub(crate) plan: plat_rebase::Plan,
    pub(crate) scan: Scan,
    pub(crate) layout: Layout,
}

/// Plans a fleet; exit code 1 when not every file fits, and then no plan is written.
pub(crate) fn plan(arguments: &Plan) -> anyhow::Result<ExitCode> {
    let planned = make(arguments, false)?;
    rebase_report::show(&planned, arguments.format)?;
    if let Some(refusal) = rebase_report::refusal(&planned, arguments) {
        eprintln!("plat: {refusal}");
        return Ok(ExitCode::from(1));
    }
    if let Some(output) = &arguments.output {
        rebase_db::write(Some(output), planned.plan.to_toml().as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the files and plans them. Hashes can be left out of a plan that is applied at once and recorded nowhere.
pub(crate) fn make(arguments: &Plan, without_hash: bool) -> anyhow::Result<Planned> {
    let root = arguments.root.clone().unwrap_or_default();
    let mut paths = with_lists(&arguments.paths, &arguments.filelist)?;
    // What is not there as typed is meant to be below the root, as package lists name files.
    for path in paths.iter_mut().filter(|path| !path.exists()) {
        let relative = path.strip_prefix("/").unwrap_or(path);
        let below = root.join(relative);
        if below.exists() {
            *path = below;
        }
    }
    let mut scan = scan(&paths, &ScanOptions { root: root.clone(), without_hash });
    for (path, wish) in &arguments.wish {
        let member = scan.members.iter_mut().find(|member| member.path == *path);
        let member = member.with_context(|| format!("--wish {path}: no file of the fleet has this path"))?;
        member.constraints.push(wish.clone());
    }
    let database = rebase_db::read_layers(&arguments.db, arguments.root.as_deref())?;
    let layout = layout(arguments.layout.as_deref(), &database, &scan.members)?;
    let profiles = profiles(&arguments.profile, &scan.members)?;
    let members: std::collections::HashSet<&str> =
        scan.members.iter().map(|member| member.path.as_str()).collect();
    let obstacles = database.others(|path| members.contains(path), layout.bits);
    let options = PlanOptions {
        slack_percent: arguments.slack.unwrap_or(0),
        gap: database.cygwin.as_ref().map_or(0, |it| it.offset.into()),
        share: arguments.share,
        repack: arguments.repack,
    };
    let plan = plat_rebase::plan(&Request {
        members: &scan.members,
        layout: &layout,
        known: &database.to_entries(),
        obstacles: &obstacles,
        profiles: &profiles,
        options: &options,
    })?;
    Ok(Planned { plan, scan, layout })
}

/// Returns the layout that was asked for, the database's, or the one that suits the files.
pub(crate) fn layout(name: Option<&str>, database: &Database, members: &[Member]) -> anyhow::Result<Layout> {
    let name = name.or(database.layout.as_deref()).unwrap_or_else(|| suitable(members));
    if Layout::builtin_names().any(|builtin| builtin == name) || !Path::new(name).exists() {
        return Ok(Layout::builtin(name)?);
    }
    let text = std::fs::read_to_string(name).with_context(|| format!("reading the layout {name}"))?;
    Ok(Layout::parse(&text)?)
}

/// The runtime that most of the files import says whose they are; the machine says which bitness.
fn suitable(members: &[Member]) -> &'static str {
    let narrow = members.iter().filter(|member| member.machine == Machine::I386).count();
    let is_32 = narrow * 2 > members.len();
    let imports = |name: &str| members.iter().any(|member| member.imports.iter().any(|it| it == name));
    match is_32 {
        true if imports("cygwin1.dll") => "cygwin32",
        true => "win32",
        false if imports("cygwin1.dll") => "cygwin64",
        false if imports("msys-2.0.dll") => "msys2",
        false => "win64",
    }
}

fn profiles(paths: &[PathBuf], members: &[Member]) -> anyhow::Result<Vec<Profile>> {
    let read = |path: &PathBuf| {
        if path.as_os_str() == "imports" && !path.exists() {
            return Ok(Profile::from_imports(members));
        }
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Profile::read(&path.display().to_string(), &String::from_utf8_lossy(&bytes))?)
    };
    paths.iter().map(read).collect()
}
