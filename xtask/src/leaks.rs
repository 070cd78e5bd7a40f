//! `cargo xtask leaks [--quick]`: 10,000 runs of a small guest, 100 of them killed, leave nothing behind.

pub(crate) mod measure;

use crate::bench::build_plat;
use crate::fixtures::build::{Bits, build_all};
use crate::root;
use anyhow::{Result, bail};
use measure::{Plan, measure};

const RUNS: (usize, usize) = (10_000, 100);
const QUICK_RUNS: (usize, usize) = (500, 25);

/// Runs the guest in both bitnesses, half of the runs each, and says what is left.
pub(crate) fn leaks(arguments: &[String]) -> Result<()> {
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let (runs, killed) = if is_quick { QUICK_RUNS } else { RUNS };
    let plat = build_plat()?;
    let out = root().join("target/fixtures");
    build_all(&root(), &out)?;
    let mut left = 0;
    for bits in Bits::ALL {
        let program = out.join(bits.name()).join("leaks.exe");
        let plan = Plan { plat: plat.clone(), program, runs: runs / 2, killed: killed / 2 };
        let report = measure(&plan)?;
        let each = report.took.as_secs_f64() * 1000.0 / plan.runs as f64;
        println!(
            "{}: {} runs, {} killed, {:.1} s ({each:.1} ms each): {} left behind",
            bits.name(),
            plan.runs,
            plan.killed,
            report.took.as_secs_f64(),
            report.left.len()
        );
        report.left.iter().for_each(|line| println!("  {line}"));
        left += report.left.len();
    }
    if left > 0 { bail!("{left} things were left behind") } else { Ok(()) }
}
