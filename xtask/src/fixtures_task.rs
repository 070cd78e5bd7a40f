//! `cargo xtask fixtures`: builds the guest programs, compares them under any runner, records expectations.

use crate::fixtures::build::{Bits, build_all};
use crate::fixtures::cases;
use crate::root;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// Builds the fixtures and, when asked, runs them: `--run|--record [--x64|--x86] RUNNER ARGUMENT…`.
pub(crate) fn fixtures(arguments: &[String]) -> Result<()> {
    let out = root().join("target/fixtures");
    let built = build_all(&root(), &out)?;
    eprintln!("fixtures: {built} built into {}", out.display());
    let Some((mode, mut runner)) = arguments.split_first() else { return Ok(()) };
    let bits = match runner.first().map(String::as_str) {
        Some("--x64") => vec![Bits::X64],
        Some("--x86") => vec![Bits::X86],
        _ => Bits::ALL.to_vec(),
    };
    if bits.len() == 1 {
        runner = &runner[1..];
    }
    match mode.as_str() {
        "--run" => compare(&bits, runner, &out),
        "--record" => record(runner, &out),
        other => bail!("unknown option {other}"),
    }
}

fn names(expect: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(expect).context("reading fixtures/expect")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".txt").filter(|n| !n.contains('.')).map(String::from));
    }
    names.sort();
    Ok(names)
}

fn compare(bits: &[Bits], runner: &[String], out: &Path) -> Result<()> {
    let expect = root().join("fixtures/expect");
    let (mut good, mut bad) = (0, 0);
    for &bits in bits {
        for name in names(&expect)? {
            for (index, case) in cases::load(&expect, &name, bits)?.iter().enumerate() {
                let cwd = out.join(format!("run/{}-{name}-{index}", bits.name()));
                let _ = fs::remove_dir_all(&cwd);
                fs::create_dir_all(&cwd)?;
                let output = cases::run_case(case, runner, &out.join(bits.name()), &cwd)?;
                match cases::difference(case, &output) {
                    None => good += 1,
                    Some(report) => {
                        bad += 1;
                        println!("{} {report}\n", bits.name());
                    }
                }
            }
        }
    }
    println!("fixtures: {good} as expected, {bad} not");
    if bad > 0 { bail!("{bad} differ") } else { Ok(()) }
}

fn record(runner: &[String], out: &Path) -> Result<()> {
    let expect = root().join("fixtures/expect");
    for name in names(&expect)? {
        let file = expect.join(format!("{name}.txt"));
        let recorded = cases::record(&file, runner, &out.join("x64"), &out.join("run"))?;
        println!("{name}: {recorded} recorded");
    }
    Ok(())
}
