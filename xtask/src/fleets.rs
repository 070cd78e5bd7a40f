//! `cargo xtask fleets`: the published fleets of DLLs, each image moved and held against an independent loader, then the
//! whole fleet rebased and every file mapped by `plat run`, which must find nothing to relocate.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::bench::build_plat;
use crate::fixtures::build::{Bits, build_all};
use crate::{corpus, root, run};

/// The packages that are fleets.
const FLEETS: &[&str] =
    &["gevent", "h5py", "pandas", "scikit-learn", "passagemath-objects", "PySide2", "PyQt5-Qt5", "esy-bash"];

/// Checks the fleets of the named packages, or all.
pub(crate) fn fleets(names: &[String]) -> Result<()> {
    let names =
        if names.is_empty() { FLEETS.iter().map(|it| it.to_string()).collect() } else { names.to_vec() };
    let folders = corpus::fetch_packages(&names)?;
    if folders.is_empty() {
        bail!("no package is called {names:?}: xtask/packages.txt has their names");
    }
    let mut test = Command::new("cargo");
    test.args(["test", "--release", "-p", "plat-rebase", "--test", "fleet"]).args(["--", "--nocapture"]);
    test.env("PLAT_FLEET", std::env::join_paths(&folders).context("a folder's name has a colon")?);
    run(test)?;
    let plat = build_plat()?;
    let guests = root().join("target/fixtures");
    build_all(&root(), &guests)?;
    let mut moved = 0;
    for folder in &folders {
        moved += load_rebased(&plat, &guests, folder)?;
        let cygwins = folder.join("package/.cygwin/etc/rebase.db.x86_64");
        if cygwins.exists() {
            exchange_database(&plat, &cygwins)?;
        }
    }
    if moved > 0 { bail!("{moved} images do not lie at their bases") } else { Ok(()) }
}

/// Reads the database of a real Cygwin tree, writes it as Cygwin's tool does, and reads it again: nothing may be lost.
///
/// The files are not the same to the byte: Cygwin's has padding and addresses of its writer's memory.
fn exchange_database(plat: &Path, theirs: &Path) -> Result<()> {
    let work = root().join("target/fleets");
    fs::create_dir_all(&work)?;
    let (first, again, made) =
        (work.join("first.toml"), work.join("again.toml"), work.join("rebase.db.x86_64"));
    let database = |arguments: &[&str], from: &Path, to: &Path| {
        let mut command = Command::new(plat);
        command.args(["rebase", "db"]).args(arguments).arg(from).arg("-o").arg(to);
        run(command)
    };
    database(&["import"], theirs, &first)?;
    database(&["export", "--emit", "cygwin-x86-64"], &first, &made)?;
    database(&["import"], &made, &again)?;
    let (first, again) = (fs::read_to_string(first)?, fs::read_to_string(again)?);
    let files = first.matches("[[file]]").count();
    if files == 0 || first != again || fs::metadata(theirs)?.len() != fs::metadata(&made)?.len() {
        bail!("{}: written and read again, the database is another", theirs.display());
    }
    println!("  its database: {files} files, the same when written and read again");
    fs::remove_dir_all(&work)?;
    Ok(())
}

/// Rebases a copy of a fleet and maps each file by itself; returns how many did not get their place.
fn load_rebased(plat: &Path, guests: &Path, fleet: &Path) -> Result<usize> {
    let work = root().join("target/fleets");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work)?;
    let copy = work.join("fleet");
    let mut command = Command::new("cp");
    command.arg("-r").arg(fleet).arg(&copy);
    run(command)?;
    let mut command = Command::new(plat);
    command.args(["rebase", "--keep-signature", "--durability", "off", "--journal"]);
    command.arg(work.join("journal")).arg(&copy).stdout(Stdio::null()).stderr(Stdio::null());
    // Obstacles are no reason to stop: what did not move is mapped as it is.
    let status = command.status()?;
    let mut wrong = 0;
    for bits in Bits::ALL {
        let images = images(&copy, bits)?;
        if images.is_empty() {
            continue;
        }
        let list = images.iter().fold(String::new(), |mut list, path| {
            let _ = writeln!(list, "Z:{}", path.display().to_string().replace('/', "\\"));
            list
        });
        let listed = work.join("list");
        fs::write(&listed, list)?;
        let mut command = Command::new(plat);
        command.arg("run").arg(guests.join(bits.name()).join("load_images.exe"));
        let output = command.stdin(fs::File::open(&listed)?).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let name = fleet.file_name().unwrap_or_default().display();
        println!("{name} ({}, rebase: {status})", bits.name());
        text.lines().for_each(|line| println!("  {line}"));
        wrong += usize::from(!output.status.success());
    }
    fs::remove_dir_all(&work)?;
    Ok(wrong)
}

/// Finds the libraries of one bitness below a folder, by their content.
fn images(folder: &Path, bits: Bits) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && is_library(&entry.path(), bits) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Says whether a file is a library for this machine; what cannot be read is none.
fn is_library(path: &Path, bits: Bits) -> bool {
    const I386: u16 = 0x14c;
    const AMD64: u16 = 0x8664;
    const IMAGE_FILE_DLL: u16 = 0x2000;
    let Ok(bytes) = fs::read(path) else { return false };
    let word = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let header = bytes.get(0x3c..0x40).and_then(|it| it.try_into().ok()).map(u32::from_le_bytes);
    let Some(at) = header.map(|it| it as usize).filter(|_| bytes.starts_with(b"MZ")) else { return false };
    let machine = if bits == Bits::X64 { AMD64 } else { I386 };
    bytes.get(at..at + 4) == Some(b"PE\0\0")
        && word(at + 4) == Some(machine)
        && word(at + 22).is_some_and(|it| it & IMAGE_FILE_DLL != 0)
}
