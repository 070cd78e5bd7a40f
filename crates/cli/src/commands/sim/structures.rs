//! `plat sim structures`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use plat_render::{Align, Table};
use plat_sim::Config;
use plat_sim::script::Replay;
use plat_sim::structures::{Operation, Row, experiment, synthetic};

use super::{outside, text_of};
use crate::arguments::{Format, SimStructures};

/// Counts what each structure does.
pub(super) fn structures(arguments: &SimStructures) -> anyhow::Result<ExitCode> {
    let parts = match &arguments.trace {
        Some(path) => {
            let mut outside = outside(arguments.files.as_deref())?;
            let mut replay = Replay::new(Config::default(), Vec::new());
            let text = text_of(path)?;
            replay.run(&text, outside.as_mut()).with_context(|| path.display().to_string())?;
            of_processes(&replay)
        }
        None => [10, 100, 1000].map(|regions| made_up(regions, arguments)).into(),
    };
    let mut out = std::io::stdout().lock();
    match arguments.format {
        Format::Json => {
            let parts: Vec<_> =
                parts.iter().map(|(name, rows)| serde_json::json!({ "of": name, "rows": rows })).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&parts)?)?;
        }
        Format::Text => write!(out, "{}", text(&parts, arguments))?,
        _ => bail!("--format: counts are written as text or json"),
    }
    Ok(ExitCode::SUCCESS)
}

fn of_processes(replay: &Replay) -> Vec<(String, Vec<Row>)> {
    let finds = |operations: &Vec<Operation>| {
        operations.iter().any(|operation| matches!(operation, Operation::Find(_)))
    };
    let some = replay.operations.iter().filter(|(_, operations)| finds(operations));
    let mut parts: Vec<_> = some
        .map(|(pid, operations)| {
            let name = replay.machine.processes.get(pid).map_or("", |process| process.name.as_str());
            (format!("process {pid} {name}").trim_end().to_owned(), experiment(operations, 0))
        })
        .collect();
    // Every process begins with an empty space, so that one after the other is one long run.
    let mut all = Vec::new();
    for operations in replay.operations.values() {
        all.push(Operation::Clear);
        all.extend(operations.iter().copied());
    }
    parts.push(("all processes".to_owned(), experiment(&all, 0)));
    parts
}

fn made_up(regions: usize, arguments: &SimStructures) -> (String, Vec<Row>) {
    let (operations, from) = synthetic(regions, 100_000, arguments.locality, arguments.seed);
    (format!("{regions} made-up regions"), experiment(&operations, from))
}

fn text(parts: &[(String, Vec<Row>)], arguments: &SimStructures) -> String {
    let mut table = Table::new(&[
        ("address space", Align::Left),
        ("structure", Align::Left),
        ("regions", Align::Right),
        ("depth", Align::Right),
        ("lookups", Align::Right),
        ("comparisons each", Align::Right),
        ("cache hits", Align::Right),
        ("updates", Align::Right),
        ("rotations", Align::Right),
        ("splits, joins", Align::Right),
        ("nodes visited", Align::Right),
    ]);
    for (name, rows) in parts {
        for row in rows {
            let counts = row.counts;
            let hits = if row.name.ends_with("mmap_cache") {
                format!("{:.1} %", row.hit_rate())
            } else {
                "-".into()
            };
            table.row([
                name.clone(),
                row.name.to_owned(),
                row.regions.to_string(),
                row.depth.to_string(),
                counts.lookups.to_string(),
                format!("{:.1}", row.comparisons_per_lookup()),
                hits,
                counts.updates.to_string(),
                counts.rotations.to_string(),
                counts.node_splits.to_string(),
                counts.nodes_visited.to_string(),
            ]);
        }
    }
    let model = match arguments.trace {
        Some(_) => "Modelled: one lookup for each munmap, mprotect and brk, and one for each page fault that the trace holds \
            (lines `PID faults ...` of plat's recordings; plain strace shows none).\n"
            .to_owned(),
        None => format!(
            "Modelled: {} % of the lookups ask for the region of the one before, the others for any with equal probability; \
            the cache's hits follow from that.\n",
            arguments.locality
        ),
    };
    table.to_text() + &model
}
