//! `cargo xtask bench corpus`: programs of the corpus under plat beside Linux builds of the same tools, on inputs large
//! enough to measure. Linux builds are those that `PATH` has; a tool that is not there is left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{build_plat, children_user_s, on_path, peer_inputs};
use crate::root;

/// How much more user time than the Linux build a program may take.
const RATIO_MAX: f64 = 1.1;
/// What takes less user time under Linux is no measure, in seconds.
const MEASURABLE_S: f64 = 0.05;
/// Each takes this many turns; the best counts.
const TURNS: usize = 3;

/// One program's work.
struct Job {
    /// The program's name in `corpus/open.json`.
    program: &'static str,
    /// Names that the Linux tool goes by.
    tools: &'static [&'static str],
    /// What makes it tell its version.
    version: &'static str,
    arguments: &'static [&'static str],
    /// The file that it makes, if it does not only print.
    makes: Option<&'static str>,
}

const fn job(
    program: &'static str,
    tools: &'static [&'static str],
    version: &'static str,
    arguments: &'static [&'static str],
    makes: Option<&'static str>,
) -> Job {
    Job { program, tools, version, arguments, makes }
}

const SEVEN_ZIP: &[&str] = &["a", "-mx1", "-mmt=1", "-bso0", "-bsp0", "out.7z", "tree"];
/// The tree again and again: once is too quick to be measured.
#[rustfmt::skip]
const SEARCH: &[&str] = &[
    "-j1", "-c", "--sort", "path", "(?i)[a-f]{3,}9+ .*[0-7]{4}c",
    "tree", "tree", "tree", "tree", "tree", "tree", "tree", "tree", "tree", "tree",
    "tree", "tree", "tree", "tree", "tree", "tree", "tree", "tree", "tree", "tree",
];
const FORMAT: &[&str] = &["--style=LLVM", "in.c"];
const JUST: &[&str] = &["--justfile", "in.just", "--dump"];

/// The programs of the corpus of which Linux has builds.
const JOBS: &[Job] = &[
    job("7za32", &["7za", "7z", "7zz"], "i", SEVEN_ZIP, Some("out.7z")),
    job("7za64", &["7za", "7z", "7zz"], "i", SEVEN_ZIP, Some("out.7z")),
    job("mpy-cross32", &["mpy-cross"], "--version", &["-o", "out.mpy", "in.py"], Some("out.mpy")),
    job("mpy-cross64", &["mpy-cross"], "--version", &["-o", "out.mpy", "in.py"], Some("out.mpy")),
    job("flac32", &["flac"], "--version", &["-8", "-s", "-f", "-o", "out.flac", "in.wav"], Some("out.flac")),
    job("ninja32", &["ninja"], "--version", &["-n", "--quiet"], None),
    job("ninja64", &["ninja"], "--version", &["-n", "--quiet"], None),
    job(
        "tidy32",
        &["tidy"],
        "-v",
        &["-q", "--show-warnings", "no", "-o", "out.html", "in.html"],
        Some("out.html"),
    ),
    job("clang-format32", &["clang-format"], "--version", FORMAT, None),
    job("clang-format64", &["clang-format"], "--version", FORMAT, None),
    job(
        "cwebp64",
        &["cwebp"],
        "-version",
        &["-quiet", "-m", "4", "-s", "1536", "1536", "in.yuv", "-o", "out.webp"],
        Some("out.webp"),
    ),
    job(
        "gifsicle64",
        &["gifsicle"],
        "--version",
        &["-O3", "--colors", "32", "in.gif", "-o", "out.gif"],
        Some("out.gif"),
    ),
    job("win_bison64", &["bison"], "--version", &["-o", "out.c", "in.y"], Some("out.c")),
    job("rg32", &["rg"], "--version", SEARCH, None),
    job("rg64", &["rg"], "--version", SEARCH, None),
    job("just32", &["just"], "--version", JUST, None),
    job("just64", &["just"], "--version", JUST, None),
    job("esbuild32", &["esbuild"], "--version", &["--minify", "--outfile=out.js", "in.js"], Some("out.js")),
    job("esbuild64", &["esbuild"], "--version", &["--minify", "--outfile=out.js", "in.js"], Some("out.js")),
];

