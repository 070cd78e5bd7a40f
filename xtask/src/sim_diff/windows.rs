//! `cargo xtask sim-diff --windows`: Windows' rules against `plat run`, and with `--wine` against Wine.

use anyhow::{Context, Result, bail};
use std::time::Instant;

use crate::fixtures::build::{Bits, build_all};
use crate::sim_windows::{LeftOut, Runner, compare, known};

/// Steps that one process carries out.
const STEPS_PER_SEED: usize = 10_000;

/// Compares; `--wine`, `--x86`, `--steps N`, `--seed S`, `--runner COMMAND`.
pub(crate) fn windows(arguments: &[String]) -> Result<()> {
    let (mut steps, mut seed, mut wine, mut bits) = (100_000, 1, false, Bits::X64);
    let mut command = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--windows" => {}
            "--wine" => wine = true,
            "--x86" => bits = Bits::X86,
            "--steps" => steps = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--runner" => command = Some(value()?.split(' ').map(str::to_owned).collect()),
            _ => bail!("sim-diff --windows knows --wine, --x86, --steps, --seed and --runner, not {word}"),
        }
    }
    let root = crate::root();
    let out = root.join("target/fixtures");
    build_all(&root, &out)?;
    let program = out.join(bits.name()).join("memory_steps.exe");
    let command = match command {
        Some(command) => command,
        None if wine => vec!["wine".to_owned()],
        None => plat(&root)?,
    };
    let known: &[_] = if wine { known::WINE } else { &[] };
    let bits = if bits == Bits::X64 { 64 } else { 32 };
    let runner = Runner { command, known, bits, joins: wine };
    let (start, mut left_out, mut done) = (Instant::now(), LeftOut::new(), 0);
    while done < steps {
        let count = STEPS_PER_SEED.min(steps - done);
        compare(&runner, &program, seed, count, &mut left_out)?;
        done += count;
        seed += 1;
    }
    println!(
        "{done} calls with {} in {:.1} s: 0 differences",
        runner.command[0],
        start.elapsed().as_secs_f64()
    );
    for (name, count) in left_out {
        println!("{count:>10} of a known difference: {name}");
    }
    Ok(())
}

/// Builds the runner and returns its command.
fn plat(root: &std::path::Path) -> Result<Vec<String>> {
    let mut build = std::process::Command::new("cargo");
    build.current_dir(root).args(["build", "--release", "--quiet", "--package", "plat-cli"]);
    crate::run(build)?;
    let path = root.join("target/x86_64-unknown-linux-gnu/release/plat");
    Ok(vec![path.to_string_lossy().into_owned(), "run".to_owned()])
}
