//! `cargo xtask bench rebase`: 200 published DLLs planned and moved, beside `cp` of the same bytes and, where
//! `PLAT_BENCH_REBASE` names Cygwin's `rebase.exe`, beside that under Wine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{build_plat, on_path, row};
use crate::{corpus, root};

const PACKAGE: &str = "PySide2-5.15.2.1-5.15.2-cp35.cp36.cp37.cp38.cp39.cp310-none-win32";
const FILES: usize = 200;
/// Planning and moving take at most this many times what `cp` takes.
const TIMES_CP_MAX: f64 = 1.5;

/// Measures in memory, where no disk is in the way, and in `target/`; the first counts.
pub(crate) fn rebase(arguments: &[String]) -> Result<()> {
    let runs = if arguments.iter().any(|a| a == "--quick") { 5 } else { 15 };
    let plat = build_plat()?;
    corpus::fetch_packages(&["PySide2".into()])?;
    let sources = images(&root().join(".cache").join(PACKAGE))?;
    let mut missed = super::rebase_plan::planning()?;
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        missed += measure("in memory", &plat, &sources, &memory.join("plat-bench-rebase"), runs, true)?;
    }
    let disk = root().join("target/bench-rebase");
    missed += measure("on disk", &plat, &sources, &disk, runs, !memory.is_dir())?;
    if missed > 0 { bail!("{missed} targets missed") } else { Ok(()) }
}

/// Returns the first images of a package, by path.
fn images(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            match path.extension().and_then(|it| it.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("dll" | "pyd") => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found.truncate(FILES);
    if found.len() < FILES { bail!("only {} images in {}", found.len(), folder.display()) } else { Ok(found) }
}

fn measure(
    place: &str,
    plat: &Path,
    sources: &[PathBuf],
    work: &Path,
    runs: usize,
    counts: bool,
) -> Result<usize> {
    let source = work.join("source");
    let _ = fs::remove_dir_all(work);
    fs::create_dir_all(&source)?;
    let mut bytes = 0;
    for (index, path) in sources.iter().enumerate() {
        let name = path.file_name().context("a name")?.to_string_lossy();
        bytes += fs::copy(path, source.join(format!("{index:03}-{name}")))?;
    }
    println!("{} DLLs, {} MB, {place}, {runs} runs each, median", sources.len(), bytes / 1_000_000);
    let (copy, fleet, journal) = (work.join("copy"), work.join("fleet"), work.join("journal"));
    let (mut cp, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        // Turn by turn, so that what else the machine does meets both.
        fresh(&copy)?;
        cp.push(time_ms(Command::new("cp").arg("-r").arg(&source).arg(&copy))?);
        fresh(&fleet)?;
        run_quietly(Command::new("cp").arg("-r").arg(&source).arg(&fleet))?;
        let _ = fs::remove_file(&journal);
        let mut command = Command::new(plat);
        command.args(["rebase", "--keep-signature", "--durability", "off", "--journal"]);
        ours.push(time_ms(command.arg(&journal).arg(&fleet))?);
    }
    let (cp, ours) = (median(cp), median(ours));
    row("cp", cp, "ms", None);
    row("plat rebase: plan and apply", ours, "ms", None);
    let missed = row("times cp", ours / cp, "", counts.then_some(TIMES_CP_MAX));
    if let Some(theirs) = std::env::var_os("PLAT_BENCH_REBASE").filter(|_| on_path("wine")) {
        row("Cygwin's rebase under Wine", cygwins(Path::new(&theirs), &source, &fleet, runs)?, "ms", None);
    }
    fs::remove_dir_all(work)?;
    Ok(missed)
}

/// Times Cygwin's tool, which sees drive Z: as `/cygdrive/z`; a warm-up run starts Wine's server.
fn cygwins(program: &Path, source: &Path, fleet: &Path, runs: usize) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..=runs.min(5) {
        fresh(fleet)?;
        run_quietly(Command::new("cp").arg("-r").arg(source).arg(fleet))?;
        let mut names: Vec<String> = Vec::new();
        for entry in fs::read_dir(fleet)? {
            names.push(format!("/cygdrive/z{}", entry?.path().display()));
        }
        names.sort();
        let list = fleet.with_extension("list");
        fs::write(&list, names.join("\n") + "\n")?;
        let mut command = Command::new("wine");
        command.arg(program).args(["-4", "-d", "-b", "0x6f000000", "-T"]).env("WINEDEBUG", "-all");
        times.push(time_ms(command.arg(format!("/cygdrive/z{}", list.display())))?);
    }
    times.remove(0);
    Ok(median(times))
}

fn fresh(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn run_quietly(command: &mut Command) -> Result<()> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    if status.success() { Ok(()) } else { bail!("{command:?}: {status}") }
}

fn time_ms(command: &mut Command) -> Result<f64> {
    let start = Instant::now();
    run_quietly(command)?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