/// The part of `corpus/open.json` that says where programs lie.
#[derive(Deserialize)]
struct Corpus {
    packages: std::collections::BTreeMap<String, Package>,
    programs: Vec<Program>,
}

#[derive(Deserialize)]
struct Package {
    file: String,
}

#[derive(Deserialize)]
struct Program {
    id: String,
    package: String,
    exe: String,
    bits: u32,
}

/// What one side made of a job.
#[derive(Default)]
struct Side {
    user_s: f64,
    output: Vec<u8>,
}

/// Measures all jobs, or those whose program begins with a word of `arguments`; fails when one takes too long.
pub(super) fn corpus(arguments: &[String]) -> Result<()> {
    let plat = build_plat()?;
    let work = root().join("target/bench/corpus");
    peer_inputs::make(&work)?;
    let file = root().join("corpus/open.json");
    let corpus: Corpus = serde_json::from_str(&fs::read_to_string(&file).context("corpus/open.json")?)?;
    println!(
        "{:<16} {:>9} {:>9} {:>6}  user time in seconds, best of {TURNS}",
        "program", "Linux", "plat", "ratio"
    );
    let wanted =
        |job: &&Job| arguments.is_empty() || arguments.iter().any(|name| job.program.starts_with(name));
    let mut missed = 0;
    for job in JOBS.iter().filter(wanted) {
        let (place, bits) = place(&corpus, job.program)?;
        match job.tools.iter().find(|tool| on_path(tool)) {
            _ if !place.exists() => {
                println!("{:<16} not fetched: `cargo xtask corpus` fetches it", job.program)
            }
            None => println!("{:<16} PATH has no {}", job.program, job.tools[0]),
            Some(tool) => missed += measure(job, tool, (&place, bits), &plat, &work)?,
        }
    }
    if missed > 0 {
        bail!("{missed} programs take more than {RATIO_MAX} times the user time")
    } else {
        Ok(())
    }
}

/// Returns where the corpus has a program, and for how many bits it is built.
fn place(corpus: &Corpus, id: &str) -> Result<(PathBuf, u32)> {
    let program = corpus.programs.iter().find(|program| program.id == id);
    let program = program.with_context(|| format!("{id} is not in corpus/open.json"))?;
    let package =
        corpus.packages.get(&program.package).with_context(|| format!("no package {}", program.package))?;
    let path = root().join(".cache/corpus/unpacked").join(&package.file).join(&program.exe);
    Ok((path, program.bits))
}

/// Prints a job's line and returns 1 when plat takes too long.
fn measure(job: &Job, tool: &str, (exe, bits): (&Path, u32), plat: &Path, work: &Path) -> Result<usize> {
    let under_plat = [plat.to_string_lossy().into_owned(), "run".into(), exe.to_string_lossy().into_owned()];
    let native = [tool.to_owned()];
    let (mut linux, mut windows) =
        (Side { user_s: f64::MAX, ..Side::default() }, Side { user_s: f64::MAX, ..Side::default() });
    // By turns, so that what else the machine does hits both alike.
    for _ in 0..TURNS {
        for (side, runner) in [(&mut linux, native.as_slice()), (&mut windows, under_plat.as_slice())] {
            match turn(job, runner, work)? {
                Some(done) => *side = Side { user_s: side.user_s.min(done.user_s), ..done },
                None => {
                    println!("{:<16} {} fails", job.program, runner[0]);
                    return Ok(0);
                }
            }
        }
    }
    let ratio = windows.user_s / linux.user_s.max(0.01);
    let versions = [version(&native, job), version(&under_plat, job)];
    // Code for 32 bits has half the registers: only a Linux build for as many is a measure.
    let is_measure = bits_of(tool) == Some(bits);
    let is_long = linux.user_s >= MEASURABLE_S;
    let is_missed = is_measure && is_long && ratio > RATIO_MAX;
    let mut notes = match (is_measure, is_missed) {
        (false, _) => format!("{bits} bits, the Linux build has others"),
        (true, _) if !is_long => "too quick to tell".to_owned(),
        (true, false) => "PASS".to_owned(),
        (true, true) => "FAIL".to_owned(),
    };
    if versions[0] != versions[1] {
        notes.push_str(&format!(", versions differ: Linux {}, Windows {}", versions[0], versions[1]));
    } else if linux.output != windows.output {
        notes.push_str(", the same version, other output");
    }
    println!("{:<16} {:>9.2} {:>9.2} {:>6.2}  {notes}", job.program, linux.user_s, windows.user_s, ratio);
    Ok(usize::from(is_missed))
}

