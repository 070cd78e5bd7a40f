//! `plat sim run` of what strace printed.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use plat_sim::script::{Checkpoint, Replay};
use plat_sim::{Config, Kernel};

use super::{configs, outside, text_of};
use crate::arguments::{Format, SimRun};

/// Replays a trace and tells what came out; exit code 1 when anything differs.
pub(super) fn replay(arguments: &SimRun, text: &str) -> anyhow::Result<ExitCode> {
    let checkpoints = checkpoints(arguments.maps.as_deref())?;
    let mut outside = outside(arguments.files.as_deref())?;
    let mut out = std::io::stdout().lock();
    let mut differs = false;
    for config in configs(&arguments.machine)? {
        let name = config.kernel_name();
        only_linux(&config)?;
        let mut replay = Replay::new(config, checkpoints.clone());
        replay.run(text, outside.as_mut()).with_context(|| arguments.file.display().to_string())?;
        let is_off = |at: &Checkpoint| at.differing.as_ref().is_some_and(|lines| !lines.is_empty());
        differs |= !replay.differences.is_empty() || replay.checkpoints().iter().any(is_off);
        match arguments.format {
            Format::Text => write_text(&mut out, name, &replay)?,
            Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&json(name, &replay))?)?,
            _ => bail!("--format: a replay is written as text or json"),
        }
    }
    Ok(if differs { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Reads recorded maps; none without a file.
pub(super) fn checkpoints(path: Option<&Path>) -> anyhow::Result<Vec<Checkpoint>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    Checkpoint::parse_all(&text_of(path)?).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

/// Refuses kernels that know nothing of what strace prints.
pub(super) fn only_linux(config: &Config) -> anyhow::Result<()> {
    let name = config.kernel_name();
    if !matches!(config.kernel, Kernel::Posix) || name == "freebsd" {
        bail!("--policy {name}: what strace printed are Linux' calls, and its programs start as on Linux");
    }
    Ok(())
}

fn write_text(out: &mut impl Write, policy: &str, replay: &Replay) -> std::io::Result<()> {
    writeln!(out, "{policy}: {} results equal, {} differ", replay.equal, replay.differences.len())?;
    for (line, call, recorded, model) in &replay.differences {
        writeln!(out, "  line {line}: {call}\n    recorded {recorded}, model {model}")?;
    }
    if replay.refused_faults > 0 {
        writeln!(out, "  {} recorded page faults meet a signal in the model", replay.refused_faults)?;
    }
    if replay.refused_touches > 0 {
        let count = replay.refused_touches;
        writeln!(out, "  {count} times the kernel may not touch a call's memory: EFAULT, as recorded")?;
    }
    let mut equal = 0;
    for at in replay.checkpoints() {
        let when = if at.at_exec { "execve" } else { "the end" };
        match &at.differing {
            None => writeln!(out, "  maps of process {} at {when}: never reached", at.pid)?,
            Some(lines) if lines.is_empty() => equal += 1,
            Some(lines) => {
                writeln!(out, "  maps of process {} at {when} differ:", at.pid)?;
                lines.iter().try_for_each(|line| writeln!(out, "    {line}"))?;
            }
        }
    }
    if !replay.checkpoints().is_empty() {
        writeln!(out, "{equal} of {} recorded maps are equal line by line", replay.checkpoints().len())?;
    }
    write!(out, "{}", replay.machine.processes_text())?;
    for pid in replay.machine.processes.keys() {
        let maps = replay.machine.maps_text(*pid);
        if !maps.is_empty() {
            write!(out, "maps of process {pid}:\n{maps}")?;
        }
    }
    Ok(())
}

fn json(policy: &str, replay: &Replay) -> serde_json::Value {
    let difference = |(line, call, recorded, model): &(usize, String, String, String)| serde_json::json!({ "line": line, "call": call, "recorded": recorded, "model": model });
    let checkpoint = |at: &Checkpoint| serde_json::json!({ "process": at.pid, "at_exec": at.at_exec, "differing": at.differing });
    let maps = replay
        .machine
        .processes
        .keys()
        .map(|pid| serde_json::json!({ "process": pid, "maps": replay.machine.maps_lines(*pid) }));
    serde_json::json!({
        "policy": policy,
        "equal": replay.equal,
        "differences": replay.differences.iter().map(difference).collect::<Vec<_>>(),
        "refused_faults": replay.refused_faults,
        "refused_touches": replay.refused_touches,
        "checkpoints": replay.checkpoints().iter().map(checkpoint).collect::<Vec<_>>(),
        "processes": maps.collect::<Vec<_>>(),
    })
}
