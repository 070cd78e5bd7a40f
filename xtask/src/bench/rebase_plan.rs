//! How long `plat rebase plan` thinks about 20,000 DLLs: runs the example `plan_speed` of `plat-rebase`.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::row;
use crate::root;

const MS_MAX: f64 = 1000.0;

/// Measures planning and prints a row for each case; returns how many targets were missed.
pub(crate) fn planning() -> Result<usize> {
    println!("Planning 20,000 synthetic DLLs, median of 5:");
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--release", "--package", "plat-rebase", "--example", "plan_speed"]);
    let output = command.current_dir(root()).output().context("starting cargo")?;
    if !output.status.success() {
        bail!("plan_speed failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut missed = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (name, ms) = line.split_once('\t').with_context(|| format!("plan_speed printed {line:?}"))?;
        missed += row(&format!("  {name}"), ms.parse()?, "ms", Some(MS_MAX));
    }
    Ok(missed)
}
