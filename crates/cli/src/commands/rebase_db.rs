//! `plat rebase db`, and how databases are found and read.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use plat_rebase::apply::{ScanOptions, scan};
use plat_rebase::database::{coffbase, ld_flags};
use plat_rebase::{Database, Machine, Plan};

use crate::arguments::rebase_plan::{Db, DbCommand, Emit};

/// Imports, exports or updates a database.
pub(crate) fn db(arguments: &Db) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        DbCommand::Import { root, output, file } => {
            let database = read(file, root.as_deref())?;
            write(output.as_deref(), database.to_toml().as_bytes())?;
        }
        DbCommand::Export { emit, output, files } => {
            let database = read_layers(files, None)?;
            let cygwin = |machine| {
                let bytes = database.to_cygwin(machine);
                bytes.with_context(|| format!("exporting {}", files[0].display()))
            };
            let bytes = match emit {
                Emit::CygwinI386 => cygwin(Machine::I386)?,
                Emit::CygwinX86_64 => cygwin(Machine::Amd64)?,
                Emit::LdFlags => ld_flags(&database).into_bytes(),
                Emit::Coffbase => coffbase(&database).into_bytes(),
            };
            write(output.as_deref(), &bytes)?;
        }
        DbCommand::Record { db, root, plan } => {
            let text =
                std::fs::read_to_string(plan).with_context(|| format!("reading {}", plan.display()))?;
            let plan = Plan::from_toml(&text).with_context(|| format!("reading {}", plan.display()))?;
            record(db, root.as_deref(), &plan)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes what a plan settled into a database. The files are read again: what is recorded is what is there.
///
/// Fails when a file does not have the base that the plan gives it.
pub(crate) fn record(db: &Path, root: Option<&Path>, plan: &Plan) -> anyhow::Result<()> {
    let mut database = if db.exists() { read(db, root)? } else { Database::default() };
    let root = root.unwrap_or(Path::new(""));
    let paths: Vec<PathBuf> = plan.moves.iter().map(|it| root.join(&it.path)).collect();
    let found = scan(&paths, &ScanOptions { root: root.to_owned(), ..ScanOptions::default() });
    let members: std::collections::HashMap<&str, _> =
        found.members.iter().map(|member| (member.path.as_str(), member)).collect();
    let mut settled = plan.clone();
    // A file that was left alone, signed or in use, keeps its old entry or none.
    settled.moves.retain(|it| members.get(it.path.as_str()).is_some_and(|member| member.base == it.to));
    let left = plan.moves.len() - settled.moves.len();
    database.record(&settled, |path| members.get(path).map(|member| member.hash));
    write(Some(db), database.to_toml().as_bytes())?;
    if left > 0 {
        anyhow::bail!(
            "{left} of {} files do not have their planned base and were not recorded",
            plan.moves.len()
        );
    }
    Ok(())
}

/// Reads a database, plat's or Cygwin's.
pub(crate) fn read(path: &Path, root: Option<&Path>) -> anyhow::Result<Database> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    if bytes.starts_with(b"rBiI") {
        let database = Database::from_cygwin(&bytes, &usual_mounts(root));
        return database.with_context(|| format!("reading {}", path.display()));
    }
    let text = String::from_utf8(bytes)
        .with_context(|| format!("reading {}: neither rebase.db nor text", path.display()))?;
    Ok(Database::parse(&path.display().to_string(), &text)?)
}

/// Reads layers of databases, from the outermost to the innermost.
pub(crate) fn read_layers(paths: &[PathBuf], root: Option<&Path>) -> anyhow::Result<Database> {
    let layers: Vec<Database> = paths.iter().map(|path| read(path, root)).collect::<Result<_, _>>()?;
    Ok(Database::layered(&layers))
}

/// Cygwin mounts `bin` as `usr/bin` and `lib` as `usr/lib`, unless the tree really has those.
fn usual_mounts(root: Option<&Path>) -> Vec<(String, String)> {
    let Some(root) = root else { return Vec::new() };
    let is_mount = |(seen, there): &(&str, &str)| !root.join(seen).is_dir() && root.join(there).is_dir();
    let usual = [("usr/bin", "bin"), ("usr/lib", "lib")];
    usual.into_iter().filter(is_mount).map(|(seen, there)| (seen.to_owned(), there.to_owned())).collect()
}

/// Writes a file whole, by a rename, or to standard output.
pub(crate) fn write(path: Option<&Path>, bytes: &[u8]) -> anyhow::Result<()> {
    let Some(path) = path else {
        return Ok(std::io::stdout().lock().write_all(bytes)?);
    };
    let whole = || -> std::io::Result<()> {
        let beside = super::rebase_apply::with_suffix(path, &format!(".{}.new", std::process::id()));
        let mut file = std::fs::File::create(&beside)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        let renamed = written.and_then(|()| std::fs::rename(&beside, path));
        renamed.inspect_err(|_| drop(std::fs::remove_file(&beside)))
    };
    whole().with_context(|| format!("writing {}", path.display()))
}
