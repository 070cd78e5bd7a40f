//! `rebase -s` and `rebaseall`: bases kept in Cygwin's own `rebase.db`, so that both tools can share a tree.
//!
//! Other than the original: the database is locked from when it is read until it is written, and written last, in one
//! step; it holds what is on disk, never a base that a file did not get; `-s -b` on an existing database moves the files
//! too; what is well placed stays; whole ranges that Cygwin needs are kept free (the layouts `cygwin32`, `cygwin64`).
//! `--root DIR`, not in the original, is the folder of the installation.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use plat_rebase::apply::{Disk, Durability, ScanOptions, apply, lock_beside, scan, write_atomically};
use plat_rebase::database::CygwinHeader;
use plat_rebase::{Database, Machine, Member, PlanOptions, Request};
use plat_regions::{Address, AddressRange, Layout, Use};

use super::rebase::{Wish, options, tell};
use crate::commands::rebase_apply::with_suffix;
use crate::commands::rebase_db;

/// The tree's database and what is known of it.
struct Tree {
    root: PathBuf,
    path: PathBuf,
    machine: Machine,
    database: Database,
    /// The database was made anew, or is to be: every file is placed again.
    is_new_base: bool,
}

/// Runs `rebase -s`.
pub(super) fn run(wish: &Wish) -> anyhow::Result<ExitCode> {
    let root = wish.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    let (machine, name) = match wish.is_32 {
        true => (Machine::I386, "etc/rebase.db.i386"),
        false => (Machine::Amd64, "etc/rebase.db.x86_64"),
    };
    let path = root.join(name);
    if let Some(folder) = path.parent().filter(|_| !wish.info) {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let _held = match wish.info {
        true => None,
        false => Some(lock_beside(&path, true)?),
    };
    let mut tree = match open(root, path, machine, wish)? {
        Some(tree) => tree,
        None => return super::rebase::usage_error(""),
    };
    if wish.info {
        return info(&tree, wish);
    }
    let members = members(&tree, wish);
    if wish.merge {
        return merge(&mut tree, members);
    }
    place(&mut tree, members, wish)
}

/// Reads the database; nothing when there is none, and no base to begin one with.
fn open(root: PathBuf, path: PathBuf, machine: Machine, wish: &Wish) -> anyhow::Result<Option<Tree>> {
    let mut database = match path.exists() {
        true => rebase_db::read(&path, Some(&root))?,
        false if wish.base.is_none() && !wish.info && !wish.merge => return Ok(None),
        false => Database::default(),
    };
    if let Some(base) = wish.base {
        let mounts = database.cygwin.take().map(|it| it.mounts).unwrap_or_default();
        let offset = u32::try_from(wish.offset).context("-o is too large")?;
        database.cygwin = Some(CygwinHeader { base: Address::new(base), offset, is_down: true, mounts });
    }
    Ok(Some(Tree { root, path, machine, database, is_new_base: wish.base.is_some() }))
}

/// Reads the files of the command line and, when all are placed anew, those of the database.
fn members(tree: &Tree, wish: &Wish) -> Vec<Member> {
    let mut paths = wish.files.clone();
    if tree.is_new_base && !wish.oblivious {
        paths.extend(
            tree.database.entries.keys().map(|path| tree.root.join(path)).filter(|path| path.exists()),
        );
    }
    for path in paths.iter().filter(|path| !path.exists() && !wish.quiet) {
        eprintln!("{}: skipped because nonexistent.", path.display());
    }
    paths.retain(|path| path.exists());
    let found = scan(&paths, &ScanOptions { root: tree.root.clone(), without_hash: false });
    for skipped in found.skipped.iter().filter(|_| !wish.quiet) {
        eprintln!("{}: skipped because {}", skipped.path, skipped.why);
    }
    let is_frozen = |member: &Member| wish.oblivious && tree.database.entries.contains_key(&member.path);
    let is_runtime = |member: &Member| {
        let name = member.path.rsplit('/').next().unwrap_or_default().to_lowercase();
        name == "cygwin1.dll" || name == "msys-2.0.dll"
    };
    let (fit, other): (Vec<Member>, Vec<Member>) =
        found.members.into_iter().partition(|member| member.machine == tree.machine);
    for member in other.iter().filter(|_| !wish.quiet) {
        eprintln!("{}: skipped because wrong machine type.", member.path);
    }
    fit.into_iter().filter(|member| !is_frozen(member) && !is_runtime(member)).collect()
}

/// Returns Cygwin's layout with the DLLs' band as the base says.
fn layout(tree: &Tree) -> anyhow::Result<Layout> {
    let name = if tree.machine == Machine::I386 { "cygwin32" } else { "cygwin64" };
    let mut layout = Layout::builtin(name)?;
    let Some(header) = &tree.database.cygwin else { return Ok(layout) };
    for band in layout.bands.iter_mut().filter(|band| band.purpose == Use::Dll) {
        let start = band.range.start;
        band.range = AddressRange::new(start, header.base.max(start)).with_context(|| {
            format!("Invalid Baseaddress {:#x}, must be > {:#x}", header.base.get(), start.get())
        })?;
    }
    if layout.bands.iter().all(|band| band.purpose != Use::Dll || band.range.is_empty()) {
        anyhow::bail!("Invalid Baseaddress {:#x}: nothing lies below it that is for DLLs", header.base.get());
    }
    Ok(layout)
}

/// Plans, applies, and writes the database last.
fn place(tree: &mut Tree, members: Vec<Member>, wish: &Wish) -> anyhow::Result<ExitCode> {
    // A file that is gone takes no room.
    let root = tree.root.clone();
    tree.database.entries.retain(|path, _| root.join(path).exists());
    let layout = layout(tree)?;
    let names: std::collections::HashSet<&str> = members.iter().map(|it| it.path.as_str()).collect();
    let obstacles = tree.database.others(|path| names.contains(path), layout.bits);
    let options_of_plan = PlanOptions {
        gap: tree.database.cygwin.as_ref().map_or(0, |it| it.offset.into()),
        repack: tree.is_new_base,
        ..PlanOptions::default()
    };
    let plan = plat_rebase::plan(&Request {
        members: &members,
        layout: &layout,
        known: &tree.database.to_entries(),
        obstacles: &obstacles,
        profiles: &[],
        options: &options_of_plan,
    })?;
    if !plan.report.unplaced.is_empty() {
        for (path, bytes) in &plan.report.unplaced {
            eprintln!("{path}: no room left for {bytes:#x} bytes");
        }
        eprintln!("Too many DLLs for available address space: nothing was changed");
        return Ok(ExitCode::from(2));
    }
    let mut how = options(wish, with_suffix(&tree.path, ".journal"));
    how.root = root;
    let report = apply(&Disk, &plan, &how)?;
    tell(&plan, &report, wish)?;
    for obstacle in &plan.obstacles {
        if names.contains(obstacle.path.as_str()) {
            eprintln!("{}: skipped because {}", obstacle.path, obstacle.why);
        }
    }
    if !wish.oblivious {
        let mut settled = plan;
        let mut good = report.files.iter().map(|file| file.outcome.is_good());
        settled.moves.retain(|_| good.next().unwrap_or(false));
        let hashes: std::collections::HashMap<_, _> =
            report.files.iter().filter_map(|file| Some((file.path.as_str(), file.hash?))).collect();
        tree.database.record(&settled, |path| hashes.get(path).copied());
        write(tree)?;
    }
    Ok(ExitCode::from(if report.is_complete() { 0 } else { 2 }))
}

/// Takes the files' present bases into the database, without moving any.
fn merge(tree: &mut Tree, members: Vec<Member>) -> anyhow::Result<ExitCode> {
    for member in members {
        let slot = member.size.next_multiple_of(plat_regions::ALLOCATION_GRANULARITY);
        let entry = plat_rebase::Entry {
            path: member.path.clone(),
            hash: Some(member.hash),
            machine: member.machine,
            original: Some(member.base),
            base: member.base,
            size: member.size,
            slot,
            shares: false,
            constraints: Vec::new(),
        };
        tree.database.entries.insert(member.path, entry);
    }
    write(tree)?;
    Ok(ExitCode::SUCCESS)
}

fn write(tree: &Tree) -> anyhow::Result<()> {
    let bytes = tree.database.to_cygwin(tree.machine)?;
    write_atomically(&Disk, &tree.path, &bytes, Durability::File)
        .with_context(|| format!("writing {}", tree.path.display()))
}

/// Prints the database's files, as they are on disk, and those of the command line.
fn info(tree: &Tree, wish: &Wish) -> anyhow::Result<ExitCode> {
    let mut paths: Vec<PathBuf> = tree.database.entries.keys().map(|path| tree.root.join(path)).collect();
    paths.extend(wish.files.iter().cloned());
    paths.retain(|path| path.exists());
    let found = scan(&paths, &ScanOptions { root: PathBuf::new(), without_hash: true });
    let members = found.members.into_iter().filter(|member| member.machine == tree.machine);
    let fleet: Vec<_> = members.map(|member| (member, None)).collect();
    print!("{}", super::rebase::info(&fleet, wish.is_32));
    Ok(ExitCode::SUCCESS)
}

/// Runs `rebaseall`: every library of the installation, or of a list, against the database.
pub(super) fn all(mut wish: Wish, suffixes: &[String]) -> anyhow::Result<ExitCode> {
    let root = wish.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    let name = if wish.is_32 { "etc/rebase.db.i386" } else { "etc/rebase.db.x86_64" };
    let default = if wish.is_32 { 0x7000_0000 } else { 0x4_0000_0000 };
    if wish.files.is_empty() {
        let folders = ["bin", "lib", "usr/bin", "usr/lib", "usr/libexec", "usr/share", "usr/local", "opt"];
        for folder in folders.map(|folder| root.join(folder)) {
            libraries(&folder, suffixes, &mut wish.files);
        }
    }
    // The base counts for a database that does not exist yet; another one is made anew only when asked.
    if !root.join(name).exists() && wish.base.is_none() {
        wish.base = Some(default);
    }
    wish.no_dynamic_base = true;
    run(&wish)
}

/// Collects the files below a folder that have one of the suffixes, but Cygwin's own and other systems'.
fn libraries(folder: &Path, suffixes: &[String], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().to_lowercase();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && name != "sys-root" => libraries(&path, suffixes, found),
            Ok(kind) if kind.is_file() && is_library(&name, suffixes) => found.push(path),
            _ => {}
        }
    }
}

fn is_library(name: &str, suffixes: &[String]) -> bool {
    !name.starts_with("cyglsa") && suffixes.iter().any(|suffix| name.ends_with(&format!(".{suffix}")))
}
