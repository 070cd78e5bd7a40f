//! `cargo xtask corpus [--ci]`: runs published Windows programs with `plat run` and holds the results against
//! `corpus/unfinished.txt`, in both directions; the whole run writes `docs/compatibility.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{root, run};

/// What `corpus.py --json` writes, as far as it is needed here.
#[derive(Deserialize)]
struct Report {
    results: Vec<JobResult>,
}

/// One job's result.
#[derive(Deserialize)]
struct JobResult {
    program: String,
    bits: u32,
    toolchain: String,
    job: String,
    verdict: String,
    why: String,
}

impl JobResult {
    fn id(&self) -> String {
        format!("{}/{}", self.program, self.job)
    }
}

/// Runs the corpus; `--ci` only the part with small downloads.
pub(crate) fn run_corpus(arguments: &[String]) -> Result<()> {
    let is_ci = arguments.iter().any(|argument| argument == "--ci");
    let report = results(arguments)?;
    let unfinished = unfinished()?;
    if !is_ci && arguments.is_empty() {
        let page = root().join("docs/compatibility.md");
        fs::write(&page, compatibility(&report, &unfinished)).with_context(|| page.display().to_string())?;
    }
    let complaints = complaints(&report, &unfinished);
    let passed = report.results.iter().filter(|result| result.verdict == "ok").count();
    println!(
        "{passed} of {} jobs pass; {} are known to be unfinished",
        report.results.len(),
        unfinished.len()
    );
    if complaints.is_empty() { Ok(()) } else { bail!("{}", complaints.join("\n")) }
}

/// Runs `corpus.py`, in whose judgement a failed job is no error here.
fn results(arguments: &[String]) -> Result<Report> {
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--package", "plat-cli"]).current_dir(root());
    run(build)?;
    let plat = root().join("target/x86_64-unknown-linux-gnu/release/plat");
    let file = root().join("target/corpus.json");
    let mut command = Command::new("python3");
    command.arg(root().join("corpus/corpus.py")).arg(root().join("corpus/open.json"));
    command.args(["--jobs", "2", "--runner", &format!("'{}' run", plat.display()), "--cache"]);
    command.arg(root().join(".cache/corpus")).arg("--json").arg(&file).args(arguments);
    let status = command.status().context("starting python3")?;
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("corpus.py: {status}");
    }
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    serde_json::from_str(&text).with_context(|| file.display().to_string())
}

/// Reads the jobs that do not pass yet: a job and what it lacks, a line each.
fn unfinished() -> Result<BTreeMap<String, String>> {
    let path = root().join("corpus/unfinished.txt");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| match line.split_once(' ') {
            Some((job, lacks)) => Ok((job.to_owned(), lacks.trim().to_owned())),
            None => bail!("{}: a job needs what it lacks behind it: {line}", path.display()),
        })
        .collect()
}

fn complaints(report: &Report, unfinished: &BTreeMap<String, String>) -> Vec<String> {
    let judge = |result: &JobResult| match (result.verdict.as_str(), unfinished.contains_key(&result.id())) {
        ("ok", true) => Some(format!("{} passes: take it out of corpus/unfinished.txt", result.id())),
        ("ok", false) | (_, true) => None,
        (verdict, false) => Some(format!("{}: {verdict}: {}", result.id(), result.why)),
    };
    report.results.iter().filter_map(judge).collect()
}

/// Writes the page of what runs.
fn compatibility(report: &Report, unfinished: &BTreeMap<String, String>) -> String {
    let passed = report.results.iter().filter(|result| result.verdict == "ok").count();
    let mut page = String::from("# Programs that plat runs\n\n");
    let _ = writeln!(
        page,
        "Published Windows programs with known results (`corpus/`), run with `plat run`: {passed} of {} jobs pass. \
         `cargo xtask corpus` writes this page.\n",
        report.results.len()
    );
    page.push_str("| program | bits | made by | job | result |\n|---|---|---|---|---|\n");
    for result in &report.results {
        let verdict = match (result.verdict.as_str(), unfinished.get(&result.id())) {
            ("ok", _) => "passes".to_owned(),
            (_, Some(lacks)) => format!("not yet: {lacks}"),
            (verdict, None) => verdict.to_owned(),
        };
        let JobResult { program, bits, toolchain, job, .. } = result;
        let _ = writeln!(page, "| {program} | {bits} | {toolchain} | {job} | {verdict} |");
    }
    page
}