/// Returns for how many bits the tool in `PATH` is built; nothing when it is no ELF file.
fn bits_of(tool: &str) -> Option<u32> {
    let path = std::env::var_os("PATH")?;
    let place = std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|place| place.is_file())?;
    match fs::read(place).ok()?.get(..5)? {
        [0x7f, b'E', b'L', b'F', class @ 1..=2] => Some(32 * u32::from(*class)),
        _ => None,
    }
}

/// Does a job once; nothing when the program fails.
fn turn(job: &Job, runner: &[String], work: &Path) -> Result<Option<Side>> {
    if let Some(file) = job.makes {
        let _ = fs::remove_file(work.join(file));
    }
    let before = children_user_s()?;
    let mut command = Command::new(&runner[0]);
    // One thread: a second one's time depends on what else the machine does.
    command.args(&runner[1..]).args(job.arguments).current_dir(work).env("GOMAXPROCS", "1");
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::null()).output().with_context(|| runner[0].clone())?;
    let user_s = children_user_s()? - before;
    let made = match job.makes {
        None => Some(output.stdout.into_iter().filter(|byte| *byte != b'\r').map(slash).collect()),
        Some(file) => fs::read(work.join(file)).ok(),
    };
    // Some tools end with 1 when they warn.
    let ended = output.status.code().is_some_and(|code| code <= 1);
    Ok(made
        .filter(|made: &Vec<u8>| ended && (job.makes.is_none() || !made.is_empty()))
        .map(|output| Side { user_s, output }))
}

/// Printed paths have the one or the other.
fn slash(byte: u8) -> u8 {
    if byte == b'\\' { b'/' } else { byte }
}

/// Returns the first word of what a program says about itself that looks like a version.
fn version(runner: &[String], job: &Job) -> String {
    let output = Command::new(&runner[0]).args(&runner[1..]).arg(job.version).stdin(Stdio::null()).output();
    let Ok(output) = output else { return "unknown".into() };
    let said = [output.stdout, output.stderr].concat();
    first_version(&String::from_utf8_lossy(&said)).unwrap_or("unknown").to_owned()
}

fn first_version(text: &str) -> Option<&str> {
    let is_part = |character: char| character.is_ascii_digit() || character == '.';
    let words = text.split(|character| !is_part(character)).map(|word| word.trim_matches('.'));
    words.into_iter().find(|word| word.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::first_version;

    #[test]
    fn a_version_is_the_first_number_with_a_dot() {
        let cases = [
            ("ripgrep 14.1.0 (rev e50df40a19)", Some("14.1.0")),
            ("bison++ 3 of 2020. GNU Bison 3.8.2.", Some("3.8.2")),
            ("HTML Tidy for Linux released on 25 March", None),
            ("1.11.1.git.kitware\n", Some("1.11.1")),
        ];
        for (text, version) in cases {
            assert_eq!(first_version(text), version, "{text}");
        }
    }
}
